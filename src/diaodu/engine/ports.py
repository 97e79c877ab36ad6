"""What the engine asks of those who use it; all of it is called set-wise, inside the engine's transaction.

The order (root) rows of the batch are locked before anything here is called. Nothing here may call out of the
process: work of other systems is written down as an intent and comes back as a job.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from diaodu.engine.model import (
    Activation,
    AddInstance,
    Advance,
    Broadcast,
    BusinessError,
    Call,
    Cancel,
    Decision,
    Done,
    Inbound,
    Message,
    Nudge,
    Outcome,
    Question,
    RemoveInstance,
    Retry,
    Scope,
    Signal,
    Start,
    TaskSpec,
    Wait,
    WorkingTime,
)
from diaodu.kernel.db import Database, Tx

__all__ = [
    "Activation",
    "AdHocDriver",
    "AddInstance",
    "Advance",
    "Broadcast",
    "BusinessError",
    "Calendar",
    "Call",
    "Cancel",
    "Decision",
    "DecisionService",
    "Done",
    "Errand",
    "FactsProvider",
    "Handlers",
    "Inbound",
    "InboundHandler",
    "Message",
    "Nudge",
    "Outcome",
    "Question",
    "RemoveInstance",
    "Retry",
    "Scope",
    "ServiceHandler",
    "Signal",
    "Start",
    "TaskSpec",
    "Wait",
    "WorkingTime",
]


class ServiceHandler(Protocol):
    """The work behind one service type, in three steps; only the middle one decides and it is pure."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Any:
        """Read all facts that the calls need, set-wise."""

    def decide(self, call: Call, facts: Any) -> Decision:
        """Decide one call; an exception becomes that call's own failure, never the batch's."""

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Any) -> None:
        """Write what was decided, as set statements."""


class AdHocDriver(Protocol):
    """Decides what runs inside plan-driven stages; called when a scope opens, an activity ends, or on a nudge."""

    def advance(self, tx: Tx, scopes: Sequence[Scope]) -> Mapping[int, Advance]:
        """For each scope (by its token id) what to activate, withdraw, or that it is done."""


class InboundHandler(Protocol):
    """Takes jobs of one name for many roots; writes set-wise and answers with signals for the engine."""

    def run(self, tx: Tx, jobs: Sequence[Inbound]) -> Sequence[Signal]:
        """Handle the jobs in the order given (of one root: id order)."""


class DecisionService(Protocol):
    """Answers business rule tasks."""

    def decide(self, tx: Tx, questions: Sequence[Question]) -> Sequence[Any]:
        """What each decision says, in order: plain JSON, or a BusinessError when it cannot be decided."""


class Calendar(Protocol):
    """Knows working time."""

    def due(self, tx: Tx, timers: Sequence[WorkingTime]) -> Sequence[datetime]:
        """When each timer is due, in order."""


class FactsProvider(Protocol):
    """Read-only facts for the conditions of the diagram, loaded once per batch."""

    def facts(self, tx: Tx, root_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
        """For each root the names that a FEEL expression may use beside the instance's variables."""


# Work beside the batches, in transactions of its own: called again and again with the database, who works, and the
# partitions held; answers how much was done, 0 when nothing is due.
Errand = Callable[[Database, str, Collection[int]], int]


@dataclass(frozen=True)
class Handlers:
    """All that is plugged into an engine; missing service types are refused at deployment.

    With ``lenient`` a task that names no service, decision or pool is taken too: its element id is the type or the
    decision, the pool is 0. ``effects`` are the service types whose work writes effects: nobody skips them by hand.
    ``errands`` are done beside the batches by whoever holds the partitions.
    """

    services: Mapping[str, ServiceHandler]
    inbound: Mapping[str, InboundHandler]
    driver: AdHocDriver | None = None
    facts: FactsProvider | None = None
    decisions: DecisionService | None = None
    calendar: Calendar | None = None
    lenient: bool = False
    effects: frozenset[str] = frozenset()
    errands: Sequence[Errand] = ()
