"""退单: work goes back to the counter, to the design or to an earlier kind of work, and is never opened by itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.flows.operator import PERSON, House, add

from diaodu.fulfilment.errors import NothingReturned, ReturnReasonUnknown
from diaodu.fulfilment.returns import Return, Returned, clear, return_work
from diaodu.kernel.access import Principal
from diaodu.workforce import appointments
from diaodu.workforce.errors import NotYours
from diaodu.workforce.model import WorkOrder

CREW = Principal(9, "crew", person_id=PERSON)


def send_back(house: House, work: WorkOrder, reason: str, by: Principal = CREW) -> Returned:
    with house.db.transaction(actor=by.name) as tx:
        return return_work(tx, work.id, Return(reason, "note", ("photo-1",)), by)


def until(house: House, kind: str, order_id: int) -> WorkOrder:
    """Everybody works until work of a kind is on offer; it is claimed."""
    order = ("W3", "W4", "W5")
    house.run(technicians=False)
    for before in order[: order.index(kind)]:
        house.report(house.claim(before, order_id), f"{before}-{order_id}")
        house.run(technicians=False)
    return house.claim(kind, order_id)


def open_work(house: House, order_id: int) -> list[tuple[str, int]]:
    return house.q(
        "select w.kind, t.state from workforce.work_order w join engine.human_task t on t.part = w.part and t.id = w.id"
        " where w.order_id = %s and t.state < 3 order by w.id",
        order_id,
    )


def test_work_that_goes_to_the_counter_waits_until_the_counter_has_cleared_it(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    work = until(house, "W4", order_id)
    back = send_back(house, work, "customer-absent")
    house.run(technicians=False)
    assert (back.to, set(back.effects)) == ("counter", {line.effect for line in work.lines})
    assert open_work(house, order_id) == []
    assert {state for key, (state, _) in house.items(order_id).items() if key != "1"} == {"pending"}
    assert house.told(order_id, "work.returned")[0]["evidence"] == ["photo-1"]
    # never by itself
    house.run()
    assert open_work(house, order_id) == []

    with house.db.transaction(actor="counter") as tx:
        assert clear(tx, order_id, by="counter", note="at home from six on") == ["1.1", "1.2", "1.3"]
    with house.db.transaction(actor="counter") as tx, pytest.raises(NothingReturned):
        clear(tx, order_id, by="counter")
    house.run()
    assert house.order_state(order_id) == "completed"


def test_an_appointment_that_came_with_the_order_is_kept_fails_and_is_mended(house: House) -> None:
    window = {"startDateTime": "2031-03-04T09:00:00Z", "endDateTime": "2031-03-04T11:00:00Z"}
    item = replace(add("P2", 601, 速率=100), extra={"appointment": {"validFor": window}})
    order_id = house.order("C601", item)
    work = until(house, "W4", order_id)
    assert work.end_at == datetime(2031, 3, 4, 11, tzinfo=UTC)
    due = "select t.due_at from engine.human_task t where t.id = %s"
    assert house.q(due, work.id) == [(work.end_at,)]
    assert _appointments(house, order_id) == ["initialized"]
    send_back(house, work, "customer-absent")
    assert _appointments(house, order_id) == ["failed"]
    later = datetime(2031, 3, 6, 9, tzinfo=UTC)
    with house.db.transaction() as tx:
        made = appointments.of_order(tx, order_id)[0]
        appointments.change(tx, made.id, window=(later, later + timedelta(hours=2)), status=None, extra={})
        clear(tx, order_id, by="counter")
    house.run(technicians=False)
    again = house.claim("W4", order_id)
    assert again.start_at == later
    house.report(again, "at last")
    house.run()
    assert (house.order_state(order_id), _appointments(house, order_id)) == ("completed", ["completed"])


def _appointments(house: House, order_id: int) -> list[str]:
    return [r[0] for r in house.q("select status from workforce.appointment where order_id = %s", order_id)]


def test_a_bad_port_is_replaced_without_the_counter(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    work = until(house, "W3", order_id)
    assert work.lines[0].params["port"] == 1
    send_back(house, work, "port-bad")
    house.run(technicians=False)
    again = house.claim("W3", order_id)
    assert again.id != work.id
    assert again.lines[0].params["port"] == 2
    house.report(again, "again")
    house.run()
    assert house.order_state(order_id) == "completed"


def test_a_line_without_light_is_spliced_again_before_the_visit_goes_on(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    work = until(house, "W4", order_id)
    send_back(house, work, "no-light")
    house.run(technicians=False)
    assert open_work(house, order_id) == [("W3", 0)]
    house.report(house.claim("W3", order_id), "W3-again")
    house.run(technicians=False)
    assert open_work(house, order_id) == [("W4", 0)]
    house.run()
    assert house.order_state(order_id) == "completed"
    splices = [(e.op, e.state) for e in house.effects(order_id) if e.kind == "line.splice"]
    assert splices == [("do", "confirmed"), ("redo", "confirmed")]


def test_a_reason_that_does_not_fit_and_another_s_work_are_refused_and_nothing_changes(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    work = until(house, "W3", order_id)
    before = house.history(order_id)
    for reason in ("device-wrong", "nonsense"):
        with pytest.raises(ReturnReasonUnknown):
            send_back(house, work, reason)
    with pytest.raises(NotYours):
        send_back(house, work, "port-bad", Principal(8, "other", person_id=71))
    assert house.history(order_id) == before
    assert open_work(house, order_id) == [("W3", 1)]
