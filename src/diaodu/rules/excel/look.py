"""How a sheet looks: headings above, numbered rows below, lists to choose from, and a page that prints."""

import datetime as dt
import re
from collections.abc import Sequence

from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from diaodu.rules.errors import NotForWorkbook
from diaodu.rules.excel.cells import Value
from diaodu.rules.excel.words import Column, word_of

# What Excel keeps of a text, and of a list that stands in the cell itself.
TEXT_MAX = 32_767
LIST_MAX = 255
# Rows below the last rule that offer the same lists, for rules that are added.
ROWS_AHEAD = 200
WIDTH_LEAST, WIDTH_MOST = 12, 44

_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_LINE = Side(style="thin", color="BFBFBF")
_BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_WRAP = Alignment(wrap_text=True, vertical="top")
_FILLS = {
    Column.INPUT: PatternFill("solid", start_color="DDEBF7"),
    Column.OUTPUT: PatternFill("solid", start_color="E2EFDA"),
    Column.REMARK: PatternFill("solid", start_color="F2F2F2"),
    Column.NOTE: PatternFill("solid", start_color="F2F2F2"),
}
_PLAIN_FILL = PatternFill("solid", start_color="EDEDED")
_BOLD = Font(bold=True)


class Page:
    """A sheet that is written from top to bottom; ``row`` is the last one written."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self.row = 0
        self._fills: list[PatternFill] = []
        self._widths: dict[int, int] = {}

    def put(self, column: int, value: Value | None, *, font: Font | None = None, as_text: bool = False) -> None:
        """Write a cell of the present row; a text stays one, whatever it looks like."""
        if value is None or value == "":
            return
        cell = self.sheet.cell(self.row, column)
        if isinstance(value, str):
            text = _escaped(value)
            cell.value = text
            cell.data_type = "s"
            if as_text:
                cell.number_format = "@"
            cell.quotePrefix = text[0] in "=+-@"
        else:
            cell.value = value
            cell.number_format = _FORMATS.get(type(value), "General")
        cell.font = font or Font()
        cell.alignment = _WRAP
        shown = max(map(_width, str(value).split("\n")))
        self._widths[column] = max(self._widths.get(column, 0), shown)

    def field(self, label: str, value: str | None, *, font: Font | None = None) -> None:
        """A word with its value to the right; None leaves the word out as well."""
        if value is None:
            return
        self.row += 1
        self.put(1, label, font=_BOLD)
        self.put(2, value, font=font)
        self._widths.pop(2, None)
        self.sheet.cell(self.row, 2).alignment = Alignment(vertical="top")

    def headings(self, label: str, values: Sequence[Value | None]) -> None:
        """A row of headings; the first says what the columns are for, and gives them their colour."""
        self.row += 1
        if not self._fills:
            kinds = [word_of(Column, value) for value in values]
            self._fills = [_FILLS[kind] if kind else _PLAIN_FILL for kind in kinds]
        self.put(1, label, font=_BOLD)
        self._box(1, _PLAIN_FILL)
        for column, value in enumerate(values, 2):
            self.put(column, value, font=_BOLD, as_text=True)
            self._box(column, self._fills[column - 2])

    def body(self, first: Value, values: Sequence[Value | None], texts: Sequence[bool] = ()) -> None:
        """A row below the headings; ``texts`` says in which columns what is typed shall stay text."""
        self.row += 1
        self.put(1, first)
        self._box(1, _PLAIN_FILL)
        for column, value in enumerate(values, 2):
            as_text = column - 2 < len(texts) and texts[column - 2]
            self.put(column, value, as_text=as_text)
            self._box(column, None)

    def choose(self, source: str | Sequence[str], column: int, first: int, last: int) -> None:
        """Offer a list, a range or the words themselves, without insisting on it."""
        if not isinstance(source, str):
            joined = ",".join(source)
            if not source or len(joined) > LIST_MAX or any(sign in word for word in source for sign in ',"\n'):
                return
            source = f'"{joined}"'
        rule = DataValidation(type="list", formula1=source, allow_blank=True, showErrorMessage=False)
        letter = get_column_letter(column)
        rule.add(f"{letter}{first}:{letter}{last}")
        self.sheet.add_data_validation(rule)

    def finish(self, *, top: int, freeze: bool = True) -> None:
        """Column widths, frozen headings (the rows up to ``top``), and a page that prints in its width."""
        for column, width in self._widths.items():
            fitting = min(max(width + 2, WIDTH_LEAST), WIDTH_MOST)
            self.sheet.column_dimensions[get_column_letter(column)].width = fitting
        if freeze:
            self.sheet.freeze_panes = f"B{top + 1}"
            self.sheet.print_title_rows = f"1:{top}"
        self.sheet.page_setup.orientation = "landscape"
        self.sheet.page_setup.paperSize = self.sheet.PAPERSIZE_A4
        self.sheet.page_setup.fitToWidth = 1
        self.sheet.page_setup.fitToHeight = 0
        self.sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        self.sheet.oddFooter = HeaderFooterItem(center=_HeaderFooterPart(text="&A  &P / &N"))

    def _box(self, column: int, fill: PatternFill | None) -> None:
        cell = self.sheet.cell(self.row, column)
        cell.border = _BOX
        cell.alignment = _WRAP
        if fill:
            cell.fill = fill


_FORMATS = {
    dt.datetime: "yyyy-mm-dd hh:mm:ss",
    dt.date: "yyyy-mm-dd",
    dt.time: "hh:mm:ss",
}


def _escaped(text: str) -> str:
    """The text as the file format writes it: signs that XML cannot hold by their number."""
    if len(text) > TEXT_MAX:
        raise NotForWorkbook(
            what=f"a cell holds at most {TEXT_MAX} characters, and “{text[:40]}…” has {len(text)}",
            what_zh=f"单元格最多 {TEXT_MAX} 个字符，而“{text[:40]}…”有 {len(text)} 个",
        )

    def one(match: re.Match[str]) -> str:
        found = match.group()
        return f"_x{ord(found):04X}_" if len(found) == 1 else "_x005F" + found

    return _UNWRITABLE.sub(one, text)


def _width(text: str) -> int:
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in text[:WIDTH_MOST])
