"""待装: who waits in an area, for what, since when and at which place; and the figures of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diaodu.kernel.db import Tx

LIST_MAX = 1_000
_WAITING = """
select id, order_id, revision, asked_at, until, coalesce(answer->'missing', '[]'),
       coalesce(answer->'alternatives', '[]'), waits
  from inventory.request where area = %s and state = 0 order by class, asked_at, id
"""
_FIGURES = """
select r.area, m->>'want', m->>'why', count(distinct r.id), min(r.asked_at),
       percentile_cont(0.5) within group (order by extract(epoch from %(now)s::timestamptz - r.asked_at))
  from inventory.request r cross join lateral jsonb_array_elements(r.answer->'missing') m
 where r.state = 0 and (%(area)s::int4 is null or r.area = %(area)s::int4) group by 1, 2, 3 order by 1, 2, 3
"""


@dataclass(frozen=True)
class Waiting:
    """An order that waits: its rank in the area, and its place among those who wait for the same things."""

    rank: int
    position: int
    order_id: int
    revision: int
    request_id: int
    since: datetime
    until: datetime | None
    missing: list[Mapping[str, Any]]
    alternatives: list[Mapping[str, Any]]
    waits: list[str]


@dataclass(frozen=True)
class Figure:
    """How many orders wait in an area for one kind of thing, and how long: the oldest, and the median in minutes."""

    area: int
    want: str
    why: str
    orders: int
    oldest: datetime
    median_minutes: int


def waiting_list(tx: Tx, area: int) -> list[Waiting]:
    """The waiting orders of an area in the order in which they will be served, at most 1,000."""
    rows = tx.rows(_WAITING, (area,))
    places = _places((waits for *_, waits in rows))
    return [
        Waiting(n, place, order, revision, request, since, until, missing, offered, waits)
        for n, ((request, order, revision, since, until, missing, offered, waits), place) in enumerate(
            zip(rows, places, strict=True), 1
        )
    ][:LIST_MAX]


def _places(ranked: Iterable[list[str]]) -> list[int]:
    """For each, how many before it wait for something that it waits for too, and one."""
    before: dict[str, set[int]] = {}
    places = []
    for n, keys in enumerate(ranked):
        places.append(1 + len(set().union(*(before.get(k, ()) for k in keys))))
        for key in keys:
            before.setdefault(key, set()).add(n)
    return places


def figures(tx: Tx, area: int | None) -> list[Figure]:
    """Who waits how long, by area and by what is missing; of one area or of all."""
    rows = tx.rows(_FIGURES, {"area": area, "now": tx.now})
    return [
        Figure(of, want, why, orders, oldest, int(seconds // 60)) for of, want, why, orders, oldest, seconds in rows
    ]
