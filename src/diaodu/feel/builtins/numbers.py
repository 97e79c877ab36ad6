"""The numeric functions."""

from __future__ import annotations

import decimal
from decimal import Context, Decimal

from diaodu.feel.builtins.registry import builtin
from diaodu.feel.errors import Refused
from diaodu.feel.temporal import DaysDuration, MonthsDuration
from diaodu.feel.values import NUMBERS

MIN_SCALE, MAX_SCALE = -6111, 6176
# Wide enough for a number of 34 digits at any allowed scale.
_WIDE = Context(prec=13_000, Emin=-20_000, Emax=20_000, traps=[decimal.InvalidOperation])


def _rounded(number: Decimal, scale: Decimal, rounding: str) -> Decimal:
    if scale != scale.to_integral_value() or not MIN_SCALE <= scale <= MAX_SCALE:
        raise Refused("invalid-value", value=scale, name="scale")
    if -number.as_tuple().exponent <= scale:  # type: ignore[operator]  # the number is finite
        return number
    return NUMBERS.plus(number.quantize(Decimal((0, (1,), -int(scale))), rounding, _WIDE))


@builtin("decimal(n: number, scale: number)")
def round_half_even(n: Decimal, scale: Decimal) -> Decimal:
    return _rounded(n, scale.to_integral_value(decimal.ROUND_DOWN), decimal.ROUND_HALF_EVEN)


@builtin("floor(n: number, scale?: number)")
def floor(n: Decimal, scale: Decimal = Decimal(0)) -> Decimal:
    return _rounded(n, scale, decimal.ROUND_FLOOR)


@builtin("ceiling(n: number, scale?: number)")
def ceiling(n: Decimal, scale: Decimal = Decimal(0)) -> Decimal:
    return _rounded(n, scale, decimal.ROUND_CEILING)


@builtin("round up(n: number, scale: number)")
def round_up(n: Decimal, scale: Decimal) -> Decimal:
    return _rounded(n, scale, decimal.ROUND_UP)


@builtin("round down(n: number, scale: number)")
def round_down(n: Decimal, scale: Decimal) -> Decimal:
    return _rounded(n, scale, decimal.ROUND_DOWN)


@builtin("round half up(n: number, scale: number)")
def round_half_up(n: Decimal, scale: Decimal) -> Decimal:
    return _rounded(n, scale, decimal.ROUND_HALF_UP)


@builtin("round half down(n: number, scale: number)")
def round_half_down(n: Decimal, scale: Decimal) -> Decimal:
    return _rounded(n, scale, decimal.ROUND_HALF_DOWN)


@builtin("abs(n: number)")
def absolute(n: Decimal) -> Decimal:
    return NUMBERS.abs(n)


@builtin("abs(n: days)")
def absolute_days(n: DaysDuration) -> DaysDuration:
    return DaysDuration(abs(n.nanos))


@builtin("abs(n: months)")
def absolute_months(n: MonthsDuration) -> MonthsDuration:
    return MonthsDuration(abs(n.months))


@builtin("modulo(dividend: number, divisor: number)")
def modulo(dividend: Decimal, divisor: Decimal) -> Decimal:
    """`dividend - divisor * floor(dividend / divisor)`: the sign is that of the divisor."""
    if not divisor:
        raise Refused("division-by-zero")
    rest = _WIDE.remainder(dividend, divisor)
    return NUMBERS.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else NUMBERS.plus(rest)


@builtin("sqrt(number: number)")
def sqrt(number: Decimal) -> Decimal:
    return NUMBERS.sqrt(number)


@builtin("log(number: number)")
def log(number: Decimal) -> Decimal:
    if number <= 0:
        raise Refused("invalid-value", value=number, name="log")
    return NUMBERS.ln(number)


@builtin("exp(number: number)")
def exp(number: Decimal) -> Decimal:
    return NUMBERS.exp(number)


def _rest_of_two(number: Decimal) -> Decimal:
    if number != number.to_integral_value():
        raise Refused("invalid-value", value=number, name="odd, even")
    return _WIDE.abs(_WIDE.remainder(number, Decimal(2)))


@builtin("odd(number: number)")
def odd(number: Decimal) -> bool:
    return _rest_of_two(number) == 1


@builtin("even(number: number)")
def even(number: Decimal) -> bool:
    return _rest_of_two(number) == 0
