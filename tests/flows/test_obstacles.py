"""What stands in the way of an order: rules, missing resources, other orders, failing work."""

import pytest
from tests.flows.operator import CITY_AREA, House, add, change, ports

from diaodu.fulfilment.errors import NothingFailed
from diaodu.inventory import commands as inventory
from diaodu.kernel import journal
from diaodu.ordering.errors import KeyReused
from diaodu.planning import commands as ledger
from diaodu.planning import queries as planning
from diaodu.planning.model import State
from diaodu.workforce.model import EffectOutcome


def test_the_audit_names_rule_field_value_and_mend_and_nothing_is_reserved(house: House) -> None:
    order_id = house.order("C801", add("P2", 801, 速率=1000))
    free = house.resources(0)

    house.run()

    assert house.items(order_id) == {"1": ("pending", "audit-refused")}
    assert house.order_state(order_id) == "pending"
    problems = house.q("select problems, state, tree from ordering.revision where order_id = %s", order_id)
    assert problems == [
        (
            [
                {
                    "rule": "rural.speed", "item": "1", "field": "速率", "value": 1000,
                    "message": {"zh": "农村区域最高 500M", "en": "rural areas are served with 500M at most"},
                    "mend": {"zh": "将速率改为 500 或以下", "en": "order 500 Mbps or less"},
                }
            ],
            "rejected", None,
        )
    ]  # fmt: skip
    assert house.effects(order_id) == []
    assert house.resources(0) == free
    assert house.q("select count(*) from inventory.request") == [(0,)]


def test_all_rules_that_refuse_are_named_at_once(house: House) -> None:
    with house.db.transaction() as tx:
        tx.run("update party.customer set status = 'blacklisted' where code = 'C801'")
    order_id = house.order("C801", add("P2", 801, 速率=1000))

    house.run()

    problems = house.told(order_id, "audit.refused")[0]["problems"]
    assert [(p["rule"], p["value"]) for p in problems] == [("customer.blacklist", "C801"), ("rural.speed", 1000)]


def test_without_a_port_orders_wait_and_the_first_that_came_goes_on_first(house: House) -> None:
    house.install(801, "P2")
    second = house.order("C802", add("P2", 802))
    house.run()
    third = house.order("C803", add("P2", 803))
    house.run()

    assert house.items(second) == {"1": ("held", "no-resource")}
    assert house.order_state(third) == "held"
    assert house.q("select order_id, state, told from inventory.request where kind = 'reserve' and state = 0"
                   " order by asked_at") == [(second, 0, True), (third, 0, True)]  # fmt: skip
    assert house.q("select distinct state from planning.effect where order_id = %s", second) == [("sent",)]
    assert house.resources(1) == []

    removal = house.order("C801", change("delete", house.products(801)["P2"]))
    house.run()

    assert [house.order_state(o) for o in (removal, second, third)] == ["completed", "completed", "held"]
    assert house.items(second) == {"1": ("completed", None)}
    moves = [(e["from"], e["to"], e.get("reason")) for e in house.told(second, "item.state")]
    assert moves[:3] == [
        ("acknowledged", "held", "no-resource"), ("held", "acknowledged", None), ("acknowledged", "inProgress", None),
    ]  # fmt: skip
    port = house.effect(second, "reserve.access").result
    assert port is not None
    assert port["resources"][0]["code"] == "BOX80/1"


def test_new_ports_wake_the_order_that_waits(house: House) -> None:
    house.install(801, "P2")
    order_id = house.order("C802", add("P2", 802))
    house.run()

    with house.db.transaction() as tx:
        inventory.add_resources(tx, 8, ports(80, 2))
    house.run()

    assert house.order_state(order_id) == "completed"
    assert house.effect(order_id, "olt.port").params["subject"] == "BOX80/2"


def test_one_missing_thing_holds_all_and_reserves_none(house: House) -> None:
    with house.db.transaction() as tx:
        tx.run("update inventory.resource set state = 3 where spec = 'number' and area = %s", (CITY_AREA,))
    order_id = house.order("C601", add("P1", 601))

    house.run()

    assert house.items(order_id) == dict.fromkeys(("1", "1.1", "1.2", "1.3"), ("held", "no-resource"))
    assert house.resources(1, 2) == []
    answer = house.q("select answer from inventory.request")[0][0]
    assert [(m["want"], m["why"]) for m in answer["missing"]] == [("number", "none-free")]


def test_a_product_that_another_order_changes_is_refused(house: House) -> None:
    house.install(601, "LL")
    line = house.products(601)["LL"]
    first = house.order("C601", change("modify", line, "P7", 速率=20))
    house.run(technicians=False)
    second = house.order("C601", change("delete", line))

    house.run(technicians=False)

    assert house.items(second) == {"1": ("pending", "inventory.product-claimed")}
    assert house.q("select state, problems from ordering.revision where order_id = %s", second) == [
        ("rejected", [{"code": "inventory.product-claimed"}])
    ]
    assert {e.state for e in house.effects(second)} == {State.WITHDRAWN}
    assert house.q("select claimed_by from inventory.product where id = %s", line) == [(first,)]
    assert house.q("select count(*) from engine.incident") == [(0,)]

    house.run()

    assert house.order_state(first) == "completed"
    assert house.items(second) == {"1": ("pending", "inventory.product-claimed")}


