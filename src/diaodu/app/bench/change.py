"""What an amendment costs: orders of many lines through the real stages on a real database, then one line changed.

The area has all that is asked for, nothing is sent: the time is that of capture, intake, design, acceptance and plan.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from rich.table import Table

from diaodu.app.bench.report import machine
from diaodu.app.bench.stage import SETTINGS
from diaodu.app.installation import opened
from diaodu.app.small_operator import CITY_AREA, furnish
from diaodu.app.wiring import area_worker, handlers
from diaodu.engine.ports import ServiceHandler
from diaodu.engine.worker import Worker
from diaodu.inventory import commands as inventory
from diaodu.kernel import journal, postgres
from diaodu.kernel.db import Database
from diaodu.migrations import migrate
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import ItemDraft, OrderDraft
from diaodu.ordering.revise import revise

Progress = Callable[[str], None]
LINES = (500, 1000, 2000)
AMENDED = 20  # times in a row
OFFERING, ROOM = "P2", 601
DECOMPOSE_MOST_S, AMEND_MOST_S = 2.0, 1.0  # of the stage that decomposes
_FIRST = 5_000_000  # of the ids of what is made here
_PORTS = 8  # of a box, one to a line
_OLT = 10_000  # that of the city


class _Timed:
    """A service of the engine that counts the seconds that it takes."""

    def __init__(self, inner: ServiceHandler) -> None:
        self._inner, self.seconds = inner, 0.0

    def load(self, *args: Any) -> Any:
        return self._count(self._inner.load, args)

    def decide(self, *args: Any) -> Any:
        return self._count(self._inner.decide, args)

    def apply(self, *args: Any) -> Any:
        return self._count(self._inner.apply, args)

    def _count(self, call: Callable[..., Any], args: Sequence[Any]) -> Any:
        begin = time.perf_counter()
        try:
            return call(*args)
        finally:
            self.seconds += time.perf_counter() - begin


@dataclass(frozen=True)
class Sized:
    """An order of so many lines; all in seconds, those of ``stages`` by the name of the service."""

    lines: int
    capture: float
    accepted: float  # from the capture to the plan, with the area's answer
    stages: Mapping[str, float]
    amended: Sequence[float]  # each from the amendment to its plan, one line changed
    amended_stages: Mapping[str, float]  # of all amendments


def measure(progress: Progress, lines: Sequence[int] = LINES, amended: int = AMENDED) -> list[Sized]:
    """Measure each size on a database of its own, on a scratch server with durable commits."""
    found = []
    with postgres.scratch(settings=SETTINGS) as server:
        for n in lines:
            progress(f"an order of {n} lines")
            name = f"bench_change_{n}"
            _create(server.dsn, name)
            dsn = make_conninfo(server.dsn, dbname=name)
            migrate(dsn)
            with opened(dsn) as db:
                found.append(_sized(db, n, amended))
    return found


def _create(dsn: str, name: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"create database {name}".encode())


def _sized(db: Database, lines: int, amended: int) -> Sized:
    furnish(db)
    with db.transaction() as tx:
        inventory.add_resources(tx, CITY_AREA, _resources(lines))
        for n in range(0, lines, _PORTS):
            tx.run(
                "insert into inventory.address (id, area, level, name, full_name, box_id)"
                " values (%s, %s, 9, %s, %s, %s)",
                (_address(n), CITY_AREA, str(n), f"浙江省杭州市西湖区科技园{n}室", _box(n)),
            )
    plugged = handlers()
    services = {name: _Timed(service) for name, service in plugged.services.items()}
    worker = Worker(db, replace(plugged, services=services), "bench")
    areas = area_worker(db, "bench")

    def work() -> None:
        worker.run_until_idle()
        areas.run_until_idle()
        worker.run_until_idle()

    order_id, capture = _captured(db, lines)
    accepted = _timed(work)
    stages = _take(services)
    times = []
    for i in range(amended):
        begin = time.perf_counter()
        with db.transaction(actor="bench") as tx:
            journal.lock(tx, [order_id])
            revise(tx, order_id, _items(lines, speeds={lines // 2: 200 + 300 * (i % 2 == 0)}), made_by="bench")
        work()
        times.append(time.perf_counter() - begin)
    _check(db, order_id, amended + 1)
    return Sized(lines, capture, accepted, stages, times, _take(services))


def _captured(db: Database, lines: int) -> tuple[int, float]:
    with db.transaction() as tx:
        order_id = ordering.order_id_for(tx, source="bench", key="bench")
    begin = time.perf_counter()
    with db.transaction(actor="bench") as tx:
        draft = OrderDraft("bench", "bench", f"C{ROOM}", _items(lines, {}))
        ordering.capture_orders(tx, [(order_id, draft)])
    return order_id, time.perf_counter() - begin


def _check(db: Database, order_id: int, revisions: int) -> None:
    with db.transaction() as tx:
        rows = tx.rows("select state, count(*) from ordering.revision where order_id = %s group by 1", (order_id,))
    assert dict(rows) == {"accepted": revisions}, rows


def _items(lines: int, speeds: Mapping[int, int]) -> tuple[ItemDraft, ...]:
    return tuple(
        ItemDraft(str(n), "add", OFFERING, characteristics={"速率": speeds.get(n, 200)}, place={"id": str(_address(n))})
        for n in range(lines)
    )


def _address(line: int) -> int:
    return _FIRST + line // _PORTS


def _box(line: int) -> int:
    return _FIRST + 10 * (line - line % _PORTS)


def _resources(lines: int) -> list[inventory.NewResource]:
    """A box of eight for every eight lines, on PONs of their own, and a terminal for each line."""
    rows: list[inventory.NewResource] = []
    for n in range(0, lines, _PORTS):
        box = _box(n)
        pon = {"tx_dbm": 3.0, "svlan": 2000 + n}
        rows.append((box + 1, "pon", f"OLT1/2/{n}", _OLT, None, pon))
        rows.append((box, "box", f"BOXB{n}", box + 1, 10_000 + n, {"ratio": 8, "loss_db": 10.7, "x": 1000 * n, "y": 0}))
        for i in range(_PORTS):
            port = box + 10 * (i + 1) - 8
            code, attrs = f"BOXB{n}/{i}", {"n": i, "length_m": 20, "loss_db": 0.2}
            rows += [
                (port, "box_port", code, box, None, attrs),
                (port + 1, "cvlan", f"B{n}.{i}", port, None, {"vlan": 100 + i}),
                (port + 2, "onu", f"ONU-B{n + i}", None, None, {"pots": 2}),
            ]
    return rows


def _timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _take(services: Mapping[str, _Timed]) -> dict[str, float]:
    found = {name.rpartition(".")[2]: s.seconds for name, s in services.items() if s.seconds}
    for s in services.values():
        s.seconds = 0.0
    return found


def is_met(found: Sequence[Sized]) -> bool:
    """Whether the largest order is decomposed and amended fast enough."""
    largest = max(found, key=lambda s: s.lines)
    again = largest.amended_stages["decompose"] / len(largest.amended)
    return largest.stages["decompose"] <= DECOMPOSE_MOST_S and again <= AMEND_MOST_S


def document(found: Sequence[Sized], at: datetime) -> dict[str, Any]:
    """All figures, the machine and the date."""
    return {
        "at": at.isoformat(timespec="seconds"),
        "machine": {key: value for key, value in machine("").items() if key != "postgres"},
        "figures": [asdict(s) for s in found],
        "met": is_met(found),
    }


def table_of(found: Sequence[Sized]) -> Table:
    """The figures for people."""
    table = Table(title="One order of many lines, in seconds", title_justify="left", title_style="bold")
    for name in (
        "lines",
        "capture",
        "accepted",
        "of it decompose",
        "amended: first",
        "median",
        "last",
        "most",
        "of it decompose",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for s in found:
        amended = (s.amended[0], statistics.median(s.amended), s.amended[-1], max(s.amended))
        again = s.amended_stages["decompose"] / len(s.amended)
        figures = (s.capture, s.accepted, s.stages["decompose"], *amended, again)
        table.add_row(str(s.lines), *(f"{f:.2f}" for f in figures))
    return table
