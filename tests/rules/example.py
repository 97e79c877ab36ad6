"""The table that the tests of the rules work on: the limit of an order in hours, by level and area."""

from typing import Any

from diaodu.dmn.model import Definitions
from diaodu.rules.document import empty, with_table

KEY = "订单时限"
TABLE: dict[str, Any] = {
    "hitPolicy": "UNIQUE",
    "inputs": [
        {"label": "客户级别", "expression": "级别", "type": "string", "values": '"五星","四星","普通"'},
        {"label": "农村", "expression": "农村", "type": "boolean"},
    ],
    "outputs": [{"label": "时限", "type": "number"}],
    "rules": [
        {"when": ['"五星"', "false"], "then": ["24"], "note": "重要客户"},
        {"when": ['"五星"', "true"], "then": ["36"]},
        {"when": ['"四星","普通"', "false"], "then": ["48"]},
        {"when": ['"四星","普通"', "true"], "then": ["72"]},
    ],
}
TESTS: list[dict[str, Any]] = [
    {"name": "五星城区", "inputs": {"级别": "五星", "农村": False}, "expected": 24},
    {"name": "普通农村", "inputs": {"级别": "普通", "农村": True}, "expected": 72},
]


def table(**changes: Any) -> dict[str, Any]:
    return {**TABLE, **changes}


def limits(**changes: Any) -> Definitions:
    """The model of the table, with parts of it replaced."""
    return with_table(empty(KEY, KEY), KEY, table(**changes))


def rules(*rows: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{"when": [level, rural], "then": [hours]} for level, rural, hours in rows]
