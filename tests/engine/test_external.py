"""External workers: every task is done by one, whoever dies or comes too late."""

from datetime import timedelta

import pytest
from tests.engine.kit import NOW, Bench, bpmn

from diaodu.engine import commands, external, operate
from diaodu.engine.errors import BadLockTime
from diaodu.engine.external import ExternalTask
from diaodu.engine.game import ATTEMPTS_MAX
from diaodu.engine.model import Message
from diaodu.kernel import journal
from diaodu.kernel.db import Database
from diaodu.kernel.errors import NotFound

MINUTE = timedelta(minutes=1)
BILL = bpmn(
    '<startEvent id="s"/><serviceTask id="a" diaodu:topic="billing" diaodu:settings="url=x"/>'
    '<boundaryEvent id="bad" attachedToRef="a"><errorEventDefinition errorRef="e_bad"/></boundaryEvent>'
    '<boundaryEvent id="stop" attachedToRef="a"><messageEventDefinition messageRef="m_stop"/></boundaryEvent>'
    '<task id="mend"/><endEvent id="e"/>',
    "s -> a\na -> e\nbad -> mend",
)


@pytest.fixture
def bench(db: Database) -> Bench:
    bench = Bench(db)
    bench.deploy(BILL)
    return bench


def fetch(bench: Bench, worker: str = "w", limit: int = 10, topic: str = "billing") -> list[ExternalTask]:
    with bench.db.transaction(actor=worker) as tx:
        return external.fetch(tx, 1, [topic], worker=worker, limit=limit, lock_time=MINUTE)


def complete(bench: Bench, task: ExternalTask, worker: str = "w", **variables: object) -> bool:
    with bench.db.transaction(actor=worker) as tx:
        answer = external.complete(tx, task.id, task.lock_token, variables)
    bench.work()
    return answer


def fail(bench: Bench, task: ExternalTask, *, again: bool = True) -> bool:
    with bench.db.transaction() as tx:
        answer = external.fail(tx, task.id, task.lock_token, "down", again=again)
    bench.work()
    return answer


def left(bench: Bench) -> int:
    return int(bench.rows("select count(*) from engine.external_task")[0][0])


def test_a_task_is_fetched_once_and_its_result_goes_on(bench: Bench) -> None:
    root = bench.start(x=1)
    (task,) = fetch(bench)
    assert (task.root_id, task.node, task.topic, task.attempt) == (root, "a", "billing", 1)
    assert (task.vars, task.settings["url"], task.locked_until) == ({"x": 1}, "x", NOW + MINUTE)
    assert fetch(bench) == []
    assert fetch(bench, topic="other") == []
    assert complete(bench, task, y=2)
    assert (bench.state(root), bench.instance(root).vars, left(bench)) == ("ended", {"x": 1, "y": 2}, 0)


def test_the_same_answer_again_is_the_same(bench: Bench) -> None:
    root = bench.start()
    (task,) = fetch(bench)
    assert complete(bench, task)
    history = bench.history(root)
    assert complete(bench, task)
    assert bench.history(root) == history


def test_a_batch_is_the_oldest_first_and_within_its_limit(bench: Bench) -> None:
    roots = [bench.start() for _ in range(3)]
    assert [t.root_id for t in fetch(bench, limit=2)] == roots[:2]
    assert [t.root_id for t in fetch(bench, limit=2)] == roots[2:]
    with bench.db.transaction() as tx:
        assert external.parts_with_work(tx, ["billing"], 10) == []


def test_a_lost_lock_passes_the_task_on_and_fences_the_first_worker(bench: Bench) -> None:
    root = bench.start()
    (first,) = fetch(bench, "slow")
    bench.later(minutes=2)
    (second,) = fetch(bench, "quick")
    assert (second.id, second.attempt) == (first.id, 2)  # the key of idempotency stays
    assert not complete(bench, first, "slow", y=1)
    assert bench.at_nodes(root) == ["a"]
    with bench.db.transaction() as tx:
        row = journal.read(tx, root)[-1]
    assert row["entries"] == [{"t": "external.late", "task": first.id, "by": "slow", "said": {"vars": {"y": 1}}}]
    assert complete(bench, second, "quick", y=2)
    assert bench.instance(root).vars == {"y": 2}


