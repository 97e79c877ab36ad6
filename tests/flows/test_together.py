"""Several items in one order, several orders on one line, and removals that meet an obstacle."""

from tests.flows.operator import CITY_AREA, RURAL_AREA, House, add, change

from diaodu.ordering.model import ItemDraft
from diaodu.planning.model import State


def test_each_item_of_an_order_is_archived_and_told_by_itself(house: House) -> None:
    two = ItemDraft("2", "add", "P2", place={"id": "801"}, characteristics={"速率": 100})
    order_id = house.order("C601", add("P2", 601), two)
    house.run()

    assert house.items(order_id) == {"1": ("completed", None), "2": ("completed", None)}
    assert house.resources(2) == ["BOX10/1", "10.101", "BOX80/1", "80.101", "ONU71", "ONU81"]
    archives = sorted((e.kind, e.item_key) for e in house.effects(order_id) if e.kind.startswith("archive."))
    assert archives == [(f"archive.{k}", item) for k in ("billing", "resource", "sla") for item in ("1", "2")]
    limits = {
        e.item_key: (e.params["limit_hours"], e.params["subject"])
        for e in house.effects(order_id)
        if e.kind == "archive.sla"
    }
    products = dict(house.q("select item_key, product_id::text from ordering.order_item"))
    assert limits == {"1": (48, products["1"]), "2": (72, products["2"])}
    assert all(house.holds("sms:zj", "notice.completed", f"{order_id}.{item}") for item in ("1", "2"))
    places = house.q("select place->>'id' from workforce.work_order where kind = 'W3' order by 1")
    assert places == [("601",), ("801",)]


def test_an_item_without_a_port_keeps_the_whole_order_waiting(house: House) -> None:
    house.install(801, "P2")
    order_id = house.order("C601", add("P2", 601), ItemDraft("2", "add", "P2", place={"id": "802"}))
    house.run()
    assert house.items(order_id) == {"1": ("held", "no-resource"), "2": ("held", "no-resource")}

    house.order("C801", change("delete", house.products(801)["P2"]))
    house.run()
    assert house.items(order_id) == {"1": ("completed", None), "2": ("completed", None)}


def test_the_last_of_three_removals_takes_the_terminal(house: House) -> None:
    house.install(601, "P1")
    products = house.products(601)
    orders = [house.order("C601", change("delete", products[o])) for o in ("P1-BB", "P1-TV", "P1-TEL")]

    house.run()

    assert [house.order_state(o) for o in orders] == ["completed"] * 3
    answers = [house.effect(o, "usage.release").result for o in orders]
    assert sorted(a["last_user"] for a in answers if a) == [False, False, True]
    assert sum(e.kind == "collect.onu" for o in orders for e in house.effects(o)) == 1
    assert house.resources(1, 2) == []
    assert house.q("select * from inventory.usage") == []
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") is None


def test_a_removal_whose_command_fails_goes_on_when_it_is_done_again(house: House) -> None:
    house.install(601, "P2")
    house.client.fault(refuse={"kind": "aaa.account"})
    order_id = house.order("C601", change("delete", house.products(601)["P2"]))
    house.run()

    assert house.items(order_id) == {"1": ("held", "fallout:aaa.account.remove")}
    assert house.products(601) != {}
    assert "BOX10/1" in house.resources(2)

    house.client.fault()
    house.retry(order_id, house.effect(order_id, "aaa.account.remove").id)
    house.run()

    assert house.items(order_id) == {"1": ("completed", None)}
    assert house.resources(1, 2) == []
    assert house.products(601) == {}


def test_a_speed_up_waits_for_a_router_and_then_replaces_the_old_one(house: House) -> None:
    house.install(601, "LL", 速率=10, 终端型号="AR18-20")
    fast = "spec = 'router' and area = %s and (attrs->>'wan_mbps')::int > 10"
    with house.db.transaction() as tx:
        tx.run(f"update inventory.resource set state = 3 where {fast}", (CITY_AREA,))
    order_id = house.order("C601", change("modify", house.products(601)["LL"], "P7", 速率=20))
    house.run()
    assert house.items(order_id) == {"1": ("held", "no-resource")}
    assert house.q("select claimed_by from inventory.product") == [(None,)]
    assert {e.state for e in house.effects(order_id)} == {State.SENT}

    with house.db.transaction() as tx:
        tx.run(f"update inventory.resource set state = 0 where {fast}", (CITY_AREA,))
    house.run()

    assert house.items(order_id) == {"1": ("completed", None)}
    assert house.resources(2) == ["BOX10/1", "10.101", "ONU71", "203.0.7.1", "AR28-31-7"]
    assert house.q("select claimed_by from inventory.product") == [(None,)]


def test_a_second_speed_up_builds_on_the_first(house: House) -> None:
    house.install(601, "LL", 速率=10, 终端型号="AR18-20")
    line = house.products(601)["LL"]
    for speed in (20, 50):
        order_id = house.order("C601", change("modify", line, "P7", 速率=speed))
        house.run()
        assert house.items(order_id) == {"1": ("completed", None)}
    redone = [e.kind for e in house.effects(order_id) if e.op == "redo"]
    assert sorted(redone) == ["olt.port", "test.line"]
    assert house.q("select characteristics from inventory.product") == [({"速率": 50, "终端型号": "AR28-31"},)]

    removal = house.order("C601", change("delete", line, "LL"))
    house.run()

    assert house.items(removal) == {"1": ("completed", None)}
    assert house.resources(1, 2) == []
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") is None


def test_the_answers_of_two_areas_to_one_removal_come_one_after_the_other(house: House) -> None:
    house.order("C601", add("P2", 601), ItemDraft("2", "add", "P2", place={"id": "801"}))
    house.run()
    city, country = (r[0] for r in house.q("select id from inventory.product order by area"))
    order_id = house.order("C601", change("delete", city), ItemDraft("2", "delete", None, product_id=str(country)))
    house.worker.run_until_idle()
    for area in (CITY_AREA, RURAL_AREA):
        house.areas.step(area)
        house.worker.run_until_idle()
    assert [e.kind for e in house.effects(order_id) if e.kind == "usage.release"] == ["usage.release"] * 2
    house.areas.step(CITY_AREA)
    house.worker.run_until_idle()
    assert sorted(e.state for e in house.effects(order_id) if e.kind == "usage.release") == ["confirmed", "intent"]

    house.run()

    assert house.items(order_id) == {"1": ("completed", None), "2": ("completed", None)}
    assert house.resources(1, 2) == []
    assert house.q("select * from inventory.usage") == []
