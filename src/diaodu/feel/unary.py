"""Compiles unary tests: what a cell of a decision table asks of a value, or an allowed value of a type."""

from __future__ import annotations

from collections.abc import Callable

from diaodu.feel import ast
from diaodu.feel.parser import ParsedTests
from diaodu.feel.runtime import Frame
from diaodu.feel.scope import Scope
from diaodu.feel.values import satisfies

# The value that unary tests look at.
TESTED = "?"
# Whether a FEEL value passes; None when that cannot be said. The frame is one of the scope that was compiled in.
Verdict = Callable[[Frame, object], bool | None]


def compile_tests(parsed: ParsedTests, scope: Scope) -> Verdict:
    """The verdict of tests written in that scope."""
    if parsed.tests is None:
        return lambda _frame, _value: True
    inner = scope.inner(TESTED)
    tests = tuple(
        (inner.compile(tree), ast.mentions(tree, TESTED), isinstance(tree, ast.Literal)) for tree in parsed.tests
    )
    negated = parsed.negated

    def decide(frame: Frame, value: object) -> bool | None:
        within = frame.inner({TESTED: value})
        is_open = False
        for test, uses_value, is_literal in tests:
            verdict = _passes(value, test(within), uses_value=uses_value, is_literal=is_literal)
            if verdict is True:
                return not negated
            if verdict is None:
                is_open = True
        return None if is_open else negated

    return decide


def _passes(value: object, result: object, *, uses_value: bool, is_literal: bool) -> bool | None:
    """A test that names the value answers by itself; any other is what the value must equal or lie in.

    A condition on something else also answers by itself, where it cannot be a boolean that is looked for.
    """
    if isinstance(result, bool) and (uses_value or not (is_literal or isinstance(value, bool))):
        return result
    return satisfies(value, result)
