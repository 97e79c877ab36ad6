"""Human tasks in flight: what may happen to one, and the commands that do it to many of one partition at once.

The roots are locked. Each change is in the history with ``from`` and ``to``; what a task's state does not take is left
out, because between the look at a worklist and the command somebody may have been faster.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.kernel.states import StateTable


class TaskState(StrEnum):
    """Who works on it; stored as the position in this list."""

    OFFERED = "offered"
    CLAIMED = "claimed"
    SUSPENDED = "suspended"  # keeps its person, if it had one
    DONE = "done"
    WITHDRAWN = "withdrawn"


class TaskEvent(StrEnum):
    """What may happen to a task."""

    CLAIM = "claim"
    GIVE_BACK = "giveBack"
    HAND_OVER = "handOver"  # to a worklist
    ASSIGN = "assign"  # to a person
    SUSPEND = "suspend"
    OFFER_AGAIN = "offerAgain"  # what nobody held
    GO_ON = "goOn"  # what somebody held
    COMPLETE = "complete"
    WITHDRAW = "withdraw"


_S, _E = TaskState, TaskEvent
_END = {_E.COMPLETE: _S.DONE, _E.WITHDRAW: _S.WITHDRAWN}
_LATE = (_E.COMPLETE, _E.WITHDRAW)
TASK_TABLE: StateTable[TaskState, TaskEvent] = StateTable(
    name="human task",
    states=TaskState,
    events=TaskEvent,
    moves={
        _S.OFFERED: _END | {
            _E.CLAIM: _S.CLAIMED, _E.ASSIGN: _S.CLAIMED, _E.HAND_OVER: _S.OFFERED, _E.SUSPEND: _S.SUSPENDED
        },
        _S.CLAIMED: _END | {
            _E.GIVE_BACK: _S.OFFERED, _E.HAND_OVER: _S.OFFERED, _E.ASSIGN: _S.CLAIMED, _E.SUSPEND: _S.SUSPENDED
        },
        _S.SUSPENDED: _END | {
            _E.OFFER_AGAIN: _S.OFFERED, _E.GO_ON: _S.CLAIMED, _E.HAND_OVER: _S.SUSPENDED, _E.ASSIGN: _S.SUSPENDED
        },
        _S.DONE: {},
        _S.WITHDRAWN: {},
    },
    # A report or a withdrawal that comes second finds the task ended.
    ignored=frozenset({(s, e) for s in (_S.DONE, _S.WITHDRAWN) for e in _LATE}),
)  # fmt: skip
STATES = tuple(TaskState)
OPEN = frozenset({_S.OFFERED, _S.CLAIMED, _S.SUSPENDED})
_KEY = {"part": "int2", "id": "int8"}
_MOVED = {"state": "int2", "reason": "text", "pool": "int4", "assignee": "int8", "claimed_at": "timestamptz"}


@dataclass(frozen=True)
class _Row:
    id: int
    root: int
    state: TaskState
    reason: str | None
    pool: int
    assignee: int | None
    claimed_at: datetime | None
    priority: int
    due_at: datetime


def suspend_tasks(tx: Tx, task_ids: Collection[int], *, reason: str, by: str = "") -> set[int]:
    """Take tasks off their worklists and desks until they are resumed; returns those that were open.

    A suspended task remembers who held it. Reason ``customer`` shows as TM Forum ``pending``, any other ``held``.
    """
    return _move(tx, task_ids, lambda _: _E.SUSPEND, {"reason": reason}, _told(by, reason))


def resume_tasks(tx: Tx, task_ids: Collection[int], *, by: str = "") -> set[int]:
    """Suspended tasks go back to the person who held them, else to their worklist; returns those that did."""

    def back(row: _Row) -> TaskEvent:
        return _E.OFFER_AGAIN if row.assignee is None else _E.GO_ON

    return _move(tx, task_ids, back, {"reason": None}, _told(by, ""))


def hand_over_tasks(
    tx: Tx, task_ids: Collection[int], *, pool: int | None = None, person: int | None = None, by: str, reason: str
) -> set[int]:
    """Reassign open tasks: to a worklist, where nobody holds them, or to a person; returns those that went."""
    event = _E.HAND_OVER if person is None else _E.ASSIGN
    to: dict[str, Any] = {"assignee": person, "claimed_at": None if person is None else tx.now}
    told: dict[str, Any] = {"assignee": person}
    if pool is not None:
        to["pool"] = told["pool"] = pool
    return _move(tx, task_ids, lambda _: event, to, told | _told(by, reason))


def prioritise_tasks(tx: Tx, task_ids: Collection[int], *, by: str, reason: str) -> set[int]:
    """Raise the priority of open tasks by one (0 is the highest); returns those that rose."""
    found = [r for r in _rows(tx, task_ids) if r.state in OPEN and r.priority > 0]
    rows = [(part_of(r.id), r.id, r.priority - 1) for r in found]
    sets.update(tx, "engine.human_task", _KEY, {"priority": "int2"}, rows)
    for r in found:
        _record(tx, r, "task.priority", {"before": r.priority, "priority": r.priority - 1, **_told(by, reason)})
    return {r.id for r in found}


def set_due(tx: Tx, due: Mapping[int, datetime], *, by: str, reason: str) -> set[int]:
    """Give open tasks another instant at which they are due; returns those whose instant is another now."""
    found = [r for r in _rows(tx, due) if r.state in OPEN and r.due_at != due[r.id]]
    sets.update(
        tx, "engine.human_task", _KEY, {"due_at": "timestamptz"}, [(part_of(r.id), r.id, due[r.id]) for r in found]
    )
    for r in found:
        to = {"before": r.due_at.isoformat(), "due": due[r.id].isoformat()}
        _record(tx, r, "task.due", to | _told(by, reason))
    return {r.id for r in found}


def _told(by: str, reason: str) -> dict[str, Any]:
    return {k: v for k, v in (("by", by), ("reason", reason)) if v}


def _move(
    tx: Tx,
    task_ids: Collection[int],
    event_of: Callable[[_Row], TaskEvent],
    to: Mapping[str, Any],
    told: Mapping[str, Any],
) -> set[int]:
    moved: list[_Row] = []
    for row in _rows(tx, task_ids):
        event = event_of(row)
        state = TASK_TABLE.moves[row.state].get(event)
        if state is not None:
            moved.append(replace(row, state=state, **to))
            _record(tx, row, _NAMES[event], {"from": row.state, "to": state, **told})
    rows = [(part_of(m.id), m.id, STATES.index(m.state), m.reason, m.pool, m.assignee, m.claimed_at) for m in moved]
    sets.update(tx, "engine.human_task", _KEY, _MOVED, rows)
    return {m.id for m in moved}


_NAMES: Mapping[TaskEvent, str] = {
    _E.SUSPEND: "task.suspended",
    _E.OFFER_AGAIN: "task.resumed",
    _E.GO_ON: "task.resumed",
    _E.HAND_OVER: "task.handedOver",
    _E.ASSIGN: "task.handedOver",
}


def _rows(tx: Tx, task_ids: Collection[int]) -> list[_Row]:
    if not task_ids:
        return []
    ids = sorted(task_ids)
    # A claim comes without the root's lock in the engine's own commands: the rows are held against it.
    found = tx.rows(
        "select id, root_id, state, reason, pool, assignee, claimed_at, priority, due_at from engine.human_task"
        " where part = %s and id = any(%s::int8[]) order by id for update",
        (part_of(ids[0]), ids),
    )
    return [_Row(i, root, STATES[state], *rest) for i, root, state, *rest in found]


def _record(tx: Tx, row: _Row, what: str, details: Mapping[str, Any]) -> None:
    journal.record(tx, row.root, {"t": what, "task": row.id, **details})
