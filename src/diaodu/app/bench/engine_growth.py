"""What an instance costs in a database where millions of tasks and timers wait, beside one that is empty."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.conninfo import make_conninfo

from diaodu.app.bench.engine_run import TEMPLATE, Plan, Run, run
from diaodu.app.bench.engine_worker import Feeder
from diaodu.app.bench.stage import Stage
from diaodu.kernel.db import Database

MODELS = 4_000  # instances that the engine itself brings to their user task; the others are their clones
BATCH = 100
ELSEWHERE = 1_000  # the worklists on which they wait are not those that a run completes
LOADERS = 2
_MODEL = """
create table bench.model as
select t.instance_id, t.root_id, t.token_id, t.id as task, j.id as timer
  from engine.human_task t
  join engine.job j on j.part = t.part and j.root_id = t.root_id and j.kind = 'timer' where t.state = 0
"""
# The engine's tokens name their task and their timer.
_TOKENS = """replace(replace(replace(x.tokens::text,
 m.token_id::text, (m.token_id - c * %(shift)s)::text), m.task::text, (m.task - c * %(shift)s)::text),
 m.timer::text, (m.timer - c * %(shift)s)::text)::jsonb"""
# Table, the column that finds its model, and what is not merely an id: limits are spread over months.
_LATER = {"due_at": "x.due_at + c * interval '1 hour'"}
_TABLES: Sequence[tuple[str, str, Mapping[str, str]]] = (
    ("kernel.root", "id", {}),
    ("engine.instance", "root_id", {"tokens": _TOKENS}),
    ("engine.human_task", "root_id", _LATER),
    ("engine.job", "root_id", _LATER),
    ("kernel.history", "root_id", {}),
)


@dataclass(frozen=True)
class Pair:
    """A run in the empty database and one in the full one, one right after the other."""

    small: Run
    large: Run

    @property
    def ratio(self) -> float:
        """Processor time in the full database by that in the empty one."""
        return self.large.spent.cost_ms / self.small.spent.cost_ms


def measure(stage: Stage, *, waiting: int, pairs: int, each: int) -> list[Pair]:
    """Run pairs of ``each`` instances a partition, the full database first in every other pair.

    The first pair warms up and does not count.
    """
    small, large = stage.database("bench_small", like=TEMPLATE), stage.database("bench_large", like=TEMPLATE)
    seed(large, waiting)
    for dsn in (small, large):
        stage.settle(dsn)
    found = []
    for n in range(pairs + 1):
        runs = {dsn: run(stage, dsn, Plan(BATCH, 1, each)) for dsn in ((small, large) if n % 2 else (large, small))}
        found.append(Pair(runs[small], runs[large]))
    for name in ("bench_small", "bench_large"):
        stage.drop(name)
    return found[1:]


def seed(dsn: str, waiting: int) -> None:
    """Fill a database with at least ``waiting`` instances at their user task, each with its task and its timer."""
    db = Database(dsn, pool_max=1)
    feeder = Feeder(db, "together", 500)
    for part in range(db.parts):
        feeder.start(part, MODELS // db.parts)
        feeder.run(part)
    models = MODELS // db.parts * db.parts
    db.close()
    with psycopg.connect(dsn) as conn:
        conn.execute("create schema bench")
        conn.execute(_MODEL)
        # sql: all rows of a throw-away database, while nobody else is connected
        conn.execute("update engine.human_task set pool = pool + %s", [ELSEWHERE])
        row = conn.execute("select min(root_id), max(greatest(task, timer, token_id)) from bench.model").fetchone()
        assert row is not None
        # A multiple of 256 keeps the partition that an id carries.
        shift = (row[1] - row[0] + 512) // 256 * 256
        statements = [_clone(conn, *table) for table in _TABLES]
    copies = -(-waiting // models) - 1
    loaders = [
        threading.Thread(target=_load, args=(dsn, statements, {"shift": shift, "first": n + 1, "copies": copies}))
        for n in range(LOADERS)
    ]
    for loader in loaders:
        loader.start()
    for loader in loaders:
        loader.join()
    with psycopg.connect(dsn) as conn:
        found = conn.execute("select count(*) from engine.human_task where state = 0").fetchone()
        assert found == (models * (copies + 1),)
        conn.execute("drop schema bench cascade")


def _load(dsn: str, statements: Sequence[str], params: Mapping[str, int]) -> None:
    # The clones are as consistent as their models.
    options = "-c session_replication_role=replica -c synchronous_commit=off"
    with psycopg.connect(make_conninfo(dsn, options=options)) as conn:
        for statement in statements:
            conn.execute(statement.encode(), params)


def _clone(conn: psycopg.Connection[tuple[str, str]], table: str, key: str, special: Mapping[str, str]) -> str:
    schema, name = table.split(".")
    columns = conn.execute(
        "select column_name::text, udt_name::text from information_schema.columns"
        " where table_schema = %s and table_name = %s order by ordinal_position",
        [schema, name],
    ).fetchall()
    # Every 8-byte number here is an id.
    shifted = {c: f"x.{c} - c * %(shift)s" if kind == "int8" else f"x.{c}" for c, kind in columns} | dict(special)
    return (
        f"insert into {table} ({', '.join(c for c, _ in columns)}) select {', '.join(shifted[c] for c, _ in columns)}"
        f" from {table} x join bench.model m on m.root_id = x.{key}"
        f" cross join generate_series(%(first)s::int8, %(copies)s::int8, {LOADERS}) c"
    )
