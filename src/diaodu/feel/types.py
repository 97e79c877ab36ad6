"""Whether a value is of a type as written after `instance of` or behind a parameter."""

from __future__ import annotations

from diaodu.feel.ast import TypeRef
from diaodu.feel.values import Function, Range, kind_of, lift

_SIMPLE = frozenset(
    (
        "number",
        "string",
        "boolean",
        "date",
        "time",
        "date and time",
        "days and time duration",
        "years and months duration",
    )
)
_ALIASES = {"dateTime": "date and time", "dayTimeDuration": "days and time duration"}
_ALIASES["yearMonthDuration"] = "years and months duration"


def conforms(value: object, wanted: TypeRef) -> bool | None:
    """True or false; None when the type is not known."""
    name = _ALIASES.get(wanted.name, wanted.name)
    if name in ("Null", "null"):
        return value is None
    if name == "Any":
        return value is not None
    if name in _SIMPLE:
        return kind_of(value) == name
    if name == "list":
        return isinstance(value, list) and all(
            conforms(lift(item), part) is True or item is None for part in wanted.items for item in value
        )
    if name == "context":
        return isinstance(value, dict) and all(
            key in value and (value[key] is None or conforms(lift(value[key]), part) is True)
            for key, part in wanted.entries
        )
    if name == "range":
        return isinstance(value, Range) and all(
            end is None or conforms(end, part) is True for part in wanted.items for end in (value.start, value.end)
        )
    if name == "function":
        return isinstance(value, Function) and _takes(value, wanted)
    return None


def _takes(function: Function, wanted: TypeRef) -> bool:
    """Whether the function may be called with the wanted types; a bare `function` wants none."""
    if wanted.result is None and not wanted.items:
        return True
    types = function.types or (None,) * function.arity
    return len(types) == len(wanted.items) and all(map(_covers, types, wanted.items))


def _covers(declared: TypeRef | None, given: TypeRef) -> bool:
    if declared is None or declared.name == "Any":
        return True
    return declared.name == given.name and all(map(_covers, declared.items, given.items))
