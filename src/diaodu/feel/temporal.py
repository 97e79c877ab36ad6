"""Dates, times and durations with the reach of the standard: years to ±999,999,999 and nanoseconds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

NANOS = 1_000_000_000
DAY_SECONDS = 86_400
DAY_NANOS = DAY_SECONDS * NANOS
MAX_YEAR = 999_999_999
_DAYS_BEFORE_1970 = 719_468


def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date of the proleptic Gregorian calendar."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _DAYS_BEFORE_1970


def days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


# Some systems keep copies of all zones there, under names that others do not know.
_OTHER_TREES = ("posix/", "right/")


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The time zone of that IANA name, or None when there is none."""
    if name.startswith(_OTHER_TREES):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class Date:
    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        if not (-MAX_YEAR <= self.year <= MAX_YEAR and 1 <= self.month <= 12):
            raise ValueError(self)
        if not 1 <= self.day <= days_in_month(self.year, self.month):
            raise ValueError(self)

    @classmethod
    def of_day(cls, number: int) -> Date:
        """The date that many days after 1970-01-01."""
        era, of_era = divmod(number + _DAYS_BEFORE_1970, 146_097)
        years = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
        of_year = of_era - (365 * years + years // 4 - years // 100)
        month = (5 * of_year + 2) // 153
        day = of_year - (153 * month + 2) // 5 + 1
        month += 3 if month < 10 else -9
        return cls(years + era * 400 + (month <= 2), month, day)

    @property
    def number(self) -> int:
        """Days since 1970-01-01."""
        return day_number(self.year, self.month, self.day)

    @property
    def weekday(self) -> int:
        """Monday is 1, Sunday is 7."""
        return (self.number + 3) % 7 + 1

    def plus_months(self, months: int) -> Date:
        """The day that many months later; the last of the month where the day does not exist."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Date(year, month + 1, min(self.day, days_in_month(year, month + 1)))

    def __str__(self) -> str:
        sign = "-" if self.year < 0 else ""
        return f"{sign}{abs(self.year):04d}-{self.month:02d}-{self.day:02d}"


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day: nanoseconds after midnight, with an offset in seconds, a named zone, or neither."""

    nanos: int
    offset: int | None = None
    zone: str | None = None

    @property
    def hour(self) -> int:
        return self.nanos // (3600 * NANOS)

    @property
    def minute(self) -> int:
        return self.nanos // (60 * NANOS) % 60

    @property
    def second(self) -> int:
        return self.nanos // NANOS % 60

    def offset_on(self, date: Date) -> int | None:
        """Seconds east of Greenwich on that date, or None for a local time."""
        if self.zone is None:
            return self.offset
        found = zone(self.zone)
        if found is None:
            return None
        # Python knows the years 1 to 9999 only. The calendar repeats every 400; the first of them know no zones yet.
        year = date.year if 2 <= date.year <= 9998 else (400 if date.year < 2 else 2000) + date.year % 400
        shift = dt.datetime(year, date.month, date.day, self.hour, self.minute, self.second, tzinfo=found).utcoffset()
        return None if shift is None else shift.days * DAY_SECONDS + shift.seconds

    @property
    def instant(self) -> int:
        """Nanoseconds for comparison: of the day in Greenwich where the offset is known."""
        return self.nanos - (self.offset_on(_ZONE_DAY) or 0) * NANOS

    @property
    def is_local(self) -> bool:
        return self.offset is None and self.zone is None

    def __str__(self) -> str:
        text = f"{self.hour:02d}:{self.minute:02d}:{self.second:02d}"
        fraction = self.nanos % NANOS
        if fraction:
            text += f".{fraction:09d}".rstrip("0")
        if self.zone is not None:
            return f"{text}@{self.zone}"
        return text if self.offset is None else text + offset_text(self.offset)


def offset_text(offset: int) -> str:
    if offset == 0:
        return "Z"
    hours, seconds = divmod(abs(offset), 3600)
    text = f"{'-' if offset < 0 else '+'}{hours:02d}:{seconds // 60:02d}"
    return text + (f":{seconds % 60:02d}" if seconds % 60 else "")


# A time alone has no date; the zone's offset of this day stands for all.
_ZONE_DAY = Date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class DateTime:
    date: Date
    time: Time

    @property
    def instant(self) -> int:
        """Nanoseconds since 1970-01-01T00:00 in Greenwich; a local time counts as if in Greenwich."""
        return self.local - (self.time.offset_on(self.date) or 0) * NANOS

    @property
    def local(self) -> int:
        """Nanoseconds since 1970-01-01T00:00 on the clock of its own zone."""
        return self.date.number * DAY_NANOS + self.time.nanos

    def plus_nanos(self, nanos: int) -> DateTime:
        """The moment that much later; in a named zone the clock may have been put forward or back since."""
        if self.time.zone is None:
            return self._at_local(self.local + nanos)
        instant = self.instant + nanos
        # The offset before a change decides first, the one of that place corrects it.
        guess = self._at_local(instant + (self.time.offset_on(self.date) or 0) * NANOS)
        return self._at_local(instant + (guess.time.offset_on(guess.date) or 0) * NANOS)

    def _at_local(self, local: int) -> DateTime:
        days, rest = divmod(local, DAY_NANOS)
        return DateTime(Date.of_day(days), Time(rest, self.time.offset, self.time.zone))

    def __str__(self) -> str:
        return f"{self.date}T{self.time}"


@dataclass(frozen=True, slots=True)
class MonthsDuration:
    """A years and months duration."""

    months: int

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return f"{'-' if self.months < 0 else ''}P{text}"


@dataclass(frozen=True, slots=True)
class DaysDuration:
    """A days and time duration."""

    nanos: int

    def parts(self) -> tuple[int, int, int, int, int]:
        """Days, hours, minutes, seconds, nanoseconds of its size without the sign."""
        seconds, nanos = divmod(abs(self.nanos), NANOS)
        days, seconds = divmod(seconds, DAY_SECONDS)
        return days, seconds // 3600, seconds // 60 % 60, seconds % 60, nanos

    def __str__(self) -> str:
        days, hours, minutes, seconds, nanos = self.parts()
        second_text = f"{seconds}" + (f".{nanos:09d}".rstrip("0") if nanos else "")
        clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
        clock += f"{second_text}S" if second_text != "0" else ""
        if not days and not clock:
            return "PT0S"
        text = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
        return f"{'-' if self.nanos < 0 else ''}P{text}"


def from_python(value: dt.date | dt.time | dt.timedelta) -> Date | Time | DateTime | DaysDuration:
    """The FEEL value of a date, time, datetime or timedelta of Python."""
    if isinstance(value, dt.datetime):
        return DateTime(Date(value.year, value.month, value.day), _time(value.timetz(), value.utcoffset()))
    if isinstance(value, dt.date):
        return Date(value.year, value.month, value.day)
    if isinstance(value, dt.time):
        return _time(value, value.utcoffset())
    return DaysDuration(((value.days * DAY_SECONDS + value.seconds) * 1_000_000 + value.microseconds) * 1000)


def _time(value: dt.time, offset: dt.timedelta | None) -> Time:
    nanos = ((value.hour * 60 + value.minute) * 60 + value.second) * NANOS + value.microsecond * 1000
    if isinstance(value.tzinfo, ZoneInfo) and value.tzinfo.key not in ("UTC", "Etc/UTC"):
        return Time(nanos, zone=value.tzinfo.key)
    return Time(nanos, None if offset is None else offset.days * DAY_SECONDS + offset.seconds)


def to_python(value: Date | Time | DateTime | DaysDuration) -> dt.date | dt.time | dt.datetime | dt.timedelta:
    """The value of Python, cut to microseconds; ValueError or OverflowError outside the years 1 to 9999."""
    if isinstance(value, DaysDuration):
        return dt.timedelta(microseconds=value.nanos // 1000)
    if isinstance(value, Date):
        return dt.date(value.year, value.month, value.day)
    if isinstance(value, Time):
        return _python_time(value)
    return dt.datetime.combine(dt.date(value.date.year, value.date.month, value.date.day), _python_time(value.time))


def _python_time(value: Time) -> dt.time:
    zone_info: dt.tzinfo | None = None
    if value.zone is not None:
        zone_info = zone(value.zone)
    elif value.offset is not None:
        zone_info = dt.timezone(dt.timedelta(seconds=value.offset))
    return dt.time(value.hour, value.minute, value.second, value.nanos % NANOS // 1000, tzinfo=zone_info)
