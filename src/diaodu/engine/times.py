"""ISO 8601 dates, durations and repeating intervals as BPMN timers write them."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_DURATION = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_CYCLE = re.compile(r"R(\d*)/(?:([^/P][^/]*)/)?(P[^/]+)(?:/([^/P][^/]*))?")
FOREVER = -1


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeating interval: its first instant, how often it fires in all (FOREVER: no end) and how far apart."""

    first: datetime
    left: int
    every: str


def due_at(value: Any, now: datetime) -> datetime:
    """The instant that a timer means: a date, a duration from ``now``, or their ISO 8601 text; else ValueError."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, timedelta):
        return now + value
    text = str(value).strip()
    if (duration := _duration(text)) is not None:
        months, rest = duration
        return _add_months(now, months) + rest
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_duration(text: str) -> bool:
    """Whether a text is an ISO 8601 duration."""
    return _DURATION.fullmatch(text.strip()) is not None


@lru_cache(maxsize=1_024)
def _duration(text: str) -> tuple[int, timedelta] | None:
    """The months and the rest of an ISO 8601 duration; a diagram asks for the same few again and again."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    years, months, weeks, days, hours, minutes = (int(g or 0) for g in found.groups()[:6])
    seconds = float(found[7] or 0)
    return 12 * years + months, timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def cycle_of(text: str, now: datetime) -> Cycle:
    """``R[n]/[start/]duration[/end]``; without a start the first instant is one duration from ``now``. ValueError."""
    found = _CYCLE.fullmatch(text.strip())
    if found is None or (found[2] and found[4]):
        raise ValueError(text)
    count, start, every, end = found.groups()
    if due_at(every, now) <= now:
        raise ValueError(text)
    left = int(count) if count else FOREVER
    if end is not None:
        last, fits, moment = due_at(end, now), 0, due_at(every, now)
        while moment <= last and fits != left:
            fits, moment = fits + 1, due_at(every, moment)
        left = fits
    if left == 0:
        raise ValueError(text)
    return Cycle(due_at(start, now) if start else due_at(every, now), left, every)


def next_of(every: str, last: datetime, left: int, now: datetime) -> tuple[datetime, int] | None:
    """The next instant of a cycle after ``last`` and how often it fires from then on; None at its end.

    Each instant of a cycle with an end comes, however late; one without an end leaves out what has passed.
    """
    if left == 1:
        return None
    moment = due_at(every, last)
    if left != FOREVER:
        return moment, left - 1
    while moment <= now:
        moment = due_at(every, moment)
    return moment, FOREVER


def _add_months(moment: datetime, months: int) -> datetime:
    if not months:
        return moment
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))
