"""A steady load for half an hour: does the engine stay as fast, and do its tables and indexes stay as dense?"""

import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg

from diaodu.app.bench import engine_item as item
from diaodu.app.bench.engine_run import TEMPLATE, prepare
from diaodu.app.bench.engine_talk import Talker
from diaodu.app.bench.stage import SETTINGS, Stage
from diaodu.engine import commands
from diaodu.kernel import journal, postgres
from diaodu.kernel.db import Database
from diaodu.kernel.errors import Rejected
from diaodu.kernel.ids import part_of

WORKERS = 2
PERIOD_S = 60.0
PERIODS_LEAST = 9  # a shorter soak has shorter periods
BEAT_S = 0.25
HELD = timedelta(seconds=20)  # so long a person takes for a task: so many wait at any time
PROBE_S, POLL_S, STUCK_S = 0.5, 0.002, 60.0
PERSON = 1
# How much the last third may be above the first one.
LATENCY_MOST, SIZE_MOST, DENSITY_MOST = 1.5, 1.5, 1.25
_LATENCY_NOISE_MS, _SIZE_NOISE = 10.0, 2**20
# What grows with the number of instances is measured by the row; jobs and partial indexes only hold what is open.
_SIZES = """
select r.name, pg_relation_size(r.oid), case when r.open then null else greatest(s.n_tup_ins - s.n_tup_del, 1) end
  from pg_stat_user_tables s cross join lateral (
    select s.relid as oid, s.relid::regclass::text as name, s.relname = 'job' as open
     union all select indexrelid, indexrelid::regclass::text, s.relname = 'job' or indpred is not null
      from pg_index where indrelid = s.relid) r
 where s.schemaname in ('engine', 'kernel') and s.n_tup_ins > 500
"""
_DEAD = """
select relid::regclass::text, n_dead_tup::float8 / greatest(n_live_tup + n_dead_tup, 1)
  from pg_stat_user_tables where schemaname in ('engine', 'kernel') and n_tup_ins > 500
"""
_TASK = "select id from engine.human_task where part = %s and root_id = %s"
_ENDED = "select 1 from engine.instance where part = %s and root_id = %s and state = 1"


class EngineStuck(Rejected):
    """503: an instance of the soak test did not move."""

    code, status = "app.bench-engine-stuck", 503
    en = "An instance did not move for {seconds:.0f} s."
    zh = "流程实例 {seconds:.0f} 秒未推进。"


@dataclass(frozen=True)
class Period:
    """One minute: what the probes waited, in ms, and for each relation its bytes, with its rows if it grows with them.

    ``floor_ms`` are their own transactions: what the machine was able to do in that minute.
    """

    number: int
    floor_ms: Sequence[float]
    offered_ms: Sequence[float]
    ended_ms: Sequence[float]
    instances: int
    sizes: Mapping[str, tuple[int, int | None]]
    dead: Mapping[str, float]

    def line(self) -> str:
        """The minute in one line."""
        open_mb = sum(size for size, rows in self.sizes.values() if rows is None) / 2**20
        all_mb = sum(size for size, _ in self.sizes.values()) / 2**20
        dead = max(self.dead.items(), key=lambda d: d[1], default=("", 0.0))
        return (
            f"{self.number:3d}: {self.instances:6d} instances; p50/p95 to the task {_two(self.offered_ms)} ms,"
            f" to the end {_two(self.ended_ms)} ms, a commit {_two(self.floor_ms)} ms;"
            f" open {open_mb:.1f} MB of {all_mb:.0f} MB; most dead rows {dead[1]:.0%} {dead[0]}"
        )


@dataclass
class _Probes:
    floor_ms: list[float] = field(default_factory=list)
    offered_ms: list[float] = field(default_factory=list)
    ended_ms: list[float] = field(default_factory=list)
    failure: BaseException | None = None


def soak(minutes: float, rate: float, tell: Callable[[str], None]) -> bool:
    """Run the load, tell every minute, then the verdict; answers whether all stayed flat. EngineStuck."""
    with postgres.scratch(settings=SETTINGS) as server, ExitStack() as running:
        stage = Stage(server.dsn, server.home)
        prepare(stage)
        dsn = stage.database("soak", like=TEMPLATE)
        for _ in range(WORKERS):
            worker = running.enter_context(Talker([sys.executable, "-m", "diaodu.app.bench.engine_soak_worker", dsn]))
            worker.hear()
        db = Database(dsn, pool_max=3)
        running.callback(db.close)
        length = min(PERIOD_S, minutes * 60 / PERIODS_LEAST)
        count = round(minutes * 60 / length)
        periods = _watch(db, rate, length=length, count=count, tell=tell)
    found = swollen(periods)
    for line in found:
        tell(line)
    tell("not flat 未保持平稳" if found else "flat 平稳")
    return not found


