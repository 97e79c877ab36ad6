"""The plan of an order, computed again from facts: when a revision is accepted and when a late fact lands."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diaodu.fulfilment.orders import OrderFacts
from diaodu.fulfilment.wanted import CLAIM, claims, design_of, restored, wanted_effects
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.ordering import holds
from diaodu.ordering.holds import Cause, Hold
from diaodu.ordering.model import Action
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, Op, Plan, SharedThings, State
from diaodu.planning.plan import RELEASE, plan
from diaodu.workforce import queries as work_orders

# While one of these is open, the effects of its items stay back.
PAUSES = frozenset({Cause.SUSPENDED, Cause.CUSTOMER, Cause.RETURNED, Cause.PRE})


def replan(tx: Tx, orders: Iterable[OrderFacts]) -> None:
    """Add the steps that lead from each order's ledger to what its to-be wants; withdraw what was never begun.

    Steps of items on hold are held. What is wanted no more while somebody is at it stays: whoever offers the work
    asks for it back. What a sender takes in the meantime is under way: the plan is made again around it.
    """
    left = {o.id: o for o in orders}
    while left:
        left = {i: left[i] for i in _write(tx, left)}


def _write(tx: Tx, orders: Mapping[int, OrderFacts]) -> set[int]:
    """Write the plans down; returns the orders of which a sender has taken something that the plan had in hand."""
    known, busy = effects.ledger(tx, orders), work_orders.busy_effects(tx, orders)
    plans = {i: planned(order, known[i], busy[i]) for i, order in orders.items()}
    by_id = {e.id: e for i in orders for e in known[i]}
    _, taken = ledger.withdraw(tx, [by_id[e] for p in plans.values() for e in p.withdraw])
    again = {e.order_id for e in taken}
    on_hold = holds.holds_of(tx, orders)
    made: list[Effect] = []
    waits: list[tuple[Effect, Sequence[int]]] = []
    for i, p in plans.items():
        if i not in again:
            n, held = orders[i].revision.n, _held(orders[i], on_hold[i])
            new = ledger.add_steps(tx, order_id=i, revision=n, steps=p.steps, held_items=held)
            ids = {s.key: e.id for s, e in zip(p.steps, new, strict=True)}
            made += new
            waits += [(by_id[w.effect], sorted({*w.needs, *(ids[key] for key in w.after)})) for w in p.waits]
    again |= {e.order_id for e in ledger.wait_for(tx, waits)}
    ledger.add(tx, [e for e in made if e.order_id not in again])
    return again


def _held(order: OrderFacts, on_hold: Sequence[Hold]) -> set[str]:
    pauses = [h for h in on_hold if h.cause in PAUSES]
    return {line.key for line in order.revision.lines if line.wanted and any(h.covers(line.key) for h in pauses)}


def planned(order: OrderFacts, known: Sequence[Effect], busy: frozenset[int] = frozenset()) -> Plan:
    """The plan of an order, given its ledger and the effects that somebody is at; pure.

    What a revision in intake asks for is not the to-be's business, nor are archives, fees and notices.
    """
    mine = [
        e for e in known if e.kind not in order.release.closing and not (order.intake and e.revision > order.accepted)
    ]
    groups = {line.key: line.group for line in order.revision.lines}
    wanted = [*wanted_effects(order, design_of(mine, order)), *restored(order, mine), *claims(order, mine)]
    return plan(mine, wanted, shared_things(order, mine), busy, groups)


def plan_of(tx: Tx, order: OrderFacts) -> Plan:
    """The plan of a locked order as it would be now; nothing is written."""
    return planned(order, effects.ledger(tx, [order.id])[order.id], work_orders.busy_effects(tx, [order.id])[order.id])


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
    leaving = {line.product_id for line in order.revision.lines if line.action is Action.DELETE and line.wanted}
    users: dict[int, set[int]] = {}
    for claim in (e for e in known if e.kind == CLAIM and e.state is State.CONFIRMED):
        assert claim.result is not None
        for thing, products in claim.result["users"].items():
            if gone := leaving & set(products):
                users.setdefault(int(thing), set()).update(gone)
    answers = {e.thing_id: e.result["last_user"] for e in known if e.kind == RELEASE and e.result}
    last = frozenset(thing for thing, is_last in answers.items() if is_last)
    return SharedThings({t: frozenset(p) for t, p in users.items()}, frozenset(answers), last)
