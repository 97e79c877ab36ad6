"""Reservations through the worker: all lines or none, first come first served, refusals, repeats."""

from typing import Any

from diaodu.inventory.ports import Answer

AREA = 7
ROOM_A, ROOM_B, ROOM_C, ROOM_FAR, ROOM_BARE = 601, 602, 603, 604, 605
HELD = "select id, holder, order_id from inventory.resource where state = 1 and spec <> 'cvlan' order by id"


def test_a_line_and_a_number_are_reserved_together(orders: Any) -> None:
    first = orders.ask(
        1,
        "reserve",
        {"thing": 10, "want": "access", "address": ROOM_A},
        {"thing": 11, "want": "number"},
        {"thing": 12, "want": "router", "wan_mbps": 20},
    )
    orders.run()
    (answer,) = orders.told
    assert (answer.request_id, answer.effects) == (first, (first, first + 1, first + 2))
    lines = answer.body["lines"]
    access = lines[str(first)]
    assert (access["box"], access["port"], access["svlan"], access["cvlan"]) == ("BOX10", 1, 1001, 101)
    assert (access["loid"], access["rx_dbm"]) == ("LD10", -18.6)
    assert [r["id"] for r in access["resources"]] == [1001, 1051]
    assert lines[str(first + 1)]["number"] == "0571-85000001"
    assert (lines[str(first + 2)]["router"], lines[str(first + 2)]["model"]) == ("R100", "AR28-31")
    assert orders.rows(HELD) == [(41, 11, 1), (52, 12, 1), (1001, 10, 1)]
    assert orders.rows("select holder, state from inventory.resource where id = 1051") == [(10, 1)]


def test_the_last_port_raced_by_two_orders_goes_to_the_first(orders: Any) -> None:
    orders.line(1, ROOM_C)
    orders.line(2, ROOM_C)
    orders.run()
    assert orders.answers() == {1: ["served"], 2: ["waiting"]}
    assert orders.rows(HELD) == [(2001, 10, 1)]
    assert orders.told[1].body == {
        "status": "waiting",
        "reason": "no-resource",
        "missing": [{"effect": 1001, "want": "access", "why": "no-free-port", "box": "BOX20"}],
        "alternatives": [
            {"want": "access", "box": "BOX10", "distance_m": 90, "free_ports": 2, "needs": "construction"}
        ],
    }


def test_a_slower_router_is_offered_instead_of_one_that_is_missing(orders: Any) -> None:
    orders.ask(1, "reserve", {"thing": 10, "want": "router", "wan_mbps": 1000})
    orders.run()
    assert orders.told[0].body["alternatives"] == [
        {"want": "router", "model": "AR28-31", "wan_mbps": 100},
        {"want": "router", "model": "AR18-20", "wan_mbps": 10},
    ]


def test_all_or_none_a_missing_number_leaves_the_port_free(orders: Any) -> None:
    orders.ask(1, "reserve", {"thing": 10, "want": "number"}, {"thing": 11, "want": "number"})
    orders.ask(2, "reserve", {"thing": 20, "want": "access", "address": ROOM_A}, {"thing": 21, "want": "number"})
    orders.run()
    assert orders.answers() == {1: ["served"], 2: ["waiting"]}
    assert orders.rows(HELD) == [(41, 10, 1), (42, 11, 1)]


def test_waiting_orders_are_served_first_come_when_ports_are_freed(orders: Any) -> None:
    for order in (1, 2, 3):
        orders.line(order, ROOM_C)
    orders.run()
    assert orders.answers() == {1: ["served"], 2: ["waiting"], 3: ["waiting"]}
    orders.ask(9, "free", {"thing": 10})
    orders.line(4, ROOM_C)
    orders.run()
    assert orders.answers() == {
        1: ["served"],
        2: ["waiting", "served"],
        3: ["waiting"],
        4: ["waiting"],
        9: ["served"],
    }
    assert orders.rows(HELD) == [(2001, 20, 2)]


def test_a_waiting_order_is_told_only_once(orders: Any) -> None:
    orders.line(1, ROOM_C)
    orders.line(2, ROOM_C)
    for _ in range(3):
        orders.run()
    assert orders.answers() == {1: ["served"], 2: ["waiting"]}


