"""List functions."""

from decimal import Decimal

import pytest
from tests.feel.evaluated import rows, shown

from diaodu.feel import Budget, compile_expression

LISTS = r"""
list contains([1,2,3], 2) ==> true
list contains([1,2,null], null) ==> true
list contains(null, 2) ==> null
list contains(list: [1,null]) ==> null
list contains([1,[2]], [2]) ==> true
list contains("a", "a") ==> true
count([1,2,3]) ==> 3
count([]) ==> 0
count([1,[2,3]]) ==> 2
count(null) ==> null
count(1) ==> 1
count() ==> null
min([1,2,3]) ==> 1
min(1,2,3) ==> 1
min(1) ==> 1
min([1]) ==> 1
min([]) ==> null
min(null) ==> null
min(1,null) ==> null
min([1,"a"]) ==> null
min(@"2020-01-01", @"2019-01-01") ==> 2019-01-01
max("a","b") ==> b
max([@"P1D", @"PT25H"]) ==> P1DT1H
max(@"10:00:00Z", @"10:30:00+01:00") ==> 10:00:00Z
max(list: [1,2]) ==> 2
sum([1,2,3]) ==> 6
sum(1,2,3) ==> 6
sum(1) ==> 1
sum([]) ==> null
sum([1,null]) ==> null
sum([1,"a"]) ==> null
mean([1,2,3]) ==> 2
mean(1) ==> 1
mean([]) ==> null
all([false,null,true]) ==> false
all(true) ==> true
all([true]) ==> true
all([]) ==> true
all(0) ==> null
all([true,null]) ==> null
all([true, 0]) ==> null
any([false,null,true]) ==> true
any(false) ==> false
any([]) ==> false
any(0) ==> null
any([false,null]) ==> null
sublist([4,5,6], 1, 2) ==> [4, 5]
sublist([4,5,6], -2) ==> [5, 6]
sublist([4,5,6], -2, 1) ==> [5]
sublist([4,5,6], 4) ==> null
sublist([4,5,6], 0) ==> null
sublist([4,5,6], 2, 5) ==> null
append([1], 2, 3) ==> [1, 2, 3]
append([], 1) ==> [1]
append([1], null) ==> [1, null]
append([1], [2]) ==> [1, [2]]
append(1, 2) ==> [1, 2]
append(null, 2) ==> null
append([1]) ==> null
concatenate([1,2],[3]) ==> [1, 2, 3]
concatenate([1,2]) ==> [1, 2]
concatenate([1],2) ==> [1, 2]
concatenate([1],null) ==> null
insert before([1,3],1,2) ==> [2, 1, 3]
insert before([1,3],-1,2) ==> [1, 2, 3]
insert before([1,3],3,2) ==> null
insert before([],1,2) ==> null
remove([1,2,3], 2) ==> [1, 3]
remove([1,2,3], -1) ==> [1, 2]
remove([1,2,3], 4) ==> null
remove([1,2,3], 0) ==> null
list replace([2, 4, 7, 8], 3, 6) ==> [2, 4, 6, 8]
list replace([2, 4, 7, 8], -1, 6) ==> [2, 4, 7, 6]
list replace([2, 4, 7, 8], 5, 6) ==> null
list replace([2, 4, 7, 8], function(item, newItem) item < newItem, 5) ==> [5, 5, 7, 8]
list replace(list: [2, 4, 7, 8], match: function(item, newItem) item < newItem, newItem: 5) ==> [5, 5, 7, 8]
list replace([1,2], 1, null) ==> [null, 2]
list replace([1,2], function(i) true, 5) ==> null
list replace([1,2], function(i, n) "x", 5) ==> null
list replace(null, 1, 5) ==> null
reverse([1,2,3]) ==> [3, 2, 1]
index of([1,2,3,2],2) ==> [2, 4]
index of([1,null], null) ==> [2]
index of([1,2], 5) ==> []
union([1,2],[2,3]) ==> [1, 2, 3]
union([1,2,1]) ==> [1, 2]
distinct values([1,2,3,2,1]) ==> [1, 2, 3]
distinct values([1, 1.0, "1", null, null, [1], [1]]) ==> [1, "1", null, [1]]
flatten([[1,2],[[3]], 4]) ==> [1, 2, 3, 4]
product([2, 3, 4]) ==> 24
product(2, 3, 4) ==> 24
product([]) ==> null
median(8, 2, 5, 3, 4) ==> 4
median([6, 1, 2, 3]) ==> 2.5
median([]) ==> null
stddev(2, 4, 7, 5) ==> 2.081665999466132735282297706979931
stddev([47]) ==> null
stddev(47) ==> null
stddev([]) ==> null
mode(6, 3, 9, 6, 6) ==> [6]
mode([6, 1, 9, 6, 1]) ==> [1, 6]
mode([]) ==> []
mode([1,null]) ==> null
sort([3,1,4,5,2], function(x,y) x < y) ==> [1, 2, 3, 4, 5]
sort(list: [3,1], precedes: function(x,y) x < y) ==> [1, 3]
sort([{a:2},{a:1}], function(x,y) x.a < y.a).a ==> [1, 2]
insert before(list: [1], position: 1, newItem: 0) ==> [0, 1]
concatenate(list: [1]) ==> [1]
index of(list: [1,2], match: 2) ==> [2]
sublist(list: [1,2,3], start position: 2, length: 1) ==> [2]
count(list: [1]) ==> 1
all(list: [true]) ==> true
mean(list: [1,3]) ==> 2
flatten(list: [[1]]) ==> [1]
sort(["b", "a"]) ==> ["a", "b"]
sort([1, "a"]) ==> null
insert before(list: [1], position: 1) ==> null
sum(@"P1D", @"PT12H") ==> P1DT12H
mean([@"P1Y", @"P1M"]) ==> P6M
sum(@"P1D", 1) ==> null
"""


@pytest.mark.parametrize(("text", "expected"), rows(LISTS))
def test_list_function(text: str, expected: str) -> None:
    assert shown(text) == expected


LONG = {
    "count(数)": Decimal(20_000),
    "sum(数)": Decimal(200_010_000),
    "max(数)": Decimal(20_000),
    "mean(数)": Decimal("10000.5"),
    "distinct values(数)[-1]": Decimal(20_000),
    "sort(reverse(数))[1]": Decimal(1),
}


@pytest.mark.parametrize(("text", "expected"), LONG.items())
def test_a_long_list_is_no_reason_to_refuse(text: str, expected: Decimal) -> None:
    numbers = list(range(1, 20_001))
    assert compile_expression(text).evaluate({"数": numbers}, Budget(milliseconds=2_000)) == expected


def test_a_refusal_names_what_was_passed() -> None:
    _, reasons = compile_expression('substring(strin: "a", start position: 1)').evaluate_with_diagnostics({})
    assert [reason.message_en for reason in reasons] == [
        "substring cannot be called with (strin: string, start position: number)."
    ]
