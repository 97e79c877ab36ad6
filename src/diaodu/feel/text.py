"""Values to text, as `string()` gives it and as FEEL would read it again."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from diaodu.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from diaodu.feel.values import Function, Range, entry, lift

_PLAIN_KEY = re.compile(r"[^\W\d]\w*")


def number_text(number: Decimal) -> str:
    """Without an exponent and without zeros at the end."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_of(value: object) -> str:
    """The text of a value; a text within a list or context stands in quotation marks."""
    return value if isinstance(value, str) else _literal(value)


def _literal(value: object) -> str:
    return _WRITERS[type(value)](value)


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _list(value: list[object]) -> str:
    return "[" + ", ".join(_literal(lift(item)) for item in value) + "]"


def _context(value: dict[str, object]) -> str:
    return "{" + ", ".join(f"{_key(key)}: {_literal(entry(value, key))}" for key in value) + "}"


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else _literal(key)


def _range(value: Range) -> str:
    if value.operator:
        end = value.end if value.start is None else value.start
        return f"({value.operator} {_literal(end)})"
    opening, closing = "[" if value.start_included else "(", "]" if value.end_included else ")"
    return f"{opening}{_literal(value.start)}..{_literal(value.end)}{closing}"


_WRITERS: dict[type, Callable[..., str]] = {
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    Decimal: number_text,
    str: _text,
    list: _list,
    dict: _context,
    Range: _range,
    Function: lambda function: f"function {function.name}",
    **dict.fromkeys((Date, Time, DateTime, DaysDuration, MonthsDuration), str),
}
