"""What kind of value a column holds, by its typeRef or else by what its cells name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from diaodu.dmn.cells import constants_of
from diaodu.dmn.model import ItemDefinition
from diaodu.dmn.segments import KEYS, points_of
from diaodu.dmn.table_tree import ANY, Cell
from diaodu.feel.errors import FeelSyntaxError
from diaodu.feel.parser import parse_unary_tests
from diaodu.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time

_KINDS: dict[str, type] = {
    "number": Decimal,
    "string": str,
    "boolean": bool,
    "date": Date,
    "time": Time,
    "date and time": DateTime,
    "dateTime": DateTime,
    "days and time duration": DaysDuration,
    "dayTimeDuration": DaysDuration,
    "years and months duration": MonthsDuration,
    "yearMonthDuration": MonthsDuration,
}
# A definition that leads to itself ends here.
_MAX_CHAIN = 20


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """The kind of a column and its allowed values; no kind where it is not known, or where the values have parts."""

    kind: type | None = None
    allowed: Cell = ANY
    has_parts: bool = False


class Kinds:
    """The simple types of a model by name."""

    def __init__(self, items: Sequence[ItemDefinition]) -> None:
        self._items: Mapping[str, ItemDefinition] = {item.name: item for item in items}

    def of(self, type_ref: str | None, own: Cell = ANY) -> ColumnKind:
        """What a typeRef means; `own` are allowed values that are written in the column itself."""
        allowed, name = own, type_ref or ""
        for _ in range(_MAX_CHAIN):
            item = self._items.get(name)
            if item is None:
                break
            if item.is_collection or item.components or item.is_function:
                return ColumnKind(None, own, has_parts=True)
            allowed = allowed if not allowed.takes_all else _cell(item.allowed_values or item.type_constraint)
            name = item.type_ref or ""
        name = name.removeprefix("feel:")
        return ColumnKind(_KINDS.get(name), allowed, has_parts=name in ("list", "context", "range", "function"))


def _cell(text: str | None) -> Cell:
    try:
        parsed = parse_unary_tests(text or "-")
    except FeelSyntaxError:
        # It is told where the type is checked.
        return ANY
    if parsed.tests is None:
        return ANY
    constants = constants_of(parsed.tests, ())
    # Allowed values that cannot be known beforehand allow everything here.
    return ANY if constants is None else Cell(0, text or "", parsed.negated, parsed.tests, constants)


def kinds_in(cells: Iterable[Cell]) -> set[type]:
    """The kinds of the constants of some cells."""
    constants = (constant for cell in cells for constant in cell.constants or ())
    return {type(p) for constant in constants for p in points_of(constant) if type(p) in KEYS or isinstance(p, bool)}
