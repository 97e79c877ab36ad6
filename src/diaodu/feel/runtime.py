"""What exists while an expression is evaluated: one run, and a frame per scope."""

from __future__ import annotations

from collections.abc import Mapping

from diaodu.feel.budget import Budget, Meter
from diaodu.feel.errors import Diagnostic, diagnostic
from diaodu.feel.temporal import DateTime
from diaodu.feel.values import PLAIN, lift


class Run:
    """One evaluation: its meter, the current time it was given, and the reasons of nulls when they are wanted."""

    __slots__ = ("_lists", "meter", "now", "reasons", "text")

    def __init__(self, text: str, budget: Budget, now: DateTime | None, reasons: list[Diagnostic] | None) -> None:
        self.text = text
        self.meter = Meter(budget)
        self.now = now
        self.reasons = reasons
        self._lists: dict[int, tuple[object, object]] = {}

    def null(self, at: int, code: str, **values: object) -> object:
        """None, after noting why the part of the text at `at` is null."""
        if self.reasons is not None:
            self.reasons.append(diagnostic(code, self.text, at, values))
        return None

    def lift(self, value: object) -> object:
        """The FEEL value of a value of the context; a list is converted once per run, however often it is read."""
        if type(value) in PLAIN:
            return value
        if not isinstance(value, (list, tuple)):
            return lift(value)
        known = self._lists.get(id(value))
        if known is None:
            self.meter.size(len(value))
            self.meter.scan(len(value))
            # The original is kept so that its id is not given to another list.
            known = self._lists[id(value)] = (value, lift(value))
        return known[1]


class Frame:
    """The values of the innermost scope; `outer` leads to the scope around it, `context` is the outermost."""

    __slots__ = ("context", "outer", "run", "values")

    def __init__(self, context: Mapping[str, object], run: Run, values: dict[str, object], outer: Frame | None) -> None:
        self.context = context
        self.run = run
        self.values = values
        self.outer = outer

    def inner(self, values: dict[str, object]) -> Frame:
        return Frame(self.context, self.run, values, self)
