"""缓装, 挂起, 催单: what people say about an order under way that changes nothing of what it shall become.

A hold stops the customer's clock, keeps the effects of its items back and lets their tasks rest; what is under way
lands all the same. What was reserved is kept for as many days as the operator's policy says, then it is set free, and
asked for anew when the order goes on.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from diaodu.catalog.model import Policy
from diaodu.engine import commands as engine
from diaodu.engine.ports import Inbound, Nudge, Signal
from diaodu.fulfilment.errors import InstantPast, NothingToHold, NotWaiting
from diaodu.fulfilment.orders import OrderFacts, load_orders
from diaodu.fulfilment.replan import PAUSES, replan
from diaodu.fulfilment.standing import is_closing, settle_items
from diaodu.fulfilment.wanted import is_reservation
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.ordering import commands as ordering
from diaodu.ordering import holds
from diaodu.ordering.errors import ItemUnknown
from diaodu.ordering.holds import WHOLE, Cause, Hold, NewHold
from diaodu.ordering.model import FINAL, ItemState
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, Op, State, Step
from diaodu.planning.plan import current_facts
from diaodu.workforce import queries as work_orders

_NO_MORE = FINAL | {ItemState.CANCELLING, ItemState.CLOSING}


@dataclass(frozen=True)
class Pause:
    """What somebody says: which items (none: all), why, and until when."""

    cause: Cause
    items: tuple[str, ...] = ()
    reason: str | None = None
    note: str | None = None
    until: datetime | None = None


class Holds:
    """Takes the inbound jobs ``hold.over`` (its instant has come) and ``hold.free`` (what it kept is set free)."""

    def run(self, tx: Tx, jobs: Sequence[Inbound]) -> Sequence[Signal]:
        """Resume or free what is still on hold."""
        for job in jobs:
            found = holds.holds_of(tx, [job.root_id])[job.root_id]
            hold = next((h for h in found if h.id == int(job.body["hold"])), None)
            if hold is None:
                continue
            order = load_orders(tx, [job.root_id])[job.root_id]
            if job.name == "hold.over":
                _go_on(tx, order, [hold])
            else:
                _set_free(tx, order, hold)
        return ()


def pause(tx: Tx, order_id: int, said: Pause) -> list[Hold]:
    """Hold items of an order; saying it again of the same items says it anew.

    NotFound, ItemUnknown, InstantPast, NothingToHold when none of them can wait any more.
    """
    order = _locked(tx, order_id)
    if said.until is not None and said.until <= tx.now:
        raise InstantPast(until=said.until.isoformat())
    keys = list(_keys(order, said.items))
    able = [i for i in order.items if WHOLE in keys or i.key in keys]
    known = effects.ledger(tx, [order_id])[order_id]
    if is_closing(known, order.release) or all(i.state in _NO_MORE for i in able):
        raise NothingToHold(id=order_id, states=", ".join(f"{i.key} {i.state}" for i in able))
    over = {i.key for i in able if i.state in _NO_MORE}
    keys = [key for key in keys if key not in over]
    holds.end_holds(tx, order_id, keys, said.cause)
    new = [NewHold(order_id, key, said.cause, said.reason, said.note, said.until) for key in keys]
    opened = holds.open_holds(tx, new)
    ledger.hold(tx, order_id, keys)
    settle_items(tx, [order])
    _remind(tx, order, opened)
    engine.signal(tx, [Nudge(order_id)])
    return opened


def resume(tx: Tx, order_id: int, cause: Cause, items: Collection[str] = ()) -> list[Hold]:
    """End the holds of a cause on items (none: on all), so that their work goes on.

    NotFound, ItemUnknown, NotWaiting.
    """
    order = _locked(tx, order_id)
    keys = set(_keys(order, items))
    found = [h for h in holds.holds_of(tx, [order_id])[order_id] if h.cause is cause]
    meant = [h for h in found if WHOLE in keys or h.item_key in keys]
    if not meant:
        raise NotWaiting(id=order_id, cause=cause)
    _go_on(tx, order, meant)
    return meant


def urge(tx: Tx, order_id: int, *, by: str, note: str = "") -> set[int]:
    """催单: no state changes; the open tasks of the order rise by one in priority. Returns these; NotFound."""
    order = _locked(tx, order_id)
    desks = work_orders.desks(tx, [order_id])[order_id].values()
    raised = engine.prioritise_tasks(tx, [d.work_order.id for d in desks if d.open], by=by, reason="urged")
    journal.record(tx, order.id, {"t": "order.urged", "by": by, "tasks": sorted(raised), "note": note})
    ordering.add_note(tx, order_id, by, note or "催单")
    return raised


def _locked(tx: Tx, order_id: int) -> OrderFacts:
    if not journal.lock(tx, [order_id]):
        raise NotFound(entity="productOrder", id=order_id)
    found = load_orders(tx, [order_id])
    if order_id not in found:
        raise NotFound(entity="productOrder", id=order_id)
    return found[order_id]


def _keys(order: OrderFacts, items: Collection[str]) -> Iterator[str]:
    """The items with all that they consist of; none is the whole order."""
    if not items:
        yield WHOLE
        return
    known = {i.key for i in order.items}
    for key in items:
        if key not in known:
            raise ItemUnknown(id=order.id, item=key[:100], known=", ".join(sorted(known)))
    meant = set(items)
    for i in order.items:  # parents stand before their parts
        if i.key in meant or i.parent_key in meant:
            meant.add(i.key)
            yield i.key


def _remind(tx: Tx, order: OrderFacts, opened: Sequence[Hold]) -> None:
    """Write down when each hold ends by itself, and when what it keeps is set free."""
    jobs = []
    for h in opened:
        line = order.lines().get(h.item_key, order.revision.lines[0])
        if h.until_at is not None:
            jobs.append(engine.Enqueue(order.id, "hold.over", {"hold": h.id}, f"hold:{h.id}", due_at=h.until_at))
        if h.cause is Cause.CUSTOMER:
            kept = tx.now + timedelta(days=float(order.decide(Policy.POSTPONE_KEEP_DAYS, line)))
            if h.until_at is None or kept < h.until_at:
                jobs.append(engine.Enqueue(order.id, "hold.free", {"hold": h.id}, f"free:{h.id}", due_at=kept))
    engine.enqueue(tx, jobs)
    order.decided.record(tx, order.id)


def _go_on(tx: Tx, order: OrderFacts, meant: Sequence[Hold]) -> None:
    holds.end(tx, meant)
    others = [h for h in holds.holds_of(tx, [order.id])[order.id] if h.cause in PAUSES]
    keys = {i.key for i in order.items if any(h.covers(i.key) for h in meant)}
    ledger.go_on(tx, order.id, [k for k in sorted(keys) if not any(h.covers(k) for h in others)])
    if order.accepted:
        replan(tx, [order])
    settle_items(tx, [order])
    engine.signal(tx, [Nudge(order.id)])


def _set_free(tx: Tx, order: OrderFacts, hold: Hold) -> None:
    """Set free what was reserved for items that still wait, as far as nothing was built with it."""
    if not order.accepted:
        return  # what an area serves before the order is accepted is the design's
    known = effects.ledger(tx, [order.id])[order.id]
    stays = {(e.thing_id, kind) for e in known if _built(e) for kind in (e.undo or {}).get("after") or ()}
    begun = {e.of_id for e in known if e.op is Op.UNDO and e.state is not State.WITHDRAWN}
    reserved = [
        f
        for f in current_facts(known).values()
        if is_reservation(f, order.release) and hold.covers(f.item_key or "") and f.op is not Op.INHERITED
        and f.key not in stays and f.id not in begun and f.undo and f.undo["kind"]
    ]  # fmt: skip
    steps = [set_free(f, "postponed") for f in reserved]
    ledger.add(tx, ledger.add_steps(tx, order_id=order.id, revision=order.revision.n, steps=steps))
    journal.record(tx, order.id, {"t": "reservation.lapsed", "hold": hold.id, "effects": [f.id for f in reserved]})


def _built(e: Effect) -> bool:
    return e.op is not Op.UNDO and e.state in (State.CONFIRMED, State.SENT, State.UNKNOWN)


def set_free(f: Effect, reason: str) -> Step:
    """The step that gives back what an area holds for a fact."""
    assert f.undo is not None
    held = [r["id"] for r in (f.result or {}).get("resources", ())]
    about = {"of": f.params.get("key", str(f.id)), "of_kind": f.kind, "resources": held}
    return Step(
        op=Op.UNDO, thing_id=f.thing_id, kind=f.undo["kind"], item_key=f.item_key, work=f.undo["work"],
        element=f.element, priority=f.priority, reads_hash=None, params={**f.params, **about}, undo=None, of_id=f.id,
        after=frozenset(), reason=reason,
    )  # fmt: skip
