"""Real workers share the partitions; what a killed one held is owned again within 10 s, its timers 5 s late at most."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.engine.kit import bpmn

from diaodu.engine import commands
from diaodu.engine.model import Start
from diaodu.engine.ports import Handlers
from diaodu.kernel import journal
from diaodu.kernel.db import Database

OWNED_AGAIN_S, LATE = 10.0, timedelta(seconds=5)
PROCESS = bpmn(
    '<startEvent id="s"/><intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>=span</timeDuration>'
    '</timerEventDefinition></intermediateCatchEvent><endEvent id="e"/>',
    "s -> t\nt -> e",
)


@pytest.fixture
def workers(db_dsn: str) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    script = str(Path(__file__).with_name("busy_worker.py"))
    names = ("first", "second")
    running = {name: subprocess.Popen([sys.executable, script, db_dsn, name]) for name in names}
    yield running
    for process in running.values():
        process.kill()
        process.wait()


def held(db: Database) -> dict[str, int]:
    """How many partitions each worker owns, by its unexpired leases."""
    with db.transaction() as tx:
        rows = tx.rows(
            "select owner, count(*) from kernel.lease where starts_with(name, 'engine:') and owner is not null"
            " and until > %s group by owner",
            (tx.now,),
        )
    return dict(rows)


def await_(what: Callable[[], bool], seconds: float) -> float:
    """How long it takes until something is so."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < seconds
        time.sleep(0.05)
    return time.monotonic() - begun


@pytest.mark.crash
@pytest.mark.slow
def test_a_killed_worker_is_replaced_in_time(db: Database, workers: dict[str, subprocess.Popen[bytes]]) -> None:
    with db.transaction() as tx:
        commands.deploy(tx, PROCESS, Handlers({}, {}))
    await_(lambda: held(db) == {"first": 8, "second": 8}, 30)
    # given in each partition timers that are due all the time from now on
    for part in range(db.parts):
        with db.transaction() as tx:
            roots = [tx.new_id(part) for _ in range(15)]
            journal.create(tx, roots, "order")
            spans = ((root, f"PT{n + 3}S") for n, root in enumerate(roots))
            commands.signal(tx, [Start(root, "p", "k", {"span": span}) for root, span in spans])
    await_(lambda: count(db, "select count(*) from engine.instance") == 15 * db.parts, 20)
    # when one of them dies
    workers["first"].kill()
    killed = db.clock()
    await_(lambda: held(db) == {"second": db.parts}, OWNED_AGAIN_S)
    taken_over = db.clock()
    await_(lambda: count(db, "select count(*) from engine.instance where state = 0") == 0, 40)
    # then nothing is lost, and no timer is later than 5 s after it was due or its partition was owned again
    with db.transaction() as tx:
        rows = tx.rows("select started_at, ended_at, vars->>'span' from engine.instance")
    dues = [(started + timedelta(seconds=int(span[2:-1])), ended) for started, ended, span in rows]
    # What became due just before the kill may have had no time.
    late = [ended - (due if due < killed - timedelta(seconds=1) else max(due, taken_over)) for due, ended in dues]
    assert max(late) <= LATE
    assert (count(db, "select count(*) from engine.job"), count(db, "select count(*) from engine.incident")) == (0, 0)


def count(db: Database, sql: str) -> int:
    with db.transaction() as tx:
        return int(tx.rows(sql)[0][0])
