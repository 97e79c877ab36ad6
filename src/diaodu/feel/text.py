"""Values to text, as `string()` gives it and as FEEL would read it again."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from decimal import Decimal

from diaodu.feel.budget import Budget, Meter
from diaodu.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from diaodu.feel.values import Function, Range, entry, lift

_PLAIN_KEY = re.compile(r"[^\W\d]\w*")


def number_text(number: Decimal) -> str:
    """Without an exponent and without zeros at the end."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_of(value: object, meter: Meter | None = None) -> str:
    """The text of a value; a text within a list or context stands in quotation marks.

    What it costs is accounted for on `meter`: a value that contains another many times has a text of any length.
    """
    return value if isinstance(value, str) else _literal(value, meter or Meter(_UNBOUNDED))


_UNBOUNDED = Budget(steps=sys.maxsize, items=sys.maxsize, milliseconds=sys.maxsize)


def _literal(value: object, meter: Meter) -> str:
    plain = _PLAIN_WRITERS.get(type(value))
    return plain(value) if plain is not None else _COMPOSITE_WRITERS[type(value)](value, meter)


def _sized(text: str, meter: Meter) -> str:
    meter.size(len(text))
    return text


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def _text(value: str) -> str:
    return f'"{value.translate(_ESCAPES)}"'


def _list(value: list[object], meter: Meter) -> str:
    parts: list[str] = []
    for item in value:
        meter.step()
        parts.append(_literal(lift(item), meter))
    return _sized(f"[{', '.join(parts)}]", meter)


def _context(value: dict[str, object], meter: Meter) -> str:
    parts: list[str] = []
    for key in value:
        meter.step()
        parts.append(f"{_key(key)}: {_literal(entry(value, key), meter)}")
    return _sized("{" + ", ".join(parts) + "}", meter)


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else _text(key)


def _range(value: Range, meter: Meter) -> str:
    if value.operator:
        end = value.end if value.start is None else value.start
        return f"({value.operator} {_literal(end, meter)})"
    opening, closing = "[" if value.start_included else "(", "]" if value.end_included else ")"
    return f"{opening}{_literal(value.start, meter)}..{_literal(value.end, meter)}{closing}"


_PLAIN_WRITERS: dict[type, Callable[..., str]] = {
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    Decimal: number_text,
    str: _text,
    Function: lambda function: f"function {function.name}",
    **dict.fromkeys((Date, Time, DateTime, DaysDuration, MonthsDuration), str),
}
_COMPOSITE_WRITERS: dict[type, Callable[..., str]] = {list: _list, dict: _context, Range: _range}
