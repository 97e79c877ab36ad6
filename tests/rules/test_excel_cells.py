import datetime as dt

import pytest

from diaodu.dmn.model import ItemDefinition
from diaodu.rules.excel.cells import Cell, Value, simple_type, to_cell, to_feel
from diaodu.rules.excel.problems import Misread

STRINGS, STRING = Cell("string", tests=True), Cell("string", tests=False)
NUMBERS, NUMBER = Cell("number", tests=True), Cell("number", tests=False)


@pytest.mark.parametrize(
    ("typed", "cell", "feel"),
    [
        ("五星", STRINGS, '"五星"'),
        ("五星、四星", STRINGS, '"五星", "四星"'),
        ("五星，四星; 三星", STRINGS, '"五星", "四星", "三星"'),
        ("非（五星、四星）", STRINGS, 'not("五星", "四星")'),
        ("not(五星)", STRINGS, 'not("五星")'),
        ("“五星”，“四星”", STRINGS, '"五星","四星"'),
        ("－", STRINGS, "-"),
        ("——", NUMBERS, "-"),
        ("0571", STRINGS, '"0571"'),
        ("5G+宽带/固话", STRINGS, '"5G+宽带/固话"'),
        ("FEEL: 客户.级别", STRINGS, "客户.级别"),
        ("feel：客户.级别", STRING, "客户.级别"),
        ("null", STRING, "null"),
        ("请联系客服，谢谢（“热线”10000）", STRING, '"请联系客服，谢谢（“热线”10000）"'),
        ("第一行\n第二行", STRING, '"第一行\\n第二行"'),
        ("C:\\路径", STRING, '"C:\\\\路径"'),
        ("＞＝１００", NUMBERS, ">=100"),
        ("≥10，≤20", NUMBERS, ">=10,<=20"),
        ("［１．．５］", NUMBERS, "[1..5]"),
        ("非（1、2）", NUMBERS, "not(1,2)"),
        ("100", NUMBERS, "100"),
        (0.15, NUMBER, "0.15"),
        (0.1 + 0.2, NUMBER, "0.3"),
        (1e-7, NUMBER, "0.0000001"),
        (30, Cell(None, tests=True), "30"),
        (True, Cell("boolean", tests=True), "true"),
        ("否", Cell("boolean", tests=True), "false"),
        (dt.datetime.fromisoformat("2025-02-28"), Cell("date", tests=True), 'date("2025-02-28")'),
        (dt.date(2025, 2, 28), Cell("date and time", tests=True), 'date and time("2025-02-28T00:00:00")'),
        (dt.time(8, 30), Cell("time", tests=True), 'time("08:30:00")'),
    ],
)
def test_what_people_type_is_read_as_they_mean_it(typed: Value, cell: Cell, feel: str) -> None:
    assert to_feel(typed, cell) == feel


@pytest.mark.parametrize(
    ("typed", "cell", "code"),
    [
        ("客户.级别", STRING, "ambiguous"),
        ("string length(名称)", STRING, "ambiguous"),
        (">= 10", STRINGS, "ambiguous"),
        ("a + b", STRING, "ambiguous"),
        ("true", STRING, "ambiguous"),
        ("-", STRING, "ambiguous"),
        ("、", STRINGS, "ambiguous"),
        (571, STRINGS, "wrong-kind"),
        (dt.date(2025, 1, 2), STRINGS, "wrong-kind"),
        (dt.date(2025, 1, 2), NUMBERS, "wrong-kind"),
        (dt.datetime.fromisoformat("2025-01-02T08:00"), Cell("date", tests=True), "wrong-kind"),
        (dt.timedelta(hours=36), Cell("days and time duration", tests=True), "wrong-kind"),
        (5, Cell("date", tests=True), "wrong-kind"),
        ("1,000", NUMBERS, "number-form"),
        ("15%", NUMBERS, "number-form"),
        ("￥100", NUMBERS, "number-form"),
        (1234567890123456, NUMBERS, "digits"),
    ],
)
def test_what_is_unclear_is_refused(typed: Value, cell: Cell, code: str) -> None:
    with pytest.raises(Misread) as refused:
        to_feel(typed, cell)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("feel", "cell", "shown"),
    [
        ('"五星"', STRINGS, "五星"),
        ('"五星", "四星"', STRINGS, "五星、四星"),
        ('not("五星", "四星")', STRINGS, "非(五星、四星)"),
        ('"a,b"', STRINGS, '"a,b"'),
        ('"a,b"', STRING, "a,b"),
        ('"null"', STRING, '"null"'),
        ("客户.级别", STRING, "FEEL: 客户.级别"),
        (">= 10", NUMBERS, ">= 10"),
        ("30", NUMBER, 30),
        ("0.10", NUMBER, "0.10"),
        ("1,000", NUMBERS, "FEEL: 1,000"),
        ("123456789012345678901234567890", NUMBER, "123456789012345678901234567890"),
        ("true", Cell("boolean", tests=False), True),
        ('date("2025-02-28")', Cell("date", tests=True), dt.date(2025, 2, 28)),
        ('date("1900-02-28")', Cell("date", tests=True), 'date("1900-02-28")'),
        ("", NUMBERS, "-"),
    ],
)
def test_feel_is_shown_in_the_friendliest_form(feel: str, cell: Cell, shown: Value) -> None:
    found = to_cell(feel, cell)

    assert (found, type(found)) == (shown, type(shown))


def test_the_type_of_a_column_is_looked_up_among_the_types_of_the_model() -> None:
    items = (
        ItemDefinition(name="t等级", type_ref="t文本"),
        ItemDefinition(name="t文本", type_ref="feel:string"),
        ItemDefinition(name="t表", type_ref="string", is_collection=True),
        ItemDefinition(name="t环", type_ref="t环"),
    )

    found = {name: simple_type(name, items) for name in ("t等级", "t表", "t环", "dateTime", "Any")}

    assert found == {"t等级": "string", "t表": None, "t环": None, "dateTime": "date and time", "Any": None}
