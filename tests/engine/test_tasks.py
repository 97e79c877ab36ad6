"""Worklists, the commands on human tasks, reports that enter once, and what the engine says about waiting."""

from datetime import timedelta
from itertools import product

import pytest
from tests.conftest import NOW
from tests.engine.kit import Bench, Reports, Service, bpmn, claim, services

from diaodu.engine import commands, queries
from diaodu.engine.commands import Enqueue
from diaodu.engine.errors import TaskNotOpen
from diaodu.engine.ports import Handlers, Retry, Start
from diaodu.engine.tasks import TASK_TABLE, TaskEvent, TaskState
from diaodu.kernel import journal
from diaodu.kernel.db import Database
from diaodu.kernel.errors import NotFound

SOURCE = bpmn(
    '<startEvent id="s"/><userTask id="u" name="审核" diaodu:pool="= pool" diaodu:priority="7"'
    ' diaodu:due="= duration(due)"/>',
    "s -> u",
)


@pytest.fixture
def bench(db: Database) -> Bench:
    made = Bench(db)
    made.deploy(SOURCE)
    return made


def offered(bench: Bench, *pools: int, limit: int = 10) -> list[int]:
    with bench.db.transaction() as tx:
        return [t.root_id for t in queries.tasks_offered(tx, pools, limit)]


def test_a_worklist_merges_its_pools_the_most_urgent_first(bench: Bench) -> None:
    late, soon, other, middle = (
        bench.start(pool=pool, due=due) for pool, due in [(1, "PT9H"), (2, "PT1H"), (3, "PT2H"), (1, "PT5H")]
    )
    assert offered(bench, 1, 2) == [soon, middle, late]
    assert offered(bench, 1, 2, limit=2) == [soon, middle]
    assert offered(bench, 3) == [other]
    (task,) = bench.tasks(soon)
    assert (task.name, task.priority, task.planned, task.state) == ("审核", 7, False, "offered")


def test_a_task_is_claimed_by_one_person_given_back_and_completed_by_its_holder(bench: Bench) -> None:
    root = bench.start(pool=1, due="PT1H")
    (task,) = bench.tasks(root)
    with bench.db.transaction() as tx:
        assert claim(tx, root, task.id, 7)
        assert not claim(tx, root, task.id, 8)
        with pytest.raises(TaskNotOpen):
            commands.unclaim_task(tx, task.id, 8)
        assert [t.id for t in queries.tasks_of(tx, 7, 10)] == [task.id]
    assert offered(bench, 1) == []
    with bench.db.transaction() as tx:
        commands.unclaim_task(tx, task.id, 7)
    assert offered(bench, 1) == [root]
    # when someone who does not hold it completes it
    with bench.db.transaction() as tx:
        assert commands.complete_task(tx, task.id, 8, Enqueue(root, "", {"ok": False}, "r1")) is False
        assert claim(tx, root, task.id, 8)
    assert (bench.jobs(), bench.tasks(root)[0].state) == ([], "claimed")
    with bench.db.transaction() as tx:
        assert commands.complete_task(tx, task.id, 8, Enqueue(root, "", {"ok": True}, "r2")) is True
    assert bench.at_nodes(root) == ["u"]  # the token is moved by the worker
    bench.work()
    assert (bench.state(root), bench.instance(root).vars["ok"]) == ("ended", True)
    # then the same report sent again changes nothing
    with bench.db.transaction() as tx:
        assert commands.complete_task(tx, task.id, 8, Enqueue(root, "", {"ok": False}, "r2")) is False
    bench.work()
    assert (bench.tasks(root)[0].state, bench.instance(root).vars["ok"]) == ("done", True)


def test_an_unknown_task_is_not_found(bench: Bench) -> None:
    with bench.db.transaction() as tx, pytest.raises(NotFound):
        commands.unclaim_task(tx, 12345, 7)


def test_a_report_enters_its_root_once_whenever_it_is_sent(db: Database) -> None:
    reports = Reports()
    bench = Bench(db, Handlers({}, {"report": reports}))
    root, other = bench.root(), bench.root()
    with db.transaction() as tx:
        rows = [Enqueue(root, "report", {}, "a"), Enqueue(root, "report", {}, "a"), Enqueue(other, "report", {}, "a")]
        assert commands.enqueue(tx, rows) == [True, False, True]
    bench.work()
    with db.transaction() as tx:
        again = [Enqueue(root, "report", {}, "a"), Enqueue(root, "report", {}, "b"), Enqueue(root, "report")]
        assert commands.enqueue(tx, again) == [False, True, True]
    bench.work()
    assert [r.root_id for r in reports.seen] == [root, other, root, root]
    assert bench.rows("select msg_key, state, count(*) from engine.job group by 1, 2 order by 1") == [
        ("a", 1, 2),
        ("b", 1, 1),
    ]


