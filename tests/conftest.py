"""One scratch PostgreSQL per test process, one migrated template in it, a clone for each test that commits."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from diaodu.kernel import postgres
from diaodu.kernel.db import Database, Tx
from diaodu.migrations import migrate

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 17:00 in Hangzhou
TEMPLATE = "template_migrated"
_clone = count(1)


class _RollBack(Exception):
    pass


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of the database is also one for the oldest supported server, unless it kills things or takes long."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "postgres_dsn" in names and not {"crash", "slow"} & {mark.name for mark in item.iter_markers()}:
            item.add_marker("pg15")


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """A scratch server with an empty database; DIAODU_TEST_PG_BIN names the binaries of another version."""
    bin_dir = os.environ.get("DIAODU_TEST_PG_BIN")
    # A test never survives a power cut, so the disk need not be waited for; a killed server loses nothing either way.
    settings = {"fsync": "off", "shared_buffers": "64MB"}
    with postgres.scratch(settings=settings, bin_dir=Path(bin_dir) if bin_dir else None) as server:
        yield server.dsn


@pytest.fixture(scope="session")
def _template(postgres_dsn: str) -> str:
    """A migrated database that nobody is connected to, so that it can be cloned."""
    _admin(postgres_dsn, f"create database {TEMPLATE}")
    migrate(make_conninfo(postgres_dsn, dbname=TEMPLATE))
    return TEMPLATE


@pytest.fixture
def db_dsn(postgres_dsn: str, _template: str) -> Iterator[str]:
    """The DSN of a migrated database of this test alone."""
    name = f"test_{next(_clone)}"
    _admin(postgres_dsn, f"create database {name} template {_template}")
    yield make_conninfo(postgres_dsn, dbname=name)
    _admin(postgres_dsn, f"drop database {name} with (force)")


@pytest.fixture
def db(db_dsn: str) -> Iterator[Database]:
    """A migrated database of this test alone, for what commits."""
    database = Database(db_dsn)
    yield database
    database.close()


@pytest.fixture(scope="session")
def _shared_db(postgres_dsn: str, _template: str) -> Iterator[Database]:
    _admin(postgres_dsn, f"create database shared template {_template}")
    database = Database(make_conninfo(postgres_dsn, dbname="shared"))
    yield database
    database.close()


@pytest.fixture
def now() -> datetime:
    """The instant at which a ``tx`` happens."""
    return NOW


@pytest.fixture
def tx(_shared_db: Database, now: datetime) -> Iterator[Tx]:
    """A transaction on a migrated database; what it wrote is rolled back after the test."""
    with suppress(_RollBack), _shared_db.transaction(actor="test", now=now) as transaction:
        yield transaction
        raise _RollBack


def _admin(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statement.encode())
