"""Compiles what binds names: `for`, `some`, `every` and contexts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from diaodu.feel import ast
from diaodu.feel.boundary import bare
from diaodu.feel.errors import Refused
from diaodu.feel.runtime import Frame
from diaodu.feel.scope import Closure, Scope
from diaodu.feel.temporal import Date
from diaodu.feel.values import NUMBERS, Range, kind_of

Domain = tuple[str, Closure, Closure | None]


def _bound(bindings: tuple[ast.Binding, ...], scope: Scope, *further: str) -> tuple[tuple[Domain, ...], Scope]:
    """The compiled domains, and the scope in which all names are bound."""
    domains: list[Domain] = []
    for binding in bindings:
        end = None if binding.end is None else scope.compile(binding.end)
        domains.append((binding.name, scope.compile(binding.source), end))
        scope = scope.inner(binding.name, *further)
    return tuple(domains), scope


def _frames(frame: Frame, domains: tuple[Domain, ...]) -> Iterator[Frame]:
    """A frame per combination of items; raises Refused when a domain is no list or range."""
    (name, source, end), rest = domains[0], domains[1:]
    step = frame.run.meter.step
    value = source(frame)
    for item in _items(value) if end is None else _counted(value, end(frame)):
        step()
        inner = frame.inner({name: item})
        if rest:
            yield from _frames(inner, rest)
        else:
            yield inner


def _items(value: object) -> Iterable[object]:
    if isinstance(value, list):
        return value
    if isinstance(value, Range):
        return _of_range(value)
    if value is None:
        raise Refused("not-a-list", type="null")
    return (value,)


def _of_range(value: Range) -> Iterable[object]:
    ends = value.start, value.end
    if not all(isinstance(end, (Decimal, Date)) for end in ends) or type(ends[0]) is not type(ends[1]):
        raise Refused("not-a-list", type=f"range of {kind_of(value.start)}")
    for item in _counted(*ends):
        if (item != value.start or value.start_included) and (item != value.end or value.end_included):
            yield item


def _counted(start: object, end: object) -> Iterable[object]:
    """From one end to the other in steps of one, downwards too."""
    if isinstance(start, Decimal) and isinstance(end, Decimal):
        distance = NUMBERS.subtract(end, start)
        if abs(distance) > 1_000_000_000:
            raise Refused("number-range")
        return _numbers(start, int(distance))
    if isinstance(start, Date) and isinstance(end, Date):
        return _days(start.number, end.number)
    raise Refused("not-a-list", type=f"{kind_of(start)}..{kind_of(end)}")


def _numbers(start: Decimal, distance: int) -> Iterator[Decimal]:
    direction = -1 if distance < 0 else 1
    for count in range(abs(distance) + 1):
        yield NUMBERS.add(start, Decimal(count * direction))


def _days(start: int, end: int) -> Iterator[Date]:
    direction = -1 if end < start else 1
    for number in range(start, end + direction, direction):
        yield Date.of_day(number)


def for_loop(node: ast.For, scope: Scope) -> Closure:
    wants_partial = ast.mentions(node.body, "partial")
    domains, inner = _bound(node.bindings, scope, *(("partial",) if wants_partial else ()))
    body, at = inner.compile(node.body), scope.place(node)

    def run(frame: Frame) -> object:
        results: list[object] = []
        meter = frame.run.meter
        try:
            for each in _frames(frame, domains):
                if wants_partial:
                    # A copy, so that a result that keeps `partial` does not come to contain itself.
                    each.values["partial"] = so_far = results.copy()
                    meter.made(so_far)
                results.append(body(each))
        except Refused as refused:
            return frame.run.null(at, refused.code, **refused.values)
        meter.made(results)
        return results

    return run


def quantified(node: ast.Quantified, scope: Scope) -> Closure:
    domains, inner = _bound(node.bindings, scope)
    condition, at = inner.compile(node.condition), scope.place(node)
    # `every` is decided by a false, `some` by a true; a null leaves it open, and no other value may come.
    decisive = not node.every

    def run(frame: Frame) -> object:
        is_open = False
        try:
            for each in _frames(frame, domains):
                verdict = condition(each)
                if verdict is decisive:
                    return decisive
                if verdict is None:
                    is_open = True
                elif type(verdict) is not bool:
                    return frame.run.null(at, "not-boolean", type=kind_of(verdict))
        except Refused as refused:
            return frame.run.null(at, refused.code, **refused.values)
        return frame.run.null(at, "not-boolean", type="null") if is_open else not decisive

    return run


def context(node: ast.ContextOf, scope: Scope) -> Closure:
    inner = scope.inner()
    entries: list[tuple[str, Closure]] = []
    duplicate: str | None = None
    for name, value in node.entries:
        duplicate = name if name in dict(entries) else duplicate
        if isinstance(bare(value), ast.FunctionOf):
            # A function may call itself.
            inner.names.add(name)
        entries.append((name, inner.compile(value)))
        inner.names.add(name)
    at = scope.place(node)

    def run(frame: Frame) -> object:
        if duplicate is not None:
            return frame.run.null(at, "duplicate-entry", name=duplicate)
        within = frame.inner({})
        for name, value in entries:
            within.values[name] = value(within)
        frame.run.meter.made(within.values)
        return within.values

    return run
