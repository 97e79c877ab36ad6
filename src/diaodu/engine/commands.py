"""What other rooms ask of the engine inside their own transactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from diaodu.engine import bulk, external, operate, store
from diaodu.engine.definition import Definition
from diaodu.engine.errors import TaskNotOpen, TaskPlanned
from diaodu.engine.examine import deploy, deploy_all, deploy_together, deployed_keys, examine
from diaodu.engine.game import TASK
from diaodu.engine.instance import READY, Job
from diaodu.engine.operate import retry_incident
from diaodu.engine.parse import MAX_BYTES
from diaodu.engine.ports import Signal
from diaodu.engine.queries import entered, get_task
from diaodu.engine.signals import body_of
from diaodu.engine.tasks import hand_over_tasks, prioritise_tasks, resume_tasks, set_due, suspend_tasks
from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of

__all__ = [
    "MAX_BYTES",
    "Definition",
    "Enqueue",
    "bulk",
    "claim_tasks",
    "complete_drawn",
    "complete_task",
    "deploy",
    "deploy_all",
    "deploy_together",
    "deployed_keys",
    "enqueue",
    "examine",
    "external",
    "finish_tasks",
    "hand_over_tasks",
    "operate",
    "prioritise_tasks",
    "resume_tasks",
    "retry_incident",
    "set_due",
    "signal",
    "suspend_tasks",
    "unclaim_task",
]


@dataclass(frozen=True)
class Enqueue:
    """A report for the inbound handler ``name``; ``msg_key``, made by the sender, lets it enter its root once."""

    root_id: int
    name: str
    body: Mapping[str, Any] = field(default_factory=dict)
    msg_key: str | None = None
    instance_id: int | None = None
    due_at: datetime | None = None  # at once, if not told


def signal(tx: Tx, signals: Sequence[Signal], msg_key: str | None = None) -> None:
    """Wake the engine: each signal becomes a job that is due at once; under a ``msg_key`` it stays known."""
    store.insert_jobs(tx, [_signal_job(tx, s, msg_key) for s in signals])


def enqueue(tx: Tx, rows: Sequence[Enqueue]) -> list[bool]:
    """Hand in reports; answers for each whether it entered (False: its ``msg_key`` was there before)."""
    jobs = [
        replace(
            _job(tx, r.root_id, "inbound", r.name, r.body, msg_key=r.msg_key, instance=r.instance_id),
            due_at=r.due_at or tx.now,
        )
        for r in rows
    ]
    if store.insert_jobs(tx, jobs, once=True) == len(jobs):
        return [True] * len(jobs)
    entered = store.stored(tx, jobs)
    return [j.id in entered for j in jobs]


def claim_tasks(tx: Tx, task_ids: Sequence[int], person: int) -> set[int]:
    """Claim tasks of locked roots for a person, set-wise; returns the ids that were on offer and are theirs now."""
    if not task_ids:
        return set()
    found = tx.rows(
        "update engine.human_task set state = 1, assignee = %s, claimed_at = %s"
        " where part = %s and id = any(%s::int8[]) and state = 0 returning id, root_id",
        (person, tx.now, part_of(task_ids[0]), list(task_ids)),
    )
    for task, root in found:
        entry = {"t": "task.claimed", "task": task, "by": person, "from": "offered", "to": "claimed"}
        journal.record(tx, root, entry)
    return {task for task, _ in found}


def finish_tasks(tx: Tx, task_ids: Sequence[int], person: int) -> set[int]:
    """Set planned tasks done that a person holds, set-wise; returns those that were still theirs.

    What was done on them is reported by ``enqueue`` in the same transaction; the token moves later.
    """
    if not task_ids:
        return set()
    found = tx.rows(
        "update engine.human_task set state = 3, ended_at = %s"
        " where part = %s and id = any(%s::int8[]) and state = 1 and assignee = %s and planned returning id, root_id",
        (tx.now, part_of(task_ids[0]), list(task_ids), person),
    )
    for task, root in found:
        journal.record(tx, root, {"t": "task.done", "task": task, "by": person, "from": "claimed", "to": "done"})
    return {task for task, _ in found}


def unclaim_task(tx: Tx, task_id: int, person: int) -> None:
    """Give a claimed task back to its worklist; TaskNotOpen when it is not one's own."""
    task = get_task(tx, task_id)
    journal.lock(tx, [task.root_id])
    given_back = tx.run(
        "update engine.human_task set state = 0, assignee = null, claimed_at = null"
        " where part = %s and id = %s and state = 1 and assignee = %s",
        (part_of(task_id), task_id, person),
    )
    if not given_back:
        raise TaskNotOpen(id=task_id, state=get_task(tx, task_id).state)
    entry = {"t": "task.returned", "task": task_id, "by": person, "from": "claimed", "to": "offered"}
    journal.record(tx, task.root_id, entry)


