"""The relations between points and ranges.

Every end is a position on the line of values: the value, then -1, 0 or 1 for just before, at, or just after it. With
that, an included and an excluded end are told apart by order alone.
"""

from __future__ import annotations

from typing import NamedTuple

from diaodu.feel.builtins.registry import builtin
from diaodu.feel.errors import Refused
from diaodu.feel.values import Range, compare, kind_of


class _Position(NamedTuple):
    """A place on the line of values; `value` None lies beyond all values on the side of `nudge`."""

    value: object
    nudge: int


def _order(left: _Position, right: _Position) -> int:
    """Below 0 when left comes first, 0 for the same place, else above."""
    if left.value is None or right.value is None:
        return (0 if left.value is not None else left.nudge * 2) - (0 if right.value is not None else right.nudge * 2)
    order = compare(left.value, right.value)
    if order is None:
        raise Refused("not-comparable", left=kind_of(left.value), right=kind_of(right.value))
    return order or left.nudge - right.nudge


def _first(value: object) -> _Position:
    if not isinstance(value, Range):
        return _Position(value, 0)
    return _Position(value.start, -1 if value.start is None else 0 if value.start_included else 1)


def _last(value: object) -> _Position:
    if not isinstance(value, Range):
        return _Position(value, 0)
    return _Position(value.end, 1 if value.end is None else 0 if value.end_included else -1)


def _known(*values: object) -> None:
    if any(value is None for value in values):
        raise Refused("arguments", name="range", types="null")


@builtin("before(point1: any, point2: any)", "before(range1: any, range2: any)")
@builtin("before(point: any, range: any)", "before(range: any, point: any)")
def before(left: object, right: object) -> bool:
    _known(left, right)
    return _order(_last(left), _first(right)) < 0


@builtin("after(point1: any, point2: any)", "after(range1: any, range2: any)")
@builtin("after(point: any, range: any)", "after(range: any, point: any)")
def after(left: object, right: object) -> bool:
    return before(right, left)


def _included_ends(left: Range, right: Range) -> bool:
    return left.end_included and right.start_included and compare(left.end, right.start) == 0


@builtin("meets(range1: range, range2: range)")
def meets(left: Range, right: Range) -> bool:
    return _included_ends(left, right)


@builtin("met by(range1: range, range2: range)")
def met_by(left: Range, right: Range) -> bool:
    return _included_ends(right, left)


@builtin("overlaps(range1: range, range2: range)")
def overlaps(left: Range, right: Range) -> bool:
    return _order(_first(left), _last(right)) <= 0 and _order(_first(right), _last(left)) <= 0


@builtin("overlaps before(range1: range, range2: range)")
def overlaps_before(left: Range, right: Range) -> bool:
    return (
        _order(_first(left), _first(right)) < 0
        and _order(_first(right), _last(left)) <= 0
        and _order(_last(left), _last(right)) <= 0
    )


@builtin("overlaps after(range1: range, range2: range)")
def overlaps_after(left: Range, right: Range) -> bool:
    return overlaps_before(right, left)


@builtin("includes(range: range, point: any)", "includes(range1: range, range2: range)")
def includes(outer: Range, inner: object) -> bool:
    _known(inner)
    return _order(_first(outer), _first(inner)) <= 0 and _order(_last(inner), _last(outer)) <= 0


@builtin("during(point: any, range: range)", "during(range1: range, range2: range)")
def during(inner: object, outer: Range) -> bool:
    return includes(outer, inner)


@builtin("starts(point: any, range: range)", "starts(range1: range, range2: range)")
def starts(inner: object, outer: Range) -> bool:
    _known(inner)
    return _order(_first(inner), _first(outer)) == 0 and _order(_last(inner), _last(outer)) <= 0


@builtin("started by(range: range, point: any)", "started by(range1: range, range2: range)")
def started_by(outer: Range, inner: object) -> bool:
    return starts(inner, outer)


@builtin("finishes(point: any, range: range)", "finishes(range1: range, range2: range)")
def finishes(inner: object, outer: Range) -> bool:
    _known(inner)
    return _order(_last(inner), _last(outer)) == 0 and _order(_first(outer), _first(inner)) <= 0


@builtin("finished by(range: range, point: any)", "finished by(range1: range, range2: range)")
def finished_by(outer: Range, inner: object) -> bool:
    return finishes(inner, outer)


@builtin("coincides(point1: any, point2: any)", "coincides(range1: range, range2: range)")
def coincides(left: object, right: object) -> bool:
    _known(left, right)
    return _order(_first(left), _first(right)) == 0 and _order(_last(left), _last(right)) == 0
