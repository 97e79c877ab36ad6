"""What a batch may rely on in its store: the same on PostgreSQL and in memory."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.proof.draw import catch, end, file, start, user
from tests.engine.proof.memory import PART
from tests.engine.proof.stand import NOW, InMemory, OnTables, Picture

from diaodu.engine.definition import Definitions
from diaodu.engine.instance import (
    CANCELLED,
    COMPLETED,
    DONE,
    ENDED,
    FAILED,
    READY,
    WITHDRAWN,
    Changes,
    HumanTask,
    Incident,
    Instance,
    Job,
    Token,
)
from diaodu.engine.store import Store, Tables
from diaodu.kernel.db import Database
from diaodu.kernel.errors import Conflict
from diaodu.kernel.ids import part_of

PROCESS = file([start("s"), user("a"), catch("o", "signal:now"), end("e")], "s -> a; a -> o; o -> e")


class Shelf:
    """A store to open as often as wanted; each opening is a transaction."""

    def __init__(self, stand: InMemory | OnTables) -> None:
        self.stand, self.root = stand, stand.root
        stand.deploy(PROCESS)

    def open(self) -> AbstractContextManager[Store]:
        return nullcontext(self.stand.memory) if isinstance(self.stand, InMemory) else self._tables(self.stand.db)

    @contextmanager
    def _tables(self, db: Database) -> Iterator[Store]:
        with db.transaction() as tx:
            store = Tables(tx, PART, Definitions())
            store.lock([self.root])
            yield store

    def picture(self) -> Picture:
        return self.stand.picture()

    def write(
        self, *jobs: Job, claimed: tuple[Job, ...] = (), instances: tuple[Instance, ...] = (), **more: Any
    ) -> None:
        with self.open() as store:
            store.write(claimed, instances, Changes(jobs={j.id: j for j in jobs}, **more))

    def job(self, **more: Any) -> Job:
        with self.open() as store:
            made = store.new_id(self.root)
        given = {"msg_key": None, "state": READY, "due_at": NOW, **more}
        head = (made, self.root, None, None, "nudge", "", given["msg_key"], {"n": 1})
        return Job(*head, given["state"], given["due_at"], 0, NOW)

    def instance(self, **more: Any) -> Instance:
        """A new instance with a token at ``a``."""
        with self.open() as store:
            made, token = store.new_id(self.root), store.new_id(self.root)
            process = store.processes.newest("p")
            assert process is not None
        graph = process.graph
        instance = Instance(made, self.root, process.id, process.version, graph, "key", {"x": 1}, NOW, new=True, **more)
        instance.tokens = {token: Token(token, graph.by_id["a"], 0)}
        return instance

    def load(self) -> list[Instance]:
        with self.open() as store:
            return store.load([self.root])[self.root]

    def claim(self, each: int = 64) -> list[Job]:
        with self.open() as store:
            return store.claim([self.root], each)


@pytest.fixture(params=["memory", "postgres"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    return Shelf(InMemory() if request.param == "memory" else OnTables(request.getfixturevalue("db")))


def test_only_roots_that_exist_are_locked(shelf: Shelf) -> None:
    with shelf.open() as store:
        assert store.lock([shelf.root, store.new_id(shelf.root)]) == {shelf.root}


def test_new_ids_grow_and_carry_the_partition_of_their_root(shelf: Shelf) -> None:
    with shelf.open() as store:
        ids = [store.new_id(shelf.root) for _ in range(100)]
    assert ids == sorted(set(ids))
    assert {part_of(i) for i in ids} == {PART}


def test_due_ready_jobs_are_claimed_in_id_order_as_many_as_are_wanted(shelf: Shelf) -> None:
    late, failed = shelf.job(due_at=NOW + timedelta(seconds=1)), shelf.job(state=FAILED)
    first, second, third = shelf.job(), shelf.job(due_at=NOW - timedelta(days=1)), shelf.job()
    shelf.write(third, late, second, failed, first)
    assert shelf.claim() == [first, second, third]
    assert shelf.claim(2) == [first, second]


def test_a_claimed_job_is_gone_or_kept_as_the_batch_says(shelf: Shelf) -> None:
    plain, keyed, again, dead = shelf.job(), shelf.job(msg_key="k"), shelf.job(), shelf.job()
    later = NOW + timedelta(hours=1)
    shelf.write(plain, keyed, again, dead)
    shelf.write(claimed=tuple(shelf.claim()), tries={again.id: (READY, 2, later), dead.id: (FAILED, 5, NOW)})
    assert [(job, state) for job, *_, state in shelf.picture().jobs] == [
        (keyed.id, DONE),
        (again.id, READY),
        (dead.id, FAILED),
    ]
    assert shelf.claim() == []


def test_a_cancelled_job_is_gone_whether_it_was_claimed_or_not(shelf: Shelf) -> None:
    one, two = shelf.job(), shelf.job(due_at=NOW + timedelta(days=1))
    shelf.write(one, two)
    shelf.write(claimed=(one,), cancelled={one.id, two.id})
    assert shelf.picture().jobs == []


def test_cancelling_a_job_that_is_not_there_aborts_and_nothing_changes(shelf: Shelf) -> None:
    kept = shelf.job()
    shelf.write(kept)
    with pytest.raises(Conflict):
        shelf.write(cancelled={shelf.job().id})
    assert shelf.claim() == [kept]


def test_an_instance_comes_back_as_it_was_written(shelf: Shelf) -> None:
    made = shelf.instance(parent_id=None)
    (token,) = made.tokens.values()
    token.waits, token.timers, token.vars = [[token.node, "now", None]], [[token.node, 77]], {"y": [1, {"z": None}]}
    made.early = [["paid", "key", {"sum": 5}, None]]
    shelf.write(instances=(made,))
    (back,) = shelf.load()
    assert (back.tokens, back.early, back.vars, back.business_key) == (made.tokens, made.early, {"x": 1}, "key")
    assert (back.graph.key, back.version, back.new, back.changed) == ("p", 1, False, False)
    assert back.listened == {"now"}
    assert shelf.picture().subscriptions == [(made.id, "now")]


def test_an_unchanged_instance_is_not_written_and_a_changed_one_is(shelf: Shelf) -> None:
    shelf.write(instances=(shelf.instance(),))
    (back,) = shelf.load()
    back.vars = {"x": 2}
    shelf.write(instances=(back,))
    assert shelf.load()[0].vars == {"x": 1}
    back.changed = True
    shelf.write(instances=(back,))
    assert shelf.load()[0].vars == {"x": 2}


def test_what_has_ended_is_not_loaded_and_cannot_be_written_again(shelf: Shelf) -> None:
    ended, cancelled = shelf.instance(), shelf.instance()
    shelf.write(instances=(ended, cancelled))
    found = shelf.load()
    assert [i.id for i in found] == [ended.id, cancelled.id]
    for instance, state in zip(found, (ENDED, CANCELLED), strict=True):
        instance.tokens, instance.state, instance.ended_at, instance.changed = {}, state, NOW, True
    shelf.write(instances=tuple(found))
    assert shelf.load() == []
    found[0].vars = {"x": 3}
    with pytest.raises(Conflict):
        shelf.write(instances=(found[0],))
    assert {view.vars["x"] for view in shelf.picture().instances} == {1}


def test_a_signal_that_nobody_waits_for_any_more_has_no_subscription(shelf: Shelf) -> None:
    made = shelf.instance()
    (token,) = made.tokens.values()
    token.waits = [[token.node, "now", None]]
    shelf.write(instances=(made,))
    (back,) = shelf.load()
    back.tokens[token.id].waits, back.changed = [], True
    shelf.write(instances=(back,))
    assert shelf.picture().subscriptions == []


def test_a_task_is_closed_once(shelf: Shelf) -> None:
    made = shelf.instance()
    (token,) = made.tokens.values()
    task = HumanTask(
        shelf.job().id, shelf.root, made.id, token.id, "a", "a", planned=False, pool=1, priority=50, due_at=NOW
    )
    shelf.write(instances=(made,), tasks={task.id: task})
    for state in (COMPLETED, WITHDRAWN):
        shelf.write(closed={task.id: (state, None)})
    assert shelf.picture().tasks == [(task.id, token.id, "a", COMPLETED)]


def test_an_incident_is_open_until_its_job_is_mended(shelf: Shelf) -> None:
    failed = shelf.job(state=FAILED)
    made = shelf.instance()
    incident = Incident(shelf.job().id, shelf.root, made.id, "a", failed.id, "engine.no-flow", "", {})
    shelf.write(failed, instances=(made,), incidents=[incident])
    assert shelf.picture().incidents == [(failed.id, "a", "engine.no-flow")]
    shelf.write(mended={failed.id}, cancelled={failed.id})
    assert (shelf.picture().incidents, shelf.picture().jobs) == ([], [])


def test_the_history_keeps_its_order(shelf: Shelf) -> None:
    told = [{"t": "node.done", "node": name} for name in "ab"]
    shelf.write(entries=[(shelf.root, entry) for entry in told])
    shelf.write(entries=[(shelf.root, {"t": "node.done", "node": "c"})])
    assert shelf.stand.done() == ["a", "b", "c"]
