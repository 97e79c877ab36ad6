"""What a cell says when all its parts are constants: values, ranges of values, and their lists."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from diaodu.feel import ast
from diaodu.feel.arithmetic import negated
from diaodu.feel.builtins import BUILTINS
from diaodu.feel.errors import Refused
from diaodu.feel.temporal import DaysDuration, MonthsDuration
from diaodu.feel.values import NUMBERS, Range, compare, range_of, satisfies

# Functions that give the same value for the same text for ever.
_CONSTRUCTORS = frozenset(("date", "time", "date and time", "duration", "number", "years and months duration"))


class _NotConstantError(Exception):
    """Raised within this file only."""


def constants_of(tests: Collection[ast.Node], names: Collection[str]) -> tuple[object, ...] | None:
    """The values of the tests, None when any of them depends on more than its text; `names` hide functions."""
    try:
        return tuple(_value(test, names) for test in tests)
    except _NotConstantError:
        return None


def constant_of(node: ast.Node, names: Collection[str] = ()) -> tuple[object, ...]:
    """The value of one expression in a tuple, which is empty when it depends on more than its text."""
    return constants_of((node,), names) or ()


def passes(constants: Collection[object], value: object, *, negated: bool) -> bool:
    """Whether a value passes a cell of these constants; what cannot be said is no."""
    if not constants:
        return True
    verdicts = [satisfies(value, constant) for constant in constants]
    return (True not in verdicts and None not in verdicts) if negated else True in verdicts


def _value(node: ast.Node, names: Collection[str]) -> object:
    if isinstance(node, ast.Literal):
        return NUMBERS.plus(node.value) if isinstance(node.value, Decimal) else node.value
    if isinstance(node, ast.Test):
        return range_of(node.operator, _value(node.operand, names))
    if isinstance(node, ast.RangeOf):
        start, end = _value(node.start, names), _value(node.end, names)
        order = compare(start, end)
        if order is None or order > 0:
            raise _NotConstantError
        return Range(start, end, node.start_included, node.end_included)
    if isinstance(node, ast.ListOf):
        return [_value(item, names) for item in node.items]
    if isinstance(node, ast.Negation):
        return _negated(_value(node.operand, names))
    if isinstance(node, ast.Call) and isinstance(node.function, ast.Name):
        return _called(node.function.name, [_value(part, names) for part in node.arguments], names)
    raise _NotConstantError


def _negated(value: object) -> object:
    if isinstance(value, Decimal):
        return NUMBERS.minus(value)
    if isinstance(value, (MonthsDuration, DaysDuration)):
        return negated(value)
    raise _NotConstantError


def _called(name: str, arguments: list[object], names: Collection[str]) -> object:
    if name not in _CONSTRUCTORS or name in names:
        raise _NotConstantError
    try:
        result = BUILTINS[name].by_position(None, arguments)
    except (Refused, ArithmeticError, ValueError, AttributeError):
        # Refused arguments stay what they are until the evaluation, which says why.
        raise _NotConstantError from None
    if result is None:
        raise _NotConstantError
    return result
