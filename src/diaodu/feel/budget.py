"""How much one evaluation may use, and the account of what it has used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from diaodu.feel.errors import FeelBudgetExceeded

# Reading the clock at every step would cost more than the step.
STEPS_BETWEEN_CLOCK_READS = 500
# A built-in function goes through a list in one go, at about this pace; shorter lists are not worth the reckoning.
SECONDS_PER_ITEM = 1e-6
SHORT_LIST = 5_000


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one evaluation: function depth, steps, items of a list (or characters of a text), time.

    `clock` returns seconds and only measures the time spent; it is no source of dates.
    """

    depth: int = 100
    steps: int = 1_000_000
    items: int = 1_000_000
    milliseconds: int = 100
    clock: Callable[[], float] = time.perf_counter


DEFAULT_BUDGET = Budget()


class Meter:
    """What one evaluation has used of its budget."""

    __slots__ = ("budget", "deadline", "depth", "next_read", "steps")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.steps = 0
        self.next_read = min(STEPS_BETWEEN_CLOCK_READS, budget.steps + 1)
        self.depth = 0
        self.deadline = budget.clock() + budget.milliseconds / 1000

    def step(self, count: int = 1) -> None:
        """Account for `count` units of work."""
        self.steps += count
        if self.steps >= self.next_read:
            self._check()

    def size(self, count: int) -> None:
        """Account for a list or text of `count` items that was just made."""
        if count > self.budget.items:
            raise FeelBudgetExceeded("items")
        self.step(count >> 4)

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
        if self.budget.clock() > self.deadline:
            raise FeelBudgetExceeded("time")
        self.next_read = self.steps + min(STEPS_BETWEEN_CLOCK_READS, self.budget.steps - self.steps + 1)
