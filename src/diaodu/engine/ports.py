"""What the engine asks of those who use it; all of it is called set-wise, inside the engine's transaction.

The order (root) rows of the batch are locked before anything here is called. Nothing here may call out of the
process: work of other systems is written down as an intent and comes back as a job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from diaodu.kernel.db import Tx


@dataclass(frozen=True)
class Call:
    """A token that stands at a service or send task and asks for its work."""

    root_id: int
    instance_id: int
    token_id: int
    node: str  # element id in the diagram
    type: str  # the service type bound to the element
    settings: Mapping[str, str]  # the element's own extension properties
    vars: Mapping[str, Any]
    key: str | None  # the activation key inside a plan-driven stage
    attempt: int  # 1 the first time


@dataclass(frozen=True)
class Done:
    """The work is finished; ``vars`` are merged into the instance's variables (<= 1 KB)."""

    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """The token waits here until a ``Message`` named ``name`` with ``key`` arrives."""

    name: str
    key: str


@dataclass(frozen=True)
class BusinessError:
    """A BPMN error: caught by a boundary event of that code, else an incident."""

    code: str
    message: str


@dataclass(frozen=True)
class Retry:
    """A passing fault: tried again with back-off, an incident after the last attempt."""

    reason: str
    after: timedelta | None = None


Outcome = Done | Wait | BusinessError | Retry


@dataclass(frozen=True)
class Decision:
    """What ``decide`` answers for one call: the outcome and the writes that go with it (opaque to the engine).

    ``signals`` are given to the engine after the writes, in the same transaction.
    """

    outcome: Outcome
    writes: Any = None
    signals: Sequence["Signal"] = ()


class ServiceHandler(Protocol):
    """The work behind one service type, in three steps; only the middle one decides and it is pure."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Any:
        """Read all facts that the calls need, set-wise."""

    def decide(self, call: Call, facts: Any) -> Decision:
        """Decide one call; an exception becomes that call's own failure, never the batch's."""

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Any) -> None:
        """Write what was decided, as set statements."""


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


class AdHocDriver(Protocol):
    """Decides what runs inside plan-driven stages; called when a scope opens, an activity ends, or on a nudge."""

    def advance(self, tx: Tx, scopes: Sequence[Scope]) -> Mapping[int, Advance]:
        """For each scope (by its token id) what to activate, withdraw, or that it is done."""


@dataclass(frozen=True)
class Inbound:
    """A job that is not bound to a token: a report of a person, a system or an area."""

    id: int
    root_id: int
    name: str
    body: Mapping[str, Any]
    attempt: int
    created_at: datetime


@dataclass(frozen=True)
class Start:
    """Start an instance of the newest version of a process."""

    root_id: int
    process: str
    business_key: str
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """Deliver a message to the token of that root that waits for ``name`` and ``key``; else it is ignored."""

    root_id: int
    name: str
    key: str
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Nudge:
    """Ask the drivers of the root's open plan-driven stages to advance."""

    root_id: int


@dataclass(frozen=True)
class Cancel:
    """End the active instances of a process of that root, withdrawing their tasks and timers."""

    root_id: int
    process: str


Signal = Start | Message | Nudge | Cancel


class InboundHandler(Protocol):
    """Takes jobs of one name for many roots; writes set-wise and answers with signals for the engine."""

    def run(self, tx: Tx, jobs: Sequence[Inbound]) -> Sequence[Signal]:
        """Handle the jobs in the order given (of one root: id order)."""


@dataclass(frozen=True)
class Question:
    """A token that stands at a business rule task and asks for its decision."""

    root_id: int
    decision: str
    vars: Mapping[str, Any]


class DecisionService(Protocol):
    """Answers business rule tasks."""

    def decide(self, tx: Tx, questions: Sequence[Question]) -> Sequence[Any]:
        """What each decision says, in order: plain JSON, or a BusinessError when it cannot be decided."""


class FactsProvider(Protocol):
    """Read-only facts for the conditions of the diagram, loaded once per batch."""

    def facts(self, tx: Tx, root_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
        """For each root the names that a FEEL expression may use beside the instance's variables."""


@dataclass(frozen=True)
class Handlers:
    """All that is plugged into an engine; missing service types are refused at deployment."""

    services: Mapping[str, ServiceHandler]
    inbound: Mapping[str, InboundHandler]
    driver: AdHocDriver | None = None
    facts: FactsProvider | None = None
    decisions: DecisionService | None = None
