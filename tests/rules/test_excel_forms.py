"""Workbooks as people keep, change and break them."""

import datetime as dt
import zipfile
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from diaodu.dmn.model import (
    Decision,
    DecisionTable,
    Definitions,
    HitPolicy,
    InformationItem,
    Input,
    InputData,
    LiteralExpression,
    Output,
    Rule,
)
from diaodu.rules.canonical import canonical
from diaodu.rules.errors import BadWorkbook, NotForWorkbook, NoWorkbook
from diaodu.rules.excel import from_workbook, opening, to_workbook, write
from diaodu.rules.model import TestCase

NAMES = {"zh": "订单时限", "en": "Time limit"}
TABLE = DecisionTable(
    inputs=(
        Input(
            expression=LiteralExpression(text="客户.级别", type_ref="string"), label="客户级别", values='"五星", "四星"'
        ),
        Input(expression=LiteralExpression(text="金额", type_ref="number")),
    ),
    outputs=(Output(label="时限", type_ref="number"),),
    rules=(
        Rule(inputs=('"五星"', ">= 100"), outputs=("24",), annotations=("重要",)),
        Rule(inputs=('not("五星")', "-"), outputs=("72",), annotations=("",)),
    ),
    hit_policy=HitPolicy.FIRST,
    annotations=("依据",),
)
MODEL = Definitions(
    id=None,
    name="订单时限",
    namespace="urn:t",
    input_data=(
        InputData(id="i1", name="客户", variable=InformationItem(name="客户")),
        InputData(id="i2", name="金额", variable=InformationItem(name="金额", type_ref="number")),
    ),
    decisions=(
        Decision(
            id="d",
            name="订单时限",
            variable=InformationItem(name="订单时限", type_ref="number"),
            expression=TABLE,
            required_inputs=("#i1", "#i2"),
            description="按客户级别",
        ),
    ),
)
CASES = (
    TestCase(name="五星大单", inputs={"客户": {"级别": "五星"}, "金额": 100}, expected=24),
    TestCase(name="其他", inputs={"客户": {"级别": "三星"}}, expected=72),
)


def written() -> Workbook:
    return load_workbook(BytesIO(to_workbook(MODEL, CASES, names=NAMES)))


def saved(workbook: Workbook) -> bytes:
    data = BytesIO()
    workbook.save(data)
    return data.getvalue()


def rows(sheet: Worksheet) -> list[list[Any]]:
    return [[value for value in row if value is not None] for row in sheet.iter_rows(values_only=True)]


def cell_of(sheet: Worksheet, value: object) -> Any:
    return next(cell for row in sheet.iter_rows() for cell in row if cell.value == value)


def problems(data: bytes) -> list[tuple[str, str, str]]:
    with pytest.raises(BadWorkbook) as refused:
        from_workbook(data)
    for problem in refused.value.params["cells"]:
        assert problem["en"] in refused.value.message("en")
        assert problem["zh"] in refused.value.message("zh")
    return [(p["sheet"], p["cell"], p["code"]) for p in refused.value.params["cells"]]


def table_of(data: bytes) -> DecisionTable:
    expression = from_workbook(data)[0].decisions[0].expression
    assert isinstance(expression, DecisionTable)
    return expression


def test_a_plain_table_needs_nothing_but_its_sheet() -> None:
    workbook = written()

    assert workbook.sheetnames == ["订单时限", "测试用例", "说明", "模型"]
    assert [row for row in rows(workbook["订单时限"]) if row] == [
        ["决策表 Decision table", "订单时限"],
        ["命中策略 Hit policy", "F 首行：取最上面的符合行 / First: the topmost row that matches"],
        ["结果名称 Result label"],
        ["结果类型 Result type", "数字 number"],
        ["说明 Description", "按客户级别"],
        ["列 Column", "条件 Input", "条件 Input", "结果 Output", "备注 Remark"],
        ["名称 Label", "客户级别", "时限", "依据"],
        ["表达式 Expression", "客户.级别", "金额"],
        ["类型 Type", "文本 string", "数字 number", "数字 number"],
        ["取值 Values", "五星、四星"],
        ["默认 Default"],
        ["序号 No."],
        [1, "五星", ">= 100", 24, "重要"],
        [2, "非(五星)", "-", 72],
    ]
    assert rows(workbook["测试用例"]) == [
        ["列 Column", "条件 Input", "条件 Input", "结果 Output"],
        ["名称 Label", "客户.级别", "金额"],
        ["用例 Case"],
        ["五星大单", "五星", 100, 24],
        ["其他", "三星", 72],
    ]
    assert len(rows(workbook["模型"])) == 2  # the headings, and the name of the model
    assert workbook["订单时限"].freeze_panes == "B14"
    lists = {str(v.sqref): v.formula1 for v in workbook["订单时限"].data_validations.dataValidation}
    assert lists["B14:B215"] == '"五星,四星"'
    definitions, tests = from_workbook(saved(workbook))
    assert canonical(definitions) == canonical(MODEL)
    assert tests == CASES


