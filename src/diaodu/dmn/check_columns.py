"""What is wrong with the columns of a table: their form, their names, and constants of the wrong kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from diaodu.dmn.cells import constant_of, passes
from diaodu.dmn.domains import Domain, feel_text
from diaodu.dmn.findings import Finding, finding
from diaodu.dmn.kinds import ColumnKind, Kinds, kinds_in
from diaodu.dmn.model import HitPolicy
from diaodu.dmn.segments import points_of
from diaodu.dmn.table_tree import Cell, TableOf
from diaodu.feel import ast
from diaodu.feel.analysis import reads_of
from diaodu.feel.builtins import BUILTINS
from diaodu.feel.unary import TESTED
from diaodu.feel.values import KINDS, Range


class ConstantFault(NamedTuple):
    """A constant that is not of the `kind` of its column, or else none of the values `allowed` in it."""

    value: str
    kind: str
    allowed: str


class ColumnCheck:
    """Looks at one table column by column."""

    def __init__(self, node: TableOf, element: str, kinds: Kinds) -> None:
        self._node, self._table, self.element = node, node.table, element
        self._inputs = [
            kinds.of(each.expression.type_ref, own) for each, own in zip(node.table.inputs, node.allowed, strict=True)
        ]
        self._outputs = [
            kinds.of(each.type_ref, own) for each, own in zip(node.table.outputs, node.ranked, strict=True)
        ]
        self.domains = [self._domain(column) for column in range(len(self._inputs))]

    def _cells(self, column: int) -> tuple[Cell, ...]:
        return tuple(row[column] for row in self._node.cells)

    def _domain(self, column: int) -> Domain:
        cells, kind = self._cells(column), self._inputs[column]
        return Domain(cells, _kinds(kind, cells), kind.allowed)

    def outputs(self) -> Iterator[Finding]:
        """The form of the outputs under the hit policy."""
        table, count = self._table, len(self._table.outputs)
        seen: set[str] = set()
        for number, output in enumerate(table.outputs, 1):
            column = len(table.inputs) + number
            if count > 1 and not output.name:
                yield finding("no-names", self.element, None, column)
            elif output.name in seen and output.name:
                yield finding("same-names", self.element, None, column, name=output.name)
            seen.add(output.name or "")
        is_ranked = table.hit_policy in (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER)
        if is_ranked and all(cell.takes_all for cell in self._node.ranked):
            yield finding("no-ranks", self.element, policy=table.hit_policy.value)
        if table.aggregation is not None and table.hit_policy is HitPolicy.COLLECT and count > 1:
            yield finding("many-outputs", self.element, aggregation=table.aggregation.value)

    def names(self, known: frozenset[str]) -> Iterator[Finding]:
        """Names that nothing stands for."""
        shift = len(self._table.inputs)
        places: list[tuple[int | None, int, Sequence[ast.Node]]] = [
            *((None, n, (each,)) for n, each in enumerate(self._node.inputs, 1)),
            *((None, n, each.tests) for n, each in enumerate(self._node.allowed, 1)),
            *((None, shift + n, each.tests) for n, each in enumerate(self._node.ranked, 1)),
            *((None, shift + n, (each,)) for n, each in enumerate(self._node.defaults, 1) if each is not None),
        ]
        for rule, (cells, results) in enumerate(zip(self._node.cells, self._node.results, strict=True), 1):
            places += [(rule, n, cell.tests) for n, cell in enumerate(cells, 1) if cell.constants is None]
            places += [(rule, shift + n, (each,)) for n, each in enumerate(results, 1)]
        for row, column, trees in places:
            for name in unknown_names(trees, known):
                yield finding("unknown-name", self.element, row, column, name=name)

    def cells(self, column: int) -> Iterator[Finding]:
        """Whether the constants of a column are of its kind and allowed, and which cells cannot be looked into."""
        kind, domain = self._inputs[column], self.domains[column]
        told: set[int] = set()
        passable = reduce(or_, domain.rows, 0)
        for row, cell in enumerate(self._cells(column)):
            for fault in _constant_faults(cell.constants or (), kind):
                told.add(row)
                yield _of_constant("cell-kind", fault, self.element, row + 1, column + 1)
        for row, cell in enumerate(self._cells(column)):
            where = (self.element, row + 1, column + 1)
            if cell.constants is None:
                yield finding("unchecked-cell", *where, cell=cell.text)
            elif row not in told and not passable >> row & 1 and not kind.has_parts:
                yield finding("never", *where, cell=cell.text)

    def results(self, column: int) -> Iterator[Finding]:
        """Whether the constants among the results are of the output's kind and allowed."""
        kind = self._outputs[column]
        for row, results in enumerate(self._node.results):
            value = constant_of(results[column])
            for fault in _constant_faults(tuple(v for v in value if v is not None), kind):
                yield _of_constant("output-kind", fault, self.element, row + 1, len(self._inputs) + column + 1)

    def parted(self) -> int | None:
        """The first column whose values have parts that its cells look at, if there is one."""
        for column, kind in enumerate(self._inputs):
            if kind.has_parts and any(not cell.takes_all for cell in self._cells(column)):
                return column
        return None


def _kinds(kind: ColumnKind, cells: Sequence[Cell]) -> set[type]:
    """The kinds of value that come into a column."""
    if kind.kind is not None:
        return {kind.kind}
    return kinds_in((kind.allowed,)) or kinds_in(cells)


def _constant_faults(constants: Sequence[object], kind: ColumnKind) -> Iterator[ConstantFault]:
    """Constants that are of another kind than the column, or that are single values and not allowed."""
    if kind.has_parts:
        return
    for constant in constants:
        strangers = [p for p in points_of(constant) if kind.kind and p is not None and type(p) is not kind.kind]
        if strangers and kind.kind is not None:
            yield ConstantFault(feel_text(strangers[0]), KINDS[kind.kind], "")
            continue
        for point in _single(constant):
            if not passes(kind.allowed.constants or (), point, negated=kind.allowed.negated):
                yield ConstantFault(feel_text(point), "", kind.allowed.text)


def _of_constant(other_kind: str, fault: ConstantFault, *place: Any) -> Finding:
    if fault.kind:
        return finding(other_kind, *place, value=fault.value, kind=fault.kind)
    return finding("not-allowed", *place, value=fault.value, allowed=fault.allowed)


def _single(constant: object) -> Iterator[object]:
    """The values that a constant stands for one by one."""
    if isinstance(constant, list):
        for item in constant:
            yield from _single(item)
    elif constant is not None and not isinstance(constant, Range):
        yield constant


def unknown_names(trees: Sequence[ast.Node], known: frozenset[str]) -> list[str]:
    """Names that the trees read and that neither the model nor the language knows."""
    found: set[str] = set()
    for tree in trees:
        reads = reads_of(tree, BUILTINS)
        found |= {path.partition(".")[0] for path in reads.paths - reads.maybe}
    return sorted(name for name in found if name not in known and name != TESTED and name not in BUILTINS)
