"""Relations between points and ranges, with the examples of the standard."""

import pytest
from tests.feel.evaluated import rows, shown

RANGES = r"""
before(1, 10) ==> true
before(10, 1) ==> false
before(1, [1..10]) ==> false
before(1, (1..10]) ==> true
before([1..10], 10) ==> false
before([1..10), 10) ==> true
before([1..10], [15..20]) ==> true
before([1..10), [10..20]) ==> true
before([1..10], (10..20]) ==> true
after(10, 5) ==> true
after(12, [1..10)) ==> true
after(10, [1..10)) ==> true
after([11..20], 12) ==> false
after((10..20], 10) ==> true
after([11..20], [1..11)) ==> true
meets([1..5], [5..10]) ==> true
meets([1..5), [5..10]) ==> false
met by([5..10], [1..5]) ==> true
met by((5..10], [1..5]) ==> false
overlaps([1..5], [3..8]) ==> true
overlaps([1..5], [6..8]) ==> false
overlaps([1..5], [5..8]) ==> true
overlaps([1..5), [5..8]) ==> false
overlaps before([1..5], [3..8]) ==> true
overlaps before([1..5], [1..5]) ==> false
overlaps before([1..5), (1..5]) ==> true
overlaps before([1..5], (1..5)) ==> false
overlaps before([1..5), [1..5]) ==> false
overlaps after([3..8], [1..5]) ==> true
overlaps after((1..5], [1..5)) ==> true
finishes(10, [1..10]) ==> true
finishes(10, [1..10)) ==> false
finishes([5..10], [1..10]) ==> true
finishes([1..10], (1..10]) ==> false
finished by([1..10], 10) ==> true
finished by([1..10], (1..10]) ==> true
includes([1..10], 5) ==> true
includes((1..10], 1) ==> false
includes([1..10], [4..6]) ==> true
includes((1..10), [1..5]) ==> false
during(5, [1..10]) ==> true
during([1..5), [1..5]) ==> true
starts(1, [1..10]) ==> true
starts([1..5], [1..5]) ==> true
starts([1..10], [1..10)) ==> false
started by([1..10], [1..5)) ==> true
started by([1..10), [1..10]) ==> false
coincides(5, 5) ==> true
coincides([1..5], (1..5]) ==> false
coincides([1..5], [2..6]) ==> false
includes((<10), 5) ==> true
includes((>=10), 5) ==> false
before((<5), (>=5)) ==> true
overlaps((<5), (>4)) ==> true
coincides((<5), (<5)) ==> true
before(1, null) ==> null
before(1, "a") ==> null
meets(1, [1..2]) ==> null
before(point1: 1, point2: 2) ==> true
includes(range: [1..3], point: 2) ==> true
during(point: 2, range: [1..3]) ==> true
overlaps(range1: [1..3], range2: [2..4]) ==> true
before([@"2020-01-01"..@"2020-02-01"], @"2020-03-01") ==> true
"""


@pytest.mark.parametrize(("text", "expected"), rows(RANGES))
def test_relation(text: str, expected: str) -> None:
    assert shown(text) == expected
