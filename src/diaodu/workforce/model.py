"""Work orders and what is reported on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from diaodu.kernel.states import StateTable


@dataclass(frozen=True)
class WorkLine:
    """One effect that a work order carries; a dropped one stays, because a phone may still report it."""

    effect: int
    kind: str
    item: str | None
    params: Mapping[str, Any]
    dropped: bool = False


@dataclass(frozen=True)
class WorkOrder:
    """A detail row of a human task; its state is a function of the task."""

    id: int  # that of the human task
    order_id: int
    kind: str
    lines: tuple[WorkLine, ...]
    release_id: int
    place: Mapping[str, Any]
    customer_id: int | None = None
    visit_id: int | None = None
    appointment_id: int | None = None
    start_at: datetime | None = None  # the window that the customer was promised
    end_at: datetime | None = None

    @property
    def carried(self) -> tuple[WorkLine, ...]:
        """The lines that are still to be done."""
        return tuple(line for line in self.lines if not line.dropped)


@dataclass(frozen=True)
class EffectOutcome:
    """What a technician reports of one effect."""

    effect_id: int
    ok: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True)
class WorkReport:
    """A report on a work order; ``report_id`` is made by the client, so that it enters once."""

    work_order_id: int
    report_id: str
    outcomes: tuple[EffectOutcome, ...]


class RecallState(StrEnum):
    """待撤回: where the question stands whether claimed work can still be stopped."""

    ASKED = "asked"  # the technician's turn, until the instant it is due
    PROMISED = "promised"  # it is done, or goes on: the report is awaited
    UNDECIDED = "undecided"  # the dispatcher's turn
    WITHDRAWN = "withdrawn"  # nothing was done
    REPORTED = "reported"  # a report came
    DROPPED = "dropped"  # the work is wanted again


class RecallEvent(StrEnum):
    """What may happen to a recall; the first three are the technician's answers."""

    STOPPED = "stopped"
    DONE = "done"
    GOING_ON = "going-on"
    WITHDRAW = "withdraw"  # the dispatcher's word
    WAIT = "wait"  # the dispatcher's word
    REPORT = "report"
    DROP = "drop"


_R, _V = RecallState, RecallEvent
_ENDS = {_V.STOPPED: _R.WITHDRAWN, _V.WITHDRAW: _R.WITHDRAWN, _V.REPORT: _R.REPORTED, _V.DROP: _R.DROPPED}
_ANSWERS = {_V.DONE: _R.PROMISED, _V.GOING_ON: _R.UNDECIDED, _V.WAIT: _R.PROMISED}
RECALL_TABLE: StateTable[RecallState, RecallEvent] = StateTable(
    name="recall",
    states=RecallState,
    events=RecallEvent,
    moves={
        **dict.fromkeys((_R.ASKED, _R.PROMISED, _R.UNDECIDED), _ENDS | _ANSWERS),
        **{state: {} for state in (_R.WITHDRAWN, _R.REPORTED, _R.DROPPED)},
    },
    # Reports come whenever they come; what they say of ended questions is told by the ledger.
    ignored=frozenset({(s, e) for s in (_R.WITHDRAWN, _R.REPORTED, _R.DROPPED) for e in (_V.REPORT, _V.DROP)}),
)
ANSWERS = (RecallEvent.STOPPED, RecallEvent.DONE, RecallEvent.GOING_ON)
DECISIONS = (RecallEvent.WITHDRAW, RecallEvent.WAIT)


@dataclass(frozen=True)
class Recall:
    """A question to whoever holds a work order: these effects are wanted no more, can they still be stopped?"""

    id: int
    order_id: int
    task_id: int
    effects: tuple[int, ...]
    state: RecallState
    asked_at: datetime
    due_at: datetime
    answer: str | None = None
    decided_by: str | None = None
    answered_at: datetime | None = None
    note: str | None = None


class AppointmentState(StrEnum):
    """The life of an appointment (TMF646)."""

    INITIALIZED = "initialized"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


class AppointmentEvent(StrEnum):
    """What may happen to an appointment."""

    CONFIRM = "confirm"
    CHANGE = "change"  # 改约: another window
    CANCEL = "cancel"
    COMPLETE = "complete"
    FAIL = "fail"  # nobody was there


_A, _B = AppointmentState, AppointmentEvent
_MADE = {_B.CONFIRM: _A.CONFIRMED, _B.CANCEL: _A.CANCELLED, _B.COMPLETE: _A.COMPLETED, _B.FAIL: _A.FAILED}
APPOINTMENT_TABLE: StateTable[AppointmentState, AppointmentEvent] = StateTable(
    name="appointment",
    states=AppointmentState,
    events=AppointmentEvent,
    moves={
        _A.INITIALIZED: _MADE | {_B.CHANGE: _A.INITIALIZED},
        _A.CONFIRMED: _MADE | {_B.CHANGE: _A.CONFIRMED},
        _A.FAILED: {_B.CHANGE: _A.INITIALIZED, _B.CANCEL: _A.CANCELLED, _B.COMPLETE: _A.COMPLETED},
        _A.CANCELLED: {},
        _A.COMPLETED: {},
    },
    ignored=frozenset({(_A.CANCELLED, _B.CANCEL), (_A.COMPLETED, _B.COMPLETE)}),
)


@dataclass(frozen=True)
class Appointment:
    """A window agreed with the customer for the visits of an order."""

    id: int
    order_id: int
    status: AppointmentState
    start_at: datetime
    end_at: datetime
    extra: Mapping[str, Any] = field(default_factory=dict)
