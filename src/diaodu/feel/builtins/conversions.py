"""The conversion functions: values from text, and from their parts."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from diaodu.feel import ast
from diaodu.feel.arithmetic import whole
from diaodu.feel.builtins.registry import builtin
from diaodu.feel.errors import FeelSyntaxError, Refused
from diaodu.feel.parser import parse_expression
from diaodu.feel.runtime import Run
from diaodu.feel.temporal import NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time, zone
from diaodu.feel.temporal_text import MAX_OFFSET_HOURS, date_of, date_time_of, duration_of, time_of
from diaodu.feel.text import text_of
from diaodu.feel.values import NUMBERS, Range, compare, orderable, range_of

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _refused(name: str, value: object) -> Refused:
    return Refused("invalid-value", value=text_of(value), name=name)


def _whole(name: str, *numbers: Decimal) -> list[int]:
    if any(number % 1 for number in numbers):
        raise _refused(name, list(numbers))
    return [whole(number) for number in numbers]


@builtin("string(from: any)")
def string(run: Run, value: object) -> str | None:
    return None if value is None else text_of(value, run.meter)


@builtin(
    "number(from: string, grouping separator: string|null, decimal separator: string|null)", "number(from: string)"
)
def number(text: str, grouping: str | None = None, point: str | None = None) -> Decimal:
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", ".") or (point and point == grouping):
        raise _refused("number", text)
    plain = text.replace(grouping, "") if grouping else text
    if point == ",":
        plain = plain.replace(".", "x").replace(",", ".")
    if _NUMBER.fullmatch(plain) is None:
        raise _refused("number", text)
    return NUMBERS.create_decimal(plain)


@builtin("number(from: number)")
def number_of_number(value: Decimal) -> Decimal:
    return value


@builtin("date(from: string)")
def date_of_text(text: str) -> Date:
    found = date_of(text)
    if found is None:
        raise _refused("date", text)
    return found


@builtin("date(from: date)")
def date_of_date(value: Date) -> Date:
    return value


@builtin("date(from: date and time)")
def date_of_moment(value: DateTime) -> Date:
    return value.date


@builtin("date(year: number, month: number, day: number)")
def date_of_parts(year: Decimal, month: Decimal, day: Decimal) -> Date:
    return Date(*_whole("date", year, month, day))


@builtin("time(from: string)")
def time_of_text(text: str) -> Time:
    found = time_of(text)
    if found is None:
        raise _refused("time", text)
    return found


@builtin("time(from: time)")
def time_of_time(value: Time) -> Time:
    return value


@builtin("time(from: date and time)")
def time_of_moment(value: DateTime) -> Time:
    return value.time


@builtin("time(from: date)")
def time_of_date(_midnight: Date) -> Time:
    return Time(0, 0)


@builtin("time(hour: number, minute: number, second: number, offset?: days|null)")
def time_of_parts(hour: Decimal, minute: Decimal, second: Decimal, offset: DaysDuration | None = None) -> Time:
    hours, minutes = _whole("time", hour, minute)
    if not (0 <= hours <= 23 and 0 <= minutes <= 59 and 0 <= second < 60):
        raise _refused("time", [hour, minute, second])
    nanos = (hours * 60 + minutes) * 60 * NANOS + whole(second * NANOS)
    if offset is None:
        return Time(nanos)
    if abs(offset.nanos) > MAX_OFFSET_HOURS * 3600 * NANOS:
        raise _refused("offset", offset)
    return Time(nanos, offset.nanos // NANOS)


@builtin("date and time(from: string)")
def moment_of_text(text: str) -> DateTime:
    found = date_time_of(text)
    if found is None:
        raise _refused("date and time", text)
    return found


@builtin("date and time(from: date and time)")
def moment_of_moment(value: DateTime) -> DateTime:
    return value


@builtin("date and time(from: date)")
def moment_of_date(date: Date) -> DateTime:
    """The conversion of the standard where a date and time is wanted: midnight in Greenwich."""
    return DateTime(date, Time(0, 0))


@builtin("date and time(date: date, time: time)")
def moment_of_day(date: Date, time: Time) -> DateTime:
    return DateTime(date, time)


@builtin("date and time(date: date and time, time: time)")
def moment_of_other_day(date: DateTime, time: Time) -> DateTime:
    return DateTime(date.date, time)


@builtin("date and time(date: date and time, timezone: string)")
def moment_in_zone(moment: DateTime, timezone: str) -> DateTime:
    if zone(timezone) is None:
        raise _refused("timezone", timezone)
    if moment.time.is_local:
        return DateTime(moment.date, Time(moment.time.nanos, zone=timezone))
    start = DateTime(Date.of_day(0), Time(0, 0)).plus_nanos(moment.instant)
    there = Time(start.time.nanos, zone=timezone).offset_on(start.date) or 0
    shifted = start.plus_nanos(there * NANOS)
    return DateTime(shifted.date, Time(shifted.time.nanos, zone=timezone))


_PARTS = "year: number, month: number, day: number, hour: number, minute: number, second: number"


@builtin(f"date and time({_PARTS}, offset?: days|null)")
def moment_of_parts(  # noqa: PLR0917 - the parts as the standard names them
    year: Decimal,
    month: Decimal,
    day: Decimal,
    hour: Decimal,
    minute: Decimal,
    second: Decimal,
    offset: DaysDuration | None = None,
) -> DateTime:
    return DateTime(date_of_parts(year, month, day), time_of_parts(hour, minute, second, offset))


@builtin("duration(from: string)")
def duration_of_text(text: str) -> MonthsDuration | DaysDuration:
    found = duration_of(text)
    if found is None:
        raise _refused("duration", text)
    return found


@builtin("duration(from: days)", "duration(from: months)")
def duration_of_duration(value: MonthsDuration | DaysDuration) -> MonthsDuration | DaysDuration:
    return value


def _day(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@builtin(
    "years and months duration(from: date, to: date)",
    "years and months duration(from: date and time, to: date and time)",
    "years and months duration(from: date, to: date and time)",
    "years and months duration(from: date and time, to: date)",
)
def months_between(start: Date | DateTime, end: Date | DateTime) -> MonthsDuration:
    """Whole months from one day to the other, cut towards zero; the times of day do not count."""
    first, last = _day(start), _day(end)
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return MonthsDuration(months)


# The side without an end is always open.
_WITHOUT_START = re.compile(r"\s*[(\]]\s*\.\.(?P<end>.+)(?P<closing>[\])\[])\s*", re.DOTALL)
_WITHOUT_END = re.compile(r"\s*(?P<opening>[\[(\]])(?P<start>.+)\.\.\s*[)\[]\s*", re.DOTALL)


@builtin("range(from: string)")
def range_of_text(text: str) -> Range:
    """A range from the text of one whose ends are literals or dates written as calls; one end may be left out."""
    if (below := _WITHOUT_START.fullmatch(text)) is not None:
        return _half_open("<=" if below["closing"] == "]" else "<", below["end"], text)
    if (above := _WITHOUT_END.fullmatch(text)) is not None:
        return _half_open(">=" if above["opening"] == "[" else ">", above["start"], text)
    tree = _parsed(text, text)
    if (
        isinstance(tree, ast.Test)
        and "(" in text.partition(tree.operator)[0]
        and tree.operator in ("<", "<=", ">", ">=")
    ):
        return range_of(tree.operator, _ordered(_end(tree.operand, text), text))
    if not isinstance(tree, ast.RangeOf):
        raise _refused("range", text)
    start, end = _end(tree.start, text), _end(tree.end, text)
    if compare(start, end) not in (-1, 0):
        raise _refused("range", text)
    return Range(start, end, tree.start_included, tree.end_included)


def _half_open(operator: str, end: str, text: str) -> Range:
    return range_of(operator, _ordered(_end(_parsed(end, text), text), text))


def _ordered(end: object, text: str) -> object:
    if not orderable(end):
        raise _refused("range", text)
    return end


def _parsed(part: str, text: str) -> ast.Node:
    try:
        return parse_expression(part)
    except FeelSyntaxError as error:
        raise _refused("range", text) from error


_END_CALLS: dict[str, Callable[[str], object]] = {
    "date": date_of,
    "time": time_of,
    "date and time": date_time_of,
    "duration": duration_of,
}


def _end(node: ast.Node, text: str) -> object:
    """The value of a literal, of a negated one, or of a call such as `date("2020-01-01")`."""
    if isinstance(node, ast.Literal):
        return NUMBERS.plus(node.value) if isinstance(node.value, Decimal) else node.value
    if isinstance(node, ast.Negation) and isinstance(value := _end(node.operand, text), Decimal):
        return NUMBERS.minus(value)
    if isinstance(node, ast.Call) and isinstance(node.function, ast.Name) and len(node.arguments) == 1:
        made, argument = _END_CALLS.get(node.function.name), node.arguments[0]
        if made is not None and isinstance(argument, ast.Literal) and isinstance(argument.value, str):
            return made(argument.value)
    raise _refused("range", text)