def test_a_waiting_order_for_other_things_keeps_its_rank_in_its_box(orders: Any) -> None:
    # Order 2 waits for a number; the last port of its box is not given to order 3, which came later.
    orders.ask(1, "reserve", {"thing": 10, "want": "number"}, {"thing": 11, "want": "number"})
    orders.ask(2, "reserve", {"thing": 20, "want": "access", "address": ROOM_C}, {"thing": 21, "want": "number"})
    orders.run()
    orders.line(3, ROOM_C)
    orders.run()
    assert orders.answers() == {1: ["served"], 2: ["waiting"], 3: ["waiting"]}
    orders.ask(9, "free", {"thing": 10})
    orders.run()
    assert orders.answers()[2] == ["waiting", "served"]
    assert orders.answers()[3] == ["waiting"]
    assert orders.rows(HELD) == [(41, 21, 2), (42, 11, 1), (2001, 20, 2)]


def test_a_later_order_of_a_higher_class_goes_first(orders: Any) -> None:
    orders.line(1, ROOM_C, priority=5)
    orders.line(2, ROOM_C, priority=1)
    orders.run()
    assert orders.answers() == {1: ["waiting"], 2: ["served"]}


def test_new_ports_from_construction_wake_the_waiting(orders: Any) -> None:
    orders.line(1, ROOM_C)
    orders.line(2, ROOM_C)
    orders.run()
    orders.add_ports(20, 2)
    orders.run()
    assert orders.answers() == {1: ["served"], 2: ["waiting", "served"]}
    assert orders.rows(HELD) == [(2001, 10, 1), (2002, 20, 2)]


def test_a_new_box_in_the_building_wakes_the_waiting(orders: Any) -> None:
    orders.line(1, ROOM_C)
    orders.line(2, ROOM_C)
    orders.run()
    box = (25, "box", "BOX25", 3, 500, {"ratio": 8, "loss_db": 10.7, "x": 80, "y": 0})
    orders.build(box)
    orders.add_ports(25, 1)
    orders.run()
    assert orders.answers()[2] == ["waiting", "served"]
    assert orders.told[-1].body["lines"]["1001"]["box"] == "BOX25"


def test_more_waiting_orders_than_a_page_are_tried_in_order(orders: Any) -> None:
    for order in range(1, 1102):
        orders.line(order, ROOM_C)
    orders.run()
    assert orders.rows("select count(*) from inventory.request where state = 0") == [(1100,)]
    orders.add_ports(20, *range(2, 8))
    orders.run()
    assert [a.order_id for a in orders.told if a.body["status"] == "served"] == [1, 2, 3, 4, 5, 6, 7]


def test_too_little_light_waits_and_says_why(orders: Any) -> None:
    orders.line(1, ROOM_FAR)
    orders.run()
    assert orders.told[0].body["missing"] == [
        {"effect": 1000, "want": "access", "why": "optical-budget", "box": "BOX30", "rx_dbm": -25.1, "least_dbm": -25.0}
    ]


def test_an_uncovered_address_is_refused_in_both_languages(orders: Any) -> None:
    orders.line(1, ROOM_BARE)
    orders.run()
    assert orders.told[0].body == {
        "status": "refused",
        "code": "inventory.address-not-covered",
        "zh": "地址“浙江省杭州市西湖区桂花城1幢1单元605室”没有光纤覆盖。请选择已覆盖的地址,或申请建设。",
        "en": "The address '浙江省杭州市西湖区桂花城1幢1单元605室' has no fibre coverage."
        " Choose a covered address, or ask for construction there.",
    }
    assert orders.rows(HELD) == []


def test_an_unknown_address_and_an_unknown_want_are_refused(orders: Any) -> None:
    orders.line(1, 999)
    orders.ask(2, "reserve", {"thing": 20, "want": "satellite"})
    orders.run()
    assert [a.body["code"] for a in orders.told] == ["inventory.address-unknown", "inventory.want-unknown"]