def test_a_sheet_alone_is_a_model_with_the_inputs_that_it_reads() -> None:
    workbook = written()
    del workbook["模型"], workbook["说明"], workbook["测试用例"]

    definitions, tests = from_workbook(saved(workbook))

    assert definitions.namespace == "urn:diaodu:rules:订单时限"
    assert [(d.name, d.variable.type_ref) for d in definitions.input_data] == [("客户", None), ("金额", "number")]
    assert definitions.decisions[0].expression == canonical(MODEL).decisions[0].expression
    assert tests == ()


def test_moved_columns_inserted_rows_and_shortened_headings_are_read_all_the_same() -> None:
    workbook = written()
    sheet = workbook["订单时限"]
    sheet.move_range("E7:E15", cols=3)  # the remarks, with two blank columns before them
    sheet.move_range("B7:B15", cols=8)  # the first input becomes the last column
    sheet.insert_rows(15, 2)  # two blank rows between the rules
    sheet.insert_rows(1)
    sheet["A2"], sheet["B3"], sheet["A8"] = "决策表：", "first", "column"
    sheet["A500"] = 3  # a number that stands ready

    table = table_of(saved(workbook))

    assert [i.expression.text for i in table.inputs] == ["金额", "客户.级别"]
    assert [r.inputs for r in table.rules] == [(">= 100", '"五星"'), ("-", 'not("五星")')]
    assert [r.annotations for r in table.rules] == [("重要",), ("",)]
    assert table.hit_policy is HitPolicy.FIRST


def test_an_input_that_is_added_to_a_plain_table_becomes_input_data() -> None:
    workbook = written()
    sheet = workbook["订单时限"]
    for row, value in ((7, "条件"), (9, "区域"), (10, "文本"), (14, "城区")):
        sheet.cell(row, 6, value)

    definitions, _ = from_workbook(saved(workbook))

    assert [(d.name, d.variable.type_ref) for d in definitions.input_data][2:] == [("区域", "string")]
    assert table_of(saved(workbook)).rules[0].inputs == ('"五星"', ">= 100", '"城区"')


def test_all_problems_are_told_at_once_with_their_cells() -> None:
    workbook = written()
    sheet = workbook["订单时限"]
    sheet["B2"] = "X"
    sheet["D14"] = "=1+1"
    sheet["D15"] = None
    sheet["C15"] = "1,000"
    sheet["B15"] = 571
    sheet["F14"] = "我的备注"
    sheet["G7"] = "别的"
    sheet["G8"] = "#N/A"
    sheet.merge_cells("E14:E15")
    workbook.create_sheet("草稿")["A1"] = "随手记"
    workbook.create_sheet("备注 2")["A1"] = "随手记"
    workbook["测试用例"]["C4"] = "{坏"

    assert sorted(problems(saved(workbook))) == sorted(
        [
            ("订单时限", "B2", "no-hit-policy"),
            ("订单时限", "D14", "formula"),
            ("订单时限", "D14", "no-result"),
            ("订单时限", "D15", "no-result"),
            ("订单时限", "C15", "number-form"),
            ("订单时限", "B15", "wrong-kind"),
            ("订单时限", "F14", "column-unnamed"),
            ("订单时限", "G7", "unknown-column"),
            ("订单时限", "G8", "error-value"),
            ("订单时限", "E14", "merged"),
            ("草稿", "", "no-table"),
            ("测试用例", "C4", "bad-json"),
        ]
    )


