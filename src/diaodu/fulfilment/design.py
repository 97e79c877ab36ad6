"""资源设计: what the tree needs of the areas is asked for; all or none, through each area's queue of requests.

The wish is an effect in state intent; the area's worker takes it, and its answer comes back as a report.
"""

from collections.abc import Mapping, Sequence

from diaodu.catalog.model import Performer
from diaodu.engine.ports import Call, Decision, Done, Wait
from diaodu.fulfilment.orders import OrderFacts, load_orders, record_decisions
from diaodu.fulfilment.wanted import CLAIM, wanted_effects
from diaodu.kernel.db import Tx
from diaodu.ordering.model import Action
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, Op, Step
from diaodu.planning.plan import plan

Facts = tuple[Mapping[int, OrderFacts], Mapping[int, list[Effect]]]


class Design:
    """The service ``fulfilment.design``: waits for the message ``design`` of its revision."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Facts:
        """The orders and their ledgers."""
        ids = [c.root_id for c in calls]
        return load_orders(tx, ids), effects.ledger(tx, ids)

    def decide(self, call: Call, facts: Facts) -> Decision:
        """What to claim and to reserve."""
        order = facts[0][call.root_id]
        steps = claims(order) + list(reservations(order, facts[1][call.root_id]))
        outcome = Wait("design", str(order.revision.n)) if steps else Done({"design": "served"})
        return Decision(outcome, steps)

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Facts) -> None:
        """Write the wishes down."""
        made: list[Effect] = []
        for call, decision in decided:
            n = facts[0][call.root_id].revision.n
            made += ledger.add_steps(tx, order_id=call.root_id, revision=n, steps=decision.writes)
        ledger.add(tx, made)
        record_decisions(tx, facts[0].values())


def reservations(order: OrderFacts, known: Sequence[Effect]) -> Sequence[Step]:
    """The reservations that neither the ledger nor the installed product has."""
    lines = order.lines()
    wanted = wanted_effects(order, {}, only=Performer.AREA)
    missing = [w for w in wanted if lines[w.item_key].held.get(w.kind) != w.reads_hash]
    return [s for s in plan(known, missing).steps if s.op is not Op.UNDO]


def claims(order: OrderFacts) -> list[Step]:
    """One claim for each product that exists: one order at a time changes a product."""
    return [
        Step(
            op=Op.DO,
            thing_id=line.product_id,
            kind=CLAIM,
            item_key=line.key,
            work="reserve",
            element=f"area:{line.address['area']}",
            priority=5,
            reads_hash=None,
            params={"claim": line.product_id},
            undo=None,
            of_id=None,
            after=frozenset(),
            reason="claim",
        )
        for line in order.revision.lines
        if line.action is not Action.ADD
    ]
