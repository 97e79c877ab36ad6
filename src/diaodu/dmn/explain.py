"""What is told about the evaluation of a table: which rules gave the result, and on request why the others did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from diaodu.dmn.model import HitPolicy
from diaodu.feel.text import text_of


@dataclass(frozen=True, slots=True)
class FiredTable:
    """A table of an `element` that was evaluated, and the numbers from 1 of the rules that gave the result.

    For a result that is null because rules contradict each other these are the rules that do.
    """

    table: str
    element: str
    rules: tuple[int, ...]

    def document(self) -> dict[str, Any]:
        """The same as plain JSON."""
        return {"table": self.table, "element": self.element, "rules": list(self.rules)}


@dataclass(frozen=True, slots=True)
class InputTrace:
    """What one column looked at."""

    label: str
    expression: str
    value: object


@dataclass(frozen=True, slots=True)
class FailedCell:
    """The first cell of a rule that its value did not pass; `column` counts from 1."""

    column: int
    text: str
    value: object


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One rule: whether it gave the result, and where it failed; a rule may match and yet not give the result."""

    number: int
    id: str | None
    gave: bool
    failed: FailedCell | None

    @property
    def matched(self) -> bool:
        return self.failed is None


@dataclass(frozen=True, slots=True)
class TableTrace(FiredTable):
    """All that led to a result."""

    hit_policy: HitPolicy
    inputs: tuple[InputTrace, ...]
    traces: tuple[RuleTrace, ...]
    result: object

    def document(self) -> dict[str, Any]:
        """The same as plain JSON; dates, times, durations, ranges and numbers too long for a float are texts."""
        return {
            "table": self.table,
            "element": self.element,
            "hitPolicy": self.hit_policy.value,
            "inputs": [{"label": i.label, "expression": i.expression, "value": plain(i.value)} for i in self.inputs],
            "rules": [_rule(each) for each in self.traces],
            "gave": list(self.rules),
            "result": plain(self.result),
        }


def _rule(trace: RuleTrace) -> dict[str, Any]:
    told: dict[str, Any] = {"number": trace.number, "id": trace.id, "matched": trace.matched, "gave": trace.gave}
    if trace.failed is not None:
        failed = trace.failed
        told["failed"] = {"column": failed.column, "cell": failed.text, "value": plain(failed.value)}
    return told


def plain(value: object) -> Any:
    """A FEEL value as JSON knows it."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Decimal):
        if value == value.to_integral_value() and abs(value) < 2**53:
            return int(value)
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return text_of(value)
