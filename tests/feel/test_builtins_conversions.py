"""Conversion functions: every form that the standard gives, and what is no such value."""

import pytest
from tests.feel.evaluated import rows, shown

CONVERSIONS = r"""
date(date and time("2012-12-25T11:00:00Z")) ==> 2012-12-25
date(2012, 12, 25) ==> 2012-12-25
date and time("2012-12-24T23:59:00") ==> 2012-12-24T23:59:00
date and time(date("2012-12-24"), time("23:59:00")) ==> 2012-12-24T23:59:00
date and time("2017-10-22T23:59:00@Europe/Paris") ==> 2017-10-22T23:59:00@Europe/Paris
date and time(@"2017-10-22") ==> 2017-10-22T00:00:00Z
date and time(from: "2017-10-22T23:59:00") ==> 2017-10-22T23:59:00
date and time(date: @"2017-10-22", time: @"10:00:00+01:00") ==> 2017-10-22T10:00:00+01:00
time("23:59:00z") ==> 23:59:00Z
time("00:01:00@Etc/UTC") ==> 00:01:00@Etc/UTC
time("24:00:00") ==> 00:00:00
time("23:59:00.5+02:00:30") ==> 23:59:00.5+02:00:30
time(23, 59, 0, duration("PT0H")) ==> 23:59:00Z
time(23, 59, 0.5) ==> 23:59:00.5
time(23, 59, 0, duration("PT19H")) ==> null
time(23.5, 59, 0) ==> null
time(date and time("2012-12-24T23:59:00")) ==> 23:59:00
number("1 000,0", " ", ",") ==> 1000
number("1,000.0", ",", ".") ==> 1000
number("1e3") ==> 1000
number("-.5") ==> -0.5
number(" 5") ==> null
number("") ==> null
number("1e7000") ==> null
number(from: "5") ==> 5
number("1", ",") ==> null
number("5", null) ==> null
number(true) ==> null
string(1.1) ==> 1.1
string(null) ==> null
string(1.10) ==> 1.1
string(100) ==> 100
string(1e30) ==> 1000000000000000000000000000000
string(-0.0) ==> 0
string(true) ==> true
string("x") ==> x
string(date("2012-12-25")) ==> 2012-12-25
string(@"P1DT2H3M4.5S") ==> P1DT2H3M4.5S
string(@"P14M") ==> P1Y2M
string(@"-P14M") ==> -P1Y2M
string(@"P0M") ==> P0M
string(@"P0D") ==> PT0S
string(@"PT36H") ==> P1DT12H
string(@"-PT1.5S") ==> -PT1.5S
string([1,2,"a"]) ==> [1, 2, "a"]
string({a: 1, b: "x"}) ==> {a: 1, b: "x"}
string([1..3)) ==> [1..3)
string((>5)) ==> (> 5)
string(["a\nb"]) ==> ["a\nb"]
duration("P1YT1H") ==> null
duration("P") ==> null
duration("PT") ==> null
duration("P1DT") ==> null
duration("P1Y2M3D") ==> null
duration("P1Y-2M") ==> null
duration("PT0.999S") ==> PT0.999S
duration("P999Y") ==> P999Y
duration("P1W") ==> null
duration("PT1000000000S") ==> P11574DT1H46M40S
duration("+P1D") ==> null
duration("PT.5S") ==> null
duration("P1.5D") ==> null
duration("P26M") ==> P2Y2M
duration(@"P1D") ==> P1D
duration(from: "PT5M") ==> PT5M
years and months duration(date("2011-12-22"), date("2013-08-24")) ==> P1Y8M
years and months duration(date("2013-08-24"), date("2011-12-22")) ==> -P1Y8M
years and months duration(from: date("2011-12-22"), to: date("2013-08-24")) ==> P1Y8M
years and months duration(@"2015-01-31", @"2015-02-28") ==> P0M
years and months duration(@"2016-09-30T23:25:00", @"2017-12-28") ==> P1Y2M
not(true) ==> false
not(null) ==> null
not(negand: false) ==> true
not("x") ==> null
range("[18..21]") ==> [18..21]
range("[2..)") = (>=2) ==> true
range("(..2)") = (<2) ==> true
range("(..2.5]") = (<=2.5) ==> true
range("[1.5..)") = (>=1.5) ==> true
range("[..]") ==> null
range("") ==> null
range("[\"a\"..\"z\"]") ==> ["a".."z"]
range("[@\"2020-01-01\"..@\"2021-01-01\"]") ==> [2020-01-01..2021-01-01]
range("[-1234567890123456789012345678901234..0]") ==> [-1234567890123456789012345678901234..0]
range("(1..3)") ==> (1..3)
range("]1..3[") ==> (1..3)
range("[3..1]") ==> null
range("[1..\"a\"]") ==> null
range("1..3") ==> null
range(null) ==> null
range("[date(\"2020-01-01\")..date(\"2021-01-01\"))") ==> [2020-01-01..2021-01-01)
range("[duration(\"P1D\")..)") = (>= @"P1D") ==> true
range("<5") ==> null
range("(< 5)") = (<5) ==> true
range("(null..5]") ==> null
date("2017-13-10") ==> null
date("2017-02-29") ==> null
date("2016-02-29") ==> 2016-02-29
date("-2016-01-30") ==> -2016-01-30
date("998-12-31") ==> null
date("01211-12-31") ==> null
date("+2012-12-02") ==> null
date("2012-12-25T") ==> null
date("2012-12-25T10:00:00") ==> null
date("2012-12-25Z") ==> null
date("2012-12-25+01:00") ==> null
date("999999999-12-31") ==> 999999999-12-31
date("9999999999-12-25") ==> null
date("-999999999-01-01") ==> -999999999-01-01
date("2012/12/25") ==> null
date("") ==> null
date(null) ==> null
date(2017, 13, 1) ==> null
date(2017, 2, 29) ==> null
date(2017.5, 2, 2) ==> null
date(-2017, 2, 2) ==> -2017-02-02
date(year: 2017, month: 8, day: 30) ==> 2017-08-30
date(from: "2017-08-30") ==> 2017-08-30
date(2017, 8) ==> null
date(1000000000, 1, 1) ==> null
date(date("2017-08-14")) ==> 2017-08-14
date(date and time("2017-09-03T10:20:00@Europe/Paris")) ==> 2017-09-03
date and time("2017-12-31T11:22:33.345@Europe/Paris") ==> 2017-12-31T11:22:33.345@Europe/Paris
date and time("2017-12-31T11:22:33.346+12:34:56") ==> 2017-12-31T11:22:33.346+12:34:56
date and time("2017-12-31T13:20:00+19:00") ==> null
date and time("-2017-12-31T13:20:00") ==> -2017-12-31T13:20:00
date and time("99999-12-31T11:22:33") ==> 99999-12-31T11:22:33
date and time("2012-12-24T24:00:00") ==> 2012-12-25T00:00:00
date and time("2012-12-24T24:00:01") ==> null
date and time("2012-12-24T25:00:00") ==> null
date and time("2012-12-24T23:59:60") ==> null
date and time("2012-12-24T10:00") ==> null
date and time("2012-12-24 10:00:00") ==> null
date and time("2012-12-24T10:00:00+0100") ==> null
date and time("2012-12-24T") ==> null
date and time("T10:00:00") ==> null
date and time("2012-12-24T10:00:00@xyz/abc") ==> null
date and time("2012-12-24T10:00:00+02:00@Europe/Paris") ==> null
date and time("2012-12-24") ==> 2012-12-24T00:00:00
date and time("2012-12-24T10:00:00.1234567891") ==> 2012-12-24T10:00:00.123456789
date and time("0000-01-01T00:00:00") ==> 0000-01-01T00:00:00
date and time("2017-01-01T00:00:00@europe/paris") ==> null
date and time("2017-01-01T00:00:00@posix/Europe/Paris") ==> null
date and time("2017-01-01T00:00:00@../UTC") ==> null
date and time(@"2017-01-01", null) ==> null
date and time(null) ==> null
date and time(@"2017-01-01T05:00:00+01:00", @"10:00:00@Europe/Paris") ==> 2017-01-01T10:00:00@Europe/Paris
time("24:00:00.5") ==> null
time("24:00:00Z") ==> 00:00:00Z
range("(<5)") ==> (< 5)
string({"a b": "x\ty"}) ==> {"a b": "x\ty"}
"""


@pytest.mark.parametrize(("text", "expected"), rows(CONVERSIONS))
def test_conversion(text: str, expected: str) -> None:
    assert shown(text) == expected
