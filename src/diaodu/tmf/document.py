"""JSON documents of the edge: reading a body, choosing fields, merging a patch."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from diaodu.tmf.errors import BadAttribute, BodyTooDeep, MalformedJson
from diaodu.tmf.query import parse_id, parse_time

Document = dict[str, Any]

# The deepest official example nests 9 levels; a bound keeps every later walk over the body safe.
DEPTH_MAX = 40


def parse(body: bytes) -> Document:
    """The JSON object in a body; MalformedJson with its position, BadAttribute when it is no object."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedJson(line=error.lineno, column=error.colno, problem=error.msg.split(":")[0]) from None
    if not isinstance(value, dict):
        raise BadAttribute(path="$", expected="an object", value=_shown(value))
    _check(value)
    return value


def _check(document: Document) -> None:
    # PostgreSQL stores no NUL in text, and unbounded nesting would end in a recursion error further in.
    level: list[Any] = [document]
    for _ in range(DEPTH_MAX):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += value.keys()
                inner += value.values()
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str) and "\0" in value:
                raise BadAttribute(path="$", expected="text without NUL", value="\\u0000")
        level = inner
        if not level:
            return
    raise BodyTooDeep(limit=DEPTH_MAX)


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396: the target with a merge patch applied; null deletes, arrays are replaced whole."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def select(document: Document, fields: str | None) -> Document:
    """The document cut to ``fields`` (``a,b.c``; ``none`` = the identity); id, href and @type always stay."""
    if fields is None:
        return document
    tree: dict[str, Any] = {"id": {}, "href": {}, "@type": {}}
    for path in fields.split(","):
        branch = tree
        for name in path.strip().split("."):
            branch = branch.setdefault(name, {})
    picked: Document = _pick(document, tree)
    return picked


def _pick(value: Any, tree: Mapping[str, Any]) -> Any:
    if not tree:
        return value
    if isinstance(value, list):
        return [_pick(v, tree) for v in value]
    if isinstance(value, dict):
        return {k: _pick(v, tree[k]) for k, v in value.items() if k in tree}
    return value


def text(document: Document, name: str, path: str = "", *, required: bool = False) -> str | None:
    """A text attribute, or None when it is absent."""
    value = document.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str) or (required and not value):
        raise BadAttribute(path=path + name, expected="a text", value=_shown(value))
    return value


def moment(document: Document, name: str) -> datetime | None:
    """A date-time attribute, or None when it is absent."""
    value = text(document, name)
    try:
        return None if value is None else parse_time(value)
    except ValueError as error:
        raise BadAttribute(path=name, expected=str(error), value=_shown(value)) from None


def reference(document: Document, name: str, path: str = "") -> int | None:
    """A numeric id given as text, or None when it is absent."""
    value = text(document, name, path)
    try:
        return None if value is None else parse_id(value)
    except ValueError as error:
        raise BadAttribute(path=path + name, expected=str(error), value=_shown(value)) from None


def whole(document: Document, name: str) -> int | None:
    """A whole number, or None when it is absent."""
    value = document.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise BadAttribute(path=name, expected="a whole number", value=_shown(value))


def objects(document: Document, name: str, path: str = "", *, least: int = 0, most: int = 100) -> list[Document]:
    """An array of objects; absent = empty."""
    value = document.get(name)
    found = [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(o, dict) for o in found) or not least <= len(found) <= most:
        raise BadAttribute(path=path + name, expected=f"an array of {least} to {most} objects", value=_shown(value))
    return found


def inner(document: Document, name: str, path: str = "") -> Document:
    """An object attribute; absent = empty."""
    value = document.get(name)
    found = {} if value is None else value
    if not isinstance(found, dict):
        raise BadAttribute(path=path + name, expected="an object", value=_shown(value))
    return found


def choice(document: Document, name: str, allowed: tuple[str, ...], path: str = "") -> str:
    """A required text attribute out of a set."""
    value = document.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise BadAttribute(path=path + name, expected=" | ".join(allowed), value=_shown(value))
    return value


def characteristics(entries: list[Document], path: str) -> dict[str, Any]:
    """Name to value from a TM Forum characteristic array; a name that stands twice is refused."""
    found: dict[str, Any] = {}
    for position, entry in enumerate(entries):
        name = text(entry, "name", f"{path}[{position}].", required=True)
        if name is None or name in found or "value" not in entry:
            raise BadAttribute(path=f"{path}[{position}]", expected="a new name with a value", value=_shown(entry))
        found[name] = entry["value"]
    return found


def characteristic_array(values: Mapping[str, Any]) -> list[Document]:
    """A TM Forum characteristic array from names and values."""
    return [{"name": name, "valueType": _value_type(value), "value": value} for name, value in values.items()]


def _value_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "string"


def instant(value: datetime | None) -> str | None:
    """An instant as ISO 8601 with zone, to the millisecond."""
    return None if value is None else value.isoformat(timespec="milliseconds")


def present(document: Mapping[str, Any]) -> Document:
    """The attributes that have a value; an absent one is left out, never sent as null."""
    return {k: v for k, v in document.items() if v is not None}


def _shown(value: Any) -> str:
    return "nothing" if value is None else orjson.dumps(value, default=str).decode()[:80]