def test_what_nobody_sees_is_refused() -> None:
    workbook = written()
    sheet = workbook["订单时限"]
    sheet.row_dimensions[15].hidden = True
    sheet.column_dimensions["C"].hidden = True
    workbook["模型"].sheet_state = "hidden"

    found = problems(saved(workbook))

    assert ("模型", "", "hidden-sheet") in found
    assert ("订单时限", "A15", "hidden-row") in found
    assert ("订单时限", "C14", "hidden-column") in found


def test_dates_of_the_calendar_of_1904_are_the_same_dates() -> None:
    workbook = written()
    workbook.epoch = CALENDAR_MAC_1904
    sheet = workbook["订单时限"]
    sheet["C10"] = "日期"
    sheet["C14"] = dt.date(2025, 2, 28)

    assert table_of(saved(workbook)).rules[0].inputs[1] == 'date("2025-02-28")'


def test_percent_and_currency_are_formats_of_numbers() -> None:
    workbook = written()
    sheet = workbook["订单时限"]
    sheet["C14"], sheet["C14"].number_format = 0.15, "0%"
    sheet["C15"], sheet["C15"].number_format = 1000, '"¥"#,##0.00'

    assert [rule.inputs[1] for rule in table_of(saved(workbook)).rules] == ["0.15", "1000"]


def test_dates_of_test_cases_are_marked_texts() -> None:
    workbook = written()
    workbook["测试用例"]["C4"] = dt.date(2025, 2, 28)

    assert from_workbook(saved(workbook))[1][0].inputs["金额"] == '@"2025-02-28"'


@pytest.mark.parametrize("data", [b"", b"no workbook", b"PK\x03\x04broken"])
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(NoWorkbook) as refused:
        from_workbook(data)
    assert refused.value.message("zh") == "无法打开工作簿：不是 .xlsx 文件。"


def repacked(data: bytes, name: str, content: bytes) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, content if part == name else old.read(part))
        if name not in old.namelist():
            new.writestr(name, content)
    return made.getvalue()


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = repacked(saved(written()), "xl/media/image1.bin", b"\0" * (opening.MAX_UNPACKED + 1))
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("unpacked"))

    with pytest.raises(NoWorkbook) as refused:
        from_workbook(bomb)
    assert refused.value.params["reason"] == "it is larger than 40 MB"


def test_entities_and_too_many_cells_are_refused_before_the_sheets_are_read() -> None:
    data, name = saved(written()), "xl/worksheets/sheet1.xml"
    for content, reason in (
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "it declares entities"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"), "it declares entities"),
        (b"<c r='A1'/>" * (opening.MAX_CELLS + 1), "it is larger than 300000 cells"),
    ):
        with pytest.raises(NoWorkbook) as refused:
            from_workbook(repacked(data, name, content))
        assert refused.value.params["reason"] == reason


def test_a_cell_far_away_is_named_and_costs_nothing() -> None:
    workbook = written()
    workbook["订单时限"]["A1048576"] = "x"
    workbook["订单时限"]["XFD7"] = "x"

    assert problems(saved(workbook)) == [
        ("订单时限", "XFD7", "too-many-columns"),
        ("订单时限", "A1048576", "too-many-rows"),
    ]


def test_a_macro_is_neither_run_nor_kept() -> None:
    data = repacked(saved(written()), "xl/vbaProject.bin", b"macro")

    assert canonical(from_workbook(data)[0]) == canonical(MODEL)


def test_a_table_that_could_not_be_read_again_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "MAX_ROW", 14)

    with pytest.raises(NotForWorkbook) as refused:
        to_workbook(MODEL, CASES, names=NAMES)
    assert refused.value.message("zh") == "该模型无法写成工作簿：工作表“订单时限”有 15 行、5 列，超出上限。"


def test_a_text_that_no_cell_holds_is_refused_when_written() -> None:
    long = Rule(inputs=("-", "-"), outputs=('"' + "长" * 40_000 + '"',), annotations=("",))
    table = DecisionTable(inputs=TABLE.inputs, outputs=TABLE.outputs, rules=(long,), annotations=TABLE.annotations)
    decision = Decision(id="d", name="长", variable=InformationItem(name="长"), expression=table)

    with pytest.raises(NotForWorkbook) as refused:
        to_workbook(Definitions(id=None, name="长", namespace="urn:t", decisions=(decision,)), (), names=NAMES)
    assert "32767" in refused.value.message("en")
    assert "32767" in refused.value.message("zh")
