"""What the engine and those who use it say to each other: plain values, no database.

Nobody changes one that was said. What is made for every step is not frozen all the same: that makes it five times as
dear to make.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# What a message may ask for while nobody waits for it, and what it gets when it does not ask.
TTL_DEFAULT, TTL_MAX = timedelta(days=30), timedelta(days=400)
# The service type of tasks of external workers, and the name under which their tokens wait.
EXTERNAL = "diaodu.external"


@dataclass
class Call:
    """A token that stands at a service or send task, or throws a message, and asks for its work."""

    root_id: int
    instance_id: int
    token_id: int
    node: str  # element id in the diagram
    type: str  # the service type bound to the element
    settings: Mapping[str, str]  # the element's own extension properties
    vars: Mapping[str, Any]
    key: str | None  # the activation key inside a plan-driven stage
    attempt: int  # 1 the first time


@dataclass
class Done:
    """The work is finished; ``vars`` are merged into the instance's variables (<= 1 KB)."""

    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Wait:
    """The token waits here until a ``Message`` named ``name`` with ``key`` arrives."""

    name: str
    key: str


@dataclass(frozen=True)
class BusinessError:
    """A BPMN error: caught by an event of that code around the token, else an incident."""

    code: str
    message: str


@dataclass(frozen=True)
class Retry:
    """A passing fault: tried again with back-off, an incident after the last attempt."""

    reason: str
    after: timedelta | None = None


Outcome = Done | Wait | BusinessError | Retry


@dataclass
class Decision:
    """What ``decide`` answers for one call: the outcome and the writes that go with it (opaque to the engine).

    ``signals`` are given to the engine after the writes, in the same transaction.
    """

    outcome: Outcome
    writes: Any = None
    signals: Sequence["Signal"] = ()


@dataclass(frozen=True)
class TaskSpec:
    """The human task that an activation makes; its id is the activation's key."""

    name: str
    pool: int
    priority: int
    due_at: datetime


@dataclass(frozen=True)
class Scope:
    """An open plan-driven ad-hoc subprocess."""

    root_id: int
    instance_id: int
    token_id: int
    node: str
    vars: Mapping[str, Any]
    activities: Mapping[str, str]  # kind of work -> element id
    active: frozenset[str]  # keys that are activated and not ended


@dataclass(frozen=True)
class Activation:
    """One inner activity to start; ``key`` is unique per scope, so a repeat is harmless."""

    kind: str
    key: str
    task: TaskSpec | None = None  # for a user task


@dataclass(frozen=True)
class Advance:
    """What a scope does next."""

    activate: Sequence[Activation] = ()
    withdraw: Sequence[str] = ()
    done: bool = False
    reasons: Mapping[str, str] = field(default_factory=dict)  # by key: why it is withdrawn, where that is to be told


@dataclass(frozen=True)
class Inbound:
    """A job that is not bound to a token: a report of a person, a system or an area."""

    id: int
    root_id: int
    name: str
    body: Mapping[str, Any]
    attempt: int
    created_at: datetime


@dataclass
class Start:
    """Start an instance of the newest version of a process, at its none start event or at the start event ``node``."""

    root_id: int
    process: str
    business_key: str
    vars: Mapping[str, Any] = field(default_factory=dict)
    node: str = ""


@dataclass
class Message:
    """Deliver a message to the token of that root that waits for ``name`` and ``key``, or start what it starts.

    If an instance of the root may come to wait for it, it is kept for ``ttl`` (TTL_DEFAULT; at most TTL_MAX) from when
    it was sent; else it is nothing.
    """

    root_id: int
    name: str
    key: str
    vars: Mapping[str, Any] = field(default_factory=dict)
    ttl: timedelta | None = None
    sent_at: datetime | None = None  # now, if not told


@dataclass(frozen=True)
class Broadcast:
    """Throw a signal: every token of the root that waits for it moves, what it starts is started in the root.

    With ``beyond`` it reaches the waiting tokens of all other roots later, each in its own transaction.
    """

    root_id: int
    name: str
    vars: Mapping[str, Any] = field(default_factory=dict)
    beyond: bool = True
    instance_id: int | None = None  # only the tokens of this instance


@dataclass(frozen=True)
class Nudge:
    """Ask the drivers of the root's open plan-driven stages to advance."""

    root_id: int


@dataclass(frozen=True)
class Cancel:
    """End the instances of a process of that root, or one instance, withdrawing their tasks and timers."""

    root_id: int
    process: str
    instance_id: int | None = None
    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class AddInstance:
    """One more instance of a running multi-instance activity; ``token_id`` is the token that holds them all."""

    root_id: int
    token_id: int
    item: Any = None


@dataclass(frozen=True)
class RemoveInstance:
    """Take one running instance of a multi-instance activity back; ``token_id`` is its own."""

    root_id: int
    token_id: int


@dataclass(frozen=True)
class Move:
    """Let the token that stands at ``node`` go on at ``target``, or (empty) leave its node undone."""

    root_id: int
    instance_id: int
    token_id: int
    node: str
    target: str
    by: str
    reason: str


@dataclass(frozen=True)
class Migrate:
    """Let an instance go on in another version of its process; ``mapping`` is element id -> element id.

    With ``recompute`` the timers that stay count anew from now.
    """

    root_id: int
    instance_id: int
    version: int
    mapping: Mapping[str, str]
    recompute: bool
    by: str


@dataclass(frozen=True)
class Failed:
    """An external worker could not do it and nobody tries again: an incident."""

    reason: str
    attempts: int


@dataclass(frozen=True)
class Answer:
    """What an external worker said for its task."""

    root_id: int
    task_id: int
    outcome: Done | BusinessError | Failed


Signal = Start | Message | Broadcast | Nudge | Cancel | AddInstance | RemoveInstance | Move | Migrate | Answer


@dataclass(frozen=True)
class Question:
    """A token that stands at a business rule task and asks for its decision."""

    root_id: int
    decision: str
    vars: Mapping[str, Any]


@dataclass(frozen=True)
class WorkingTime:
    """A timer that counts ``duration`` (ISO 8601) in the working time of ``calendar`` from ``start`` on."""

    root_id: int
    calendar: str
    start: datetime
    duration: str


def told(entries: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The entries of a history with one ``node.done`` for each node: what was left in one go is stored as one."""
    for entry in entries:
        if "nodes" not in entry:
            yield entry
            continue
        for node in entry["nodes"]:
            yield {"t": entry["t"], "instance": entry["instance"], "node": node}
