"""Why an instance waits, who called it, and all that happened to it."""

from datetime import timedelta

import pytest
from tests.engine.kit import NOW, Bench, bpmn

from diaodu.engine import external, operate, queries
from diaodu.kernel.db import Database

START = '<startEvent id="s"/>'
CHILD = bpmn(START + '<userTask id="t" diaodu:pool="1"/>', "s -> t", key="child")
PARENT = bpmn(START + '<callActivity id="c" calledElement="child"/>', "s -> c")
TIMER = (
    '<intermediateCatchEvent id="w"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>'
    "</intermediateCatchEvent>"
)
TWICE = (
    '<receiveTask id="r" messageRef="m_paid"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>'
    "</multiInstanceLoopCharacteristics></receiveTask>"
)


@pytest.fixture
def bench(db: Database) -> Bench:
    return Bench(db)


def why(bench: Bench, instance: int) -> list[tuple[str, str, str]]:
    with bench.db.transaction() as tx:
        return [(r.node, r.what, r.detail) for r in queries.explain_wait(tx, instance)]


def instances(bench: Bench) -> list[int]:
    return [r[0] for r in bench.rows("select id from engine.instance order by id")]


@pytest.mark.parametrize(
    ("body", "arrows", "reasons"),
    [
        ('<receiveTask id="r" messageRef="m_paid"/>', "s -> r", [("r", "message", "paid k")]),
        ('<intermediateCatchEvent id="w"><signalEventDefinition signalRef="s_go"/></intermediateCatchEvent>', "s -> w",
         [("w", "signal", "go")]),
        (TIMER, "s -> w", [("w", "timer", "w")]),
        ('<serviceTask id="x" diaodu:topic="bill"/>', "s -> x", [("x", "external", "bill")]),
        ('<parallelGateway id="f"/><receiveTask id="r" messageRef="m_paid"/><parallelGateway id="j"/>',
         "s -> f\nf -> r\nf -> j\nr -> j", [("r", "message", "paid k"), ("j", "join", "")]),
        (TWICE, "s -> r",
         [("r", "loop", "0 done, 2 running, 2 in all"), ("r", "message", "paid k"), ("r", "message", "paid k")]),
    ],
)  # fmt: skip
def test_each_thing_that_is_waited_for_is_told(
    body: str, arrows: str, reasons: list[tuple[str, str, str]], bench: Bench
) -> None:
    bench.deploy(bpmn(START + body, arrows))
    bench.start("k")
    assert sorted(why(bench, instances(bench)[0])) == sorted(reasons)


def test_a_locked_task_tells_its_worker_and_a_suspended_instance_that_it_is(bench: Bench) -> None:
    bench.deploy(bpmn(START + '<serviceTask id="x" diaodu:topic="bill"/>', "s -> x"))
    bench.start()
    (instance,) = instances(bench)
    with bench.db.transaction() as tx:
        external.fetch(tx, 1, ["bill"], worker="w7", limit=1, lock_time=timedelta(minutes=1))
        operate.suspend(tx, instance, "boss", "why")
    with bench.db.transaction() as tx:
        found = queries.explain_wait(tx, instance)
    assert [(r.what, r.detail, r.until) for r in found] == [
        ("suspended", "", None),
        ("external", "bill w7", NOW + timedelta(minutes=1)),
    ]


def test_the_calls_that_lead_to_an_instance(bench: Bench) -> None:
    bench.deploy(CHILD)
    bench.deploy(PARENT)
    bench.start()
    parent, child = instances(bench)
    with bench.db.transaction() as tx:
        stack = queries.call_stack(tx, child)
        assert queries.calls_of(tx, parent) == [child]
    assert [(f.instance_id, f.process, f.state, f.node) for f in stack] == [
        (parent, "p", "active", ""),
        (child, "child", "active", "c"),
    ]
    assert why(bench, parent) == [("c", "call", str(child))]


def test_the_history_of_an_instance_is_its_own_and_that_of_what_it_called(bench: Bench) -> None:
    bench.deploy(CHILD)
    bench.deploy(PARENT)
    root = bench.start()
    parent, child = instances(bench)
    with bench.db.transaction(actor="boss") as tx:
        operate.suspend(tx, parent, "boss", "why")
    with bench.db.transaction() as tx:
        told = [(e["t"], e["instance"]) for e in queries.history_of(tx, parent)]
        assert [e["t"] for e in queries.history_of(tx, child)] == ["instance.started", "node.done", "task.offered"]
    assert told == [
        ("instance.started", parent), ("node.done", parent), ("instance.started", child), ("node.done", child),
        ("task.offered", child), ("instance.suspended", parent),
    ]  # fmt: skip
    assert len(bench.history(root)) == len(told)
