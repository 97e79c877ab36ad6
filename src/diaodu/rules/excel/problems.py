"""What can be wrong with a workbook, in both languages."""

from collections.abc import Iterator
from dataclasses import dataclass

from openpyxl.utils import get_column_letter

_PROBLEMS = {
    "formula": ("holds a formula; put the value there instead", "含有公式，请改为填写数值或文字"),
    "error-value": ("holds the error {what}", "为错误值 {what}"),
    "merged": (
        "is merged; unmerge it and fill in every cell",
        "是合并单元格，请取消合并并逐格填写",
    ),
    "hidden-row": ("stands in a hidden row; show the row or delete it", "位于隐藏行，请取消隐藏或删除该行"),
    "hidden-column": ("stands in a hidden column; show the column or delete it", "位于隐藏列，请取消隐藏或删除该列"),
    "hidden-sheet": ("the sheet is hidden; show it or delete it", "工作表被隐藏，请取消隐藏或删除"),
    "too-many-rows": ("lies beyond row {what}, the last that is read", "超出可读取的最后一行（第 {what} 行）"),
    "too-many-columns": ("lies beyond column {what}, the last that is read", "超出可读取的最后一列（第 {what} 列）"),
    "no-table": (
        (
            "the sheet holds no decision table: the heading “列 Column” is missing. Begin its name with “备注” to keep "
            "it as notes"
        ),
        "工作表中没有决策表：缺少表头“列 Column”。若只是备注，请把工作表名称改为以“备注”开头",
    ),
    "no-heading-row": ("the row “{what}” is missing", "缺少表头行“{what}”"),
    "heading-twice": ("the heading “{what}” stands twice", "表头“{what}”重复"),
    "no-name": ("the name of the decision table is missing", "缺少决策表名称"),
    "name-twice": ("another decision table has the name “{what}”", "决策表名称“{what}”重复"),
    "no-hit-policy": (
        "“{what}” is no hit policy; write one of U F P A R O C C+ C# C< C>",
        "命中策略“{what}”无法识别，可选 U F P A R O C C+ C# C< C>",
    ),
    "unknown-column": (
        "“{what}” is no kind of column; write 条件, 结果, 备注 or 行说明",
        "列的种类“{what}”无法识别，请填写“条件”“结果”“备注”或“行说明”",
    ),
    "column-unnamed": (
        "the column has entries and no heading; write 条件, 结果, 备注 or 行说明 above",
        "该列有内容但没有表头，请在“列”一行填写“条件”“结果”或“备注”",
    ),
    "no-expression": ("the expression of this input is missing", "缺少该条件的表达式"),
    "no-outputs": ("the table has no column of results", "决策表没有“结果”列"),
    "output-unnamed": (
        "each of several results needs a name in the row “表达式 Expression”",
        "有多个结果列时，须在“表达式”一行填写每个结果的名称",
    ),
    "no-result": ("the rule has no result here", "该规则缺少结果"),
    "ambiguous": (
        "“{what}” may be a text or an expression; put the text in quotes, or “FEEL:” before the expression",
        "“{what}”可能是文本也可能是表达式：文本请加引号，表达式请在前面写“FEEL:”",
    ),
    "number-form": (
        "“{what}” is no plain number; write it without separators, signs of currency or percent",
        "“{what}”不是普通数字，请去掉千分位、货币符号和百分号",
    ),
    "digits": (
        "the number has more digits than the 15 that a cell keeps; write it as text",
        "数字超过单元格能保留的 15 位，请以文本形式填写",
    ),
    "wrong-kind": ("holds {what}, and the column is of type {wanted}", "内容为{what}，而该列类型为 {wanted}"),
    "case-unnamed": ("the test case has no name", "测试用例缺少名称"),
    "bad-json": ("“{what}” cannot be read as a value (JSON)", "“{what}”不是有效的取值（JSON）"),
    "path-twice": ("“{what}” is given twice, as a whole and by parts", "“{what}”既整体给出又分项给出"),
    "unknown-kind": ("“{what}” is not known here", "“{what}”在此处无法识别"),
    "bad-level": ("the level must be a number, at most one more than above", "层级须为数字，且至多比上一行大一"),
    "part-missing": ("the part “{what}” is missing", "缺少“{what}”"),
    "no-such-table": ("there is no decision table “{what}”", "不存在决策表“{what}”"),
    "table-used-twice": ("the decision table “{what}” is used twice", "决策表“{what}”被引用两次"),
    "nothing": ("the workbook holds no decision table", "工作簿中没有决策表"),
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; ``cell`` is a reference such as ``B7``, or empty for the sheet as a whole."""

    sheet: str
    cell: str
    code: str
    en: str
    zh: str

    def message(self, language: str) -> str:
        """The place and the words."""
        place = f"{self.sheet}!{self.cell}" if self.cell else self.sheet
        return f"{place}：{self.zh}" if language == "zh" else f"{place}: {self.en}"


class Misread(Exception):
    """A value that says nothing clear; whoever knows the cell makes a problem of it."""

    def __init__(self, code: str, what: str = "", wanted: str = "") -> None:
        super().__init__(code)
        self.code, self.what, self.wanted = code, what, wanted


class Problems:
    """What has been found so far, so that all of it can be told at once."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.found)

    def add(self, sheet: str, at: tuple[int, int] | None, code: str, what: str = "", wanted: str = "") -> None:
        """Note a problem at (row, column), or of the whole sheet."""
        cell = f"{get_column_letter(at[1])}{at[0]}" if at else ""
        en, zh = (words.format(what=what[:60], wanted=wanted) for words in _PROBLEMS[code])
        self.found.append(Problem(sheet, cell, code, en, zh))

    def misread(self, sheet: str, at: tuple[int, int], error: Misread) -> None:
        """Note a value that could not be read."""
        self.add(sheet, at, error.code, error.what, error.wanted)
