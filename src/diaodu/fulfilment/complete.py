"""竣工: the roll-up from effects to items, the archives (billing, resource, SLA) and the notice to the customer.

Archives and the notice are effects that the diagram asks for by name; each waits until it has landed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from diaodu.engine.ports import BusinessError, Call, Cancel, Decision, Done, Wait
from diaodu.fulfilment.archives import closing_params
from diaodu.fulfilment.orders import OrderFacts, line_names, load_orders, record_decisions
from diaodu.fulfilment.wanted import undo_of
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering import holds
from diaodu.ordering.model import FINAL, ItemState
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import OPEN, Effect, Op, Step

Facts = tuple[Mapping[int, OrderFacts], Mapping[int, list[Effect]]]


def _load(tx: Tx, calls: Sequence[Call]) -> Facts:
    ids = [c.root_id for c in calls]
    return load_orders(tx, ids), effects.ledger(tx, ids)


class Complete:
    """The service ``fulfilment.complete``: every effect is settled, so the items are built and close."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Facts:
        """The orders and their ledgers."""
        return _load(tx, calls)

    def decide(self, call: Call, facts: Facts) -> Decision:
        """An order with an open effect is not complete; the stage should not have ended.

        Of a cancelled order nothing is left to complete: its execution ends here.
        """
        order, known = facts[0][call.root_id], facts[1][call.root_id]
        unsettled = [e.kind for e in known if e.state in OPEN and e.kind not in order.release.closing]
        if unsettled:
            return Decision(BusinessError("not-complete", ", ".join(unsettled)))
        if not _wanted_groups(order):
            end = Cancel(order.id, order.release.processes["execution"], call.instance_id, reason="cancelled")
            return Decision(Wait("cancelled", str(order.id)), signals=[end])
        return Decision(Done())

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Facts) -> None:
        """The items are closing: cancellation is over, and nothing waits any more."""
        done = [facts[0][call.root_id] for call, d in decided if isinstance(d.outcome, Done)]
        holds.end(tx, [h for known in holds.holds_of(tx, [o.id for o in done if _waits(o)]).values() for h in known])
        _move_all(tx, done, ItemState.CLOSING)


class Closing:
    """The service ``fulfilment.closing``: the effect named by the setting ``effect``, once per top-level item."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Facts:
        """The orders and their ledgers."""
        return _load(tx, calls)

    def decide(self, call: Call, facts: Facts) -> Decision:
        """The steps, one per group, and the wait for their landing."""
        order, known = facts[0][call.root_id], facts[1][call.root_id]
        kind = call.settings["effect"]
        made = {e.item_key for e in known if e.kind == kind}
        steps = [_step(order, known, kind, group) for group in _wanted_groups(order) if group not in made]
        return Decision(Wait("landed", kind), steps)

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Facts) -> None:
        """Write the intents down; they are ready at once."""
        made: list[Effect] = []
        for call, decision in decided:
            n = facts[0][call.root_id].revision.n
            made += ledger.add_steps(tx, order_id=call.root_id, revision=n, steps=decision.writes)
        # The archives carry the instants of this transaction.
        ledger.add(tx, [replace(e, params={**e.params, "at": tx.now.isoformat()}) for e in made])
        record_decisions(tx, facts[0].values())


class Close:
    """The service ``fulfilment.close``: all archives are confirmed, the items are completed."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Facts:
        """The orders and their ledgers."""
        return _load(tx, calls)

    def decide(self, call: Call, facts: Facts) -> Decision:
        """Nothing is left to decide."""
        del call, facts
        return Decision(Done())

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Facts) -> None:
        """The promise is kept."""
        orders = [facts[0][call.root_id] for call, _ in decided]
        _move_all(tx, orders, ItemState.COMPLETED)
        for order in orders:
            journal.record(tx, order.id, {"t": "order.completed"})


def _wanted_groups(order: OrderFacts) -> list[str]:
    return [line.key for line in order.revision.lines if line.parent is None and line.wanted]


def _waits(order: OrderFacts) -> bool:
    return any(i.state in (ItemState.PENDING, ItemState.HELD) for i in order.items)


def _move_all(tx: Tx, orders: Sequence[OrderFacts], state: ItemState) -> None:
    ordering.move_items(tx, [ordering.Move(i, state) for o in orders for i in o.items if i.state not in FINAL])


def _step(order: OrderFacts, known: Sequence[Effect], kind: str, group: str) -> Step:
    effect = order.release.closing[kind]
    top = order.lines()[group]
    names = line_names(order, top)
    return Step(
        op=Op.DO,
        thing_id=top.product_id,
        kind=kind,
        item_key=group,
        work=effect.work,
        element=str(effect.element.evaluate(names)) if effect.element else None,
        priority=effect.priority,
        reads_hash=None,
        params=closing_params(kind, order, known, group),
        undo=undo_of(effect),
        of_id=None,
        after=frozenset(),
        reason="closing",
    )
