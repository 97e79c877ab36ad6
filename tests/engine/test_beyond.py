"""What reaches beyond one root and one batch: signals to others, starts by the clock, calls."""

import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.engine.kit import NOW, Bench, bpmn, claim

from diaodu.engine import commands, errands, queries
from diaodu.engine.errors import ProcessNotExecutable
from diaodu.engine.ports import AddInstance, Broadcast, Handlers, Message, Start, WorkingTime
from diaodu.engine.worker import Worker
from diaodu.kernel.db import Database, Tx

START = '<startEvent id="s"/>'
SIGNAL = '<signalEventDefinition signalRef="s_go"/>'
CATCHER = bpmn(f'{START}<intermediateCatchEvent id="c">{SIGNAL}</intermediateCatchEvent>', "s -> c")
THROWER = bpmn(
    f'{START}<intermediateThrowEvent id="x"><extensionElements><diaodu:input name="n" expression="1"/>'
    f"</extensionElements>{SIGNAL}</intermediateThrowEvent>",
    "s -> x",
    key="q",
)


@pytest.fixture
def bench(db: Database) -> Bench:
    return Bench(db)


# Signals --------------------------------------------------------------------------------------------------------


def waiting_in(bench: Bench, *parts: int) -> list[int]:
    roots = [bench.root(part) for part in parts]
    for root in roots:
        with bench.db.transaction() as tx:
            commands.signal(tx, [Start(root, "p", "k")])
    bench.work()
    return roots


def test_a_signal_reaches_who_waits_in_every_partition_once(bench: Bench) -> None:
    bench.deploy(CATCHER)
    bench.deploy(THROWER)
    roots = waiting_in(bench, 1, 1, 2, 9)
    assert bench.rows("select part, name, count(*) from engine.subscription group by 1, 2 order by 1") == [
        (1, "go", 2), (2, "go", 1), (9, "go", 1),
    ]  # fmt: skip
    bench.start(process="q")
    assert [(bench.state(r), bench.instance(r).vars) for r in roots] == [("ended", {"n": 1})] * 4
    for table in ("subscription", "broadcast"):
        assert bench.rows(f"select * from engine.{table}") == []


def test_a_signal_whose_relay_died_half_way_comes_once_all_the_same(bench: Bench, db: Database) -> None:
    bench.deploy(CATCHER)
    roots = waiting_in(bench, 1, 2)
    with db.transaction() as tx:
        tx.run("insert into engine.broadcast values (3, 771, 3, 'go', '{}', %s)", (tx.now,))
        errands._deliver(tx, 1, 771, Broadcast(3, "go", beyond=False))
    for _ in range(2):
        bench.work()
    assert [bench.state(r) for r in roots] == ["ended", "ended"]
    assert bench.rows("select count(*) from engine.job where kind = 'signal'") == [(2,)]


def test_a_subscription_ends_with_what_waits(bench: Bench) -> None:
    body = (
        f'{START}<userTask id="u" diaodu:pool="1"/><boundaryEvent id="b" attachedToRef="u">{SIGNAL}</boundaryEvent>'
        '<receiveTask id="m" messageRef="m_paid"/>'
    )
    bench.deploy(bpmn(body, "s -> u\nu -> m"))
    root = bench.start()
    assert bench.rows("select name, root_id from engine.subscription") == [("go", root)]
    (task,) = bench.tasks(root)
    with bench.db.transaction() as tx:
        assert claim(tx, root, task.id, 7)
        commands.complete_task(tx, task.id, 7, commands.Enqueue(root, ""))
    bench.work()
    assert (bench.at_nodes(root), bench.rows("select * from engine.subscription")) == (["m"], [])


# Starts by the clock --------------------------------------------------------------------------------------------


def scheduled(text: str, kind: str = "timeCycle") -> bytes:
    timer = f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"
    return bpmn(
        f'{START}<startEvent id="t">{timer}</startEvent><task id="a"/><endEvent id="e"/>', "s -> e\nt -> a\na -> e"
    )


