"""The plan of an order, computed again from facts: when a revision is accepted and when a late fact lands."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diaodu.fulfilment.orders import OrderFacts
from diaodu.fulfilment.wanted import CLAIM, design_of, wanted_effects
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.ordering.model import Action
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, Op, SharedThings, State
from diaodu.planning.plan import RELEASE, plan


def replan(tx: Tx, orders: Iterable[OrderFacts]) -> None:
    """Add the steps that lead from each order's ledger to what its revision wants; withdraw what was never sent."""
    made: list[Effect] = []
    withdrawn: list[ledger.Landing] = []
    for order in orders:
        known = effects.ledger(tx, [order.id])[order.id]
        wanted = wanted_effects(order, design_of(known, order))
        result = plan(known, wanted, shared_things(order, known))
        made += ledger.add_steps(tx, order_id=order.id, revision=order.revision.n, steps=result.steps)
        withdrawn += [ledger.Landing(e, State.WITHDRAWN) for e in known if e.id in result.withdraw]
    ledger.add(tx, made)
    ledger.land(tx, withdrawn)


def inherit(tx: Tx, orders: Sequence[OrderFacts]) -> None:
    """Copy the realisations of the claimed products into the ledgers, as confirmed facts.

    Products that share a thing each carry its realisations: one copy is made.
    """
    copies: list[Effect] = []
    for order in orders:
        known = effects.ledger(tx, [order.id])[order.id]
        seen = {e.params.get("key") for e in known if e.op is Op.INHERITED}
        for claim in [e for e in known if e.kind == CLAIM and e.state is State.CONFIRMED]:
            assert claim.result is not None
            for r in claim.result["realisations"]:
                if r["key"] not in seen:
                    seen.add(r["key"])
                    copies.append(_inherited(tx, order, claim, r))
    ledger.add(tx, copies)


def _inherited(tx: Tx, order: OrderFacts, claim: Effect, r: Mapping[str, Any]) -> Effect:
    return Effect(
        id=tx.new_id(part_of(order.id)),
        order_id=order.id,
        revision=order.revision.n,
        thing_id=r["thing"],
        kind=r["kind"],
        item_key=claim.item_key,
        op=Op.INHERITED,
        of_id=None,
        state=State.CONFIRMED,
        ready=True,
        needs=(),
        work=r["work"],
        element=r["element"],
        priority=r["priority"],
        reads_hash=r["reads_hash"],
        params={**r["params"], "key": r["key"]},
        undo=r["undo"],
        result=r["result"],
    )


def shared_things(order: OrderFacts, known: Sequence[Effect]) -> SharedThings:
    """Which shared things the deleted products of this order leave, and whose last user has gone."""
    leaving = {line.product_id for line in order.revision.lines if line.action is Action.DELETE}
    users: dict[int, set[int]] = {}
    for claim in (e for e in known if e.kind == CLAIM and e.state is State.CONFIRMED):
        assert claim.result is not None
        for thing, products in claim.result["users"].items():
            if gone := leaving & set(products):
                users.setdefault(int(thing), set()).update(gone)
    answers = {e.thing_id: e.result["last_user"] for e in known if e.kind == RELEASE and e.result}
    last = frozenset(thing for thing, is_last in answers.items() if is_last)
    return SharedThings({t: frozenset(p) for t, p in users.items()}, frozenset(answers), last)
