"""The small operator: furnished once a session, cloned for each test; one process of simulated systems for all."""

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.flows.operator import House, furnish
from tests.simulators.wire import Simulator

from diaodu.kernel.db import Database

_OPERATOR = "template_operator"
_house = count(1)


@pytest.fixture(scope="session")
def _operator(postgres_dsn: str, _template: str) -> str:
    _admin(postgres_dsn, f"create database {_OPERATOR} template {_template}")
    db = Database(make_conninfo(postgres_dsn, dbname=_OPERATOR))
    furnish(db)
    db.close()
    return _OPERATOR


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The systems outside."""
    with Simulator(tmp_path_factory.mktemp("systems")) as running:
        yield running


@pytest.fixture
def house(postgres_dsn: str, _operator: str, simulator: Simulator) -> Iterator[House]:
    """The small operator, where nothing has happened yet."""
    number = next(_house)
    name = f"house_{number}"
    _admin(postgres_dsn, f"create database {name} template {_operator}")
    db = Database(make_conninfo(postgres_dsn, dbname=name))
    made = House(db, simulator.connect(), simulator.ready["port"], f"h{number}.")
    yield made
    made.client.fault()
    made.sender.close()
    db.close()
    _admin(postgres_dsn, f"drop database {name} with (force)")


def _admin(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statement.encode())
