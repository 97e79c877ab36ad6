"""The completion of single human tasks over HTTP beside an endpoint that does nothing, under the same clients.

The tasks are the work orders of captured orders, claimed beforehand; each is completed by a PATCH of its own, as an app
of a technician does: token, rights, form, report and job in one durable transaction, the work order in the answer.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from diaodu.app.bench.engine_talk import Talker
from diaodu.app.bench.engine_web import NOTHING
from diaodu.app.bench.load import Load
from diaodu.app.bench.run import LOOK_S, ROLES, STUCK_S, start_simulators
from diaodu.app.bench.stage import Stage
from diaodu.app.installation import connect_systems, opened
from diaodu.app.processes import DIAODU, Child, Supervisor
from diaodu.app.technicians import report_of
from diaodu.kernel.config import Settings
from diaodu.kernel.db import Database
from diaodu.organization import queries as organization
from diaodu.organization.commands import issue_token
from diaodu.tmf.document import characteristic_array
from diaodu.workforce import commands as workforce
from diaodu.workforce import queries as work_orders
from diaodu.workforce.model import WorkReport
from diaodu.workforce.tmf import BASE

CLIENTS = 16
_OFFERED = "select part, pool, id from engine.human_task where state = 0 order by part, pool, id"


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
    _offer(dsn, (rounds + 1) * each)
    with opened(dsn, pool_max=1) as db:
        completions = [(f"{BASE}/workOrder/{task}", token, body) for task, token, body in _claimed(db)]
    stage.settle(dsn)
    found = []
    with Talker([sys.executable, "-m", "diaodu.app.bench.engine_web", dsn]) as web:
        port = int(web.hear())
        for n in range(rounds + 1):
            mine = completions[n * each : (n + 1) * each]
            idle = [(path.replace(f"{BASE}/workOrder", NOTHING), token, body) for path, token, body in mine]
            found.append(Round(_rate(port, idle), _rate(port, mine)))
    stage.drop("bench_http")
    return found[1:]


def _offer(dsn: str, tasks: int) -> None:
    """Capture as many orders as give so many work orders at once, and run the workers until these are on offer."""
    with tempfile.TemporaryDirectory(prefix="diaodu-bench-") as state, Supervisor() as children:
        simulators = start_simulators(children, Path(state))
        with opened(dsn, pool_max=2) as db:
            connect_systems(db, Settings().systems, simulators)
            load = Load(db, first=0, most=tasks, in_flight=tasks)
            load.fill()
            environment = Settings(database_url=dsn, log_level="warning").environment()
            children.add(Child("worker-1", [*DIAODU, "worker", "--roles", ROLES], environment))
            progress, offered = time.monotonic(), 0
            while offered < tasks:
                time.sleep(LOOK_S)
                with db.transaction() as tx:
                    now = len(tx.rows(_OFFERED))
                if now > offered:
                    progress, offered = time.monotonic(), now
                if time.monotonic() - progress > STUCK_S:
                    load.refuse_to_wait(STUCK_S)


def _claimed(db: Database) -> Iterator[tuple[int, str, bytes]]:
    """Claim all that is on offer; for each task its id, the token of its person and the report as it is sent."""
    with db.transaction() as tx:
        batches: dict[tuple[int, int], list[int]] = {}
        for part, pool, task in tx.rows(_OFFERED):
            batches.setdefault((part, pool), []).append(task)
    tokens: dict[int, str] = {}
    for (_, pool), tasks in batches.items():
        with db.transaction(actor="bench") as tx:
            person = organization.people_of(tx, pool)[0].id
            if person not in tokens:
                tokens[person] = issue_token(tx, f"person-{person}", ["workforce:read", "workforce:write"], person)
        with db.transaction(actor="bench") as tx:
            found = work_orders.work_orders(tx, tasks)
            workforce.claim_many(tx, list(found.values()), person)
            for task, work_order in found.items():
                yield task, tokens[person], _body(report_of(tx, work_order))


def _body(report: WorkReport) -> bytes:
    items = [
        {"id": str(o.effect_id), "state": "completed", "characteristic": characteristic_array(o.data)}
        for o in report.outcomes
    ]
    return orjson.dumps({"state": "completed", "reportId": report.report_id, "workOrderItem": items})


def _rate(port: int, requests: Sequence[tuple[str, str, bytes]]) -> float:
    waiting = iter([_request(*r) for r in requests])
    begin = time.perf_counter()
    asyncio.run(_clients(port, waiting))
    return len(requests) / (time.perf_counter() - begin)


def _request(path: str, token: str, body: bytes) -> bytes:
    return (
        f"PATCH {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
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
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 2"), head + body
    writer.close()
    await writer.wait_closed()
