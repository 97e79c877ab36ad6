"""A decision table as a sheet, read by its headings."""

from dataclasses import dataclass

from diaodu.dmn.model import DecisionTable, Input, ItemDefinition, LiteralExpression, Output, Rule
from diaodu.rules.excel.cells import Cell, simple_type, to_feel
from diaodu.rules.excel.grid import Grid, grid_of
from diaodu.rules.excel.opening import At, Sheet
from diaodu.rules.excel.problems import Misread, Problems
from diaodu.rules.excel.words import Column, Field, Heading, policy_of, type_of, word_of


@dataclass(frozen=True)
class NamedTable:
    """A table with what stands above it; ``sheet`` is where it was read."""

    name: str
    table: DecisionTable
    result_type: str | None = None
    description: str | None = None
    sheet: str = ""


def output_type(table: DecisionTable, output: Output, result_type: str | None) -> str | None:
    """The type of a result, which a single one may leave to the whole."""
    return output.type_ref or (result_type if len(table.outputs) == 1 else None)


def read_table(sheet: Sheet, items: tuple[ItemDefinition, ...], problems: Problems) -> NamedTable | None:
    """The table of the sheet; None when its form is not there at all."""
    grid = grid_of(sheet, Heading.NUMBER, problems)
    if grid is None:
        return None
    return _Reader(grid, items, problems).table()


class _Reader:
    def __init__(self, grid: Grid, items: tuple[ItemDefinition, ...], problems: Problems) -> None:
        self.grid, self.sheet, self.items, self.problems = grid, grid.sheet, items, problems
        self.own = frozenset(item.name for item in items)
        self.fields = _fields(grid)

    def table(self) -> NamedTable:
        name = self._field(Field.TABLE)
        if not name:
            self.problems.add(self.sheet.title, None, "no-name")
        policy = policy_of(self._field(Field.HIT_POLICY) or "U")
        if policy is None:
            at = self.fields[Field.HIT_POLICY]
            self.problems.add(self.sheet.title, at, "no-hit-policy", self.sheet.text(at))
            policy = policy_of("U")
            assert policy is not None
        result = self._field(Field.RESULT_TYPE)
        result_type = type_of(result, self.own) if result else None
        inputs = {column: self._input(column) for column in self.grid.of(Column.INPUT)}
        outputs = self._outputs(result_type)
        remarks = self.grid.of(Column.REMARK)
        table = DecisionTable(
            inputs=tuple(inputs.values()),
            outputs=tuple(outputs.values()),
            rules=self._rules(inputs, outputs, remarks, result_type),
            hit_policy=policy.policy,
            aggregation=policy.aggregation,
            annotations=tuple(self.grid.text(Heading.LABEL, column) for column in remarks),
            output_label=self._field(Field.RESULT_LABEL) or None,
        )
        return NamedTable(name, table, result_type, self._field(Field.DESCRIPTION) or None, self.sheet.title)

    def _field(self, field: Field) -> str:
        at = self.fields.get(field)
        return self.sheet.text(at) if at else ""

    def _input(self, column: int) -> Input:
        grid = self.grid
        at = grid.at(Heading.EXPRESSION, column)
        expression = self._feel(at, Cell(None, tests=False)) or ""
        label = grid.text(Heading.LABEL, column)
        type_ref = self._type(column)
        if at not in self.sheet.cells:
            self.problems.add(self.sheet.title, at, "no-expression")
        values = self._feel(grid.at(Heading.VALUES, column), Cell(self._simple(type_ref), tests=True))
        return Input(
            expression=LiteralExpression(text=expression, type_ref=type_ref),
            label=label or None,
            values=values,
        )

    def _outputs(self, result_type: str | None) -> dict[int, Output]:
        grid = self.grid
        columns = grid.of(Column.OUTPUT)
        if not columns:
            self.problems.add(self.sheet.title, grid.at(Heading.COLUMN, grid.side), "no-outputs")
        found = {}
        for column in columns:
            name, type_ref = grid.text(Heading.EXPRESSION, column), self._type(column)
            if not name and len(columns) > 1:
                self.problems.add(self.sheet.title, grid.at(Heading.EXPRESSION, column), "output-unnamed")
            simple = self._simple(type_ref or (result_type if len(columns) == 1 else None))
            found[column] = Output(
                name=name or None,
                label=grid.text(Heading.LABEL, column) or None,
                type_ref=type_ref,
                values=self._feel(grid.at(Heading.VALUES, column), Cell(simple, tests=True)),
                default=self._feel(grid.at(Heading.DEFAULT, column), Cell(simple, tests=False)),
            )
        return found

    def _rules(
        self, inputs: dict[int, Input], outputs: dict[int, Output], remarks: list[int], result_type: str | None
    ) -> tuple[Rule, ...]:
        tests = {c: Cell(self._simple(i.expression.type_ref), tests=True) for c, i in inputs.items()}
        notes = self.grid.of(Column.NOTE)
        single = result_type if len(outputs) == 1 else None
        results = {c: Cell(self._simple(o.type_ref or single), tests=False) for c, o in outputs.items()}
        return tuple(
            Rule(
                inputs=tuple(self._feel((row, column), cell) or "-" for column, cell in tests.items()),
                outputs=tuple(self._result((row, column), cell) for column, cell in results.items()),
                annotations=tuple(self.sheet.text((row, column)) for column in remarks),
                description="\n".join(filter(None, (self.sheet.text((row, c)) for c in notes))) or None,
            )
            for row in self.grid.body
            if self.grid.filled(row)
        )

    def _result(self, at: At, cell: Cell) -> str:
        text = self._feel(at, cell)
        if text is None and at not in self.sheet.cells:
            self.problems.add(self.sheet.title, at, "no-result")
        return text or ""

    def _feel(self, at: At, cell: Cell) -> str | None:
        """The FEEL of a cell; None for an empty one, and for one that says nothing clear."""
        value = self.sheet.cells.get(at)
        if value is None or at[0] == self.grid.headings[Heading.COLUMN]:
            return None
        try:
            return to_feel(value, cell) or None
        except Misread as error:
            self.problems.misread(self.sheet.title, at, error)
            return None

    def _type(self, column: int) -> str | None:
        text = self.grid.text(Heading.TYPE, column)
        return type_of(text, self.own) if text else None

    def _simple(self, type_ref: str | None) -> str | None:
        return simple_type(type_ref, self.items)


def _fields(grid: Grid) -> dict[Field, At]:
    """Where the values of what stands above the table are: the first cell with something to the right of its word."""
    top = grid.headings[Heading.COLUMN]
    sheet = grid.sheet
    found: dict[Field, At] = {}
    above = sorted(at for at in sheet.cells if at[0] < top)
    for at in above:
        field = word_of(Field, sheet.cells[at])
        # A value may be one of the words as well.
        if field is not None and field not in found and at not in found.values():
            right = next((other for other in above if other[0] == at[0] and other[1] > at[1]), None)
            if right is not None:
                found[field] = right
    return found
