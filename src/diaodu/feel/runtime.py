"""What exists while expressions are evaluated: one run, and a frame per scope."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from diaodu.feel.budget import DEFAULT_BUDGET, Budget, Meter
from diaodu.feel.errors import Diagnostic, Place, diagnostic
from diaodu.feel.values import PLAIN, lift

# An evaluation that makes more nulls than this repeats itself.
MAX_REASONS = 200


class Run:
    """One evaluation of one text or of many: its meter, the time it was given, and what it leaves behind.

    `reasons` are why nulls came out, None when nobody asks; `records` is what rooms above note of their own, in full
    where `explains` is set.
    """

    __slots__ = ("_lists", "explains", "meter", "now", "reasons", "records")

    def __init__(self, meter: Meter, now: datetime | None = None, reasons: list[Diagnostic] | None = None) -> None:
        self.meter = meter
        self.now = now
        self.reasons = reasons
        self.records: list[object] = []
        self.explains = False
        self._lists: dict[int, tuple[object, object]] = {}

    @classmethod
    def start(
        cls, budget: Budget | None = None, now: datetime | None = None, reasons: list[Diagnostic] | None = None
    ) -> Run:
        """A run with a budget of its own, whose time begins now."""
        return cls(Meter(budget or DEFAULT_BUDGET), now, reasons)

    def null(self, at: Place, code: str, **values: object) -> object:
        """None, after noting why what stands at `at` is null."""
        if self.reasons is not None and len(self.reasons) < MAX_REASONS:
            self.reasons.append(diagnostic(code, at, values))
        return None

    def join(self, inner: Run) -> None:
        """Take over what an evaluation within this one left behind."""
        if self.reasons is not None:
            self.reasons.extend(inner.reasons or ())
        self.records.extend(inner.records)

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
