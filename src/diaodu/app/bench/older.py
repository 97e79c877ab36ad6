"""Older orders in bulk: clones of orders that were really completed, with all their rows, under shifted ids."""

from typing import Any

import psycopg

from diaodu.inventory.model import TREE

# Parents before children.
_TABLES = (
    "kernel.root",
    "kernel.ext_key",
    "kernel.history",
    "ordering.product_order",
    "ordering.order_item",
    "ordering.revision",
    "planning.effect",
    "engine.instance",
    "engine.job",
    "engine.human_task",
    "workforce.work_order",
    "inventory.request",
    "inventory.product",
    "inventory.service",
    "inventory.usage",
)
# What customers hold, without the network itself: it is read once into a worker's memory, whatever the number of
# orders. Ids of resources are small numbers: their clones go far above all others.
_RESOURCES = """
insert into inventory.resource (area, id, spec, code, state, up_id, place_id, holder, attrs)
select area, id + (c << 40), spec, code || '-' || c, state, up_id, place_id, holder - c * %(shift)s, attrs
  from inventory.resource cross join generate_series(1, %(copies)s::int8) c where state = 2 and spec <> all(%(tree)s)
"""
_TEXTS = {("kernel.ext_key", "key"), ("ordering.product_order", "external_id")}


def seed(dsn: str, orders: int) -> int:
    """Clone the completed orders of a database until it holds at least ``orders``; returns how many it holds."""
    conn: psycopg.Connection[Any]
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select count(*), min(id), max(id) from kernel.root").fetchone()
        assert row is not None
        real, lowest, highest = row
        top = conn.execute("select max(id) from planning.effect").fetchone()
        assert top is not None
        # A multiple of 256 keeps the partition that an id carries.
        shift = (max(highest, top[0]) - lowest + 512) // 256 * 256
        copies = max(0, -(-orders // real) - 1)
        conn.execute("set local session_replication_role = replica")  # the clones are as consistent as their models
        conn.execute("set local synchronous_commit = off")
        for table in _TABLES:
            conn.execute(_clone(conn, table, lowest), {"shift": shift, "copies": copies})
        conn.execute(_RESOURCES, {"shift": shift, "copies": copies, "tree": list(TREE)})
    return int(real * (copies + 1))


def _clone(conn: psycopg.Connection[Any], table: str, lowest: int) -> bytes:
    """Every 8-byte number that is not below the first order's id is an id made since then."""
    schema, name = table.split(".")
    columns = conn.execute(
        "select column_name::text, udt_name::text from information_schema.columns"
        " where table_schema = %s and table_name = %s order by ordinal_position",
        [schema, name],
    ).fetchall()  # fmt: skip
    values = []
    for column, kind in columns:
        if (table, column) in _TEXTS:
            values.append(f"{column} || '-' || c")
        elif kind == "int8":
            values.append(f"case when {column} >= {lowest} then {column} - c * %(shift)s else {column} end")
        else:
            values.append(str(column))
    names = ", ".join(str(c) for c, _ in columns)
    return (
        f"insert into {table} ({names}) select {', '.join(values)} from {table}"
        " cross join generate_series(1, %(copies)s::int8) c"
    ).encode()
