"""An instance in memory: its tokens and variables while a batch moves them, and what a batch changes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from diaodu.engine.graph import Graph, Node

ACTIVE, ENDED, CANCELLED, SUSPENDED = 0, 1, 2, 3
ALIVE = (ACTIVE, SUSPENDED)
READY, DONE, FAILED, KEPT = 0, 1, 2, 3  # states of a job; KEPT until its suspended instance goes on
OFFERED, CLAIMED, HELD, COMPLETED, WITHDRAWN = 0, 1, 2, 3, 4  # states of a human task

# Early messages wait in the instance until a node asks for them; the oldest give way.
EARLY_MAX = 32
# The form of the stored tokens. 1 had no ``more`` in a token and no expiry of early messages; both are read.
TOKENS_VERSION = 2
# The token that stands for a process with event subprocesses; the process holds the tokens whose scope is 0.
PROCESS = 0

Vars = dict[str, Any]


@dataclass(slots=True)
class Token:
    """Where one thread of the diagram stands; ``scope`` is the token of the enclosing subprocess, 0 for none.

    An activity that is done several times is one token with ``loop`` that holds one token for each ``turn``.
    """

    id: int
    node: int
    scope: int
    key: str | None = None  # the activation key inside a plan-driven stage
    via: int = -1  # the flow by which it came
    waits: list[list[Any]] = field(default_factory=list)  # [node, message name, key]; key None: the name is a signal's
    timers: list[list[int]] = field(default_factory=list)  # [node, job id]
    task: int | None = None  # its human task
    job: int | None = None  # the job that tries again, or the failed one that an incident names
    vars: Vars | None = None  # its local variables
    loop: Vars | None = None
    turn: int = -1

    @property
    def free(self) -> bool:
        """Whether it holds nothing: no wait, timer, task, job, variables or turn of its own."""
        return not (self.waits or self.timers or self.task or self.job or self.turn >= 0) and self.vars is None

    def dump(self) -> list[Any]:
        row: list[Any] = [
            self.id,
            self.node,
            self.scope,
            self.key,
            self.via,
            self.waits,
            self.timers,
            self.task,
            self.job,
        ]
        if self.vars is not None or self.loop is not None or self.turn >= 0:
            row.append({"vars": self.vars, "loop": self.loop, "turn": self.turn})
        return row


def load_token(row: list[Any]) -> Token:
    """A token from its stored form."""
    return Token(*row) if len(row) == 9 else Token(*row[:9], **row[9])


@dataclass(slots=True)
class Instance:
    """One run of a process; ``steps`` counts its moves in this batch."""

    id: int
    root_id: int
    definition_id: int
    version: int
    graph: Graph
    business_key: str
    vars: Vars
    started_at: datetime
    parent_id: int | None = None  # the instance whose call activity runs this one
    parent_token: int | None = None
    tokens: dict[int, Token] = field(default_factory=dict)
    early: list[list[Any]] = field(default_factory=list)  # [message name, key, vars, expiry as ISO 8601 or None]
    state: int = ACTIVE
    ended_at: datetime | None = None
    new: bool = False
    changed: bool = False
    steps: int = 0
    listened: frozenset[str] = frozenset()  # the signals that it waited for when it was loaded

    def node(self, token: Token) -> Node:
        """The node where a token stands."""
        return self.graph.nodes[token.node]

    def inside(self, scope: int) -> list[Token]:
        """The tokens directly inside a scope."""
        return [t for t in self.tokens.values() if t.scope == scope]

    def around(self, token: Token) -> Iterator[Token]:
        """The tokens of the scopes around a token, from the inside out; of the process only if it has one."""
        at = self.tokens.get(token.scope) if token.id else None
        while at is not None:
            yield at
            at = self.tokens.get(at.scope) if at.id else None

    def signals(self) -> frozenset[str]:
        """The names of the signals that its tokens wait for."""
        if not self.graph.signals or self.state not in ALIVE:
            return frozenset()
        return frozenset(name for t in self.tokens.values() for _, name, key in t.waits if key is None)

    def dump_tokens(self) -> dict[str, Any]:
        tokens = [t.dump() for t in self.tokens.values()]
        return {"v": TOKENS_VERSION, "tokens": tokens, "early": self.early}

    def load_tokens(self, stored: dict[str, Any]) -> None:
        self.tokens = {row[0]: load_token(row) for row in stored["tokens"]}
        self.early = stored["early"]
        if stored.get("v", 1) < TOKENS_VERSION:
            self.early = [[*entry, None] for entry in self.early]
        self.listened = self.signals()


@dataclass(slots=True)
class Job:
    """A row of ``engine.job``: something that wakes an order."""

    id: int
    root_id: int
    instance_id: int | None
    token_id: int | None
    kind: str
    name: str
    msg_key: str | None
    body: dict[str, Any]
    state: int
    due_at: datetime
    attempts: int
    created_at: datetime


@dataclass(slots=True)
class HumanTask:
    """A new row of ``engine.human_task``."""

    id: int
    root_id: int
    instance_id: int
    token_id: int
    node: str
    name: str
    planned: bool
    pool: int
    priority: int
    due_at: datetime
    state: int = OFFERED
    reason: str | None = None


@dataclass(slots=True)
class Incident:
    """A new row of ``engine.incident``: what needs a person, and the job that goes on when it is mended."""

    id: int
    root_id: int
    instance_id: int | None
    node: str
    job_id: int
    code: str
    message: str
    detail: dict[str, Any]


@dataclass(slots=True)
class Changes:
    """What a batch does to the tables, beside the instances themselves."""

    jobs: dict[int, Job] = field(default_factory=dict)  # new ones
    tries: dict[int, tuple[int, int, datetime]] = field(default_factory=dict)  # claimed -> state, attempts, due_at
    cancelled: set[int] = field(default_factory=set)  # jobs that nobody needs any more
    mended: set[int] = field(default_factory=set)  # failed jobs whose token has gone on
    tasks: dict[int, HumanTask] = field(default_factory=dict)
    closed: dict[int, tuple[int, str | None]] = field(default_factory=dict)  # task -> state, reason
    incidents: list[Incident] = field(default_factory=list)
    broadcasts: list[tuple[int, int, str, Vars]] = field(default_factory=list)  # id, root id, signal name, variables
    entries: list[tuple[int, dict[str, Any]]] = field(default_factory=list)  # root id, history entry
    # By root the instance and the nodes of its last entry, while that is one of nodes left, to which more may come.
    passed: dict[int, tuple[int, list[str]]] = field(default_factory=dict)
    migrated: dict[int, int] = field(default_factory=dict)  # instance -> definition
    renamed: dict[int, tuple[str, str]] = field(default_factory=dict)  # task -> id and name of its node
    errands: set[int] = field(default_factory=set)  # tasks of external workers that nobody needs any more

    def cancel(self, job_id: int) -> None:
        """Drop a job, whether it is stored already or not."""
        if self.jobs.pop(job_id, None) is None:
            self.cancelled.add(job_id)
