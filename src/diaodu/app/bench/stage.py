"""Where a benchmark runs: a scratch server with durable commits, and one database a run, cloned from a template."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from diaodu.app.demo.load import load_operator
from diaodu.app.installation import example_operator, opened
from diaodu.app.operator import publish
from diaodu.kernel import postgres
from diaodu.migrations import migrate

# A server as it would be set up for production: nothing that a commit promises is left out.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
}
TEMPLATE = "bench_operator"


@dataclass(frozen=True)
class Stage:
    """A running server whose template database holds the demonstration operator."""

    dsn: str
    home: Path

    @property
    def cluster(self) -> Path:
        """The directory in which the server's processes work."""
        return (self.home / "cluster").resolve()

    def database(self, name: str, *, like: str = TEMPLATE) -> str:
        """Make a database as a copy of another one; returns its DSN."""
        # A copy of the files: faster than through the log, and the data are on disk when the run begins.
        self._admin(f"create database {name} template {like} strategy file_copy")
        return make_conninfo(self.dsn, dbname=name)

    def drop(self, name: str) -> None:
        """Remove a database."""
        self._admin(f"drop database {name} with (force)")

    def settle(self, dsn: str) -> None:
        """Vacuum, analyse and write out a database, so that no run pays for what was done before it."""
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("vacuum analyze")
            conn.execute("checkpoint")

    def version(self) -> str:
        """The version of the server."""
        with psycopg.connect(self.dsn) as conn:
            row = conn.execute("show server_version").fetchone()
        assert row is not None
        return str(row[0])

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(statement.encode())


@contextmanager
def staged(progress: Callable[[str], None]) -> Iterator[Stage]:
    """A scratch server with the template; nothing of it is left after the block."""
    with postgres.scratch(settings=SETTINGS) as server:
        stage = Stage(server.dsn, server.home)
        progress("loading the operator")
        stage.database(TEMPLATE, like="template0")
        dsn = make_conninfo(server.dsn, dbname=TEMPLATE)
        migrate(dsn)
        with opened(dsn) as db:
            load_operator(db, example_operator())
            publish(db, example_operator())
        stage.settle(dsn)
        yield stage
