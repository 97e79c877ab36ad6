"""A tree written and read again is the same tree."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diaodu.app.proof_feel import placeless
from diaodu.app.proof_trees import NAMES, Trees
from diaodu.feel.parser import parse_expression, parse_unary_tests
from diaodu.feel.printer import to_text

SEEDS = st.randoms(use_true_random=False)
FUNCTION = "function(a: function<number>->list<number>, b) external {}"


@settings(max_examples=700, deadline=None)
@given(SEEDS, st.integers(1, 40))
def test_a_tree_reads_as_it_was_written(rng: Random, size: int) -> None:
    tree = Trees(rng, size).expression()
    assert placeless(parse_expression(to_text(tree, NAMES), NAMES)) == tree


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(1, 40))
def test_unary_tests_read_as_they_were_written(rng: Random, size: int) -> None:
    tests = Trees(rng, size).tests()
    assert placeless(parse_unary_tests(to_text(tests, NAMES), NAMES)) == placeless(tests)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("((a and b)) and c", "(a and b) and c"),
        ("a + (b * (c ** (-d)))", "a + b * c ** -d"),
        ("(a - b) - c", "a - b - c"),
        ("a - (b - c)", "a - (b - c)"),
        ("-(2 ** 2)", "-(2 ** 2)"),
        ("(a < b) < c", "a < b < c"),
        ("((1)) in ((([1 .. 3[)))", "1 in [1..3)"),
        ("x in ((a + b) * c)", "x in (a + b) * c"),
        ("x in (<5, (> 7))", "x in (< 5, > 7)"),
        ("1 + (if (a) then (b) else (c))", "1 + (if a then b else c)"),
        ("for i in (1..n), j in 1..i return (i + j)", "for i in (1..n), j in 1..i return i + j"),
        ('客户.级别="五星"', '客户.级别 = "五星"'),
        ('{"a": 1, "b:c": 2, d  e: 3}', '{a: 1, "b:c": 2, d e: 3}'),
        ('"a\\"b\\\\d\\u0041\\n"', '"a\\"b\\\\dA\\n"'),
        ("(a instance of list) < b", "(a instance of list) < b"),
        (FUNCTION.replace(", ", ","), FUNCTION),
        ("(date) and time", "(date) and time"),
        ("(function(x) x)(1)", "(function(x) x)(1)"),
        ("a /* why */ + b // so", "a + b"),
    ],
)
def test_no_parenthesis_stands_in_vain(text: str, written: str) -> None:
    assert to_text(parse_expression(text)) == written


def test_an_operand_that_reads_as_a_known_name_stands_in_parentheses() -> None:
    names = ("a-b", "profit and loss", "x.y")
    assert to_text(parse_expression("(a)-b + a-b", names), names) == "(a) - b + a-b"
    assert to_text(parse_expression("a-b * (a)-b", names), names) == "(a-b * a) - b"
    assert to_text(parse_expression("(profit) and loss or profit and loss", names), names) == (
        "(profit) and loss or profit and loss"
    )
    assert to_text(parse_expression("(x).y + x.y", names), names) == "(x).y + x.y"


@pytest.mark.parametrize(
    ("cell", "written"),
    [("-", "-"), ("not( 1,<2 )", "not(1, < 2)"), ("(not(a))", "(not(a))"), ("not(a), b", "not(a), b")],
)
def test_a_cell_stays_what_it_is(cell: str, written: str) -> None:
    assert to_text(parse_unary_tests(cell)) == written
