"""Compiles function definitions and calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from diaodu.feel import ast
from diaodu.feel.boundary import Typed
from diaodu.feel.conversion import coerce
from diaodu.feel.errors import Place, Refused
from diaodu.feel.runtime import Frame, Run
from diaodu.feel.scope import Closure, Scope
from diaodu.feel.types import Type
from diaodu.feel.values import Function, kind_of

Arguments = TypeVar("Arguments")


@dataclass(frozen=True, slots=True)
class Declared:
    """What is known of a function before it is a value."""

    names: tuple[str, ...]
    types: tuple[Type | None, ...]
    result: Type | None
    body: Closure


def function(node: ast.FunctionOf, scope: Scope) -> Closure:
    names = tuple(name for name, _ in node.parameters)
    types = tuple(None if ref is None else scope.type_of(ref) for _, ref in node.parameters)
    if node.external:
        return lambda _frame: Function("function", _external, _external, len(names), types)
    result = node.body.type if isinstance(node.body, Typed) else None
    declared = Declared(names, types, result, scope.inner(*names).compile(node.body))
    return lambda frame: _defined(frame, declared)


def _external(_run: object, _arguments: object) -> object:
    raise Refused("external")


def _defined(frame: Frame, declared: Declared) -> Function:
    """The function value that remembers the frame in which it was written."""
    names, types, body = declared.names, declared.types, declared.body

    def by_position(run: object, arguments: Sequence[object]) -> object:
        assert isinstance(run, Run)
        if len(arguments) != len(names):
            raise Refused("arguments", name="function", types=", ".join(map(kind_of, arguments)))
        values: dict[str, object] = {}
        for name, wanted, value in zip(names, types, arguments, strict=True):
            values[name] = value if wanted is None else coerce(value, wanted, run)
        run.meter.enter()
        # The function may have been made by an earlier run; the one that calls it pays.
        result = body(Frame(frame.context, run, values, frame))
        run.meter.depth -= 1
        return result

    def by_name(run: object, named: Mapping[str, object]) -> object:
        if len(named) != len(names) or set(named) != set(names):
            raise Refused("arguments", name="function", types=", ".join(named))
        return by_position(run, [named[name] for name in names])

    return Function("function", by_position, by_name, len(names), types, declared.result)


def call(node: ast.Call, scope: Scope) -> Closure:
    callee, at = _callee(node.function, scope), scope.place(node)
    arguments = tuple(scope.compile(argument) for argument in node.arguments)

    def run(frame: Frame) -> object:
        target = callee(frame)
        values = [argument(frame) for argument in arguments]
        if type(target) is not Function:
            return frame.run.null(at, "not-a-function", name=kind_of(target))
        return _guarded(frame.run, at, target.by_position, values)

    return run


def named_call(node: ast.NamedCall, scope: Scope) -> Closure:
    callee, at = _callee(node.function, scope), scope.place(node)
    arguments = tuple((name, scope.compile(argument)) for name, argument in node.arguments)

    def run(frame: Frame) -> object:
        target = callee(frame)
        values = {name: argument(frame) for name, argument in arguments}
        if type(target) is not Function:
            return frame.run.null(at, "not-a-function", name=kind_of(target))
        return _guarded(frame.run, at, target.by_name, values)

    return run


def _callee(node: ast.Node, scope: Scope) -> Closure:
    found = scope.compile(node)
    if not isinstance(node, ast.Name) or node.name not in scope.language.builtins:
        return found
    builtin = scope.language.builtins[node.name]

    def read(frame: Frame) -> object:
        # Data that happens to have the name of a built-in function must not hide the function.
        value = found(frame)
        return value if type(value) is Function else builtin

    return read


def _guarded(run: Run, at: Place, target: Callable[[object, Arguments], object], arguments: Arguments) -> object:
    depth = run.meter.depth
    try:
        result = target(run, arguments)
    except Refused as refused:
        run.meter.depth = depth
        return run.null(at, refused.code, **refused.values)
    except (ArithmeticError, ValueError):
        run.meter.depth = depth
        return run.null(at, "number-range")
    if isinstance(result, (str, list, dict)):
        run.meter.made(result)
    return result
