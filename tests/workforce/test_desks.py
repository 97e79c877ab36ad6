"""What dispatchers do with work orders of one order, and the windows that are agreed with customers."""

from datetime import datetime, timedelta
from itertools import product

import pytest
from tests.workforce.desk import Worklists

from diaodu.kernel.db import Tx
from diaodu.kernel.states import NotPossible
from diaodu.workforce import appointments, desks, queries
from diaodu.workforce.errors import BadWindow, NotMergeable, NotSplittable, NotYours, StatusNotSettable
from diaodu.workforce.model import APPOINTMENT_TABLE, Appointment, AppointmentEvent, AppointmentState

_S = AppointmentState


@pytest.fixture
def lists(tx: Tx) -> Worklists:
    return Worklists(tx)


def carried(tx: Tx, work: int) -> list[int]:
    return [line.effect for line in queries.work_orders(tx, [work])[work].carried]


def test_a_work_order_is_split_and_merged_again(lists: Worklists) -> None:
    order = lists.order()
    work = lists.work(order, 1, 2, 3)
    made = desks.split(lists.tx, work, [2, 3])
    assert (carried(lists.tx, work), carried(lists.tx, made)) == ([1], [2, 3])
    # the stage makes its task when it is woken; until then it is on no worklist
    assert lists.nudged(order) == 1
    with pytest.raises(NotYours):
        desks.merge(lists.tx, work, [made])
    twin = lists.work(order, 4)
    desks.merge(lists.tx, work, [twin])
    assert (carried(lists.tx, work), carried(lists.tx, twin)) == ([1, 4], [])
    assert [(e["id"], e["into"]) for e in lists.told(order, "work.merged")] == [(twin, work)]


def test_what_cannot_be_split_or_merged_stays_as_it_is(lists: Worklists) -> None:
    order = lists.order()
    work, other = lists.work(order, 1, 2), lists.work(lists.order(), 3)
    for effects in ([], [1, 2], [9]):
        with pytest.raises(NotSplittable):
            desks.split(lists.tx, work, effects)
    with pytest.raises(NotYours):
        desks.split(lists.tx, lists.work(order, 5, 6, person=7), [5])
    with pytest.raises(NotMergeable):
        desks.merge(lists.tx, work, [other])
    assert (carried(lists.tx, work), carried(lists.tx, other), lists.nudged(order)) == ([1, 2], [3], 0)


def test_work_is_handed_over_while_it_is_open(lists: Worklists) -> None:
    order = lists.order()
    work = lists.work(order, 1, person=7)
    desks.hand_over(lists.tx, work, pool=None, person=8, by="dispatcher", reason="ill")
    told = lists.told(order, "task.handedOver")
    assert [(e["from"], e["to"], e["assignee"], e["reason"]) for e in told] == [("claimed", "claimed", 8, "ill")]
    with pytest.raises(NotYours):
        desks.hand_over(lists.tx, lists.work(order, 2, state=3), pool=6, person=None, by="d", reason="r")


def window(lists: Worklists, days: int) -> tuple[datetime, datetime]:
    start = lists.tx.now + timedelta(days=days)
    return start, start + timedelta(hours=2)


def agreed(lists: Worklists, order: int, days: int = 1) -> Appointment:
    made = Appointment(lists.tx.new_id(1), order, _S.INITIALIZED, *window(lists, days))
    appointments.make(lists.tx, made)
    return made


def test_an_appointment_moves_the_open_visits_of_its_order_into_its_window(lists: Worklists) -> None:
    order = lists.order()
    open_work, outside, done = lists.work(order, 1), lists.work(order, 2, kind="W3"), lists.work(order, 3, state=3)
    before = {w: lists.task(w)[1] for w in (outside, done)}
    made = agreed(lists, order)
    assert lists.task(open_work)[1] == made.end_at
    assert {w: lists.task(w)[1] for w in before} == before
    # 改约
    later = window(lists, 2)
    appointments.change(lists.tx, made.id, window=later, status=_S.CONFIRMED, extra={})
    found = appointments.get(lists.tx, made.id)
    assert (found.status, found.start_at, found.end_at) == (_S.CONFIRMED, *later)
    assert lists.task(open_work)[1] == later[1]
    w = queries.work_orders(lists.tx, [open_work])[open_work]
    assert (w.appointment_id, w.start_at, w.end_at) == (made.id, *later)
    assert [(e["from"], e["to"]) for e in lists.told(order, "appointment.changed")] == [("initialized", "confirmed")]


def test_an_ended_appointment_and_a_bad_window_change_nothing(lists: Worklists) -> None:
    order = lists.order()
    made = agreed(lists, order)
    start, end = window(lists, 2)
    for bad in ((end, start), window(lists, -2)):
        with pytest.raises(BadWindow):
            appointments.change(lists.tx, made.id, window=bad, status=None, extra={})
    appointments.change(lists.tx, made.id, window=None, status=_S.CONFIRMED, extra={})
    with pytest.raises(StatusNotSettable):
        appointments.change(lists.tx, made.id, window=None, status=_S.INITIALIZED, extra={})
    appointments.change(lists.tx, made.id, window=None, status=_S.CANCELLED, extra={})
    with pytest.raises(NotPossible):
        appointments.change(lists.tx, made.id, window=(start, end), status=None, extra={})
    assert appointments.get(lists.tx, made.id).status is _S.CANCELLED


def test_every_state_of_an_appointment_has_an_answer_to_every_event() -> None:
    found = {(s, e): APPOINTMENT_TABLE.next(s, e) for s, e in product(_S, AppointmentEvent)}
    taken = {(s, e) for (s, e), after in found.items() if after is not None}
    # what has ended hears its own end once more, and nothing else; what failed is not confirmed without a new window
    assert {(s, e) for s, e in taken if s in (_S.CANCELLED, _S.COMPLETED)} == {
        (_S.CANCELLED, AppointmentEvent.CANCEL), (_S.COMPLETED, AppointmentEvent.COMPLETE),
    }  # fmt: skip
    assert {(s, e) for s, e in found.keys() - taken if s not in (_S.CANCELLED, _S.COMPLETED)} == {
        (_S.FAILED, AppointmentEvent.CONFIRM), (_S.FAILED, AppointmentEvent.FAIL),
    }  # fmt: skip
    assert APPOINTMENT_TABLE.final == {_S.CANCELLED, _S.COMPLETED}
