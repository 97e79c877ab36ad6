"""What expressions mean, one line each; numbers are compared as text so that 1 and 1.0 stay apart."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum

import pytest

from diaodu.feel import DaysDuration, FeelSyntaxError, compile_expression, to_python
from diaodu.feel.text import text_of


def value(text: str, context: Mapping[str, object] | None = None, names: Collection[str] = ()) -> object:
    return compile_expression(text, names).evaluate(context or {})


class Kind(str, Enum):  # noqa: UP042 - the form whose str() is not its value
    A = "a"


ARITHMETIC = {
    "1 + 2 * 3": "7",
    "(1 + 2) * 3": "9",
    "-2 ** 2": "4",
    "2 ** 3 ** 2": "64",
    "--5": "5",
    "0.1 + 0.2": "0.3",
    "1 / 3": "0.3333333333333333333333333333333333",
    "12345678901234567890.12 * 100": "1234567890123456789012",
    '"foo" + "bar"': "foobar",
    '@"2024-02-29" + @"P1Y"': "2025-02-28",
    '@"2024-01-31" + @"P1M"': "2024-02-29",
    '@"2024-03-31T02:30:00" - @"P1M"': "2024-02-29T02:30:00",
    '@"2021-01-02" - @"PT1M"': "2021-01-01",
    '@"10:15:00" + @"P1DT1H"': "11:15:00",
    '@"P1D" * 2.5': "P2DT12H",
    '@"P1Y" / @"P1M"': "12",
    '@"2024-03-30T12:00:00@Europe/Paris" + @"P1D"': "2024-03-31T13:00:00@Europe/Paris",
    '@"2024-01-02" - @"2024-01-01T22:00:00Z"': "PT2H",
    '@"2024-12-31T24:00:00"': "2025-01-01T00:00:00",
}
LOGIC = {
    "true and null": "null",
    "false and null": "false",
    "null or true": "true",
    "null or false": "null",
    '1 = "1"': "null",
    "1 = null": "false",
    "null = null": "true",
    "1 < null": "null",
    '"a" < "b"': "true",
    "5 between 1 and 5": "true",
    "1 in (2, 3, <0)": "false",
    "1 in [0..1)": "false",
    "1 in ]0..1]": "true",
    "[1, 2] in [[1, 2], [3]]": "true",
    "if null then 1 else 2": "2",
    "1 instance of number": "true",
    "[1, 2] instance of list<number>": "true",
    '[1, "a"] instance of list<number>': "false",
    '@"2020-01-01" instance of date and time': "false",
    "(function(a: number) a) instance of function<number>->number": "true",
    "(function(a: number) a) instance of function<string>->number": "false",
    "abs instance of function": "true",
}
LISTS = {
    "[1, 2, 3][-1]": "3",
    "[1, 2, 3][4]": "null",
    "[1, 2, 3][item > 1]": "[2, 3]",
    "[{a: 1}, {a: 2}][a > 1].a": "[2]",
    "[{item: 1}, {item: 2}][item > 1].item": "[2]",
    "5[1]": "5",
    "for i in 3..1 return i": "[3, 2, 1]",
    "for i in 1..3, j in 1..i return i * j": "[1, 2, 4, 3, 6, 9]",
    "for i in 0..4 return if i = 0 then 1 else i * partial[-1]": "[1, 1, 2, 6, 24]",
    "for i in 1..3 return partial": "[[], [[]], [[], [[]]]]",
    'for d in @"2024-02-28"..@"2024-03-01" return d.day': "[28, 29, 1]",
    "some x in [1, 2] satisfies x > 1": "true",
    "every x in [1, null] satisfies x > 0": "null",
    "every x in [] satisfies x": "true",
    "for i in (1..4) return i": "[2, 3]",
}
FUNCTIONS = {
    "(function(x, y) x - y)(y: 1, x: 5)": "4",
    "{a: 1, f: function(x) x + a, r: f(2)}.r": "3",
    "{f: function(n) if n < 2 then 1 else n * f(n - 1), r: f(5)}.r": "120",
    'substring(string: "foobar", start position: 3)': "obar",
    'substring("五星客户", 3)': "客户",
    'string length("中文🐎")': "3",
    '"\\uD83D\\uDC0E"': "🐎",
    'replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")': "[1=ab][2=]cd",
    'split("a;b;;", ";")': '["a", "b", "", ""]',
    'matches("a\\nb", "a.b")': "false",
    'matches("a\\nb", "a.b", "s")': "true",
    'matches("x-y", "[a-z-[y]]$")': "false",
    'matches("a\\n", "a$")': "false",
    'matches("3_中", "^\\\\d[_]\\\\w$")': "true",
    'matches("abab", "^(ab)\\\\1$")': "true",
    'matches("a#b c", "a # b [ ] c", "x")': "true",
    'matches("a", "(?=a)")': "null",
    'matches("a b", "a\\\\ sb", "x")': "true",
    'matches("ab\\n", "^$", "m")': "false",
    'matches("ß", "ss", "i")': "false",
    'replace("abc", ".*?", "x")': "null",
    'replace("abc", "b", "$")': "null",
    'replace("a.c", ".", "$", "q")': "a$c",
    'number("1.000,5", ".", ",")': "1000.5",
    "decimal(2.5, 0)": "2",
    "round half up(2.5, 0)": "3",
    "floor(-1.56, 1)": "-1.6",
    "modulo(12, -5)": "-3",
    "even(1e30)": "true",
    "odd(-3)": "true",
    "odd(2.5)": "null",
    "for i in 1e32..1e32 + 1 return i - 1e32": "[0, 1]",
    "sum([])": "null",
    "mean(1, 2, 6)": "3",
    "stddev(2, 4, 7, 5)": "2.081665999466132735282297706979931",
    "mode(6, 3, 9, 6, 3)": "[3, 6]",
    "sort([3, 1, 2], function(a, b) a > b)": "[3, 2, 1]",
    "sublist([1, 2, 3], -2)": "[2, 3]",
    "distinct values([1, 2, 1, null, null])": "[1, 2, null]",
    'context put({x: {y: 1}}, ["x", "z"], 2)': "{x: {y: 1, z: 2}}",
    'week of year(@"2010-01-01")': "53",
    'day of week(@"2019-09-17")': "Tuesday",
    'years and months duration(@"2011-12-22", @"2013-08-24")': "P1Y8M",
    "overlaps before([1..5], (5..8])": "false",
    "before([1..5), 5)": "true",
    'range("[1..3)")': "[1..3)",
    '5 in range("(..5]")': "true",
    'range("[3..1]")': "null",
    '(function(a: date and time) a)(@"2024-01-01")': "2024-01-01T00:00:00Z",
    "(function(a: number) a)([5])": "5",
    '(function(a: number) a)("5")': "null",
    'is(@"10:00:00Z", @"10:00:00@Etc/GMT")': "false",
    'string({a: "x", "b c": [true]})': '{a: "x", "b c": [true]}',
}


@pytest.mark.parametrize(
    ("text", "expected"), [*ARITHMETIC.items(), *LOGIC.items(), *LISTS.items(), *FUNCTIONS.items()]
)
def test_expression_gives_the_value(text: str, expected: str) -> None:
    found = value(text)
    assert ("null" if found is None else text_of(found)) == expected


def test_chinese_names_need_no_declaration() -> None:
    context = {"客户": {"级别": "五星"}, "订单项": [{"速率": 20}, {"速率": 5}]}
    assert value('客户.级别 = "五星"', context) is True
    assert value("订单项.速率", context) == [20, 5]
    assert value("count(订单项[速率 > 10])", context) == 1


def test_names_of_several_words_and_signs() -> None:
    context = {"order total": 7, "profit and loss": -1, "a-b": 3, "a": 10, "b": 1}
    names = ("order total", "profit and loss", "a-b")
    assert value("order total + 1", context, names) == 8
    assert value("if profit and loss < 0 then order  total else 0", context, names) == 7
    assert value("a-b", context, names) == 3
    assert value("a-b", context) == 9
    assert value('{"first name": "x", last name: first name}.last name') == "x"


def test_values_of_python_are_taken_as_they_are() -> None:
    context = {"n": 1, "f": 0.1, "t": (1, 2.5), "d": date(2024, 2, 29), "at": datetime(2024, 1, 1, 8, tzinfo=UTC)}
    assert value("n + f", context) == Decimal("1.1")
    assert value("sum(t)", context) == Decimal("3.5")
    assert value('d + duration("P1Y")', context) == value('@"2025-02-28"')
    assert value('at - @"2024-01-01T07:00:00Z"', context) == DaysDuration(3600 * 10**9)
    assert to_python(value("[at, {d: d}]", context)) == [context["at"], {"d": context["d"]}]
    assert value("wait / 2", {"wait": timedelta(hours=1)}) == DaysDuration(1800 * 10**9)
    assert value('kind = "a"', {"kind": Kind.A}) is True
    with pytest.raises(TypeError):
        value("x", {"x": object()})


def test_now_is_what_is_passed_in() -> None:
    now = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
    assert str(compile_expression("now()").evaluate({}, now=now)) == "2026-05-01T08:30:00Z"
    assert str(compile_expression("today()").evaluate({}, now=now)) == "2026-05-01"
    assert compile_expression("now()").evaluate({}) is None


def test_an_expression_tells_what_it_reads() -> None:
    found = compile_expression("for i in 订单.项[速率 > 基准.下限] return i.名 + string(客户.级别)")
    assert found.names == {"订单", "速率", "基准", "客户"}
    assert {"订单.项", "订单.项.速率", "基准.下限", "客户.级别"} <= found.paths
    assert found.maybe == {"速率", "基准.下限"}
    assert compile_expression("{a: 1, b: a + c}.b").paths == {"c"}


def test_a_null_has_a_reason() -> None:
    found, reasons = compile_expression("订单.金额 / 数量\n + 1").evaluate_with_diagnostics({"订单": {"金额": 5}})
    assert found is None
    assert [(reason.code, reason.line, reason.column) for reason in reasons] == [
        ("unknown-name", 1, 9),
        ("operands", 1, 7),
        ("operands", 2, 2),
    ]
    assert reasons[0].message_en == "数量 is not known."
    assert reasons[0].message_zh == "未找到名称 数量。"


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("1 +", "unexpected", 1, 4),
        ("if a\nthen 1", "unexpected", 2, 7),
        ("（1）", "full-width", 1, 1),
        ('a = "b', "open-text", 1, 5),
        ('@"foo"', "bad-literal", 1, 1),
        ("1 2", "unexpected", 1, 3),
        ("(" * 200 + "1" + ")" * 200, "too-deep", 1, 101),
        ("", "unexpected", 1, 1),
    ],
)
def test_text_that_is_no_feel_is_refused_with_its_place(text: str, code: str, line: int, column: int) -> None:
    with pytest.raises(FeelSyntaxError) as error:
        compile_expression(text)
    assert (error.value.code, error.value.line, error.value.column) == (code, line, column)
