"""The values of one column cut into pieces that no cell tells apart: the points that cells name, and what lies between.

With the points in order, piece 2i+1 is point i, piece 2i what lies below it, and the last piece what lies above all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from diaodu.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from diaodu.feel.values import Range

# What orders the values of a kind and tells them apart.
KEYS: dict[type, Callable[[Any], Any]] = {
    Decimal: lambda value: value,
    str: lambda value: value,
    Date: lambda value: value.number,
    DaysDuration: lambda value: value.nanos,
    MonthsDuration: lambda value: value.months,
    Time: lambda value: value.instant,
    DateTime: lambda value: value.instant,
}
# Runs of pieces from the first to the last of each, in order and apart.
Runs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Cuts:
    """The points of one kind of value, in order; `keys` orders them."""

    kind: type
    points: tuple[object, ...]
    keys: tuple[Any, ...]

    @property
    def last(self) -> int:
        """The number of the last piece."""
        return 2 * len(self.keys)

    def piece(self, value: object) -> int:
        """The piece that a value of this kind lies in."""
        key = KEYS[self.kind](value)
        at = bisect_left(self.keys, key)
        return 2 * at + 1 if at < len(self.keys) and self.keys[at] == key else 2 * at

    def runs(self, constants: Iterable[object], *, negated: bool) -> Runs:
        """The pieces whose values pass a cell of these constants, by the rules of `passes`."""
        if not negated:
            return _merged(run for constant in constants for run in self._runs_of(constant))
        found: list[tuple[int, int]] = []
        for constant in constants:
            if not self._knows(constant):
                # A value of another kind cannot be told from it: neither yes nor no.
                return ()
            found.extend(self._runs_of(constant))
        return self._others(_merged(found))

    def _knows(self, constant: object) -> bool:
        """Whether a value of this kind passes or fails this constant, rather than neither."""
        if isinstance(constant, Range):
            ends = {type(end) for end in (constant.start, constant.end) if end is not None}
            return ends == {self.kind} or (not ends and constant.operator in ("=", "!="))
        return isinstance(constant, list) or constant is None or type(constant) is self.kind

    def _runs_of(self, constant: object) -> Iterator[tuple[int, int]]:
        if isinstance(constant, list):
            for item in constant:
                yield from self._runs_of(item)
        elif isinstance(constant, Range):
            if self._knows(constant):
                yield from self._within(constant)
        elif type(constant) is self.kind:
            at = self.piece(constant)
            yield at, at

    def _within(self, range_: Range) -> Iterator[tuple[int, int]]:
        start, end = range_.start, range_.end
        if range_.operator in ("=", "!="):
            found = () if start is None else ((self.piece(start),) * 2,)
            yield from found if range_.operator == "=" else self._others(found)
            return
        first = 0 if start is None else self.piece(start) + (not range_.start_included)
        last = self.last if end is None else self.piece(end) - (not range_.end_included)
        if first <= last:
            yield first, last

    def _others(self, runs: Sequence[tuple[int, int]]) -> Runs:
        found, begin = [], 0
        for first, last in runs:
            if begin < first:
                found.append((begin, first - 1))
            begin = last + 1
        return (*found, (begin, self.last)) if begin <= self.last else tuple(found)


def cuts_of(kind: type, constants: Iterable[object]) -> Cuts:
    """The points of this kind that stand in the constants."""
    order = KEYS[kind]
    points = {order(point): point for constant in constants for point in points_of(constant) if type(point) is kind}
    keys = tuple(sorted(points))
    return Cuts(kind, tuple(points[key] for key in keys), keys)


def points_of(constant: object) -> Iterator[object]:
    """The values that stand in a constant: its ends, its items, or itself."""
    if isinstance(constant, list):
        for item in constant:
            yield from points_of(item)
    elif isinstance(constant, Range):
        yield from (end for end in (constant.start, constant.end) if end is not None)
    else:
        yield constant


def _merged(runs: Iterable[tuple[int, int]]) -> Runs:
    found: list[tuple[int, int]] = []
    for first, last in sorted(runs):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def bitmaps(runs_by_row: Iterable[tuple[int, Runs]], last: int) -> list[int]:
    """For every piece up to `last` the rows that have it, as bits."""
    toggles = [0] * (last + 2)
    for row, runs in runs_by_row:
        bit = 1 << row
        for begin, end in runs:
            toggles[begin] ^= bit
            toggles[end + 1] ^= bit
    rows, found = 0, []
    for toggle in toggles[:-1]:
        rows ^= toggle
        found.append(rows)
    return found
