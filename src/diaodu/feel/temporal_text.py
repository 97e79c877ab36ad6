"""Text to dates, times and durations."""

from __future__ import annotations

import re

from diaodu.feel.temporal import DAY_NANOS, NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time, zone

Temporal = Date | Time | DateTime | MonthsDuration | DaysDuration

_DATE = re.compile(r"(-?(?:[1-9]\d{4,8}|\d{4}))-(\d\d)-(\d\d)", re.ASCII)
_TIME = re.compile(
    r"(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d)(?::(\d\d))?|@([A-Za-z][\w+/-]*))?", re.ASCII
)
_MIDNIGHT_AT_END = re.compile(r"^24(?=:00:00(?:\.0+)?(?![.\d]))")
_MONTHS = re.compile(r"(-)?P(?=\d)(?:(\d+)Y)?(?:(\d+)M)?", re.ASCII)
_DAYS = re.compile(r"(-)?P(?=\d|T)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d*))?S)?)?", re.ASCII)
MAX_OFFSET_HOURS = 18
# Longer runs of digits are no durations anybody lives through; they only cost time.
MAX_DURATION_TEXT = 60


def date_of(text: str) -> Date | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return Date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def time_of(text: str) -> Time | None:
    """A time of day; the midnight that ends the day is the one that begins it."""
    match = _TIME.fullmatch(_MIDNIGHT_AT_END.sub("00", text))
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3])
    if hour > 23 or minute > 59 or second > 59:
        return None
    nanos = ((hour * 60 + minute) * 60 + second) * NANOS + _fraction(match[4])
    if match[10] is not None:
        return None if zone(match[10]) is None else Time(nanos, zone=match[10])
    if match[5] is not None:
        return Time(nanos, 0)
    if match[6] is None:
        return Time(nanos)
    hours, minutes, seconds = int(match[7]), int(match[8]), int(match[9] or 0)
    offset = (hours * 60 + minutes) * 60 + seconds
    if minutes > 59 or seconds > 59 or offset > MAX_OFFSET_HOURS * 3600:
        return None
    return Time(nanos, -offset if match[6] == "-" else offset)


def date_time_of(text: str) -> DateTime | None:
    """A date and time; a date alone means its midnight."""
    day, separator, clock = text.partition("T")
    date = date_of(day)
    time = time_of(clock) if separator else Time(0)
    if date is None or time is None:
        return None
    if clock.startswith("24"):
        # The midnight that ends a day is the one that begins the next.
        return _next_midnight(date, time)
    return DateTime(date, time)


def _next_midnight(date: Date, midnight: Time) -> DateTime | None:
    try:
        return DateTime(Date.of_day(date.number + 1), midnight)
    except ValueError:
        return None


def duration_of(text: str) -> MonthsDuration | DaysDuration | None:
    if len(text) > MAX_DURATION_TEXT:
        return None
    match = _MONTHS.fullmatch(text)
    if match is not None:
        months = int(match[2] or 0) * 12 + int(match[3] or 0)
        return MonthsDuration(-months if match[1] else months)
    match = _DAYS.fullmatch(text)
    if match is None:
        return None
    nanos = int(match[2] or 0) * DAY_NANOS + _fraction(match[6])
    nanos += (int(match[3] or 0) * 3600 + int(match[4] or 0) * 60 + int(match[5] or 0)) * NANOS
    return DaysDuration(-nanos if match[1] else nanos)


def temporal_of(text: str) -> Temporal | None:
    """What an at-literal means: the one kind that the text is well-formed for."""
    if text.startswith(("P", "-P")):
        return duration_of(text)
    if "T" in text.partition("@")[0]:
        return date_time_of(text)
    return time_of(text) if ":" in text else date_of(text)


def _fraction(digits: str | None) -> int:
    return int((digits or "")[:9].ljust(9, "0"))
