"""Functions of dates, and `is`, `now` and `today`."""

from __future__ import annotations

from decimal import Decimal

from diaodu.feel.builtins.registry import builtin
from diaodu.feel.errors import Refused
from diaodu.feel.runtime import Run
from diaodu.feel.temporal import Date, DateTime, Time, day_number, from_python
from diaodu.feel.values import equal

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _date(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@builtin("day of year(date: date|date and time)")
def day_of_year(value: Date | DateTime) -> Decimal:
    date = _date(value)
    return Decimal(date.number - day_number(date.year, 1, 1) + 1)


@builtin("day of week(date: date|date and time)")
def day_of_week(value: Date | DateTime) -> str:
    return _DAYS[_date(value).weekday - 1]


@builtin("month of year(date: date|date and time)")
def month_of_year(value: Date | DateTime) -> str:
    return _MONTHS[_date(value).month - 1]


@builtin("week of year(date: date|date and time)")
def week_of_year(value: Date | DateTime) -> Decimal:
    """The week of ISO 8601: the one with the year's first Thursday is week 1."""
    date = _date(value)
    thursday = Date.of_day(date.number - date.weekday + 4)
    return Decimal((thursday.number - day_number(thursday.year, 1, 1)) // 7 + 1)


@builtin("is(value1?: any, value2?: any)")
def is_same(left: object = None, right: object = None) -> bool:
    """Whether both are the same value, written with the same zone."""
    if isinstance(left, (Time, DateTime)):
        return left == right
    return equal(left, right) is True


def _now(run: Run) -> DateTime:
    if run.now is None:
        raise Refused("no-clock")
    moment = from_python(run.now)
    assert isinstance(moment, DateTime)
    return moment


@builtin("now()")
def now(run: Run) -> DateTime:
    return _now(run)


@builtin("today()")
def today(run: Run) -> Date:
    return _now(run).date
