"""Arrays in PostgreSQL's binary form, encoded a column at a time: the driver would encode value by value."""

import sys
from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from struct import Struct
from typing import Any

import orjson
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = Struct("!5i")  # dimensions, whether a value is null, the type, the number of values, the first index
_LENGTH, _NULL = Struct("!i").pack, b"\xff\xff\xff\xff"
_MOMENT = Struct("!q").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_TEXT = 25
# The number of its type in PostgreSQL, how Python's array holds it, and its bytes.
_WHOLE = {"int2": (21, "h", 2), "int4": (23, "i", 4), "int8": (20, "q", 8)}


class Array:
    """An encoded array, a parameter of a statement that casts it to its type."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        return obj.data


psycopg.adapters.register_dumper(Array, _ArrayDumper)


def encoded(sql_type: str, values: Sequence[Any]) -> Array | None:
    """A column's values, of which there is at least one, in binary form; None for a type that is left to the driver.

    ``jsonb`` takes any JSON value and becomes an array of texts.
    """
    if sql_type in _WHOLE:
        return Array(_whole(values, *_WHOLE[sql_type]))
    if sql_type not in _OTHERS:
        return None
    oid, encode = _OTHERS[sql_type]
    # Most columns are the same in all rows. Equal documents may differ in their text: 1 and true are equal in Python.
    if values[0] is None or sql_type != "jsonb":
        count = values.count(values[0])
        if count == len(values):
            return Array(_array(oid, _items(values[:1], encode) * count, count, nulls=values[0] is None))
    return Array(_array(oid, _items(values, encode), len(values), nulls=None in values))


def _array(oid: int, items: bytes, count: int, *, nulls: bool) -> bytes:
    return _HEAD.pack(1, nulls, oid, count, 1) + items


def _items(values: Sequence[Any], encode: Callable[[Any], bytes]) -> bytes:
    found = [None if v is None else encode(v) for v in values]
    return b"".join([part for v in found for part in ((_NULL, b"") if v is None else (_LENGTH(len(v)), v))])


def _whole(values: Sequence[Any], oid: int, code: str, width: int) -> bytes:
    count, step = len(values), 4 + width
    try:
        numbers = array(code, values)
    except TypeError:  # there are nulls among them
        pack = Struct("!" + code).pack
        return _array(oid, _items(values, lambda v: pack(int(v))), count, nulls=True)
    if sys.byteorder == "little":
        numbers.byteswap()
    raw, items = numbers.tobytes(), bytearray(step * count)
    # Each value is its length and its bytes: written byte by byte for all values at once.
    items[3::step] = bytes([width]) * count
    for place in range(width):
        items[4 + place :: step] = raw[place::width]
    return _array(oid, bytes(items), count, nulls=False)


def _text(value: Any) -> bytes:
    return str(value).encode()


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)


def _moment(value: datetime) -> bytes:
    since = value - _EPOCH
    return _MOMENT((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _truth(value: Any) -> bytes:
    return b"\x01" if value else b"\x00"


_OTHERS: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "text": (_TEXT, _text),
    "jsonb": (_TEXT, _json),
    "timestamptz": (1184, _moment),
    "bool": (16, _truth),
    "boolean": (16, _truth),
    "bytea": (17, bytes),
}
