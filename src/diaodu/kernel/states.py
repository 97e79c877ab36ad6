"""State machines as data: for every pair of state and event the next state, or the typed refusal.

A table that leaves a pair open cannot be made; the documentation of states is printed from the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from diaodu.kernel.errors import Rejected

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


class NotPossible(Rejected):
    """An event that a state does not take; nothing has changed."""

    code, status = "state.not-possible", 409
    en = "{entity} {id} is {state}: {event} is not possible. Possible now: {possible}."
    zh = "{entity} {id} 当前状态为 {state}，不能执行 {event}。现在可以：{possible}。"


@dataclass(frozen=True)
class StateTable(Generic[S, E]):
    """``moves[state][event]`` is the next state; what is not named is refused, or ignored where ``ignored`` says so.

    ``ignored`` pairs are answered by staying where one is: an event that comes late or twice and is no error.
    """

    name: str
    states: type[S]
    events: type[E]
    moves: Mapping[S, Mapping[E, S]]
    ignored: frozenset[tuple[S, E]] = frozenset()

    def __post_init__(self) -> None:
        if missing := set(self.states) - self.moves.keys():
            raise ValueError(f"{self.name}: no line for {sorted(missing)}")
        if both := [(s, e) for s, e in self.ignored if e in self.moves[s]]:
            raise ValueError(f"{self.name}: moved and ignored: {sorted(both)}")

    def next(self, state: S, event: E) -> S | None:
        """The state after the event; the same one when it is ignored, None when it is refused."""
        after = self.moves[state].get(event)
        return state if after is None and (state, event) in self.ignored else after

    def take(self, state: S, event: E, *, entity: str, key: object) -> S:
        """The state after the event; NotPossible names what is possible instead."""
        after = self.next(state, event)
        if after is None:
            possible = ", ".join(self.moves[state]) or "-"
            raise NotPossible(entity=entity, id=key, state=state, event=event, possible=possible)
        return after

    @property
    def final(self) -> frozenset[S]:
        """The states that nothing leads out of."""
        return frozenset(s for s in self.states if not set(self.moves[s].values()) - {s})
