"""合并: a visit is a label; members, limit and crews are read from what carries it."""

from datetime import timedelta

import pytest
from tests.workforce.desk import CUSTOMER, POOL, Worklists

from diaodu.kernel.db import Tx
from diaodu.workforce import visits
from diaodu.workforce.errors import NotInVisit, VisitNotPossible


@pytest.fixture
def lists(tx: Tx) -> Worklists:
    return Worklists(tx)


def members(v: visits.Visit) -> list[tuple[int, str]]:
    return [(m.work_order_id, m.state) for m in v.members]


def test_the_earliest_limit_rules_the_visit_and_each_keeps_its_own(lists: Worklists) -> None:
    one, two = lists.order(), lists.order()
    late = lists.work(one, 1, due=timedelta(days=3))
    soon = lists.work(two, 1, due=timedelta(days=1), person=7)
    planned = visits.preview(lists.tx, [late, soon])
    assert (planned.id, planned.limit_at) == (None, lists.tx.now + timedelta(days=1))
    made = visits.make(lists.tx, planned, (None, None))
    visits.join(lists.tx, made, one, [late])
    # half a merge is a visit
    assert members(visits.get(lists.tx, made)) == [(late, "offered")]
    visits.join(lists.tx, made, two, [soon])
    found = visits.get(lists.tx, made)
    assert members(found) == [(soon, "claimed"), (late, "offered")]
    assert [m.due_at - lists.tx.now for m in found.members] == [timedelta(days=1), timedelta(days=3)]
    assert (found.limit_at, found.pools, found.assignees) == (lists.tx.now + timedelta(days=1), (POOL,), (7,))
    assert [(e["task"], e["to"]) for e in lists.told(two, "visit.joined")] == [(soon, made)]


def test_a_work_order_leaves_and_the_others_stay_together(lists: Worklists) -> None:
    orders = [lists.order() for _ in range(3)]
    work = [lists.work(order, 1, due=timedelta(days=n + 1)) for n, order in enumerate(orders)]
    made = visits.make(lists.tx, visits.preview(lists.tx, work), (None, None))
    for order, w in zip(orders, work, strict=True):
        visits.join(lists.tx, made, order, [w])
    visits.leave(lists.tx, work[0])
    found = visits.get(lists.tx, made)
    assert [m.work_order_id for m in found.members] == work[1:]
    assert found.limit_at == lists.tx.now + timedelta(days=2)
    with pytest.raises(NotInVisit):
        visits.leave(lists.tx, work[0])


def test_what_has_ended_is_elsewhere_or_needs_no_visit_is_not_merged(lists: Worklists) -> None:
    one, two = lists.order(), lists.order()
    here = lists.work(one, 1)
    for other in (
        lists.work(two, 1, state=3),
        lists.work(two, 2, place={"id": 602, "unit": 1}),
        lists.work(two, 3, kind="W3"),
    ):
        with pytest.raises(VisitNotPossible):
            visits.preview(lists.tx, [here, other])
    assert lists.tx.row("select count(*) from workforce.visit") == (0,)


def test_open_work_of_one_customer_at_one_address_within_a_week_is_proposed(lists: Worklists) -> None:
    orders = [lists.order() for _ in range(6)]
    days = timedelta(days=1)
    first, second = lists.work(orders[0], 1, due=days), lists.work(orders[1], 1, due=6 * days)
    lists.work(orders[2], 1, due=20 * days)  # too late
    lists.work(orders[3], 1, due=days, customer=CUSTOMER + 256)  # somebody else's
    lists.work(orders[4], 1, due=days, place={"id": 602, "unit": 1})
    lists.work(orders[5], 1, due=days, kind="W3")  # outside
    assert [members(v) for v in visits.proposals(lists.tx, None)] == [[(first, "offered"), (second, "offered")]]
    assert visits.proposals(lists.tx, frozenset({POOL + 1})) == []
    # windows that do not meet are no visit
    for w, start in ((first, 1), (second, 3)):
        lists.tx.run(
            "update workforce.work_order set start_at = %s, end_at = %s where part = 1 and id = %s",
            (lists.tx.now + start * days, lists.tx.now + (start + 1) * days, w),
        )
    assert visits.proposals(lists.tx, None) == []