def swollen(periods: Sequence[Period]) -> list[str]:
    """What is higher in the last third than the first third allows; the first period warms up and does not count."""
    steady = periods[1:]
    third = max(1, len(steady) // 3)
    first, last = steady[:third], steady[-third:]
    found = []
    # A machine on which every commit has become slower is not the engine's doing.
    floor = max(1.0, _typical(p.floor_ms for p in last) / max(_typical(p.floor_ms for p in first), 0.001))
    for name in ("offered_ms", "ended_ms"):
        before, now = (_typical(getattr(p, name) for p in some) for some in (first, last))
        if now > before * LATENCY_MOST * floor + _LATENCY_NOISE_MS:
            found.append(f"{name}, p95: {before:.0f} -> {now:.0f}")
    return found + _swollen_relations(first, last)


def _swollen_relations(first: Sequence[Period], last: Sequence[Period]) -> list[str]:
    found = []
    for name, (size, rows) in last[-1].sizes.items():
        if name not in first[-1].sizes:
            continue
        if rows is None:
            before, now = (max(p.sizes[name][0] for p in some if name in p.sizes) for some in (first, last))
            if now > before * SIZE_MOST + _SIZE_NOISE:
                found.append(f"{name}: {before:,} -> {now:,} bytes")
            continue
        then, then_rows = first[-1].sizes[name]
        if size / rows > then / (then_rows or 1) * DENSITY_MOST:
            found.append(f"{name}: {then / (then_rows or 1):.0f} -> {size / rows:.0f} bytes a row")
    return found


def _watch(db: Database, rate: float, *, length: float, count: int, tell: Callable[[str], None]) -> list[Period]:
    """Run the load and the probes beside it; one look at the end of each period, in seconds."""
    stop = threading.Event()
    probes = _Probes()
    load = _Load(db, rate)
    threads = [
        threading.Thread(target=_guarded, args=(probes, loop, stop))
        for loop in (load.run, lambda s: _probe_all(db, probes, s))
    ]
    for thread in threads:
        thread.start()
    periods = []
    try:
        for number in range(1, count + 1):
            before = load.started
            stop.wait(length)
            if probes.failure is not None:
                raise probes.failure
            periods.append(_look(db.dsn, number, probes, load.started - before))
            tell(periods[-1].line())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return periods


def _guarded(probes: _Probes, loop: Callable[[threading.Event], None], stop: threading.Event) -> None:
    try:
        loop(stop)
    except BaseException as error:  # noqa: BLE001 - it is raised where the threads are watched
        probes.failure = error
        stop.set()


def _look(dsn: str, number: int, probes: _Probes, instances: int) -> Period:
    floor, probes.floor_ms = probes.floor_ms, []
    offered, probes.offered_ms = probes.offered_ms, []
    ended, probes.ended_ms = probes.ended_ms, []
    with psycopg.connect(dsn) as conn:
        sizes = {name: (size, rows) for name, size, rows in conn.execute(_SIZES).fetchall()}
        dead: dict[str, float] = dict(conn.execute(_DEAD).fetchall())
    return Period(number, floor, offered, ended, instances, sizes, dead)


class _Load:
    """Starts instances at a steady rate, and completes each task when it has been held long enough."""

    def __init__(self, db: Database, rate: float) -> None:
        self._db, self._rate = db, rate
        self.started = 0
        self._sent: dict[int, set[int]] = {part: set() for part in range(db.parts)}

    def run(self, stop: threading.Event) -> None:
        """Go on until told to stop."""
        begin = time.monotonic()
        beat = 0
        while not stop.is_set():
            beat += 1
            wanted = int(self._rate * BEAT_S * beat) - self.started
            for part in range(self._db.parts):
                share = wanted // self._db.parts + (part < wanted % self._db.parts)
                with self._db.transaction(actor="soak") as tx:
                    if share:
                        item.start(tx, part, share)
                    before = tx.now - HELD
                    self._sent[part] = item.complete(tx, part, 500, made_by=before, sent=self._sent[part])
            self.started += wanted
            stop.wait(max(0.0, begin + beat * BEAT_S - time.monotonic()))


def _probe_all(db: Database, probes: _Probes, stop: threading.Event) -> None:
    number = 0
    while not stop.wait(PROBE_S):
        number += 1
        floor, offered, ended = _probe(db, number % db.parts)
        probes.floor_ms.append(floor)
        probes.offered_ms.append(offered)
        probes.ended_ms.append(ended)


def _probe(db: Database, part: int) -> tuple[float, float, float]:
    """One instance as its client sees it: ms of the client's own transaction, from there to the task, to the end."""
    begin = time.perf_counter()
    with db.transaction(actor="probe") as tx:
        (root,) = item.start(tx, part, 1)
    floor = (time.perf_counter() - begin) * 1000
    task, offered = _await(db, _TASK, root)
    with db.transaction(actor="probe") as tx:
        journal.lock(tx, [root])
        commands.claim_tasks(tx, [task], PERSON)
    with db.transaction(actor="probe") as tx:
        commands.complete_task(tx, task, PERSON, commands.Enqueue(root, "done", {"result": "ok"}))
    _, ended = _await(db, _ENDED, root)
    return floor, offered, ended


def _await(db: Database, query: str, root: int) -> tuple[int, float]:
    """What a query finds at last, and the ms until then; EngineStuck."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < STUCK_S:
        with db.transaction(actor="probe") as tx:
            row = tx.row(query, (part_of(root), root))
        if row is not None:
            return row[0], (time.perf_counter() - begin) * 1000
        time.sleep(POLL_S)
    raise EngineStuck(seconds=STUCK_S)


def _typical(each: Iterable[Sequence[float]]) -> float:
    """The median over some periods of their 95th percentiles."""
    return statistics.median(_p95(values) for values in each)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)] if values else 0.0


def _two(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f}/{_p95(values):.0f}" if values else "-"
