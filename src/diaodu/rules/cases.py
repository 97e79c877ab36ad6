"""Test cases as plain JSON, in the database, in files and over HTTP."""

from collections.abc import Iterable
from typing import Any

from diaodu.rules.model import TESTS_MAX, TestCase
from diaodu.rules.plain import from_plain, to_plain
from diaodu.rules.shape import Shape


def to_json(tests: Iterable[TestCase]) -> list[dict[str, Any]]:
    """Test cases as JSON: ``[{"name", "inputs", "expected"}]``."""
    return [{"name": t.name, "inputs": dict(t.inputs), "expected": t.expected} for t in tests]


def from_json(value: Any) -> tuple[TestCase, ...]:
    """Test cases from JSON or YAML; Unreadable names every problem."""
    shape = Shape({"tests": value})
    tests = [
        TestCase(name=s.text("name", required=True) or "", inputs=s.inner("inputs"), expected=s.any("expected"))
        for s in shape.objects("tests", most=TESTS_MAX)
    ]
    shape.done()
    return plain(tests)


def plain(tests: Iterable[TestCase]) -> tuple[TestCase, ...]:
    """Test cases in the one form in which they are kept: dates of YAML, for one, as marked texts."""
    return tuple(
        TestCase(name=t.name, inputs=to_plain(from_plain(t.inputs)), expected=to_plain(from_plain(t.expected)))
        for t in tests
    )
