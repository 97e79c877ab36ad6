"""How reservations end or become firm: soft ones, withdrawal against service, the waiting list, bad ports."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from tests.inventory.conftest import Orders

from diaodu.inventory.model import REQUEST_TABLE, RequestEvent, RequestState, takes
from diaodu.inventory.requests import grouped
from diaodu.inventory.serve import Trees, serve
from diaodu.kernel.states import NotPossible
from diaodu.provisioning.design import NearestBox

AREA = 7
ROOM_A, ROOM_C = 601, 603
HELD = "select id, holder, order_id from inventory.resource where state = 1 order by id"


def soft_line(orders: Orders, order: int, address: int, minutes: float) -> int:
    """Ask for a line that is held for some minutes from now on."""
    with orders.db.transaction() as tx:
        until = (tx.now + timedelta(minutes=minutes)).isoformat()
    body = {"thing": order * 10, "want": "access", "address": address, "until": until}
    return orders.ask(order, "reserve", body)


def let_pass(orders: Orders, request: int) -> None:
    """The time of a soft reservation runs out."""
    with orders.db.transaction() as tx:
        tx.run("update inventory.request set until = %s where area = 7 and id = %s", (tx.now, request))


def state(orders: Orders, request: int) -> RequestState:
    found = orders.rows(f"select state from inventory.request where id = {request}")
    return list(RequestState)[int(found[0][0])]


@pytest.mark.parametrize(("before", "event"), list(product(RequestState, RequestEvent)))
def test_every_state_of_a_reservation_answers_every_event(before: RequestState, event: RequestEvent) -> None:
    after = REQUEST_TABLE.next(before, event)

    if after is None:
        with pytest.raises(NotPossible):
            REQUEST_TABLE.take(before, event, entity="reservation", key=1)
    else:
        assert REQUEST_TABLE.take(before, event, entity="reservation", key=1) is after
        assert (after is before) == ((before, event) in REQUEST_TABLE.ignored)


def test_what_gives_resources_back_leads_out_of_every_state_that_holds_some() -> None:
    assert takes(RequestEvent.WITHDRAW) == [0, 1, 4, 6]
    assert takes(RequestEvent.EXPIRE) == [0, 4]
    assert takes(RequestEvent.CONFIRM) == [4]


def test_a_soft_reservation_holds_its_port_and_says_until_when(orders: Orders) -> None:
    request = soft_line(orders, 1, ROOM_C, 30)
    orders.line(2, ROOM_C)
    orders.run()

    assert orders.answers() == {1: ["soft"], 2: ["waiting"]}
    assert (orders.told[0].body["until"], orders.told[0].body["lines"][str(request)]["box"]) == (
        orders.rows(f"select body->>'until' from inventory.request where id = {request}")[0][0], "BOX20",
    )  # fmt: skip
    assert orders.rows(HELD) == [(2001, 10, 1), (2051, 10, 1)]


def test_a_confirmed_reservation_is_told_again_as_served_and_never_expires(orders: Orders) -> None:
    request = soft_line(orders, 1, ROOM_C, 30)
    orders.run()
    orders.ask(1, "confirm", {"request": request})
    orders.run()

    assert orders.answers() == {1: ["soft", "served", "served"]}
    assert {a.kind for a in orders.told[1:]} == {"reserve", "confirm"}
    assert state(orders, request) is RequestState.SERVED
    assert orders.rows(f"select until, body->>'until' from inventory.request where id = {request}") == [(None, None)]
    assert orders.rows(HELD) == [(2001, 10, 1), (2051, 10, 1)]


def test_what_has_expired_is_free_for_the_next_and_cannot_be_confirmed(orders: Orders) -> None:
    request = soft_line(orders, 1, ROOM_C, 30)
    orders.line(2, ROOM_C)
    orders.run()
    let_pass(orders, request)
    orders.ask(1, "confirm", {"request": request})
    orders.run()

    assert sorted(orders.answers()[1]) == ["expired", "refused", "soft"]
    refusal = next(a.body for a in orders.told if a.body["status"] == "refused")
    assert refusal["code"] == "inventory.reservation-expired"
    assert orders.answers()[2] == ["waiting", "served"]
    assert orders.rows(HELD) == [(2001, 20, 2), (2051, 20, 2)]


def test_what_waits_softly_ends_without_having_held_anything(orders: Orders) -> None:
    orders.line(1, ROOM_C)
    waiting = soft_line(orders, 2, ROOM_C, 30)
    orders.run()
    let_pass(orders, waiting)
    orders.run()

    assert orders.answers() == {1: ["served"], 2: ["waiting", "expired"]}
    assert orders.rows(HELD) == [(2001, 10, 1), (2051, 10, 1)]


def test_a_waiting_reservation_that_is_confirmed_keeps_waiting_without_an_end(orders: Orders) -> None:
    orders.line(1, ROOM_C)
    waiting = soft_line(orders, 2, ROOM_C, 30)
    orders.run()
    orders.ask(2, "confirm", {"request": waiting})
    orders.run()
    assert orders.rows(f"select state, until from inventory.request where id = {waiting}") == [(0, None)]

    orders.ask(1, "free", {"thing": 10})
    orders.run()

    assert orders.answers()[2] == ["waiting", "served", "served"]


def test_a_confirmation_that_overtakes_its_reservation_waits_for_it(orders: Orders) -> None:
    orders.ask(1, "confirm", {"request": 1001})
    orders.run()
    assert orders.told == []

    orders.line(1, ROOM_C)
    orders.run()

    assert orders.answers() == {1: ["served", "served"]}


def test_what_was_withdrawn_can_not_be_confirmed(orders: Orders) -> None:
    request = soft_line(orders, 1, ROOM_C, 30)
    orders.run()
    orders.ask(1, "withdraw", {"request": request})
    orders.run()
    orders.ask(1, "confirm", {"request": request})
    orders.run()

    assert [a.body["status"] for a in orders.told] == ["soft", "served", "refused"]
    assert orders.told[1].body["was"] == "soft"
    assert orders.told[2].body["code"] == "state.not-possible"
    assert orders.rows(HELD) == []


def test_served_and_withdrawn_before_it_was_told_is_never_told(orders: Orders) -> None:
    request = orders.line(1, ROOM_C)
    with orders.db.transaction() as tx:
        serve(tx, AREA, grouped(orders.open.values()), NearestBox(), Trees())
    assert orders.rows(HELD) == [(2001, 10, 1), (2051, 10, 1)]
    orders.ask(1, "withdraw", {"request": request})

    orders.run()

    assert [(a.kind, a.body) for a in orders.told] == [("withdraw", {"status": "served", "was": "served"})]
    assert orders.rows(HELD) == []
    assert state(orders, request) is RequestState.WITHDRAWN


def test_parked_waits_though_ports_are_free_until_it_is_resumed(orders: Orders) -> None:
    body = {"thing": 10, "want": "access", "address": ROOM_A, "parked": True}
    request = orders.ask(1, "reserve", body)
    orders.run()
    orders.add_ports(10, 3)
    orders.run()
    assert orders.answers() == {1: ["waiting"]}
    assert orders.told[0].body["missing"] == [{"effect": request, "want": "access", "why": "parked"}]
    assert orders.rows(HELD) == []

    orders.ask(1, "resume", {"request": request})
    orders.run()

    assert sorted(orders.answers()[1]) == ["served", "served", "waiting"]
    assert orders.rows(HELD) == [(1001, 10, 1), (1051, 10, 1)]


def test_only_what_waits_is_resumed(orders: Orders) -> None:
    request = orders.line(1, ROOM_A)
    orders.run()
    orders.ask(1, "resume", {"request": request})
    orders.run()

    assert [(a.body["status"], a.body.get("code")) for a in orders.told] == [
        ("served", None), ("refused", "state.not-possible"),
    ]  # fmt: skip


def test_a_bad_port_is_not_given_out_again_and_its_vlan_is_free(orders: Orders) -> None:
    orders.line(1, ROOM_A)
    orders.run()
    orders.ask(1, "faulty", {"thing": 10, "faulty": [1001], "resources": [1001, 1051]})
    orders.run()

    assert orders.told[1].body == {"status": "served", "faulty": ["BOX10/1"]}
    assert orders.rows("select id, state, holder from inventory.resource where id in (1001, 1051) order by id") == [
        (1001, 3, None), (1051, 0, None),
    ]  # fmt: skip

    orders.ask(1, "reserve", {"thing": 10, "want": "access", "address": ROOM_A})
    orders.run()

    assert orders.rows(HELD) == [(1002, 10, 1), (1052, 10, 1)]


def test_what_the_thing_does_not_hold_any_more_is_no_fault_of_it(orders: Orders) -> None:
    orders.line(1, ROOM_A)
    orders.run()
    orders.ask(2, "faulty", {"thing": 20, "faulty": [1001], "resources": [1001, 1051]})
    orders.run()

    assert orders.told[1].body == {"status": "served", "faulty": []}
    assert orders.rows(HELD) == [(1001, 10, 1), (1051, 10, 1)]


def test_a_product_that_is_let_go_may_be_changed_by_another(orders: Orders) -> None:
    with orders.db.transaction() as tx:
        tx.run(
            "insert into inventory.product (area, id, customer_id, offering, name, state, characteristics,"
            " realisations, order_id, release_id) values (7, 900, 1, 'X', 'x', 2, '{}', '[]', 0, 1)"
        )
    claim: dict[str, Any] = {"thing": 900, "want": "claim", "claims": [900]}
    orders.ask(1, "reserve", claim)
    orders.run()
    orders.ask(1, "unclaim", {"claim": 900})
    orders.ask(3, "unclaim", {"claim": 900})
    orders.ask(2, "reserve", claim)
    orders.run()

    assert orders.answers() == {1: ["served", "served"], 3: ["served"], 2: ["served"]}
    assert orders.rows("select claimed_by from inventory.product") == [(2,)]
