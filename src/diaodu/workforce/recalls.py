"""待撤回: work that somebody is at is wanted no more: the question, the technician's answer, the dispatcher's word.

A recall withdraws nothing itself. It writes down what was said and wakes the stage, which drops the lines in its own
transaction; a report that comes first, or late, counts whatever was said.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from diaodu.engine import commands as engine
from diaodu.engine import queries as tasks
from diaodu.engine.ports import Nudge
from diaodu.kernel import journal, sets
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.workforce import errors, events
from diaodu.workforce.model import DECISIONS, RECALL_TABLE, Recall, RecallEvent, RecallState

_COLUMNS = {
    "part": "int2", "id": "int8", "order_id": "int8", "task_id": "int8", "effects": "int8[]", "state": "text",
    "asked_at": "timestamptz", "due_at": "timestamptz",
}  # fmt: skip
_KEY = {"part": "int2", "order_id": "int8", "id": "int8"}
_SAID = {
    "effects": "int8[]", "state": "text", "due_at": "timestamptz", "answer": "text", "answered_at": "timestamptz",
    "decided_by": "text", "note": "text", "ended_at": "timestamptz",
}  # fmt: skip
_READ = "id, order_id, task_id, effects, state, asked_at, due_at, answer, decided_by, answered_at, note"
OPEN = frozenset({RecallState.ASKED, RecallState.PROMISED, RecallState.UNDECIDED})


@dataclass(frozen=True)
class Question:
    """Claimed work to ask about: its task, what is wanted no more, and how many minutes there are to answer."""

    order_id: int
    task_id: int
    effects: frozenset[int]
    minutes: float


@dataclass(frozen=True)
class OpenRecall:
    """A recall as a worklist shows it; ``overdue`` is the dispatcher's."""

    work_order_id: int
    order_id: int
    effects: list[int]
    state: str
    asked_at: datetime
    due_at: datetime
    answer: str | None
    assignee_id: int | None
    pool: int
    overdue: bool


def newest(tx: Tx, task_ids: Collection[int]) -> dict[int, Recall]:
    """The newest recall of each of these tasks of one partition, where there is one."""
    if not task_ids:
        return {}
    ids = sorted(task_ids)
    rows = tx.rows(
        f"select distinct on (task_id) {_READ} from workforce.recall"
        " where part = %s and task_id = any(%s::int8[]) order by task_id, id desc",
        (part_of(ids[0]), ids),
    )
    return {r.task_id: r for r in map(_recall, rows)}


def ask(tx: Tx, questions: Sequence[Question]) -> None:
    """Ask those who hold the tasks; an open question is widened by what is new in it. The orders are locked."""
    known = newest(tx, {q.task_id for q in questions})
    new, wider = [], []
    for q in questions:
        before = known.get(q.task_id)
        if before is None or before.state not in OPEN:
            due = tx.now + timedelta(minutes=q.minutes)
            new.append(
                Recall(tx.new_id(part_of(q.order_id)), q.order_id, q.task_id, tuple(sorted(q.effects)),
                       RecallState.ASKED, tx.now, due)
            )  # fmt: skip
        elif q.effects - set(before.effects):
            wider.append((before, replace(before, effects=tuple(sorted(q.effects | set(before.effects))))))
    sets.insert(
        tx,
        "workforce.recall",
        _COLUMNS,
        [(part_of(r.id), r.id, r.order_id, r.task_id, r.effects, r.state, r.asked_at, r.due_at) for r in new],
    )
    for r in new:
        entry = {"t": "recall.asked", "id": r.id, "task": r.task_id, "effects": list(r.effects), "to": r.state}
        journal.record(tx, r.order_id, entry | {"due": r.due_at.isoformat()})
    _write(tx, wider, "recall.widened")
    for r in [*new, *(after for _, after in wider)]:
        events.tell(tx, r.order_id, r.task_id)


