"""The interface over real HTTP, with an engine that the tests let work."""

from collections.abc import Collection, Iterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from tests.contract.conftest import FakePolicy
from tests.contract.server import serving
from tests.engine.kit import Bench, bpmn

from diaodu.app.edge_failures import add_failures
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import NotFound
from diaodu.process.api import BASE, mount_processes
from diaodu.tmf import edge

WORK = bpmn(
    '<startEvent id="s"/><serviceTask id="a" diaodu:topic="bill"/><userTask id="u" diaodu:pool="1"/><endEvent id="e"/>',
    "s -> a\na -> u\nu -> e",
)
RIGHTS = frozenset({"process:read", "process:write", "process-move:write", "process-design:write", "external:write"})
POLICY = FakePolicy(
    {
        "boss": Principal(1, "boss", RIGHTS),
        "clerk": Principal(2, "clerk", frozenset({"process:read", "process:write"})),
        "worker": Principal(3, "worker", frozenset({"external:write"})),
        "nobody": Principal(4, "nobody"),
        "liu": Principal(7, "liu", frozenset({"task:read", "task:write"}), 70, lambda: frozenset({1})),
        "chen": Principal(8, "chen", frozenset({"task:write"}), 80, lambda: frozenset({2})),
        "robot": Principal(9, "robot", frozenset({"task:write"})),
        "biller": Principal(5, "biller", frozenset({"process:external:bill"})),
        "shipper": Principal(6, "shipper", frozenset({"process:external:ship"})),
    }
)


@pytest.fixture
def bench(db: Database) -> Bench:
    bench = Bench(db)
    bench.deploy(WORK)
    return bench


def fits(tx: Tx, processes: Collection[str]) -> None:
    """Nobody may deploy a process named "narrow"."""
    if "narrow" in processes:
        raise NotFound(entity="work", id=str(tx.parts))


@pytest.fixture
def http(bench: Bench) -> Iterator[httpx.Client]:
    """The boss's client; other tokens go in a header."""
    app = FastAPI()
    app.state.edge = edge.Edge(bench.db, POLICY)
    add_failures(app)
    router = APIRouter()
    mount_processes(router, bench.handlers, fits)
    app.include_router(router)
    with serving(app, "boss") as client:
        client.base_url = httpx.URL(str(client.base_url).rstrip("/") + BASE)
        yield client
