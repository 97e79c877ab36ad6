"""Finds the rules whose cell in one column a value passes, without a look at every cell: rows are bits of a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from diaodu.dmn.cells import passes
from diaodu.dmn.segments import KEYS, Cuts, bitmaps, cuts_of
from diaodu.dmn.table_tree import Cell
from diaodu.feel.temporal import Date, DaysDuration, MonthsDuration

Lookup = Callable[[object], int]
# Kinds whose order says what `=` says; moments are equal by whole seconds and ordered by parts of them.
INDEXED = (Decimal, str, Date, DaysDuration, MonthsDuration)


class ColumnIndex:
    """The rows of one column by value; cells that are no constants count as passed, they are looked at later."""

    __slots__ = ("_always", "_lookups", "_others")

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._always = 0
        self._others: list[tuple[int, Cell]] = []
        for row, cell in enumerate(cells):
            if cell.takes_all or cell.constants is None:
                self._always |= 1 << row
            else:
                self._others.append((1 << row, cell))
        constants = [constant for _, cell in self._others for constant in cell.constants or ()]
        self._lookups: dict[type, Lookup] = {kind: self._ordered(cuts_of(kind, constants)) for kind in INDEXED}
        fixed = {value: self.scan(value) for value in (True, False, None)}
        self._lookups[bool] = self._lookups[type(None)] = fixed.__getitem__  # type: ignore[assignment]  # only for these

    def rows(self, value: object) -> int:
        """The rows whose cell the value passes."""
        lookup = self._lookups.get(type(value))
        return self.scan(value) if lookup is None else lookup(value)

    def scan(self, value: object) -> int:
        """The same without the index, for kinds that have none."""
        rows = self._always
        for bit, cell in self._others:
            if passes(cell.constants or (), value, negated=cell.negated):
                rows |= bit
        return rows

    def _ordered(self, cuts: Cuts) -> Lookup:
        found = bitmaps(
            (
                (bit.bit_length() - 1, cuts.runs(cell.constants or (), negated=cell.negated))
                for bit, cell in self._others
            ),
            cuts.last,
        )
        rows = [self._always | each for each in found]
        key, between = KEYS[cuts.kind], rows[0]
        if all(each == between for each in rows[::2]):
            # Only single values are told apart: no search is needed.
            points = dict(zip(cuts.keys, rows[1::2], strict=True))
            if not points:
                return lambda _value: between
            if key(cuts.points[0]) is cuts.points[0]:
                return lambda value: points.get(value, between)
            return lambda value: points.get(key(value), between)
        return lambda value: rows[cuts.piece(value)]
