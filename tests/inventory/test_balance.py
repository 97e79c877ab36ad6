"""Whatever orders ask in whatever order, nothing leaks, and the first to ask is never behind a later one."""

import random
from typing import Any

import pytest

ROOMS = (601, 602, 603)


@pytest.mark.parametrize("seed", range(5))
def test_random_requests_leave_the_books_balanced(orders: Any, seed: int) -> None:
    rng = random.Random(seed)
    requests: dict[int, int] = {}
    for order in range(1, 31):
        lines = [{"thing": order * 10, "want": "access", "address": rng.choice(ROOMS)}]
        if rng.random() < 0.4:
            lines.append({"thing": order * 10 + 1, "want": "number"})
        requests[order] = orders.ask(order, "reserve", *lines)
        if rng.random() < 0.3:
            orders.ask(gone := rng.choice(list(requests)), "withdraw", {"request": requests.pop(gone)})
        if rng.random() < 0.5:
            orders.run()
            check(orders)
    orders.run()
    check(orders)
    for order, request in requests.items():
        orders.ask(order, "withdraw", {"request": request})
    orders.run()
    assert orders.rows("select count(*) from inventory.resource where state <> 0 or holder is not null") == [(0,)]
    assert orders.rows("select distinct state from inventory.request where kind = 'reserve'") == [(2,)]


def check(orders: Any) -> None:
    """Reserved is exactly what served requests were told, and nobody who waits alone for a port could have one."""
    told = orders.rows(
        "select (r->>'id')::int8, r.order_id from ("
        "  select jsonb_array_elements(l.value->'resources') as r, q.order_id from inventory.request q,"
        "  lateral jsonb_each(q.answer->'lines') l where q.kind = 'reserve' and q.state = 1) as r(r, order_id)"
        " order by 1"
    )
    assert told == orders.rows("select id, order_id from inventory.resource where state = 1 order by id")
    assert not orders.rows(
        "select q.id from inventory.request q join inventory.address a on a.id = (q.body->'lines'->0->>'address')::int8"
        " join inventory.resource p on p.area = q.area and p.up_id = a.box_id and p.spec = 'box_port' and p.state = 0"
        " where q.state = 0 and jsonb_array_length(q.body->'lines') = 1"
        " and not exists (select from inventory.request e where e.state = 0 and e.asked_at < q.asked_at)"
    )
