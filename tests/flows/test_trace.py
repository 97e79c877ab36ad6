"""轨迹: the order at past instants, why its steps are there, and what its customer is told."""

from tests.flows.operator import House, add

from diaodu.fulfilment.customer_page import customer_page
from diaodu.fulfilment.trace import past, why
from diaodu.kernel import journal


def test_an_order_is_shown_as_it_stood_at_every_past_instant(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False)
    with house.db.transaction() as tx:
        captured = journal.read(tx, order_id)[0]["at"]
        middle = journal.read(tx, order_id)[-1]["at"]
        tasks = [r[0] for r in tx.rows("select id from workforce.work_order where order_id = %s", (order_id,))]
    house.run()
    with house.db.transaction() as tx:
        at_first, in_between, now = (past(tx, order_id, at) for at in (captured, middle, tx.now))
    assert (at_first.state, at_first.revision, at_first.effects) == ("acknowledged", None, [])
    assert {i["state"] for i in at_first.items.values()} == {"acknowledged"}
    assert (in_between.state, in_between.revision, len(tasks)) == ("inProgress", 1, 1)
    states = {e["kind"]: e["state"] for e in in_between.effects}
    assert (states["line.splice"], states["olt.port"]) == ("intent", "confirmed")
    assert (now.state, {e["state"] for e in now.effects}) == ("completed", {"confirmed"})


def test_a_step_tells_why_it_is_there(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False)
    splice = house.effect(order_id, "line.splice")
    task = house.q("select id from workforce.work_order where order_id = %s", order_id)[0][0]
    with house.db.transaction() as tx:
        told = [b.en for b in why(tx, order_id, splice.id)]
        of_task = [b.en for b in why(tx, order_id, task)]
    assert told[0] == "line.splice (do) it was not there"
    assert told[1] == "comes after: reserve.access confirmed"
    assert any(line.startswith("resource/access, rule ") for line in told)
    assert "item 1.1: add Broadband in the bundle" in told
    assert any(line.startswith("revision 1 of the order, release ") for line in told)
    assert of_task == told  # the work order carries this effect alone


def test_the_customers_page_says_where_the_order_is_without_names_of_systems(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False)
    with house.db.transaction() as tx:
        page = customer_page(tx, order_id)
    assert page.zh[:2] == (f"订单 {order_id}：融合套餐 200M(宽带+IPTV+固话)", "当前：正在办理")
    assert page.en[1] == "Now: being worked on"
    assert not any(word in line for line in page.zh for word in ("olt", "aaa", "W3"))
