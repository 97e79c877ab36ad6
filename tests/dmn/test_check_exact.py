"""Gaps and overlaps against a plain look at points: nothing is told that is not so, nothing is left out."""

import itertools
from decimal import Decimal
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dmn.tables import table

from diaodu.dmn.check import check_table
from diaodu.dmn.findings import Finding
from diaodu.dmn.model import HitPolicy
from diaodu.feel import compile_unary_tests

NUMBERS = ["1", "2", "3"]
TEXTS = ['"a"', '"b"', '"c"']
# At and between all ends, and beyond them.
NUMBER_POINTS = [Decimal(n) / 2 for n in range(1, 8)]
TEXT_POINTS = ["", "a", "aa", "b", "bb", "c", "d"]
POINTS = list(itertools.product(NUMBER_POINTS, TEXT_POINTS, [True, False]))


def cells(ends: list[str]) -> st.SearchStrategy[str]:
    one = st.sampled_from(ends)
    pair = st.tuples(one, one).filter(lambda both: both[0] <= both[1])
    operators = st.sampled_from(["<", "<=", ">", ">="])
    return st.one_of(
        st.just("-"),
        one,
        st.builds("{}{}".format, operators, one),
        st.builds("not({})".format, one),
        st.builds("{}, {}".format, one, one),
        st.builds(
            lambda opening, both, closing: f"{opening}{both[0]}..{both[1]}{closing}",
            st.sampled_from("[("),
            pair,
            st.sampled_from("])"),
        ),
    )


RULES = st.tuples(cells(NUMBERS), cells(TEXTS), st.sampled_from(["-", "true", "false", "not(true)"]))
TABLES = st.lists(RULES, min_size=1, max_size=7)


def matching(rules: list[tuple[str, ...]], point: tuple[object, ...]) -> list[int]:
    return [n for n, rule in enumerate(rules, 1) if takes(rule, point)]


def takes(region: tuple[str, ...], point: tuple[object, ...]) -> bool:
    return all(passes(cell, value) for cell, value in zip(region, point, strict=True))


@cache
def passes(cell: str, value: object) -> bool:
    return compile_unary_tests(cell).evaluate(value, {}) is True


def findings(rules: list[tuple[str, ...]], policy: HitPolicy) -> list[Finding]:
    rows = [" | ".join(rule) + f" -> {n}" for n, rule in enumerate(rules, 1)]
    return check_table(table(rows, policy, types=("number", "string", "boolean")))


@settings(max_examples=150, deadline=None)
@given(TABLES)
def test_gaps_and_overlaps_are_exact(rules: list[tuple[str, ...]]) -> None:
    found = findings(rules, HitPolicy.UNIQUE)
    gaps = [f.cells for f in found if f.code == "gap"]
    overlaps = {f.rules: f.cells for f in found if f.code == "overlap"}
    seen: set[tuple[int, ...]] = set()
    for point in POINTS:
        matches = matching(rules, point)
        assert any(takes(gap, point) for gap in gaps) is (not matches)
        for pair in itertools.combinations(matches, 2):
            seen.add(pair)
            assert takes(overlaps[pair], point)
        for both, region in overlaps.items():
            assert set(both) <= set(matches) or not takes(region, point)
    assert seen == set(overlaps)


@settings(max_examples=100, deadline=None)
@given(TABLES)
def test_shadowed_rules_are_exact(rules: list[tuple[str, ...]]) -> None:
    found = findings(rules, HitPolicy.FIRST)
    shadowed = {f.rule for f in found if f.code == "shadowed"}
    first = {matches[0] for point in POINTS if (matches := matching(rules, point))}
    taken = {n for point in POINTS for n in matching(rules, point)}
    assert shadowed == taken - first
    assert {f.rule for f in found if f.code == "never"} == set(range(1, len(rules) + 1)) - taken
