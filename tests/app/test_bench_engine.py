from collections.abc import Sequence

import orjson
import pytest

from diaodu.app.bench import engine_growth, engine_item, engine_report, engine_soak
from diaodu.app.bench.engine_soak import Period, swollen
from diaodu.app.bench.engine_suite import Counts, measure
from diaodu.app.bench.engine_worker import Feeder
from diaodu.engine import commands
from diaodu.engine.ports import Message
from diaodu.kernel.clock import wall_clock
from diaodu.kernel.db import Database

MODES = ["together", "apart"]


def deploy(db: Database) -> None:
    with db.transaction() as tx:
        commands.deploy(tx, engine_item.source(), engine_item.MODES["together"])


def states(db: Database) -> list[tuple[int, int]]:
    with db.transaction() as tx:
        return [(r[0], r[1]) for r in tx.rows("select state, count(*) from engine.instance group by 1 order by 1")]


@pytest.mark.parametrize("mode", MODES)
def test_every_step_of_the_work_item_writes_its_variable_and_nothing_stays_behind(db: Database, mode: str) -> None:
    deploy(db)
    feeder = Feeder(db, mode, 2)
    feeder.start(3, 3)
    feeder.run(3)
    with db.transaction() as tx:
        assert tx.rows("select pool, state, name from engine.human_task") == [(3, 0, "Check")] * 3
        assert tx.rows("select kind, state from engine.job") == [("timer", 0)] * 3
    feeder.finish(3)
    assert states(db) == [(1, 3)]
    with db.transaction() as tx:
        ((variables,), *_) = tx.rows("select vars from engine.instance")
        assert {f"r_s{n}" for n in range(1, 9)} | {"result"} <= variables.keys()
        assert tx.rows("select 1 from engine.job union all select 1 from engine.incident") == []
        assert tx.rows("select distinct state from engine.human_task") == [(3,)]


def test_steps_apart_are_a_transaction_each_and_steps_together_one(db: Database) -> None:
    deploy(db)
    for mode, transactions in (("apart", 9), ("together", 1)):  # a start and eight steps
        feeder = Feeder(db, mode, 1)
        with db.transaction() as tx:
            (root,) = engine_item.start(tx, 0, 1)
        feeder.run(0)
        with db.transaction() as tx:
            assert tx.rows("select count(*) from kernel.history where root_id = %s", (root,)) == [(transactions,)]


def test_clones_of_waiting_instances_are_as_alive_as_their_models(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_growth, "MODELS", 32)
    deploy(db)
    engine_growth.seed(db.dsn, 100)
    assert states(db) == [(0, 128)]
    with db.transaction() as tx:
        # The oldest ids are those of the last clones.
        oldest = tx.rows("select root_id, id from engine.human_task where part = 1 order by id limit 6")
        commands.signal(tx, [Message(root, "task", str(task), {}) for root, task in oldest])
    Feeder(db, "together", 10).run(1)
    assert states(db) == [(0, 122), (1, 6)]
    with db.transaction() as tx:
        roots = [root for root, _ in oldest]
        assert tx.rows("select 1 from engine.job where root_id = any(%s::int8[])", (roots,)) == []


def period(number: int, latency: float, open_size: int, size: int, rows: int, *, floor: float = 1) -> Period:
    sizes = {"engine.job": (open_size, None), "engine.instance": (size, rows)}
    return Period(number, [floor], [latency], [latency], 10, sizes, {})


def soaked(last: Sequence[Period]) -> list[Period]:
    return [period(0, 900, 9**9, 1, 1), *(period(n, 20, 10**7, 10**6 * n, 1000 * n) for n in range(1, 5)), *last]


def test_a_soak_is_flat_when_the_last_third_is_like_the_first() -> None:
    assert swollen(soaked([period(n, 30, 10**7, 1_100_000 * n, 1000 * n) for n in (5, 6)])) == []


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (period(6, 80, 10**7, 6_000_000, 6000), ["offered_ms, p95: 20 -> 80", "ended_ms, p95: 20 -> 80"]),
        (period(6, 20, 10**8, 6_000_000, 6000), ["engine.job: 10,000,000 -> 100,000,000 bytes"]),
        (period(6, 20, 10**7, 9_000_000, 6000), ["engine.instance: 1000 -> 1500 bytes a row"]),
        (period(6, 80, 10**7, 6_000_000, 6000, floor=4), []),  # the machine itself has become slower
    ],
)
def test_what_swells_during_a_soak_is_named(last: Period, told: list[str]) -> None:
    assert swollen(soaked([last, last])) == told


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_whole_benchmark_of_the_engine_in_small() -> None:
    counts = Counts({1: 1, 500: 4}, 2, rounds=1, http_rounds=1, http_each=16, waiting=8_000, pairs=1, pair_each=10)
    told: list[str] = []
    figures = measure(counts, told.append)
    document = orjson.loads(orjson.dumps(engine_report.document(figures, wall_clock()), option=orjson.OPT_NON_STR_KEYS))
    assert {"limit_ratio", "inst_per_s", "cpu_ms_per_inst", "peers"} <= document.keys()
    assert [(r["k"], r["workers"], r["mode"]) for r in document["runs"]] == [
        (k, workers, mode) for workers in (1, 2) for k, mode in ((2, "apart"), (1, "together"), (500, "together"))
    ]
    assert document["limit_ratio"] > 0
    assert document["cpu_ms_per_inst"] > 0
    assert document["growth"] > 0
    # Each instance writes the same: a root, itself, its start, its timer and a message, and a task.
    rows = figures.rounds[0].of(500, 1).rows
    assert {t: rows[t].insert for t in ("kernel.root", "engine.instance", "engine.job", "engine.human_task")} == {
        "kernel.root": 1, "engine.instance": 1, "engine.job": 3, "engine.human_task": 1,
    }  # fmt: skip
    assert rows["engine.job"].delete == 3
    assert len(engine_report.tables(figures)) == 4


@pytest.mark.slow
def test_a_short_soak_tells_every_period_and_a_verdict() -> None:
    told: list[str] = []
    engine_soak.soak(0.15, 20, told.append)
    assert [line.split(":")[0].strip() for line in told[:9]] == [str(n) for n in range(1, 10)]
    assert told[-1] in ("flat 平稳", "not flat 未保持平稳")
