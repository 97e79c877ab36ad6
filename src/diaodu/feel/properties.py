"""The properties of the built-in types: `date.year`, `duration.hours`, `range.start` and so on."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from diaodu.feel.temporal import NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time
from diaodu.feel.values import Range


def _day_part(index: int) -> Callable[[DaysDuration], Decimal]:
    return lambda value: Decimal(value.parts()[index] * (-1 if value.nanos < 0 else 1))


def _seconds(value: DaysDuration) -> Decimal:
    parts = value.parts()
    size = parts[3] + Decimal(parts[4]) / NANOS
    return -size if value.nanos < 0 else size


def _months_part(value: MonthsDuration, part: int) -> Decimal:
    return Decimal(divmod(abs(value.months), 12)[part] * (-1 if value.months < 0 else 1))


def _offset(time: Time, date: Date) -> DaysDuration | None:
    offset = time.offset_on(date)
    return None if offset is None else DaysDuration(offset * NANOS)


_A_DAY = Date(2000, 1, 1)
_DATE: dict[str, Callable[[Date], object]] = {
    "year": lambda date: Decimal(date.year),
    "month": lambda date: Decimal(date.month),
    "day": lambda date: Decimal(date.day),
    "weekday": lambda date: Decimal(date.weekday),
}
_TIME: dict[str, Callable[[Time], object]] = {
    "hour": lambda time: Decimal(time.hour),
    "minute": lambda time: Decimal(time.minute),
    "second": lambda time: Decimal(time.second),
    "timezone": lambda time: time.zone,
}
_PROPERTIES: dict[type, dict[str, Callable[..., object]]] = {
    Date: dict(_DATE),
    Time: {**_TIME, "time offset": lambda time: _offset(time, _A_DAY)},
    DateTime: {
        **{name: lambda moment, read=read: read(moment.date) for name, read in _DATE.items()},
        **{name: lambda moment, read=read: read(moment.time) for name, read in _TIME.items()},
        "time offset": lambda moment: _offset(moment.time, moment.date),
    },
    DaysDuration: {"days": _day_part(0), "hours": _day_part(1), "minutes": _day_part(2), "seconds": _seconds},
    MonthsDuration: {"years": lambda value: _months_part(value, 0), "months": lambda value: _months_part(value, 1)},
    Range: {
        "start": lambda value: value.start,
        "end": lambda value: value.end,
        "start included": lambda value: value.start_included,
        "end included": lambda value: value.end_included,
    },
}


def property_of(value: object, name: str) -> Callable[..., object] | None:
    """How to read that property of a value of this type; None when there is none."""
    return _PROPERTIES.get(type(value), {}).get(name)
