"""Whatever stands in a table, it is read, checked and evaluated without a crash."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dmn.tables import tree

from diaodu.dmn.check import check_table
from diaodu.dmn.model import Aggregation, DecisionTable, HitPolicy, Input, LiteralExpression, Output, Rule
from diaodu.dmn.table import compile_table
from diaodu.feel import Budget, FeelBudgetExceeded
from diaodu.feel.compile import LANGUAGE
from diaodu.feel.errors import Source
from diaodu.feel.runtime import Frame, Run
from diaodu.feel.scope import Scope

WORDS = """
    1 2.5 -3 "a" "五星" null true false x y ( ) [ ] { } , .. : + - * / < <= > >= = != and or not( in between if then
    else for return ? date( "2026-01-01" time( "25:00:00" duration( "P1D" "P1Y" @"2026-02-30" @"10:00:00" @"10:00:00Z"
    @"2026-01-01T10:00:00" @"P1M" number( - [1..3] (3..1) [null..2] [x..y] <@"P1D" count( function(x) list contains(
    [1,2] 1e6000 >=1 =null !=null
"""
PIECES = WORDS.split()
TEXTS = st.lists(st.sampled_from(PIECES), max_size=4).map(" ".join)
VALUES = st.sampled_from([None, True, 1, 2.5, "a", "五星", [1, 2], [], {"a": 1}])
TYPES = st.sampled_from([None, "number", "string", "boolean", "date", "time", "Any", "nothing"])


@st.composite
def tables(draw: st.DrawFn) -> DecisionTable:
    inputs, outputs = draw(st.integers(1, 3)), draw(st.integers(1, 2))

    def some(count: int) -> tuple[str, ...]:
        # Now and then a cell too few.
        return tuple(draw(TEXTS) for _ in range(count - (draw(st.integers(0, 9)) == 0)))

    return DecisionTable(
        inputs=tuple(
            Input(expression=LiteralExpression(text=draw(TEXTS), type_ref=draw(TYPES)), values=draw(st.none() | TEXTS))
            for _ in range(inputs)
        ),
        outputs=tuple(
            Output(name=f"o{n}", type_ref=draw(TYPES), values=draw(st.none() | TEXTS), default=draw(st.none() | TEXTS))
            for n in range(outputs)
        ),
        rules=tuple(Rule(inputs=some(inputs), outputs=some(outputs)) for _ in range(draw(st.integers(0, 4)))),
        hit_policy=draw(st.sampled_from(HitPolicy)),
        aggregation=draw(st.none() | st.sampled_from(Aggregation)),
    )


@settings(max_examples=500, deadline=None)
@given(tables(), VALUES, VALUES, st.booleans())
def test_nothing_crashes(asked: DecisionTable, x: object, y: object, explains: Any) -> None:
    check_table(asked, ["x", "y"])
    for each in (asked, replace(asked, inputs=tuple(replace(i, values=None) for i in asked.inputs))):
        node, _ = tree(each)
        run = Run.start(Budget(milliseconds=200), reasons=[])
        run.explains = explains
        with suppress(FeelBudgetExceeded):
            compile_table(node, Scope(LANGUAGE, Source("", "d")))(Frame({"x": x, "y": y}, run, {}, None))
