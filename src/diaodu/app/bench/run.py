"""One run: worker processes and simulators on a database, orders at a steady rate, everything metered."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from diaodu.app.bench.load import Load
from diaodu.app.bench.meter import Written, cpu_of, cpu_of_server, per_order, rows_written
from diaodu.app.bench.stage import Stage
from diaodu.app.installation import connect_systems, opened
from diaodu.app.processes import DIAODU, Child, Supervisor
from diaodu.kernel.config import Settings
from diaodu.provisioning.model import Address

LOOK_S = 0.25
WORK_S = 0.1
STUCK_S = 60.0
ROLES = "engine,area,sender"


@dataclass(frozen=True)
class Plan:
    """What a run does; the first ``in_flight`` completions are the warm-up."""

    workers: int
    orders: int
    in_flight: int
    first: int = 0

    @property
    def most(self) -> int:
        """All orders captured: the warm-up, those measured, and those that keep the workers busy until the end."""
        return self.orders + 2 * self.in_flight


@dataclass(frozen=True)
class Run:
    """What was measured; ``cpu_ms`` by who used it, per order; ``rows`` written per order, by table."""

    workers: int
    orders: int
    seconds: float
    cpu_ms: Mapping[str, float]
    rows: Mapping[str, Written]

    @property
    def rate(self) -> float:
        """Orders archived per second."""
        return self.orders / self.seconds

    @property
    def cost_ms(self) -> float:
        """Processor time of an order in our processes and the database, in ms."""
        return self.cpu_ms["python"] + self.cpu_ms["postgres"]


@dataclass(frozen=True)
class _Mark:
    at: float
    completed: int
    cpu: Mapping[str, float]


def run(stage: Stage, dsn: str, plan: Plan) -> Run:
    """Run orders from capture to archive; Stuck."""
    with psycopg.connect(dsn) as conn:
        before = rows_written(conn)
    with tempfile.TemporaryDirectory(prefix="diaodu-bench-") as state, Supervisor() as children:
        simulators = start_simulators(children, Path(state))
        with opened(dsn, pool_max=2) as db:
            connect_systems(db, Settings().systems, simulators)
            environment = Settings(database_url=dsn, log_level="warning").environment()
            for n in range(plan.workers):
                children.add(Child(f"worker-{n + 1}", [*DIAODU, "worker", "--roles", ROLES], environment))
            load = Load(db, first=plan.first, most=plan.most, in_flight=plan.in_flight)
            begin, end = _drive(stage, load, plan, children.children)
    with psycopg.connect(dsn) as conn:
        rows = per_order(before, rows_written(conn), load.completed)
    orders = end.completed - begin.completed
    spent = {who: (end.cpu[who] - begin.cpu[who]) * 1000 / orders for who in end.cpu}
    return Run(plan.workers, orders, end.at - begin.at, spent, rows)


def _drive(stage: Stage, load: Load, plan: Plan, children: Sequence[Child]) -> tuple[_Mark, _Mark]:
    """Load until all orders are archived; the marks between which the rate is taken."""
    marks: list[_Mark] = []
    progress_at = time.monotonic()
    next_look = next_work = 0.0
    while load.open or load.captured < plan.most:
        now = time.monotonic()
        if now >= next_work:
            next_work = now + WORK_S
            load.work()
        if now >= next_look:
            next_look = now + LOOK_S
            if load.look():
                progress_at = now
            wanted = marks[0].completed + plan.orders if marks else plan.in_flight
            if len(marks) < 2 and load.completed >= wanted:
                marks.append(_mark(stage, load, children))
            load.fill()
        if now - progress_at > STUCK_S:
            load.refuse_to_wait(STUCK_S)
        time.sleep(max(0.0, min(next_look, next_work) - time.monotonic()))
    # Few orders may end all between two looks.
    return marks[0], marks[1] if len(marks) > 1 else _mark(stage, load, children)


def _mark(stage: Stage, load: Load, children: Sequence[Child]) -> _Mark:
    pids = {c.name: c.process.pid for c in children if c.process is not None}
    return _Mark(
        time.monotonic(),
        load.completed,
        {
            "python": cpu_of(pid for name, pid in pids.items() if name != "simulators"),
            "postgres": cpu_of_server(stage.cluster),
            "driver": cpu_of([os.getpid()]),
            "simulators": cpu_of([pids["simulators"]]),
        },
    )


def start_simulators(children: Supervisor, state: Path) -> Address:
    """Start the simulators of all systems; where they listen."""
    command = [sys.executable, "-m", "diaodu.simulators", "--system", "all", "--state", str(state), "--with-parent"]
    told = children.add(Child("simulators", command), told=True)
    return Address("127.0.0.1", int(json.loads(told)["port"]))
