"""An engine on a stand, in memory or on PostgreSQL: what is in its tables, and what one can do to it from outside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import orjson
from tests.engine.proof.memory import PART, Memory
from tests.engine.proof.things import Observed, pairs

from diaodu.engine import commands
from diaodu.engine.definition import compiled
from diaodu.engine.failure import Runner
from diaodu.engine.game import TASK
from diaodu.engine.graph import GATEWAYS, Graph
from diaodu.engine.instance import ACTIVE, FAILED, READY, Instance, Job, Token
from diaodu.engine.model import (
    AddInstance,
    Broadcast,
    BusinessError,
    Call,
    Cancel,
    Decision,
    Done,
    Message,
    RemoveInstance,
    Retry,
    Signal,
    Start,
    told,
)
from diaodu.engine.ports import Handlers
from diaodu.engine.signals import body_of
from diaodu.engine.step import fold
from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = "case"
OPEN_TASK = 3  # states below are open
LATER = timedelta(days=1)

# What happens (work, timer, message, signal, more, fewer, cancel), at which element or under which name, and how work
# ends.
Stimulus = tuple[Any, ...]


class View(NamedTuple):
    """An instance as an outsider sees it."""

    id: int
    graph: Graph
    state: int
    tokens: list[Token]
    early: list[list[Any]]
    vars: dict[str, Any]
    parent: int | None
    parent_token: int | None


class Picture(NamedTuple):
    """What stands in all tables of a root."""

    instances: list[View]
    jobs: list[tuple[int, int | None, str, str, int]]  # id, token id, kind, name, state
    tasks: list[tuple[int, int, str, int]]  # id, token id, node, state
    incidents: list[tuple[int, str, str]]  # the open ones: job id, node, code
    subscriptions: list[tuple[int, str]]


@dataclass
class Scripted:
    """A service: the first attempt never succeeds, the next does what ``says`` tells for the token."""

    says: dict[int, Any] = field(default_factory=dict)

    def load(self, _tx: Tx, _calls: Sequence[Call]) -> None:
        return None

    def decide(self, call: Call, _facts: None) -> Decision:
        if call.attempt == 1 or call.token_id not in self.says:
            return Decision(Retry("not yet", LATER))
        outcome = self.says[call.token_id]
        return Decision(BusinessError(outcome, "") if isinstance(outcome, str) else Done(outcome))

    def apply(self, _tx: Tx, _decided: Sequence[tuple[Call, Decision]], _facts: None) -> None:
        return None


class InMemory:
    """The engine on tables in memory."""

    def __init__(self, memory: Memory | None = None, root: int = 0) -> None:
        self.service = Scripted()
        self.handlers = Handlers({"work": self.service}, {})
        self.memory = memory or Memory(NOW)
        self.root = root or self.memory.root()

    def branch(self) -> "InMemory":
        return InMemory(self.memory.branch(), self.root)

    def deploy(self, *files: bytes) -> None:
        for bpmn in files:
            self.memory.versions.deploy(bpmn, self.handlers)

    def hand_in(self, *signals: Signal) -> None:
        memory = self.memory
        for signal in signals:
            kind, name, body = body_of(signal)
            made = memory.new_id(self.root)
            memory.insert([Job(made, self.root, None, None, kind, name, None, body, READY, NOW, 0, NOW)])

    def due(self, job: int) -> None:
        self.memory.jobs[job] = replace(self.memory.jobs[job], due_at=NOW)

    def work(self, each: int = 64) -> None:
        while fold(self.memory, cast(Tx, None), [self.root], self.handlers, each):
            pass

    def done(self) -> list[str]:
        return [e["node"] for e in self.entries() if e["t"] == "node.done"]

    def entries(self) -> list[dict[str, Any]]:
        return [dict(e) for e in told(e for _, e in self.memory.history)]

    def picture(self) -> Picture:
        memory = self.memory
        views = []
        for row in memory.instances.values():
            graph = memory.versions.by_id[row.definition_id].graph
            stored, variables = orjson.loads(row.tokens), orjson.loads(row.vars)
            views.append(_view(row.id, graph, (row.state, stored, variables, row.parent_id, row.parent_token)))
        return Picture(
            views,
            [(j.id, j.token_id, j.kind, j.name, j.state) for j in memory.jobs.values()],
            [(t.id, t.token_id, t.node, t.state) for t in memory.tasks.values()],
            [(i.job_id, i.node, i.code) for i, is_open in memory.incidents.values() if is_open],
            sorted(memory.subscriptions),
        )


class OnTables:
    """The engine on PostgreSQL; each ``work`` is a worker of its own."""

    def __init__(self, db: Database) -> None:
        self.service = Scripted()
        self.handlers = Handlers({"work": self.service}, {})
        self.db = db
        db.clock = lambda: NOW
        with db.transaction() as tx:
            self.root = tx.new_id(PART)
            journal.create(tx, [self.root], "order")

    def deploy(self, *files: bytes) -> None:
        with self.db.transaction() as tx:
            commands.deploy_together(tx, files, self.handlers)

    def hand_in(self, *signals: Signal) -> None:
        with self.db.transaction() as tx:
            commands.signal(tx, signals)

    def due(self, job: int) -> None:
        with self.db.transaction() as tx:
            tx.expect(1, "update engine.job set due_at = %s where part = %s and id = %s", (NOW, PART, job))

    def work(self) -> None:
        while Runner(self.db, self.handlers, "worker").run(PART, [self.root]):
            pass

    def entries(self) -> list[dict[str, Any]]:
        with self.db.transaction() as tx:
            return [dict(e) for row in journal.read(tx, self.root) for e in told(row["entries"])]

    def done(self) -> list[str]:
        return [e["node"] for e in self.entries() if e["t"] == "node.done"]

    def picture(self) -> Picture:
        with self.db.transaction() as tx:
            mine = (PART, self.root)
            views = []
            for key, bpmn, process, *row in tx.rows(
                "select i.id, d.bpmn, d.key, i.state, i.tokens, i.vars, i.parent_id, i.parent_token"
                " from engine.instance i join engine.definition d on d.id = i.definition_id"
                " where i.part = %s and i.root_id = %s order by i.id",
                mine,
            ):
                views.append(_view(key, compiled(bytes(bpmn), process), row))
            return Picture(
                views,
                _rows(tx, "id, token_id, kind, name, state from engine.job", mine),
                _rows(tx, "id, token_id, node, state from engine.human_task", mine),
                [r[1:] for r in _rows(tx, "id, job_id, node, code from engine.incident", mine, "resolved_at is null")],
                sorted(r[1:] for r in _rows(tx, "instance_id as id, instance_id, name from engine.subscription", mine)),
            )


Stand = InMemory | OnTables


def _rows(tx: Tx, what: str, mine: tuple[int, int], more: str = "true") -> list[tuple[Any, ...]]:
    return tx.rows(f"select {what} where part = %s and root_id = %s and {more} order by 1", mine)


def _view(key: int, graph: Graph, row: Sequence[Any]) -> View:
    state, stored, variables, *parent = row
    held = Instance(key, 0, 0, 0, graph, "", {}, NOW)
    held.load_tokens(stored)
    return View(key, graph, state, list(held.tokens.values()), held.early, variables, *parent)


# What one can see -------------------------------------------------------------------------------------------------


def observed(picture: Picture) -> Observed:
    """What the oracle's ``observed`` tells, read from the tables."""
    (root,) = (v for v in picture.instances if v.parent is None)
    waits = []
    retries = {job for job, _, kind, _, state in picture.jobs if kind == "retry" and state == READY}
    for view in picture.instances:
        if view.state != ACTIVE:
            continue
        for token in view.tokens:
            node = view.graph.nodes[token.node]
            joining = node.kind in GATEWAYS and not token.waits and not token.timers
            waits += [("join", node.id)] * joining
            waits += [("work", node.id)] * (token.job in retries)
            for index, name, key in token.waits:
                if name == TASK and token.task is not None:
                    waits.append(("work", node.id))
                else:
                    waits.append(("signal" if key is None else "message", view.graph.nodes[index].id))
            waits += [("timer", view.graph.nodes[index].id) for index, _ in token.timers]
    return Observed(root.state != ACTIVE, tuple(sorted(waits)), pairs(root.vars))


