"""What the rules of a table are to each other: gaps, overlaps, doubles, and rules that never give the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diaodu.dmn.cells import constant_of, passes
from diaodu.dmn.domains import Domain
from diaodu.dmn.findings import Finding, finding
from diaodu.dmn.gaps import MAX_REGIONS, MAX_STEPS, Region, Search, TooLargeError, bits, common, meeting
from diaodu.dmn.model import HitPolicy
from diaodu.dmn.table_tree import TableOf
from diaodu.feel.values import equal


def rule_findings(node: TableOf, domains: Sequence[Domain], element: str) -> Iterator[Finding]:
    """All findings about the rules together."""
    rules = _Rules(node, domains, element)
    yield from rules.gaps()
    yield from rules.doubles()
    yield from rules.overlaps()
    yield from rules.shadowed()


class _Rules:
    def __init__(self, node: TableOf, domains: Sequence[Domain], element: str) -> None:
        self._node, self._domains, self._element = node, domains, element
        self._policy = node.table.hit_policy
        self._count = len(node.cells)
        self._search = Search(domains, MAX_STEPS)
        self._open = 0
        for domain in domains:
            self._open |= domain.open_rows

    def gaps(self) -> Iterator[Finding]:
        """Combinations that no rule takes, nor could take; with a default output there are none."""
        if any(default is not None for default in self._node.defaults):
            return
        try:
            gaps = self._search.gaps((1 << self._count) - 1)
        except TooLargeError:
            yield self._too_large("gaps", "遗漏")
            return
        for region in gaps.regions:
            cells = self._words(region)
            yield finding("gap", self._element, cells=cells, region=self._region(cells))
        if not gaps.complete:
            yield finding("more-gaps", self._element, most=MAX_REGIONS)

    def doubles(self) -> Iterator[Finding]:
        """Rules of the same conditions and results."""
        first: dict[object, int] = {}
        for row in range(self._count):
            marks = tuple(cell.text for cell in self._node.cells[row]), self._result(row)
            earlier = first.setdefault(marks, row)
            if earlier != row:
                numbers = (earlier + 1, row + 1)
                yield finding("duplicate", self._element, row + 1, rules=numbers)

    def overlaps(self) -> Iterator[Finding]:
        """Pairs of rules that may not match together."""
        if self._policy not in (HitPolicy.UNIQUE, HitPolicy.ANY):
            return
        try:
            met = meeting(self._domains, self._count, MAX_STEPS)
        except TooLargeError:
            yield self._too_large("overlaps", "重叠")
            return
        told = 0
        for first, others in enumerate(met):
            for second in bits(others):
                code = self._verdict(first, second)
                if code is None:
                    continue
                if told == MAX_REGIONS:
                    yield finding("more-overlaps", self._element, most=MAX_REGIONS)
                    return
                told += 1
                cells, numbers = self._words(common(self._domains, first, second)), (first + 1, second + 1)
                region = self._region(cells)
                yield finding(code, self._element, second + 1, rules=numbers, cells=cells, region=region)

    def _verdict(self, first: int, second: int) -> str | None:
        if self._policy is HitPolicy.UNIQUE:
            return "overlap"
        if self._result(first) == self._result(second):
            return None
        a, b = self._values(first), self._values(second)
        if a is None or b is None:
            return "may-differ"
        return None if all(equal(x, y) is True for x, y in zip(a, b, strict=True)) else "differs"

    def shadowed(self) -> Iterator[Finding]:
        """Rules that never give the result, because others before them always do."""
        if self._policy not in (HitPolicy.FIRST, HitPolicy.PRIORITY):
            return
        ranks = [self._rank(row) for row in range(self._count)]
        for row in range(self._count):
            winners = self._winners(row, ranks) & ~self._open
            try:
                if winners and self._search.is_shadowed(row, winners):
                    yield finding("shadowed", self._element, row + 1, rules=(row + 1,))
            except TooLargeError:
                yield self._too_large("rules that never match", "无效规则")
                return

    def _winners(self, row: int, ranks: Sequence[tuple[int, ...] | None]) -> int:
        """The rules that come before this one wherever both match."""
        if self._policy is HitPolicy.FIRST:
            return (1 << row) - 1
        own, found = ranks[row], 0
        for other, rank in enumerate(ranks):
            if own is not None and rank is not None and (rank < own or (rank == own and other < row)):
                found |= 1 << other
        return found

    def _rank(self, row: int) -> tuple[int, ...] | None:
        """The places of the results among the output values; None when a result is no constant."""
        values = self._values(row)
        if values is None:
            return None
        found = []
        for value, ranked in zip(values, self._node.ranked, strict=True):
            constants = ranked.constants or ()
            at = (n for n, constant in enumerate(constants) if passes((constant,), value, negated=False))
            found.append(next(at, len(constants)))
        return tuple(found)

    def _values(self, row: int) -> tuple[object, ...] | None:
        values = [constant_of(result) for result in self._node.results[row]]
        return tuple(value[0] for value in values) if all(values) else None

    def _result(self, row: int) -> tuple[str, ...]:
        return tuple(text.strip() for text in self._node.table.rules[row].outputs)

    def _words(self, region: Region) -> tuple[str, ...]:
        return tuple(domain.text(pieces) for domain, pieces in zip(self._domains, region, strict=True))

    def _region(self, cells: Sequence[str]) -> str:
        """The region in words: only the columns that say something."""
        labels = [each.label or each.expression.text for each in self._node.table.inputs]
        said = [f"{label}: {cell}" for label, cell in zip(labels, cells, strict=True) if cell != "-"]
        return "; ".join(said) or "-"

    def _too_large(self, what: str, what_zh: str) -> Finding:
        return finding("too-large", self._element, what=what, what_zh=what_zh, steps=f"{MAX_STEPS:,}")
