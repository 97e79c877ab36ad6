"""The index of a table finds exactly the rules that a look at every single cell finds."""

import datetime as dt
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dmn.tables import compiled, run_of, table, tree

from diaodu.dmn.index import ColumnIndex
from diaodu.dmn.model import HitPolicy
from diaodu.feel import compile_unary_tests
from diaodu.feel.values import lift

ENDS = {
    "number": ["-3", "0", "0.5", "1", "1.0", "2", "10"],
    "string": ['""', '"a"', '"b"', '"五星"'],
    "date": ['@"2026-01-01"', '@"2026-01-02"', 'date("2026-02-28")'],
    "moment": ['@"2026-01-01T10:00:00Z"', '@"2026-01-01T10:00:00.5Z"', '@"2026-01-01T10:00:00"'],
    "days": ['@"P1D"', '@"PT25H"', '-@"P1D"'],
    "months": ['@"P1Y"', '@"P13M"'],
}
VALUES = [
    *(None, True, False, -3, 0, Decimal("0.25"), 1, 2, 3, 10, 11, "", "a", "ab", "b", "五星"),
    *(dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2026, 2, 28), dt.timedelta(1), dt.timedelta(-1)),
    *(
        dt.datetime(2026, 1, 1, 10, tzinfo=dt.UTC),
        dt.datetime.fromisoformat("2026-01-01T10:00:00"),
        [1, 2],
        ["a"],
        {"a": 1},
    ),
]
OPERATORS = st.sampled_from(["<", "<=", ">", ">=", "=", "!=", ""])


@st.composite
def cells_of_one_kind(draw: st.DrawFn) -> str:
    ends = ENDS[draw(st.sampled_from(sorted(ENDS)))]
    one = st.sampled_from([*ends, *ends, "null"])
    form = draw(st.integers(0, 5))
    if form == 0:
        return "-"
    if form == 1:
        return f"{draw(OPERATORS)} {draw(one)}"
    if form == 2:
        return f"{draw(st.sampled_from('[]('))}{draw(one)}..{draw(one)}{draw(st.sampled_from('])['))}"
    if form == 3:
        return ", ".join(draw(st.lists(one, min_size=1, max_size=3)))
    if form == 4:
        return f"not({draw(OPERATORS)} {draw(one)}, {draw(one)})"
    return f"[{draw(one)}, {draw(OPERATORS)} {draw(one)}]"


CELLS = st.one_of(cells_of_one_kind(), cells_of_one_kind(), st.sampled_from(["? > 1", "y", "[1..y]", "? = null"]))


@settings(max_examples=1000, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=6), st.sampled_from(VALUES))
def test_one_column(cells: list[str], value: object) -> None:
    index = ColumnIndex(tuple(row[0] for row in tree(table([f"{cell} -> 1" for cell in cells]))[0].cells))
    assert index.rows(lift(value)) == index.scan(lift(value))


@settings(max_examples=600, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6), st.sampled_from(VALUES), st.sampled_from(VALUES))
def test_whole_tables(rows: list[tuple[str, str]], x: object, y: object) -> None:
    asked = table([f"{a} | {b} -> {n}" for n, (a, b) in enumerate(rows, 1)], HitPolicy.RULE_ORDER)
    expected = [
        Decimal(n)
        for n, cells in enumerate(rows, 1)
        if all(
            compile_unary_tests(cell).evaluate(value, {"x": x, "y": y}) is True
            for cell, value in zip(cells, (x, y), strict=True)
        )
    ]
    value, record, _ = run_of(compiled(asked), {"x": x, "y": y})
    assert value == expected
    assert record.rules == tuple(int(n) for n in expected)