def answer(tx: Tx, task_id: int, said: RecallEvent, principal: Principal) -> Recall:
    """What the technician who holds the work says: stopped (nothing was done), done, or going on."""
    before = _locked(tx, task_id)
    task = tasks.get_task(tx, task_id)
    if principal.person_id is None or task.assignee != principal.person_id:
        raise errors.NotYours(id=task_id, state=task.state)
    return _said(tx, before, said, answer=str(said), answered_at=tx.now)


def decide(tx: Tx, task_id: int, said: RecallEvent, principal: Principal, *, minutes: float, note: str) -> Recall:
    """The dispatcher's word once the technician's time is over: withdraw it, or wait so many minutes for a report."""
    assert said in DECISIONS
    before = _locked(tx, task_id)
    if before.state is not RecallState.UNDECIDED and before.due_at > tx.now:
        raise errors.RecallNotDue(id=task_id, due=before.due_at.isoformat(timespec="seconds"))
    due = {"due_at": tx.now + timedelta(minutes=minutes)} if said is RecallEvent.WAIT else {}
    return _said(tx, before, said, decided_by=principal.name, note=note, **due)


def settle(tx: Tx, task_ids: Collection[int], event: RecallEvent) -> None:
    """A report came for tasks of locked orders, or their work is wanted again: the open questions are over."""
    moved = [
        (r, replace(r, state=RECALL_TABLE.take(r.state, event, entity="recall", key=r.id)))
        for r in newest(tx, task_ids).values()
        if r.state in OPEN
    ]
    _write(tx, moved, f"recall.{event}")


def _locked(tx: Tx, task_id: int) -> Recall:
    journal.lock(tx, [tasks.get_task(tx, task_id).root_id])
    found = newest(tx, [task_id]).get(task_id)
    if found is None:
        raise errors.NoRecall(id=task_id)
    return found


def _said(tx: Tx, before: Recall, event: RecallEvent, **changed: Any) -> Recall:
    state = RECALL_TABLE.take(before.state, event, entity="recall", key=before.task_id)
    after = replace(before, state=state, **changed)
    _write(tx, [(before, after)], f"recall.{event}")
    engine.signal(tx, [Nudge(after.order_id)])
    return after


def _write(tx: Tx, changes: Sequence[tuple[Recall, Recall]], what: str) -> None:
    rows = [
        (part_of(r.id), r.order_id, r.id, r.effects, r.state, r.due_at, r.answer, r.answered_at, r.decided_by, r.note,
         None if r.state in OPEN else tx.now)
        for _, r in changes
    ]  # fmt: skip
    sets.update(tx, "workforce.recall", _KEY, _SAID, rows)
    for before, after in changes:
        entry: dict[str, Any] = {"t": what, "id": after.id, "task": after.task_id, "effects": list(after.effects)}
        told: Mapping[str, Any] = {"by": tx.actor, "note": after.note, "from": before.state, "to": after.state}
        journal.record(tx, after.order_id, entry | {k: v for k, v in told.items() if v})


def open_page(tx: Tx, pools: frozenset[int] | None, limit: int) -> list[OpenRecall]:
    """The open recalls on worklists of these pools (None: all), those due first."""
    rows = tx.rows(
        "select r.task_id, r.order_id, r.effects, r.state, r.asked_at, r.due_at, r.answer, t.assignee, t.pool,"
        " r.state = 'undecided' or r.due_at <= %s"
        " from workforce.recall r join engine.v_human_task t on t.part = r.part and t.id = r.task_id"
        " where r.ended_at is null and (%s::int4[] is null or t.pool = any(%s::int4[])) order by r.due_at, r.id"
        " limit %s",
        (tx.now, pools and sorted(pools), pools and sorted(pools), limit),
    )
    return [OpenRecall(*r) for r in rows]


def _recall(row: tuple[Any, ...]) -> Recall:
    recall_id, order_id, task_id, effects, state, *rest = row
    return Recall(recall_id, order_id, task_id, tuple(effects), RecallState(state), *rest)
