"""Compiles decision tables: the columns are indexed by value, and only what no index knows is looked at row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from diaodu.dmn.cells import constant_of, passes
from diaodu.dmn.explain import FailedCell, FiredTable, InputTrace, RuleTrace, TableTrace
from diaodu.dmn.hits import OF_NOTHING, aggregated, agree
from diaodu.dmn.index import ColumnIndex
from diaodu.dmn.model import HitPolicy
from diaodu.dmn.table_tree import Cell, TableOf
from diaodu.feel.errors import Refused, Source
from diaodu.feel.parser import ParsedTests
from diaodu.feel.runtime import Frame
from diaodu.feel.scope import Closure, Scope
from diaodu.feel.text import text_of
from diaodu.feel.unary import Verdict, compile_tests

Row = int
Finish = Callable[[Frame, Sequence[object], list[Row]], object]
SINGLE = frozenset((HitPolicy.UNIQUE, HitPolicy.FIRST, HitPolicy.PRIORITY, HitPolicy.ANY))


def compile_table(node: TableOf, scope: Scope) -> Closure:
    """The closure that evaluates a table; it notes in `run.records` which rules gave the result."""
    return CompiledTable(node, scope).evaluate


class CompiledTable:
    """One table, compiled; safe to use from several threads."""

    def __init__(self, node: TableOf, scope: Scope) -> None:
        self._node, self._table = node, node.table
        self._place = scope.place(node)
        self._reads = tuple(map(scope.compile, node.inputs))
        self._allowed = _checks(node.allowed, scope)
        self._columns = tuple(ColumnIndex(cells) for cells in zip(*node.cells, strict=True))
        self._open = _open_cells(node, scope)
        self._results = tuple(tuple(map(scope.compile, row)) for row in node.results)
        self._names = tuple(
            each.name or each.label or f"output {n}" for n, each in enumerate(self._table.outputs, start=1)
        )
        self._ranked = _checks(node.ranked, scope)
        self._ranks = tuple(_ranks(cell, scope) for cell in node.ranked)
        self._defaults = tuple(None if each is None else scope.compile(each) for each in node.defaults)
        self._everything = (1 << len(node.cells)) - 1
        self._finish: Finish = {
            HitPolicy.UNIQUE: self._unique,
            HitPolicy.FIRST: self._first,
            HitPolicy.ANY: self._any,
            HitPolicy.PRIORITY: self._priority,
            HitPolicy.OUTPUT_ORDER: self._output_order,
            HitPolicy.RULE_ORDER: self._all,
            HitPolicy.COLLECT: self._all,
        }[self._table.hit_policy]

    def evaluate(self, frame: Frame) -> object:
        """The result by the hit policy; null with a reason where there is none."""
        run = frame.run
        run.meter.step()
        values = [read(frame) for read in self._reads]
        for column, check in self._allowed:
            value = values[column]
            if not _allows(check, frame, value):
                return self._null(
                    frame, values, "input-value", (), value=text_of(value, frame.run.meter), column=column + 1
                )
        matched = self._matched(frame, values)
        if not matched:
            return self._nothing(frame, values)
        return self._finish(frame, values, matched)

    def _matched(self, frame: Frame, values: Sequence[object]) -> list[Row]:
        rows = self._everything
        for column, value in zip(self._columns, values, strict=False):
            rows &= column.rows(value)
            if not rows:
                return []
        matched, first_only = [], self._table.hit_policy is HitPolicy.FIRST
        while rows:
            bit = rows & -rows
            rows ^= bit
            row = bit.bit_length() - 1
            tests = self._open.get(row)
            if tests is not None:
                frame.run.meter.step(len(tests))
                if not all(test(frame, values[column]) is True for column, test in tests):
                    continue
            matched.append(row)
            if first_only:
                break
        return matched

    def _nothing(self, frame: Frame, values: Sequence[object]) -> object:
        if any(each is not None for each in self._defaults):
            return self._tell(frame, values, (), self._composed(frame, self._defaults))
        if self._table.hit_policy in SINGLE:
            return self._null(frame, values, "no-rule", ())
        how = self._table.aggregation if self._table.hit_policy is HitPolicy.COLLECT else None
        return self._tell(frame, values, (), [] if how is None else OF_NOTHING.get(how))

    def _unique(self, frame: Frame, values: Sequence[object], matched: list[Row]) -> object:
        if len(matched) > 1:
            return self._null(frame, values, "several-rules", matched, rules=_numbers(matched))
        return self._first(frame, values, matched)

    def _first(self, frame: Frame, values: Sequence[object], matched: list[Row]) -> object:
        return self._tell(frame, values, matched[:1], self._result(frame, matched[0]))

    def _any(self, frame: Frame, values: Sequence[object], matched: list[Row]) -> object:
        results = [self._result(frame, row) for row in matched]
        if not agree(results):
            return self._null(frame, values, "any-differs", matched, rules=_numbers(matched))
        return self._tell(frame, values, matched, results[0])

    def _priority(self, frame: Frame, values: Sequence[object], matched: list[Row]) -> object:
        ranked = self._in_order(frame, matched)
        return self._tell(frame, values, ranked[0][:1], ranked[0][1])

    def _output_order(self, frame: Frame, values: Sequence[object], matched: list[Row]) -> object:
        ranked = self._in_order(frame, matched)
        return self._tell(frame, values, [row for row, _ in ranked], [result for _, result in ranked])

    def _all(self, frame: Frame, values: Sequence[object], matched: list[Row]) -> object:
        results = [self._result(frame, row) for row in matched]
        how = self._table.aggregation
        if how is None or self._table.hit_policy is not HitPolicy.COLLECT:
            return self._tell(frame, values, matched, results)
        try:
            return self._tell(frame, values, matched, aggregated(results, how))
        except Refused as refused:
            return self._null(frame, values, refused.code, matched, **refused.values)

    def _in_order(self, frame: Frame, matched: list[Row]) -> list[tuple[Row, object]]:
        """The rows with their results, those whose outputs come first among the output values first."""
        found = [(row, [result(frame) for result in self._results[row]]) for row in matched]
        found.sort(key=lambda each: [rank(frame, value) for rank, value in zip(self._ranks, each[1], strict=True)])
        return [(row, self._checked(frame, outputs)) for row, outputs in found]

    def _result(self, frame: Frame, row: Row) -> object:
        return self._composed(frame, self._results[row])

    def _composed(self, frame: Frame, outputs: Sequence[Closure | None]) -> object:
        return self._checked(frame, [None if output is None else output(frame) for output in outputs])

    def _checked(self, frame: Frame, outputs: list[object]) -> object:
        for column, check in self._ranked:
            value = outputs[column]
            if value is not None and not _allows(check, frame, value):
                outputs[column] = frame.run.null(
                    self._place, "output-value", value=text_of(value, frame.run.meter), column=self._names[column]
                )
        return outputs[0] if len(outputs) == 1 else dict(zip(self._names, outputs, strict=True))

    def _null(self, frame: Frame, values: Sequence[object], code: str, rows: Sequence[Row], **why: object) -> object:
        frame.run.null(self._place, code, **why)
        return self._tell(frame, values, rows, None)

    def _tell(self, frame: Frame, values: Sequence[object], rows: Sequence[Row], result: object) -> object:
        """The result, after a note of the rules that gave it."""
        numbers = tuple(row + 1 for row in rows)
        table_id = self._table.id or ""
        if frame.run.explains:
            frame.run.records.append(self._trace(frame, values, numbers, result))
        else:
            frame.run.records.append(FiredTable(table_id, self._place.source.element, numbers))
        return result

    def _trace(self, frame: Frame, values: Sequence[object], numbers: tuple[int, ...], result: object) -> TableTrace:
        inputs = tuple(
            InputTrace(each.label or each.expression.text, each.expression.text, value)
            for each, value in zip(self._table.inputs, values, strict=True)
        )
        run = frame.run
        before = run.reasons, run.records, run.explains
        # The cells are tried once more, for their answers only.
        run.reasons, run.records, run.explains = None, [], False
        rules = tuple(
            RuleTrace(row + 1, rule.id, row + 1 in numbers, self._failed(frame, values, row))
            for row, rule in enumerate(self._table.rules)
        )
        run.reasons, run.records, run.explains = before
        return TableTrace(
            self._table.id or "", self._place.source.element, numbers, self._table.hit_policy, inputs, rules, result
        )

    def _failed(self, frame: Frame, values: Sequence[object], row: Row) -> FailedCell | None:
        """The first cell of the row that its value does not pass."""
        tests = dict(self._open.get(row, ()))
        for column, (cell, value) in enumerate(zip(self._node.cells[row], values, strict=True)):
            test = tests.get(column)
            passed = passes(cell.constants or (), value, negated=cell.negated) if test is None else test(frame, value)
            if passed is not True:
                return FailedCell(column + 1, cell.text, value)
        return None


def _open_cells(node: TableOf, scope: Scope) -> dict[Row, tuple[tuple[int, Verdict], ...]]:
    """The cells that are no constants, by row and column."""
    compiled: dict[str, Verdict] = {}
    found = {}
    for row, cells in enumerate(node.cells):
        tests = []
        for column, cell in enumerate(cells):
            if cell.constants is None:
                if cell.text not in compiled:
                    compiled[cell.text] = _test(cell, scope)
                tests.append((column, compiled[cell.text]))
        if tests:
            found[row] = tuple(tests)
    return found


def _test(cell: Cell, scope: Scope) -> Verdict:
    constants, negated = cell.constants, cell.negated
    if constants is not None:
        return lambda _frame, value: passes(constants, value, negated=negated)
    within = scope.reading(Source(cell.text, scope.source.element))
    return compile_tests(ParsedTests(negated, cell.tests), within)


def _checks(cells: Sequence[Cell], scope: Scope) -> tuple[tuple[int, Verdict], ...]:
    return tuple((column, _test(cell, scope)) for column, cell in enumerate(cells) if not cell.takes_all)


def _allows(check: Verdict, frame: Frame, value: object) -> bool:
    """Whether a value is among the allowed ones; a list is when each of its items is."""
    if check(frame, value) is True:
        return True
    return isinstance(value, list) and bool(value) and all(check(frame, item) is True for item in value)


def _ranks(cell: Cell, scope: Scope) -> Callable[[Frame, object], int]:
    """The place of a value among the output values; behind all of them when it is none of them."""
    tests = [
        _test(Cell(0, cell.text, negated=False, tests=(test,), constants=constant_of(test) or None), scope)
        for test in cell.tests
    ]

    def rank(frame: Frame, value: object) -> int:
        return next((place for place, test in enumerate(tests) if test(frame, value) is True), len(tests))

    return rank


def _numbers(rows: Sequence[Row]) -> str:
    return ", ".join(str(row + 1) for row in rows)
