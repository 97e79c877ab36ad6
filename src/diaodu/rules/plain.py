"""FEEL values as plain JSON and back: what test cases, explanations and the history hold.

Texts, booleans, null, lists and contexts are themselves. A date, time or duration is FEEL's own literal in a text:
``@"2026-03-02"``. A number that JSON's numbers cannot hold exactly is a text ``@123.45``. A text that begins with
``@`` is written with another ``@`` in front. Ranges and functions are shown as FEEL text and not read back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from diaodu.dmn.model import InformationItem
from diaodu.feel import Date, DateTime, DaysDuration, MonthsDuration, Time
from diaodu.feel.temporal_text import temporal_of
from diaodu.feel.text import text_of
from diaodu.feel.values import lift

_TEMPORAL = (Date, Time, DateTime, DaysDuration, MonthsDuration)
_NUMBER = re.compile(r"@-?\d+(\.\d+)?", re.ASCII)
_SAFE_INTEGER = 2**53 - 1  # beyond it, readers of JSON that know only doubles lose digits
# Types whose texts need no mark where the model declares them.
_TEMPORAL_TYPES = frozenset(
    {
        "date",
        "time",
        "dateTime",
        "date and time",
        "dayTimeDuration",
        "days and time duration",
        "yearMonthDuration",
        "years and months duration",
    }
)


def to_plain(value: Any) -> Any:
    """The plain JSON of a FEEL value or of a value of Python that has one."""
    value = lift(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return "@" + value if value.startswith("@") else value
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, _TEMPORAL):
        return f'@"{value}"'
    if isinstance(value, list):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): to_plain(item) for name, item in value.items()}
    return text_of(value)


def _number(value: Decimal) -> Any:
    if value == value.to_integral_value() and abs(value) <= _SAFE_INTEGER:
        return int(value)
    near = float(value)
    return near if Decimal(repr(near)) == value else "@" + format(value, "f")


def from_plain(value: Any) -> Any:
    """The FEEL value of plain JSON; a text with a mark that means nothing is that text."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {name: from_plain(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [from_plain(item) for item in value]
    return lift(value)


def _text(value: str) -> Any:
    if not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    if len(value) > 2 and value[1] == value[-1] == '"':
        found = temporal_of(value[2:-1])
        return value if found is None else found
    return Decimal(value[1:]) if _NUMBER.fullmatch(value) else value


def typed_inputs(inputs: Mapping[str, Any], declared: Sequence[InformationItem]) -> dict[str, Any]:
    """Plain inputs as FEEL values; where a temporal type is declared, a bare text of that form will do."""
    types = {item.name: item.type_ref for item in declared}
    found = {name: from_plain(value) for name, value in inputs.items()}
    for name, value in found.items():
        kind = (types.get(name) or "").removeprefix("feel:")
        if isinstance(value, str) and kind in _TEMPORAL_TYPES:
            found[name] = temporal_of(value) or value
    return found
