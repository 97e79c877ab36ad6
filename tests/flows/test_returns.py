"""退单: work goes back to the counter, to the design or to an earlier kind of work, and is never opened by itself."""

import pytest
from tests.flows.operator import PERSON, House, add

from diaodu.fulfilment.errors import ReturnReasonUnknown
from diaodu.fulfilment.returns import Return, Returned, return_work
from diaodu.kernel.access import Principal
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
