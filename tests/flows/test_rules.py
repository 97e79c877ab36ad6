"""Users change tables, rules and policies: the next revision follows, what is in flight stays as it was begun."""

from typing import Any

import pytest
from tests.flows.operator import House, add, change

from diaodu.catalog import commands as catalog
from diaodu.catalog import queries as releases
from diaodu.catalog.errors import WorkNotDrawn
from diaodu.engine.ports import Question
from diaodu.fulfilment.facts import OrderDecisions, OrderNames
from diaodu.kernel import journal
from diaodu.ordering.revise import revise
from diaodu.rules import commands as rules
from diaodu.rules import queries as versions
from diaodu.rules.document import to_table, with_table
from diaodu.rules.replay import replay


def publish(house: House, key: str, row: int, *then: str) -> None:
    """One row of a table gets other outputs, by a user, now."""
    with house.db.transaction(actor="designer") as tx:
        version = versions.version_at(tx, key, tx.now)
        table: Any = to_table(version.definitions, key)
        table["rules"][row]["then"] = list(then)
        rules.save_draft(tx, key, with_table(version.definitions, key, table), tests=(), expected_digest=None)
        # A tariff has no row for offerings to come: what stands with an offering holds there.
        catalog.publish_decision(tx, key, accept_gaps=True)


def put(house: House, section: str, entry: str, **changes: Any) -> None:
    """A user changes an entry of the catalogue."""
    with house.db.transaction(actor="designer") as tx:
        found = releases.section(tx, section, tx.now)[entry]
        catalog.put_entry(tx, section, entry, {**found, **changes})


def tariff(house: House, room: int) -> object:
    bill = house.holds("billing:zj", "archive.billing", str(house.products(room)["P2"]))
    assert bill is not None
    return bill["products"][0]["tariff"]


def test_a_new_tariff_is_for_new_orders_not_for_those_in_flight(house: House) -> None:
    begun = house.order("C601", add("P2", 601, 速率=100))
    publish(house, "资费", 5, "6900", "0")
    later = house.order("C602", add("P2", 602, 速率=100))
    house.run()
    assert [house.order_state(o) for o in (begun, later)] == ["completed", "completed"]
    assert tariff(house, 601) == {"monthly": 7900, "once": 10000}
    assert tariff(house, 602) == {"monthly": 6900, "once": 0}


def test_the_next_revision_of_an_order_follows_a_changed_audit_rule(house: House) -> None:
    order_id = house.order("C801", add("P2", 801, 速率=1000))
    house.run()
    assert house.items(order_id) == {"1": ("pending", "audit-refused")}
    put(house, "audit", "rural.speed", holds="地址.农村 = false or 订单项.速率 <= 1000")
    with house.db.transaction(actor="web") as tx:
        journal.lock(tx, [order_id])
        revise(tx, order_id, (add("P2", 801, 速率=1000),), made_by="web")
    house.run()
    assert house.order_state(order_id) == "completed"
    found = house.q("select n, state, release_id, problems from ordering.revision order by n")
    assert [(n, state) for n, state, _, _ in found] == [(1, "rejected"), (2, "accepted")]
    assert found[0][2] < found[1][2]
    assert [p["rule"] for p in found[0][3]] == ["rural.speed"]


def test_a_table_decides_in_the_audit_what_is_added(house: House) -> None:
    house.install(601, "LL", 速率=10, 终端型号="AR28-31")
    line = house.products(601)["LL"]
    publish(house, "终端WAN口", 1, "10")
    order_id = house.order("C601", change("modify", line, "P7", 速率=20))
    house.run()
    added = house.told(order_id, "audit.passed")[0]["added"]
    assert [(a["rule"], a["value"]) for a in added] == [("speed-up.wan-port", "AR28-31")]
    asked = [d for e in house.told(order_id, "decisions.made") for d in e["decisions"] if d["key"] == "终端WAN口"]
    assert asked[0] == {"key": "终端WAN口", "n": 2, "inputs": {"型号": "AR28-31"}, "output": 10, "rules": [2]}


def test_a_changed_condition_changes_the_breakdown(house: House) -> None:
    put(house, "decomposition", "bb.wifi", when='客户.级别 = "三星"')
    order_id = house.order("C601", add("P2", 601))
    house.run()
    specs = house.q("select jsonb_path_query(tree, '$[*].spec') #>> '{}' from ordering.revision")
    assert sorted(s for (s,) in specs) == ["product/broadband", "resource/access", "service/internet", "service/wifi"]
    assert house.order_state(order_id) == "completed"


