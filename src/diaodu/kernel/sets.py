"""Set statements: many rows in one INSERT, UPDATE or DELETE from unnest, with the count asserted.

The hot path writes only through here. Columns are given with their SQL type; ``jsonb`` takes any JSON value.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from diaodu.kernel import arrays
from diaodu.kernel.errors import Conflict

if TYPE_CHECKING:
    from diaodu.kernel.db import Tx

Row = Sequence[Any]
Columns = Mapping[str, str]


def to_json(value: Any) -> str:
    """JSON text of a value; Decimal and other exact types go as text."""
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _array(sql_type: str, values: Sequence[Any]) -> Any:
    if (array := arrays.encoded(sql_type, values)) is not None:
        return array
    if sql_type.endswith("[]"):
        return ["{" + ",".join(map(str, v)) + "}" for v in values]
    return list(values)


def _parameter(sql_type: str) -> str:
    return "%b::text[]" if sql_type == "jsonb" or sql_type.endswith("[]") else f"%b::{sql_type}[]"


def _cast(column: str, sql_type: str) -> str:
    return f"u.{column}::{sql_type}" if sql_type == "jsonb" or sql_type.endswith("[]") else f"u.{column}"


def _selected(columns: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(_cast(c, t) for c, t in columns)


@cache
def _source(columns: tuple[tuple[str, str], ...]) -> str:
    names = ", ".join(c for c, _ in columns)
    return f"unnest({', '.join(_parameter(t) for _, t in columns)}) as u({names})"


def _arrays(columns: Columns, rows: Sequence[Row]) -> list[Any]:
    return [_array(t, values) for t, values in zip(columns.values(), zip(*rows, strict=True), strict=True)]


def insert(tx: "Tx", table: str, columns: Columns, rows: Sequence[Row], *, on_conflict: str = "") -> int:
    """Insert ``rows`` (tuples in the order of ``columns``); returns the number inserted.

    Without ``on_conflict`` every row must arrive, else Conflict. ``on_conflict`` is the SQL text after the word
    CONFLICT, for example ``(part, id) do nothing``.
    """
    if not rows:
        return 0
    key = tuple(columns.items())
    conflict = f" on conflict {on_conflict}" if on_conflict else ""
    sql = f"insert into {table} ({', '.join(columns)}) select {_selected(key)} from {_source(key)}{conflict}"
    count = tx.run(sql, _arrays(columns, rows))
    if not on_conflict and count != len(rows):
        raise Conflict(f"{table}: {count} of {len(rows)} rows inserted")
    return count


def update(
    tx: "Tx", table: str, keys: Columns, values: Columns, rows: Sequence[Row], *, where: str = "", exact: bool = True
) -> int:
    """Update ``values`` of the rows that ``keys`` name; each row is ``(*keys, *values)``, unique on its key.

    ``where`` adds a condition on ``t`` (the table); ``exact=False`` allows that it leaves rows out. Returns the
    number updated; any other surprise is a Conflict, because a lost update is a lost fact.
    """
    if not rows:
        return 0
    width = len(keys)
    if len({tuple(r[:width]) for r in rows}) != len(rows):
        raise Conflict(f"{table}: a key stands twice in one set update")
    columns = tuple({**keys, **values}.items())
    assigned = ", ".join(f"{c} = {_cast(c, t)}" for c, t in values.items())
    matched = " and ".join(f"t.{c} = u.{c}" for c in keys)
    extra = f" and {where}" if where else ""
    sql = f"update {table} t set {assigned} from {_source(columns)} where {matched}{extra}"
    count = tx.run(sql, _arrays(dict(columns), rows))
    if exact and count != len(rows):
        raise Conflict(f"{table}: {count} of {len(rows)} rows updated")
    return count


def delete(tx: "Tx", table: str, keys: Columns, rows: Sequence[Row]) -> int:
    """Delete the rows that the keys name; every one must be there, else Conflict."""
    if not rows:
        return 0
    matched = " and ".join(f"t.{c} = u.{c}" for c in keys)
    sql = f"delete from {table} t using {_source(tuple(keys.items()))} where {matched}"
    count = tx.run(sql, _arrays(keys, rows))
    if count != len(rows):
        raise Conflict(f"{table}: {count} of {len(rows)} rows deleted")
    return count
