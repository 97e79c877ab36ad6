"""缓装, 挂起, 催单: an order waits and goes on, with workers and systems at work."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.flows.cancelling import ask, whole
from tests.flows.operator import House, add

from diaodu.fulfilment.errors import InstantPast, NothingToHold, NotWaiting
from diaodu.fulfilment.hold import Pause, pause, resume, urge
from diaodu.ordering.errors import ItemUnknown
from diaodu.ordering.holds import Cause
from diaodu.planning.model import State

DONE = ("completed", None)
POSTPONED = ("pending", "customer:moves later")


class Clock:
    """The operator's clock, moved by hand."""

    def __init__(self, house: House) -> None:
        self.at = datetime.now(UTC)
        house.db.clock = lambda: self.at

    def by(self, days: float) -> None:
        self.at += timedelta(days=days)


def postpone(house: House, order_id: int, days: float, *items: str) -> None:
    with house.db.transaction(actor="clerk") as tx:
        pause(tx, order_id, Pause(Cause.CUSTOMER, items, "moves later", None, tx.now + timedelta(days=days)))


def suspend(house: House, order_id: int, *items: str) -> None:
    with house.db.transaction(actor="dispatcher") as tx:
        pause(tx, order_id, Pause(Cause.SUSPENDED, items, "cable theft"))


def go_on(house: House, order_id: int, cause: Cause, *items: str) -> None:
    with house.db.transaction(actor="clerk") as tx:
        resume(tx, order_id, cause, items)


def tasks(house: House, order_id: int) -> set[int]:
    """The states of the tasks of an order that are open."""
    return {s for (s,) in house.q("select state from engine.human_task where root_id = %s and state < 3", order_id)}


def pauses(house: House, order_id: int) -> list[tuple[str, str, bool]]:
    """Item, cause, and whether it has ended."""
    found = house.q(
        "select item_key, cause, ended_at is not null from ordering.hold where order_id = %s order by id", order_id
    )
    return [(item, cause, ended) for item, cause, ended in found]


def test_postponed_before_the_work_began_an_order_keeps_its_resources_and_goes_on_by_date(house: House) -> None:
    clock = Clock(house)
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False, send=False)
    reserved = house.resources(1)

    postpone(house, order_id, 10)
    house.run()

    assert house.items(order_id) == {"1": POSTPONED}
    assert house.order_state(order_id) == "pending"
    assert tasks(house, order_id) == {2}
    assert house.effect(order_id, "olt.port").state is State.INTENT
    clock.by(9.9)
    house.run()
    assert (house.items(order_id), house.resources(1)) == ({"1": POSTPONED}, reserved)
    clock.by(0.2)
    house.run()

    assert house.items(order_id) == {"1": DONE}
    assert pauses(house, order_id) == [("", "customer", True)]


def test_postponed_during_the_work_the_technician_rests_and_his_task_comes_back(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    splice = house.claim("W3", order_id)

    postpone(house, order_id, 3)
    house.run()

    assert house.q("select state, assignee is not null from engine.human_task where id = %s", splice.id) == [(2, True)]
    go_on(house, order_id, Cause.CUSTOMER)
    house.run(technicians=False)
    assert house.q("select state, assignee is not null from engine.human_task where id = %s", splice.id) == [(1, True)]
    house.report(splice, "w3")
    house.run()
    assert house.items(order_id) == {"1": DONE}


def test_one_item_is_postponed_while_the_others_are_built(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False, send=False)

    postpone(house, order_id, 30, "1.2")
    house.run()

    assert house.items(order_id)["1.2"] == POSTPONED
    kinds = {e.kind: e.state for e in house.effects(order_id)}
    assert (kinds["aaa.account"], kinds["iptv.account"]) == (State.CONFIRMED, State.INTENT)
    go_on(house, order_id, Cause.CUSTOMER, "1.2")
    house.run()
    assert set(house.items(order_id).values()) == {DONE}


def test_what_is_reserved_is_kept_up_to_a_limit_then_set_free_and_asked_for_anew(house: House) -> None:
    clock = Clock(house)
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False, send=False)

    postpone(house, order_id, 90)
    clock.by(29)
    house.run()
    assert "BOX10/1" in house.resources(1)
    clock.by(2)
    house.run()
    assert (house.resources(1), house.items(order_id)) == ([], {"1": POSTPONED})
    other = house.install(602, "P2")
    assert house.effect(other, "reserve.access").result is not None

    go_on(house, order_id, Cause.CUSTOMER)
    house.run()

    assert house.items(order_id) == {"1": DONE}
    loid_port = house.holds(f"{house.olt}1", "olt.port", "BOX10/2")
    assert loid_port is not None
    whole(house)


def test_a_suspended_order_does_nothing_until_it_goes_on(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    suspend(house, order_id)
    house.run()
    assert house.items(order_id) == {"1": ("held", "suspended:cable theft")}
    assert {e.state for e in house.effects(order_id) if e.work != "reserve"} == {State.INTENT}

    postpone(house, order_id, 5)
    go_on(house, order_id, Cause.SUSPENDED)
    house.run()
    assert house.items(order_id) == {"1": POSTPONED}
    go_on(house, order_id, Cause.CUSTOMER)
    house.run()
    assert house.items(order_id) == {"1": DONE}


def test_an_order_on_hold_can_be_cancelled(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    postpone(house, order_id, 5)

    ask(house, order_id)
    house.run()

    assert house.items(order_id) == {"1": ("cancelled", None)}
    assert (house.resources(1, 2), pauses(house, order_id)) == ([], [("", "customer", True)])


def test_urging_changes_no_state_but_the_priority_of_its_work(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    before = house.q("select id, state, priority from engine.human_task where root_id = %s order by id", order_id)

    with house.db.transaction(actor="clerk") as tx:
        urge(tx, order_id, by="clerk", note="called twice")

    after = house.q("select id, state, priority from engine.human_task where root_id = %s order by id", order_id)
    assert after == [(i, state, priority - 1) for i, state, priority in before]
    assert house.items(order_id) == {"1": ("inProgress", None)}
    notes = house.q("select extra->'note'->0->>'text' from ordering.product_order where id = %s", order_id)
    assert notes == [("called twice",)]
    assert [e["by"] for e in house.told(order_id, "order.urged")] == ["clerk"]


@pytest.mark.parametrize(
    ("items", "days", "refusal"), [((), -1, InstantPast), (("9",), 1, ItemUnknown), (("1",), 1, NothingToHold)]
)
def test_what_cannot_wait_is_refused(
    house: House, items: tuple[str, ...], days: float, refusal: type[Exception]
) -> None:
    order_id = house.install(601, "P2")
    with pytest.raises(refusal):
        postpone(house, order_id, days, *items)
    with pytest.raises(NotWaiting):
        go_on(house, order_id, Cause.CUSTOMER)
    assert (house.items(order_id), pauses(house, order_id)) == ({"1": DONE}, [])
