"""Types, resolved from how they are written: what `instance of`, parameters and declared results refer to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diaodu.feel.ast import TypeRef

SIMPLE = frozenset(
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
_ALIASES = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "Null": "null",
    "any": "Any",
}
# Whether a value that is of the kind otherwise is allowed, within the evaluation that is passed first.
Constraint = Callable[[Any, object], bool]


class Type:
    """One type; `kind` is a simple type, Any, null, list, context, range or function.

    `item` is the type of the items of a list or of the ends of a range; `parameters` is None for any function.
    Types are compared by identity and may contain themselves, which is why they are put together step by step.
    """

    __slots__ = ("constraint", "entries", "item", "kind", "name", "parameters", "result")

    def __init__(self, kind: str, name: str = "") -> None:
        self.kind = kind
        self.name = name or kind
        self.item: Type | None = None
        self.entries: tuple[tuple[str, Type], ...] = ()
        self.parameters: tuple[Type, ...] | None = None
        self.result: Type | None = None
        self.constraint: Constraint | None = None

    def __repr__(self) -> str:
        return f"<type {self.name}>"


ANY = Type("Any")
NULL = Type("null")
_SIMPLE_TYPES = {name: Type(name) for name in SIMPLE}
Named = Callable[[str], Type | None]


def no_types(_name: str) -> Type | None:
    """The types of a text that stands alone: only those of the language."""
    return None


def language_type(name: str) -> Type | None:
    """The type of the language with that name; None for any other."""
    name = _ALIASES.get(name, name)
    if name == "Any":
        return ANY
    if name == "null":
        return NULL
    if name in ("list", "context", "range", "function"):
        return Type(name)
    return _SIMPLE_TYPES.get(name)


def resolve(ref: TypeRef, named: Named) -> Type | None:
    """The type that is written; `named` knows those that users define. None when any name in it is not known."""
    if not (ref.items or ref.entries or ref.result):
        return named(ref.name) or language_type(ref.name)
    items = [resolve(part, named) for part in ref.items]
    entries = [(key, resolve(part, named)) for key, part in ref.entries]
    result = None if ref.result is None else resolve(ref.result, named)
    found = language_type(ref.name)
    if found is None or None in items or None in (part for _, part in entries) or (ref.result and result is None):
        return None
    if ref.name == "function":
        found.parameters, found.result = tuple(part for part in items if part is not None), result
    elif items:
        found.item = items[0]
    found.entries = tuple((key, part) for key, part in entries if part is not None)
    return found


def is_subtype(given: Type, wanted: Type) -> bool:
    """Whether every value of one type is of the other; constraints are not looked at."""
    if wanted.kind == "Any" or given.kind == "null" or given is wanted:
        return True
    if given.kind != wanted.kind:
        return False
    if wanted.kind == "context":
        own = dict(given.entries)
        return all(key in own and is_subtype(own[key], part) for key, part in wanted.entries)
    if wanted.kind == "function":
        return takes(given.parameters, given.result, wanted)
    return wanted.item is None or is_subtype(given.item or ANY, wanted.item)


def takes(parameters: tuple[Type | None, ...] | None, result: Type | None, wanted: Type) -> bool:
    """Whether a function of these types may stand where one of the wanted type is called."""
    if wanted.parameters is None:
        return True
    if parameters is None or len(parameters) != len(wanted.parameters):
        return False
    if not all(own is None or is_subtype(given, own) for given, own in zip(wanted.parameters, parameters, strict=True)):
        return False
    return result is None or result.kind == "Any" or wanted.result is None or is_subtype(result, wanted.result)
