"""A model with its test cases as a workbook."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

from diaodu.dmn.model import DecisionTable, Definitions, ItemDefinition
from diaodu.rules.canonical import canonical
from diaodu.rules.errors import NotForWorkbook
from diaodu.rules.excel.bare import with_bare_tables
from diaodu.rules.excel.cases import Path, parts_of, paths_of, to_value
from diaodu.rules.excel.cells import Cell, Value, simple_type, to_cell
from diaodu.rules.excel.guide import POLICIES_AT, TYPES_AT, write_guide
from diaodu.rules.excel.look import ROWS_AHEAD, Page
from diaodu.rules.excel.opening import MAX_CELLS, MAX_COLUMN, MAX_ROW
from diaodu.rules.excel.outline import HEADINGS, PARTS, Line, line_of
from diaodu.rules.excel.tables import NamedTable, output_type
from diaodu.rules.excel.words import GUIDE, MODEL, NOTES, TESTS, Column, Field, Heading, policy_words, type_words
from diaodu.rules.model import TestCase

_COLUMN_HEADINGS = (
    Heading.COLUMN,
    Heading.LABEL,
    Heading.EXPRESSION,
    Heading.TYPE,
    Heading.VALUES,
    Heading.DEFAULT,
)


def to_workbook(definitions: Definitions, tests: Sequence[TestCase], *, names: Mapping[str, str]) -> bytes:
    """An ``.xlsx`` of the model; ``names`` are the decision's by language. NotForWorkbook when a text is too long."""
    tables, root = _parts(definitions)
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    workbook.properties.title = " / ".join(filter(None, (names.get("zh"), names.get("en"))))[:255]
    titles = _titles([table.name for table in tables])
    for table, title in zip(tables, titles, strict=True):
        _write_table(Page(workbook.create_sheet(title)), table, definitions.item_definitions)
    columns = [item.name for item in definitions.input_data]
    columns += [output.name for table in tables for output in table.table.outputs if output.name]
    _write_tests(Page(workbook.create_sheet(TESTS)), tests, columns)
    write_guide(Page(workbook.create_sheet(GUIDE)), names)
    _write_outline(Page(workbook.create_sheet(MODEL)), root)
    _check_size(workbook)
    data = BytesIO()
    workbook.save(data)
    return data.getvalue()


def _check_size(workbook: Workbook) -> None:
    """Refuse what would not be read again."""
    sizes = [(sheet.title, sheet.max_row, sheet.max_column) for sheet in workbook.worksheets]
    total = sum(rows * columns for _, rows, columns in sizes)
    for title, rows, columns in sizes:
        if rows > MAX_ROW or columns > MAX_COLUMN or total > MAX_CELLS:
            raise NotForWorkbook(
                what=f"the sheet “{title}” has {rows} rows and {columns} columns, which is too many",
                what_zh=f"工作表“{title}”有 {rows} 行、{columns} 列，超出上限",
            )


def _parts(definitions: Definitions) -> tuple[list[NamedTable], Line]:
    """The tables, and the outline of the rest; bare tables where these say everything."""
    bare = [
        NamedTable(d.name, replace(d.expression, type_ref=None), d.variable.type_ref or "", d.description or "")
        for d in definitions.decisions
        if isinstance(d.expression, DecisionTable)
    ]
    head = replace(definitions, input_data=(), decisions=(), knowledge_models=(), services=())
    names = {table.name.strip() for table in bare}
    if bare and len(names) == len(bare) and "" not in names:
        meant = with_bare_tables(head, [replace(t, result_type=t.result_type or None) for t in bare])
        if canonical(meant) == canonical(definitions):
            return bare, line_of("model", head, lambda _: "")
    tables: list[NamedTable] = []
    owners = {id(d.expression): d.name.strip() for d in definitions.decisions}

    def name_of(table: DecisionTable) -> str:
        name = unused(owners.get(id(table), ""), Field.TABLE[:3], {t.name for t in tables}, 1000)
        tables.append(NamedTable(name, table))
        return name

    root = line_of("model", definitions, name_of)
    return tables, root


def _titles(names: Sequence[str]) -> list[str]:
    """Titles of sheets for the names: short, without the signs that Excel forbids, each once."""
    taken = {title.casefold() for title in (GUIDE, TESTS, MODEL, "test cases", "guide", "model", "history")}
    titles = []
    for name in names:
        plain = "".join("_" if sign in "[]:*?/\\'" or not sign.isprintable() else sign for sign in name).strip()
        title = unused(plain[:31], "表", taken, 31)
        taken.add(title.casefold())
        titles.append(title)
    return titles


def unused(name: str, stem: str, taken: Collection[str], longest: int) -> str:
    """The name, or the next one with a number that nobody has; a sheet of notes would not be read."""
    start = name if name and not name.startswith(NOTES) else stem
    found, number = start, 1
    while found in taken or found.casefold() in taken:
        number += 1
        found = f"{start[: longest - len(str(number))]}{number}"
    return found


@dataclass(frozen=True)
class _Form:
    """A column: its headings, and what its cells hold (None: words)."""

    headings: Mapping[Heading, Value | None]
    cell: Cell | None = None


