"""The possible values of one column, cut into pieces that its cells do not tell apart, and said again as cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from diaodu.dmn.cells import passes
from diaodu.dmn.segments import Cuts, Runs, bitmaps, cuts_of, points_of
from diaodu.dmn.table_tree import ANY, Cell
from diaodu.feel.temporal import DAY_NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time
from diaodu.feel.text import text_of

# Kinds whose values can be counted: nothing lies between neighbours.
_COUNTED = (Date, MonthsDuration, DaysDuration, Time)
TEMPORAL = (Date, Time, DateTime, DaysDuration, MonthsDuration)


# The row of a cell, its constants, and whether they are negated.
Closed = tuple[int, tuple[object, ...], bool]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the values of a kind, or the one `value` where there are no cuts (true, false, null)."""

    cuts: Cuts | None
    number: int
    value: object = None


class Domain:
    """The pieces of a column and the rows that take them.

    `rows` has for every piece the rows whose cell takes it for certain; `open_rows` are those whose cell is no
    constant, `all_rows` those that take every value.
    """

    def __init__(self, cells: Sequence[Cell], kinds: Iterable[type], allowed: Cell = ANY) -> None:
        constants = [c for cell in (*cells, allowed) for c in cell.constants or ()]
        points = [point for constant in constants for point in points_of(constant)]
        self.open_rows = _bits(row for row, cell in enumerate(cells) if cell.constants is None)
        self.all_rows = _bits(row for row, cell in enumerate(cells) if cell.takes_all)
        closed = [(row, cell.constants, cell.negated) for row, cell in enumerate(cells) if cell.constants]
        self.pieces: list[Piece] = []
        self.rows: list[int] = []
        self._kinds = sorted(kinds, key=lambda kind: kind.__name__)
        for kind in self._kinds:
            if kind is bool:
                self._add_values((True, False), closed, allowed)
            else:
                self._add_kind(cuts_of(kind, constants), closed, allowed)
        if not self._kinds:
            self._add_values((ANY,), (), ANY)
        # Null is no value that a table must have a rule for, but two rules may both have it.
        self.proper = len(self.pieces)
        if None in points:
            self._add_values((None,), closed, ANY)

    def _add_values(self, values: Iterable[object], closed: Sequence[Closed], allowed: Cell) -> None:
        for value in values:
            if passes(allowed.constants or (), value, negated=allowed.negated):
                self.pieces.append(Piece(None, 0, value))
                taken = _bits(row for row, constants, negated in closed if passes(constants, value, negated=negated))
                self.rows.append(self.all_rows | taken)

    def _add_kind(self, cuts: Cuts, closed: Sequence[Closed], allowed: Cell) -> None:
        runs_by_row = ((row, cuts.runs(constants, negated=negated)) for row, constants, negated in closed)
        found = bitmaps(runs_by_row, cuts.last)
        runs: Runs = ((0, cuts.last),)
        if allowed.constants:
            runs = cuts.runs(allowed.constants, negated=allowed.negated)
        for first, last in runs:
            for number in range(first, last + 1):
                if not _is_empty(cuts, number):
                    self.pieces.append(Piece(cuts, number))
                    self.rows.append(self.all_rows | found[number])

    @cached_property
    def classes(self) -> list[tuple[int, tuple[int, ...]]]:
        """The proper pieces by the rows that may take them, with the numbers of the pieces."""
        return _grouped(self.rows[: self.proper], self.open_rows)

    @cached_property
    def certain(self) -> list[tuple[int, tuple[int, ...]]]:
        """All pieces by the rows that take them for certain."""
        return _grouped(self.rows, 0)

    @cached_property
    def proper_pieces(self) -> tuple[int, ...]:
        """All pieces but null."""
        return tuple(range(self.proper))

    def text(self, pieces: Iterable[int]) -> str:
        """Pieces as the text of a cell; `-` for all of them."""
        chosen = set(pieces)
        if chosen.issuperset(self.proper_pieces):
            return "-"
        return self._but(chosen) or ", ".join(self._texts(sorted(chosen)))

    def _but(self, chosen: set[int]) -> str | None:
        """All texts but some, which nobody would call a row of ranges."""
        if self._kinds != [str]:
            return None
        others = [self.pieces[n] for n in self.proper_pieces if n not in chosen]
        if all(piece.number % 2 for piece in others) and any(not self.pieces[n].number % 2 for n in chosen):
            return "not(" + ", ".join(feel_text(p.cuts.points[p.number // 2]) for p in others if p.cuts) + ")"
        return None

    def _texts(self, chosen: list[int]) -> Iterator[str]:
        begin: Piece | None = None
        end: Piece | None = None
        for piece in (self.pieces[n] for n in chosen):
            if begin is not None and end is not None and not _follows(end, piece):
                yield _run_text(begin, end)
                begin = None
            begin, end = begin or piece, piece
        if begin is not None and end is not None:
            yield _run_text(begin, end)


def feel_text(value: object) -> str:
    """A constant as it is written in a cell."""
    if isinstance(value, str):
        return text_of([value])[1:-1]
    return f'@"{value}"' if isinstance(value, TEMPORAL) else text_of(value)


def _grouped(rows: Iterable[int], more: int) -> list[tuple[int, tuple[int, ...]]]:
    found: dict[int, list[int]] = {}
    for piece, taken in enumerate(rows):
        found.setdefault(taken | more, []).append(piece)
    return [(taken, tuple(pieces)) for taken, pieces in found.items()]


def _is_empty(cuts: Cuts, number: int) -> bool:
    """Whether nothing lies in a piece, as between one day and the next."""
    if number % 2:
        return False
    below = cuts.keys[number // 2 - 1] if number else None
    above = cuts.keys[number // 2] if number < cuts.last else None
    if cuts.kind in _COUNTED and below is not None and above is not None:
        return bool(above - below == 1)
    if cuts.kind is Time and all(isinstance(p, Time) and p.is_local for p in cuts.points):
        return below == DAY_NANOS - 1 or above == 0
    return cuts.kind is str and number == 0 and above == ""


def _follows(piece: Piece, after: Piece) -> bool:
    """Whether there is nothing between the two."""
    if piece.cuts is None or piece.cuts is not after.cuts:
        return False
    between = range(piece.number + 1, after.number)
    return not between or (len(between) == 1 and _is_empty(piece.cuts, between[0]))


def _run_text(first: Piece, last: Piece) -> str:
    cuts = first.cuts
    if cuts is None:
        return feel_text(first.value)
    starts_at, ends_at = first.number % 2 == 1, last.number % 2 == 1
    low = None if first.number == 0 else cuts.points[(first.number - 1) // 2]
    high = None if last.number == cuts.last else cuts.points[last.number // 2]
    if low is None and high is None:
        return "-"
    if high is None:
        return f"{'>=' if starts_at else '>'} {feel_text(low)}"
    if low is None:
        return f"{'<=' if ends_at else '<'} {feel_text(high)}"
    if first.number == last.number and starts_at:
        return feel_text(low)
    return f"{'[' if starts_at else '('}{feel_text(low)}..{feel_text(high)}{']' if ends_at else ')'}"


def _bits(rows: Iterable[int]) -> int:
    found = 0
    for row in rows:
        found |= 1 << row
    return found
