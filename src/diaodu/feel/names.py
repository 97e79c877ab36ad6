"""Compiles names, paths and filters: how values are found."""

from __future__ import annotations

from decimal import Decimal

from diaodu.feel import ast
from diaodu.feel.errors import Place
from diaodu.feel.properties import property_of
from diaodu.feel.runtime import Frame
from diaodu.feel.scope import Closure, Scope
from diaodu.feel.values import PLAIN, kind_of

# The default of lookups; of no type that FEEL knows.
MISSING = object()


def name(node: ast.Name, scope: Scope) -> Closure:
    here, hops = scope, 0
    while here.outer is not None:
        if here.is_filter:
            return _in_filter(node, here, hops)
        if node.name in here.names:
            return _local(node.name, hops)
        here, hops = here.outer, hops + 1
    return _global(node, scope)


def _local(name: str, hops: int) -> Closure:
    if hops == 0:
        return lambda frame: frame.values.get(name)
    if hops == 1:
        return lambda frame: frame.outer.values.get(name)  # type: ignore[union-attr]  # an inner scope has an outer frame

    def read(frame: Frame) -> object:
        for _ in range(hops):
            frame = frame.outer  # type: ignore[assignment]  # an inner scope has an outer frame
        return frame.values.get(name)

    return read


def _global(node: ast.Name, scope: Scope) -> Closure:
    name, at = node.name, scope.place(node)
    builtin = scope.language.builtins.get(name)

    def read(frame: Frame) -> object:
        value = frame.context.get(name, MISSING)
        if type(value) in PLAIN:
            return value
        if value is not MISSING:
            return frame.run.lift(value)
        if builtin is None:
            frame.run.null(at, "unknown-name", name=name)
        return builtin

    return read


def _in_filter(node: ast.Name, found: Scope, hops: int) -> Closure:
    """A name that may be an entry of the filtered item; known only when the item is there."""
    assert found.outer is not None
    name, is_item = node.name, node.name == "item"
    otherwise = found.outer.compile(node) if not is_item else None

    def read(frame: Frame) -> object:
        for _ in range(hops):
            frame = frame.outer  # type: ignore[assignment]  # an inner scope has an outer frame
        item = frame.values["item"]
        if type(item) is dict and name in item:
            return frame.run.lift(item[name])
        if otherwise is None:
            return item
        return otherwise(frame.outer)  # type: ignore[arg-type]  # an inner scope has an outer frame

    return read


def path(node: ast.Path, scope: Scope) -> Closure:
    source, name, at = scope.compile(node.source), node.name, scope.place(node)

    def read(frame: Frame) -> object:
        value = source(frame)
        if type(value) is dict:
            found = value.get(name, MISSING)
            if type(found) in PLAIN:
                return found
            if found is MISSING:
                return frame.run.null(at, "unknown-entry", name=name)
            return frame.run.lift(found)
        return member(frame, value, name, at)

    return read


def member(frame: Frame, value: object, name: str, at: Place) -> object:
    """The entry or property of one value, or of each item of a list."""
    run = frame.run
    if isinstance(value, dict):
        if name in value:
            return run.lift(value[name])
        return run.null(at, "unknown-entry", name=name)
    if isinstance(value, list):
        run.meter.step(len(value))
        return [member(frame, run.lift(item), name, at) for item in value]
    if value is None:
        return run.null(at, "null-property", name=name)
    read = property_of(value, name)
    if read is None:
        return run.null(at, "no-property", type=kind_of(value), name=name)
    return read(value)


def filtered(node: ast.Filter, scope: Scope) -> Closure:
    source, condition = scope.compile(node.source), scope.filter().compile(node.condition)
    at = scope.place(node)
    constant = _constant_index(node.condition)

    def read(frame: Frame) -> object:
        value = source(frame)
        if value is None:
            return None
        items = value if isinstance(value, list) else [value]
        if constant is not None:
            return item_at(frame, items, constant, at)
        if not items:
            return _of_nothing(frame, condition, at)
        return _matching(frame, items, condition, at)

    return read


def _constant_index(node: ast.Node) -> Decimal | None:
    if isinstance(node, ast.Negation):
        inner = _constant_index(node.operand)
        return None if inner is None else -inner
    return node.value if isinstance(node, ast.Literal) and isinstance(node.value, Decimal) else None


def _matching(frame: Frame, items: list[object], condition: Closure, at: Place) -> object:
    step, kept = frame.run.meter.step, []
    for item in items:
        step()
        verdict = condition(frame.inner({"item": item}))
        if verdict is True:
            kept.append(item)
        elif isinstance(verdict, Decimal):
            # A number selects by position; the first item shows of which kind the condition is.
            return item_at(frame, items, verdict, at)
        elif verdict is not False and verdict is not None:
            return frame.run.null(at, "not-boolean", type=kind_of(verdict))
    return kept


def _of_nothing(frame: Frame, condition: Closure, at: Place) -> object:
    """An empty list, or null where the condition is a position: no item tells, so it is tried on none."""
    reasons = frame.run.reasons
    known = 0 if reasons is None else len(reasons)
    verdict = condition(frame.inner({"item": None}))
    if reasons is not None:
        # What a condition says of no item is no reason of anything.
        del reasons[known:]
    return item_at(frame, [], verdict, at) if isinstance(verdict, Decimal) else []


def item_at(frame: Frame, items: list[object], index: Decimal, at: Place) -> object:
    """The item at a position from 1, or from the end when negative."""
    if index == index.to_integral_value() and 1 <= abs(index) <= len(items):
        position = int(index)
        return items[position - 1 if position > 0 else position]
    return frame.run.null(at, "index", index=index, count=len(items))
