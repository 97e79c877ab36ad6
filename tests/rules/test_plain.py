"""FEEL values and plain JSON: what is written is read back."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diaodu import feel
from diaodu.dmn.model import InformationItem
from diaodu.rules.evaluate import agrees
from diaodu.rules.plain import from_plain, to_plain, typed_inputs


def value_of(text: str) -> Any:
    return feel.compile_expression(text).evaluate({})


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("null", None),
        ("true", True),
        ("12", 12),
        ("12.50", 12.5),
        ("9007199254740993", "@9007199254740993"),
        ("0.1234567890123456789012345", "@0.1234567890123456789012345"),
        ('"五星"', "五星"),
        ('"@2026"', "@@2026"),
        ('@"2026-03-02"', '@"2026-03-02"'),
        ('@"2026-03-02T09:00:00@Asia/Shanghai"', '@"2026-03-02T09:00:00@Asia/Shanghai"'),
        ('@"P1Y2M"', '@"P1Y2M"'),
        ('@"PT36H"', '@"P1DT12H"'),
        ('[1, [@"10:00:00"]]', [1, ['@"10:00:00"']]),
        ("{级别: {n: 5}}", {"级别": {"n": 5}}),
    ],
)
def test_a_value_is_written_and_read_back(text: str, plain: Any) -> None:
    assert to_plain(value_of(text)) == plain
    assert type(to_plain(value_of(text))) is type(plain)
    assert from_plain(plain) == value_of(text)


def test_a_range_is_shown_as_feel() -> None:
    assert to_plain(value_of("[1..5)")) == "[1..5)"


def test_dates_of_python_are_those_of_feel() -> None:
    assert to_plain(dt.date(2026, 3, 2)) == '@"2026-03-02"'


@pytest.mark.parametrize("text", ["@", '@"', '@""', '@"nonsense"', "@1e5", "@user"])
def test_a_mark_that_means_nothing_is_text(text: str) -> None:
    assert from_plain(text) == text
    assert from_plain(to_plain(text)) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.decimals(allow_nan=False, allow_infinity=False, places=5),
        st.lists,
        max_leaves=8,
    )
)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert from_plain(to_plain(value)) == value


def test_a_bare_text_will_do_where_a_temporal_type_is_declared() -> None:
    declared = [InformationItem(name="日期", type_ref="date"), InformationItem(name="名称", type_ref="string")]
    given_inputs = {"日期": "2026-03-02", "名称": "2026-03-02", "另": "x"}
    assert typed_inputs(given_inputs, declared) == {
        "日期": value_of('@"2026-03-02"'), "名称": "2026-03-02", "另": "x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "text", "same"),
    [
        (24, "24", True),
        (24.0, "24.00", True),
        (1, "true", False),
        (True, "true", True),
        ("24", "24", False),
        (None, "null", True),
        (None, "0", False),
        ("2026-03-02", '@"2026-03-02"', True),
        ('@"2026-03-02"', '@"2026-03-02"', True),
        ("2026-03-02", '"2026-03-02"', True),
        ('@"2026-03-02"', '"2026-03-02"', False),
        ({"a": [1, "PT1H"]}, '{a: [1, @"PT1H"]}', True),
        ({"a": 1}, "{a: 1, b: null}", False),
        ([1, 2], "[2, 1]", False),
    ],
)
def test_what_is_expected_is_compared_by_value(expected: Any, text: str, *, same: bool) -> None:
    assert agrees(expected, value_of(text)) is same


def test_a_number_is_exact() -> None:
    assert from_plain(0.1) == Decimal("0.1")
