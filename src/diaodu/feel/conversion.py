"""Whether values are of a type, and the implicit conversions of the standard (DMN 1.5, 10.3.2.9.4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from diaodu.feel.errors import Refused
from diaodu.feel.runtime import Run
from diaodu.feel.temporal import Date, DateTime, Time
from diaodu.feel.text import text_of
from diaodu.feel.types import Type, takes
from diaodu.feel.values import Function, Range, kind_of, lift

# What does not fit; of no type that FEEL knows.
MISFIT = object()
_GREENWICH_MIDNIGHT = Time(0, 0)
SHOWN_CHARACTERS = 40


def conforms(value: object, wanted: Type, run: Run) -> bool:
    """Whether the value is of the type, as `instance of` says: null is of no type but its own."""
    if value is None:
        return wanted.kind == "null"
    if wanted.kind != "Any" and kind_of(value) != wanted.kind:
        return False
    if wanted.kind in _PARTS and _PARTS[wanted.kind](value, wanted, run, _same) is MISFIT:
        return False
    return wanted.constraint is None or wanted.constraint(run, value)


def coerce(value: object, wanted: Type, run: Run) -> object:
    """The value as one of the type; raises Refused when it is none.

    Null stays null, a list of one stands for its item and an item for the list of it, a date for its midnight in
    Greenwich.
    """
    fitted = _fit(value, wanted, run)
    if fitted is not MISFIT:
        return fitted
    if isinstance(value, list):
        fitted = _fit(lift(value[0]), wanted, run) if len(value) == 1 and value[0] is not None else MISFIT
    elif wanted.kind == "list":
        fitted = _fit([value], wanted, run)
    if fitted is MISFIT:
        raise Refused("not-of-type", value=_shown(value), type=wanted.name)
    return fitted


def _shown(value: object) -> str:
    """A value as a reason shows it: simple ones as they are, of others the kind."""
    if isinstance(value, str):
        return f'"{_short(value)}"'
    return _short(text_of(value)) if isinstance(value, (Decimal, bool, Date)) else kind_of(value)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


Fit = Callable[[object, Type, Run], object]


def _fit(value: object, wanted: Type, run: Run) -> object:
    """The value, with dates where moments are wanted made moments at any depth; or MISFIT."""
    if value is None:
        return None
    kind = wanted.kind
    if kind != "Any" and kind_of(value) != kind:
        if kind != "date and time" or not isinstance(value, Date):
            return MISFIT
        value = DateTime(value, _GREENWICH_MIDNIGHT)
    parts = _PARTS.get(kind)
    if parts is not None:
        value = parts(value, wanted, run, _fit)
        if value is MISFIT:
            return MISFIT
    if wanted.constraint is not None and not wanted.constraint(run, value):
        return MISFIT
    return value


def _same(value: object, wanted: Type, run: Run) -> object:
    return value if value is None or conforms(value, wanted, run) else MISFIT


def _list(value: list[object], wanted: Type, run: Run, fit: Fit) -> object:
    part = wanted.item
    if part is None or (part.kind == "Any" and part.constraint is None):
        return value
    fitted: list[object] = []
    for item in value:
        run.meter.step()
        found = fit(lift(item), part, run)
        if found is MISFIT:
            return MISFIT
        fitted.append(found)
    return fitted


def _context(value: dict[str, object], wanted: Type, run: Run, fit: Fit) -> object:
    if not wanted.entries:
        return value
    run.meter.step(len(wanted.entries))
    fitted = dict(value)
    for key, part in wanted.entries:
        if key not in value:
            return MISFIT
        found = fit(lift(value[key]), part, run)
        if found is MISFIT:
            return MISFIT
        fitted[key] = found
    return fitted


def _range(value: Range, wanted: Type, run: Run, fit: Fit) -> object:
    part = wanted.item
    if part is not None and any(end is not None and fit(end, part, run) is MISFIT for end in (value.start, value.end)):
        return MISFIT
    return value


def _function(value: Function, wanted: Type, _run: Run, _fit: Fit) -> object:
    return value if takes(value.types or (None,) * value.arity, value.result, wanted) else MISFIT


_PARTS: dict[str, Callable[[Any, Type, Run, Fit], object]] = {
    "list": _list,
    "context": _context,
    "range": _range,
    "function": _function,
}
