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
    """Test cases from JSON or YAML, whose dates become marked texts; Unreadable names every problem."""
    shape = Shape({"tests": value})
    tests = [
        TestCase(
            name=s.text("name", required=True) or "",
            inputs=to_plain(from_plain(s.inner("inputs"))),
            expected=to_plain(from_plain(s.any("expected"))),
        )
        for s in shape.objects("tests", most=TESTS_MAX)
    ]
    shape.done()
    return tuple(tests)
