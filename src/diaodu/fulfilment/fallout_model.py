"""异常: what failed, why, whose it is and until when; pure.

One record stands for one effect that failed or one incident of the engine, under its id. It follows the facts: it
opens when the effect fails, waits while the effect is at work again, and closes when the effect is settled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from diaodu.catalog.model import CauseClass, Handling, Release, Text
from diaodu.kernel.states import StateTable
from diaodu.planning.model import Effect

BACKOFF_MAX = timedelta(hours=6)
FIELD_WORK = "work.failed"  # what people report without a code
INCIDENT = "engine.incident"


class Subject(StrEnum):
    """What a record is about."""

    EFFECT = "effect"
    INCIDENT = "incident"


class Standing(StrEnum):
    """Who has to act."""

    OPEN = "open"  # anybody of its worklist
    CLAIMED = "claimed"  # its assignee
    WAITING = "waiting"  # nobody: it is done again by itself
    CLOSED = "closed"


class Happening(StrEnum):
    """What may happen to a record."""

    FAIL = "fail"
    AGAIN = "again"  # the effect is at work again, or will be
    CLAIM = "claim"
    GIVE_BACK = "giveBack"
    CLOSE = "close"


_S, _H = Standing, Happening
FALLOUT_TABLE: StateTable[Standing, Happening] = StateTable(
    name="fallout",
    states=Standing,
    events=Happening,
    moves={
        _S.OPEN: {_H.CLAIM: _S.CLAIMED, _H.AGAIN: _S.WAITING, _H.CLOSE: _S.CLOSED},
        _S.CLAIMED: {_H.GIVE_BACK: _S.OPEN, _H.AGAIN: _S.WAITING, _H.CLOSE: _S.CLOSED},
        _S.WAITING: {_H.FAIL: _S.OPEN, _H.CLOSE: _S.CLOSED},
        _S.CLOSED: {_H.FAIL: _S.OPEN},
    },
    ignored=frozenset({(_S.OPEN, _H.FAIL), (_S.CLAIMED, _H.FAIL), (_S.WAITING, _H.AGAIN), (_S.CLOSED, _H.CLOSE)}),
)


@dataclass(frozen=True)
class Cause:
    """Why something failed."""

    code: str
    cause_class: CauseClass
    told: Text


@dataclass(frozen=True)
class Treatment:
    """What the operator's policy says of a failure; ``delay`` before it is done again, ``limit`` for a person."""

    action: Handling
    delay: timedelta
    role: str
    limit: timedelta


@dataclass(frozen=True)
class Record:
    """One row of the list; ``due_at`` is a person's deadline, or the instant at which it goes on by itself."""

    id: int
    order_id: int
    subject: Subject
    kind: str
    work: str | None
    item_key: str | None
    element: str | None
    cause: str
    cause_class: CauseClass
    told: Text
    advice: Handling  # what the operator's policy says; undo and abort are a person's to do
    state: Standing
    pool: int | None
    assignee: str | None
    attempts: int
    failed_at: datetime
    due_at: datetime | None
    opened_at: datetime
    resolution: str | None = None
    evidence: Mapping[str, Any] | None = None
    bulk_id: int | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Evidence:
    """What shows that a thing was done by hand; one of the two is there."""

    text: str = ""
    attachments: Sequence[str] = field(default_factory=tuple)

    def __bool__(self) -> bool:
        return bool(self.text.strip() or self.attachments)


def cause_of(effect: Effect, release: Release) -> Cause:
    """Why an effect failed, by the causes of its release; an unknown code is a business one."""
    found = (effect.result or {}).get("cause")
    if isinstance(found, Mapping):
        code = str(found.get("code", FIELD_WORK))
        told = {"zh": str(found.get("zh", code)), "en": str(found.get("en", code))}
    else:
        code, told = FIELD_WORK, {"zh": str(found or "现场施工失败"), "en": str(found or "field work failed")}
    known = release.causes.get(code)
    return Cause(code, known.cause_class if known else CauseClass.BUSINESS, told)


def treatment_of(value: Mapping[str, Any]) -> Treatment:
    """What the policy ``fallout`` gave, as it is used."""
    delay, limit = timedelta(seconds=float(value["延迟"])), timedelta(minutes=float(value["时限"]))
    return Treatment(Handling(value["动作"]), delay, str(value["角色"]), limit)


def pause(treatment: Treatment, attempts: int, chance: float) -> timedelta:
    """How long to wait before it is done again: for a retry twice as long each time, ``chance`` (0..1) spreads it."""
    if treatment.action is not Handling.RETRY:
        return treatment.delay
    longest: timedelta = min(BACKOFF_MAX, treatment.delay * 2 ** min(attempts - 1, 16))
    return longest * (0.5 + chance / 2)
