"""The sheet that says how to fill in the others, with the lists that they offer."""

from collections.abc import Mapping

from openpyxl.styles import Font

from diaodu.rules.excel.look import Page
from diaodu.rules.excel.words import GUIDE, NOTES, POLICIES, TYPES

_FIRST = 2
# The lists stand at the right, where nobody types.
POLICIES_AT = f"'{GUIDE}'!$D${_FIRST}:$D${_FIRST + len(POLICIES) - 1}"
TYPES_AT = f"'{GUIDE}'!$E${_FIRST}:$E${_FIRST + len(TYPES) - 1}"

_LINES = (
    (
        "每张决策表一个工作表：上面是名称和命中策略，中间是各列的表头，下面每行一条规则。",
        "One sheet per decision table: its name and hit policy, the headings of its columns, then a rule per row.",
    ),
    (
        "按表头读取，不按位置：列可以移动，行可以插入；空行不读；序号只供人看，规则的次序即行的次序。",
        (
            "Read by headings, not by position: move columns, insert rows; blank rows are skipped; the order of the "
            "rules is that of the rows, their numbers are only for you."
        ),
    ),
    (
        "“列”一行说明该列是“条件”“结果”“备注”还是“行说明”。自己的备注列填“备注”，内容会保留。",
        "The row “列 Column” says what a column is: 条件 Input, 结果 Output, 备注 Remark (kept) or 行说明 Note.",
    ),
    (
        "“表达式”一行：条件列填所判断的内容（如 客户.级别），结果列填结果的名称（只有一个结果时可空）。",
        "The row “表达式 Expression”: what an input tests (客户.级别), the name of a result (one alone needs none).",
    ),
    (
        (
            "条件留空或填 - 表示不限。数字、日期、是否直接填写；"
            "范围写 >=10、<5、[1..5]；几个值写 1, 2, 3；排除写 非(1, 2)。"
        ),
        (
            "An empty condition, or -, is any value. Type numbers, dates and TRUE/FALSE as they are; ranges as >=10, "
            "<5, [1..5]; several as 1, 2, 3; all but as 非(1, 2)."
        ),
    ),
    (
        (
            "类型为“文本”的列：直接写文字（五星），几个用顿号或逗号分开（五星、四星），排除写 非(五星)。"
            "含运算符号、括号或逗号的文字请加英文引号；表达式请在前面写 FEEL: （如 FEEL: 客户.名称）。"
        ),
        (
            "In columns of type 文本 string: the bare text (五星), several parted by 、 or a comma, all but: 非(五星). "
            "Put texts with operators, brackets or commas in quotes, and FEEL: before an expression (FEEL: 客户.名称)."
        ),
    ),
    (
        "结果列中的文字不拆分，整格为一个文本。超过 15 位的数字请以文本形式填写。",
        "A text in a column of results is one text as a whole. Write numbers of more than 15 digits as text.",
    ),
    (
        "“取值”一行列出允许的值；优先和排序策略按其次序。“默认”一行是没有规则符合时的结果。",
        "The row “取值 Values” lists what is allowed, by priority; “默认 Default” is the result if no rule matches.",
    ),
    (
        "不要使用公式、合并单元格和隐藏的行列；发现时会指出单元格并拒绝导入。",
        "Use no formulas, merged cells, hidden rows or columns; they are refused with the cell named.",
    ),
    (
        (
            "“测试用例”：每行一个，条件列的名称是输入（如 客户.级别），空格表示不给出；"
            "结果列是期望的结果，空结果写 null。备注列不保留。"
        ),
        (
            "“测试用例”: one per row; inputs by name (客户.级别), an empty cell gives none; results as expected, "
            "null for none. Remark columns are not kept there."
        ),
    ),
    (
        f"“模型”：不是表格的部分，一般不用改；新增的决策表会自动加入。名称以“{NOTES}”开头的工作表不读取。",
        (
            "“模型 Model”: what is no table, and seldom changed; tables that are added join it. "
            f"Sheets whose name begins with “{NOTES}” are not read."
        ),
    ),
)


def write_guide(page: Page, names: Mapping[str, str]) -> None:
    """Fill the sheet; ``names`` are the decision's by language."""
    page.row = 1
    page.put(1, " / ".join(filter(None, (names.get("zh"), names.get("en")))), font=Font(bold=True, size=14))
    page.put(4, "命中策略 Hit policies", font=Font(bold=True))
    page.put(5, "类型 Types", font=Font(bold=True))
    for number, policy in enumerate(POLICIES):
        page.row = _FIRST + number
        page.put(4, policy.words)
    for number, label in enumerate(TYPES.values()):
        page.row = _FIRST + number
        page.put(5, label)
    for number, (zh, en) in enumerate(_LINES):
        page.row = _FIRST + number
        page.put(1, zh)
        page.put(2, en)
    page.finish(top=1, freeze=False)
    for letter, width in (("A", 60), ("B", 80)):
        page.sheet.column_dimensions[letter].width = width