def litter(picture: Picture) -> list[str]:
    """What stands in the tables and belongs to nobody, or is missing there."""
    active = [v for v in picture.instances if v.state == ACTIVE]
    tokens = {t.id: t for v in active for t in v.tokens}
    jobs = {job for job, _, kind, _, _ in picture.jobs if kind in ("timer", "retry")}
    named = {job for t in tokens.values() for _, job in t.timers} | {t.job for t in tokens.values()} - {None}
    tasks = {task for task, _, _, state in picture.tasks if state < OPEN_TASK}
    held = {t.task for t in tokens.values()} - {None}
    listening = {(v.id, n) for v in active for t in v.tokens for _, n, key in t.waits if key is None}
    incidents = {job for job, _, _ in picture.incidents}
    failed = {job for job, _, kind, _, state in picture.jobs if state == FAILED and kind in ("timer", "retry")}
    found = [f"{v.id} has tokens" for v in picture.instances if v.state != ACTIVE and v.tokens]
    for what, stored, wanted in (
        ("jobs", jobs, named),
        ("tasks", tasks, held),
        ("subscriptions", set(picture.subscriptions), listening),
        ("incidents", incidents, failed),
    ):
        if stored != wanted:
            found.append(f"{what}: {stored - cast(Any, wanted)} of nobody, {cast(Any, wanted) - stored} missing")
    for view in active:
        own = {t.id for t in view.tokens}
        found += [f"{t} in no scope" for t in view.tokens if t.scope > 0 and t.scope not in own]
        found += [
            f"{view.id} of no caller" for _ in [0] if view.parent_token is not None and view.parent_token not in tokens
        ]
        if not view.tokens:
            found.append(f"{view.id} is active without a token")
    return found