def test_a_late_answer_counts_while_nobody_else_has_the_task(bench: Bench) -> None:
    root = bench.start()
    (task,) = fetch(bench)
    bench.later(minutes=2)
    assert complete(bench, task)
    assert bench.state(root) == "ended"


def test_a_lock_is_extended_only_by_its_holder(bench: Bench) -> None:
    bench.start()
    (task,) = fetch(bench)
    bench.later(seconds=50)
    with bench.db.transaction() as tx:
        assert external.extend(tx, task.id, task.lock_token, MINUTE) == bench.at + MINUTE
        assert external.extend(tx, task.id, "other", MINUTE) is None
    bench.later(seconds=50)
    assert fetch(bench) == []


def test_a_failed_task_comes_again_and_in_the_end_is_an_incident(bench: Bench) -> None:
    root = bench.start()
    keys = set()
    for attempt in range(1, ATTEMPTS_MAX + 1):
        (task,) = fetch(bench)
        assert (task.attempt, bench.incidents()) == (attempt, [])
        keys.add(task.id)
        assert fail(bench, task)
        assert fetch(bench) == []
        bench.later(hours=1)
    (incident,) = bench.incidents()
    assert (incident.node, incident.code, incident.message) == ("a", "engine.external-failed", "down")
    assert fetch(bench) == []
    # when it is tried again
    with bench.db.transaction() as tx:
        commands.retry_incident(tx, incident.id, "boss")
    bench.work()
    (task,) = fetch(bench)
    assert (keys, task.attempt) == ({task.id}, 1)
    assert complete(bench, task)
    assert (bench.state(root), left(bench), bench.jobs()[-1][2]) == ("ended", 0, 1)


def test_a_task_that_kills_its_workers_becomes_an_incident(bench: Bench) -> None:
    bench.start()
    for _ in range(ATTEMPTS_MAX):
        assert len(fetch(bench)) == 1
        bench.later(minutes=2)
    assert fetch(bench) == []
    bench.work()
    assert [i.message for i in bench.incidents()] == ["no worker answered"]


def test_a_worker_may_give_up_at_once(bench: Bench) -> None:
    bench.start()
    (task,) = fetch(bench)
    assert fail(bench, task, again=False)
    assert [i.detail["attempts"] for i in bench.incidents()] == [1]


def test_a_business_error_is_caught(bench: Bench) -> None:
    root = bench.start()
    (task,) = fetch(bench)
    with bench.db.transaction() as tx:
        assert external.raise_error(tx, task.id, task.lock_token, "BAD", "no credit")
    bench.work()
    assert (bench.done(root), left(bench)) == (["s", "bad", "mend"], 0)


def test_a_task_goes_with_its_token(bench: Bench) -> None:
    root = bench.start("k")
    (task,) = fetch(bench)
    bench.signal(Message(root, "stop", "k"))
    bench.work()
    assert (bench.state(root), left(bench)) == ("ended", 0)
    with bench.db.transaction() as tx, pytest.raises(NotFound):
        external.complete(tx, task.id, task.lock_token, {})


def test_what_a_worker_says_to_a_suspended_instance_is_kept(bench: Bench) -> None:
    root, other = bench.start(), bench.start()
    (task,) = fetch(bench, limit=1)
    for held in (root, other):
        with bench.db.transaction() as tx:
            operate.suspend(tx, bench.instance(held).id, "boss", "why")
    assert fetch(bench) == []
    assert complete(bench, task, y=1)
    assert bench.at_nodes(root) == ["a"]
    with bench.db.transaction() as tx:
        operate.resume(tx, bench.instance(root).id, "boss", "why")
    bench.work()
    assert (bench.state(root), bench.instance(root).vars) == ("ended", {"y": 1})


@pytest.mark.parametrize("seconds", [0.5, 3601])
def test_a_lock_time_has_bounds(seconds: float, bench: Bench) -> None:
    with bench.db.transaction() as tx, pytest.raises(BadLockTime):
        external.fetch(tx, 1, ["billing"], worker="w", limit=1, lock_time=timedelta(seconds=seconds))