def complete_task(tx: Tx, task_id: int, person: int, report: Enqueue) -> bool:
    """Complete a task that one has claimed and hand in its report; answers whether the task was still one's own.

    The report of a planned task always enters (a late one is still a fact). A task that the diagram itself draws
    ends with ``report.body`` as variables, and a late one is nothing. The token moves later, by the worker.
    """
    row = tx.row(
        "update engine.human_task set state = 3, ended_at = %s"
        " where part = %s and id = %s and state = 1 and assignee = %s returning planned, root_id",
        (tx.now, part_of(task_id), task_id, person),
    )
    planned = get_task(tx, task_id).planned if row is None else row[0]
    if planned:
        enqueue(tx, [report])
    elif row is not None:
        body = {"key": str(task_id), "vars": dict(report.body)}
        store.insert_jobs(tx, [_job(tx, row[1], "message", TASK, body, msg_key=report.msg_key)], once=True)
    return row is not None


_COMPLETE = """
with done as (
  update engine.human_task set state = 3, ended_at = %(now)s
   where part = %(part)s and id = %(task)s and state = 1 and assignee = %(person)s and not planned
  returning part, root_id)
insert into engine.job (part, id, root_id, kind, name, msg_key, body, state, due_at, attempts, created_at)
select part, %(job)s, root_id, 'message', %(name)s, %(key)s, %(body)s::jsonb, 0, %(now)s, 0, %(now)s from done
"""


def complete_drawn(tx: Tx, task_id: int, person: int, variables: Mapping[str, Any], report: str | None) -> None:
    """Complete a task that the diagram itself draws and that one has claimed; the token moves later, by the worker.

    The same ``report`` of the same task again is nothing. TaskNotOpen, TaskPlanned, NotFound.
    """
    part, key = part_of(task_id), None if report is None else f"task:{task_id}:{report}"
    body = sets.to_json({"key": str(task_id), "vars": variables})
    # One statement: what a person waits for is the way to the database and back.
    if tx.run(
        _COMPLETE,
        {"now": tx.now, "part": part, "task": task_id, "person": person, "job": tx.new_id(part), "name": TASK,
         "key": key, "body": body},
    ):  # fmt: skip
        return
    task = get_task(tx, task_id)
    if task.planned:
        raise TaskPlanned(id=task_id)
    if key is None or not entered(tx, task.root_id, key):
        raise TaskNotOpen(id=task_id, state=task.state)


def _signal_job(tx: Tx, signal: Signal, msg_key: str | None) -> Job:
    kind, name, body = body_of(signal)
    return _job(tx, signal.root_id, kind, name, body, msg_key=msg_key)


def _job(
    tx: Tx,
    root: int,
    kind: str,
    name: str,
    body: Mapping[str, Any],
    *,
    msg_key: str | None = None,
    instance: int | None = None,
) -> Job:
    made = tx.new_id(part_of(root))
    return Job(made, root, instance, None, kind, name, msg_key, dict(body), READY, tx.now, 0, tx.now)