# What one can do --------------------------------------------------------------------------------------------------


def begin(stand: Stand, process: str, variables: dict[str, Any]) -> None:
    """Start a process and let it come to rest."""
    stand.hand_in(Start(stand.root, process, KEY, variables))
    stand.work()


def targets(picture: Picture, stimulus: Stimulus) -> list[int]:
    """The tokens that a stimulus may be meant for; [0] if it is for the root."""
    kind, name = stimulus[:2]
    if kind in ("more", "fewer"):
        at = [t for view, t in _tokens(picture) if view.graph.nodes[t.node].id == name]
        return [t.id for t in at if (t.loop is not None) is (kind == "more") and (t.turn >= 0) is (kind == "fewer")]
    if kind not in ("work", "timer"):
        return [0]
    return [token.id for view, token in _tokens(picture) if _jobs(view, token, kind, name)]


def prepare(stand: Stand, picture: Picture, stimulus: Stimulus, target: int) -> None:
    """Put a stimulus before the engine, which does not work yet."""
    root = stand.root
    match stimulus:
        case ("message", name):
            stand.hand_in(Message(root, name, KEY))
        case ("signal", name):
            stand.hand_in(Broadcast(root, name, beyond=False))
        case ("cancel", process):
            stand.hand_in(Cancel(root, process))
        case ("more", _):
            stand.hand_in(AddInstance(root, target))
        case ("fewer", _):
            stand.hand_in(RemoveInstance(root, target))
        case ("work" | "timer" as kind, name, *outcome):
            view, token = next((v, t) for v, t in _tokens(picture) if t.id == target)
            if kind == "work" and token.task is not None:
                stand.hand_in(Message(root, TASK, str(token.task), outcome[0]))
                return
            if kind == "work":
                stand.service.says[token.id] = outcome[0]
            stand.due(_jobs(view, token, kind, name)[0])


def _tokens(picture: Picture) -> Iterator[tuple[View, Token]]:
    for view in picture.instances:
        if view.state == ACTIVE:
            yield from ((view, token) for token in view.tokens)


def _jobs(view: View, token: Token, kind: str, name: str) -> list[int]:
    """The timer jobs of an event, or what stands for the work at a node."""
    if kind == "timer":
        return [job for index, job in token.timers if view.graph.nodes[index].id == name]
    at = view.graph.nodes[token.node].id == name
    return [found for found in (token.task, token.job) if found is not None] if at else []
