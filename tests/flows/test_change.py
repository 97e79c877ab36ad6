"""Speed-ups of a leased line (P7) and removals (P8)."""

import pytest
from tests.flows.operator import House, change

from diaodu.planning.model import Effect, Op, State


def _steps(house: House, order_id: int) -> list[tuple[str, str, str]]:
    """What the order did, inherited facts, wishes to areas and archives aside."""
    work = ("W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8")
    return sorted((e.op, e.kind, e.state) for e in house.effects(order_id) if e.op != "inherited" and e.work in work)


def test_a_speed_up_replaces_a_router_that_is_too_slow(house: House) -> None:
    house.install(601, "LL", 速率=10, 终端型号="AR18-20")
    line = house.products(601)["LL"]
    assert house.resources(2) == ["BOX10/1", "10.101", "ONU71", "203.0.7.1", "AR18-20-7"]

    order_id = house.order("C601", change("modify", line, "P7", 速率=20))
    house.run()

    assert house.items(order_id) == {"1": ("completed", None)}
    added = house.told(order_id, "audit.passed")[0]["added"]
    assert [(a["rule"], a["field"], a["value"], a["set"]) for a in added] == [
        ("speed-up.wan-port", "终端型号", "AR18-20", {"终端型号": "AR28-31"})
    ]
    assert _steps(house, order_id) == [
        ("redo", "install.router", "confirmed"), ("redo", "olt.port", "confirmed"), ("redo", "test.line", "confirmed"),
    ]  # fmt: skip
    assert [e["kind"] for e in house.told(order_id, "work.offered")] == ["W4", "W5"]
    port = house.holds(f"{house.olt}1", "olt.port", "BOX10/1")
    assert port is not None
    assert port["speed"] == 20
    assert house.resources(2) == ["BOX10/1", "10.101", "ONU71", "203.0.7.1", "AR28-31-7"]
    assert "AR18-20-7" in house.resources(0)
    assert house.q("select characteristics, claimed_by, state from inventory.product where id = %s", line) == [
        ({"速率": 20, "终端型号": "AR28-31"}, None, 2)
    ]
    kinds = house.q(
        "select r->>'kind', r->'params'->>'speed' from inventory.product, jsonb_array_elements(realisations) r"
        " where id = %s and r->'params' ? 'speed' order by 1",
        line,
    )
    assert kinds == [("olt.port", "20"), ("test.line", "20")]


def test_a_speed_up_leaves_a_router_that_is_fast_enough(house: House) -> None:
    house.install(601, "LL", 速率=10, 终端型号="AR28-31")
    line = house.products(601)["LL"]
    before = house.resources(2)

    order_id = house.order("C601", change("modify", line, "P7", 速率=50))
    house.run()

    assert house.order_state(order_id) == "completed"
    assert house.told(order_id, "audit.passed")[0]["added"] == []
    assert _steps(house, order_id) == [("redo", "olt.port", "confirmed"), ("redo", "test.line", "confirmed")]
    assert [e["kind"] for e in house.told(order_id, "work.offered")] == ["W5"]
    assert house.resources(2) == before
    port = house.holds(f"{house.olt}1", "olt.port", "BOX10/1")
    assert port is not None
    assert port["speed"] == 50


