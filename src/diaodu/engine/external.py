"""External workers, in any language: they fetch and lock tasks of their topics, and complete, fail or extend them.

A task's id stays the same over all retries: it is the key of idempotency for the work. Each fetch gives a new lock
token, which fences: an answer with an older one changes nothing, but goes into the history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from diaodu.engine import store
from diaodu.engine.board import backoff
from diaodu.engine.errors import BadLockTime
from diaodu.engine.game import ATTEMPTS_MAX
from diaodu.engine.instance import READY, Job
from diaodu.engine.model import EXTERNAL, Answer, BusinessError, Call, Decision, Done, Failed, Wait
from diaodu.engine.signals import body_of
from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of

OPEN, ANSWERED, FAILED = 0, 1, 2
LOCK_MIN, LOCK_MAX = timedelta(seconds=1), timedelta(hours=1)
_COLUMNS = {
    "part": "int2", "id": "int8", "root_id": "int8", "instance_id": "int8", "token_id": "int8", "node": "text",
    "topic": "text", "vars": "jsonb", "settings": "jsonb", "state": "int2", "due_at": "timestamptz",
    "attempts": "int2", "created_at": "timestamptz",
}  # fmt: skip
_KEY = {"part": "int2", "id": "int8"}
# Materialized: a plan that runs the inner query again would lock more than its limit. What belongs to a suspended
# instance waits with it.
_FETCH = """
with free as materialized (
  select part, id from engine.external_task t
   where part = %(part)s and state = 0 and topic = any(%(topics)s::text[]) and due_at <= %(now)s and attempts < %(most)s
     and not exists (select from engine.instance i where i.part = t.part and i.id = t.instance_id and i.state = 3)
   order by due_at, id limit %(limit)s for update skip locked)
update engine.external_task e
   set worker = %(worker)s, lock_token = %(lock)s || ':' || e.id, due_at = %(until)s, attempts = e.attempts + 1
  from free where e.part = %(part)s and e.part = free.part and e.id = free.id
returning e.id, e.root_id, e.instance_id, e.node, e.topic, e.vars, e.settings, e.attempts, e.lock_token, e.due_at
"""


@dataclass(frozen=True)
class ExternalTask:
    """A fetched task; ``lock_token`` goes with every answer, ``attempt`` counts from 1."""

    id: int
    root_id: int
    instance_id: int
    node: str
    topic: str
    vars: Mapping[str, Any]
    settings: Mapping[str, str]
    attempt: int
    lock_token: str
    locked_until: datetime


class External:
    """The service behind tasks with a topic: it writes the task down, and the token waits for its answer."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> dict[int, int]:
        """The ids of the tasks, by token: that of the failed one when it is tried again."""
        part = part_of(calls[0].root_id)
        before = tx.rows(
            "select token_id, id from engine.external_task where part = %s and token_id = any(%s::int8[])",
            (part, [c.token_id for c in calls]),
        )
        known: dict[int, int] = dict(before)
        return {c.token_id: known.get(c.token_id) or tx.new_id(part) for c in calls}

    def decide(self, call: Call, facts: dict[int, int]) -> Decision:
        return Decision(Wait(EXTERNAL, str(facts[call.token_id])))

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: dict[int, int]) -> None:
        rows = [
            (part_of(c.root_id), facts[c.token_id], c.root_id, c.instance_id, c.token_id, c.node,
             c.settings.get("topic", ""), c.vars, c.settings, OPEN, tx.now, 0, tx.now)
            for c, _ in decided
        ]  # fmt: skip
        again = (
            "(part, id) do update set state = 0, attempts = 0, due_at = excluded.due_at, vars = excluded.vars,"
            " lock_token = null, worker = null"
        )
        sets.insert(tx, "engine.external_task", _COLUMNS, rows, on_conflict=again)


# What every engine serves by itself.
BUILT_IN = {EXTERNAL: External()}


def parts_with_work(tx: Tx, topics: Sequence[str], limit: int) -> list[int]:
    """The partitions with work of these topics, that of the oldest first; read without locks."""
    rows = tx.rows(
        "select part from engine.external_task where topic = any(%s::text[]) and state = 0 and due_at <= %s"
        " order by due_at, id limit %s",
        (list(topics), tx.now, limit),
    )
    return list(dict.fromkeys(r[0] for r in rows))


def fetch(
    tx: Tx, part: int, topics: Sequence[str], *, worker: str, limit: int, lock_time: timedelta
) -> list[ExternalTask]:
    """Lock up to ``limit`` tasks of a partition for a worker, the oldest first. BadLockTime.

    One that ATTEMPTS_MAX workers have fetched and not answered becomes an incident instead.
    """
    check_time(lock_time)
    _give_up(tx, part, topics)
    rows = tx.rows(
        _FETCH,
        {
            "part": part, "topics": list(topics), "now": tx.now, "limit": limit, "worker": worker,
            "lock": token_hex(12), "until": tx.now + lock_time, "most": ATTEMPTS_MAX,
        },
    )  # fmt: skip
    return sorted((ExternalTask(*r) for r in rows), key=lambda t: t.id)


def complete(tx: Tx, task_id: int, lock_token: str, variables: Mapping[str, Any]) -> bool:
    """The work is done; its variables are merged. False: the lock was lost, the result is only in the history."""
    return _end(tx, task_id, lock_token, Done(dict(variables)))


