"""An expression cannot take more than it is given."""

import time
import tracemalloc
from contextlib import suppress
from decimal import Decimal

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


MILLION = 1_000_000
LONG = {
    "数": [Decimal(number * 7919 % 1_000_003) for number in range(MILLION)],
    "别": [Decimal(number * 7919 % 1_000_003) for number in range(MILLION)],
    "整": list(range(MILLION)),
    "词": [f"s{number}" for number in range(MILLION)],
    "表": [[Decimal(number)] for number in range(MILLION)],
    "记": [{"a": Decimal(number)} for number in range(MILLION)],
    "文": "ab;" * 300_000,
}
HEAVY = """
    sort(数)
    sort(词)
    sort(数, function(a, b) a < b)
    sum(数)
    sum(整)
    mean(数)
    median(数)
    mode(数)
    stddev(数)
    product(数)
    min(数)
    max(词)
    max(list: 整)
    union(数, 别)
    distinct values(数)
    distinct values(表)
    flatten(表)
    concatenate(数, 别)
    append(数, 1)
    insert before(数, 1, 2)
    remove(数, 5)
    list replace(数, function(a, b) a = 5, 1)
    index of(数, -1)
    list contains(表, -1)
    string join(词, ",")
    string(表)
    split(文, ";")
    replace(文, "(a|b)*;", "x$1")
    matches(文, "(a|b)*c")
    数 = 别
    表 = reverse(表)
    1 in 整
    数 in 表
    数[item > 5]
    记[a > 5]
    记.a
    数 instance of list<number>
    for i in 数, j in 别 return i * j
    for i in 1..1000000000 return i
    every i in 1..1000000000 satisfies i > 0
    for i in 1..10000 return partial
    for i in 1..1000 return append(数, 1)
    string join(for i in 1..100000 return "abc", 文)
""".strip().splitlines()


@pytest.mark.parametrize("text", [text.strip() for text in HEAVY])
def test_long_lists_end_with_a_value_or_within_twice_the_budget(text: str) -> None:
    expression = compile_expression(text)
    started = time.process_time()
    with suppress(FeelBudgetExceeded):
        expression.evaluate(LONG)
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize(
    "text", ["sum(数)", "stddev(数)", "数 = 别", "1 in 整", "sort(数, function(a, b) a < b)", "表 = 表[true]"]
)
def test_a_list_too_long_for_the_time_is_refused(text: str) -> None:
    with pytest.raises(FeelBudgetExceeded) as error:
        compile_expression(text).evaluate(LONG, Budget(milliseconds=20))
    assert error.value.code == "time"


@pytest.mark.parametrize(
    "text",
    [
        "for i in 1..100000 return partial",
        "for i in 1..1000 return 文 + string(i)",
        "for i in 1..1000 return append(数, i)",
        "for i in 1..1000000 return {a: i, b: [i, i]}",
        "{f: function(n, s) f(n + 1, s + s), r: f(1, 文)}.r",
    ],
)
def test_what_is_made_must_fit_into_the_memory(text: str) -> None:
    budget = Budget(milliseconds=20_000, steps=10**9, items=10**8, memory=20_000_000)
    tracemalloc.start()
    with pytest.raises(FeelBudgetExceeded) as error:
        compile_expression(text).evaluate(LONG, budget)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.value.code == "memory"
    assert peak < 2 * budget.memory


def test_many_small_matches_are_not_many_steps() -> None:
    assert compile_expression('string length(replace(文, "a", "bb"))').evaluate({"文": "ab" * 10_000}) == 30_000
    assert compile_expression("count(flatten(表))").evaluate({"表": [[1]] * 20_000}) == 20_000


def test_the_clock_is_read_often_enough_where_a_step_is_long() -> None:
    text = "for i in 1..1000 return [" + ", ".join(["i"] * 30_000) + "]"
    expression = compile_expression(text)
    started = time.process_time()
    with pytest.raises(FeelBudgetExceeded):
        expression.evaluate({}, Budget(steps=10**9, memory=10**10))
    assert time.process_time() - started < 0.2


def test_a_large_list_of_the_context_is_converted_once() -> None:
    numbers = list(range(1, 2001))
    expression = compile_expression("sum(for i in 1..2000 return 数[i])")
    assert expression.evaluate({"数": numbers}, Budget(milliseconds=1000)) == 2001000
