"""Tables of expressions and the text of what they give, one a line: `1 + 1 ==> 2`."""

from datetime import UTC, datetime

from diaodu.feel import compile_expression
from diaodu.feel.text import text_of

NOW = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)


def rows(table: str) -> list[tuple[str, str]]:
    """The expression and the expected text of every line."""
    found = [line.partition(" ==>") for line in table.strip().splitlines()]
    assert all(arrow for _, arrow, _ in found)
    return [(text, expected.removeprefix(" ")) for text, _, expected in found]


def shown(text: str) -> str:
    """The text of the value, `null` included."""
    value = compile_expression(text).evaluate({}, now=NOW)
    return "null" if value is None else text_of(value)