def raise_error(tx: Tx, task_id: int, lock_token: str, code: str, message: str) -> bool:
    """A BPMN error, for an event of that code around the task. False as with ``complete``."""
    return _end(tx, task_id, lock_token, BusinessError(code, message))


def topic_of(tx: Tx, task_id: int) -> str:
    """The topic of a task, or of its answer when the task is gone; NotFound."""
    part = part_of(task_id)
    row = tx.row("select topic from engine.external_task where part = %s and id = %s", (part, task_id)) or tx.row(
        "select body ->> 'topic' from engine.job"
        " where part = %s and kind = 'answer' and name = %s and body ->> 'topic' is not null limit 1",
        (part, str(task_id)),
    )
    if row is None:
        raise NotFound(entity="external task", id=task_id)
    return str(row[0])


def fail(
    tx: Tx, task_id: int, lock_token: str, reason: str, *, again: bool = True, after: timedelta | None = None
) -> bool:
    """The work failed: it is offered again after a back-off (or ``after``), in the end it is an incident.

    With ``again`` false it is one at once. False as with ``complete``.
    """
    root = _root(tx, task_id)
    row = _held(tx, task_id, lock_token)
    if row is None:
        return _late(tx, root, task_id, lock_token, {"reason": reason})
    attempts = int(row[0])
    if not again or attempts >= ATTEMPTS_MAX:
        return _end(tx, task_id, lock_token, Failed(reason, attempts))
    pause = backoff(attempts, task_id) if after is None else after
    tx.expect(
        1,
        "update engine.external_task set due_at = %s, lock_token = null where part = %s and id = %s",
        (tx.now + pause, part_of(task_id), task_id),
    )
    journal.record(tx, root, {"t": "external.failed", "task": task_id, "attempt": attempts, "reason": reason})
    return True


def extend(tx: Tx, task_id: int, lock_token: str, lock_time: timedelta) -> datetime | None:
    """Keep the lock for ``lock_time`` from now on; None: it was lost. BadLockTime."""
    check_time(lock_time)
    _root(tx, task_id)
    until = tx.now + lock_time
    held = tx.run(
        "update engine.external_task set due_at = %s where part = %s and id = %s and state = 0 and lock_token = %s",
        (until, part_of(task_id), task_id, lock_token),
    )
    return until if held else None


def _end(tx: Tx, task_id: int, lock_token: str, outcome: Done | BusinessError | Failed) -> bool:
    root = _root(tx, task_id)
    if _held(tx, task_id, lock_token) is None:
        return _late(tx, root, task_id, lock_token, dict(vars(outcome)))
    part = part_of(task_id)
    state = FAILED if isinstance(outcome, Failed) else ANSWERED
    tx.expect(1, "update engine.external_task set state = %s where part = %s and id = %s", (state, part, task_id))
    said = Answer(root, task_id, outcome)
    _answer(tx, said, topic_of(tx, task_id), None if state == FAILED else f"external:{lock_token}")
    return True


def _root(tx: Tx, task_id: int) -> int:
    """The locked root of a task, or of its answer when the task is gone; NotFound."""
    part = part_of(task_id)
    row = tx.row("select root_id from engine.external_task where part = %s and id = %s", (part, task_id)) or tx.row(
        "select root_id from engine.job where part = %s and kind = 'answer' and name = %s limit 1", (part, str(task_id))
    )
    if row is None:
        raise NotFound(entity="external task", id=task_id)
    journal.lock(tx, [row[0]])
    return int(row[0])


def _held(tx: Tx, task_id: int, lock_token: str) -> tuple[Any, ...] | None:
    return tx.row(
        "select attempts from engine.external_task where part = %s and id = %s and state = 0 and lock_token = %s",
        (part_of(task_id), task_id, lock_token),
    )


def _late(tx: Tx, root: int, task_id: int, lock_token: str, said: Mapping[str, Any]) -> bool:
    """Whether it is the same answer once more; else it is written down."""
    again = tx.row(
        "select 1 from engine.job where part = %s and root_id = %s and msg_key = %s",
        (part_of(root), root, f"external:{lock_token}"),
    )
    if again is None:
        journal.record(tx, root, {"t": "external.late", "task": task_id, "by": tx.actor, "said": dict(said)})
    return again is not None


def _give_up(tx: Tx, part: int, topics: Sequence[str]) -> None:
    rows = tx.rows(
        "update engine.external_task set state = 2, lock_token = null where part = %s and state = 0"
        " and topic = any(%s::text[]) and due_at <= %s and attempts >= %s returning id, root_id, attempts, topic",
        (part, list(topics), tx.now, ATTEMPTS_MAX),
    )
    for task, root, attempts, topic in rows:
        _answer(tx, Answer(root, task, Failed("no worker answered", attempts)), topic, None)


def _answer(tx: Tx, said: Answer, topic: str, msg_key: str | None) -> None:
    """Hand an answer over; its topic tells who may repeat it when the task is gone."""
    (kind, name, body), root = body_of(said), said.root_id
    body["topic"] = topic
    made = tx.new_id(part_of(root))
    store.insert_jobs(tx, [Job(made, root, None, None, kind, name, msg_key, body, READY, tx.now, 0, tx.now)])


def check_time(lock_time: timedelta) -> None:
    """Pass when a lock may last that long; BadLockTime."""
    if not LOCK_MIN <= lock_time <= LOCK_MAX:
        least, most = LOCK_MIN.total_seconds(), LOCK_MAX.total_seconds()
        raise BadLockTime(least=int(least), most=int(most), given=lock_time.total_seconds())
