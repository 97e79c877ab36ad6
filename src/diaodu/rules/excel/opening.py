"""A workbook opened with care: bounded before it is unpacked, nothing in it run, what cannot be trusted named."""

import re
import warnings
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.styles.numbers import is_datetime
from openpyxl.worksheet.worksheet import Worksheet

from diaodu.rules.errors import NoWorkbook
from diaodu.rules.excel.cells import Value
from diaodu.rules.excel.problems import Problems

# What the library does not read (extensions of other programs) is nothing that the form needs.
warnings.filterwarnings("ignore", module="openpyxl")

# A table that people keep by hand is far smaller; each limit bounds the work before the next step.
MAX_BYTES = 5 * 2**20
MAX_UNPACKED = 40 * 2**20
MAX_CELLS = 300_000
MAX_SHEETS = 100
MAX_ROW = 10_100
MAX_COLUMN = 300

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
At = tuple[int, int]


@dataclass
class Sheet:
    """The cells of a sheet that hold something, by (row, column)."""

    title: str
    cells: dict[At, Value] = field(default_factory=dict)
    # The cells below a merged cell's first, and those that nobody sees, with the code of the problem.
    doubtful: dict[At, str] = field(default_factory=dict)

    def text(self, at: At) -> str:
        """The cell as text, empty where there is nothing."""
        return str(self.cells.get(at, "")).strip()

    def rows(self, after: int) -> list[int]:
        """The rows below that hold something."""
        return sorted({row for row, _ in self.cells if row > after})


def open_workbook(data: bytes, problems: Problems) -> list[Sheet]:
    """All sheets; raises NoWorkbook for what is none or too large, notes what is wrong with cells."""
    _bound(data)
    try:
        # Formulas are read as such and refused: a stored result may be older than what it is made of.
        workbook = load_workbook(BytesIO(data), data_only=False, keep_vba=False, keep_links=False)
    except Exception as error:
        raise NoWorkbook(reason=f"{type(error).__name__}", reason_zh="文件已损坏") from error
    found = []
    for sheet in workbook.worksheets:
        if sheet.sheet_state != "visible" and sheet._cells:  # noqa: SLF001 - the cells in the file, see _sheet
            problems.add(sheet.title, None, "hidden-sheet")
        else:
            found.append(_sheet(sheet, problems))
    return found


def _bound(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise _too_large(f"{MAX_BYTES // 2**20} MB")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
            # A part is never unpacked beyond the size that it declares.
            if sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise _too_large(f"{MAX_UNPACKED // 2**20} MB")
            # Media and macros are not looked at.
            sheets = [
                archive.read(part).replace(b"\0", b"") for part in parts if part.filename.endswith((".xml", ".rels"))
            ]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise NoWorkbook(reason="it is no .xlsx file", reason_zh="不是 .xlsx 文件") from error
    if any(b"<!DOCTYPE" in part for part in sheets):
        raise NoWorkbook(reason="it declares entities", reason_zh="含有实体声明")
    if sum(part.count(b"<c ") for part in sheets) > MAX_CELLS:
        raise _too_large(f"{MAX_CELLS} cells")
    if sum(part.count(b"<sheet ") for part in sheets) > MAX_SHEETS:
        raise _too_large(f"{MAX_SHEETS} sheets")


def _too_large(limit: str) -> NoWorkbook:
    return NoWorkbook(reason=f"it is larger than {limit}", reason_zh=f"超过上限 {limit}")


def _sheet(source: Worksheet, problems: Problems) -> Sheet:
    sheet = Sheet(source.title)
    # The cells in the file: asking for rows would make all cells up to the last one.
    for at, cell in source._cells.items():  # noqa: SLF001 - the public ways fill the rectangle with empty cells
        value = _value(cell)
        if value is None or value == "":
            continue
        if at[0] > MAX_ROW or at[1] > MAX_COLUMN:
            code, limit = ("too-many-rows", MAX_ROW) if at[0] > MAX_ROW else ("too-many-columns", MAX_COLUMN)
            if not any(p.sheet == sheet.title and p.code == code for p in problems):
                problems.add(sheet.title, at, code, str(limit))
        elif cell.data_type == "f":
            problems.add(sheet.title, at, "formula")
        elif cell.data_type == "e":
            problems.add(sheet.title, at, "error-value", str(value))
        else:
            sheet.cells[at] = value
    _doubts(sheet, source)
    return sheet


def _value(cell: Any) -> Any:
    value = cell.value
    if cell.data_type in ("f", "e") or not isinstance(value, str):
        if cell.data_type == "d" and hasattr(value, "date") and is_datetime(cell.number_format) == "date":
            return value.date() if value == value.replace(hour=0, minute=0, second=0, microsecond=0) else value
        return value
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value).replace("\r\n", "\n").strip()


def _doubts(sheet: Sheet, source: Worksheet) -> None:
    for merged in source.merged_cells.ranges:
        if merged.max_row <= MAX_ROW and merged.max_col <= MAX_COLUMN:
            sheet.doubtful[merged.min_row, merged.min_col] = "merged"
    rows = {n for n, row in source.row_dimensions.items() if row.hidden}
    columns: set[int] = set()
    for dimension in source.column_dimensions.values():
        if dimension.hidden:
            first = dimension.min or 1
            columns.update(range(first, min(dimension.max or first, MAX_COLUMN) + 1))
    for at in sheet.cells:
        if at[0] in rows:
            sheet.doubtful.setdefault(at, "hidden-row")
        elif at[1] in columns:
            sheet.doubtful.setdefault(at, "hidden-column")
