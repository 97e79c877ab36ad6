"""Numeric functions and the limits of numbers."""

import pytest
from tests.feel.evaluated import rows, shown

NUMBERS = r"""
decimal(1/3, 2) ==> 0.33
decimal(1.5, 0) ==> 2
decimal(2.5, 0) ==> 2
decimal(1234, -2) ==> 1200
floor(1.5) ==> 1
floor(-1.56, 1) ==> -1.6
ceiling(1.5) ==> 2
ceiling(-1.5) ==> -1
ceiling(-1.56, 1) ==> -1.5
round up(5.5, 0) ==> 6
round up(-5.5, 0) ==> -6
round up(1.121, 2) ==> 1.13
round up(-1.126, 2) ==> -1.13
round down(5.5, 0) ==> 5
round down(-5.5, 0) ==> -5
round down(1.121, 2) ==> 1.12
round down(-1.126, 2) ==> -1.12
round half up(5.5, 0) ==> 6
round half up(-5.5, 0) ==> -6
round half up(1.121, 2) ==> 1.12
round half up(-1.126, 2) ==> -1.13
round half down(5.5, 0) ==> 5
round half down(-5.5, 0) ==> -5
round half down(1.121, 2) ==> 1.12
round half down(-1.126, 2) ==> -1.13
round up(5.5) ==> null
round up(5.5, null) ==> null
abs(10) ==> 10
abs(-10) ==> 10
abs(@"PT5H") ==> PT5H
abs(@"-PT5H") ==> PT5H
abs(duration("-P1Y")) ==> P1Y
modulo(12, 5) ==> 2
modulo(-12, 5) ==> 3
modulo(12, -5) ==> -3
modulo(-12, -5) ==> -2
modulo(10.1, 4.5) ==> 1.1
modulo(-10.1, 4.5) ==> 3.4
modulo(10.1, -4.5) ==> -3.4
modulo(-10.1, -4.5) ==> -1.1
modulo(-1, 1234567890123456789012345678901234) ==> 1234567890123456789012345678901233
modulo(5, 0) ==> null
modulo(dividend: 12, divisor: 5) ==> 2
sqrt(16) ==> 4
sqrt(-1) ==> null
log(10) ==> 2.302585092994045684017991454684364
log(0) ==> null
exp(5) ==> 148.4131591025766034211155800405523
exp(0) ==> 1
odd(5) ==> true
odd(2) ==> false
even(5) ==> false
even(0) ==> true
round up(n: 1.5, scale: 0) ==> 2
abs(n: -1) ==> 1
floor(n: 1.5, scale: 0) ==> 1
sqrt(number: 4) ==> 2
odd(number: 4) ==> false
"""


@pytest.mark.parametrize(("text", "expected"), rows(NUMBERS))
def test_numeric_function(text: str, expected: str) -> None:
    assert shown(text) == expected
