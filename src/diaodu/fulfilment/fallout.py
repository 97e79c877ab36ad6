"""异常: what becomes of what failed. The policy ``fallout`` of the release decides; the records follow the facts.

A retry and a wait put the effect back to work at a later instant; everything else is a person's, with a worklist and
a deadline. Whatever settles an effect, from wherever it comes, closes its record.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from diaodu.catalog.model import Handling, Policy
from diaodu.fulfilment import fallout_store as store
from diaodu.fulfilment.fallout_model import (
    Cause,
    Happening,
    Record,
    Standing,
    Subject,
    Treatment,
    cause_of,
    pause,
    treatment_of,
)
from diaodu.fulfilment.names import work_names
from diaodu.fulfilment.orders import OrderFacts, record_decisions
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of
from diaodu.ordering.model import Line
from diaodu.organization import queries as organization
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, State

Move = tuple[Record | None, Record, dict[str, Any]]
_AT_WORK = frozenset({State.INTENT, State.SENT, State.UNKNOWN})


@dataclass(frozen=True)
class _Failure:
    """One effect that failed just now, and what is to become of it."""

    effect: Effect
    cause: Cause
    attempts: int
    treatment: Treatment
    pool: int | None

    @property
    def again(self) -> bool:
        return self.treatment.action in (Handling.RETRY, Handling.WAIT)


def decide_failures(tx: Tx, orders: Mapping[int, OrderFacts], changed: Sequence[Effect]) -> list[Effect]:
    """Decide what becomes of the effects that failed, and let the records follow what else changed; set-wise.

    Called after ``changed`` landed and before items are settled; the orders are locked. Returns the effects that
    are at work again.
    """
    latest = {e.id: e for e in changed}
    if not latest:
        return []
    known = store.records(tx, part_of(next(iter(latest))), latest.keys())
    failures = [_judge(tx, orders[e.order_id], e, known.get(e.id)) for e in latest.values() if e.state is State.FAILED]
    moves = [_opened(tx, f, known.get(f.effect.id)) for f in failures]
    moves += [_followed(tx, r, latest[r.id]) for r in known.values() if latest[r.id].state is not State.FAILED]
    store.move(tx, [m for m in moves if m[0] != m[1]])
    _count(tx, [(r, latest[r.id]) for r in known.values()])
    record_decisions(tx, {f.effect.order_id: orders[f.effect.order_id] for f in failures}.values())
    due = {after.id: after.due_at for _, after, _ in moves}
    again = [ledger.Landing(f.effect, State.INTENT, None, due[f.effect.id]) for f in failures if f.again]
    return ledger.land(tx, again)


def follow(tx: Tx, order_ids: Sequence[int]) -> None:
    """Let the records of locked orders follow what a plan took back; such an effect never lands."""
    if not order_ids:
        return
    known = {e.id: e for es in effects.ledger(tx, order_ids).values() for e in es}
    moves = [_followed(tx, r, known[r.id]) for r in store.unsettled(tx, order_ids) if r.id in known]
    store.move(tx, [m for m in moves if m[0] != m[1]])


def _judge(tx: Tx, order: OrderFacts, effect: Effect, known: Record | None) -> _Failure:
    cause = cause_of(effect, order.release)
    attempts = known.attempts + 1 if known else 1
    line, work = line_of(order, effect.item_key), order.release.work[effect.work]
    failure = {
        "代码": cause.code,
        "类别": str(cause.cause_class),
        "次数": attempts,
        "效果": effect.kind,
        "网元": effect.element,
    }
    value = order.decide(Policy.FALLOUT, line, {"异常": failure, "工作": work_names(work)})
    treatment = treatment_of(value)
    return _Failure(
        effect, cause, attempts, treatment, pool_of(tx, int(line.address["unit"]), treatment.role, work.role)
    )


def _opened(tx: Tx, f: _Failure, known: Record | None) -> Move:
    at, e = tx.now, f.effect
    due = at + (pause(f.treatment, f.attempts, random.random()) if f.again else f.treatment.limit)
    state = Standing.WAITING if f.again else Standing.OPEN
    if known:
        claimed = known.state is Standing.CLAIMED and not f.again
        record = replace(
            known, cause=f.cause.code, cause_class=f.cause.cause_class, told=f.cause.told, pool=f.pool,
            advice=f.treatment.action, state=known.state if claimed else state,
            assignee=known.assignee if claimed else None,
            attempts=f.attempts, failed_at=at, due_at=due, resolution=None, evidence=None, bulk_id=None, ended_at=None,
        )  # fmt: skip
    else:
        record = Record(
            e.id, e.order_id, Subject.EFFECT, e.kind, e.work, e.item_key, e.element, f.cause.code, f.cause.cause_class,
            f.cause.told, f.treatment.action, state, f.pool, None, f.attempts, at, due, at,
        )  # fmt: skip
    more = {"action": f.treatment.action, "attempts": f.attempts, "due": due.isoformat()}
    return known, record, more


def _followed(tx: Tx, known: Record, effect: Effect) -> Move:
    """The record of an effect as that stands now: at work again, or settled."""
    if effect.state is State.FAILED:
        return known, known, {}
    if effect.state in _AT_WORK:
        if known.state is Standing.CLOSED:
            return known, known, {}
        return known, store.after(known, Happening.AGAIN, tx.now, assignee=None), {"effect": effect.state}
    resolution = known.resolution or str(effect.state)
    closed = store.after(known, Happening.CLOSE, tx.now, resolution=resolution, due_at=None, bulk_id=None)
    return known, replace(closed, ended_at=known.ended_at or closed.ended_at), {"resolution": resolution}


def _count(tx: Tx, heard: Sequence[tuple[Record, Effect]]) -> None:
    """Tell the bulk operations what became of what they had done again."""
    counts: dict[tuple[int, int], list[int]] = {}
    for record, effect in heard:
        if record.bulk_id is not None and effect.state not in _AT_WORK:
            count = counts.setdefault((part_of(record.id), record.bulk_id), [0, 0])
            count[effect.state is State.FAILED] += 1
    for (part, bulk), (mended, failed) in sorted(counts.items()):
        tx.expect(
            1,
            "update fulfilment.bulk_part set mended = mended + %s, failed = failed + %s"
            " where part = %s and bulk_id = %s",
            (mended, failed, part, bulk),
        )


def line_of(order: OrderFacts, item_key: str | None) -> Line:
    """The line that something about an order belongs to; the first one where it belongs to the whole order."""
    return order.lines().get(item_key or "", order.revision.lines[0])


def pool_of(tx: Tx, unit: int | None, role: str, otherwise: str | None = None) -> int | None:
    """The worklist of a role for a unit, else that of another role; None: that of the operator's administrators."""
    known: dict[tuple[int, str], int | None] = tx.memo.setdefault("fulfilment.fallout.pools", {})
    for wanted in (role, otherwise):
        if unit is None or wanted is None:
            continue
        if (unit, wanted) not in known:
            known[unit, wanted] = _pool(tx, unit, wanted)
        if known[unit, wanted] is not None:
            return known[unit, wanted]
    return None


def _pool(tx: Tx, unit: int, role: str) -> int | None:
    try:
        return organization.pool_for(tx, unit, role)
    except NotFound:
        return None
