"""What is an expression, and how its parts belong together."""

import time
from collections.abc import Collection

import pytest

from diaodu.feel import FeelError, FeelSyntaxError, compile_expression, compile_unary_tests
from diaodu.feel.parser import parse_expression
from diaodu.feel.text import text_of

CONTEXT = {
    "a": 10,
    "b": 3,
    "a-b": 77,
    "order total": 7,
    "time zone": "Z",
    "profit and loss": -1,
    "driver's age": 30,
    "v1.2": 5,
    "a+b": 6,
    "a*b": 8,
    "a/b": 9,
    "in": 2,
    "x y": [1, 2, 3],
    "价格(元)": 12,
    "order": {"in": 4, "date": 5},
    "share in group": [1, 2],
}
# As `a - b` would be read when the name a-b is not known.
PLAIN_NAMES = ("order total", "time zone")

VALUES: dict[str, str] = {
    # Names: the longest known one wins, blanks count as one.
    "a-b": "77",
    "a - b": "77",
    "(a)-b": "7",
    "a+b * 2": "12",
    "a*b + a/b": "17",
    "v1.2 + 1": "6",
    "driver's age - b": "27",
    "order  total + 1": "8",
    "if profit and loss < 0 then time zone else null": "Z",
    "价格(元) + 1": "13",
    "count(x y)": "3",
    "order.in + order.date": "9",
    "for x in share in group return x": "[1, 2]",
    # Names that a text makes itself.
    "for i-j in [1, 2] return i-j + 1": "[2, 3]",
    "(function(n+m: number, k) n+m * k)(2, 5)": "10",
    "(function(n+m, k) n+m * k)(k: 2, n+m: 5)": "10",
    "{the end: 1, r: the end + 1}.r": "2",
    '{"x+y": 1, r: x+y + 1}.r': "2",
    '{"a:b": 1, if: 2}.if': "2",
    "{in: 1}.in": "1",
    # Comments and blanks.
    "1 + // one\n 1": "2",
    "1 /* a // b \n * / */ + 1": "2",
    "order /* no part of the name */ total": "7",
    "1\u3000+\u00a01\ufeff": "2",
    # Texts.
    '"\\u4e2d\\U01F40E\\uD83D\\uDC0E"': "中🐎🐎",
    '"a\\tb\\nc\\"d\\\\e\\\'"': "a\tb\nc\"d\\e'",
    '"\\d"': "\\d",
    '"/* no comment */"': "/* no comment */",
    # Numbers.
    ".5 + 1.50": "2",
    "1e3 + 1E-1": "1000.1",
    "[1..3].end": "3",
    "1 in [.5...6]": "false",
    # Ranges and tests.
    "2 in ]1..2]": "true",
    "2 in [1..2[": "false",
    "1 in (1..2)": "false",
    "5 in (<= 5)": "true",
    "5 in > 5": "false",
    "5 in (< 3, [4..6])": "true",
    "5 in (1, 2, 3)": "false",
    "5 in ((2 + 1) + 2)": "true",
    "5 in (2 + 1) + 2": "true",
    "5 in (4..6).start": "false",
    "(> 3).start": "3",
    "5 between 1 and 5 and true": "true",
    "1 + 1 in [2..3] and 2 > 1": "true",
    # Iteration, paths, filters.
    "for i in 1..2, j in i..2, k in [i + j] return k": "[2, 3, 4]",
    "some x in [1, 2], y in [x] satisfies y > 1": "true",
    "[{a: 1}, {a: 2}].a[item > 1][1]": "2",
    "[[1, 2], [3]][2][1]": "3",
    "[1, 2, 3][if true then 1 else 2]": "1",
    "if false then 1 else if true then 2 else 3": "2",
    # Types.
    "1 instance of number and true": "true",
    '@"2024-01-01" instance of date and true': "true",
    "{a: 1} instance of context<a: number>": "true",
    "[1] instance of list<number>": "true",
    "[1..2] instance of range<number>": "true",
    "null instance of null": "true",
    '@"P1D" instance of days and time duration': "true",
    "-1 instance of number": "null",
    "(-1) instance of number": "true",
    # Strengths.
    "2 + 3 * 2 ** 2": "14",
    "-2 ** 2": "4",
    "1 - 2 - 3": "-4",
    "false and false or true": "true",
    "1 = 1 = true": "true",
}


@pytest.mark.parametrize(("text", "expected"), VALUES.items())
def test_text_means_the_value(text: str, expected: str) -> None:
    found = compile_expression(text, CONTEXT).evaluate(CONTEXT)
    assert ("null" if found is None else text_of(found)) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.", "unexpected"),
        ("a b: 1", "unexpected"),
        ("５ > 3", "full-width"),
        ("1 /* open", "open-comment"),
        ("1e999999", "number-range"),
        ('"\\U110000"', "bad-escape"),
        ("{a: 1, b}", "unexpected"),
        ("function(x) external 1", "unexpected"),
        ("for in in [1] return 1", "unexpected"),
        ("if 1 then 2", "unexpected"),
        ("[1, 2", "unexpected"),
        ("1 in ()", "unexpected"),
        ("f(a: 1, 2)", "unexpected"),
        ("? b", "unexpected"),
        (" + ".join(["1"] * 1000), "too-deep"),
        ("-" * 200 + "1", "too-deep"),
        ("a" * 100_001, "too-long"),
    ],
)
def test_other_text_is_refused(text: str, code: str) -> None:
    with pytest.raises(FeelSyntaxError) as error:
        compile_expression(text)
    assert error.value.code == code


def test_a_name_that_nobody_could_write_hurts_no_other() -> None:
    assert compile_expression("a + 1", ("价格（元）", '"', "a")).evaluate({"a": 1}) == 2


@pytest.mark.parametrize("names", [(), PLAIN_NAMES])
def test_signs_part_names_that_are_not_known(names: Collection[str]) -> None:
    assert compile_expression("a-b", names).evaluate(CONTEXT) == 7


@pytest.mark.parametrize(
    "text",
    [
        "1 in " + "(" * 98 + "1" + ")" * 98,
        "1 in " + "(" * 200,
        "1 in (" * 50 + "1" + ")" * 50,
        "[1..a[" * 90,
        "not(" * 90 + "1" + ")" * 90,
        "f(" * 90 + "1" + ")" * 90,
        "a or b and c = 1 + 2 * 3 ** (" * 90 + "1" + ")" * 90,
        "list<" * 90,
        "1 + " * 20_000 + "1",
        "[" + "1, " * 10_000 + "1]",
    ],
)
def test_text_is_read_in_a_time_that_grows_with_its_length(text: str) -> None:
    started = time.process_time()
    for compiled in (compile_expression, compile_unary_tests):
        try:
            compiled(text)
        except FeelError:
            continue
    assert time.process_time() - started < 2


def test_parentheses_may_be_nested_behind_in() -> None:
    assert compile_expression("1 in " + "(" * 98 + "1" + ")" * 98).evaluate({}) is True
    assert parse_expression("((1)) in ((2))") is not None
