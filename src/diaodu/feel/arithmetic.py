"""What `+ - * / **` mean for each pair of types; a pair that is not listed gives null."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal

from diaodu.feel.errors import Refused
from diaodu.feel.temporal import DAY_NANOS, NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time
from diaodu.feel.values import NUMBERS, kind_of

# No duration is longer than the calendar; larger ones would only grow without end in a loop.
MAX_NANOS = 2 * 366 * 999_999_999 * DAY_NANOS
MAX_MONTHS = 2 * 12 * 999_999_999
_MIDNIGHT_GREENWICH = Time(0, 0)


def days_duration(nanos: int) -> DaysDuration:
    if abs(nanos) > MAX_NANOS:
        raise Refused("number-range")
    return DaysDuration(nanos)


def months_duration(months: int) -> MonthsDuration:
    if abs(months) > MAX_MONTHS:
        raise Refused("number-range")
    return MonthsDuration(months)


def whole(number: Decimal) -> int:
    """The number without its fraction, as an int of a size worth computing with."""
    if number.adjusted() > 40:
        raise Refused("number-range")
    return int(number.to_integral_value(ROUND_DOWN))


def _divide(left: Decimal, right: Decimal) -> Decimal:
    if not right:
        raise Refused("division-by-zero")
    return NUMBERS.divide(left, right)


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    if not base and exponent <= 0:
        # As in XPath and IEEE 754: 1 for the exponent 0, and no finite number below.
        if exponent:
            raise Refused("division-by-zero")
        return Decimal(1)
    return NUMBERS.power(base, exponent)


def _days_later(date: Date, duration: DaysDuration) -> Date:
    return Date.of_day((date.number * DAY_NANOS + duration.nanos) // DAY_NANOS)


def _time_later(time: Time, duration: DaysDuration) -> Time:
    return Time((time.nanos + duration.nanos) % DAY_NANOS, time.offset, time.zone)


def _months_later(moment: DateTime, duration: MonthsDuration) -> DateTime:
    return DateTime(moment.date.plus_months(duration.months), moment.time)


def _between(later: DateTime, earlier: DateTime) -> DaysDuration:
    if later.time.is_local != earlier.time.is_local:
        raise Refused("operands", left=kind_of(later), operator="-", right="date and time")
    return DaysDuration(later.instant - earlier.instant)


def _between_times(later: Time, earlier: Time) -> DaysDuration:
    if later.is_local != earlier.is_local:
        raise Refused("operands", left="time", operator="-", right="time")
    return DaysDuration(later.instant - earlier.instant)


def _midnight(date: Date) -> DateTime:
    return DateTime(date, _MIDNIGHT_GREENWICH)


def negated(value: MonthsDuration | DaysDuration) -> MonthsDuration | DaysDuration:
    return DaysDuration(-value.nanos) if isinstance(value, DaysDuration) else MonthsDuration(-value.months)


def _times_days(duration: DaysDuration, factor: Decimal) -> DaysDuration:
    return days_duration(whole(NUMBERS.multiply(duration.nanos, factor)))


def _times_months(duration: MonthsDuration, factor: Decimal) -> MonthsDuration:
    return months_duration(whole(NUMBERS.multiply(duration.months, factor)))


Operation = Callable[..., object]
_ADD: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): NUMBERS.add,
    (str, str): operator.add,
    (Date, MonthsDuration): lambda a, b: a.plus_months(b.months),
    (Date, DaysDuration): _days_later,
    (DateTime, MonthsDuration): _months_later,
    (DateTime, DaysDuration): lambda a, b: a.plus_nanos(b.nanos),
    (Time, DaysDuration): _time_later,
    (DaysDuration, DaysDuration): lambda a, b: days_duration(a.nanos + b.nanos),
    (MonthsDuration, MonthsDuration): lambda a, b: months_duration(a.months + b.months),
}
_SUBTRACT: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): NUMBERS.subtract,
    (Date, Date): lambda a, b: DaysDuration((a.number - b.number) * DAY_NANOS),
    (DateTime, DateTime): _between,
    (Date, DateTime): lambda a, b: _between(_midnight(a), b),
    (DateTime, Date): lambda a, b: _between(a, _midnight(b)),
    (Time, Time): _between_times,
    (Date, MonthsDuration): lambda a, b: a.plus_months(-b.months),
    (Date, DaysDuration): lambda a, b: _days_later(a, DaysDuration(-b.nanos)),
    (DateTime, MonthsDuration): lambda a, b: _months_later(a, MonthsDuration(-b.months)),
    (DateTime, DaysDuration): lambda a, b: a.plus_nanos(-b.nanos),
    (Time, DaysDuration): lambda a, b: _time_later(a, DaysDuration(-b.nanos)),
    (DaysDuration, DaysDuration): lambda a, b: days_duration(a.nanos - b.nanos),
    (MonthsDuration, MonthsDuration): lambda a, b: months_duration(a.months - b.months),
}
_MULTIPLY: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): NUMBERS.multiply,
    (DaysDuration, Decimal): _times_days,
    (MonthsDuration, Decimal): _times_months,
}
_DIVIDE: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): _divide,
    (DaysDuration, Decimal): lambda a, b: days_duration(whole(_divide(Decimal(a.nanos), b))),
    (MonthsDuration, Decimal): lambda a, b: months_duration(whole(_divide(Decimal(a.months), b))),
    (DaysDuration, DaysDuration): lambda a, b: _divide(Decimal(a.nanos), Decimal(b.nanos)),
    (MonthsDuration, MonthsDuration): lambda a, b: _divide(Decimal(a.months), Decimal(b.months)),
}
# A sum or product with a duration may be written either way round.
for _table in (_ADD, _MULTIPLY):
    for (_left, _right), _operation in list(_table.items()):
        if _left is not _right:
            _table[_right, _left] = lambda a, b, _operation=_operation: _operation(b, a)

OPERATIONS: dict[str, dict[tuple[type, type], Operation]] = {
    "+": _ADD,
    "-": _SUBTRACT,
    "*": _MULTIPLY,
    "/": _DIVIDE,
    "**": {(Decimal, Decimal): _power},
}


def seconds(duration: DaysDuration) -> Decimal:
    """The length of a days and time duration in seconds."""
    return NUMBERS.divide(Decimal(duration.nanos), Decimal(NANOS))
