"""The rows of 异常: read by id, by order and as a worklist; written whole, with their history."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from diaodu.catalog.model import CauseClass, Handling
from diaodu.fulfilment.fallout_model import FALLOUT_TABLE, Happening, Record, Standing, Subject
from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of

_NAMES = (
    "id, order_id, subject, kind, work, item_key, element, cause, class, told, advice, state, pool, assignee,"
    " attempts, failed_at, due_at, opened_at, resolution, evidence, bulk_id, ended_at"
)
_COLUMNS = {
    "part": "int2", "id": "int8", "order_id": "int8", "subject": "text", "kind": "text", "work": "text",
    "item_key": "text", "element": "text", "cause": "text", "class": "text", "told": "jsonb", "advice": "text",
    "state": "text", "pool": "int4", "assignee": "text", "attempts": "int2", "failed_at": "timestamptz",
    "due_at": "timestamptz", "opened_at": "timestamptz", "resolution": "text", "evidence": "jsonb", "bulk_id": "int8",
    "ended_at": "timestamptz",
}  # fmt: skip
_CHANGING = (
    "cause", "class", "told", "advice", "state", "pool", "assignee", "attempts", "failed_at", "due_at", "resolution",
    "evidence", "bulk_id", "ended_at",
)  # fmt: skip
_AGAIN = f"(part, id) do update set {', '.join(f'{c} = excluded.{c}' for c in _CHANGING)}"
_NEEDS_SOMEBODY = "state in ('open', 'claimed')"


@dataclass(frozen=True)
class SameCause:
    """Open failures of one cause at one element."""

    cause: str
    cause_class: CauseClass
    element: str | None
    count: int
    oldest: datetime


@dataclass(frozen=True)
class Search:
    """Which records of the worklist are wanted; ``pools`` None: of all worklists."""

    pools: Collection[int] | None = None
    state: Standing | None = None
    cause: str | None = None
    element: str | None = None
    order_id: int | None = None


def records(tx: Tx, part: int, ids: Collection[int]) -> dict[int, Record]:
    """The records under these ids, of those that have one."""
    if not ids:
        return {}
    rows = tx.rows(
        f"select {_NAMES} from fulfilment.fallout where part = %s and id = any(%s::int8[])", (part, sorted(ids))
    )
    return {r.id: r for r in map(_record, rows)}


def get(tx: Tx, record_id: int) -> Record:
    """One record; NotFound."""
    found = records(tx, part_of(record_id), [record_id])
    if record_id not in found:
        raise NotFound(entity="fallout", id=record_id)
    return found[record_id]


def search(tx: Tx, wanted: Search, limit: int) -> list[Record]:
    """The records that match, the most urgent first; without ``state`` those that need somebody."""
    state = _NEEDS_SOMEBODY if wanted.state is None else "state = %(state)s"
    values = {
        "pools": None if wanted.pools is None else sorted(wanted.pools), "state": wanted.state, "cause": wanted.cause,
        "element": wanted.element, "order": wanted.order_id,
        "part": None if wanted.order_id is None else part_of(wanted.order_id), "limit": limit,
    }  # fmt: skip
    rows = tx.rows(
        f"select {_NAMES} from fulfilment.fallout where {state}"
        " and (%(pools)s::int4[] is null or pool = any(%(pools)s::int4[]))"
        " and (%(cause)s::text is null or cause = %(cause)s) and (%(element)s::text is null or element = %(element)s)"
        " and (%(order)s::int8 is null or (part = %(part)s and order_id = %(order)s))"
        " order by due_at, id limit %(limit)s",
        values,
    )
    return [_record(r) for r in rows]


def of_order(tx: Tx, order_id: int) -> list[Record]:
    """All records of an order, closed ones too, oldest first."""
    rows = tx.rows(
        f"select {_NAMES} from fulfilment.fallout where part = %s and order_id = %s order by opened_at, id",
        (part_of(order_id), order_id),
    )
    return [_record(r) for r in rows]


def unsettled(tx: Tx, order_ids: Sequence[int]) -> list[Record]:
    """The records of effects that are not closed, of orders of one partition."""
    rows = tx.rows(
        f"select {_NAMES} from fulfilment.fallout where part = %s and order_id = any(%s::int8[])"
        " and subject = 'effect' and state <> 'closed' order by id",
        (part_of(order_ids[0]), list(order_ids)),
    )
    return [_record(r) for r in rows]


def same_causes(tx: Tx, pools: Collection[int] | None) -> list[SameCause]:
    """The open failures, grouped by cause and element, the most first."""
    rows = tx.rows(
        "select cause, min(class), element, count(*), min(opened_at) from fulfilment.fallout where state = 'open'"
        " and (%(pools)s::int4[] is null or pool = any(%(pools)s::int4[]))"
        " group by cause, element order by count(*) desc, cause, element",
        {"pools": None if pools is None else sorted(pools)},
    )
    return [SameCause(cause, CauseClass(kind), *rest) for cause, kind, *rest in rows]


def move(tx: Tx, moves: Iterable[tuple[Record | None, Record, dict[str, Any]]]) -> None:
    """Write records and tell their orders, which are locked: before (None: it is new), after, and what else to tell."""
    rows: list[tuple[Any, ...]] = []
    for before, after, more in moves:
        rows.append(_row(after))
        entry = {
            "t": "fallout.state", "id": after.id, "kind": after.kind, "item": after.item_key, "cause": after.cause,
            "class": after.cause_class, "from": before and before.state, "to": after.state, "pool": after.pool,
        }  # fmt: skip
        journal.record(tx, after.order_id, entry | more)
    sets.insert(tx, "fulfilment.fallout", _COLUMNS, rows, on_conflict=_AGAIN)


def after(record: Record, what: Happening, at: datetime, **changes: Any) -> Record:
    """The record after something has happened to it; NotPossible."""
    state = FALLOUT_TABLE.take(record.state, what, entity="fallout", key=record.id)
    ended = at if state is Standing.CLOSED else None
    return replace(record, state=state, ended_at=ended, **changes)


def _row(r: Record) -> tuple[Any, ...]:
    return (
        part_of(r.id), r.id, r.order_id, r.subject, r.kind, r.work, r.item_key, r.element, r.cause, r.cause_class,
        r.told, r.advice, r.state, r.pool, r.assignee, r.attempts, r.failed_at, r.due_at, r.opened_at, r.resolution,
        r.evidence, r.bulk_id, r.ended_at,
    )  # fmt: skip


def _record(row: Sequence[Any]) -> Record:
    values = list(row)
    values[2], values[8], values[10] = Subject(row[2]), CauseClass(row[8]), Handling(row[10])
    values[11] = Standing(row[11])
    return Record(*values)
