"""Dates, times and durations: properties, order, arithmetic; and what other operators make of the types."""

import pytest
from tests.feel.evaluated import rows, shown

TEMPORAL = r"""
is(@"2012-12-25", @"23:00:50") ==> false
is(@"2012-12-25", @"2012-12-25") ==> true
is(@"23:00:50z", @"23:00:50") ==> false
is(@"23:00:50Z", @"23:00:50+00:00") ==> true
day of year(@"2019-09-17") ==> 260
day of week(@"2019-09-17") ==> Tuesday
month of year(@"2019-09-17") ==> September
week of year(@"2019-09-17") ==> 38
week of year(@"2003-12-29") ==> 1
week of year(@"2004-01-04") ==> 1
week of year(@"2005-01-01") ==> 53
week of year(@"2005-01-03") ==> 1
week of year(@"2005-01-09") ==> 1
day of year(date: @"2019-09-17T10:00:00") ==> 260
@"2018-10-11" = @"2018-10-11T00:00:00Z" ==> null
@"10:00:00Z" = @"11:00:00+01:00" ==> true
@"10:00:00Z" = @"10:00:00" ==> false
@"10:00:00" < @"10:00:00Z" ==> null
@"2020-01-01T00:00:00" < @"2020-01-01T00:00:01Z" ==> null
@"2020-01-01T00:00:00+01:00" < @"2020-01-01T00:00:00Z" ==> true
@"2020-06-01T00:00:00@Europe/Paris" = @"2020-05-31T22:00:00Z" ==> true
@"2020-01-01" < @"2020-01-02T00:00:00Z" ==> null
@"P1Y" = @"P365D" ==> null
@"P1Y" < @"P366D" ==> null
@"P12M" = @"P1Y" ==> true
@"PT24H" = @"P1D" ==> true
@"2021-01-31" + @"P1M" ==> 2021-02-28
@"2021-03-31" - @"P1M" ==> 2021-02-28
@"2020-02-29" + @"P1Y" ==> 2021-02-28
@"2020-02-29" - @"P4Y" ==> 2016-02-29
@"P1Y" + @"2020-01-01" ==> 2021-01-01
@"2020-01-02" - @"2020-01-01" ==> P1D
@"2020-01-02T00:00:00" - @"2020-01-01T00:00:00" ==> P1D
@"2020-01-02T00:00:00Z" - @"2020-01-01T00:00:00" ==> null
@"10:00:00" - @"08:30:00" ==> PT1H30M
@"23:00:00" + @"PT2H" ==> 01:00:00
@"01:00:00" - @"PT2H" ==> 23:00:00
@"10:00:00" + @"P1Y" ==> null
@"10:00:00" + 1 ==> null
@"P1D" + @"P1Y" ==> null
@"P1Y" * 1.5 ==> P1Y6M
1.5 * @"P1Y" ==> P1Y6M
@"P1Y" / 5 ==> P2M
@"P1D" / 24 ==> PT1H
@"P1D" / @"PT1H" ==> 24
@"P1Y" / @"P1D" ==> null
@"P1D" / 0 ==> null
@"P1D" / @"PT0S" ==> null
2 / @"P1D" ==> null
@"P1D" * @"P1D" ==> null
-@"P1D" ==> -P1D
-@"P1Y" ==> -P1Y
@"2020-01-01" + 1 ==> null
@"2020-01-01" + @"2020-01-01" ==> null
@"P1D" - @"2020-01-01" ==> null
@"P1D" ** 2 ==> null
@"999999999-12-31" + @"P1D" ==> null
@"2018-12-10".year ==> 2018
@"2018-12-10".weekday ==> 1
@"2018-12-09".weekday ==> 7
@"2018-12-10".hour ==> null
@"2018-12-10T10:30:05.5Z".second ==> 5
@"2018-12-10T10:30:05+01:00".time offset ==> PT1H
@"2018-12-10T10:30:05".time offset ==> null
@"2018-12-10T10:30:05+01:00".timezone ==> null
@"2018-12-10T10:30:05@Europe/Paris".timezone ==> Europe/Paris
@"2018-07-10T10:30:05@Europe/Paris".time offset ==> PT2H
@"10:30:05@Etc/UTC".time offset ==> PT0S
@"10:30:05-05:00".time offset ==> -PT5H
@"P1DT2H3M4S".hours ==> 2
@"-P1DT2H3M4S".hours ==> -2
@"PT25H".days ==> 1
@"PT1.5S".seconds ==> 1.5
@"P14M".years ==> 1
@"P14M".months ==> 2
@"-P14M".months ==> -2
@"P14M".days ==> null
@"2020-01-02" between @"2020-01-01" and @"2020-01-03" ==> true
now().year ==> 2026
today() ==> 2026-05-01
now(1) ==> null
@"2020-12-31T24:00:00.000Z" ==> 2021-01-01T00:00:00Z
@"0001-01-01T00:00:00@Europe/Paris".time offset ==> PT9M21S
@"-2001-01-01T00:00:00@Europe/Paris".time offset ==> PT9M21S
@"12001-07-01T00:00:00@Europe/Paris".time offset ==> PT2H
"""

OPERATORS = r"""
2 ** -1 ==> 0.5
0 ** 0 ==> 1
(-8) ** (1/3) ==> null
0 ** -1 ==> null
1/0 ==> null
1e6144 * 10 ==> null
12345678901234567890123456789012345 ==> 12345678901234567890123456789012340
1234567890123456789012345678901234.5 ==> 1234567890123456789012345678901234
1234567890123456789012345678901235.5 ==> 1234567890123456789012345678901236
.5 + .5 ==> 1
true < false ==> null
null < null ==> null
null <= null ==> null
[1] < [2] ==> null
{a:1} = {a:1.0} ==> true
{a: null} = {a: null} ==> true
{a: null} = {} ==> false
[null] = [null] ==> true
[1,2] = [2,1] ==> false
[1..2] = [1..2) ==> false
"b" > "B" ==> true
"abc" < "abd" ==> true
"\uFF5E" < "\U01F40E" ==> true
1 = 1.000 ==> true
1 != null ==> true
null != null ==> false
1 != "1" ==> null
-"a" ==> null
-null ==> null
"a" - "a" ==> null
"a" + 1 ==> null
"a" + null ==> null
[1] + [2] ==> null
[1] + 2 ==> null
true + true ==> null
{a:1} + {b:2} ==> null
[1..3].start ==> 1
(<3).start ==> null
(<3).end included ==> false
(<=3).end included ==> true
5 between 1 and 10 ==> true
5 between 5 and 5 ==> true
11 between 1 and 10 ==> false
null between 1 and 2 ==> null
1 between null and 2 ==> null
1 between 2 and null ==> null
1 between "a" and "b" ==> null
"b" between "a" and "c" ==> true
1 in [1..3] ==> true
1 in [2,3] ==> false
1 in 1 ==> true
1 in (1) ==> true
1 in (<2) ==> true
1 in (2,1) ==> true
1 in [[1..3]] ==> true
1 in null ==> false
null in [1,null] ==> true
null in (null) ==> true
null in 1 ==> false
[1] in [[1]] ==> true
"a" in ["a".."c") ==> true
1 in ["a".."c"] ==> null
1 in [] ==> false
1 in (> 2, < 0) ==> false
1 in ([1..3], 5) ==> true
[1,2,3][item >= 2] ==> [2, 3]
(< 5) instance of range<number> ==> true
"""


@pytest.mark.parametrize(("text", "expected"), [*rows(TEMPORAL), *rows(OPERATORS)])
def test_operation(text: str, expected: str) -> None:
    assert shown(text) == expected
