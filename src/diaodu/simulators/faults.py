"""Misbehaviour: what happens to a command and its reply, decided by seed, key and attempt alone.

A decision never depends on timing or on how connections interleave, so a run can be repeated from its seed.
"""

import struct
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from diaodu.simulators.messages import Command, Params, Refused

CHANCES = ("lost", "drop", "double", "reorder")


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one command; `delay` in seconds."""

    down: bool = False
    lost: bool = False
    refuse: bool = False
    drop: bool = False
    double: bool = False
    reorder: bool = False
    delay: float = 0.0


UNHARMED = Fate()


class Fault:
    """The misbehaviour of one scope.

    lost: chance that a command vanishes unapplied; drop: that it is applied and the reply vanishes; double, reorder:
    that the reply comes twice, or after the one behind it; delay_ms: every reply waits; refuse {kind?, subject?}:
    matching do and undo are refused; down: connections are closed; seed: the run's.
    """

    def __init__(self, settings: Params) -> None:
        for name, value in settings.items():
            if name not in CHECKS or not CHECKS[name](value):
                raise Refused("bad-fault", field=name)
        self._chances = tuple(settings.get(name, 0) for name in CHANCES)
        self._delay = settings.get("delay_ms", 0) / 1000
        self._refuse: Params = settings.get("refuse") or {}
        self._seed = settings.get("seed", 0)
        self._attempts: Counter[tuple[str, str]] = Counter()
        self.down: bool = settings.get("down", False)

    def fate(self, command: Command) -> Fate:
        """The fate of this attempt at the command; each further attempt under its key rolls anew."""
        if self.down:
            return Fate(down=True)
        self._attempts[command.verb, command.key] += 1
        attempt = self._attempts[command.verb, command.key]
        text = f"{self._seed}|{command.verb}|{attempt}|{command.key}"
        rolls = struct.unpack("<4I", blake2b(text.encode(), digest_size=16).digest())
        lost, drop, double, reorder = (roll < chance * 2**32 for roll, chance in zip(rolls, self._chances, strict=True))
        return Fate(
            lost=lost,
            refuse=self._refuses(command),
            drop=drop,
            double=double,
            reorder=reorder,
            delay=self._delay,
        )

    def _refuses(self, command: Command) -> bool:
        if not self._refuse or command.verb == "query":
            return False
        named = {"kind": command.kind, "subject": command.subject}
        return all(named[name] == value for name, value in self._refuse.items())


class Faults:
    """The faults in force: of one element (`olt:X`), else of one system (`olt`), else of all (`*`)."""

    def __init__(self, settings: Params) -> None:
        self._by_scope: dict[str, Fault] = {}
        self.set("*", settings)

    def set(self, scope: str, settings: Params) -> None:
        """Replace the misbehaviour of a scope; empty settings make the scope follow the wider one again."""
        fault = Fault(settings)
        if settings:
            self._by_scope[scope] = fault
        else:
            self._by_scope.pop(scope, None)

    def fate(self, command: Command) -> Fate:
        """What becomes of this command."""
        if not self._by_scope:
            return UNHARMED
        for scope in (command.element, command.element.partition(":")[0], "*"):
            if scope in self._by_scope:
                return self._by_scope[scope].fate(command)
        return UNHARMED


def _is_chance(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_delay(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_target(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and value.keys() <= {"kind", "subject"})


CHECKS = dict.fromkeys(CHANCES, _is_chance) | {
    "delay_ms": _is_delay,
    "refuse": _is_target,
    "down": lambda value: isinstance(value, bool),
    "seed": lambda value: isinstance(value, int),
}
