"""The list functions; positions count from 1, or from the end when negative."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from functools import cmp_to_key

from diaodu.feel.arithmetic import OPERATIONS
from diaodu.feel.builtins.registry import builtin, call
from diaodu.feel.errors import Refused
from diaodu.feel.runtime import Run
from diaodu.feel.temporal import DaysDuration, MonthsDuration
from diaodu.feel.values import NUMBERS, SCALAR, Function, compare, equal, in_steps, kind_of


def _numbers(run: Run, items: list[object]) -> list[Decimal]:
    numbers = [item for item in in_steps(items, run.meter.step) if isinstance(item, Decimal)]
    if len(numbers) != len(items):
        raise Refused("result-type", type="number")
    return numbers


def _position(items: Sequence[object], position: Decimal) -> int:
    """The index from 0 of a position; raises Refused when there is no such item."""
    index = int(position) if abs(position) <= len(items) and position % 1 == 0 else 0
    if index == 0:
        raise Refused("index", index=position, count=len(items))
    return index - 1 if index > 0 else len(items) + index


@builtin("list contains(list: list, element: any)")
def list_contains(run: Run, items: list[object], element: object) -> bool:
    step = run.meter.step
    return any(equal(item, element, step) is True for item in in_steps(items, step))


@builtin("count(list: list)")
def count(items: list[object]) -> Decimal:
    return Decimal(len(items))


def _extreme(run: Run, items: list[object], sign: int) -> object:
    best: object = None
    for index, item in enumerate(in_steps(items, run.meter.step)):
        order = sign if index == 0 and compare(item, item) is not None else compare(item, best)
        if order is None:
            raise Refused("not-comparable", left=kind_of(item), right=kind_of(best))
        if order == sign:
            best = item
    return best


@builtin("min(list: list)", "min(*list: any)")
def minimum(run: Run, items: list[object]) -> object:
    return _extreme(run, items, -1)


@builtin("max(list: list)", "max(*list: any)")
def maximum(run: Run, items: list[object]) -> object:
    return _extreme(run, items, 1)


@builtin("sum(list: list)", "sum(*list: any)")
def total(run: Run, items: list[object]) -> object:
    result: object = None
    for item in in_steps(items, run.meter.step):
        if not isinstance(item, (Decimal, DaysDuration, MonthsDuration)):
            raise Refused("operands", left="sum", operator="+", right=kind_of(item))
        if result is not None:
            add = OPERATIONS["+"].get((type(result), type(item)))
            if add is None:
                raise Refused("operands", left=kind_of(result), operator="+", right=kind_of(item))
            result = add(result, item)
        else:
            result = item
    return result


@builtin("mean(list: list)", "mean(*list: any)")
def mean(run: Run, items: list[object]) -> object:
    result = total(run, items)
    return None if result is None else OPERATIONS["/"][type(result), Decimal](result, Decimal(len(items)))


@builtin("product(list: list)", "product(*list: any)")
def product(run: Run, items: list[object]) -> Decimal | None:
    result = None
    for number in in_steps(_numbers(run, items), run.meter.step):
        result = number if result is None else NUMBERS.multiply(result, number)
    return result


@builtin("median(list: list)", "median(*list: any)")
def median(run: Run, items: list[object]) -> Decimal | None:
    numbers = _sorted(run, _numbers(run, items))
    middle = len(numbers) // 2
    if not numbers:
        return None
    if len(numbers) % 2:
        return numbers[middle]
    return NUMBERS.divide(NUMBERS.add(numbers[middle - 1], numbers[middle]), Decimal(2))


@builtin("stddev(list: list)", "stddev(*list: any)")
def stddev(run: Run, items: list[object]) -> Decimal | None:
    """The standard deviation of a sample: the squares are divided by one less than their count."""
    numbers = _numbers(run, items)
    if len(numbers) < 2:
        return None
    average = NUMBERS.divide(_sum(run, numbers), Decimal(len(numbers)))
    distances = [NUMBERS.subtract(number, average) for number in in_steps(numbers, run.meter.step)]
    squares = [NUMBERS.multiply(distance, distance) for distance in in_steps(distances, run.meter.step)]
    return NUMBERS.sqrt(NUMBERS.divide(_sum(run, squares), Decimal(len(numbers) - 1)))


def _sum(run: Run, numbers: list[Decimal]) -> Decimal:
    result = Decimal(0)
    for number in in_steps(numbers, run.meter.step):
        result = NUMBERS.add(result, number)
    return result


@builtin("mode(list: list)", "mode(*list: any)")
def mode(run: Run, items: list[object]) -> list[object]:
    counts: dict[Decimal, int] = {}
    for number in in_steps(_numbers(run, items), run.meter.step):
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values(), default=0)
    return [number for number in _sorted(run, counts) if counts[number] == most]


@builtin("all(list: list)", "all(*list: any)")
def all_true(items: list[object]) -> bool | None:
    if False in [item for item in items if isinstance(item, bool)]:
        return False
    return True if all(item is True for item in items) else None


@builtin("any(list: list)", "any(*list: any)")
def any_true(items: list[object]) -> bool | None:
    if any(item is True for item in items):
        return True
    return False if all(item is False for item in items) else None


@builtin("sublist(list: list, start position: number, length?: number|null)")
def sublist(items: list[object], start: Decimal, length: Decimal | None = None) -> list[object]:
    first = _position(items, start)
    if length is None:
        return items[first:]
    if not 0 <= length <= len(items) - first:
        raise Refused("invalid-value", value=length, name="length")
    return items[first : first + int(length)]


@builtin("append(list: list, *item: any)")
def append(items: list[object], added: list[object]) -> list[object]:
    return items + added


@builtin("concatenate(*list: any)")
def concatenate(run: Run, lists: list[object]) -> list[object]:
    if any(part is None for part in lists):
        raise Refused("arguments", name="concatenate", types="null")
    parts = [part if isinstance(part, list) else [part] for part in lists]
    run.meter.size(sum(map(len, parts)))
    return [item for part in parts for item in part]


@builtin("insert before(list: list, position: number, newItem: any)")
def insert_before(items: list[object], position: Decimal, item: object) -> list[object]:
    index = _position(items, position)
    return [*items[:index], item, *items[index:]]


@builtin("remove(list: list, position: number)")
def remove(items: list[object], position: Decimal) -> list[object]:
    index = _position(items, position)
    return items[:index] + items[index + 1 :]


@builtin("list replace(list: list, position: number, newItem: any)")
def list_replace(items: list[object], position: Decimal, item: object) -> list[object]:
    index = _position(items, position)
    return [*items[:index], item, *items[index + 1 :]]


@builtin("list replace(list: list, match: function, newItem: any)")
def list_replace_matches(run: Run, items: list[object], match: Function, new: object) -> list[object]:
    result: list[object] = []
    for item in items:
        verdict = call(run, match, [item, new])
        if not isinstance(verdict, bool):
            raise Refused("not-boolean", type=kind_of(verdict))
        result.append(new if verdict else item)
    return result


@builtin("reverse(list: list)")
def reverse(items: list[object]) -> list[object]:
    return items[::-1]


@builtin("index of(list: list, match: any)")
def index_of(run: Run, items: list[object], match: object) -> list[object]:
    step = run.meter.step
    return [Decimal(at) for at, item in enumerate(in_steps(items, step), 1) if equal(item, match, step) is True]


@builtin("distinct values(list: list)")
def distinct_values(run: Run, items: list[object]) -> list[object]:
    # What equals by Python's own rules is told apart by hash; the rest is compared one with another.
    step = run.meter.step
    seen: set[tuple[type, object]] = set()
    others: list[object] = []
    result: list[object] = []
    for item in in_steps(items, step):
        if item is None or type(item) in SCALAR:
            if (type(item), item) in seen:
                continue
            seen.add((type(item), item))
        elif any(equal(other, item, step) is True for other in in_steps(others, step)):
            continue
        else:
            others.append(item)
        result.append(item)
    return result


@builtin("union(*list: any)")
def union(run: Run, lists: list[object]) -> list[object]:
    return distinct_values(run, concatenate(run, lists))


@builtin("flatten(list: list)")
def flatten(run: Run, items: list[object]) -> list[object]:
    result: list[object] = []
    for item in in_steps(items, run.meter.step):
        if isinstance(item, list):
            result.extend(flatten(run, item))
            run.meter.fits(len(result))
        else:
            result.append(item)
    return result


def _sorted(run: Run, items: Collection[Decimal]) -> list[Decimal]:
    # Python sorts in one go; refused when the time left is too short for it.
    run.meter.scan(len(items))
    return sorted(items)


@builtin("sort(list: list, precedes?: function|null)")
def sort(run: Run, items: list[object], precedes: Function | None = None) -> list[object]:
    """In the order that `precedes` gives; without it in the order of the values, which the standard does not know."""
    if precedes is not None:
        return sorted(items, key=cmp_to_key(lambda a, b: -1 if call(run, precedes, [a, b]) is True else 0))
    numbers = [item for item in items if isinstance(item, Decimal)]
    if len(numbers) == len(items):
        return list(_sorted(run, numbers))

    def order(left: object, right: object) -> int:
        run.meter.step()
        found = compare(left, right)
        if found is None:
            raise Refused("not-comparable", left=kind_of(left), right=kind_of(right))
        return found

    return sorted(items, key=cmp_to_key(order))