def started(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.rows(
        "select d.version, i.business_key from engine.instance i join engine.definition d on d.id = i.definition_id"
        " order by i.id"
    )


def test_a_process_starts_at_the_instants_of_its_cycle_once_each(bench: Bench) -> None:
    bench.deploy(scheduled("R2/PT1H"))
    for hour in range(4):
        bench.later(minutes=59)
        bench.work()
        assert len(started(bench)) == min(hour, 2)
        bench.later(minutes=1)
        bench.work()
    assert started(bench) == [(1, f"2026-03-02T{hour}:00:00+00:00") for hour in (10, 11)]
    assert bench.rows("select kind from kernel.root") == [("process",), ("process",)]
    assert bench.rows("select * from engine.schedule") == []


def test_only_the_newest_version_starts_by_the_clock(bench: Bench) -> None:
    bench.deploy(scheduled("R/PT1H"))
    bench.later(minutes=30)
    bench.deploy(scheduled("R/PT2H"))
    bench.deploy(scheduled("R/PT2H"))  # the same again leaves its schedule alone
    bench.later(hours=2)
    bench.work()
    assert started(bench) == [(2, "2026-03-02T11:30:00+00:00")]
    bench.deploy(bpmn(START))
    assert bench.rows("select * from engine.schedule") == []


def test_a_start_that_was_interrupted_between_its_steps_happens_once(bench: Bench, db: Database) -> None:
    bench.deploy(scheduled("PT1H", "timeDuration"))
    bench.later(hours=1)
    errands._start(db, "dead", "p", "t", bench.at)  # and its worker dies before it has moved the schedule
    bench.work()
    assert started(bench) == [(1, bench.at.isoformat())]
    assert bench.rows("select * from engine.schedule") == []


def test_a_schedule_without_a_meaning_is_refused_when_it_is_deployed(bench: Bench) -> None:
    with pytest.raises(ProcessNotExecutable, match="t: "):
        bench.deploy(scheduled("= nothing"))
    assert bench.rows("select * from engine.definition") == []


class Office:
    """Eight hours take a day."""

    asked: list[int]

    def __init__(self) -> None:
        self.asked = []

    def due(self, _tx: Tx, timers: Sequence[WorkingTime]) -> Sequence[datetime]:
        self.asked.append(len(timers))
        return [t.start + timedelta(days=1) for t in timers]


def test_working_time_is_asked_once_for_all_timers_of_a_batch(db: Database) -> None:
    office = Office()
    bench = Bench(db, Handlers({}, {}, calendar=office))
    timer = (
        '<intermediateCatchEvent id="t" diaodu:calendar="c"><timerEventDefinition>'
        "<timeDuration>PT8H</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    )
    bench.deploy(bpmn(f"{START}{timer}", "s -> t"))
    roots = [bench.root() for _ in range(3)]
    bench.signal(*(Start(r, "p", "k") for r in roots))
    bench.work()
    assert office.asked == [3]
    bench.later(hours=23)
    assert bench.work() == 0
    bench.later(hours=1)
    bench.work()
    assert [bench.state(r) for r in roots] == ["ended"] * 3


# Calls and commands through the tables ---------------------------------------------------------------------------


def test_a_called_instance_is_stored_with_its_caller_and_comes_back_after_a_reload(bench: Bench) -> None:
    bench.deploy(bpmn(f'{START}<receiveTask id="m" messageRef="m_paid"/>', "s -> m", key="q"))
    bench.deploy(bpmn(f'{START}<callActivity id="c" calledElement="q"/><endEvent id="e"/>', "s -> c\nc -> e"))
    root = bench.start("k", n=1)
    ((parent, none, no), (_, caller, token)) = bench.rows(
        "select id, parent_id, parent_token from engine.instance order by id"
    )
    assert (caller, none, no, token is None) == (parent, None, None, False)
    assert bench.at_nodes(root) == ["c", "m"]
    bench.signal(Message(root, "paid", "k", {"sum": 2}))
    bench.work()
    assert bench.rows("select state, vars from engine.instance order by id") == [(1, {"n": 1, "sum": 2})] * 2


def test_instances_are_added_by_a_command(bench: Bench) -> None:
    loop = '<multiInstanceLoopCharacteristics diaodu:collection="[1]" diaodu:element="item"/>'
    bench.deploy(bpmn(f'{START}<userTask id="u" diaodu:pool="1">{loop}</userTask>', "s -> u"))
    root = bench.start()
    with bench.db.transaction() as tx:
        (instance,) = queries.instances_of(tx, root)
        holder = queries.tokens(tx, instance)[0].id
    bench.signal(AddInstance(root, holder, 2))
    bench.work()
    assert len(bench.tasks(root)) == 2


def test_a_message_carries_its_time_to_live_to_the_worker(bench: Bench) -> None:
    body = f'{START}<userTask id="u" diaodu:pool="1"/><receiveTask id="m" messageRef="m_paid"/>'
    bench.deploy(bpmn(body, "s -> u\nu -> m"))
    root = bench.start("k")
    bench.signal(Message(root, "paid", "k", {}, timedelta(minutes=5)))
    bench.work()
    ((stored,),) = bench.rows("select tokens->'early' from engine.instance")
    assert stored == [["paid", "k", {}, (NOW + timedelta(minutes=5)).isoformat()]]


def test_a_running_worker_does_its_errands(bench: Bench, db: Database) -> None:
    bench.deploy(CATCHER)
    (root,) = waiting_in(bench, 4)
    with db.transaction() as tx:
        tx.run("insert into engine.broadcast values (3, 771, 3, 'go', '{}', %s)", (tx.now,))
    stop = threading.Event()
    thread = threading.Thread(target=Worker(db, bench.handlers, "w").run, args=(stop,))
    thread.start()
    for _ in range(200):
        if bench.state(root) == "ended":
            break
        stop.wait(0.02)
    stop.set()
    thread.join(10)
    assert (bench.state(root), thread.is_alive()) == ("ended", False)


def test_an_errand_that_fails_stops_neither_the_batches_nor_the_other_errands(bench: Bench, db: Database) -> None:
    bench.deploy(CATCHER)
    done: list[int] = []

    def fails(_db: Database, _actor: str, _parts: Collection[int]) -> int:
        raise ValueError

    def counts(_db: Database, _actor: str, parts: Collection[int]) -> int:
        done.append(len(parts))
        return 0

    (root,) = waiting_in(bench, 4)
    with db.transaction() as tx:
        tx.run("insert into engine.broadcast values (3, 771, 3, 'go', '{}', %s)", (tx.now,))
    Worker(db, replace(bench.handlers, errands=[fails, counts]), "w").run_until_idle()

    assert bench.state(root) == "ended"
    assert set(done) == {db.parts}
