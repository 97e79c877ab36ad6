"""New installations, from capture to the notice: P1 in the city, P2 in the country."""

from datetime import datetime, timedelta

from tests.flows.operator import House, add

from diaodu.kernel import journal
from diaodu.planning.model import State

SYSTEMS = {"olt.port": "olt", "aaa.account": "aaa", "iptv.account": "iptv", "ims.user": "ims", "itms.config": "itms"}


def test_a_bundle_is_built_with_every_effect_confirmed_after_what_it_needs(house: House) -> None:
    order_id = house.install(601, "P1")

    ledger = house.effects(order_id)
    kinds = {e.id: e.kind for e in ledger}
    assert {e.state for e in ledger} == {State.CONFIRMED}
    assert {e.kind: sorted(kinds[n] for n in e.needs) for e in ledger} == {
        "reserve.access": [], "reserve.onu": [], "reserve.stb": [], "reserve.number": [],
        "olt.port": ["reserve.access"], "aaa.account": ["reserve.access"],
        "iptv.account": ["reserve.access", "reserve.stb"], "ims.user": ["reserve.access", "reserve.number"],
        "itms.config": ["aaa.account", "ims.user", "iptv.account", "olt.port"],
        "line.splice": ["reserve.access"],
        "install.onu": ["line.splice", "reserve.onu"], "install.stb": ["line.splice", "reserve.stb"],
        "install.phone": ["line.splice", "reserve.number"],
        "test.broadband": ["install.onu", "itms.config", "line.splice", "olt.port"],
        "test.iptv": ["install.stb", "itms.config", "line.splice", "olt.port"],
        "test.voice": ["install.phone", "itms.config", "line.splice", "olt.port"],
        "archive.billing": [], "archive.resource": [], "archive.sla": [], "notice.completed": [],
    }  # fmt: skip
    landed = _landings(house, order_id)
    assert set(landed) == {e.id for e in ledger}
    assert all(landed[n] < landed[e.id] for e in ledger for n in e.needs)
    by_kind = {kinds[i]: row for i, row in landed.items()}
    archives = [by_kind[k] for k in ("archive.billing", "archive.resource", "archive.sla")]
    assert max(by_kind[k] for k in by_kind if k.startswith("test.")) < min(archives)
    assert max(archives) < by_kind["notice.completed"]


def test_a_bundle_goes_through_the_states_of_its_items_and_leaves_a_whole_history(house: House) -> None:
    order_id = house.install(601, "P1")

    assert house.items(order_id) == dict.fromkeys(("1", "1.1", "1.2", "1.3"), ("completed", None))
    moves = [(e["key"], e["from"], e["to"]) for e in house.told(order_id, "item.state") if e["key"] == "1.1"]
    assert moves == [
        ("1.1", "acknowledged", "inProgress"), ("1.1", "inProgress", "closing"), ("1.1", "closing", "completed"),
    ]  # fmt: skip
    before = b""
    rows = house.history(order_id)
    assert [r["seq"] for r in rows] == list(range(1, len(rows) + 1))
    for r in rows:
        before = journal.chain(before, order_id, r["seq"], at=r["at"], actor=r["actor"], entries=r["entries"])
        assert before == r["hash"]
    assert house.q("select count(*) from engine.instance where state <> 1") == [(0,)]
    assert house.q("select count(*) from engine.incident") == [(0,)]
    assert house.q("select state, count(*) from engine.human_task group by 1") == [(3, 3)]


def test_a_bundle_stands_in_the_inventory(house: House) -> None:
    order_id = house.install(601, "P1")

    products = house.q(
        "select p.offering, b.offering, p.spec, p.state, p.claimed_by, p.characteristics, p.place_id, p.order_id"
        " from inventory.product p left join inventory.product b on b.id = p.parent_id order by p.id"
    )
    broadband = {"速率": 200, "公网IP": False, "WiFi组网": False}
    assert products == [
        ("P1", None, None, 2, None, {}, 601, order_id),
        ("P1-BB", "P1", "product/broadband", 2, None, broadband, 601, order_id),
        ("P1-TV", "P1", "product/iptv", 2, None, {"超清4K": False}, 601, order_id),
        ("P1-TEL", "P1", "product/voice", 2, None, {"来电显示": True}, 601, order_id),
    ]
    services = house.q(
        "select s.spec, s.role, s.state, p.offering from inventory.service s"
        " join inventory.product p on p.id = s.product_id order by s.id"
    )
    assert services == [
        ("service/internet", "main", 4, "P1-BB"), ("service/iptv", "main", 4, "P1-TV"),
        ("service/voice", "main", 4, "P1-TEL"), ("service/caller-id", "additional", 4, "P1-TEL"),
    ]  # fmt: skip
    access = house.effect(order_id, "reserve.access").thing_id
    users = house.q("select thing_id, product_id from inventory.usage order by product_id")
    assert users == [(access, house.products(601)[o]) for o in ("P1-BB", "P1-TV", "P1-TEL")]
    assert house.resources(2) == ["BOX10/1", "10.101", "0571-87000001", "ONU71", "STB71"]
    assert house.resources(1) == []
    assert house.q("select distinct order_id from inventory.resource where state = 2") == [(None,)]


