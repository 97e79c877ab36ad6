"""The typed values of a conformance case, and when a result is as expected."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from diaodu.feel.temporal import Date, DateTime, Time
from diaodu.feel.temporal_text import date_of, date_time_of, duration_of, time_of
from diaodu.feel.values import equal, lift

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
# Of the expected number: what a processor with other rounding may differ by.
TOLERANCE = Decimal("1e-8")
Element = Any  # lxml's element; its stubs make attribute access noisier than it is worth


def is_element(element: Element, name: str) -> bool:
    """Whether it is the element of that name, in whatever namespace."""
    return bool(etree.QName(element).localname == name)


def value_of(element: Element) -> object:
    """The FEEL value in an element: of a `value`, a `list` of items, `component`s, or null.

    ValueError where a text is not of the type that it names.
    """
    if _is_nil(element):
        return None
    for child in element.iterchildren(etree.Element):
        if is_element(child, "list"):
            return None if _is_nil(child) else [value_of(item) for item in child.iterchildren("{*}item")]
        if is_element(child, "component"):
            return {each.get("name") or "": value_of(each) for each in element.iterchildren("{*}component")}
        if is_element(child, "value"):
            return None if _is_nil(child) else _typed(child.text or "", child.get(_XSI + "type") or "string")
    return None


def _is_nil(element: Element) -> bool:
    return (element.get(_XSI + "nil") or "").strip() in ("true", "1")


def _typed(text: str, name: str) -> object:
    kind = name.rpartition(":")[2]
    if kind == "string":
        return text
    read = _READERS.get(kind)
    value = None if read is None else read(text.strip())
    if value is None:
        raise ValueError(f"{text!r} is no value of type {name}")
    return value


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _boolean(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text)


_READERS: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(("decimal", "double", "float", "integer", "int", "long", "short", "byte"), _number),
    "boolean": _boolean,
    "date": date_of,
    "time": time_of,
    "dateTime": date_time_of,
    **dict.fromkeys(("duration", "dayTimeDuration", "yearMonthDuration"), duration_of),
}


def same(actual: object, expected: object) -> bool:
    """Whether a result is as expected: of the same type and, to the rounding of numbers, equal."""
    actual = lift(actual)
    if isinstance(expected, Decimal) and isinstance(actual, Decimal):
        return abs(actual - expected) <= TOLERANCE * abs(expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(same, actual, expected))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(same(actual[key], expected[key]) for key in expected)
    if isinstance(expected, (Time, DateTime)) and isinstance(actual, type(expected)):
        return _clock(actual) == _clock(expected)
    return equal(actual, expected) is True


def _clock(moment: Time | DateTime) -> tuple[Date | None, int, bool, int]:
    """What its clock shows, and the instant: a zone by name and by its offset are the same."""
    date, time = (moment.date, moment.time) if isinstance(moment, DateTime) else (None, moment)
    return date, time.nanos, time.is_local, moment.instant
