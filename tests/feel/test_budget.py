"""An expression cannot take more than it is given."""

import time

import pytest

from diaodu.feel import Budget, FeelBudgetExceeded, compile_expression

LOOP = "for i in 1..1000000, j in 1..1000000 return i * j"


@pytest.mark.parametrize(
    ("text", "budget", "code"),
    [
        (LOOP, Budget(), "time"),
        (LOOP, Budget(steps=1000), "steps"),
        ("count(for i in 1..200 return i)", Budget(items=100), "items"),
        ('count(for i in 1..40 return if i = 1 then "ab" else partial[-1] + partial[-1])', Budget(), "items"),
        ("{f: function(n) f(n + 1), r: f(1)}.r", Budget(depth=20), "depth"),
        ("{f: function(n) f(n + 1), r: f(1)}.r", Budget(), "depth"),
        ('matches("' + "ab" * 60 + 'q", "(a|b|ab)*(?:bc|[x-z])")', Budget(), "time"),
        ("sort(for i in 1..100000 return modulo(i * 7919, 100003), function(a, b) a < b)", Budget(), "time"),
        ("some i in 1..1000000000 satisfies i < 0", Budget(), "time"),
    ],
)
def test_a_spent_budget_ends_the_evaluation(text: str, budget: Budget, code: str) -> None:
    expression = compile_expression(text)
    started = time.perf_counter()
    with pytest.raises(FeelBudgetExceeded) as error:
        expression.evaluate({}, budget)
    assert error.value.code == code
    # Twice the budget of 100 ms, and as much again for a busy machine.
    assert time.perf_counter() - started < 0.4


def test_the_clock_is_the_budgets() -> None:
    ticks = iter(range(1000))
    with pytest.raises(FeelBudgetExceeded):
        compile_expression("for i in 1..100000 return i").evaluate({}, Budget(clock=lambda: float(next(ticks))))


def test_a_function_of_an_earlier_run_is_paid_by_the_caller() -> None:
    made = compile_expression("function(n) count(for i in 1..n return i)").evaluate({}, Budget(steps=10))
    assert compile_expression("f(100)").evaluate({"f": made}) == 100
    with pytest.raises(FeelBudgetExceeded):
        compile_expression("f(100)").evaluate({"f": made}, Budget(steps=50))


@pytest.mark.parametrize("text", ["sum(数)", "stddev(数)", "数 = 别的", "1 in 数", "max(list: 数)", "sort(数)"])
def test_a_list_too_long_for_the_time_is_refused(text: str) -> None:
    context = {"数": list(range(1_000_000)), "别的": list(range(1_000_000))}
    started = time.perf_counter()
    with pytest.raises(FeelBudgetExceeded) as error:
        compile_expression(text).evaluate(context)
    assert error.value.code == "time"
    assert time.perf_counter() - started < 0.4


def test_a_large_list_of_the_context_is_converted_once() -> None:
    numbers = list(range(1, 2001))
    expression = compile_expression("sum(for i in 1..2000 return 数[i])")
    assert expression.evaluate({"数": numbers}, Budget(milliseconds=1000)) == 2001000
