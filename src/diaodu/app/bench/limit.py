"""The limit: how fast PostgreSQL can write the rows of an order at all, on the very tables and indexes of the product.

The rows that the orders really wrote are taken out, put back and changed again by set statements of 500 rows and one
commit each. Their parameters are binary arrays made beforehand, so that the client costs next to nothing.
"""

import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import ExecStatus

from diaodu.app.bench.meter import Written

Conn = psycopg.Connection[Any]
BATCH = 500
_KIND_NAMES = ("insert", "update", "delete")


@dataclass(frozen=True)
class Table:
    """``sample`` chooses its rows; ``before`` are columns as the insert leaves them; the update sets ``more`` too."""

    name: str
    sample: str
    before: Mapping[str, str] = field(default_factory=dict)
    more: Sequence[str] = ()
    inserted: bool = True


_ORDERS = "in (select id from bench.sample)"
_PRODUCTS = f"product_id in (select id from inventory.product where order_id {_ORDERS})"
# In the order in which foreign keys allow inserts. The update of a table is that by which most of its rows are written.
_TABLES = (
    Table("kernel.root", f"id {_ORDERS}"),
    Table("kernel.ext_key", f"id {_ORDERS}"),
    Table("kernel.history", f"root_id {_ORDERS}"),
    Table("ordering.product_order", f"id {_ORDERS}", {"priority": "0"}),
    Table(
        "ordering.order_item", f"order_id {_ORDERS}", {"state": "'acknowledged'", "completed_at": "null"}, ["reason"]
    ),
    Table(
        "ordering.revision",
        f"order_id {_ORDERS}",
        {"state": "'intake'", "tree": "null", "decided_at": "null"},
        ["document", "design", "problems"],
    ),
    Table(
        "planning.effect",
        f"order_id {_ORDERS}",
        {"state": "'intent'", "result": "null", "attempts": "0", "due_at": "null", "ended_at": "null"},
    ),
    Table("engine.instance", f"root_id {_ORDERS}", {"state": "0", "ended_at": "null"}, ["tokens", "vars"]),
    Table("engine.job", f"root_id {_ORDERS}", {"state": "0"}, ["attempts", "due_at", "deaths"]),
    Table("engine.human_task", f"root_id {_ORDERS}", {"state": "0", "ended_at": "null"}),
    Table("workforce.work_order", f"order_id {_ORDERS}"),
    Table("inventory.request", f"order_id {_ORDERS}", {"told": "false"}),
    Table("inventory.product", f"order_id {_ORDERS}"),
    Table("inventory.service", _PRODUCTS),
    Table("inventory.usage", _PRODUCTS),
    Table(
        "inventory.resource",
        "state = 2 order by id limit 20000",
        {"state": "0", "holder": "null", "order_id": "null"},
        inserted=False,
    ),
)
# Resources are there before any order: they are set free again, outside of the time that counts.
_RESOURCE = "inventory.resource"
_FREE = """
update inventory.resource t set state = 0, holder = null, order_id = null
  from bench.inventory_resource u where t.area = u.area and t.id = u.id
"""
_COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod), coalesce(a.attnum = any(i.indkey), false) from pg_attribute a
  left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
 where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum
"""


@dataclass(frozen=True)
class Rate:
    """Rows a second of one kind of write to one table; every measurement."""

    table: str
    kind: str
    rows: Sequence[float]

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.rows)


@dataclass(frozen=True)
class _Statement:
    table: str
    kind: str
    sql: str
    batches: Sequence[Sequence[bytes]]
    count: int


def measure(dsn: str, *, orders: int, connections: int, rounds: int, tables: Sequence[Table] = _TABLES) -> list[Rate]:
    """Take out, put back and change the rows of up to ``orders`` orders, with so many connections at the same time.

    ``tables`` stand in the order in which foreign keys allow inserts.
    """
    conn: Conn
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("drop schema if exists bench cascade")
        conn.execute("create schema bench")
        conn.execute(f"create table bench.sample as select id from kernel.root order by id limit {int(orders)}")
        statements = [s for table in tables for s in _statements(conn, table)]
        found: dict[tuple[str, str], list[float]] = {}
        for _ in range(rounds):
            for statement in _in_order(statements):
                if statement.table == _RESOURCE:
                    conn.execute(_FREE)
                conn.execute(f"vacuum analyze {statement.table}")
                seconds = _timed(dsn, statement, connections)
                found.setdefault((statement.table, statement.kind), []).append(statement.count / seconds)
        conn.execute("drop schema bench cascade")
    return [Rate(table, kind, rows) for (table, kind), rows in found.items()]


def orders_per_second(rows: Mapping[str, Written], rates: Sequence[Rate]) -> float:
    """1 / the time that all rows of an order take, each at its rate; rare tables at the mean of their kind."""
    known = {(r.table, r.kind): r.median for r in rates}
    mean = {k: statistics.harmonic_mean([v for (_, kind), v in known.items() if kind == k]) for k in _KIND_NAMES}
    seconds = 0.0
    for table, written in rows.items():
        for kind in _KIND_NAMES:
            seconds += getattr(written, kind) / known.get((table, kind), mean[kind])
    return 1 / seconds


def _in_order(statements: Sequence[_Statement]) -> list[_Statement]:
    deletes = [s for s in statements if s.kind == "delete"]
    return [*reversed(deletes), *(s for s in statements if s.kind != "delete")]


def _statements(conn: Conn, table: Table) -> Iterator[_Statement]:
    copy = f"bench.{table.name.replace('.', '_')}"
    columns = conn.execute(_COLUMNS, [table.name]).fetchall()
    keys = [name for name, _, key in columns if key]
    conn.execute(
        f"create table {copy} as select *, (row_number() over (order by {', '.join(keys)}) - 1) / {BATCH} as batch"
        f" from (select * from {table.name} where {table.sample}) t".encode()
    )
    types = {name: kind for name, kind, _ in columns}
    matched = " and ".join(f"t.{k} = u.{k}" for k in keys)

    def made(kind: str, sql: str, values: Mapping[str, str]) -> _Statement:
        # An array of arrays must be rectangular, so arrays travel as text.
        sent = [f"({v})::text" if types[n].endswith("[]") else f"{v}::{types[n]}" for n, v in values.items()]
        return _Statement(table.name, kind, sql, *_batches(conn, copy, sent))

    if table.inserted:
        chosen = ", ".join(_cast(n, types[n]) for n in types)
        sql = f"insert into {table.name} ({', '.join(types)}) select {chosen} from {_unnest(list(types), types)}"
        yield made("insert", sql, {n: table.before.get(n, n) for n in types})
    if table.before:
        changed = [*table.before, *table.more]
        assigned = ", ".join(f"{n} = {_cast(n, types[n])}" for n in changed)
        sql = f"update {table.name} t set {assigned} from {_unnest([*keys, *changed], types)} where {matched}"
        yield made("update", sql, {n: n for n in [*keys, *changed]})
    if table.inserted:
        sql = f"delete from {table.name} t using {_unnest(keys, types)} where {matched}"
        yield made("delete", sql, {n: n for n in keys})


def _batches(conn: Conn, copy: str, values: Sequence[str]) -> tuple[list[list[bytes]], int]:
    """The parameters of every batch, one binary array for each value, and the number of rows."""
    arrays = ", ".join(f"array_agg({v})" for v in values)
    with conn.cursor(binary=True) as cursor:
        cursor.execute(f"select count(*), {arrays} from {copy} group by batch order by batch".encode())
        result = cursor.pgresult
        assert result is not None
        batches = [
            [result.get_value(row, column) or b"" for column in range(1, len(values) + 1)]
            for row in range(result.ntuples)
        ]
        counts = [int.from_bytes(result.get_value(row, 0) or b"") for row in range(result.ntuples)]
    return batches, sum(counts)


def _unnest(names: Sequence[str], types: Mapping[str, str]) -> str:
    parameters = (f"${i}::{'text' if types[n].endswith('[]') else types[n]}[]" for i, n in enumerate(names, 1))
    return f"unnest({', '.join(parameters)}) u({', '.join(names)})"


def _cast(name: str, sql_type: str) -> str:
    return f"u.{name}::{sql_type}" if sql_type.endswith("[]") else f"u.{name}"


def _timed(dsn: str, statement: _Statement, connections: int) -> float:
    """Seconds until all batches are committed, dealt out to the connections."""
    ready = threading.Barrier(connections + 1)
    failures: list[str] = []

    def work(batches: Sequence[Sequence[bytes]]) -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.pgconn.prepare(b"s", statement.sql.encode())
            ready.wait()
            for parameters in batches:
                result = conn.pgconn.exec_prepared(b"s", parameters, [1] * len(parameters))
                if result.status != ExecStatus.COMMAND_OK:
                    failures.append(f"{statement.sql}: {result.error_message.decode()}")
                    return

    threads = [threading.Thread(target=work, args=(statement.batches[n::connections],)) for n in range(connections)]
    for thread in threads:
        thread.start()
    ready.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    return time.perf_counter() - begin