def test_a_refused_command_holds_its_item_only_and_goes_on_when_it_is_repaired(house: House) -> None:
    house.client.fault(refuse={"kind": "aaa.account"})
    order_id = house.order("C601", add("P1", 601))
    house.run()

    assert house.items(order_id) == {
        "1": ("inProgress", None), "1.1": ("held", "fallout:aaa.account"),
        "1.2": ("inProgress", None), "1.3": ("inProgress", None),
    }  # fmt: skip
    failed = house.effect(order_id, "aaa.account")
    assert failed.state is State.FAILED
    assert failed.result is not None
    assert failed.result["cause"]["code"] == "equipment-failure"
    states = {e.kind: e.state for e in house.effects(order_id)}
    assert states["install.onu"] is State.CONFIRMED
    assert (states["itms.config"], states["test.voice"]) == (State.INTENT, State.INTENT)
    assert house.order_state(order_id) == "inProgress"

    house.client.fault()
    house.retry(failed.order_id, failed.id)
    house.run()

    assert house.order_state(order_id) == "completed"
    moves = [(e["from"], e["to"], e.get("reason")) for e in house.told(order_id, "item.state") if e["key"] == "1.1"]
    assert moves[1:4] == [
        ("inProgress", "held", "fallout:aaa.account"), ("held", "inProgress", None), ("inProgress", "closing", None),
    ]  # fmt: skip


def test_an_item_with_two_failures_is_held_until_both_are_repaired(house: House) -> None:
    house.client.fault(refuse={"kind": "aaa.account"})
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    splice = house.claim("W3", order_id)
    house.report(splice, "r1", EffectOutcome(splice.lines[0].effect, ok=False, reason="光缆中断"))
    house.run(technicians=False)
    assert house.items(order_id)["1"][0] == "held"

    house.client.fault()
    house.retry(order_id, house.effect(order_id, "aaa.account").id)
    house.run()
    assert house.items(order_id) == {"1": ("held", "fallout:line.splice")}

    house.retry(order_id, house.effect(order_id, "line.splice").id)
    house.run()
    assert house.items(order_id) == {"1": ("completed", None)}


def test_a_failing_archive_is_fallout_of_a_closing_order(house: House) -> None:
    house.client.fault(refuse={"kind": "archive.billing"})
    order_id = house.order("C601", add("P2", 601))
    house.run()
    assert house.items(order_id) == {"1": ("held", "fallout:archive.billing")}

    house.client.fault()
    house.retry(order_id, house.effect(order_id, "archive.billing").id)
    house.run()

    assert house.items(order_id) == {"1": ("completed", None)}
    moves = [(e["from"], e["to"]) for e in house.told(order_id, "item.state")]
    assert moves[2:] == [("closing", "held"), ("held", "closing"), ("closing", "completed")]


def test_work_that_failed_is_offered_again(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False)
    splice = house.claim("W3", order_id)
    house.report(splice, "r1", EffectOutcome(splice.lines[0].effect, ok=False, reason="光缆中断"))
    house.run()

    assert house.items(order_id)["1.1"] == ("held", "fallout:line.splice")
    assert house.effect(order_id, "line.splice").result == {"cause": "光缆中断"}
    assert house.effect(order_id, "install.onu").state is State.INTENT

    house.retry(order_id, splice.lines[0].effect)
    house.run()

    assert house.order_state(order_id) == "completed"
    assert [e["kind"] for e in house.told(order_id, "work.offered")] == ["W3", "W3", "W4", "W5"]


def test_only_what_failed_is_done_again(house: House) -> None:
    order_id = house.install(601, "P2")
    rows = house.q("select count(*) from engine.job")

    with pytest.raises(NothingFailed):
        house.retry(order_id, house.effect(order_id, "olt.port").id)

    assert house.q("select count(*) from engine.job") == rows


def test_a_report_after_the_withdrawal_is_true_all_the_same(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    splice = house.claim("W3", order_id)
    with house.db.transaction() as tx:
        journal.lock(tx, [order_id])
        effect = planning.ledger(tx, [order_id])[order_id]
        ledger.land(tx, [ledger.Landing(e, State.WITHDRAWN) for e in effect if e.kind == "line.splice"])
        tx.run("update engine.human_task set state = 4 where id = %s", (splice.id,))

    house.report(splice, "late")
    house.run(technicians=False)

    assert house.effect(order_id, "line.splice").state is State.CONFIRMED
    assert house.q("select state from engine.human_task where id = %s", splice.id) == [(4,)]
    assert [e["kind"] for e in house.told(order_id, "work.offered")] == ["W3", "W4"]


def test_a_report_enters_once(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    splice = house.claim("W3", order_id)
    effect = splice.lines[0].effect
    house.report(splice, "r1", EffectOutcome(effect, ok=True, data={"损耗": 3}))
    house.report(splice, "r1", EffectOutcome(effect, ok=False, reason="again"))
    house.run(technicians=False)

    assert house.effect(order_id, "line.splice").result == {"损耗": 3}
    assert [e["source"] for e in house.told(order_id, "report.landed")].count("work") == 1


def test_the_same_key_makes_one_order(house: House) -> None:
    draft = add("P2", 601)
    first = house.order("C601", draft, key="CRM-1")
    rows = house.q("select count(*) from ordering.order_item")

    assert house.order("C601", draft, key="CRM-1") == first
    assert house.order("C601", draft, key="CRM-1", at="shop") != first
    assert house.q("select count(*) from ordering.order_item where order_id = %s", first) == rows == [(1,)]


def test_the_same_key_with_other_content_changes_nothing(house: House) -> None:
    first = house.order("C601", add("P2", 601), key="CRM-1")
    count = "select (select count(*) from ordering.product_order), (select count(*) from engine.job), (select count(*)"
    count += " from ordering.order_item), (select count(*) from kernel.history), (select count(*) from kernel.root)"
    before = house.q(count)

    with pytest.raises(KeyReused) as refused:
        house.order("C601", add("P2", 601, 速率=500), key="CRM-1")

    assert refused.value.params == {"key": "CRM-1", "id": first}
    assert (refused.value.code, refused.value.status) == ("ordering.key-reused", 409)
    assert house.q(count) == before
