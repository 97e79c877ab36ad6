"""合并: a visit is a label on work orders of one place; it has no state, and each order keeps its own of everything.

Orders lie in different partitions, so a merge is one command per order, each in its own transaction: half a merge is a
valid merge. Members, limit (the earliest) and crews are read from the work orders that carry the label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.engine.queries import TASK_STATES
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of
from diaodu.kernel.sets import to_json
from diaodu.workforce import errors

# Visits of one customer that are due within so many days could be one.
WITHIN = timedelta(days=7)
PROPOSED_MAX = 100
_MEMBER = (
    "w.id, w.order_id, w.kind, t.name, t.state, t.pool, t.assignee, t.due_at, w.customer_id, w.place, w.start_at,"
    " w.end_at, w.visit_id, w.release_id"
)
_FROM = "from workforce.work_order w join engine.v_human_task t on t.part = w.part and t.id = w.id"


@dataclass(frozen=True)
class Member:
    """A work order as a visit sees it; ``due_at`` is its own limit, whatever the visit's is."""

    work_order_id: int
    order_id: int
    kind: str
    name: str
    state: str
    pool: int
    assignee_id: int | None
    due_at: datetime
    customer_id: int | None
    place: dict[str, Any]
    start_at: datetime | None
    end_at: datetime | None
    visit_id: int | None
    release_id: int

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.state in ("offered", "claimed", "suspended")


@dataclass(frozen=True)
class Visit:
    """A label with what is read of its members; ``limit_at`` is the earliest limit of what is still to be done."""

    id: int | None
    place: dict[str, Any]
    start_at: datetime | None
    end_at: datetime | None
    limit_at: datetime | None
    pools: tuple[int, ...]
    assignees: tuple[int, ...]
    members: tuple[Member, ...]


def preview(tx: Tx, work_order_ids: Sequence[int]) -> Visit:
    """The visit that these work orders would make, nothing written; VisitNotPossible names what stands against it."""
    found = _named(tx, work_order_ids)
    if missing := set(work_order_ids) - {m.work_order_id for m in found}:
        raise NotFound(entity="workOrder", id=min(missing))
    places = {m.place.get("id") for m in found}
    if len(places) > 1:
        raise errors.VisitNotPossible(why_en="they are at different addresses", why_zh="地址不同")
    for m in found:
        _mergeable(tx, m)
    return _visit(None, found[0].place, (None, None), found)


def make(tx: Tx, planned: Visit, window: tuple[datetime | None, datetime | None]) -> int:
    """A new label for what was previewed, in a transaction of its own; its id."""
    made = tx.new_id(part_of(planned.members[0].work_order_id))
    tx.run(
        "insert into workforce.visit (part, id, place, start_at, end_at, made_by, created_at)"
        " values (%s, %s, %s::jsonb, %s, %s, %s, %s)",
        (part_of(made), made, to_json(planned.place), *window, tx.actor, tx.now),
    )
    return made


def join(tx: Tx, visit_id: int, order_id: int, work_order_ids: Sequence[int]) -> None:
    """Put the label on work orders of one order; VisitNotPossible when one has ended meanwhile."""
    journal.lock(tx, [order_id])
    for m in _named(tx, work_order_ids):
        _mergeable(tx, m)
        _label(tx, m, visit_id, "visit.joined")


def leave(tx: Tx, work_order_id: int) -> None:
    """Take a work order out of its visit; the others stay together."""
    for m in _named(tx, [work_order_id]):
        journal.lock(tx, [m.order_id])
        if m.visit_id is None:
            raise errors.NotInVisit(id=work_order_id)
        _label(tx, m, None, "visit.left")


def get(tx: Tx, visit_id: int) -> Visit:
    """A visit with its members, ended ones too. NotFound."""
    row = tx.row(
        "select place, start_at, end_at from workforce.visit where part = %s and id = %s", (part_of(visit_id), visit_id)
    )
    if row is None:
        raise NotFound(entity="visit", id=visit_id)
    return _visit(visit_id, row[0], (row[1], row[2]), _members(tx, "w.visit_id = %s", visit_id))


def proposals(tx: Tx, pools: frozenset[int] | None, customer_id: int | None = None) -> list[Visit]:
    """Open work at the customer's that could be one visit: same customer, address and window."""
    mine = sorted(pools) if pools is not None else None
    found = _members(
        tx,
        "t.state in (0, 1) and w.customer_id is not null and w.visit_id is null"
        " and (%s::int4[] is null or t.pool = any(%s::int4[])) and (%s::int8 is null or w.customer_id = %s)",
        mine, mine, customer_id, customer_id,
    )  # fmt: skip
    by_place: dict[Any, list[Member]] = {}
    for m in found:
        if _on_site(tx, m):
            by_place.setdefault((m.customer_id, m.place.get("id")), []).append(m)
    groups = [g for members in by_place.values() for g in _together(members)]
    return [_visit(None, g[0].place, _window(g), g) for g in groups if len({m.order_id for m in g}) > 1][:PROPOSED_MAX]