def test_who_works_until_when_and_how_urgently_is_decided_by_tables(house: House) -> None:
    with house.db.transaction() as tx:
        tx.run("update party.customer set level = '5' where code = 'C602'")
    publish(house, "派单", 0, '"install"', "7")
    house.order("C601", add("P2", 601))
    house.order("C602", add("P2", 602))
    house.run(technicians=False)
    found = house.q(
        "select c.code, p.role, t.priority, extract(epoch from t.due_at - t.created_at)::int / 60"
        " from engine.human_task t join organization.pool p on p.id = t.pool"
        " join ordering.product_order o on o.part = t.part and o.id = t.root_id"
        " join party.customer c on c.id = o.customer_id order by 1"
    )
    assert found == [("C601", "install", 7, 1440), ("C602", "line", 3, 720)]


def test_a_business_rule_task_decides_whether_the_customer_is_told(house: House) -> None:
    publish(house, "通知", 0, "false", '"尊敬的客户"', '"已竣工"')
    order_id = house.install(601, "P2")
    assert [e.kind for e in house.effects(order_id) if e.kind.startswith("notice")] == []
    house.order("C601", change("delete", house.products(601)["P2"]))
    house.run()
    sms = house.q("select item_key from planning.effect where kind = 'notice.completed'")
    assert sms == [("1",)]


def test_a_policy_that_fails_gives_way_and_is_seen(house: House) -> None:
    with house.db.transaction(actor="designer") as tx:
        catalog.put_entry(tx, "policies", "order_limit_hours", '"soon"')
    order_id = house.install(601, "P2")
    sla = house.holds("sla:zj", "archive.sla", str(house.products(601)["P2"]))
    assert sla is not None
    assert sla["limit_hours"] == 48
    assert house.told(order_id, "policy.unfit") == [{"t": "policy.unfit", "policy": "order_limit_hours", "item": "1"}]


def test_a_candidate_is_tried_on_what_was_decided_before(house: House) -> None:
    small = house.install(601, "P2", 速率=100)
    house.install(602, "P2", 速率=200)
    with house.db.transaction(actor="designer") as tx:
        version = versions.version_at(tx, "资费", tx.now)
        table: Any = to_table(version.definitions, "资费")
        table["rules"][5]["then"] = ["6900", "0"]
        definitions = with_table(version.definitions, "资费", table)
        draft = rules.save_draft(tx, "资费", definitions, tests=(), expected_digest=None).version
        found = replay(tx, draft, since=tx.now.replace(year=tx.now.year - 1), limit=100)
    assert (found.same, found.different, found.nulls) == (1, 1, 0)
    ((past, new),) = found.changes
    assert (past.order_id, past.n, past.inputs) == (small, 1, {"销售品": "P2", "速率": 100})
    assert (past.output, new) == ({"monthly": 7900, "once": 10000}, {"monthly": 6900, "once": 0})


def test_work_that_no_process_draws_is_refused_when_the_catalogue_asks_for_it(house: House) -> None:
    found = house.q("select count(*) from catalog.release")
    with house.db.transaction() as tx:
        work = releases.section(tx, "work", tx.now)["W3"]
        effect = releases.section(tx, "effects", tx.now)["line.splice"]
    put_new(house, "work", {**work, "id": "W77"})
    with pytest.raises(WorkNotDrawn) as refused:
        put_new(house, "effects", {**effect, "id": "line.blow", "work": "W77"})
    assert refused.value.params == {"process": "execution", "kinds": "W77"}
    assert house.q("select count(*) from catalog.release") == [(found[0][0] + 1,)]


def put_new(house: House, section: str, entry: dict[str, Any]) -> None:
    with house.db.transaction(actor="designer") as tx:
        catalog.put_entry(tx, section, entry["id"], entry)


def test_a_process_of_something_else_than_an_order_has_no_names_and_no_release(house: House) -> None:
    order_id = house.install(601, "P2")
    other = order_id + (1 << 20)
    with house.db.transaction() as tx:
        assert set(OrderNames().facts(tx, [order_id, other])) == {order_id}
        answers = OrderDecisions().decide(tx, [Question(other, "通知", {})])
    assert [a.code for a in answers] == ["no-order"]