def test_the_systems_outside_hold_what_was_ordered(house: House) -> None:
    order_id = house.install(601, "P1")
    ordered_at = house.q("select ordered_at from ordering.product_order")[0][0]
    bundle, *parts = (house.products(601)[o] for o in ("P1", "P1-BB", "P1-TV", "P1-TEL"))
    loid = f"LD{house.effect(order_id, 'olt.port').thing_id}"
    number = f"{house.number}87000001"

    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") == {
        "pon": f"OLT{house.tag}1/1/1/1", "loid": loid, "svlan": 1001, "cvlan": 101, "speed": 200,
    }  # fmt: skip
    assert house.holds("aaa:zj", "aaa.account", f"zj{loid}") == {"loid": loid, "speed": 200}
    assert house.holds("iptv:zj", "iptv.account", f"tv{loid}") == {"stb": "STB71", "package_4k": False}
    assert house.holds("ims:zj", "ims.user", number) == {"number": number, "loid": loid, "caller_id": True}
    assert house.holds("itms:zj", "itms.config", loid) == {"loid": loid}
    bill = house.holds("billing:zj", "archive.billing", str(bundle))
    assert bill is not None
    tariffs = [("P1-BB", 9900), ("P1-TV", 2000), ("P1-TEL", 1500)]
    assert {k: bill[k] for k in ("offering", "account", "action", "effective_date", "discount", "products")} == {
        "offering": "P1",
        "account": "A601",
        "action": "add",
        "effective_date": ordered_at.date().isoformat(),
        "discount": {
            "policy": "bundle-percent", "percent": 20, "months": 24, "zh": "套餐八折 24 个月",
            "en": "20 % off for 24 months",
        },
        "products": [
            {"id": str(bundle), "offering": "P1", "action": "add", "tariff": {"monthly": 0, "once": 0}},
            *(
                {"id": str(p), "offering": o, "action": "add", "tariff": {"monthly": monthly, "once": 0}}
                for p, (o, monthly) in zip(parts, tariffs, strict=True)
            ),
        ],
    }  # fmt: skip
    sla = house.holds("sla:zj", "archive.sla", str(bundle))
    assert sla is not None
    assert (sla["limit_hours"], sla["level"]) == (48, "3")
    assert datetime.fromisoformat(sla["due"]) == ordered_at + timedelta(hours=48)
    sms = house.holds("sms:zj", "notice.completed", f"{order_id}.1")
    assert sms is not None
    assert sms["number"] == "13857100601"
    assert sms["text"] == f"尊敬的客户王小明,您订购的融合套餐 200M(宽带+IPTV+固话)已竣工,订单号 {order_id}。"


def test_broadband_alone_in_the_country(house: House) -> None:
    order_id = house.install(801, "P2", 速率=500, 公网IP=True)

    assert sorted(e.kind for e in house.effects(order_id)) == [
        "aaa.account", "archive.billing", "archive.resource", "archive.sla", "install.onu", "itms.config",
        "line.splice", "notice.completed", "olt.port", "reserve.access", "reserve.ip", "reserve.onu", "test.broadband",
    ]  # fmt: skip
    loid = f"LD{house.effect(order_id, 'olt.port').thing_id}"
    account = house.holds("aaa:zj", "aaa.account", f"zj{loid}")
    assert account == {"loid": loid, "speed": 500, "ip": "203.0.8.1"}
    assert house.resources(2) == ["BOX80/1", "80.101", "ONU81", "203.0.8.1"]
    sla = house.holds("sla:zj", "archive.sla", str(house.products(801)["P2"]))
    assert sla is not None
    assert sla["limit_hours"] == 72
    bill = house.holds("billing:zj", "archive.billing", str(house.products(801)["P2"]))
    assert bill is not None
    assert "discount" not in bill
    assert bill["products"][0]["tariff"] == {"monthly": 15900, "once": 10000}
    tasks = house.q("select t.name, u.code from engine.human_task t join organization.pool p on p.id = t.pool"
                    " join organization.unit u on u.id = p.unit_id order by t.id")  # fmt: skip
    assert tasks == [("线路:跳纤", "X8-line"), ("新装:入户与终端", "X8-install"), ("测量", "X8-test")]


def test_orders_of_one_batch_do_not_share_resources(house: House) -> None:
    orders = [house.order(f"C{room}", add("P1", room)) for room in (601, 602, 603)]

    house.run()

    assert [house.order_state(o) for o in orders] == ["completed"] * 3
    ports = [house.effect(o, "olt.port").params["subject"] for o in orders]
    assert sorted(ports) == ["BOX10/1", "BOX10/2", "BOX10/3"]
    assert house.resources(0) == ["BOX10/4", "10.104", *_untouched(house)]


def _untouched(house: House) -> list[str]:
    codes = house.resources(0)
    return [c for c in codes if c not in ("BOX10/4", "10.104")]


def _landings(house: House, order_id: int) -> dict[int, int]:
    """The row of the history in which each effect was confirmed."""
    return {
        e["id"]: row["seq"]
        for row in house.history(order_id)
        for e in row["entries"]
        if e["t"] == "effect.state" and e["to"] == "confirmed"
    }
