"""Which combinations of values no rule of a table takes, and which two rules take.

Columns are cut into pieces (`domains`), rows are the bits of numbers, and the search goes from column to column with
the rows that are left, each set of rows once: the sweep of Calvanese et al., Semantics, Analysis and Simplification
of DMN Decision Tables (2018), in depth instead of breadth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from diaodu.dmn.domains import Domain

# Regions and pairs that are told; a table with more is far from done.
MAX_REGIONS = 50
# Intersections that one search may make: some seconds.
MAX_STEPS = 10_000_000
# Per column the numbers of pieces of its domain.
Region = tuple[tuple[int, ...], ...]


class TooLargeError(Exception):
    """The search would take too long; never leaves the room."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Regions without a rule; `complete` when there are no others."""

    regions: tuple[Region, ...]
    complete: bool


@dataclass(slots=True)
class Search:
    """Searches within one table; they share one account of steps."""

    domains: Sequence[Domain]
    steps: int
    _tails: list[int] = field(default_factory=list)
    _seen: dict[tuple[int, int], tuple[Region, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The rows that take all that is left from a column on.
        self._tails = [-1]
        for domain in reversed(self.domains):
            everywhere = self._tails[0]
            for rows, _ in domain.classes:
                everywhere &= rows
            self._tails.insert(0, everywhere)

    def gaps(self, rows: int) -> Gaps:
        """The regions that none of these rows takes; raises TooLargeError."""
        found = self._uncovered(0, rows)
        return Gaps(found[:MAX_REGIONS], len(found) <= MAX_REGIONS)

    def _uncovered(self, column: int, rows: int) -> tuple[Region, ...]:
        if not rows:
            return (tuple(domain.proper_pieces for domain in self.domains[column:]),)
        if column == len(self.domains) or rows & self._tails[column]:
            return ()
        known = self._seen.get((column, rows))
        if known is not None:
            return known
        by_rest: dict[tuple[Region, ...], list[int]] = {}
        count = 0
        for left, pieces in self._split(column, rows).items():
            rest = self._uncovered(column + 1, left)
            count += len(rest) if rest not in by_rest else 0
            if rest:
                by_rest.setdefault(rest, []).extend(pieces)
            if count > MAX_REGIONS:
                break
        regions = ((tuple(pieces), *region) for rest, pieces in by_rest.items() for region in rest)
        found = tuple(region for region, _ in zip(regions, range(MAX_REGIONS + 1), strict=False))
        self._seen[column, rows] = found
        return found

    def _split(self, column: int, rows: int) -> dict[int, list[int]]:
        """The pieces of a column by which of the rows take them."""
        classes = self.domains[column].classes
        self._account(len(classes))
        found: dict[int, list[int]] = {}
        for taken, pieces in classes:
            found.setdefault(taken & rows, []).extend(pieces)
        return found

    def _account(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TooLargeError

    def is_shadowed(self, row: int, others: int) -> bool:
        """Whether the other rows together take all that this row takes; raises TooLargeError."""
        bit = 1 << row
        own = [[taken for taken, _ in domain.classes if taken & bit] for domain in self.domains]
        return all(own) and self._is_covered(own, 0, others, set())

    def _is_covered(self, own: Sequence[Sequence[int]], column: int, rows: int, seen: set[tuple[int, int]]) -> bool:
        if not rows:
            return False
        if column == len(own) or rows & self._tails[column] or (column, rows) in seen:
            return True
        self._account(len(own[column]))
        for left in {taken & rows for taken in own[column]}:
            if not self._is_covered(own, column + 1, left, seen):
                return False
        seen.add((column, rows))
        return True


def meeting(domains: Sequence[Domain], rows: int, steps: int) -> list[int]:
    """For every row the later rows that certainly take something that it takes too, as bits.

    Raises TooLargeError.
    """
    found = [(1 << rows) - 1] * rows
    for domain in domains:
        steps -= sum((taken & ~domain.all_rows).bit_count() for taken, _ in domain.certain)
        if steps < 0:
            raise TooLargeError
        touched = [0] * rows
        for taken, _ in domain.certain:
            for row in bits(taken & ~domain.all_rows):
                touched[row] |= taken
        anywhere = reduce(or_, (taken for taken, _ in domain.certain), 0)
        for row in bits(domain.all_rows):
            touched[row] = anywhere
        found = [before & now for before, now in zip(found, touched, strict=True)]
    return [others >> (row + 1) << (row + 1) for row, others in enumerate(found)]


def common(domains: Sequence[Domain], first: int, second: int) -> Region:
    """What two rows both take."""
    both = 1 << first | 1 << second
    return tuple(
        tuple(piece for taken, pieces in domain.certain if taken & both == both for piece in pieces)
        for domain in domains
    )


def bits(rows: int) -> Iterator[int]:
    """The rows of a set."""
    while rows:
        bit = rows & -rows
        yield bit.bit_length() - 1
        rows ^= bit
