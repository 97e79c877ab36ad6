"""What the rules that match give together: hit policies and aggregations (DMN 1.5, 8.2.11)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from diaodu.dmn.model import Aggregation
from diaodu.feel.errors import Refused
from diaodu.feel.values import NUMBERS, compare, equal

# Aggregations of no result at all; the others have none then.
OF_NOTHING: dict[Aggregation | None, object] = {Aggregation.COUNT: Decimal(0)}


def agree(results: Sequence[object]) -> bool:
    """Whether all results are the same."""
    return all(equal(results[0], other) is True for other in results[1:])


def aggregated(results: Sequence[object], how: Aggregation) -> object:
    """One value of all results; nulls are refused except by COUNT."""
    if how is Aggregation.COUNT:
        return Decimal(len(results))
    if how is Aggregation.SUM:
        return _sum(results)
    best = results[0]
    for other in results:
        order = compare(other, best)
        if order is None:
            raise Refused("aggregation", operation=how.value)
        if order < 0 if how is Aggregation.MIN else order > 0:
            best = other
    return best


def _sum(results: Sequence[object]) -> object:
    total = Decimal(0)
    for each in results:
        if not isinstance(each, Decimal):
            raise Refused("aggregation", operation="SUM")
        total = NUMBERS.add(total, each)
    return total