def _together(members: Sequence[Member]) -> list[list[Member]]:
    """Members due within a week of each other whose promised windows, if they have any, overlap; the earliest first."""
    groups: list[list[Member]] = []
    for m in sorted(members, key=lambda m: (m.due_at, m.work_order_id)):
        if groups and m.due_at - groups[-1][0].due_at <= WITHIN and _overlap([*groups[-1], m]):
            groups[-1].append(m)
        else:
            groups.append([m])
    return groups


def _overlap(members: Sequence[Member]) -> bool:
    start, end = _window(members)
    return start is None or end is None or start < end


def _window(members: Sequence[Member]) -> tuple[datetime | None, datetime | None]:
    """What the promised windows of the members have in common."""
    starts = [m.start_at for m in members if m.start_at is not None]
    ends = [m.end_at for m in members if m.end_at is not None]
    return max(starts, default=None), min(ends, default=None)


def _mergeable(tx: Tx, m: Member) -> None:
    if not m.open:
        raise errors.VisitNotPossible(
            why_en=f"work order {m.work_order_id} is {m.state}", why_zh=f"工单 {m.work_order_id} 已结束"
        )
    if not _on_site(tx, m):
        raise errors.VisitNotPossible(
            why_en=f"work order {m.work_order_id} is not done at the customer's",
            why_zh=f"工单 {m.work_order_id} 无需上门",
        )


def _on_site(tx: Tx, m: Member) -> bool:
    return catalog.get_release(tx, m.release_id).work[m.kind].on_site


def _label(tx: Tx, m: Member, visit_id: int | None, what: str) -> None:
    if m.visit_id == visit_id:
        return
    part = part_of(m.work_order_id)
    sql = "update workforce.work_order set visit_id = %s where part = %s and id = %s"
    tx.expect(1, sql, (visit_id, part, m.work_order_id))
    entry = {"t": what, "task": m.work_order_id, "from": m.visit_id, "to": visit_id, "by": tx.actor}
    journal.record(tx, m.order_id, entry)


def _named(tx: Tx, ids: Sequence[int]) -> list[Member]:
    by_part: dict[int, list[int]] = {}
    for i in ids:
        by_part.setdefault(part_of(i), []).append(i)
    return [m for part, of in by_part.items() for m in _members(tx, "w.part = %s and w.id = any(%s::int8[])", part, of)]


def _members(tx: Tx, where: str, *params: Any) -> list[Member]:
    rows = tx.rows(f"select {_MEMBER} {_FROM} where {where} order by t.due_at, w.id", params)
    return [_member(r) for r in rows]


def _member(row: tuple[Any, ...]) -> Member:
    values = [*row]
    values[4] = TASK_STATES[row[4]]
    return Member(*values)


def _visit(
    visit_id: int | None,
    place: dict[str, Any],
    window: tuple[datetime | None, datetime | None],
    members: Sequence[Member],
) -> Visit:
    left = [m for m in members if m.open]
    return Visit(
        visit_id,
        place,
        *window,
        limit_at=min((m.due_at for m in left), default=None),
        pools=tuple(sorted({m.pool for m in left})),
        assignees=tuple(sorted({m.assignee_id for m in left if m.assignee_id is not None})),
        members=tuple(members),
    )


def shared_with(tx: Tx, order_ids: Sequence[int]) -> dict[int, dict[int, datetime]]:
    """For each of these orders of one partition the customer's others of the same visit, each with its latest limit."""
    mine = tx.rows(
        "select order_id, visit_id, customer_id from workforce.work_order"
        " where part = %s and order_id = any(%s::int8[]) and visit_id is not null",
        (part_of(order_ids[0]), list(order_ids)),
    )
    found: dict[int, dict[int, datetime]] = {i: {} for i in order_ids}
    members: dict[int, list[Member]] = {}
    for m in _members(tx, "w.visit_id = any(%s::int8[])", sorted({r[1] for r in mine})) if mine else ():
        members.setdefault(m.visit_id or 0, []).append(m)
    for order_id, visit_id, customer_id in mine:
        for m in members[visit_id]:
            if m.order_id != order_id and m.customer_id == customer_id:
                known = found[order_id].get(m.order_id, m.due_at)
                found[order_id][m.order_id] = max(known, m.due_at)
    return found
