"""The values of FEEL and what is the same for all of them: kind, conversion, equality, order, membership.

Numbers are Decimal, texts str, booleans bool, null None, lists list, contexts dict; the rest are classes of this room.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from operator import is_
from typing import Any, TypeVar

from diaodu.feel import temporal
from diaodu.feel.temporal import NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time, from_python
from diaodu.feel.types import Type

# The 34 digits and the exponents of IEEE 754 decimal128, which the standard names.
NUMBERS = Context(prec=34, Emin=-6143, Emax=6144, traps=[InvalidOperation, DivisionByZero, Overflow])


@dataclass(frozen=True, slots=True)
class Range:
    """`[start..end]`; `operator` is set for `(< x)` and the like, where the other end is None and open."""

    start: object
    end: object
    start_included: bool
    end_included: bool
    operator: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function as a value; `call` takes the arguments in the order of `parameters`.

    `by_position` and `by_name` raise Refused when the arguments do not fit.
    """

    name: str
    by_position: Callable[[object, Sequence[object]], object]
    by_name: Callable[[object, Mapping[str, object]], object]
    arity: int
    # The types of the parameters and of the result, where they are declared.
    types: tuple[Type | None, ...] = ()
    result: Type | None = None


KINDS: dict[type, str] = {
    Decimal: "number",
    str: "string",
    bool: "boolean",
    type(None): "null",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    DaysDuration: "days and time duration",
    MonthsDuration: "years and months duration",
    list: "list",
    dict: "context",
    Range: "range",
    Function: "function",
}
# Values that need no conversion and hold no others.
PLAIN = frozenset(kind for kind in KINDS if kind is not list)
# Values of which Python's own equality is FEEL's, when both are of the same type.
SCALAR = frozenset({Decimal, str, bool, Date, DaysDuration, MonthsDuration})


def kind_of(value: object) -> str:
    """The FEEL type of a value."""
    return KINDS.get(type(value), "Any")


def lift(value: object) -> object:
    """The FEEL value of a value of Python; TypeError when it has none."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        number = Decimal(str(value))
        return number if number.is_finite() else None
    if isinstance(value, (list, tuple)):
        return _lift_items(value, {})
    if isinstance(value, (dt.date, dt.time, dt.timedelta)):
        return from_python(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):
        # Not str(): that is the name of a member for an enumeration of texts.
        return str.__str__(value)
    raise TypeError(f"{kind.__name__} is no FEEL value")


def _lift_items(value: Sequence[object], known: dict[int, list[object]]) -> list[object]:
    """The list of the FEEL values; a list that stands in several places is converted once, and only where it must."""
    found = known.get(id(value))
    if found is None:
        made = [
            item if type(item) in PLAIN else _lift_items(item, known) if isinstance(item, (list, tuple)) else lift(item)
            for item in value
        ]
        found = value if isinstance(value, list) and all(map(is_, made, value)) else made
        known[id(value)] = found
    return found


def to_python(value: object) -> object:
    """The value with its dates, times and days durations as those of Python, also within lists and contexts.

    ValueError or OverflowError outside the years 1 to 9999.
    """
    if isinstance(value, (Date, Time, DateTime, DaysDuration)):
        return temporal.to_python(value)
    if isinstance(value, (list, tuple)):
        return [to_python(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_python(item) for key, item in value.items()}
    return value


def entry(context: dict[str, object], name: str) -> object:
    """The entry of a context as a FEEL value; None when there is none."""
    value = context.get(name)
    return value if type(value) in PLAIN else lift(value)


# Told how much work a piece of a long comparison is, so that it can be stopped.
Step = Callable[[int], None]
# Items of a list that are gone through between two steps.
CHUNK = 1000


def _unmetered(_count: int) -> None:
    return None


Item = TypeVar("Item")


def in_steps(items: Sequence[Item], step: Step) -> Iterator[Item]:
    """The items one by one; going through a long list can be stopped."""
    for start in range(0, len(items), CHUNK):
        part = items[start : start + CHUNK]
        step(1 + (len(part) >> 4))
        yield from part


def equal(left: object, right: object, step: Step = _unmetered) -> bool | None:
    """FEEL's `=`: None when the kinds differ."""
    if left is None or right is None:
        return left is right
    kind = type(left)
    if kind is not type(right):
        return None
    if kind in SCALAR:
        return left == right
    compare = _EQUALITIES.get(kind)
    return compare(left, right, step) if compare is not None else None


