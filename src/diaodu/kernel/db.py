"""The database and its one transaction per request or batch; only the edge commits."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
import psycopg
from psycopg import sql as psql
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool

from diaodu.kernel import journal
from diaodu.kernel.clock import Clock, wall_clock
from diaodu.kernel.errors import Conflict
from diaodu.kernel.ids import IdMaker

# Several times faster than the standard library, and documents are most of what is read.
set_json_loads(orjson.loads)

Params = Sequence[Any] | dict[str, Any] | None
Query = str | psql.SQL | psql.Composed

# One web process plus its workers stay far below the server's 100 connections.
POOL_MAX = 12


class Tx:
    """One open transaction: SQL, the instant ``now`` that all of it shares, and who acts.

    ``memo`` caches what was read under the locks that this transaction holds; it dies with it.
    """

    def __init__(self, conn: psycopg.Connection[Any], *, now: datetime, actor: str, ids: IdMaker, parts: int) -> None:
        self.conn, self.now, self.actor, self.ids, self.parts = conn, now, actor, ids, parts
        self.journal = journal.Journal()
        self.memo: dict[Any, Any] = {}
        self.committed: list[Callable[[], None]] = []  # called once the commit has succeeded
        self._cursor = conn.cursor()

    def rows(self, query: Query, params: Params = None) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self._cursor.execute(query, _cheap(params)).fetchall()

    def row(self, query: Query, params: Params = None) -> tuple[Any, ...] | None:
        """The first row of a query, or None."""
        return self._cursor.execute(query, _cheap(params)).fetchone()

    def run(self, query: Query, params: Params = None) -> int:
        """Execute a statement; returns the number of rows that it touched."""
        return self._cursor.execute(query, _cheap(params)).rowcount

    def expect(self, count: int, query: Query, params: Params = None) -> None:
        """Execute a statement that must touch exactly ``count`` rows, else Conflict."""
        if (touched := self.run(query, params)) != count:
            raise Conflict(f"{touched} rows touched, {count} expected: {query}")

    def new_id(self, part: int) -> int:
        """A new id in a partition."""
        return self.ids.new(part)


def _cheap(params: Params) -> Params:
    """Lists of whole numbers as array literals: the driver would quote each number in Python."""
    if isinstance(params, dict):
        return {name: _literal(value) for name, value in params.items()}
    return [_literal(value) for value in params] if params else params


def _literal(value: Any) -> Any:
    if type(value) is list and value and all(type(n) is int for n in value):
        return "{" + ",".join(map(str, value)) + "}"
    return value


class Database:
    """A pool of connections to one PostgreSQL database that has been migrated to head.

    With ``plan_anew`` every statement is planned for the tables as they are at that moment, see ``_replanning``.
    """

    def __init__(
        self, dsn: str, *, clock: Clock = wall_clock, pool_max: int = POOL_MAX, plan_anew: bool = False
    ) -> None:
        self.dsn, self.clock = dsn, clock
        configure = _replanning if plan_anew else _configure
        self._pool = ConnectionPool(dsn, min_size=1, max_size=pool_max, open=True, configure=configure, timeout=30)
        with self._pool.connection() as conn:
            node = conn.execute("select nextval('kernel.node')").fetchone()
            parts = conn.execute("select value::int from kernel.setting where name = 'parts'").fetchone()
        if node is None or parts is None:
            raise Conflict("kernel.setting has no 'parts': the database was not initialised")
        self.ids, self.parts = IdMaker(node[0]), int(parts[0])

    @contextmanager
    def transaction(self, *, actor: str = "system", now: datetime | None = None) -> Iterator[Tx]:
        """Open a transaction; commits when the block ends, rolls back when it raises."""
        with self._pool.connection() as conn:
            with conn.transaction():
                tx = Tx(conn, now=now or self.clock(), actor=actor, ids=self.ids, parts=self.parts)
                yield tx
                journal.write(tx)
            for tell in tx.committed:
                tell()

    def close(self) -> None:
        """Give all connections back to the server."""
        self._pool.close()


def _configure(conn: psycopg.Connection[Any]) -> None:
    # Prepare at first sight: the hot path repeats a small set of statements for ever.
    conn.prepare_threshold = 1
    conn.execute("set timezone to 'UTC'")
    conn.commit()


def _replanning(conn: psycopg.Connection[Any]) -> None:
    # A plan that was made while a table was empty reads all of it, and would be kept when it has filled. Planning anew
    # is nothing beside the hundreds of rows that a worker's statement is for.
    conn.execute("set plan_cache_mode to force_custom_plan")
    _configure(conn)
