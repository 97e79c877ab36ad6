"""预约 and 改约: windows agreed with the customer, and the work orders that keep them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.engine import commands as engine
from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.tmf.query import parse_time
from diaodu.workforce import errors, queries
from diaodu.workforce.model import APPOINTMENT_TABLE, Appointment, AppointmentEvent, AppointmentState, WorkOrder

_OPEN = (AppointmentState.INITIALIZED, AppointmentState.CONFIRMED)
_READ = "id, order_id, status, start_at, end_at, extra"
_WINDOW = {"appointment_id": "int8", "start_at": "timestamptz", "end_at": "timestamptz"}
# How one gets to a status that a client asks for.
EVENTS: Mapping[AppointmentState, AppointmentEvent] = {
    AppointmentState.CONFIRMED: AppointmentEvent.CONFIRM,
    AppointmentState.CANCELLED: AppointmentEvent.CANCEL,
    AppointmentState.COMPLETED: AppointmentEvent.COMPLETE,
    AppointmentState.FAILED: AppointmentEvent.FAIL,
}


def of_order(tx: Tx, order_id: int) -> list[Appointment]:
    """The appointments of a locked order, oldest first."""
    rows = tx.rows(
        f"select {_READ} from workforce.appointment where part = %s and order_id = %s order by id",
        (part_of(order_id), order_id),
    )
    return [_appointment(r) for r in rows]


def make(tx: Tx, made: Appointment) -> None:
    """Agree on a window for the visits of an order; its open work orders at the customer's move into it."""
    _check(tx, made)
    journal.lock(tx, [made.order_id])
    tx.run(
        "insert into workforce.appointment values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (part_of(made.id), made.id, made.order_id, made.status, made.start_at, made.end_at,
         sets.to_json(made.extra), tx.actor, tx.now, tx.now),
    )  # fmt: skip
    entry = {"t": "appointment.made", "id": made.id, "to": made.status, "by": tx.actor}
    journal.record(tx, made.order_id, entry | _shown(made))
    _move_in(tx, made)


def change(
    tx: Tx, appointment_id: int, *, window: tuple[datetime, datetime] | None, status: AppointmentState | None,
    extra: Mapping[str, Any],
) -> None:  # fmt: skip
    """改约: another window, another status, or both; NotPossible when its state does not take it."""
    before = get(tx, appointment_id)
    journal.lock(tx, [before.order_id])
    before = get(tx, appointment_id)
    after = replace(before, extra=extra)
    if window is not None and window != (before.start_at, before.end_at):
        after = replace(after, start_at=window[0], end_at=window[1], status=_taken(after, AppointmentEvent.CHANGE))
        _check(tx, after)
    if status is not None and status is not after.status:
        after = replace(after, status=_taken(after, _event(status)))
    if after == before:
        return
    tx.expect(
        1,
        "update workforce.appointment set status = %s, start_at = %s, end_at = %s, extra = %s, changed_at = %s"
        " where part = %s and id = %s",
        (after.status, after.start_at, after.end_at, sets.to_json(after.extra), tx.now, part_of(after.id), after.id),
    )
    entry = {"t": "appointment.changed", "id": after.id, "from": before.status, "to": after.status, "by": tx.actor}
    journal.record(tx, after.order_id, entry | _shown(after))
    _move_in(tx, after)


def failed(tx: Tx, appointment_id: int) -> None:
    """The visit came to nothing: nobody was there, or the work went back to the counter. A new window mends it."""
    before = get(tx, appointment_id)
    if before.status in _OPEN:
        change(tx, appointment_id, window=None, status=AppointmentState.FAILED, extra=before.extra)


def ended(tx: Tx, orders: Collection[int]) -> None:
    """The stage of these locked orders is over: their open appointments were kept, or are needed no more."""
    if not orders:
        return
    ids = sorted(orders)
    rows = tx.rows(
        f"select {_READ} from workforce.appointment where part = %s and order_id = any(%s::int8[])"
        " and status in ('initialized', 'confirmed', 'failed') order by id",
        (part_of(ids[0]), ids),
    )
    for a in map(_appointment, rows):
        done = any(
            d.state == "done" and d.work_order.appointment_id == a.id
            for d in queries.desks(tx, [a.order_id])[a.order_id].values()
        )
        status = AppointmentState.COMPLETED if done else AppointmentState.CANCELLED
        change(tx, a.id, window=None, status=status, extra=a.extra)


