"""One run of the engine's benchmark: worker processes on a fresh database, all of it metered."""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass

import orjson
import psycopg

from diaodu.app.bench.engine_item import MODES, source
from diaodu.app.bench.engine_talk import Talker
from diaodu.app.bench.engine_worker import WARM_UP, Share
from diaodu.app.bench.meter import Written, cpu_of, cpu_of_server, per_order, rows_written
from diaodu.app.bench.stage import Stage
from diaodu.app.workers import THREADS
from diaodu.engine import commands
from diaodu.kernel.db import Database
from diaodu.migrations import migrate

# An empty, migrated database that knows the process.
TEMPLATE = "bench_engine"


@dataclass(frozen=True)
class Plan:
    """``k`` orders a batch, ``each`` instances in each partition of each worker; ``mode`` as in engine_item."""

    k: int
    workers: int
    each: int
    mode: str = "together"


@dataclass(frozen=True)
class Spent:
    """Wall time and processor time of ``instances``, the latter by who used it, in ms each."""

    instances: int
    seconds: float
    cpu_ms: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Instances per second."""
        return self.instances / self.seconds

    @property
    def cost_ms(self) -> float:
        """Processor time of an instance, workers and PostgreSQL."""
        return sum(self.cpu_ms.values())


@dataclass(frozen=True)
class Run:
    """A run of the engine; seconds by phase of the slowest worker, rows written by table for an instance."""

    plan: Plan
    spent: Spent
    phases: Mapping[str, float]
    rows: Mapping[str, Written]


def prepare(stage: Stage) -> None:
    """Make the template database."""
    dsn = stage.database(TEMPLATE, like="template0")
    migrate(dsn)
    db = Database(dsn, pool_max=1)
    with db.transaction(actor="bench") as tx:
        commands.deploy(tx, source(), MODES["together"])
    db.close()
    stage.settle(dsn)


def run(stage: Stage, dsn: str, plan: Plan) -> Run:
    """Start, run and complete instances."""
    with psycopg.connect(dsn) as conn:
        before = rows_written(conn)
        row = conn.execute("select value::int from kernel.setting where name = 'parts'").fetchone()
    assert row is not None
    shares = [Share(dsn, plan.mode, plan.k, plan.workers, n, plan.each) for n in range(plan.workers)]
    commands_ = [
        [sys.executable, "-m", "diaodu.app.bench.engine_worker", orjson.dumps(asdict(s)).decode()] for s in shares
    ]
    spent, said = metered(stage, commands_, plan.each * int(row[0]))
    with psycopg.connect(dsn) as conn:
        rows = per_order(before, rows_written(conn), spent.instances + WARM_UP * plan.workers * THREADS["engine"])
    return Run(plan, spent, {phase: max(s[phase] for s in said) for phase in said[0]}, rows)


def metered(
    stage: Stage, commands_: Sequence[Sequence[str]], instances: int, environment: Mapping[str, str] | None = None
) -> tuple[Spent, list[Mapping[str, float]]]:
    """Let processes that are ready do their work all at once; returns what it cost and what each of them said."""
    with ExitStack() as talkers:
        children = [talkers.enter_context(Talker(c, environment)) for c in commands_]
        for child in children:
            child.hear()
        used = _used(stage, children)
        begin = time.perf_counter()
        for child in children:
            child.go_on()
        said = [child.hear() for child in children]
        seconds = time.perf_counter() - begin
        now = _used(stage, children)
    cpu_ms = {who: (now[who] - used[who]) * 1000 / instances for who in now}
    return Spent(instances, seconds, cpu_ms), said


def _used(stage: Stage, children: Sequence[Talker]) -> dict[str, float]:
    return {"python": cpu_of(c.pid for c in children), "postgres": cpu_of_server(stage.cluster)}