def test_an_instance_says_why_it_waits(db: Database) -> None:
    body = (
        '<startEvent id="s"/><parallelGateway id="f"/><userTask id="u" name="审核" diaodu:pool="1"/>'
        '<receiveTask id="m" messageRef="m_paid"/><serviceTask id="a" diaodu:type="work"/><task id="t"/>'
        '<parallelGateway id="j"/><exclusiveGateway id="g"/><task id="x"/><task id="y"/>'
        '<boundaryEvent id="b" attachedToRef="m"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
        "</timerEventDefinition></boundaryEvent>"
    )
    arrows = (
        "s -> f\n f -> u\n f -> m\n f -> a\n f -> t\n f -> g\n u -> j\n m -> j\n a -> j\n t -> j\n"
        "g -> x if z\n g -> y if z"
    )
    bench = Bench(db, services(work=Service(lambda _: Retry("busy"))))
    bench.deploy(bpmn(body, arrows))
    root = bench.root()
    bench.signal(Start(root, "p", "k"))
    bench.work()
    with db.transaction() as tx:
        (instance,) = queries.instances_of(tx, root)
        found = {(r.node, r.what, r.detail.partition(" ")[0]) for r in queries.explain_wait(tx, instance)}
    task = str(bench.tasks(root)[0].id)
    assert found == {
        ("u", "task", task),
        ("m", "message", "paid"),
        ("m", "timer", "b"),
        ("a", "retry", ""),
        ("j", "join", ""),
        ("g", "incident", "no"),
    }


def _task(bench: Bench) -> tuple[int, int]:
    root = bench.start(pool=1, due="PT1H")
    return root, bench.tasks(root)[0].id


def _told(bench: Bench, root: int, what: str) -> list[tuple[str, str]]:
    with bench.db.transaction() as tx:
        return [(e["from"], e["to"]) for row in journal.read(tx, root) for e in row["entries"] if e["t"] == what]


def test_a_suspended_task_goes_back_to_whoever_held_it(bench: Bench) -> None:
    root, task = _task(bench)
    with bench.db.transaction() as tx:
        journal.lock(tx, [root])
        assert commands.suspend_tasks(tx, [task], reason="customer") == {task}
        assert commands.suspend_tasks(tx, [task], reason="again") == set()
    assert offered(bench, 1) == []
    assert (bench.tasks(root)[0].state, bench.tasks(root)[0].reason) == ("suspended", "customer")
    with bench.db.transaction() as tx:
        journal.lock(tx, [root])
        assert commands.resume_tasks(tx, [task]) == {task}
        assert commands.resume_tasks(tx, [task]) == set()
        assert claim(tx, root, task, 7)
        commands.suspend_tasks(tx, [task], reason="network")
        commands.resume_tasks(tx, [task])
    found = bench.tasks(root)[0]
    assert (found.state, found.assignee, found.reason) == ("claimed", 7, None)
    assert _told(bench, root, "task.suspended") == [("offered", "suspended"), ("claimed", "suspended")]
    assert _told(bench, root, "task.resumed") == [("suspended", "offered"), ("suspended", "claimed")]


def test_a_claimed_task_is_handed_over_to_a_worklist_or_to_a_person(bench: Bench) -> None:
    root, task = _task(bench)
    with bench.db.transaction() as tx:
        assert claim(tx, root, task, 7)
        assert commands.hand_over_tasks(tx, [task], pool=2, by="dispatcher", reason="ill") == {task}
    assert (offered(bench, 1), offered(bench, 2), bench.tasks(root)[0].assignee) == ([], [root], None)
    with bench.db.transaction() as tx:
        journal.lock(tx, [root])
        commands.hand_over_tasks(tx, [task], person=9, by="dispatcher", reason="near")
    found = bench.tasks(root)[0]
    assert (found.state, found.assignee, found.pool) == ("claimed", 9, 2)


def test_priority_and_instant_of_open_tasks_change_those_of_ended_ones_do_not(bench: Bench) -> None:
    root, task = _task(bench)
    later = NOW + timedelta(days=400)
    with bench.db.transaction() as tx:
        journal.lock(tx, [root])
        assert commands.prioritise_tasks(tx, [task], by="clerk", reason="urged") == {task}
        assert commands.set_due(tx, {task: later}, by="clerk", reason="appointment") == {task}
        assert commands.set_due(tx, {task: later}, by="clerk", reason="appointment") == set()
    assert (bench.tasks(root)[0].priority, bench.tasks(root)[0].due_at) == (6, later)
    with bench.db.transaction() as tx:
        claim(tx, root, task, 7)
        commands.complete_task(tx, task, 7, Enqueue(root, "", {}, "r1"))
        assert commands.prioritise_tasks(tx, [task], by="clerk", reason="urged") == set()
        assert commands.suspend_tasks(tx, [task], reason="customer") == set()


def test_every_state_of_a_task_has_an_answer_to_every_event() -> None:
    ended = {TaskState.DONE, TaskState.WITHDRAWN}
    assert TASK_TABLE.final == ended
    for state, event in product(TaskState, TaskEvent):
        after = TASK_TABLE.next(state, event)
        late = event in (TaskEvent.COMPLETE, TaskEvent.WITHDRAW)
        assert after == state if state in ended and late else (after is None) == (event not in TASK_TABLE.moves[state])