def get(tx: Tx, appointment_id: int) -> Appointment:
    """An appointment by id; NoAppointment."""
    row = tx.row(
        f"select {_READ} from workforce.appointment where part = %s and id = %s",
        (part_of(appointment_id), appointment_id),
    )
    if row is None:
        raise errors.NoAppointment(id=appointment_id)
    return _appointment(row)


def within_windows(tx: Tx, new: Sequence[WorkOrder], asked: Mapping[int, Mapping[str, Any]]) -> list[WorkOrder]:
    """New work orders; those at the customer's (the keys of ``asked``) within the open appointment of their order.

    ``asked`` is what the order itself says of an appointment (TMF622): its window is agreed on with the first visit.
    """
    orders = sorted({w.order_id for w in new if w.id in asked})
    if not orders:
        return list(new)
    rows = tx.rows(
        f"select distinct on (order_id) {_READ} from workforce.appointment where part = %s"
        " and order_id = any(%s::int8[]) order by order_id, id desc",
        (part_of(orders[0]), orders),
    )
    found = {a.order_id: a for a in map(_appointment, rows)}
    for w in new:
        if w.order_id not in found and (made := _ordered(tx, w.order_id, asked.get(w.id, {}))) is not None:
            found[w.order_id] = made
            make(tx, made)
    return [_within(w, found.get(w.order_id)) if w.id in asked else w for w in new]


def _ordered(tx: Tx, order_id: int, asked: Mapping[str, Any]) -> Appointment | None:
    """The appointment that an order brought with it; one that has passed, or that nobody can read, is none."""
    period = asked.get("validFor")
    if not isinstance(period, Mapping):
        return None
    try:
        start, end = (parse_time(str(period.get(name))) for name in ("startDateTime", "endDateTime"))
    except ValueError:
        return None
    fits = start < end and end > tx.now
    return (
        Appointment(tx.new_id(part_of(order_id)), order_id, AppointmentState.INITIALIZED, start, end) if fits else None
    )


def _within(w: WorkOrder, a: Appointment | None) -> WorkOrder:
    return (
        w
        if a is None or a.status not in _OPEN
        else replace(w, appointment_id=a.id, start_at=a.start_at, end_at=a.end_at)
    )


def _event(status: AppointmentState) -> AppointmentEvent:
    if status not in EVENTS:
        raise errors.StatusNotSettable(status=status, allowed=", ".join(EVENTS))
    return EVENTS[status]


def _taken(a: Appointment, event: AppointmentEvent) -> AppointmentState:
    return APPOINTMENT_TABLE.take(a.status, event, entity="appointment", key=a.id)


def _check(tx: Tx, a: Appointment) -> None:
    if a.end_at <= a.start_at or a.end_at <= tx.now:
        raise errors.BadWindow(start=a.start_at.isoformat(), end=a.end_at.isoformat())


def _move_in(tx: Tx, a: Appointment) -> None:
    """The open work orders at the customer's keep the window of an open appointment; its end is their limit."""
    on_site = [
        d.work_order
        for d in queries.desks(tx, [a.order_id])[a.order_id].values()
        if d.open and catalog.get_release(tx, d.work_order.release_id).work[d.work_order.kind].on_site
    ]
    if a.status not in _OPEN or not on_site:
        return
    rows = [(part_of(w.id), w.id, a.id, a.start_at, a.end_at) for w in on_site]
    sets.update(tx, "workforce.work_order", {"part": "int2", "id": "int8"}, _WINDOW, rows)
    engine.set_due(tx, {w.id: a.end_at for w in on_site}, by=tx.actor, reason="appointment")


def _shown(a: Appointment) -> dict[str, str]:
    return {"start": a.start_at.isoformat(), "end": a.end_at.isoformat()}


def _appointment(row: tuple[Any, ...]) -> Appointment:
    appointment_id, order_id, status, *rest = row
    return Appointment(appointment_id, order_id, AppointmentState(status), *rest)
