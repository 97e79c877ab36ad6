"""Orders of one customer that share a visit: statements 47 to 49 of the dispatch semantics."""

from collections.abc import Sequence
from datetime import timedelta

from tests.flows.cancelling import ask
from tests.flows.operator import House, add

from diaodu.planning.model import Effect
from diaodu.workforce import visits

OFFERINGS = (("P2", {"速率": 100}), ("P2", {"速率": 200}), ("LL", {"速率": 10, "终端型号": "AR18-20"}))


def three_orders(house: House) -> list[int]:
    """Three open orders of one customer at one address, each with its installation on offer."""
    orders = [house.order("C601", add(offering, 601, **c)) for offering, c in OFFERINGS]
    house.run(technicians=False)
    for order_id in orders:
        house.report(house.claim("W3", order_id), f"W3-{order_id}")
    house.run(technicians=False)
    return orders


def installation(house: House, order_id: int) -> int:
    return int(house.q("select id from workforce.work_order where order_id = %s and kind = 'W4'", order_id)[0][0])


def merged(house: House, orders: Sequence[int]) -> int:
    """One command per order, each in a transaction of its own."""
    work = [installation(house, o) for o in orders]
    with house.db.transaction() as tx:
        proposed = visits.proposals(tx, None)
        assert [sorted(m.work_order_id for m in v.members) for v in proposed] == [sorted(work)]
        made = visits.make(tx, proposed[0], (None, None))
    for order_id, w in zip(orders, work, strict=True):
        with house.db.transaction() as tx:
            visits.join(tx, made, order_id, [w])
    return made


def look(house: House, visit_id: int) -> visits.Visit:
    with house.db.transaction() as tx:
        return visits.get(tx, visit_id)


def notices(house: House, orders: Sequence[int]) -> list[str]:
    """What the customer was told, by order."""
    found = [house.holds("sms:zj", "notice.completed", f"{o}.1") for o in orders]
    return [f["text"] for f in found if f]


def test_47_merged_orders_are_one_visit_and_one_notice_and_each_keeps_its_own(house: House) -> None:
    orders = three_orders(house)
    visit = merged(house, orders)
    limits = {m.order_id: m.due_at for m in look(house, visit).members}

    house.run()

    assert [house.order_state(o) for o in orders] == ["completed"] * 3
    assert {m.order_id: (m.state, m.due_at) for m in look(house, visit).members} == {
        o: ("done", limits[o]) for o in orders
    }
    told = notices(house, orders)
    assert len(told) == 1
    speaker = next(o for o in orders if house.holds("sms:zj", "notice.completed", f"{o}.1"))
    assert all(str(o) in told[0] for o in orders if o != speaker)
    assert {(e.state, (e.result or {}).get("told_by")) for o in orders for e in _notice(house, o) if o != speaker} == {
        ("confirmed", str(speaker))
    }
    archives = {(o, e.kind) for o in orders for e in house.effects(o) if e.kind == "archive.billing"}
    assert len(archives) == 3


def _notice(house: House, order_id: int) -> list[Effect]:
    return [e for e in house.effects(order_id) if e.kind == "notice.completed"]


def test_49_the_earliest_limit_rules_the_visit_and_each_is_still_reported(house: House) -> None:
    orders = three_orders(house)
    visit = merged(house, orders)
    first = installation(house, orders[1])
    before = {m.work_order_id: m.due_at for m in look(house, visit).members}
    with house.db.transaction() as tx:
        tx.run("update engine.human_task set due_at = due_at - %s where id = %s", (timedelta(hours=3), first))

    found = look(house, visit)

    assert found.limit_at == before[first] - timedelta(hours=3)
    assert {m.work_order_id: m.due_at for m in found.members} == before | {first: found.limit_at}


def test_48_when_one_order_is_cancelled_the_visit_shrinks_and_stays(house: House) -> None:
    orders = three_orders(house)
    visit = merged(house, orders)

    ask(house, orders[0])
    house.run(technicians=False)

    found = look(house, visit)
    assert {m.order_id: m.state for m in found.members} == {
        orders[0]: "withdrawn", orders[1]: "offered", orders[2]: "offered",
    }  # fmt: skip
    assert found.limit_at == min(m.due_at for m in found.members if m.open)
    house.run()
    assert [house.order_state(o) for o in orders] == ["cancelled", "completed", "completed"]
    told = notices(house, orders)
    assert len(told) == 1
    assert str(orders[0]) not in told[0]
