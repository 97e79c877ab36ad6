"""撤单 in intake, of changes and of removals; silence, and what is reported too late."""

from dataclasses import replace

from tests.flows.cancelling import ask, task, whole, work_until
from tests.flows.operator import RURAL_AREA, House, add, change, ports

from diaodu.inventory import commands as inventory
from diaodu.ordering.cancel import CancelState, Why
from diaodu.planning.model import State

DONE, CANCELLED = ("completed", None), ("cancelled", None)


def test_in_intake_the_rest_of_an_order_goes_on(house: House) -> None:
    house.install(801, "P2")
    order_id = house.order("C802", add("P2", 802), replace(add("P2", 802), key="2"))
    house.run()
    assert set(house.items(order_id).values()) == {("held", "no-resource")}

    ask(house, order_id, "2")
    house.run()
    assert house.items(order_id) == {"1": ("held", "no-resource"), "2": CANCELLED}
    with house.db.transaction() as tx:
        inventory.add_resources(tx, RURAL_AREA, ports(80, 2))
    house.run()

    assert house.items(order_id) == {"1": DONE, "2": CANCELLED}
    whole(house)


def test_a_change_that_is_cancelled_leaves_the_product_as_it_was(house: House) -> None:
    house.install(601, "LL", 速率=10, 终端型号="AR18-20")
    line = house.products(601)["LL"]
    before = house.resources(2)
    order_id = house.order("C601", change("modify", line, "P7", 速率=20))
    house.run(technicians=False)
    port = house.holds(f"{house.olt}1", "olt.port", "BOX10/1")
    assert port is not None
    assert port["speed"] == 20

    ask(house, order_id)
    house.run()

    assert house.items(order_id) == {"1": CANCELLED}
    port = house.holds(f"{house.olt}1", "olt.port", "BOX10/1")
    assert port is not None
    assert port["speed"] == 10
    assert house.resources(2) == before
    assert house.q("select claimed_by, state, characteristics->>'速率' from inventory.product where id = %s", line) == [
        (None, 2, "10")
    ]
    whole(house)


def test_a_removal_that_has_not_begun_is_cancelled(house: House) -> None:
    house.install(601, "P2")
    product = house.products(601)["P2"]
    before = house.resources(2)
    order_id = house.order("C601", change("delete", product))
    house.worker.run_until_idle()
    house.areas.run_until_idle()

    ask(house, order_id)
    house.run()

    assert house.items(order_id) == {"1": CANCELLED}
    assert house.resources(2) == before
    assert house.q("select claimed_by, state from inventory.product where id = %s", product) == [(None, 2)]
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") is not None
    whole(house)


def test_silence_about_the_fee_is_a_no(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    work_until(house, order_id, "W3", "W4")
    task_id, _ = ask(house, order_id)
    house.run(technicians=False)
    until = task(house, task_id).consent
    assert until is not None
    house.db.clock = lambda: until.until
    house.run()

    assert house.items(order_id) == {"1": DONE}
    found = task(house, task_id)
    assert (found.state, found.consent and found.consent.agreed) == (CancelState.DONE, False)
    again, new = ask(house, order_id)
    assert (again != task_id, new) == (True, True)
    house.run()
    assert [j.why for j in task(house, again).judged] == [Why.COMPLETED]


def test_what_is_reported_after_a_cancellation_is_undone(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    splice = house.claim("W3", order_id)
    with house.db.transaction() as tx:
        tx.run("update engine.human_task set state = 0, assignee = null where id = %s", (splice.id,))
    ask(house, order_id)
    house.run(technicians=False)
    assert house.items(order_id) == {"1": CANCELLED}

    house.report(splice, "late")
    house.run()

    found = {e.kind: e.state for e in house.effects(order_id)}
    assert (found["line.splice"], found["line.unsplice"]) == (State.UNDONE, State.CONFIRMED)
    assert house.items(order_id) == {"1": CANCELLED}
    assert house.q("select count(*) from engine.instance where root_id = %s and state in (0, 3)", order_id) == [(0,)]
    whole(house)
