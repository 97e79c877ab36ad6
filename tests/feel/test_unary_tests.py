"""Cells of decision tables: tests of a value that is not named."""

import pytest

from diaodu.feel import compile_unary_tests

CASES = [
    ("-", None, True),
    ("5", 5, True),
    ("< 10", 5, True),
    ("[1..5)", 5, False),
    ("1, 2, >10", 11, True),
    ("1, 2, >10", 10, False),
    ('"五星", "四星"', "四星", True),
    ("not(1, 2)", 2, False),
    ("not(1, 2)", 3, True),
    ("not(true)", False, True),
    ("? > 上限", 6, True),
    ("上限", 5, True),
    ("[5, 6]", 6, True),
    ("null", None, True),
    ("null", 1, False),
    ("< 10", None, None),
    ('< "a"', 1, None),
    ("true", False, False),
    ('ends with(?, "x")', "abx", True),
    ("? in [1..3] and ? != 2", 2, False),
]


@pytest.mark.parametrize(("text", "tested", "expected"), CASES)
def test_cell(text: str, tested: object, expected: object) -> None:
    assert compile_unary_tests(text).evaluate(tested, {"上限": 5}) is expected


def test_cell_tells_what_it_reads() -> None:
    tests = compile_unary_tests("> 阈值.下限, ? = 客户.额度")
    assert tests.paths == {"阈值.下限", "客户.额度"}
    assert tests.names == {"阈值", "客户"}