def test_a_malformed_request_is_refused_and_the_others_are_served(orders: Any) -> None:
    orders.ask(1, "reserve", {"want": "access"})
    orders.ask(2, "archive", {"end": [123]})
    orders.ask(3, "dance", {})
    orders.line(4, ROOM_A)
    orders.run()
    assert {a.order_id: a.body.get("code") for a in orders.told} == {
        1: "inventory.request-failed",
        2: "inventory.request-failed",
        3: "inventory.request-failed",
        4: None,
    }
    assert orders.rows(HELD) == [(1001, 40, 4)]


def test_the_same_request_pulled_again_changes_nothing(orders: Any) -> None:
    orders.line(1, ROOM_A)
    again = dict(orders.open)
    orders.run()
    before = orders.rows("select id, state, holder from inventory.resource order by id")
    orders.open |= again
    orders.worker.step(AREA)
    assert orders.rows("select id, state, holder from inventory.resource order by id") == before
    assert orders.answers() == {1: ["served"]}


def test_an_answer_that_could_not_be_told_is_told_again(orders: Any) -> None:
    orders.line(1, ROOM_A)
    tell, failed = orders.worker._tell, []

    def broken(answers: list[Answer]) -> None:
        failed.extend(answers)
        raise ConnectionError

    orders.worker._tell = broken
    try:
        orders.run()
    except ConnectionError:
        orders.worker._tell = tell
    orders.run()
    assert [a.request_id for a in failed] == [a.request_id for a in orders.told] == [1000]
    assert orders.rows("select told from inventory.request") == [(True,)]


def test_a_withdrawn_reservation_gives_back_what_it_held(orders: Any) -> None:
    request = orders.ask(
        1, "reserve", {"thing": 10, "want": "access", "address": ROOM_C}, {"thing": 11, "want": "number"}
    )
    orders.run()
    orders.line(2, ROOM_C)
    orders.run()
    orders.ask(1, "withdraw", {"request": request})
    orders.run()
    assert orders.answers() == {1: ["served", "served"], 2: ["waiting", "served"]}
    assert orders.rows(HELD) == [(2001, 20, 2)]


def test_a_withdrawn_waiting_order_leaves_its_place(orders: Any) -> None:
    orders.line(1, ROOM_C)
    waiting = orders.line(2, ROOM_C)
    orders.line(3, ROOM_C)
    orders.run()
    orders.ask(2, "withdraw", {"request": waiting})
    orders.ask(9, "free", {"thing": 10})
    orders.run()
    assert orders.answers() == {
        1: ["served"],
        2: ["waiting", "served"],
        3: ["waiting", "served"],
        9: ["served"],
    }
    assert orders.rows(HELD) == [(2001, 30, 3)]


def test_a_reservation_withdrawn_before_it_arrives_is_never_served(orders: Any) -> None:
    request = orders.line(1, ROOM_A)
    late = dict(orders.open)
    orders.open.clear()
    orders.ask(1, "withdraw", {"request": request})
    orders.run()
    orders.open |= late
    orders.worker.step(AREA)
    assert orders.rows(HELD) == []
    assert orders.rows(f"select state from inventory.request where id = {request}") == [(2,)]


def test_who_waits_for_a_fast_router_has_rank_before_a_later_modest_one(orders: Any) -> None:
    for order in (1, 2):
        orders.ask(order, "reserve", {"thing": order * 10, "want": "router", "wan_mbps": 20})
    orders.run()
    orders.ask(3, "reserve", {"thing": 30, "want": "router", "wan_mbps": 10})
    orders.run()
    assert orders.answers() == {1: ["served"], 2: ["waiting"], 3: ["served"]}
    assert orders.rows(HELD) == [(51, 30, 3), (52, 10, 1)]
    orders.build((53, "router", "R1000", None, None, {"model": "AR46-20", "wan_mbps": 1000}))
    orders.ask(4, "reserve", {"thing": 40, "want": "router", "wan_mbps": 10})
    orders.worker.step(7)
    assert orders.rows(HELD) == [(51, 30, 3), (52, 10, 1), (53, 20, 2)]


def test_a_pass_over_the_waiting_that_serves_nobody_is_no_work_done(orders: Any) -> None:
    orders.line(1, ROOM_FAR)
    orders.run()
    orders.worker._wake_at.clear()
    assert orders.worker.step(7) == 0
