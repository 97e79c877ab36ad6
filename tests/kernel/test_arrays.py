"""Columns as binary arrays: what PostgreSQL reads is what was given."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from diaodu.kernel import arrays
from diaodu.kernel.db import Tx

AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
CHINA = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("sql_type", "values"),
    [
        ("int2", [1, -32768, 32767]),
        ("int4", [0, 2**31 - 1, -(2**31)]),
        ("int8", [2**63 - 1, -(2**63), 255, 256]),
        ("int8", [None, 7, None]),
        ("int8", [None, None]),
        ("int8", [5]),
        ("text", ["", "é 调度", "same", None]),
        ("text", ["same", "same"]),
        ("bool", [True, False, None]),
        ("bytea", [b"", b"\x00\xff", None]),
        ("timestamptz", [AT, datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), None]),
        ("timestamptz", [AT, AT.astimezone(CHINA)]),
    ],
)
def test_values_arrive_as_they_were(tx: Tx, sql_type: str, values: list[Any]) -> None:
    array = arrays.encoded(sql_type, values)
    found = tx.rows(f"select v from unnest(%b::{sql_type}[]) v", (array,))
    assert [row[0] for row in found] == values


def test_equal_documents_keep_their_own_text(tx: Tx) -> None:
    # In Python 1, 1.0 and True are equal; in JSON they are not.
    documents = [{"a": 1}, {"a": True}, {"a": 1.0}, None, {"b": [AT]}]
    found = tx.rows("select v from unnest(%b::text[]) v", (arrays.encoded("jsonb", documents),))
    assert [row[0] for row in found] == [
        '{"a":1}', '{"a":true}', '{"a":1.0}', None, '{"b":["2026-03-02T09:00:00.123456+00:00"]}',
    ]  # fmt: skip


def test_a_type_of_its_own_is_left_to_the_driver() -> None:
    assert arrays.encoded("date", [AT.date()]) is None


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError):
        arrays.encoded("int2", [1, 2**15])
