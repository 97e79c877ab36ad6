"""What failed for one cause, done again together: looked at, confirmed, then done partition by partition.

A preview counts, names the first ones and gives a digest of all; nothing happens without it. A confirmed operation has
exactly those done again that stood open at the preview and still do, so many a second, and stops by itself when too
many of them fail again. Each batch is one transaction that also writes down how far it came: a crash neither loses
nor doubles any of it.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from diaodu.engine import commands as engine
from diaodu.fulfilment import fallout_store as store
from diaodu.fulfilment.errors import BulkEmpty, BulkUnknown
from diaodu.fulfilment.fallout_model import Happening, Record, Standing
from diaodu.kernel import journal, sets
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import NotFound
from diaodu.planning.model import State

BATCH, FIRST = 100, 20
STOP_SHARE, STOP_LEAST = 0.2, 5
PREVIEW_LIVES = timedelta(hours=1)
TOO_MANY = "failures"  # who stopped it, when nobody did
AHEAD_S = 1.0  # how far the instants of a batch lie ahead
_CHOSEN = (
    "state = 'open' and subject = 'effect' and cause = %(cause)s and failed_at <= %(made_at)s"
    " and (%(element)s::text is null or element = %(element)s)"
)
_TODO = """
select b.id, p.part from fulfilment.bulk b cross join unnest(%s::int2[]) p(part)
 where b.confirmed_at is not null and b.stopped_at is null and jsonb_exists(b.slots, p.part::text)
   and not exists (select from fulfilment.bulk_part d
                    where d.part = p.part and d.bulk_id = b.id and d.ended_at is not null)
 order by b.id, p.part