def test_removal_of_a_bundle_asks_for_the_last_user_first_and_leaves_nothing(house: House) -> None:
    installed = house.install(601, "P1")
    loid = f"LD{house.effect(installed, 'olt.port').thing_id}"

    order_id = house.order("C601", change("delete", house.products(601)["P1"]))
    house.run()

    assert house.items(order_id) == dict.fromkeys(("1", "1.1", "1.2", "1.3"), ("completed", None))
    ledger = house.effects(order_id)
    release = house.effect(order_id, "usage.release")
    assert release.result == {"status": "served", "last_user": True}
    inherited = [e.key for e in ledger if e.op is Op.INHERITED]
    assert (len(inherited), len(set(inherited))) == (16, 16)
    undo = [e for e in ledger if e.op is Op.UNDO]
    assert sorted(e.kind for e in undo) == [
        "aaa.account.remove", "collect.onu", "collect.stb", "free.access", "free.number", "free.onu", "free.stb",
        "ims.user.remove", "iptv.account.remove", "itms.config.remove", "line.unsplice", "olt.port.remove",
    ]  # fmt: skip
    assert all(e.state is State.CONFIRMED and e.id > release.id for e in undo)
    _check_reverse(undo, {e.id: e for e in ledger})
    assert house.resources(1, 2) == []
    assert house.resources(4) == ["0571-87000001"]
    states = house.q("select distinct state, claimed_by, ended_at is not null from inventory.product")
    assert states == [(5, None, True)]
    assert house.q("select distinct state from inventory.service") == [(5,)]
    assert house.q("select * from inventory.usage") == []
    for element, kind, subject in (
        (f"{house.olt}1", "olt.port", "BOX10/1"), ("aaa:zj", "aaa.account", f"zj{loid}"),
        ("iptv:zj", "iptv.account", f"tv{loid}"), ("ims:zj", "ims.user", f"{house.number}87000001"),
        ("itms:zj", "itms.config", loid),
    ):  # fmt: skip
        assert house.holds(element, kind, subject) is None
    bundle = house.q("select id from inventory.product where offering = 'P1'")[0][0]
    bill = house.holds("billing:zj", "archive.billing", str(bundle))
    assert bill is not None
    assert (bill["action"], [p["action"] for p in bill["products"]]) == ("delete", ["delete"] * 4)
    sms = house.holds("sms:zj", "notice.completed", f"{order_id}.1")
    assert sms is not None
    assert "已拆机" in sms["text"]


def _check_reverse(undo: list[Effect], ledger: dict[int, Effect]) -> None:
    """Whatever was done on top of a fact is taken back before the fact itself."""
    by_fact = {ledger[e.of_id].kind: e for e in undo if e.of_id}
    pairs = 0
    for kind, e in by_fact.items():
        assert e.of_id
        fact = ledger[e.of_id]
        assert fact.state is State.UNDONE
        for below in (fact.undo or {})["after"]:
            if below in by_fact:
                pairs += 1
                assert e.id in by_fact[below].needs, (kind, below)
    assert pairs == 15


def test_removal_of_one_product_leaves_the_terminal_to_the_others(house: House) -> None:
    installed = house.install(601, "P1")
    loid = f"LD{house.effect(installed, 'olt.port').thing_id}"
    products = house.products(601)

    order_id = house.order("C601", change("delete", products["P1-TV"]))
    house.run()

    assert house.items(order_id) == {"1": ("completed", None)}
    assert house.effect(order_id, "usage.release").result == {"status": "served", "last_user": False}
    assert _steps(house, order_id) == [
        ("undo", "collect.stb", "confirmed"), ("undo", "iptv.account.remove", "confirmed"),
    ]  # fmt: skip
    assert [e["kind"] for e in house.told(order_id, "work.offered")] == ["W4"]
    assert house.resources(2) == ["BOX10/1", "10.101", "0571-87000001", "ONU71"]
    assert sorted(house.products(601)) == ["P1", "P1-BB", "P1-TEL"]
    users = house.q("select product_id from inventory.usage order by 1")
    assert users == [(products["P1-BB"],), (products["P1-TEL"],)]
    assert house.holds("iptv:zj", "iptv.account", f"tv{loid}") is None
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") is not None
    assert house.holds("itms:zj", "itms.config", loid) is not None

    rest = house.order("C601", change("delete", products["P1"]))
    house.run()

    assert house.items(rest) == dict.fromkeys(("1", "1.1", "1.2"), ("completed", None))
    assert house.effect(rest, "usage.release").result == {"status": "served", "last_user": True}
    assert house.resources(1, 2) == []
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") is None


@pytest.mark.parametrize("speed", [2, 10])
def test_a_speed_up_that_does_not_raise_the_speed_is_refused(house: House, speed: int) -> None:
    house.install(601, "LL")
    order_id = house.order("C601", change("modify", house.products(601)["LL"], "P7", 速率=speed))

    house.run()

    assert house.items(order_id) == {"1": ("pending", "audit-refused")}
    assert [(p["rule"], p["value"]) for p in house.told(order_id, "audit.refused")[0]["problems"]] == [
        ("speed-up.faster", speed)
    ]
    assert house.effects(order_id) == []
