"""A small operator behind the HTTP edge: one exchange area, one customer, the demonstration catalogue."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.catalog.example import document, load_rules
from tests.contract.server import serving

from diaodu.app.asgi import create_app
from diaodu.catalog import commands as catalog
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import NotAllowed, NotAuthenticated

ROOT = Path(__file__).parents[2]
ORDERS = "/tmf-api/productOrderingManagement/v4/productOrder"
HUB = "/tmf-api/productOrderingManagement/v4/hub"
WORK = "/tmf-api/workOrderManagement/v4/workOrder"
ADDRESS = "浙江省杭州市西湖区桂花城1幢1单元601"
ALL = frozenset(
    {"ordering:read", "ordering:write", "inventory:read", "workforce:read", "workforce:write", "dispatch:write"}
)
POOL, OTHER_POOL = 1, 2


@dataclass(frozen=True)
class FakePolicy:
    """Tokens by name; a scope is held or not."""

    principals: dict[str, Principal]

    def authenticate(self, tx: Tx, token: str) -> Principal:
        del tx
        if token not in self.principals:
            raise NotAuthenticated
        return self.principals[token]

    def require(self, principal: Principal, scope: str) -> None:
        if scope not in principal.scopes:
            raise NotAllowed(action=scope, right=scope)


POLICY = FakePolicy(
    {
        "counter": Principal(1, "counter", ALL),
        "shop": Principal(2, "shop", ALL),
        "reader": Principal(3, "reader", frozenset({"ordering:read"})),
        "technician": Principal(4, "technician", ALL, person_id=9, covered=lambda: frozenset({POOL})),
    }
)


@pytest.fixture(scope="session")
def untouched(postgres_dsn: str, _template: str) -> Iterator[Database]:
    """A furnished database for requests that must change nothing."""
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute(f"create database untouched template {_template}".encode())
    database = Database(make_conninfo(postgres_dsn, dbname="untouched"))
    with database.transaction() as tx:
        furnish(tx)
    yield database
    database.close()


@pytest.fixture(scope="session")
def refusing(untouched: Database) -> Iterator[httpx.Client]:
    """The application over ``untouched``."""
    with serving(create_app(untouched, POLICY), "counter") as client:
        yield client


@pytest.fixture
def http(db: Database) -> Iterator[httpx.Client]:
    """The application with the counter's token, over a database with the small operator."""
    with db.transaction() as tx:
        furnish(tx)
    with serving(create_app(db, POLICY), "counter") as client:
        yield client


def furnish(tx: Tx) -> None:
    """Catalogue, area, address and customer."""
    load_rules(tx)
    catalog.publish(tx, name="test", document=document())
    tx.run("insert into organization.unit values (1, null, 'exchange', 'X', '测试局')")
    tx.run("insert into inventory.area (id, code, name, city, unit_id, rural) values (7, 'T', '局', '杭州', 1, false)")
    tx.run(
        "insert into inventory.address (id, area, level, name, full_name, box_id) values (601, 7, 9, '601', %s, 10),"
        " (602, 7, 9, '602', '浙江省杭州市西湖区桂花城1幢1单元602', null)",
        (ADDRESS,),
    )
    tx.run(
        "insert into party.customer (id, code, name, category, level, status, phone, address_id, area, created_at)"
        " values (1001, 'C1001', '王小明', 'household', '3', 'active', '13857100000', 601, 7, %s)",
        (tx.now,),
    )


def bundle_order(**changes: Any) -> dict[str, Any]:
    """The P1 order: broadband, IPTV and voice at one address."""
    return {
        "externalId": "CRM-1",
        "description": "融合套餐新装",
        "priority": "2",
        "requestedCompletionDate": "2026-03-05T18:00:00+08:00",
        "relatedParty": [{"id": "C1001", "role": "customer", "@referredType": "Customer"}],
        "channel": [{"id": "hall-01", "name": "西湖营业厅"}],
        "productOrderItem": [
            {
                "id": "1",
                "action": "add",
                "productOffering": {"id": "P1"},
                "product": {"place": [{"name": ADDRESS, "role": "installation"}]},
            }
        ],
        **changes,
    }
