"""Compiles literals and operators: arithmetic, comparison, logic, `between`, `in`, ranges, `if`, `instance of`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from diaodu.feel import ast
from diaodu.feel.arithmetic import OPERATIONS, negated
from diaodu.feel.conversion import conforms
from diaodu.feel.errors import Place, Refused
from diaodu.feel.runtime import Frame
from diaodu.feel.scope import Closure, Scope
from diaodu.feel.temporal import DaysDuration, MonthsDuration
from diaodu.feel.values import (
    NUMBERS,
    SCALAR,
    Range,
    compare,
    equal,
    in_range,
    kind_of,
    orderable,
    range_of,
    satisfies,
)


def literal(node: ast.Literal, _scope: Scope) -> Closure:
    value = _rounded(node)
    return lambda _frame: value


def _rounded(node: ast.Literal) -> object:
    return NUMBERS.plus(node.value) if isinstance(node.value, Decimal) else node.value


def negation(node: ast.Negation, scope: Scope) -> Closure:
    operand, at = scope.compile(node.operand), scope.place(node)

    def run(frame: Frame) -> object:
        value = operand(frame)
        if isinstance(value, Decimal):
            return NUMBERS.minus(value)
        if isinstance(value, (MonthsDuration, DaysDuration)):
            return negated(value)
        return frame.run.null(at, "operands", left="", operator="-", right=kind_of(value))

    return run


def arithmetic(node: ast.Arithmetic, scope: Scope) -> Closure:
    left, right = scope.compile(node.left), scope.compile(node.right)
    operator, at = node.operator, scope.place(node)
    operations = OPERATIONS[operator]

    def run(frame: Frame) -> object:
        a, b = left(frame), right(frame)
        operation = operations.get((type(a), type(b)))
        if operation is None:
            return frame.run.null(at, "operands", left=kind_of(a), operator=operator, right=kind_of(b))
        try:
            result = operation(a, b)
        except Refused as refused:
            return frame.run.null(at, refused.code, **refused.values)
        except (ArithmeticError, ValueError):
            return frame.run.null(at, "number-range")
        if type(result) is str:
            frame.run.meter.made(result)
        return result

    return run


_ORDER_TESTS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}
_NUMBER_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "<": Decimal.__lt__,
    "<=": Decimal.__le__,
    ">": Decimal.__gt__,
    ">=": Decimal.__ge__,
}


def comparison(node: ast.Comparison, scope: Scope) -> Closure:
    left, right = scope.compile(node.left), scope.compile(node.right)
    if node.operator in ("=", "!="):
        return _equality(left, right, scope.place(node), wanted=node.operator == "=")
    return _order(left, right, node.operator, scope.place(node))


def _equality(left: Closure, right: Closure, at: Place, *, wanted: bool) -> Closure:
    def run(frame: Frame) -> object:
        a, b = left(frame), right(frame)
        kind = type(a)
        if kind is type(b) and kind in SCALAR:
            return (a == b) is wanted
        if isinstance(a, list):
            frame.run.meter.scan(len(a))
        same = equal(a, b, frame.run.meter.step)
        if same is None:
            return frame.run.null(at, "not-comparable", left=kind_of(a), right=kind_of(b))
        return same is wanted

    return run


def _order(left: Closure, right: Closure, operator: str, at: Place) -> Closure:
    test, number_test = _ORDER_TESTS[operator], _NUMBER_TESTS[operator]

    def run(frame: Frame) -> object:
        a, b = left(frame), right(frame)
        if type(a) is Decimal and type(b) is Decimal:
            return number_test(a, b)
        order = compare(a, b)
        if order is None:
            return frame.run.null(at, "not-comparable", left=kind_of(a), right=kind_of(b))
        return test(order)

    return run


def junction(node: ast.Junction, scope: Scope) -> Closure:
    operands = tuple(scope.compile(operand) for operand in node.operands)
    # `and` is decided by a false, `or` by a true; anything but a boolean leaves it open.
    decisive, at = node.operator == "or", scope.place(node)
    if len(operands) == 2:
        return _pair(operands[0], operands[1], at, decisive=decisive)

    def run(frame: Frame) -> object:
        is_open = False
        for operand in operands:
            value = operand(frame)
            if value is decisive:
                return decisive
            if type(value) is not bool:
                is_open = True
        return frame.run.null(at, "not-boolean", type="null") if is_open else not decisive

    return run


def _pair(left: Closure, right: Closure, at: Place, *, decisive: bool) -> Closure:
    def run(frame: Frame) -> object:
        a = left(frame)
        if a is decisive:
            return decisive
        b = right(frame)
        if b is decisive:
            return decisive
        if type(a) is bool and type(b) is bool:
            return not decisive
        return frame.run.null(at, "not-boolean", type=kind_of(b if type(a) is bool else a))

    return run


def between(node: ast.Between, scope: Scope) -> Closure:
    value, low, high = (scope.compile(part) for part in (node.value, node.low, node.high))
    at = scope.place(node)

    def run(frame: Frame) -> object:
        a, start, end = value(frame), low(frame), high(frame)
        if None in (compare(a, start), compare(a, end)):
            return frame.run.null(at, "not-comparable", left=kind_of(a), right=kind_of(start))
        return in_range(a, Range(start, end, start_included=True, end_included=True))

    return run


def test(node: ast.Test, scope: Scope) -> Closure:
    operand, operator = scope.compile(node.operand), node.operator
    if isinstance(node.operand, ast.Literal):
        constant = range_of(operator, _rounded(node.operand))
        return lambda _frame: constant
    return lambda frame: range_of(operator, operand(frame))


def contained(node: ast.In, scope: Scope) -> Closure:
    value, at = scope.compile(node.value), scope.place(node)
    tests = tuple(scope.compile(part) for part in node.tests)

    def run(frame: Frame) -> object:
        a = value(frame)
        verdicts = [_passes(frame, a, part(frame)) for part in tests]
        if True in verdicts:
            return True
        if None in verdicts:
            return frame.run.null(at, "not-comparable", left=kind_of(a), right="test")
        return False

    return run


def _passes(frame: Frame, value: object, test: object) -> bool | None:
    if isinstance(test, list):
        frame.run.meter.scan(len(test))
    return satisfies(value, test, frame.run.meter.step)


def range_literal(node: ast.RangeOf, scope: Scope) -> Closure:
    start, end, at = scope.compile(node.start), scope.compile(node.end), scope.place(node)
    start_included, end_included = node.start_included, node.end_included

    def run(frame: Frame) -> object:
        low, high = start(frame), end(frame)
        order = compare(low, high)
        half_open = (low is None) != (high is None) and orderable(high if low is None else low)
        if not half_open and (order is None or order > 0):
            return frame.run.null(at, "range-ends")
        return Range(low, high, start_included, end_included)

    if isinstance(node.start, ast.Literal) and isinstance(node.end, ast.Literal):
        low, high = _rounded(node.start), _rounded(node.end)
        if compare(low, high) in (-1, 0):
            # The same range every time.
            constant = Range(low, high, start_included, end_included)
            return lambda _frame: constant
    return run


def choice(node: ast.If, scope: Scope) -> Closure:
    condition, then, otherwise = (scope.compile(part) for part in (node.condition, node.then, node.otherwise))

    def run(frame: Frame) -> object:
        return then(frame) if condition(frame) is True else otherwise(frame)

    return run


def instance_of(node: ast.InstanceOf, scope: Scope) -> Closure:
    value, wanted, at = scope.compile(node.value), scope.type_of(node.type), scope.place(node)
    name = node.type.name

    def run(frame: Frame) -> object:
        if wanted is None:
            return frame.run.null(at, "unknown-type", name=name)
        return conforms(value(frame), wanted, frame.run)

    return run


def list_literal(node: ast.ListOf, scope: Scope) -> Closure:
    items = tuple(scope.compile(item) for item in node.items)

    def run(frame: Frame) -> object:
        made = [item(frame) for item in items]
        frame.run.meter.made(made)
        return made

    return run
