"""docs/feel.md names every built-in function with its parameters, and its examples are true."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from diaodu.feel import compile_expression
from diaodu.feel.builtins import BUILTINS
from diaodu.feel.builtins.registry import Builtin
from diaodu.feel.text import text_of

MANUAL = Path(__file__).parents[2] / "docs" / "feel.md"
ROW = re.compile(r"\| ((?:`[a-z ]+\([^`]*\)` ?)+)\| ([^|]+) \| ([^|]+) \| `(.+)` = `(.+)` \|")
SIGNATURE = re.compile(r"`([a-z ]+)\(([^`]*)\)`")
ROWS = [match.groups() for line in MANUAL.read_text().splitlines() if (match := ROW.fullmatch(line))]


def documented() -> dict[str, set[tuple[str, ...]]]:
    found: dict[str, set[tuple[str, ...]]] = {}
    for signatures, *_ in ROWS:
        for name, parameters in SIGNATURE.findall(signatures):
            names = tuple(part.strip("?…") for part in parameters.split(", ") if part)
            found.setdefault(name, set()).add(names)
    return found


def declared() -> dict[str, set[tuple[str, ...]]]:
    """The parameters of every function; a form that only leaves out optional ones is no form of its own."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for name, function in BUILTINS.items():
        builtin = cast(Builtin, getattr(function.by_position, "__self__"))  # noqa: B009 - a bound method, not typed so
        forms = {tuple(part.name for part in signature.parameters) for signature in builtin.signatures}
        found[name] = {form for form in forms if not any(other[: len(form)] == form for other in forms - {form})}
    return found


def test_every_function_is_in_the_manual_with_its_parameters() -> None:
    assert documented() == declared()


@pytest.mark.parametrize(("example", "result"), [(row[3], row[4]) for row in ROWS])
def test_the_examples_of_the_manual_are_true(example: str, result: str) -> None:
    # A bar within a table of Markdown is escaped.
    found = compile_expression(example.replace("\\|", "|")).evaluate({}, now=datetime(2026, 5, 1, tzinfo=UTC))
    assert text_of(found) == result
