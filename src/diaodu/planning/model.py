"""Effects: facts about the outside world, as the ledger holds them; and what a plan is made of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from diaodu.kernel.states import StateTable

RELEASE = "usage.release"  # the question whether the last user of a shared thing has gone
TAKE_BACK = "wish.withdraw"  # the request to an area to forget what it was asked for
QUESTIONS = frozenset({RELEASE, TAKE_BACK})  # no facts that somebody wants or not: they stay until they are answered
AREA = "area:"  # what the elements of areas begin with; all else is a system, or a person where there is none
WISH = "reserve"  # the kind of work that asks an area for resources and claims: a wish


class State(StrEnum):
    """What is true outside."""

    INTENT = "intent"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNDONE = "undone"
    WITHDRAWN = "withdrawn"


class Op(StrEnum):
    """How an effect came into the ledger."""

    DO = "do"
    REDO = "redo"
    UNDO = "undo"
    INHERITED = "inherited"  # a realisation of the installed product, copied when it was claimed


class EffectEvent(StrEnum):
    """What may happen to an effect."""

    SEND = "send"  # it goes out, or stands in the queue of an area
    CONFIRM = "confirm"  # it is true
    FAIL = "fail"
    LOSE = "lose"  # nobody knows
    RETURN = "return"  # it was never done, and is to be done again
    REFUSE = "refuse"  # an area cannot do it, or has forgotten it
    WITHDRAW = "withdraw"  # we want it no more, and it was not begun
    UNDO = "undo"  # it was true and has been taken back


_S, _E = State, EffectEvent
OPEN = frozenset({_S.INTENT, _S.SENT, _S.UNKNOWN, _S.FAILED})
SETTLED = frozenset(_S) - OPEN
_LANDS = {_E.CONFIRM: _S.CONFIRMED, _E.FAIL: _S.FAILED}
_LATE = (_E.SEND, _E.CONFIRM, _E.FAIL, _E.LOSE, _E.RETURN, _E.REFUSE, _E.WITHDRAW, _E.UNDO)
EFFECT_TABLE: StateTable[State, EffectEvent] = StateTable(
    name="effect",
    states=State,
    events=EffectEvent,
    moves={
        _S.INTENT: _LANDS | {_E.SEND: _S.SENT, _E.LOSE: _S.UNKNOWN, _E.REFUSE: _S.WITHDRAWN, _E.WITHDRAW: _S.WITHDRAWN},
        _S.SENT: _LANDS | {_E.LOSE: _S.UNKNOWN, _E.RETURN: _S.INTENT, _E.REFUSE: _S.WITHDRAWN},
        _S.UNKNOWN: _LANDS | {_E.LOSE: _S.UNKNOWN, _E.RETURN: _S.INTENT},
        _S.FAILED: {_E.CONFIRM: _S.CONFIRMED, _E.RETURN: _S.INTENT, _E.WITHDRAW: _S.WITHDRAWN},
        _S.CONFIRMED: {_E.UNDO: _S.UNDONE},
        _S.UNDONE: {},
        _S.WITHDRAWN: {_E.CONFIRM: _S.CONFIRMED},  # a late report: the fact is true all the same
    },
    # What is told twice, late or out of order changes nothing; only what was never begun can be withdrawn.
    ignored=frozenset(
        {
            (_S.INTENT, _E.RETURN),
            (_S.SENT, _E.SEND),
            (_S.UNKNOWN, _E.SEND),
            (_S.UNKNOWN, _E.REFUSE),
            *((_S.FAILED, e) for e in (_E.SEND, _E.FAIL, _E.LOSE, _E.REFUSE)),
            *((_S.CONFIRMED, e) for e in _LATE if e not in (_E.UNDO, _E.WITHDRAW)),
            *((_S.UNDONE, e) for e in _LATE if e is not _E.WITHDRAW),
            *((_S.WITHDRAWN, e) for e in _LATE if e not in (_E.CONFIRM, _E.UNDO)),
        }
    ),
)
# What a landing in a state says has happened.
LANDED: Mapping[State, EffectEvent] = {
    _S.SENT: _E.SEND, _S.CONFIRMED: _E.CONFIRM, _S.FAILED: _E.FAIL, _S.UNKNOWN: _E.LOSE, _S.INTENT: _E.RETURN,
    _S.WITHDRAWN: _E.REFUSE, _S.UNDONE: _E.UNDO,
}  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """One row of the ledger; ``effect_key`` is (thing_id, kind)."""

    id: int
    order_id: int
    revision: int
    thing_id: int
    kind: str
    item_key: str | None
    op: Op
    of_id: int | None
    state: State
    ready: bool
    needs: tuple[int, ...]
    work: str
    element: str | None
    priority: int
    reads_hash: str | None
    params: Mapping[str, Any]
    # How it is taken back, a snapshot of the release it was made under: kind, work, after (the kinds that it was done
    # on top of), last (nothing else of its item may be left).
    undo: Mapping[str, Any] | None
    result: Mapping[str, Any] | None = None
    attempts: int = 0
    held: bool = False  # its item is on hold: neither sent nor offered until it goes on
    reason: str | None = field(default=None, compare=False)  # of the step that it was; the history keeps it

    @property
    def key(self) -> tuple[int, str]:
        """The identity of the fact."""
        return self.thing_id, self.kind


def by_age(effects: Iterable[Effect]) -> list[Effect]:
    """Effects from the oldest fact to the newest: what an order inherited is older than all that it did."""
    return sorted(effects, key=lambda e: (e.op is not Op.INHERITED, e.id))


@dataclass(frozen=True)
class Wanted:
    """An effect that the newest revision wants to be true."""

    thing_id: int
    kind: str
    item_key: str
    group: str
    work: str
    element: str | None
    priority: int
    reads_hash: str | None
    params: Mapping[str, Any]
    undo: Mapping[str, Any] | None
    after: Sequence[str]  # kinds of the same group that must be confirmed first
    on_change: str = "in_place"  # in_place, make_before_break, break_first: when what it reads differs

    @property
    def key(self) -> tuple[int, str]:
        """The identity of the fact."""
        return self.thing_id, self.kind


StepKey = tuple[int, str, int | None]


@dataclass(frozen=True)
class Step:
    """A step of the plan, before it becomes a row of the ledger.

    ``reason`` is new, changed, late, removed, switched (its place was taken by another fact), broken (what it stands
    on is done anew), "last user?", "withdrawn wish", or what its maker says.
    """

    op: Op
    thing_id: int
    kind: str
    item_key: str | None
    work: str
    element: str | None
    priority: int
    reads_hash: str | None
    params: Mapping[str, Any]
    undo: Mapping[str, Any] | None
    of_id: int | None
    after: frozenset[StepKey]  # other steps of the plan that come first
    reason: str
    needs: frozenset[int] = frozenset()  # effects of the ledger that come first

    @property
    def key(self) -> StepKey:
        """What names the step within its plan."""
        return self.thing_id, self.kind, self.of_id


@dataclass(frozen=True)
class Waits:
    """What an intent of the ledger waits for from now on."""

    effect: int
    after: frozenset[StepKey]  # steps of the plan
    needs: frozenset[int]  # effects of the ledger


@dataclass(frozen=True)
class Plan:
    """What must happen so that the facts become what is wanted."""

    steps: tuple[Step, ...] = ()
    keep: tuple[int, ...] = ()  # effects that stay as they are
    withdraw: tuple[int, ...] = ()  # what was never begun and is wanted no more
    recall: tuple[int, ...] = ()  # what somebody is at and is wanted no more as it is
    waits: tuple[Waits, ...] = ()  # intents that stay, but wait for other things than before


@dataclass(frozen=True)
class SharedThings:
    """Things with several users: whose removal waits for the answer that the last user has gone."""

    users: Mapping[int, frozenset[int]] = field(default_factory=dict)  # thing -> products of this order that leave it
    answered: frozenset[int] = frozenset()  # things whose remaining users are known
    last_user_gone: frozenset[int] = frozenset()  # those of them that nobody uses any more
