"""A workbook as a model with its test cases."""

from collections.abc import Sequence
from dataclasses import replace

from diaodu.dmn.model import DecisionTable, Definitions, ItemDefinition
from diaodu.rules.errors import BadWorkbook
from diaodu.rules.excel.bare import NAMESPACE, with_bare_tables
from diaodu.rules.excel.cases import read_cases
from diaodu.rules.excel.cells import Cell, to_feel
from diaodu.rules.excel.grid import anchor
from diaodu.rules.excel.opening import At, Sheet, open_workbook
from diaodu.rules.excel.outline import HEADINGS, KINDS, Line, value_of
from diaodu.rules.excel.problems import Misread, Problems
from diaodu.rules.excel.tables import NamedTable, read_table
from diaodu.rules.excel.words import GUIDE, MODEL, NOTES, TESTS, is_sheet
from diaodu.rules.model import TestCase

# A message that nobody reads to its end helps nobody; the first ones are mended first.
PROBLEMS_TOLD = 50


def from_workbook(data: bytes) -> tuple[Definitions, tuple[TestCase, ...]]:
    """The model and the test cases of an ``.xlsx``; NoWorkbook, or BadWorkbook with every problem and its cell."""
    problems = Problems()
    sheets = open_workbook(data, problems)
    definitions, tests = _read(sheets, problems)
    if problems.found:
        told = problems.found[:PROBLEMS_TOLD]
        more = len(problems.found) - len(told)
        raise BadWorkbook(
            problems="; ".join([p.message("en") for p in told] + ([f"and {more} more"] if more else [])) + ".",
            problems_zh="；".join([p.message("zh") for p in told] + ([f"另有 {more} 处"] if more else [])) + "。",
            cells=[{"sheet": p.sheet, "cell": p.cell, "code": p.code, "en": p.en, "zh": p.zh} for p in told],
        )
    return definitions, tests


def _read(sheets: Sequence[Sheet], problems: Problems) -> tuple[Definitions, tuple[TestCase, ...]]:
    outline = next((sheet for sheet in sheets if is_sheet(sheet.title, MODEL)), None)
    root = _outline(outline, problems) if outline else None
    items = _items(root) if root else ()
    tests: tuple[TestCase, ...] = ()
    tables: dict[str, NamedTable] = {}
    for sheet in sheets:
        if is_sheet(sheet.title, TESTS):
            tests += read_cases(sheet, problems) if sheet.cells else ()
        elif is_sheet(sheet.title, GUIDE) or sheet is outline or sheet.title.startswith(NOTES) or not sheet.cells:
            continue
        elif anchor(sheet) is None:
            problems.add(sheet.title, None, "no-table")
        else:
            table = read_table(sheet, items, problems)
            if table and table.name in tables:
                problems.add(sheet.title, None, "name-twice", table.name)
            elif table:
                tables[table.name] = table
    if not tables and root is None and not problems.found:
        problems.add(sheets[0].title if sheets else "-", None, "nothing")
    return _model(outline, root, tables, problems), tests


def _model(outline: Sheet | None, root: Line | None, tables: dict[str, NamedTable], problems: Problems) -> Definitions:
    used: list[str] = []

    def wrong(line: Line, error: Misread) -> None:
        problems.misread(outline.title if outline else MODEL, (line.row, 1), error)

    def take(line: Line) -> DecisionTable | None:
        if line.text not in tables or line.text in used:
            wrong(line, Misread("table-used-twice" if line.text in used else "no-such-table", line.text))
            return None
        used.append(line.text)
        return replace(tables[line.text].table, type_ref=line.type or None)

    definitions = value_of(root, take, wrong) if root else None
    rest = [table for name, table in tables.items() if name not in used]
    if not isinstance(definitions, Definitions):
        name = rest[0].name if rest else MODEL
        definitions = Definitions(id=None, name=name, namespace=f"{NAMESPACE}:{name}")
    return with_bare_tables(definitions, rest)


def _items(root: Line) -> tuple[ItemDefinition, ...]:
    """The types that decide what a cell may hold, read before the tables; problems are told later."""
    lines = [line for line in root.below if line.part == "item_definitions" and line.kind == KINDS[ItemDefinition]]
    read = [value_of(line, lambda _: None, lambda _line, _error: None) for line in lines]
    return tuple(item for item in read if isinstance(item, ItemDefinition))


def _outline(sheet: Sheet, problems: Problems) -> Line | None:
    """The lines below their headings, each below the one that it is part of."""
    top = next((row for row in sheet.rows(0) if sheet.text((row, 1)) == HEADINGS[0]), None)
    if top is None:
        problems.add(sheet.title, None, "no-heading-row", HEADINGS[0])
        return None
    for at, code in sorted(sheet.doubtful.items()):
        problems.add(sheet.title, at, code)
    stack: list[Line] = []
    for row in sheet.rows(top):
        level = sheet.text((row, 1))
        if not level.isdecimal() or int(level) > len(stack) or (stack and not int(level)):
            problems.add(sheet.title, (row, 1), "bad-level")
            continue
        part, kind = (sheet.text((row, column)) for column in (2, 3))
        name, type_ref, id_ = (sheet.text((row, column)) for column in (4, 5, 7))
        line = Line(part.rpartition(" ")[2], kind, name, type_ref, _feel(sheet, (row, 6), problems), id_, row=row)
        del stack[int(level) :]
        if stack:
            stack[-1].below.append(line)
        stack.append(line)
    if not stack or stack[0].kind != KINDS[Definitions]:
        problems.add(sheet.title, (top, 3), "part-missing", KINDS[Definitions])
        return None
    return stack[0]


def _feel(sheet: Sheet, at: At, problems: Problems) -> str:
    value = sheet.cells.get(at, "")
    try:
        return value if isinstance(value, str) else to_feel(value, Cell(None, tests=False))
    except Misread as error:
        problems.misread(sheet.title, at, error)
        return ""
