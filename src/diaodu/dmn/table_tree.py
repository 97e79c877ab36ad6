"""A decision table as a node of the syntax tree: every text read once, every fault with its place."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from diaodu.dmn.cells import constants_of
from diaodu.dmn.model import DecisionTable, Input, Output
from diaodu.feel import ast
from diaodu.feel.cursor import words_of
from diaodu.feel.errors import FeelSyntaxError
from diaodu.feel.parser import parse_unary_tests

# From the text of an expression and its typeRef to a tree that knows its own text and gives a value of that type.
Read = Callable[[str, str | None], ast.Node]
NOTHING = ast.Literal(0, None)


@dataclass(frozen=True, slots=True)
class Cell(ast.Node):
    """Unary tests; without `tests` every value passes. `constants` are their values when these never change."""

    text: str
    negated: bool
    tests: tuple[ast.Node, ...]
    constants: tuple[object, ...] | None

    @property
    def takes_all(self) -> bool:
        return not self.tests


@dataclass(frozen=True, slots=True)
class TableOf(ast.Node):
    """`cells` and `results` are by rule and column; `allowed` and `ranked` the values of inputs and outputs."""

    table: DecisionTable
    inputs: tuple[ast.Node, ...]
    allowed: tuple[Cell, ...]
    cells: tuple[tuple[Cell, ...], ...]
    results: tuple[tuple[ast.Node, ...], ...]
    ranked: tuple[Cell, ...]
    defaults: tuple[ast.Node | None, ...]


@dataclass(frozen=True, slots=True)
class TableFault:
    """A text of a table that is no FEEL, or a rule that has not a cell per column (no `error` then).

    `part` is input, input values, cell, output, output values or default; `rule` and `column` count from 1, inputs and
    outputs apart.
    """

    part: str
    rule: int | None
    column: int
    text: str
    error: FeelSyntaxError | None


ANY = Cell(0, "-", negated=False, tests=(), constants=())


def parse_table(table: DecisionTable, names: Collection[str], read: Read, faults: list[TableFault]) -> TableOf:
    """The tree of a table in which `names` are known; what is no FEEL is added to `faults` and reads as null or `-`."""
    reader = _Reader(names, read, faults)
    inputs, outputs = table.inputs, table.outputs
    return TableOf(
        0,
        table,
        tuple(reader.input(number, column) for number, column in enumerate(inputs, 1)),
        tuple(reader.cell("input values", None, n, each.values or "") for n, each in enumerate(inputs, 1)),
        tuple(
            tuple(reader.cell("cell", number, n, text) for n, text in enumerate(fitted, 1))
            for number, rule in enumerate(table.rules, 1)
            for fitted in [reader.fitted(number, rule.inputs, len(inputs), "cell")]
        ),
        tuple(
            tuple(reader.output(number, n, text, outputs[n - 1]) for n, text in enumerate(fitted, 1))
            for number, rule in enumerate(table.rules, 1)
            for fitted in [reader.fitted(number, rule.outputs, len(outputs), "output")]
        ),
        tuple(reader.cell("output values", None, n, each.values or "") for n, each in enumerate(outputs, 1)),
        tuple(reader.default(n, each) for n, each in enumerate(outputs, 1)),
    )


class _Reader:
    """Reads the texts of one table; the same text twice is read once."""

    def __init__(self, names: Collection[str], read: Read, faults: list[TableFault]) -> None:
        self._names = frozenset(names)
        # Most cells mention none of the names: only those whose first word occurs are given to the parser.
        self._several = [(words[0], name) for name in names if len(words := words_of(name)) > 1]
        self._read = read
        self._faults = faults
        self._cells: dict[str, Cell] = {"": ANY, "-": ANY}
        self._nodes: dict[tuple[str, str | None], ast.Node] = {}

    def fitted(self, rule: int, texts: tuple[str, ...], wanted: int, part: str) -> tuple[str, ...]:
        if len(texts) != wanted:
            self._faults.append(TableFault(part, rule, min(len(texts), wanted) + 1, "", None))
        return (*texts, *("",) * (wanted - len(texts)))[:wanted]

    def input(self, column: int, asked: Input) -> ast.Node:
        return self._expression("input", None, column, asked.expression.text, asked.expression.type_ref)

    def output(self, rule: int, column: int, text: str, output: Output) -> ast.Node:
        return self._expression("output", rule, column, text, output.type_ref)

    def default(self, column: int, output: Output) -> ast.Node | None:
        if output.default is None or not output.default.strip():
            return None
        return self._expression("default", None, column, output.default, output.type_ref)

    def cell(self, part: str, rule: int | None, column: int, text: str) -> Cell:
        text = text.strip()
        found = self._cells.get(text)
        if found is not None:
            return found
        try:
            found = self._cells[text] = self._parsed(text)
        except FeelSyntaxError as error:
            # Not kept: every place that has this text is a fault of its own.
            self._faults.append(TableFault(part, rule, column, text, error))
            return ANY
        return found

    def _parsed(self, text: str) -> Cell:
        parsed = parse_unary_tests(text, [name for first, name in self._several if first in text])
        if parsed.tests is None:
            return ANY
        return Cell(0, text, parsed.negated, parsed.tests, constants_of(parsed.tests, self._names))

    def _expression(self, part: str, rule: int | None, column: int, text: str, type_ref: str | None) -> ast.Node:
        text = text.strip()
        if not text or (text == "-" and part == "output"):
            return NOTHING
        found = self._nodes.get((text, type_ref))
        if found is not None:
            return found
        try:
            found = self._nodes[text, type_ref] = self._read(text, type_ref)
        except FeelSyntaxError as error:
            self._faults.append(TableFault(part, rule, column, text, error))
            return NOTHING
        return found


def fault_message(fault: TableFault) -> tuple[str, str]:
    """What is wrong and where, in English and Chinese."""
    part_en, part_zh = _PARTS[fault.part]
    row_en, row_zh = (f"rule {fault.rule}, ", f"第 {fault.rule} 行") if fault.rule else ("", "")
    where_en, where_zh = f"{row_en}{part_en} {fault.column}", f"{row_zh}第 {fault.column} 个{part_zh}"
    if fault.error is None:
        return f"{where_en}: the rule has not one cell per column.", f"{where_zh}：规则的单元格数与列数不符。"
    return f"{where_en}: {fault.error.message_en}", f"{where_zh}：{fault.error.message_zh}"


_PARTS = {
    "input": ("input expression", "输入表达式"),
    "input values": ("input values", "输入允许值"),
    "cell": ("input cell", "输入单元格"),
    "output": ("output cell", "输出单元格"),
    "output values": ("output values", "输出允许值"),
    "default": ("default output", "默认输出"),
}