"""


@dataclass(frozen=True)
class Terms:
    """What is done again and how: ``stop_share`` of those heard of, at least ``stop_least`` of them, end it."""

    cause: str
    element: str | None
    reason: str
    per_second: float
    stop_share: float
    stop_least: int


@dataclass(frozen=True)
class Preview:
    """What would be done again; ``digest`` confirms it within an hour."""

    id: int
    count: int
    first: tuple[Mapping[str, Any], ...]
    digest: str


@dataclass(frozen=True)
class Progress:
    """How far it has come; ``state`` is previewed, running, stopped or ended."""

    id: int
    cause: str
    element: str | None
    reason: str
    made_by: str
    made_at: datetime
    state: str
    found: int
    resumed: int
    mended: int
    failed: int
    stopped_by: str | None


def preview(tx: Tx, terms: Terms, by: str) -> Preview:
    """Count what stands open for a cause, without touching it. BulkEmpty."""
    chosen = {"cause": terms.cause, "element": terms.element, "made_at": tx.now}
    rows = tx.rows(f"select id, order_id, kind from fulfilment.fallout where {_CHOSEN} order by part, id", chosen)
    if not rows:
        raise BulkEmpty(cause=terms.cause)
    made, digest = tx.new_id(0), hashlib.sha256(",".join(str(r[0]) for r in rows).encode()).hexdigest()
    tx.run(
        "insert into fulfilment.bulk (id, cause, element, per_second, stop_share, stop_least, reason, found, digest,"
        " made_by, made_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (made, terms.cause, terms.element, terms.per_second, terms.stop_share, terms.stop_least, terms.reason,
         len(rows), digest, by, tx.now),
    )  # fmt: skip
    first = tuple({"id": str(i), "order": str(order), "kind": kind} for i, order, kind in rows[:FIRST])
    return Preview(made, len(rows), first, digest)


def confirm(tx: Tx, bulk_id: int, digest: str, by: str) -> Progress:
    """Do what was previewed; twice the same. BulkUnknown."""
    row = tx.row(
        "select cause, element, made_at, confirmed_at from fulfilment.bulk"
        " where id = %s and digest = %s and made_by = %s and made_at > %s",
        (bulk_id, digest, by, tx.now - PREVIEW_LIVES),
    )
    if row is None:
        raise BulkUnknown(id=bulk_id)
    if row[3] is None:
        counts = tx.rows(
            f"select part, count(*) from fulfilment.fallout where {_CHOSEN} group by part order by part",
            {"cause": row[0], "element": row[1], "made_at": row[2]},
        )
        before = [0, *accumulate(count for _, count in counts)]
        slots = {str(part): first for (part, _), first in zip(counts, before, strict=False)}
        tx.expect(
            1,
            "update fulfilment.bulk set confirmed_at = %s, slots = %s::jsonb where id = %s",
            (tx.now, sets.to_json(slots), bulk_id),
        )
    return progress(tx, bulk_id)


def stop(tx: Tx, bulk_id: int, by: str) -> Progress:
    """Have no more of it done; what is at work already goes on. NotFound."""
    tx.run(
        "update fulfilment.bulk set stopped_at = %s, stopped_by = %s where id = %s and stopped_at is null",
        (tx.now, by, bulk_id),
    )
    return progress(tx, bulk_id)


def progress(tx: Tx, bulk_id: int) -> Progress:
    """How far an operation has come; NotFound."""
    found = _all(tx, "where b.id = %s", (bulk_id,))
    if not found:
        raise NotFound(entity="bulk operation", id=bulk_id)
    return found[0]


def operations(tx: Tx, limit: int) -> list[Progress]:
    """The confirmed operations, the newest first."""
    return _all(tx, "where b.confirmed_at is not null", (), f" order by b.id desc limit {int(limit)}")


def _all(tx: Tx, where: str, params: tuple[Any, ...], order: str = "") -> list[Progress]:
    rows = tx.rows(
        "select b.id, b.cause, b.element, b.reason, b.made_by, b.made_at, b.confirmed_at, b.stopped_at, b.found,"
        f" b.stopped_by, b.slots from fulfilment.bulk b {where}{order}",
        params,
    )
    found = []
    for i, cause, element, reason, by, at, confirmed, stopped, count, stopped_by, slots in rows:
        resumed, mended, failed, ended = _counts(tx, i)
        running = "ended" if confirmed and ended >= len(slots) else "running"
        state = "stopped" if stopped else running if confirmed else "previewed"
        found.append(
            Progress(i, cause, element, reason, by, at, state, count, resumed, mended, failed, stopped_by)
        )  # fmt: skip
    return found


def _counts(tx: Tx, bulk_id: int) -> tuple[int, int, int, int]:
    """Over all partitions: done again, mended, failed again; and how many partitions are through."""
    row = tx.row(
        "select coalesce(sum(resumed), 0), coalesce(sum(mended), 0), coalesce(sum(failed), 0), count(ended_at)"
        " from fulfilment.bulk_part where bulk_id = %s",
        (bulk_id,),
    )
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])


# What a worker does -------------------------------------------------------------------------------------------------


def run(db: Database, actor: str, parts: Collection[int]) -> int:
    """Do the next batch of every confirmed operation in these partitions; returns how many were done again."""
    with db.transaction(actor=actor) as tx:
        todo = tx.rows(_TODO, (sorted(parts),))
    return sum(_batch(db, bulk, part) for bulk, part in todo)


def _batch(db: Database, bulk: int, part: int) -> int:
    with db.transaction() as tx:
        begun = _begun(tx, bulk, part)
        if begun is None:
            return 0
        cause, element, rate, first, made_at, confirmed_at, tx.actor, last, resumed = begun
        slot = int(first) + resumed
        due = min(_due(tx.now, confirmed_at, rate) - slot, BATCH)
        too_many = _fails_too_often(tx, bulk)
        if due > 0 and not too_many:
            chosen = {"cause": cause, "element": element, "made_at": made_at, "part": part, "last": last}
            rows, found = _next(tx, {**chosen, "limit": due})
            # Orders are locked before what counts them, as where their reports land.
            if _begun(tx, bulk, part, lock=True) != begun:
                return 0
            instants = [confirmed_at + timedelta(seconds=(slot + n) / rate) for n in range(len(found))]
            _resume(tx, bulk, [(r, max(at, tx.now)) for r, at in zip(found, instants, strict=True)])
            tx.expect(
                1,
                "update fulfilment.bulk_part set last_id = %s, resumed = resumed + %s, ended_at = %s"
                " where part = %s and bulk_id = %s",
                (rows[-1] if rows else last, len(found), tx.now if len(rows) < due else None, part, bulk),
            )
    if too_many:
        with db.transaction() as tx:
            stop(tx, bulk, TOO_MANY)
    return len(found) if due > 0 and not too_many else 0


def _fails_too_often(tx: Tx, bulk: int) -> bool:
    row = tx.row("select stop_share, stop_least from fulfilment.bulk where id = %s", (bulk,))
    assert row is not None
    _, mended, failed, _ = _counts(tx, bulk)
    return bool(failed >= row[1] and failed >= row[0] * (failed + mended))


def _due(now: datetime, confirmed_at: datetime, rate: float) -> int:
    """How many of the whole operation may have been done again by now, and a little ahead."""
    return int(((now - confirmed_at).total_seconds() + AHEAD_S) * rate)


def _begun(tx: Tx, bulk: int, part: int, *, lock: bool = False) -> tuple[Any, ...] | None:
    """An operation and how far it came in a partition; None at its end. Locked: two workers never do the same."""
    tx.run(
        "insert into fulfilment.bulk_part (part, bulk_id, last_id, resumed, mended, failed)"
        " values (%s, %s, 0, 0, 0, 0) on conflict (part, bulk_id) do nothing",
        (part, bulk),
    )
    return tx.row(
        "select b.cause, b.element, b.per_second, b.slots ->> p.part::text, b.made_at, b.confirmed_at,"
        " b.made_by, p.last_id, p.resumed from fulfilment.bulk_part p join fulfilment.bulk b on b.id = p.bulk_id"
        " where p.part = %s and p.bulk_id = %s and p.ended_at is null and b.stopped_at is null"
        + (" for update of p" if lock else ""),
        (part, bulk),
    )


def _next(tx: Tx, chosen: Mapping[str, Any]) -> tuple[list[int], list[Record]]:
    """The next ids, and of those the records that stood open at the preview and still do, their orders locked."""
    rows = tx.rows(
        f"select id, order_id from fulfilment.fallout where part = %(part)s and id > %(last)s and {_CHOSEN}"
        " order by id limit %(limit)s",
        dict(chosen),
    )
    journal.lock(tx, [r[1] for r in rows])
    found = store.records(tx, chosen["part"], [r[0] for r in rows])
    still = [r for r in found.values() if r.state is Standing.OPEN and r.failed_at <= chosen["made_at"]]
    return [r[0] for r in rows], sorted(still, key=lambda r: r.id)


def _resume(tx: Tx, bulk: int, found: list[tuple[Record, datetime]]) -> None:
    moves, reports = [], []
    for r, at in found:
        after = store.after(r, Happening.AGAIN, tx.now, due_at=at, bulk_id=bulk)
        moves.append((r, after, {"by": tx.actor, "bulk": bulk}))
        outcome = {"effect": r.id, "state": State.INTENT, "due": at.isoformat()}
        body = {"source": "repair", "by": tx.actor, "outcomes": [outcome]}
        reports.append(engine.Enqueue(r.order_id, "effect.report", body, f"bulk:{bulk}:{r.id}"))
    store.move(tx, moves)
    engine.enqueue(tx, reports)
