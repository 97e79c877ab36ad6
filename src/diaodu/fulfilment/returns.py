"""退单: the technician sends work back to an earlier stage, with a reason that the catalogue knows.

Where it goes is data of the reason: to the counter (the items wait until somebody there has cleared it), to the design
(what was reserved is bad: it is marked and another one is asked for), or to a kind of work whose facts are done again.
Nothing is opened again by itself: the plan offers the work anew when what it waits for is there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from diaodu.catalog.model import COUNTER, DESIGN, ReturnReason
from diaodu.engine import commands as engine
from diaodu.engine.ports import Nudge
from diaodu.fulfilment.area import redesign
from diaodu.fulfilment.errors import NothingReturned, ReturnNotPossible, ReturnReasonUnknown
from diaodu.fulfilment.orders import OrderFacts, load_orders
from diaodu.fulfilment.standing import settle_items
from diaodu.kernel import journal
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.ordering import commands as ordering
from diaodu.ordering import holds
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, Op, State, Step
from diaodu.workforce import commands as workforce
from diaodu.workforce import queries as work_orders
from diaodu.workforce.errors import NotYours
from diaodu.workforce.queries import Desk

# Other reasons for which work of an item is kept back by somebody's word.
_PAUSES = frozenset({holds.Cause.SUSPENDED, holds.Cause.CUSTOMER, holds.Cause.PRE})


@dataclass(frozen=True)
class Return:
    """What the technician says; ``evidence`` are references to photographs and the like."""

    reason: str
    note: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Returned:
    """What became of it: to which stage it went, and the effects that are begun again or wait."""

    work_order_id: int
    to: str
    effects: tuple[int, ...]


def return_work(tx: Tx, work_order_id: int, said: Return, principal: Principal) -> Returned:
    """Send a work order back that one holds. NotYours, ReturnReasonUnknown, ReturnNotPossible, NothingToRedesign."""
    order_id = work_orders.work_orders(tx, [work_order_id])[work_order_id].order_id
    journal.lock(tx, [order_id])
    desk = work_orders.desks(tx, [order_id])[order_id][work_order_id]
    if desk.state != "claimed" or desk.assignee != principal.person_id:
        raise NotYours(id=work_order_id, state=desk.state)
    order = load_orders(tx, [order_id])[order_id]
    reason = _reason(order, desk, said.reason)
    known = effects.ledger(tx, [order_id])[order_id]
    carried = {line.effect for line in desk.work_order.carried}
    about = [e for e in known if e.id in carried and e.state is State.INTENT]
    entry = {"t": "work.returned", "id": work_order_id, "reason": reason.id, "to": reason.to, "by": principal.name}
    told = {"note": said.note, "evidence": list(said.evidence)}
    journal.record(tx, order_id, entry | {k: v for k, v in told.items() if v})
    if reason.to == COUNTER and desk.work_order.appointment_id is not None:
        workforce.appointments.failed(tx, desk.work_order.appointment_id)
    again = _send_back(tx, order, known, about, reason=reason, note=said.note)
    _empty(tx, desk)
    engine.signal(tx, [Nudge(order_id)])
    return Returned(work_order_id, reason.to, tuple(again))


def clear(tx: Tx, order_id: int, *, by: str, note: str = "") -> list[str]:
    """The counter has cleared what was returned to it: the work of these items is offered again. NothingReturned."""
    if not journal.lock(tx, [order_id]):
        raise NotFound(entity="productOrder", id=order_id)
    cleared = end_returns(tx, load_orders(tx, [order_id])[order_id])
    if not cleared:
        raise NothingReturned(id=order_id)
    journal.record(tx, order_id, {"t": "return.cleared", "items": cleared, "by": by} | ({"note": note} if note else {}))
    engine.signal(tx, [Nudge(order_id)])
    return cleared


def end_returns(tx: Tx, order: OrderFacts) -> list[str]:
    """End what waits for the counter in a locked order, by hand or because a revision was accepted; the items."""
    known = holds.holds_of(tx, [order.id])[order.id]
    keys = sorted({h.item_key for h in known if h.cause is holds.Cause.RETURNED})
    if keys:
        holds.end_holds(tx, order.id, keys, holds.Cause.RETURNED)
        others = [h for h in holds.holds_of(tx, [order.id])[order.id] if h.cause in _PAUSES]
        ledger.go_on(tx, order.id, [k for k in keys if not any(h.covers(k) for h in others)])
        settle_items(tx, [order])
    return keys


def _reason(order: OrderFacts, desk: Desk, code: str) -> ReturnReason:
    kind = desk.work_order.kind
    possible = {r.id: r for r in order.release.returns.values() if kind in r.work}
    if code not in possible:
        raise ReturnReasonUnknown(reason=code[:100], kind=kind, possible=", ".join(possible) or "-")
    return possible[code]


def _send_back(
    tx: Tx, order: OrderFacts, known: Sequence[Effect], about: Sequence[Effect], *, reason: ReturnReason, note: str
) -> list[int]:
    """Open what the reason leads to; returns the effects that are begun again, else those that wait."""
    if reason.to == DESIGN:
        return [e.id for e in redesign(tx, order, [e.id for e in about], reason.id)]
    if reason.to == COUNTER:
        keys = sorted({e.item_key or holds.WHOLE for e in about})
        new = [holds.NewHold(order.id, key, holds.Cause.RETURNED, reason.id, note or None) for key in keys]
        holds.open_holds(tx, new)
        ledger.hold(tx, order.id, keys)
        settle_items(tx, [order])
        ordering.tell(tx, order.id, "ProductOrderInformationRequiredEvent")
        return [e.id for e in about]
    return _do_again(tx, order, known, about, reason)


def _do_again(
    tx: Tx, order: OrderFacts, known: Sequence[Effect], about: Sequence[Effect], reason: ReturnReason
) -> list[int]:
    """The facts of an earlier kind of work on which these effects stand are made once more, before them."""
    by_id = {e.id: e for e in known}
    stood_on = {e.id: _beneath(e, by_id) for e in about}
    again = [e for e in known if e.work == reason.to and any(e.id in under for under in stood_on.values())]
    if not again:
        raise ReturnNotPossible(to=reason.to)
    steps = [_again(e) for e in again]
    made = ledger.add_steps(tx, order_id=order.id, revision=order.revision.n, steps=steps)
    ledger.add(tx, made)
    new = {e.key: e.id for e in made}
    waits = [
        (e, sorted({*e.needs, *(new[by_id[i].key] for i in stood_on[e.id] if by_id[i].key in new)})) for e in about
    ]
    ledger.wait_for(tx, waits)
    return [e.id for e in made]


def _beneath(effect: Effect, by_id: dict[int, Effect]) -> Collection[int]:
    """The confirmed effects that an effect stands on, directly or through others."""
    found: set[int] = set()
    waiting = [effect]
    while waiting:
        for i in waiting.pop().needs:
            if i not in found and by_id[i].state is State.CONFIRMED and by_id[i].op is not Op.UNDO:
                found.add(i)
                waiting.append(by_id[i])
    return found


def _again(fact: Effect) -> Step:
    return Step(
        op=Op.REDO,
        thing_id=fact.thing_id,
        kind=fact.kind,
        item_key=fact.item_key,
        work=fact.work,
        element=fact.element,
        priority=fact.priority,
        reads_hash=fact.reads_hash,
        params=fact.params,
        undo=fact.undo,
        of_id=fact.id,
        after=frozenset(),
        reason="returned",
    )


def _empty(tx: Tx, desk: Desk) -> None:
    """Nothing is left on the work order; the stage takes it off the desk."""
    w = desk.work_order
    workforce.rewrite(tx, [replace(w, lines=tuple(replace(line, dropped=True) for line in w.lines))])
