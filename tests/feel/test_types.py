"""Types in expressions: `instance of`, parameters with types, and the conditions of filters and quantifiers."""

from decimal import Decimal

import pytest

from diaodu.feel import Budget, Diagnostic, FeelBudgetExceeded, Run, compile_expression, compile_unary_tests
from diaodu.feel.text import text_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null instance of Null", True),
        ("null instance of Any", False),
        ("null instance of string", False),
        ("[null] instance of list<string>", True),
        ('[1, "a"] instance of list<Any>', True),
        ('[1, "a"] instance of list<number>', False),
        ("[] instance of list<string>", True),
        ("{} instance of context<a: number>", False),
        ("{a: null} instance of context<a: number>", True),
        ("{a: 1, b: 2} instance of context<a: number>", True),
        ("{a: [1]} instance of context<a: list<number>>", True),
        ("[1..2] instance of range<number>", True),
        ("[1..2] instance of range<string>", False),
        ("(function(a: number) a) instance of function<number> -> number", True),
        ("(function(a: number) a) instance of function<string> -> number", False),
        ("(function(a) a) instance of function<string> -> number", True),
        ("(function() 1) instance of function<number> -> number", False),
        ("(function() 1) instance of function", True),
        ("sum instance of function<list<number>> -> number", True),
        ("(function(a: context<x: number>) a) instance of function<context<x: number, y: string>> -> Any", True),
        ("(function(a: context<x: number, y: string>) a) instance of function<context<x: number>> -> Any", False),
        ('date("2020-01-01") instance of date and time', False),
        ('duration("P1D") instance of dayTimeDuration', True),
    ],
)
def test_instance_of(text: str, expected: object) -> None:
    assert compile_expression(text).evaluate({}) is expected


def test_an_unknown_type_is_null_with_a_reason() -> None:
    found, reasons = compile_expression("1 instance of list<地址>").evaluate_with_diagnostics({})
    assert (found, [reason.code for reason in reasons]) == (None, ["unknown-type"])


@pytest.mark.parametrize(
    ("parameter", "argument", "expected"),
    [
        ("date and time", 'date("2020-01-01")', "2020-01-01T00:00:00Z"),
        ("list<date and time>", '[date("2020-01-01")]', "[2020-01-01T00:00:00Z]"),
        ("list<number>", "1", "[1]"),
        ("list<number>", "[1, 2]", "[1, 2]"),
        ("string", '["x"]', "x"),
        ("string", "[1]", "null"),
        ("string", '["x", "y"]', "null"),
        ("string", "null", "null"),
        ("context<x: number>", "{x: 1, y: 2}", "{x: 1, y: 2}"),
        ("context<x: number>", '{x: "1"}', "null"),
        ("list<list<number>>", "[1]", "null"),
    ],
)
def test_arguments_are_converted_to_the_type_of_the_parameter(parameter: str, argument: str, expected: str) -> None:
    found = compile_expression(f"{{f: function(a: {parameter}) a, r: f({argument})}}.r").evaluate({})
    assert text_of(found) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2, 3][null]", []),
        ('[1, 2, 3]["a"]', None),
        ("[][n]", None),
        ("[][n > 1]", []),
        ("[][item > 1]", []),
        ("[1, 2][n]", Decimal(2)),
        ("some x in [1, 2] satisfies if x = 2 then true else null", True),
        ('some x in [1, 2] satisfies if x = 2 then true else "a"', None),
        ('every x in [false, "a"] satisfies x', False),
    ],
)
def test_conditions_that_are_no_boolean(text: str, expected: object) -> None:
    assert compile_expression(text).evaluate({"n": 2}) == expected


def test_a_condition_that_was_tried_on_no_item_gives_no_reason() -> None:
    assert compile_expression("[][a.b > 1]").evaluate_with_diagnostics({}) == ([], [])


def test_texts_of_one_evaluation_share_its_budget_and_its_reasons() -> None:
    reasons: list[Diagnostic] = []
    run = Run.start(Budget(steps=150), reasons=reasons)
    loop = compile_expression("count(for i in 1..100 return i) + x")
    assert loop.evaluate_within(run, {}) is None
    assert compile_unary_tests("> y").evaluate_within(run, 5, {}) is None
    assert [(reason.code, reason.text) for reason in reasons] == [
        ("unknown-name", "count(for i in 1..100 return i) + x"),
        ("operands", "count(for i in 1..100 return i) + x"),
        ("unknown-name", "> y"),
    ]
    with pytest.raises(FeelBudgetExceeded, match="too many steps"):
        loop.evaluate_within(run, {})


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("true", "a", None),
        ("true", None, False),
        ("true", True, True),
        ("x > 1", "a", True),
        ("x > 1", False, False),
        ("x > 1", None, True),
        ("? > 1 and x > 1", 2, True),
    ],
)
def test_a_condition_on_something_else_answers_by_itself_but_a_literal_is_looked_for(
    text: str, value: object, expected: object
) -> None:
    assert compile_unary_tests(text).evaluate(value, {"x": 2}) is expected


def test_a_list_that_contains_another_many_times_costs_no_more_than_its_parts() -> None:
    doubled = ", ".join(f"a{n}: [a{n - 1}, a{n - 1}]" for n in range(1, 60))
    assert compile_expression(f"count({{a0: [1], {doubled}}}.a59)").evaluate({}) == Decimal(2)
