"""A sheet with headings: columns are found by what stands above them, wherever they are moved."""

from dataclasses import dataclass

from diaodu.rules.excel.opening import At, Sheet
from diaodu.rules.excel.problems import Problems
from diaodu.rules.excel.words import Column, Heading, word_of


@dataclass(frozen=True)
class Grid:
    """Rows of headings by what they say, columns by what they are for, and the rows below the last heading."""

    sheet: Sheet
    headings: dict[Heading, int]
    side: int  # the column in which the headings stand
    columns: dict[int, Column]
    body: list[int]

    def text(self, heading: Heading, column: int) -> str:
        """What the heading says of the column."""
        row = self.headings.get(heading)
        return self.sheet.text((row, column)) if row else ""

    def at(self, heading: Heading, column: int) -> At:
        """The cell of the heading of a column."""
        return self.headings.get(heading, self.headings[Heading.COLUMN]), column

    def of(self, kind: Column) -> list[int]:
        """The columns for that, from left to right."""
        return [column for column, its in self.columns.items() if its is kind]

    def filled(self, row: int) -> bool:
        """Whether anything but its number stands in the row."""
        return any((row, column) in self.sheet.cells for column in self.columns)


def anchor(sheet: Sheet) -> At | None:
    """The cell with the heading of the columns, topmost first."""
    found = [
        at for at, value in sheet.cells.items() if isinstance(value, str) and word_of(Heading, value) is Heading.COLUMN
    ]
    return min(found, default=None)


def grid_of(sheet: Sheet, last: Heading, problems: Problems) -> Grid | None:
    """The grid whose body begins below the heading ``last``; None when it has none."""
    start = anchor(sheet)
    if start is None:
        problems.add(sheet.title, None, "no-heading-row", Heading.COLUMN)
        return None
    headings = _headings(sheet, start, last, problems)
    if last not in headings:
        problems.add(sheet.title, start, "no-heading-row", last)
        return None
    bottom = headings[last]
    for (row, column), code in sorted(sheet.doubtful.items()):
        if row >= start[0]:
            problems.add(sheet.title, (row, column), code)
    columns = _columns(sheet, start, problems)
    return Grid(sheet, headings, start[1], columns, sheet.rows(bottom))


def _headings(sheet: Sheet, start: At, last: Heading, problems: Problems) -> dict[Heading, int]:
    headings: dict[Heading, int] = {}
    for row in sheet.rows(start[0] - 1):
        word = word_of(Heading, sheet.text((row, start[1])))
        if word in headings:
            problems.add(sheet.title, (row, start[1]), "heading-twice", str(word))
        elif word is not None:
            headings[word] = row
        if word is last:
            break
    return headings


def _columns(sheet: Sheet, start: At, problems: Problems) -> dict[int, Column]:
    columns: dict[int, Column] = {}
    used = sorted({column for row, column in sheet.cells if row >= start[0] and column != start[1]})
    for column in used:
        text = sheet.text((start[0], column))
        kind = word_of(Column, text)
        if kind is not None:
            columns[column] = kind
        elif text:
            problems.add(sheet.title, (start[0], column), "unknown-column", text)
        else:
            first = min(row for row, its in sheet.cells if its == column and row >= start[0])
            problems.add(sheet.title, (first, column), "column-unnamed")
    return columns
