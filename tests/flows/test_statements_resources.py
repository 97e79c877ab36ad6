"""Statements about resources: the last port, the end of a reservation, bad ports, shared terminals, waiting lists."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.flows.cancelling import ask
from tests.flows.operator import House, add, change, ports
from tests.flows.test_returns import send_back, until
from tests.flows.test_statements_amend import amend

from diaodu.app.invariants import check_all
from diaodu.fulfilment import park, preaccept
from diaodu.fulfilment.errors import NotParked, PreacceptanceEnded, PreacceptanceTooLong, WorkBegun
from diaodu.inventory import commands as inventory
from diaodu.inventory import waiting
from diaodu.kernel import journal
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import ItemDraft, OrderDraft
from diaodu.planning import commands as ledger
from diaodu.planning import queries as planning
from diaodu.planning.model import Op, State
from diaodu.planning.plan import current_facts

RURAL, CITY = 8, 7


def pre(house: House, customer: str, *items: ItemDraft, minutes: int = 30) -> int:
    """An order whose resources are held until the customer says yes."""
    with house.db.transaction(actor="shop") as tx:
        order_id = ordering.order_id_for(tx, source="shop", key=None)
        return preaccept.take(tx, order_id, OrderDraft(None, "shop", customer, items), minutes).id


def say_yes(house: House, order_id: int) -> str:
    with house.db.transaction(actor="shop") as tx:
        return preaccept.accept(tx, order_id).state


def let_pass(house: House, order_id: int) -> None:
    """The time of a soft reservation runs out, before anybody looks."""
    with house.db.transaction() as tx:
        tx.run("update inventory.request set until = %s where order_id = %s and state in (0, 4)", (tx.now, order_id))


def state_of(house: House, order_id: int) -> str:
    with house.db.transaction() as tx:
        return preaccept.preacceptance(tx, order_id).state


def test_28_the_last_port_goes_to_one_order_and_the_other_hears_what_else_there_is(house: House) -> None:
    far = [
        (81, "box", "BOX81", 20_002, 502, {"ratio": 8, "loss_db": 10.7, "x": 90, "y": 0}),
        *ports(81, 1, 2),
    ]
    with house.db.transaction() as tx:
        inventory.add_resources(tx, RURAL, far)
    asked = [house.order("C801", add("P2", 801)), house.order("C802", add("P2", 802))]

    house.run(technicians=False)

    first, second = sorted(asked, key=house.order_state, reverse=True)
    assert house.items(first) == {"1": ("inProgress", None)}
    assert house.items(second) == {"1": ("held", "no-resource")}
    assert {e.state for e in house.effects(second)} == {State.SENT}
    answer = house.told(second, "report.landed")[0]["request"]
    assert answer["missing"][0]["why"] == "no-free-port"
    assert answer["alternatives"] == [
        {"want": "access", "box": "BOX81", "distance_m": 90.0, "free_ports": 2, "needs": "construction"}
    ]
    assert house.q("select order_id from inventory.resource where code = 'BOX80/1'") == [(first,)]


@pytest.mark.parametrize("first", ["yes", "end"])
def test_29_a_reservation_that_ends_while_it_is_confirmed_is_wholly_kept_or_wholly_given_back(
    house: House, first: str
) -> None:
    order_id = pre(house, "C601", add("P1", 601))
    house.run()
    held = house.resources(1)
    assert held == ["BOX10/1", "10.101", "0571-87000001", "ONU71", "STB71"]
    assert house.order_state(order_id) == "pending"

    assert say_yes(house, order_id) == "accepted"
    if first == "end":
        let_pass(house, order_id)
    house.run()

    if first == "yes":
        assert house.order_state(order_id) == "completed"
        assert house.resources(2) == held
    else:
        assert house.order_state(order_id) == "cancelled"
        assert state_of(house, order_id) == "cancelled"
        assert house.resources(1, 2) == []
        assert {e.state for e in house.effects(order_id)} <= {State.WITHDRAWN, State.CONFIRMED}
        confirmed = [e.kind for e in house.effects(order_id) if e.state is State.CONFIRMED]
        assert [k for k in confirmed if k.startswith("reserve.")] == []


def test_30_the_old_and_the_new_are_both_held_until_the_switch_over_and_then_one_set_remains(house: House) -> None:
    order_id = house.order("C601", add("LL", 601, 速率=10, 终端型号="AR18-20"))
    work = until(house, "W4", order_id)
    house.report(work, "installed")
    house.run(technicians=False)
    assert "AR18-20-7" in house.resources(1)

    amend(house, order_id, add("LL", 601, 速率=10, 终端型号="AR28-31"))
    house.run(technicians=False)
    held = house.resources(1)
    assert {"AR18-20-7", "AR28-31-7"} <= set(held)

    house.run()

    assert house.order_state(order_id) == "completed"
    assert house.resources(1) == []
    assert sorted(house.resources(2)) == sorted(["BOX10/1", "10.101", "ONU71", "203.0.7.1", "AR28-31-7"])
    assert "AR18-20-7" in house.resources(0)


def test_31_a_bad_port_is_marked_and_the_order_goes_on_with_another_one(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    work = until(house, "W3", order_id)

    send_back(house, work, "port-bad")
    house.run()

    assert house.order_state(order_id) == "completed"
    assert house.resources(3) == ["BOX10/1"]
    assert house.resources(2)[:2] == ["BOX10/2", "10.102"]
    assert "10.101" in house.resources(0)
    assert {state for _, state in house.q("select spec, state from inventory.resource where code = '10.101'")} == {0}
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") is None
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/2") is not None
    moves = [e["to"] for e in house.told(order_id, "item.state") if e["key"] == "1.1"]
    assert "pending" not in moves
    facts = current_facts(house.effects(order_id))
    splice = next(f for f in facts.values() if f.kind == "line.splice")
    assert splice.params["port"] == 2


def test_31_without_another_port_the_order_waits_with_the_rank_of_its_first_wish(house: House) -> None:
    first = house.order("C801", add("P2", 801))
    work = until(house, "W3", first)
    later = house.order("C802", add("P2", 802))
    house.run(technicians=False)

    send_back(house, work, "port-bad")
    house.run(technicians=False)

    assert house.items(first) == {"1": ("held", "no-resource")}
    with house.db.transaction() as tx:
        assert [(w.order_id, w.position) for w in waiting.waiting_list(tx, RURAL)] == [(first, 1), (later, 2)]
        inventory.add_resources(tx, RURAL, ports(80, 2))
    house.run()

    assert house.order_state(first) == "completed"
    assert house.items(later) == {"1": ("held", "no-resource")}
    assert house.resources(3) == ["BOX80/1"]


def test_32_the_terminal_stays_for_the_others_and_is_collected_with_the_last_one(house: House) -> None:
    house.install(601, "P1")
    products = house.products(601)

    house.order("C601", change("delete", products["P1-TV"]))
    house.run()
    assert "ONU71" in house.resources(2)

    rest = house.order("C601", change("delete", products["P1"]))
    house.run()

    assert house.order_state(rest) == "completed"
    assert house.effect(rest, "collect.onu").state is State.CONFIRMED
    assert "ONU71" in house.resources(0)


def test_a_pre_acceptance_ends_by_itself_and_sets_everything_free(house: House) -> None:
    order_id = pre(house, "C801", add("P2", 801))
    house.run()
    later = house.order("C802", add("P2", 802))
    house.run()
    assert house.items(order_id) == {"1": ("pending", "pre")}
    assert house.items(later) == {"1": ("held", "no-resource")}
    assert house.q("select count(*) from ordering.hold where order_id = %s and cause = 'no-resource'", order_id) == [
        (0,)
    ]

    let_pass(house, order_id)
    house.run()

    assert house.order_state(order_id) == "cancelled"
    assert house.order_state(later) == "completed"
    assert house.told(order_id, "preacceptance.expired") == [{"t": "preacceptance.expired", "accepted": False}]
    assert [e["reason"] for e in house.told(order_id, "cancel.asked")] == ["preacceptance-expired"]
    assert house.q("select count(*) from ordering.hold where ended_at is null") == [(0,)]
    assert house.q("select count(*) from engine.incident") == [(0,)]


def test_yes_before_the_area_has_served_makes_a_firm_order(house: House) -> None:
    order_id = pre(house, "C601", add("P2", 601))
    assert say_yes(house, order_id) == "accepted"
    assert say_yes(house, order_id) == "accepted"

    house.run()

    assert house.order_state(order_id) == "completed"
    assert house.q("select count(*) from inventory.request where until is not null") == [(0,)]


def test_yes_to_what_waits_for_a_port_keeps_waiting(house: House) -> None:
    house.install(801, "P2")
    order_id = pre(house, "C802", add("P2", 802))
    house.run()
    assert say_yes(house, order_id) == "accepted"
    house.run()
    assert house.items(order_id) == {"1": ("held", "no-resource")}

    with house.db.transaction() as tx:
        inventory.add_resources(tx, RURAL, ports(80, 2))
    house.run()

    assert house.order_state(order_id) == "completed"


def test_too_late_a_yes_and_too_long_a_hold_are_refused_and_change_nothing(house: House) -> None:
    order_id = pre(house, "C601", add("P2", 601))
    house.run()
    rows = house.q("select count(*) from kernel.history")
    with (
        pytest.raises(PreacceptanceTooLong),
        house.db.transaction() as tx,
    ):
        preaccept.take(tx, order_id, OrderDraft(None, "shop", "C601", (add("P2", 601),)), 1_441)
    with house.db.transaction() as tx:
        later = tx.now + timedelta(minutes=31)
    with pytest.raises(PreacceptanceEnded), house.db.transaction(now=later) as tx:
        preaccept.accept(tx, order_id)

    assert house.q("select count(*) from kernel.history") == rows
    assert state_of(house, order_id) == "held"


def test_an_order_that_is_parked_gives_back_and_waits_in_its_rank_until_it_is_resumed(house: House) -> None:
    order_id = house.order("C801", add("P2", 801))
    house.run(technicians=False, send=False)
    later = house.order("C802", add("P2", 802))
    house.run(technicians=False, send=False)

    with house.db.transaction() as tx:
        park.park(tx, order_id, by="dispatcher", reason="pole is missing")
    house.run(technicians=False)

    assert house.items(order_id) == {"1": ("held", "no-resource")}
    assert house.items(later) == {"1": ("inProgress", None)}
    with house.db.transaction() as tx:
        (only,) = waiting.waiting_list(tx, RURAL)
    assert (only.order_id, {m["why"] for m in only.missing}) == (order_id, {"parked"})

    with house.db.transaction() as tx:
        inventory.add_resources(tx, RURAL, ports(80, 2))
    house.run()
    assert house.items(order_id) == {"1": ("held", "no-resource")}

    with house.db.transaction() as tx:
        park.unpark(tx, order_id, by="dispatcher")
    with house.db.transaction() as tx, pytest.raises(NotParked):
        park.unpark(tx, order_id, by="dispatcher")
    house.run()

    assert house.order_state(order_id) == "completed"
    assert house.holds(f"{house.olt}2", "olt.port", "BOX80/2") is not None


def test_an_order_with_work_behind_it_is_not_parked(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    before = [(e.id, e.state) for e in house.effects(order_id)]

    with house.db.transaction() as tx, pytest.raises(WorkBegun):
        park.park(tx, order_id, by="dispatcher", reason="no")

    assert [(e.id, e.state) for e in house.effects(order_id)] == before


def test_an_answer_that_was_withdrawn_meanwhile_is_never_told(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.worker.run_until_idle()
    told = house.areas._tell
    house.areas._tell = lambda _answers: None  # a worker that stands still before it tells
    house.areas.run_until_idle()
    house.areas._tell = told
    with house.db.transaction() as tx:
        journal.lock(tx, [order_id])
        wishes = [e for e in planning.ledger(tx, [order_id])[order_id] if e.work == "reserve"]
        tx.run("update inventory.request set told = false, state = 2 where order_id = %s", (order_id,))
        ledger.land(tx, [ledger.Landing(e, State.WITHDRAWN) for e in wishes])

    house.run()

    assert {e.state for e in house.effects(order_id) if e.op is not Op.UNDO} == {State.WITHDRAWN}


def test_what_one_area_gave_is_given_back_when_the_other_area_refuses(house: House) -> None:
    house.install(801, "LL", 速率=10)
    line = house.products(801)["LL"]
    house.order("C801", change("modify", line, "P7", 速率=20))
    house.run(technicians=False)
    used = house.resources(1, 2)
    order_id = house.order("C801", add("P2", 601), replace(change("delete", line), key="2"))

    house.run(technicians=False)

    assert {state for state, _ in house.items(order_id).values()} == {"pending"}
    assert house.resources(1, 2) == used
    assert {e.state for e in house.effects(order_id)} <= {State.WITHDRAWN, State.UNDONE, State.CONFIRMED}
    facts = current_facts(house.effects(order_id)).values()
    assert [f.kind for f in facts if f.work == "reserve"] == []


def test_a_cancelled_order_gives_back_in_one_area_and_leaves_its_place_in_the_other(house: House) -> None:
    house.install(801, "P2")
    used = house.resources(1, 2)
    order_id = house.order("C601", add("P2", 601), replace(add("P2", 802), key="2"))
    house.run(technicians=False)
    assert house.q("select area, state from inventory.request where order_id = %s order by 1", order_id) == [
        (CITY, 1), (RURAL, 0),
    ]  # fmt: skip

    ask(house, order_id)
    house.run(technicians=False)

    assert house.order_state(order_id) == "cancelled"
    assert house.resources(1, 2) == used
    with house.db.transaction() as tx:
        assert waiting.waiting_list(tx, RURAL) == []


def test_the_data_are_whole_while_ports_are_held_softly_marked_bad_and_waited_for(house: House) -> None:
    held = pre(house, "C601", add("P1", 601))
    bad = house.order("C602", add("P2", 602))
    work = until(house, "W3", bad)
    send_back(house, work, "port-bad")
    parked = house.order("C801", add("P2", 801))
    house.run(technicians=False, send=False)
    with house.db.transaction() as tx:
        park.park(tx, parked, by="dispatcher", reason="pole is missing")
    house.run(technicians=False)
    assert {c.name: c.violations for c in check_all(house.db, network=False) if c.violations} == {}

    let_pass(house, held)
    with house.db.transaction() as tx:
        park.unpark(tx, parked, by="dispatcher")
    house.run()

    assert [house.order_state(o) for o in (held, bad, parked)] == ["cancelled", "completed", "completed"]
    assert {c.name: c.violations for c in check_all(house.db, network=False) if c.violations} == {}


def test_a_worker_that_dies_between_confirming_and_telling_leaves_a_firm_order(house: House) -> None:
    order_id = pre(house, "C601", add("P2", 601))
    house.run()
    say_yes(house, order_id)
    told = house.areas._tell

    def die(_answers: object) -> None:
        raise ConnectionError

    house.areas._tell = die
    with pytest.raises(ConnectionError):
        house.areas.run_until_idle()
    house.areas._tell = told
    let_pass(house, order_id)
    house.run()

    assert house.order_state(order_id) == "completed"
    assert house.q("select count(*) from engine.incident") == [(0,)]
