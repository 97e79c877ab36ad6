"""How much one evaluation may use, and the account of what it has used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from sys import getsizeof

from diaodu.feel.errors import FeelBudgetExceeded

# Reading the clock at every step would cost more than the step; but a step may be long, when the text is.
STEPS_BETWEEN_CLOCK_READS = 500
FIRST_STEPS = 4
SECONDS_BETWEEN_CLOCK_READS = 0.002
# A built-in function goes through a list in one go, at about this pace; shorter lists are not worth the reckoning.
SECONDS_PER_ITEM = 1e-6
SHORT_LIST = 5_000


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one evaluation: function depth, steps, items of a list (or characters of a text), memory, time.

    `memory` is in bytes: of all texts, lists and contexts that are made, whether or not they are still needed.
    `clock` returns seconds and only measures the time spent; it is no source of dates.
    """

    depth: int = 100
    steps: int = 1_000_000
    items: int = 1_000_000
    memory: int = 256 * 1024 * 1024
    milliseconds: int = 100
    clock: Callable[[], float] = time.perf_counter


DEFAULT_BUDGET = Budget()


class Meter:
    """What one evaluation has used of its budget."""

    __slots__ = ("_interval", "_read_at", "budget", "deadline", "depth", "memory", "next_read", "steps")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.steps = 0
        self.memory = 0
        self._interval = FIRST_STEPS
        self.next_read = min(FIRST_STEPS, budget.steps + 1)
        self.depth = 0
        self._read_at = budget.clock()
        self.deadline = self._read_at + budget.milliseconds / 1000

    def step(self, count: int = 1) -> None:
        """Account for `count` units of work."""
        self.steps += count
        if self.steps >= self.next_read:
            self._check()

    def fits(self, count: int) -> None:
        """Refuse a list or text that has come to more than the allowed items."""
        if count > self.budget.items:
            raise FeelBudgetExceeded("items")

    def size(self, count: int) -> None:
        """Account for the work of making a list or text of `count` items."""
        self.fits(count)
        self.step(count >> 4)

    def made(self, value: str | list[object] | dict[str, object]) -> None:
        """Account for a text, list or context that was just made, without what it holds."""
        if type(value) is not dict:
            self.size(len(value))
        self.memory += getsizeof(value)
        if self.memory > self.budget.memory:
            raise FeelBudgetExceeded("memory")

    def scan(self, count: int) -> None:
        """Account for going through `count` items without a stop; refused when the time left is too short for it."""
        self.step(count >> 4)
        if count > SHORT_LIST and count * SECONDS_PER_ITEM > self.seconds_left():
            raise FeelBudgetExceeded("time")

    def seconds_left(self) -> float:
        """Seconds until the time is used up; at least a millisecond, for libraries that want a positive limit."""
        left = self.deadline - self.budget.clock()
        if left <= 0:
            raise FeelBudgetExceeded("time")
        return max(left, 0.001)

    def enter(self) -> None:
        """Account for the call of a function; `depth` is given back by the caller."""
        self.depth += 1
        if self.depth > self.budget.depth:
            raise FeelBudgetExceeded("depth")
        self.step()

    def _check(self) -> None:
        if self.steps > self.budget.steps:
            raise FeelBudgetExceeded("steps")
        now = self.budget.clock()
        if now > self.deadline:
            raise FeelBudgetExceeded("time")
        # As many steps as the clock allows by the pace of the last ones, and not much more than those.
        pace = SECONDS_BETWEEN_CLOCK_READS / max(now - self._read_at, 1e-9)
        self._interval = max(1, min(int(self._interval * min(pace, 2)), STEPS_BETWEEN_CLOCK_READS))
        self._read_at = now
        self.next_read = self.steps + min(self._interval, self.budget.steps - self.steps + 1)
