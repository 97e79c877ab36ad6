"""Compiles function definitions and calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from diaodu.feel import ast
from diaodu.feel.errors import Refused
from diaodu.feel.runtime import Frame, Run
from diaodu.feel.scope import Closure, Scope
from diaodu.feel.temporal import Date, DateTime, Time
from diaodu.feel.types import conforms
from diaodu.feel.values import Function, kind_of

Arguments = TypeVar("Arguments")


def function(node: ast.FunctionOf, scope: Scope) -> Closure:
    at = node.at
    if node.external:
        return lambda frame: frame.run.null(at, "external")
    names = [name for name, _ in node.parameters]
    body = scope.inner(*names).compile(node.body)
    parameters = node.parameters
    return lambda frame: _defined(frame, parameters, body)


def _defined(frame: Frame, parameters: tuple[tuple[str, ast.TypeRef | None], ...], body: Closure) -> Function:
    """The function value that remembers the frame in which it was written."""

    def by_position(run: object, arguments: Sequence[object]) -> object:
        assert isinstance(run, Run)
        if len(arguments) != len(parameters):
            raise Refused("arguments", name="function", types=", ".join(map(kind_of, arguments)))
        values: dict[str, object] = {}
        for (name, wanted), value in zip(parameters, arguments, strict=True):
            values[name] = _converted(value, wanted)
        run.meter.enter()
        # The function may have been made by an earlier run; the one that calls it pays.
        result = body(Frame(frame.context, run, values, frame))
        run.meter.depth -= 1
        return result

    def by_name(run: object, named: Mapping[str, object]) -> object:
        names = [name for name, _ in parameters]
        if set(named) != set(names):
            raise Refused("arguments", name="function", types=", ".join(named))
        return by_position(run, [named[name] for name in names])

    return Function("function", by_position, by_name, len(parameters), tuple(wanted for _, wanted in parameters))


def _converted(value: object, wanted: ast.TypeRef | None) -> object:
    """The argument as the parameter's type wants it.

    A list of one may stand for its item and the reverse, a date for its midnight in Greenwich.
    """
    if wanted is None or value is None or wanted.name == "Any" or conforms(value, wanted) is not False:
        return value
    if isinstance(value, list) and len(value) == 1 and conforms(value[0], wanted) is True:
        return value[0]
    if wanted.name == "list" and conforms([value], wanted) is True:
        return [value]
    if isinstance(value, Date) and wanted.name in ("date and time", "dateTime"):
        return DateTime(value, Time(0, 0))
    raise Refused("arguments", name="function", types=kind_of(value))


def call(node: ast.Call, scope: Scope) -> Closure:
    callee, at = _callee(node.function, scope), node.at
    arguments = tuple(scope.compile(argument) for argument in node.arguments)

    def run(frame: Frame) -> object:
        target = callee(frame)
        values = [argument(frame) for argument in arguments]
        _scan(frame.run, values)
        if type(target) is not Function:
            return frame.run.null(at, "not-a-function", name=kind_of(target))
        return _guarded(frame.run, at, target.by_position, values)

    return run


def named_call(node: ast.NamedCall, scope: Scope) -> Closure:
    callee, at = _callee(node.function, scope), node.at
    arguments = tuple((name, scope.compile(argument)) for name, argument in node.arguments)

    def run(frame: Frame) -> object:
        target = callee(frame)
        values = {name: argument(frame) for name, argument in arguments}
        _scan(frame.run, values.values())
        if type(target) is not Function:
            return frame.run.null(at, "not-a-function", name=kind_of(target))
        return _guarded(frame.run, at, target.by_name, values)

    return run


def _scan(run: Run, arguments: Iterable[object]) -> None:
    for argument in arguments:
        if type(argument) is list:
            run.meter.scan(len(argument))


def _callee(node: ast.Node, scope: Scope) -> Closure:
    found = scope.compile(node)
    if not isinstance(node, ast.Name) or node.name not in scope.builtins:
        return found
    builtin = scope.builtins[node.name]

    def read(frame: Frame) -> object:
        # Data that happens to have the name of a built-in function must not hide the function.
        value = found(frame)
        return value if type(value) is Function else builtin

    return read


def _guarded(run: Run, at: int, target: Callable[[object, Arguments], object], arguments: Arguments) -> object:
    depth = run.meter.depth
    try:
        result = target(run, arguments)
    except Refused as refused:
        run.meter.depth = depth
        return run.null(at, refused.code, **refused.values)
    except (ArithmeticError, ValueError):
        run.meter.depth = depth
        return run.null(at, "number-range")
    if isinstance(result, (str, list)):
        run.meter.size(len(result))
    return result
