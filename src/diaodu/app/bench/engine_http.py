"""The completion of single human tasks over HTTP beside an endpoint that does nothing, under the same clients.

The tasks are those of the work item, claimed beforehand; each is completed by a request of its own, as an app does it:
token, rights, report and job in one durable transaction.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from diaodu.app.bench import engine_item as item
from diaodu.app.bench.engine_talk import Talker
from diaodu.app.bench.engine_web import NOTHING
from diaodu.app.bench.engine_worker import Feeder
from diaodu.app.bench.stage import Stage
from diaodu.app.installation import opened
from diaodu.engine import commands, queries
from diaodu.kernel import journal
from diaodu.kernel.db import Database
from diaodu.organization import queries as organization
from diaodu.organization.commands import issue_token
from diaodu.process.api import BASE
from diaodu.process.tasks import WRITE

CLIENTS = 16
_POOLS = "select id from organization.pool order by id"


@dataclass(frozen=True)
class Round:
    """Requests per second of the endpoint that does nothing, and tasks completed per second right after it."""

    nothing: float
    completed: float

    @property
    def ratio(self) -> float:
        """Completions by requests that do nothing."""
        return self.completed / self.nothing


def measure(stage: Stage, *, rounds: int, each: int) -> list[Round]:
    """Complete ``each`` tasks in every round; the first round warms up and does not count."""
    dsn = stage.database("bench_http")
    with opened(dsn, pool_max=2) as db:
        completions = _claimed(db, (rounds + 1) * each)
    stage.settle(dsn)
    found = []
    with Talker([sys.executable, "-m", "diaodu.app.bench.engine_web", dsn]) as web:
        port = int(web.hear())
        for n in range(rounds + 1):
            mine = completions[n * each : (n + 1) * each]
            idle = [(f"{NOTHING}/{task}", token, body) for task, token, body in mine]
            busy = [(f"{BASE}/task/{task}/complete", token, body) for task, token, body in mine]
            found.append(Round(_rate(port, idle), _rate(port, busy)))
    stage.drop("bench_http")
    return found[1:]


def _claimed(db: Database, count: int) -> list[tuple[int, str, bytes]]:
    """So many tasks that people hold: the id of each, the token of its person and the request's body."""
    with db.transaction(actor="bench") as tx:
        commands.deploy(tx, item.source(), item.MODES["together"])
        staffed = [(pool, organization.people_of(tx, pool)) for (pool,) in tx.rows(_POOLS)]
        people = [(pool, people[0].id) for pool, people in staffed if people][: db.parts]
        tokens = {person: issue_token(tx, f"person-{person}", [WRITE], person) for _, person in people}
    feeder, found = Feeder(db, "together", item.BATCH), []
    for n in range(-(-count // item.BATCH)):
        part, (pool, person) = n % db.parts, people[n % len(people)]
        with db.transaction(actor="bench") as tx:
            roots = item.start(tx, part, item.BATCH, pool=pool)
        feeder.run(part)
        with db.transaction(actor="bench") as tx:
            journal.lock(tx, roots)
            tasks = [task.id for root in roots for task in queries.tasks_of_root(tx, root)]
            commands.claim_tasks(tx, tasks, person)
        found += [(task, tokens[person], _body(task)) for task in tasks]
    return found[:count]


def _body(task: int) -> bytes:
    return orjson.dumps({"variables": {"result": "ok"}, "reportId": f"report-{task}"})


def _rate(port: int, requests: Sequence[tuple[str, str, bytes]]) -> float:
    waiting = iter([_request(*r) for r in requests])
    begin = time.perf_counter()
    asyncio.run(_clients(port, waiting))
    return len(requests) / (time.perf_counter() - begin)


def _request(path: str, token: str, body: bytes) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _clients(port: int, waiting: Iterator[bytes]) -> None:
    await asyncio.gather(*(_client(port, waiting) for _ in range(CLIENTS)))


async def _client(port: int, waiting: Iterator[bytes]) -> None:
    """Ask one request after the other on one connection; any answer but a success is a bug."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in waiting:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        told = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        length = int(told or b"0")  # 204 has none
        body = await reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 2"), head + body
    writer.close()
    await writer.wait_closed()
