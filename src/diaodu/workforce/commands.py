"""Writes of work orders: make, claim, report; each is one transaction of one order's partition."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.engine import commands as engine
from diaodu.engine import queries as tasks
from diaodu.kernel import journal, sets
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.workforce import appointments, errors, events, queries, recalls, visits
from diaodu.workforce.forms import check_form, check_report
from diaodu.workforce.model import EffectOutcome, RecallEvent, WorkOrder, WorkReport

__all__ = [
    "appointments", "check_form", "claim", "claim_many", "create", "recalls", "report", "report_many", "rewrite",
    "visits", "withdrawn",
]  # fmt: skip

_COLUMNS = {
    "part": "int2", "id": "int8", "order_id": "int8", "kind": "text", "lines": "jsonb", "release_id": "int4",
    "place": "jsonb", "created_at": "timestamptz", "customer_id": "int8", "visit_id": "int8", "appointment_id": "int8",
    "start_at": "timestamptz", "end_at": "timestamptz",
}  # fmt: skip
_KEY = {"part": "int2", "id": "int8"}


def create(tx: Tx, work_orders: Sequence[WorkOrder]) -> None:
    """Insert work orders; the human task of the same id is made by the engine in the same transaction."""
    desks = queries.desks(tx, {w.order_id for w in work_orders})
    sets.insert(
        tx,
        "workforce.work_order",
        _COLUMNS,
        [
            (part_of(w.id), w.id, w.order_id, w.kind, _stored(w), w.release_id, w.place, tx.now, w.customer_id,
             w.visit_id, w.appointment_id, w.start_at, w.end_at)
            for w in work_orders
        ],
    )  # fmt: skip
    for w in work_orders:
        desks[w.order_id][w.id] = queries.Desk(w, None, None)
        entry = {"t": "work.offered", "id": w.id, "kind": w.kind, "effects": [line.effect for line in w.lines]}
        journal.record(tx, w.order_id, entry)


def rewrite(tx: Tx, work_orders: Sequence[WorkOrder]) -> None:
    """Write the lines of open work orders of locked orders anew; whoever holds one is told by its history."""
    desks = queries.desks(tx, {w.order_id for w in work_orders})
    rows = [(part_of(w.id), w.id, _stored(w)) for w in work_orders]
    sets.update(tx, "workforce.work_order", _KEY, {"lines": "jsonb"}, rows)
    for w in work_orders:
        known = desks[w.order_id][w.id]
        before, after = ({line.effect for line in o.carried} for o in (known.work_order, w))
        desks[w.order_id][w.id] = replace(known, work_order=w)
        told = {"dropped": sorted(before - after), "added": sorted(after - before)}
        entry = {"t": "work.changed", "id": w.id, "assignee": known.assignee}
        journal.record(tx, w.order_id, entry | {k: v for k, v in told.items() if v})
        if known.busy:
            events.tell(tx, w.order_id, w.id)


def withdrawn(tx: Tx, work_orders: Sequence[WorkOrder]) -> None:
    """The stage takes these work orders back in this transaction: nobody is at them any more."""
    desks = queries.desks(tx, {w.order_id for w in work_orders})
    for w in work_orders:
        desks[w.order_id][w.id] = replace(desks[w.order_id][w.id], state="withdrawn")


def _stored(w: WorkOrder) -> list[dict[str, Any]]:
    return [{k: v for k, v in vars(line).items() if k != "dropped" or v} for line in w.lines]


def claim(tx: Tx, work_order_id: int, principal: Principal) -> None:
    """The principal's person takes the work order from the worklist; NotYours when somebody else has."""
    if principal.person_id is None:
        raise errors.PersonNeeded(name=principal.name)
    work_order = queries.work_orders(tx, [work_order_id])[work_order_id]
    if claim_many(tx, [work_order], principal.person_id):
        raise errors.NotYours(id=work_order_id, state=tasks.get_task(tx, work_order_id).state)


def claim_many(tx: Tx, work_orders: Sequence[WorkOrder], person_id: int) -> set[int]:
    """Claim work orders of one partition; returns the ids that were not on offer any more."""
    journal.lock(tx, {w.order_id for w in work_orders})
    claimed = engine.claim_tasks(tx, [w.id for w in work_orders], person_id)
    return {w.id for w in work_orders} - claimed


def report(
    tx: Tx, *, work_order_id: int, report_id: str, outcomes: Sequence[EffectOutcome], principal: Principal
) -> None:
    """Report on every effect of a claimed work order; the same ``report_id`` again changes nothing."""
    if principal.person_id is None:
        raise errors.PersonNeeded(name=principal.name)
    report_many(tx, [WorkReport(work_order_id, report_id, tuple(outcomes))], principal.person_id)


def report_many(tx: Tx, reports: Sequence[WorkReport], person_id: int) -> None:
    """Report on work orders of one partition, set-wise.

    A report on a task that is the person's no more is stored all the same: its facts are true and land as late.
    """
    work_orders = queries.work_orders(tx, [r.work_order_id for r in reports])
    journal.lock(tx, {w.order_id for w in work_orders.values()})
    for r in reports:
        w = work_orders[r.work_order_id]
        check_report(w, catalog.get_release(tx, w.release_id).work[w.kind], r.outcomes)
    in_time = engine.finish_tasks(tx, list(work_orders), person_id)
    recalls.settle(tx, work_orders.keys(), RecallEvent.REPORT)
    rows = [_handed_in(work_orders[r.work_order_id], r, person_id, in_time) for r in reports]
    for row, entered in zip(rows, engine.enqueue(tx, rows), strict=True):
        if entered:
            late = {"late": True} if row.body["task"] not in in_time else {}
            entry = {"t": "work.reported", "id": row.body["task"], "report": row.msg_key, "by": person_id}
            journal.record(tx, row.root_id, entry | late)


def _handed_in(w: WorkOrder, r: WorkReport, person_id: int, in_time: set[int]) -> engine.Enqueue:
    outcomes = [
        {"effect": o.effect_id, "state": "confirmed" if o.ok else "failed", "result": dict(o.data), "cause": o.reason}
        for o in r.outcomes
    ]
    body = {"source": "work", "task": w.id, "by": person_id, "outcomes": outcomes}
    return engine.Enqueue(w.order_id, "effect.report", body | ({} if w.id in in_time else {"late": True}), r.report_id)
