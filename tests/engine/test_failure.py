"""One bad job never stops the others, and a dead worker loses nothing."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import errors as pg
from tests.engine.dying_worker import handlers
from tests.engine.kit import Bench, Reports, Service, bpmn, services

from diaodu.engine import commands
from diaodu.engine.errors import IncidentNotOpen
from diaodu.engine.ports import Call, Decision, Handlers, Inbound, Message, Signal, Start
from diaodu.engine.worker import Worker
from diaodu.kernel.db import Database, Tx

ONE = bpmn('<startEvent id="s"/><serviceTask id="a" diaodu:type="work"/>', "s -> a")


class Fragile(Service):
    """A service whose set statement fails when ``bad`` is among its calls."""

    bad: Any = 13

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Any) -> None:
        for call, _ in decided:
            if call.vars["n"] == self.bad:
                tx.run("select 1 / 0")
        super().apply(tx, decided, facts)


def start_many(bench: Bench, count: int) -> dict[int, int]:
    roots = {n: bench.root() for n in range(count)}
    bench.signal(*(Start(root, "p", "k", {"n": n}) for n, root in roots.items()))
    return roots


def test_a_poison_job_is_found_and_the_others_are_done(db: Database) -> None:
    service = Fragile()
    bench = Bench(db, services(work=service))
    bench.deploy(ONE)
    roots = start_many(bench, 20)
    bench.work()
    (incident,) = bench.incidents()
    assert (incident.root_id, incident.code, incident.node) == (roots[13], "engine.DivisionByZero", "p")
    assert sorted(bench.rows("select vars->>'n' from engine.instance")) == sorted((str(n),) for n in roots if n != 13)
    assert bench.jobs() == [("start", "p", 2)]
    assert bench.history(roots[13]) == ["incident.opened p"]
    # when the cause is mended
    service.bad = None
    with db.transaction() as tx:
        commands.retry_incident(tx, incident.id, "boss")
    bench.work()
    assert (bench.state(roots[13]), bench.jobs(), bench.incidents()) == ("ended", [], [])
    with db.transaction() as tx, pytest.raises(IncidentNotOpen):
        commands.retry_incident(tx, incident.id, "boss")


def test_only_the_poison_job_of_a_root_fails(db: Database) -> None:
    def answer(job: Inbound) -> Sequence[Signal]:
        if job.body["n"] == 2:
            raise ValueError("二")
        return ()

    reports = Reports(answer)
    bench = Bench(db, Handlers({}, {"report": reports}))
    root = bench.root()
    with db.transaction() as tx:
        commands.enqueue(tx, [commands.Enqueue(root, "report", {"n": n}, f"m{n}") for n in range(5)])
    bench.work()
    assert bench.rows("select msg_key, state from engine.job order by id") == [
        ("m0", 1), ("m1", 1), ("m2", 2), ("m3", 1), ("m4", 1),
    ]  # fmt: skip
    assert [i.message for i in bench.incidents()] == ["二"]


@pytest.mark.parametrize(("times", "incidents"), [(3, 0), (1000, 0)])
def test_a_deadlock_is_tried_again_and_then_later(db: Database, times: int, incidents: int) -> None:
    left = times

    class Unlucky(Service):
        def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Any) -> None:
            nonlocal left
            if left:
                left -= 1
                raise pg.DeadlockDetected
            super().apply(tx, decided, facts)

    bench = Bench(db, services(work=Unlucky()))
    bench.deploy(ONE)
    root = bench.start(n=1)
    assert len(bench.incidents()) == incidents
    if times == 3:
        assert bench.state(root) == "ended"
        return
    ((attempts, due),) = bench.rows("select attempts, due_at from engine.job")
    assert attempts == 1
    assert due > bench.at
    left = 0
    bench.later(seconds=10)
    bench.work()
    assert bench.state(root) == "ended"


def test_a_start_of_an_unknown_process_is_an_incident(db: Database) -> None:
    bench = Bench(db)
    bench.start(process="nothing")
    assert [i.code for i in bench.incidents()] == ["engine.unknown-process"]


def test_a_report_that_nobody_handles_is_an_incident(db: Database) -> None:
    bench = Bench(db)
    root = bench.root()
    with db.transaction() as tx:
        commands.enqueue(tx, [commands.Enqueue(root, "report")])
    bench.work()
    assert [(i.code, i.node) for i in bench.incidents()] == [("engine.no-handler", "report")]


def test_a_job_of_a_root_that_does_not_exist_is_an_incident(db: Database) -> None:
    bench = Bench(db)
    with db.transaction() as tx:
        commands.signal(tx, [Message(tx.new_id(1), "paid", "k")])
    assert bench.work() == 1
    assert [i.code for i in bench.incidents()] == ["engine.no-root"]


def test_a_circle_without_a_wait_is_an_incident(db: Database) -> None:
    bench = Bench(db)
    body = '<startEvent id="s"/><exclusiveGateway id="m"/><exclusiveGateway id="g" default="g_m"/><endEvent id="e"/>'
    bench.deploy(bpmn(body, "s -> m\n m -> g\n g -> m\n g -> e if x = 1"))
    bench.start(x=0)
    assert [i.code for i in bench.incidents()] == ["engine.Runaway"]
    assert bench.rows("select * from engine.instance") == []


def dying(db_dsn: str, shift: int, poison: int = -1, die_after: int = -1) -> int:
    program = str(Path(__file__).parent / "dying_worker.py")
    arguments = [sys.executable, program, db_dsn, str(shift), str(poison), str(die_after)]
    return subprocess.run(arguments, check=False, timeout=60).returncode


@pytest.mark.crash
@pytest.mark.parametrize("die_after", [1, 7, 25])
def test_a_killed_worker_loses_nothing_and_does_nothing_twice(db: Database, db_dsn: str, die_after: int) -> None:
    bench = crash_bench(db)
    start_many(bench, 20)
    assert dying(db_dsn, 0, die_after=die_after) == 9
    assert bench.rows("select * from did") == []  # its batch went with it
    bench.at += timedelta(seconds=10)
    Worker(db, handlers(), "next").run_until_idle()
    expected = sorted((n, node) for n in range(20) for node in ("a", "b"))
    assert sorted(bench.rows("select n, node from did")) == expected
    assert bench.rows("select state, count(*) from engine.instance group by 1") == [(1, 20)]
    assert (bench.jobs(), bench.incidents()) == ([], [])


@pytest.mark.crash
def test_a_job_that_kills_its_workers_becomes_an_incident(db: Database, db_dsn: str) -> None:
    bench = crash_bench(db)
    roots = start_many(bench, 6)
    assert [dying(db_dsn, shift, poison=3) for shift in (0, 10, 20, 30)] == [9, 9, 9, 0]
    bench.at += timedelta(seconds=40)
    (incident,) = bench.incidents()
    assert (incident.code, incident.root_id) == ("engine.worker-died", roots[3])
    assert sorted(bench.rows("select n, node from did")) == sorted((n, x) for n in range(6) if n != 3 for x in "ab")
    # when the cause is mended
    with db.transaction() as tx:
        commands.retry_incident(tx, incident.id, "boss")
    Worker(db, handlers(), "next").run_until_idle()
    assert bench.state(roots[3]) == "ended"


def crash_bench(db: Database) -> Bench:
    with db.transaction() as tx:
        tx.run("create table did (n int, node text)")
    bench = Bench(db, handlers())
    bench.at = datetime.now(UTC)
    nodes = '<serviceTask id="a" diaodu:type="deadly"/><serviceTask id="b" diaodu:type="deadly"/>'
    bench.deploy(bpmn(f'<startEvent id="s"/>{nodes}', "s -> a\n a -> b"))
    return bench