def _write_table(page: Page, named: NamedTable, items: Sequence[ItemDefinition]) -> None:
    table = named.table
    page.field(Field.TABLE, named.name, font=Font(bold=True, size=14))
    page.field(Field.HIT_POLICY, policy_words(table.hit_policy, table.aggregation))
    page.choose(POLICIES_AT, 2, page.row, page.row)
    page.field(Field.RESULT_LABEL, table.output_label or "")
    page.field(Field.RESULT_TYPE, None if named.result_type is None else type_words(named.result_type))
    if named.result_type is not None:
        page.choose(TYPES_AT, 2, page.row, page.row)
    page.field(Field.DESCRIPTION, named.description)
    page.row += 1
    noted = any(rule.description for rule in table.rules)
    forms = _forms(named, items, noted=noted)
    rows = {}
    for heading in (*_COLUMN_HEADINGS, Heading.NUMBER):
        page.headings(heading, [form.headings.get(heading) for form in forms])
        rows[heading] = page.row
    _write_rules(page, table, forms, noted=noted)
    last = page.row + ROWS_AHEAD
    for column, form in enumerate(forms, 2):
        page.choose(list(Column), column, rows[Heading.COLUMN], rows[Heading.COLUMN])
        if form.cell:
            page.choose(TYPES_AT, column, rows[Heading.TYPE], rows[Heading.TYPE])
            page.choose(_choices(form), column, rows[Heading.NUMBER] + 1, last)
    page.finish(top=rows[Heading.NUMBER])


def _write_rules(page: Page, table: DecisionTable, forms: Sequence[_Form], *, noted: bool) -> None:
    texts = [form.cell is None or form.cell.type == "string" for form in forms]
    for number, rule in enumerate(table.rules, 1):
        # A rule may have fewer remarks than there are columns.
        remarks = (*rule.annotations, *[""] * (len(table.annotations) - len(rule.annotations)))
        cells = (*rule.inputs, *rule.outputs, *remarks, *((rule.description or "",) if noted else ()))
        values = [to_cell(text, form.cell) if form.cell else text for text, form in zip(cells, forms, strict=True)]
        page.body(number, values, texts)


def _forms(named: NamedTable, items: Sequence[ItemDefinition], *, noted: bool) -> list[_Form]:
    table = named.table
    plain = Cell(None, tests=False)
    forms = []
    for column in table.inputs:
        expression = column.expression
        cell = Cell(simple_type(expression.type_ref, items), tests=True)
        headings = {
            Heading.COLUMN: Column.INPUT,
            Heading.LABEL: column.label,
            Heading.EXPRESSION: to_cell(expression.text, plain),
            Heading.TYPE: expression.type_ref and type_words(expression.type_ref),
            Heading.VALUES: to_cell(column.values, cell) if column.values else None,
        }
        forms.append(_Form(headings, cell))
    for output in table.outputs:
        simple = simple_type(output_type(table, output, named.result_type or None), items)
        cell = Cell(simple, tests=False)
        headings = {
            Heading.COLUMN: Column.OUTPUT,
            Heading.LABEL: output.label,
            Heading.EXPRESSION: output.name,
            Heading.TYPE: output.type_ref and type_words(output.type_ref),
            Heading.VALUES: to_cell(output.values, Cell(simple, tests=True)) if output.values else None,
            Heading.DEFAULT: to_cell(output.default, cell) if output.default else None,
        }
        forms.append(_Form(headings, cell))
    forms += [_Form({Heading.COLUMN: Column.REMARK, Heading.LABEL: name}) for name in table.annotations]
    return forms + ([_Form({Heading.COLUMN: Column.NOTE})] if noted else [])


def _choices(form: _Form) -> Sequence[str]:
    """The words that the cells of a column of strings may hold, where these are plain."""
    values = form.headings.get(Heading.VALUES)
    if form.cell is None or form.cell.type != "string" or not isinstance(values, str):
        return []
    words = values.split("、")
    plain = to_cell(", ".join(f'"{word}"' for word in words), Cell("string", tests=True)) == values
    return words if plain else []


def _write_tests(page: Page, tests: Sequence[TestCase], names: Sequence[str]) -> None:
    # In the order of the tables: JSON from the database has its keys in another one.
    place = {name: n for n, name in enumerate(names)}

    def order(path: Path) -> int:
        return place.get(path[0], len(place)) if path else -1

    given = sorted(paths_of(dict(test.inputs) for test in tests if test.inputs), key=order)
    expected = sorted(paths_of(test.expected for test in tests) or [()], key=order)
    kinds = [Column.INPUT] * len(given) + [Column.OUTPUT] * len(expected)
    page.headings(Heading.COLUMN, kinds)
    page.headings(Heading.LABEL, [".".join(path) for path in (*given, *expected)])
    page.headings(Heading.CASE, [None] * len(kinds))
    top = page.row
    for test in tests:
        inputs = dict(parts_of(dict(test.inputs))) if test.inputs else {}
        outputs = dict(parts_of(test.expected))
        cells = [*_values(inputs, given), *_values(outputs, expected)]
        page.body(test.name, cells, [isinstance(cell, str) for cell in cells])
    page.finish(top=top)


def _values(parts: Mapping[Path, Any], paths: Sequence[Path]) -> list[Value | None]:
    return [to_value(parts[path]) if path in parts else None for path in paths]


def _write_outline(page: Page, root: Line) -> None:
    page.headings(HEADINGS[0], HEADINGS[1:])
    _write_line(page, root, 0)
    page.finish(top=1)


def _write_line(page: Page, line: Line, level: int) -> None:
    part = f"{PARTS[line.part]} {line.part}"
    page.body(level, [part, line.kind, line.name, line.type, line.text, line.id], [True] * 6)
    for below in line.below:
        _write_line(page, below, level + 1)