def _equal_lists(left: list[object], right: list[object], step: Step) -> bool | None:
    if len(left) != len(right):
        return False
    if left is right:
        return True
    return all(equal(lift(a), lift(b), step) is True for a, b in zip(in_steps(left, step), right, strict=True))


def _equal_contexts(left: dict[str, object], right: dict[str, object], step: Step) -> bool | None:
    if left.keys() != right.keys():
        return False
    step(1)
    keys = in_steps(list(left), step) if len(left) > CHUNK else left
    return all(equal(entry(left, key), entry(right, key), step) is True for key in keys)


def _equal_moments(left: Time | DateTime, right: Time | DateTime, _step: Step) -> bool | None:
    (left_local, a), (right_local, b) = moment_key(left), moment_key(right)
    # The standard compares moments for equality by whole seconds.
    return left_local == right_local and a // NANOS == b // NANOS


def _equal_ranges(left: Range, right: Range, _step: Step) -> bool | None:
    if (left.start_included, left.end_included, left.operator) != (
        right.start_included,
        right.end_included,
        right.operator,
    ):
        return False
    return equal(left.start, right.start) is True and equal(left.end, right.end) is True


_EQUALITIES: dict[type, Callable[..., bool | None]] = {
    list: _equal_lists,
    dict: _equal_contexts,
    Time: _equal_moments,
    DateTime: _equal_moments,
    Range: _equal_ranges,
    Function: lambda left, right, _step: True if left is right else None,
}


def range_of(operator: str, value: object) -> Range:
    """The range that `(< value)` and the like mean."""
    included = operator in ("<=", ">=", "=", "!=")
    start = None if operator in ("<", "<=") else value
    end = None if operator in (">", ">=") else value
    return Range(start, end, included and start is not None, included and end is not None, operator)


def moment_key(value: Time | DateTime) -> tuple[bool, int]:
    """Local moments and moments with a zone never equal each other."""
    time = value if isinstance(value, Time) else value.time
    return time.is_local, value.instant


_ORDER: dict[type, Callable[..., Any]] = {
    Decimal: lambda value: value,
    str: lambda value: value,
    Date: lambda value: value.number,
    Time: lambda value: value.instant,
    DateTime: lambda value: value.instant,
    DaysDuration: lambda value: value.nanos,
    MonthsDuration: lambda value: value.months,
}


def compare(left: object, right: object) -> int | None:
    """-1, 0 or 1; None when the two have no order."""
    key = _ORDER.get(type(left))
    if key is None or type(left) is not type(right):
        return None
    if isinstance(left, (Time, DateTime)) and isinstance(right, (Time, DateTime)):
        (left_local, a_moment), (right_local, b_moment) = moment_key(left), moment_key(right)
        if left_local != right_local:
            return None
        return (a_moment > b_moment) - (a_moment < b_moment)
    a, b = key(left), key(right)
    return int(a > b) - int(a < b)


def orderable(value: object) -> bool:
    return type(value) in _ORDER


def in_range(value: object, within: Range) -> bool | None:
    """Whether the value lies in the range; None when it cannot be compared with an end."""
    if within.operator in ("=", "!="):
        same = equal(value, within.start)
        return None if same is None else same is (within.operator == "=")
    if value is None or (None in (within.start, within.end) and not within.operator):
        return None
    if within.start is None and within.end is None:
        return None
    if within.start is not None:
        order = compare(value, within.start)
        if order is None:
            return None
        if order < 0 or (order == 0 and not within.start_included):
            return False
    if within.end is not None:
        order = compare(value, within.end)
        if order is None:
            return None
        if order > 0 or (order == 0 and not within.end_included):
            return False
    return True


def satisfies(value: object, test: object, step: Step = _unmetered) -> bool | None:
    """Whether a value passes a test that is itself a value: a range, a list of tests, or the value to equal."""
    if isinstance(test, Range):
        return equal(value, test) if isinstance(value, Range) else in_range(value, test)
    if isinstance(test, list):
        if isinstance(value, list) and equal(value, test, step):
            return True
        found = [satisfies(value, item, step) for item in test]
        return True in found
    return equal(value, test, step)
