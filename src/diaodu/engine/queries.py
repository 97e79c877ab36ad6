"""What the engine tells about itself: instances, tokens, worklists, incidents, and why an instance waits."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diaodu.engine.definition import compiled, definition_of
from diaodu.engine.filters import Filter, find
from diaodu.engine.graph import Graph, Kind, Node
from diaodu.engine.instance import Token, load_token
from diaodu.engine.layout import with_diagram
from diaodu.engine.listing import DefinitionView, ElementView, definitions, elements, get_definition
from diaodu.engine.model import EXTERNAL, told
from diaodu.engine.survey import survey as survey_migration
from diaodu.engine.versions import Finding, Proposal, propose
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of

__all__ = [
    "DefinitionView",
    "ElementView",
    "Filter",
    "Finding",
    "Frame",
    "IncidentView",
    "InstanceView",
    "Proposal",
    "Reason",
    "Task",
    "TokenView",
    "call_stack",
    "calls_of",
    "definitions",
    "elements",
    "entered",
    "explain_wait",
    "find",
    "get_definition",
    "get_instance",
    "get_task",
    "history_of",
    "incidents",
    "instances_of",
    "open_incidents",
    "propose_migration",
    "stage_kinds",
    "survey_migration",
    "tasks_of",
    "tasks_of_root",
    "tasks_offered",
    "tokens",
    "with_diagram",
]
INSTANCE_STATES = ("active", "ended", "cancelled", "suspended")
TASK_STATES = ("offered", "claimed", "suspended", "done", "withdrawn")


@dataclass(frozen=True)
class InstanceView:
    """An instance as it is stored; ``state`` is one of INSTANCE_STATES."""

    id: int
    root_id: int
    process: str
    version: int
    business_key: str
    state: str
    vars: Mapping[str, Any]
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class TokenView:
    """Where a token stands; ``waits`` are the (message name, key) pairs that would move it."""

    id: int
    node: str
    name: str
    key: str | None
    waits: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Task:
    """A human task; ``state`` is one of TASK_STATES, ``planned`` if a plan-driven stage made it."""

    id: int
    root_id: int
    instance_id: int
    node: str
    name: str
    planned: bool
    pool: int
    priority: int
    state: str
    reason: str | None
    assignee: int | None
    due_at: datetime
    created_at: datetime
    claimed_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class IncidentView:
    """What needs a person; ``node`` is an element id, or the name of the report that failed."""

    id: int
    root_id: int
    instance_id: int | None
    node: str
    job_id: int
    code: str
    message: str
    detail: Mapping[str, Any]
    created_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True)
class Reason:
    """One reason why a token stands still.

    ``what`` is task, message, signal, timer, external (a worker's task), retry, incident, loop, call, join or stage;
    of an instance as a whole, suspended.
    """

    node: str
    name: str
    what: str
    detail: str
    until: datetime | None = None


_TASK = (
    "t.id, t.root_id, t.instance_id, t.node, t.name, t.planned, t.pool, t.priority, t.state, t.reason, t.assignee,"
    " t.due_at, t.created_at, t.claimed_at, t.ended_at"
)
_INCIDENT = "id, root_id, instance_id, node, job_id, code, message, detail, created_at, resolved_at"
_OFFERED = f"""
select {_TASK} from unnest(%s::int4[]) p(pool) cross join lateral (
  select * from engine.human_task where pool = p.pool and state = 0 order by due_at, id limit %s) t
 order by t.due_at, t.id limit %s
"""


def get_instance(tx: Tx, instance_id: int) -> InstanceView:
    """An instance; NotFound."""
    row = tx.row(
        "select i.id, i.root_id, d.key, d.version, i.business_key, i.state, i.vars, i.started_at, i.ended_at"
        " from engine.instance i join engine.definition d on d.id = i.definition_id where i.part = %s and i.id = %s",
        (part_of(instance_id), instance_id),
    )
    if row is None:
        raise NotFound(entity="instance", id=instance_id)
    values = [*row]
    values[5] = INSTANCE_STATES[row[5]]
    return InstanceView(*values)


def instances_of(tx: Tx, root_id: int) -> list[int]:
    """The instances of a root, oldest first."""
    rows = tx.rows(
        "select id from engine.instance where part = %s and root_id = %s order by id", (part_of(root_id), root_id)
    )
    return [r[0] for r in rows]


def tokens(tx: Tx, instance_id: int) -> list[TokenView]:
    """Where an instance stands; NotFound."""
    graph, stored = _stored_tokens(tx, instance_id)
    return [
        TokenView(t.id, graph.nodes[t.node].id, graph.nodes[t.node].name, t.key, tuple((n, k) for _, n, k in t.waits))
        for t in stored
    ]


def get_task(tx: Tx, task_id: int) -> Task:
    """A human task; NotFound."""
    row = tx.row(f"select {_TASK} from engine.human_task t where part = %s and id = %s", (part_of(task_id), task_id))
    if row is None:
        raise NotFound(entity="task", id=task_id)
    return _task(row)


def tasks_offered(tx: Tx, pools: Sequence[int], limit: int) -> list[Task]:
    """The offered tasks of these pools, the most urgent first."""
    return [_task(r) for r in tx.rows(_OFFERED, (list(pools), limit, limit))]


def tasks_of(tx: Tx, person: int, limit: int) -> list[Task]:
    """The tasks that a person has claimed, the most urgent first."""
    sql = f"select {_TASK} from engine.human_task t where assignee = %s and state = 1 order by due_at, id limit %s"
    return [_task(r) for r in tx.rows(sql, (person, limit))]


def tasks_of_root(tx: Tx, root_id: int) -> list[Task]:
    """All tasks of a root, oldest first."""
    sql = f"select {_TASK} from engine.human_task t where part = %s and root_id = %s order by id"
    return [_task(r) for r in tx.rows(sql, (part_of(root_id), root_id))]


def incidents(tx: Tx, limit: int, root_id: int | None = None) -> list[IncidentView]:
    """The open incidents, oldest first, of one root or of all."""
    where, params = ("", ()) if root_id is None else (" and part = %s and root_id = %s", (part_of(root_id), root_id))
    sql = f"select {_INCIDENT} from engine.incident where resolved_at is null{where} order by created_at, id limit %s"
    return [IncidentView(*r) for r in tx.rows(sql, (*params, limit))]


def open_incidents(tx: Tx, parts: Collection[int]) -> list[IncidentView]:
    """All open incidents of some partitions."""
    columns = ", ".join(f"i.{c}" for c in _INCIDENT.split(", "))
    sql = f"select {columns} from unnest(%s::int2[]) p(part) join engine.incident i on i.part = p.part"
    return [IncidentView(*r) for r in tx.rows(f"{sql} where i.resolved_at is null order by i.id", (sorted(parts),))]


def entered(tx: Tx, root_id: int, msg_key: str) -> bool:
    """Whether something under this message key has entered a root."""
    found = tx.row(
        "select 1 from engine.job where part = %s and root_id = %s and msg_key = %s",
        (part_of(root_id), root_id, msg_key),
    )
    return found is not None


def stage_kinds(tx: Tx, process: str) -> frozenset[str]:
    """The kinds of work that the newest version of a process draws in plan-driven stages; NotFound."""
    row = tx.row("select bpmn from engine.definition where key = %s order by version desc limit 1", (process,))
    if row is None:
        raise NotFound(entity="process", id=process)
    return frozenset(kind for node in compiled(bytes(row[0]), process).nodes for kind in node.activities)


def explain_wait(tx: Tx, instance_id: int) -> list[Reason]:
    """Why an instance does not go on, token by token; empty when it has ended. NotFound."""
    graph, stored = _stored_tokens(tx, instance_id)
    part = part_of(instance_id)
    jobs = {
        r[0]: r[1:]
        for r in tx.rows(
            "select j.id, j.state, j.due_at, i.message from engine.job j left join engine.incident i"
            " on i.part = j.part and i.job_id = j.id and i.resolved_at is null"
            " where j.part = %s and j.id = any(%s::int8[])",
            (part, [i for t in stored for i in (t.job, *(timer[1] for timer in t.timers)) if i is not None]),
        )
    }
    reasons = [Reason("", "", "suspended", "")] if get_instance(tx, instance_id).state == "suspended" else []
    inside = Counter(t.scope for t in stored)
    for token in stored:
        reasons += _waiting(tx, graph, token) + _timed(graph, token, jobs)
        if token.loop is not None and "total" in token.loop:
            reasons.append(_loop(graph.nodes[token.node], token, inside[token.id]))
        if not inside[token.id] and not any(r.node == graph.nodes[token.node].id for r in reasons):
            reasons.append(_still(tx, instance_id, graph.nodes[token.node], token))
    return reasons


def _waiting(tx: Tx, graph: Graph, token: Token) -> list[Reason]:
    """The task, messages and signals that would move a token."""
    node, found = graph.nodes[token.node], []
    if token.task is not None:
        task = get_task(tx, token.task)
        found.append(Reason(node.id, node.name, "task", f"{task.id} {task.state}", task.due_at))
    for index, name, key in token.waits:
        if name == EXTERNAL and (row := _external(tx, int(key))) is not None:
            found.append(Reason(node.id, node.name, "external", row[0], row[1]))
        elif key is None:
            found.append(Reason(node.id, node.name, "signal", name))
        elif token.task is None or index != token.node:
            found.append(Reason(node.id, node.name, "message", f"{name} {key}"))
    return found


def _external(tx: Tx, task_id: int) -> tuple[str, datetime | None] | None:
    """The topic of an external worker's task; while it is locked, by whom and until when."""
    row = tx.row(
        "select topic, worker, due_at, lock_token is not null and due_at > %s from engine.external_task"
        " where part = %s and id = %s",
        (tx.now, part_of(task_id), task_id),
    )
    if row is None:
        return None
    return (f"{row[0]} {row[1]}", row[2]) if row[3] else (str(row[0]), None)


def _timed(graph: Graph, token: Token, jobs: Mapping[int, Any]) -> list[Reason]:
    """The timers of a token, its retry or its incident."""
    node = graph.nodes[token.node]
    found = [
        Reason(node.id, node.name, "timer", graph.nodes[index].id, jobs[job_id][1])
        for index, job_id in token.timers
        if job_id in jobs
    ]
    if token.job is not None and token.job in jobs:
        _, due, message = jobs[token.job]
        found.append(Reason(node.id, node.name, "incident" if message else "retry", message or "", due))
    return found


def _loop(node: Node, token: Token, running: int) -> Reason:
    loop = token.loop or {}
    return Reason(
        node.id, node.name, "loop", f"{loop['done']} done, {running} running, {loop['total'] or 'any'} in all"
    )


def _still(tx: Tx, instance_id: int, node: Node, token: Token) -> Reason:
    """Why a token stands that waits for no event: a called instance, a stage's driver, or others that are to come."""
    if node.kind is Kind.CALL:
        row = tx.row(
            "select id from engine.instance where part = %s and parent_id = %s and parent_token = %s"
            " and state in (0, 3)",
            (part_of(instance_id), instance_id, token.id),
        )
        return Reason(node.id, node.name, "call", "" if row is None else str(row[0]))
    return Reason(node.id, node.name, "join" if len(node.incoming) > 1 else "stage", "")


@dataclass(frozen=True)
class Frame:
    """One instance of a chain of calls; ``node`` is the call activity in the instance before it, empty at the top."""

    instance_id: int
    process: str
    version: int
    state: str
    node: str


def propose_migration(tx: Tx, process: str, old: int, new: int) -> Proposal:
    """How the elements of one version map to those of another. NotFound."""
    return propose(definition_of(tx, process, old).graph, definition_of(tx, process, new).graph)


def call_stack(tx: Tx, instance_id: int) -> list[Frame]:
    """The calls that lead to an instance, from the top down to itself. NotFound."""
    frames: list[Frame] = []
    at: int | None = instance_id
    while at is not None:
        found = get_instance(tx, at)
        row = tx.row(
            "select parent_id, parent_token from engine.instance where part = %s and id = %s", (part_of(at), at)
        )
        parent, token = row if row is not None else (None, None)
        node = ""
        if parent is not None:
            graph, stored = _stored_tokens(tx, parent)
            node = next((graph.nodes[t.node].id for t in stored if t.id == token), "")
        frames.append(Frame(at, found.process, found.version, found.state, node))
        at = parent
    return frames[::-1]


def calls_of(tx: Tx, instance_id: int) -> list[int]:
    """The instances that an instance has called itself, ended ones too, oldest first."""
    rows = tx.rows(
        "select id from engine.instance where part = %s and parent_id = %s order by id",
        (part_of(instance_id), instance_id),
    )
    return [r[0] for r in rows]


def history_of(tx: Tx, instance_id: int) -> list[Mapping[str, Any]]:
    """All that happened to an instance and to those it called, oldest first: ``at``, ``actor``, the entry. NotFound."""
    root = get_instance(tx, instance_id).root_id
    meant, new = {instance_id}, [instance_id]
    while new:
        new = [c for i in new for c in calls_of(tx, i)]
        meant.update(new)
    return [
        {"at": row["at"], "actor": row["actor"], **entry}
        for row in journal.read(tx, root)
        for entry in told(row["entries"])
        if entry.get("instance") in meant
    ]


def _stored_tokens(tx: Tx, instance_id: int) -> tuple[Graph, list[Token]]:
    row = tx.row(
        "select d.bpmn, i.tokens, d.key from engine.instance i join engine.definition d on d.id = i.definition_id"
        " where i.part = %s and i.id = %s",
        (part_of(instance_id), instance_id),
    )
    if row is None:
        raise NotFound(entity="instance", id=instance_id)
    return compiled(bytes(row[0]), row[2]), [load_token(t) for t in row[1]["tokens"]]


def _task(row: tuple[Any, ...]) -> Task:
    values = [*row]
    values[8] = TASK_STATES[row[8]]
    return Task(*values)
