"""Effects: facts about the outside world, as the ledger holds them; and what a plan is made of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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


OPEN = frozenset({State.INTENT, State.SENT, State.UNKNOWN, State.FAILED})
# Total table of what may happen to an effect; anything else is refused and changes nothing.
TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.INTENT: frozenset({State.SENT, State.CONFIRMED, State.FAILED, State.UNKNOWN, State.WITHDRAWN}),
    State.SENT: frozenset({State.CONFIRMED, State.FAILED, State.UNKNOWN, State.INTENT}),
    State.UNKNOWN: frozenset({State.CONFIRMED, State.FAILED, State.INTENT, State.UNKNOWN}),
    State.FAILED: frozenset({State.INTENT, State.CONFIRMED, State.WITHDRAWN}),
    State.CONFIRMED: frozenset({State.UNDONE}),
    State.UNDONE: frozenset(),
    State.WITHDRAWN: frozenset({State.CONFIRMED}),  # a late report: the fact is true all the same
}


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
    undo: Mapping[str, Any] | None  # kind, work, after: how it is taken back; snapshot of the release it was made under
    result: Mapping[str, Any] | None = None
    attempts: int = 0
    held: bool = False  # its item is on hold: neither sent nor offered until it goes on

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
    reads_hash: str
    params: Mapping[str, Any]
    undo: Mapping[str, Any] | None
    after: Sequence[str]  # kinds of the same group that must be confirmed first
    on_change: str = "in_place"  # in_place, make_before_break, break_first: when what it reads differs


@dataclass(frozen=True)
class Step:
    """A step of the plan, before it becomes a row of the ledger."""

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
    after: frozenset[tuple[int, str]]  # keys of other steps or open effects that come first
    reason: str


@dataclass(frozen=True)
class Plan:
    """What must happen so that the facts become what is wanted."""

    steps: tuple[Step, ...] = ()
    keep: tuple[int, ...] = ()  # effects that stay as they are
    withdraw: tuple[int, ...] = ()  # intents that were never sent and are wanted no more


@dataclass(frozen=True)
class SharedThings:
    """Things with several users: whose removal waits for the answer that the last user has gone."""

    users: Mapping[int, frozenset[int]] = field(default_factory=dict)  # thing -> products of this order that leave it
    answered: frozenset[int] = frozenset()  # things whose remaining users are known
    last_user_gone: frozenset[int] = frozenset()  # those of them that nobody uses any more
