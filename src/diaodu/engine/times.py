"""ISO 8601 dates and durations as BPMN timers write them."""

import calendar
import re
from datetime import UTC, datetime, timedelta
from typing import Any

_DURATION = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)


def due_at(value: Any, now: datetime) -> datetime:
    """The instant that a timer means: a date, a duration from ``now``, or their ISO 8601 text; else ValueError."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, timedelta):
        return now + value
    text = str(value).strip()
    if found := _DURATION.fullmatch(text):
        years, months, weeks, days, hours, minutes = (int(g or 0) for g in found.groups()[:6])
        moment = _add_months(now, 12 * years + months)
        return moment + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=float(found[7] or 0))
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _add_months(moment: datetime, months: int) -> datetime:
    if not months:
        return moment
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))
