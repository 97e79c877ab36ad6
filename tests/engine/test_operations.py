"""What people do to single instances, and that nothing is lost by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from tests.engine.kit import Bench, Driver, Reports, Service, bpmn, claim, services

from diaodu.engine import commands, operate, queries
from diaodu.engine.errors import (
    CallerSuspended,
    HoldsToken,
    IncidentNotOpen,
    InstanceNotIn,
    NotMovable,
    ReasonNeeded,
    TokenGone,
)
from diaodu.engine.model import Advance, BusinessError, Cancel, Message, Start
from diaodu.engine.ports import Handlers
from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import NotFound, Rejected

TASK = bpmn(
    '<startEvent id="s"/><userTask id="a" name="A" diaodu:pool="1"/>'
    '<boundaryEvent id="late" attachedToRef="a" cancelActivity="false"><timerEventDefinition>'
    "<timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>"
    '<task id="warned"/><manualTask id="b"/><endEvent id="e"/>',
    "s -> a\na -> b\nb -> e\nlate -> warned",
)
PAID = bpmn('<startEvent id="s"/><receiveTask id="r" messageRef="m_paid"/><endEvent id="e"/>', "s -> r\nr -> e")
CHILD = bpmn('<startEvent id="s"/><userTask id="t" diaodu:pool="1"/>', "s -> t", key="child")
PARENT = bpmn('<startEvent id="s"/><callActivity id="c" calledElement="child"/><endEvent id="e"/>', "s -> c\nc -> e")
WORK = bpmn('<startEvent id="s"/><serviceTask id="a" diaodu:type="work"/><task id="b"/>', "s -> a\na -> b")


@pytest.fixture
def bench(db: Database) -> Bench:
    return Bench(db)


@contextmanager
def by_hand(bench: Bench) -> Iterator[Tx]:
    with bench.db.transaction(actor="boss") as tx:
        yield tx


def one(bench: Bench, root: int) -> int:
    return bench.instance(root).id


def token_at(bench: Bench, root: int, node: str) -> int:
    with bench.db.transaction() as tx:
        return next(t.id for i in queries.instances_of(tx, root) for t in queries.tokens(tx, i) if t.node == node)


def suspend(bench: Bench, instance: int) -> None:
    with by_hand(bench) as tx:
        operate.suspend(tx, instance, "boss", "why")


def resume(bench: Bench, instance: int) -> None:
    with by_hand(bench) as tx:
        operate.resume(tx, instance, "boss", "why")
    bench.work()


def refused(bench: Bench, root: int, kind: type[Rejected], *call: object, **named: object) -> Rejected:
    """A refusal that changes nothing."""
    before = (bench.at_nodes(root), bench.jobs(), bench.history(root))
    with pytest.raises(kind) as caught, by_hand(bench) as tx:
        call[0](tx, *call[1:], **named)  # type: ignore[operator]  # the command comes with its arguments
    assert (bench.at_nodes(root), bench.jobs(), bench.history(root)) == before
    return caught.value


# Suspending ---------------------------------------------------------------------------------------------------


def test_a_completed_task_of_a_suspended_instance_is_kept(bench: Bench) -> None:
    bench.deploy(TASK)
    root = bench.start()
    (task,) = bench.tasks(root)
    suspend(bench, one(bench, root))
    with bench.db.transaction() as tx:
        claim(tx, root, task.id, 7)
        assert commands.complete_task(tx, task.id, 7, commands.Enqueue(root, "", {"x": 1}, "report"))
    bench.work()
    assert (bench.state(root), bench.at_nodes(root)) == ("suspended", ["a"])
    resume(bench, one(bench, root))
    assert (bench.state(root), bench.instance(root).vars) == ("ended", {"x": 1})
    assert bench.jobs() == [("message", "task", 1)]  # the report that has entered stays known


def test_a_timer_that_was_due_meanwhile_fires_when_the_instance_is_resumed(bench: Bench) -> None:
    bench.deploy(TASK)
    root = bench.start()
    suspend(bench, one(bench, root))
    bench.later(hours=2)
    bench.work()
    assert (bench.at_nodes(root), bench.jobs()) == (["a"], [("timer", "late", 3)])
    resume(bench, one(bench, root))
    assert bench.done(root) == ["s", "late", "warned"]
    assert bench.jobs() == []


def test_a_message_to_a_suspended_instance_is_kept(bench: Bench) -> None:
    bench.deploy(PAID)
    root = bench.start("k")
    suspend(bench, one(bench, root))
    bench.signal(Message(root, "paid", "k", {"n": 1}))
    bench.work()
    assert bench.at_nodes(root) == ["r"]
    resume(bench, one(bench, root))
    assert (bench.state(root), bench.instance(root).vars) == ("ended", {"n": 1})


def test_an_early_message_expires_from_when_it_was_sent_also_when_its_instance_was_suspended(bench: Bench) -> None:
    bench.deploy(bpmn(
        '<startEvent id="s"/><userTask id="u" diaodu:pool="1"/><receiveTask id="r" messageRef="m_paid"/>',
        "s -> u\nu -> r",
    ))  # fmt: skip
    hour, root = timedelta(hours=1), bench.start("k")
    suspend(bench, one(bench, root))
    bench.signal(Message(root, "paid", "k", {"n": 1}, hour), Message(root, "paid", "k", {"n": 2}, 3 * hour))
    bench.work()
    bench.later(hours=2)
    resume(bench, one(bench, root))
    # then: the first has expired meanwhile, the second lives one hour more, not three
    assert bench.history(root)[-1] == "message.expired"
    (early,) = bench.rows("select tokens -> 'early' from engine.instance where root_id = %s", root)[0]
    assert [(e[2], e[3]) for e in early] == [({"n": 2}, (bench.at + hour).isoformat())]


def test_a_message_that_a_worker_was_slow_to_take_expires_from_when_it_was_sent(bench: Bench) -> None:
    bench.deploy(bpmn(
        '<startEvent id="s"/><userTask id="u" diaodu:pool="1"/><receiveTask id="r" messageRef="m_paid"/>',
        "s -> u\nu -> r",
    ))  # fmt: skip
    root = bench.start("k")
    bench.signal(Message(root, "paid", "k", {}, timedelta(minutes=1)))
    bench.later(minutes=1)
    bench.work()
    assert bench.history(root)[-1] == "message.expired"


def test_a_signal_reaches_the_active_at_once_and_the_suspended_when_it_is_resumed(bench: Bench) -> None:
    signal = '<intermediateCatchEvent id="w"><signalEventDefinition signalRef="s_go"/></intermediateCatchEvent>'
    bench.deploy(bpmn('<startEvent id="s"/>' + signal + '<endEvent id="e"/>', "s -> w\nw -> e"))
    throw = '<startEvent id="s"/><endEvent id="t"><signalEventDefinition signalRef="s_go"/></endEvent>'
    bench.deploy(bpmn(throw, "s -> t", key="q"))
    root = bench.start()
    held = one(bench, root)
    suspend(bench, held)
    bench.signal(Start(root, "p", "other"))
    bench.work()
    bench.signal(Start(root, "q", "k"))
    bench.work()
    states = bench.rows("select state from engine.instance where part = 1 order by id")
    assert states == [(3,), (1,), (1,)]
    resume(bench, held)
    assert bench.rows("select state from engine.instance where part = 1 order by id") == [(1,), (1,), (1,)]


def test_a_called_instance_is_suspended_and_resumed_with_its_caller(bench: Bench) -> None:
    bench.deploy(CHILD)
    bench.deploy(PARENT)
    root = bench.start()
    (parent,), (child,) = bench.rows("select id from engine.instance where part = 1 order by id")
    suspend(bench, parent)
    assert bench.rows("select state from engine.instance where part = 1") == [(3,), (3,)]
    refused(bench, root, CallerSuspended, operate.resume, child, "boss", "why")
    resume(bench, parent)
    assert bench.rows("select state from engine.instance where part = 1") == [(0,), (0,)]


def test_a_suspended_instance_can_be_cancelled_with_its_tasks_and_timers(bench: Bench) -> None:
    bench.deploy(TASK)
    root = bench.start()
    suspend(bench, one(bench, root))
    with by_hand(bench) as tx:
        operate.cancel(tx, one(bench, root), "boss", "no longer wanted")
    bench.work()
    assert (bench.state(root), bench.jobs(), [t.state for t in bench.tasks(root)]) == ("cancelled", [], ["withdrawn"])
    refused(bench, root, InstanceNotIn, operate.cancel, one(bench, root), "boss", "again")


def test_the_cancel_of_a_process_reaches_a_suspended_instance(bench: Bench) -> None:
    bench.deploy(TASK)
    root = bench.start()
    suspend(bench, one(bench, root))
    bench.signal(Cancel(root, "p"))
    bench.work()
    assert (bench.state(root), bench.jobs()) == ("cancelled", [])


def test_a_reason_is_asked_for_and_states_are_checked(bench: Bench) -> None:
    bench.deploy(TASK)
    root = bench.start()
    refused(bench, root, ReasonNeeded, operate.suspend, one(bench, root), "boss", " ")
    refused(bench, root, InstanceNotIn, operate.resume, one(bench, root), "boss", "why")
    with pytest.raises(NotFound), by_hand(bench) as tx:
        operate.suspend(tx, 257, "boss", "why")


def test_a_suspended_version_starts_nothing_until_it_is_resumed(bench: Bench) -> None:
    bench.deploy(PAID)
    with by_hand(bench) as tx:
        operate.suspend_definition(tx, "p", "boss")
    root = bench.root()
    bench.signal(Start(root, "p", "k", {}))
    bench.work()
    assert bench.rows("select * from engine.instance") == []
    with by_hand(bench) as tx:
        assert [d.version for d in operate.resume_definition(tx, "p")] == [1]
    bench.later(minutes=1)
    bench.work()
    assert bench.at_nodes(root) == ["r"]
    with pytest.raises(NotFound), by_hand(bench) as tx:
        operate.suspend_definition(tx, "nothing", "boss")


# Moving -------------------------------------------------------------------------------------------------------


def test_a_skipped_task_is_withdrawn_with_its_timer_and_the_token_goes_on(bench: Bench) -> None:
    bench.deploy(TASK)
    root = bench.start()
    with by_hand(bench) as tx:
        operate.skip(tx, one(bench, root), token_at(bench, root, "a"), by="boss", reason="done on paper")
    bench.work()
    assert (bench.state(root), bench.jobs()) == ("ended", [])
    assert [(t.state, t.reason) for t in bench.tasks(root)] == [("withdrawn", "skipped")]
    with bench.db.transaction() as tx:
        entries = [e for row in journal.read(tx, root) for e in row["entries"]]
    (skipped,) = [e for e in entries if e["t"] == "node.skipped"]
    assert (skipped["node"], skipped["by"], skipped["reason"]) == ("a", "boss", "done on paper")


def test_a_skip_ends_the_incident_of_the_token(bench: Bench) -> None:
    bench.handlers = services(work=Service(lambda _: BusinessError("BAD", "no")))
    bench.deploy(WORK)
    root = bench.start()
    assert len(bench.incidents()) == 1
    with by_hand(bench) as tx:
        operate.skip(tx, one(bench, root), token_at(bench, root, "a"), by="boss", reason="why")
    bench.work()
    assert (bench.state(root), bench.incidents(), bench.jobs()) == ("ended", [], [])


def test_a_token_jumps_back(bench: Bench) -> None:
    two = '<startEvent id="s"/><userTask id="a" diaodu:pool="1"/><userTask id="b" diaodu:pool="1"/>'
    bench.deploy(bpmn(two, "s -> a\na -> b"))
    root = bench.start()
    with by_hand(bench) as tx:
        operate.jump(tx, one(bench, root), token_at(bench, root, "a"), "b", by="boss", reason="why")
    bench.work()
    assert bench.at_nodes(root) == ["b"]
    with by_hand(bench) as tx:
        operate.jump(tx, one(bench, root), token_at(bench, root, "b"), "a", by="boss", reason="why")
    bench.work()
    assert (bench.at_nodes(root), [t.state for t in bench.tasks(root)]) == (
        ["a"],
        ["withdrawn", "withdrawn", "offered"],
    )


def test_a_late_skip_does_nothing(bench: Bench) -> None:
    bench.deploy(PAID)
    root = bench.start("k")
    bench.signal(Message(root, "paid", "k"))
    with by_hand(bench) as tx:
        operate.skip(tx, one(bench, root), token_at(bench, root, "r"), by="boss", reason="why")
    bench.work()
    assert bench.done(root) == ["s", "r", "e"]


@pytest.mark.parametrize(
    ("target", "why"), [("in", "elsewhere"), ("late", "no-place"), ("x", "unknown"), ("j", "join")]
)
def test_a_token_does_not_jump_where_none_may_stand(target: str, why: str, bench: Bench) -> None:
    body = (
        '<startEvent id="s"/><userTask id="a" diaodu:pool="1"/><parallelGateway id="f"/><task id="b"/><task id="c"/>'
        '<parallelGateway id="j"/><subProcess id="sub"><startEvent id="in"/></subProcess>'
        '<boundaryEvent id="late" attachedToRef="sub"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
        "</timerEventDefinition></boundaryEvent>"
    )
    bench.deploy(bpmn(body, "s -> a\na -> f\nf -> b\nf -> c\nb -> j\nc -> j\nj -> sub"))
    root = bench.start()
    named = {"by": "boss", "reason": "why"}
    token = token_at(bench, root, "a")
    error = refused(bench, root, NotMovable, operate.jump, one(bench, root), token, target, **named)
    assert error.params["why"] == why


def test_nothing_is_moved_in_a_plan_driven_stage_or_over_effects(db: Database) -> None:
    stage = '<adHocSubProcess id="st" diaodu:plan="true"><task id="w" diaodu:kind="k"/></adHocSubProcess>'
    handlers = Handlers({"work": Service(lambda _: BusinessError("B", ""))}, {}, Driver(lambda _: Advance()))
    bench = Bench(db, handlers)
    bench.deploy(bpmn('<startEvent id="s"/>' + stage + '<task id="z"/>', "s -> st\nst -> z"))
    bench.deploy(WORK.replace(b'id="p"', b'id="q"'))
    root, other = bench.start(), bench.start(process="q")
    named = {"by": "boss", "reason": "why"}
    for command in ((operate.skip,), (operate.jump, "z")):
        call = (command[0], one(bench, root), token_at(bench, root, "st"), *command[1:])
        assert refused(bench, root, NotMovable, *call, **named).params["why"] == "stage"
    call = (operate.skip, one(bench, other), token_at(bench, other, "a"))
    error = refused(bench, other, NotMovable, *call, **named, effects=frozenset({"work"}))
    assert error.params["why"] == "effects"
    refused(bench, other, TokenGone, operate.skip, one(bench, other), 5, **named)


# Variables and incidents --------------------------------------------------------------------------------------


def test_variables_are_set_and_removed_with_what_they_were(bench: Bench) -> None:
    bench.deploy(TASK)
    root = bench.start(a=1, b=2, c=3)
    with by_hand(bench) as tx:
        operate.set_variables(tx, one(bench, root), {"a": 9, "d": [1]}, by="boss", reason="typo", remove=["b", "x"])
    assert bench.instance(root).vars == {"c": 3, "a": 9, "d": [1]}
    with bench.db.transaction() as tx:
        last = journal.read(tx, root)[-1]["entries"][-1]
    assert last == {
        "t": "variables.set", "instance": one(bench, root), "by": "boss", "reason": "typo",
        "before": {"a": 1, "b": 2}, "after": {"a": 9, "d": [1]},
    }  # fmt: skip


def test_an_incident_without_a_token_is_resolved_and_one_with_a_token_is_not(db: Database) -> None:
    def broken(_: object) -> list[Message]:
        raise ValueError("二")

    bench = Bench(db, Handlers({"work": Service(lambda _: BusinessError("B", ""))}, {"report": Reports(broken)}))
    bench.deploy(WORK)
    root = bench.start()
    with db.transaction() as tx:
        commands.enqueue(tx, [commands.Enqueue(root, "report", {}, "m1")])
    bench.work()
    holding, poison = bench.incidents()
    refused(bench, root, HoldsToken, operate.resolve_incident, holding.id, "boss", "why")
    with by_hand(bench) as tx:
        operate.resolve_incident(tx, poison.id, "boss", "not needed")
    assert [i.id for i in bench.incidents()] == [holding.id]
    assert bench.rows("select state from engine.job where msg_key = 'm1'") == [(1,)]
    refused(bench, root, IncidentNotOpen, operate.resolve_incident, poison.id, "boss", "why")
