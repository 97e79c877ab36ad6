"""A batch of n does what n batches of one do, and writes each row once."""

import threading
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.kit import Bench, Driver, Reports, Service, bpmn, services

from diaodu.engine import commands
from diaodu.engine.failure import Runner
from diaodu.engine.ports import (
    Activation,
    Advance,
    BusinessError,
    Call,
    Cancel,
    Done,
    Handlers,
    Inbound,
    Message,
    Nudge,
    Outcome,
    Scope,
    Signal,
    Start,
    Wait,
)
from diaodu.engine.worker import Worker
from diaodu.kernel.db import Database, Tx

SOURCE = bpmn(
    '<startEvent id="s"/><parallelGateway id="f"/><serviceTask id="a" diaodu:type="work"/>'
    '<userTask id="u" diaodu:pool="1"/><receiveTask id="m" messageRef="m_paid"/><parallelGateway id="j"/>'
    '<adHocSubProcess id="stage" diaodu:plan="true"><serviceTask id="k" diaodu:type="work" diaodu:kind="x"/>'
    '</adHocSubProcess><endEvent id="e"/><task id="bad"/><task id="stopped"/>'
    '<boundaryEvent id="b" attachedToRef="a"><errorEventDefinition errorRef="e_bad"/></boundaryEvent>'
    '<boundaryEvent id="c" attachedToRef="u"><messageEventDefinition messageRef="m_stop"/></boundaryEvent>',
    "s -> f\n f -> a\n f -> m\n f -> u\n a -> j\n m -> j\n u -> j\n j -> stage\n stage -> e\n b -> bad\n c -> stopped",
)


def answer(call: Call) -> Outcome:
    kind = call.vars["kind"] if call.key is None else "wait"
    match kind:
        case "wait":
            return Wait("effect", call.key or "a")
        case "bad":
            return BusinessError("BAD", "no")
        case "broken":
            raise ValueError(kind)
    return Done({"a": 1})


def advance(scope: Scope) -> Advance:
    """Two effects, one after the other: the second once the first has left its mark."""
    if "second" in scope.vars:
        return Advance(done=True)
    return Advance(activate=[Activation("x", "2" if "first" in scope.vars else "1")])


STEPS = st.sampled_from(
    ["paid", "stop", "effect a", "effect 1", "effect 2", "report 1", "report 2", "nudge", "cancel", "start"]
)
ORDERS = st.lists(
    st.tuples(st.sampled_from(["done", "wait", "bad", "broken"]), st.lists(STEPS, max_size=8)), min_size=1, max_size=4
)


MARKS: dict[str, dict[str, Any]] = {"1": {"first": 1}, "2": {"second": 1}, "a": {}}


def reported(job: Inbound) -> list[Signal]:
    key = job.body["key"]
    return [Message(job.root_id, "effect", key, MARKS[key])]


def send(tx: Tx, root: int, step: str) -> None:
    if step.startswith("report"):
        commands.enqueue(tx, [commands.Enqueue(root, "report", {"key": step.split()[1]})])
    else:
        commands.signal(tx, [signal(root, step)])


def signal(root: int, step: str) -> Signal:
    match step.split():
        case ["effect", key]:
            return Message(root, "effect", key, MARKS[key])
        case ["nudge"]:
            return Nudge(root)
        case ["cancel"]:
            return Cancel(root, "p")
        case ["start"]:
            return Start(root, "p", "k", {"kind": "done"})
    return Message(root, step, "k", {step: 1})


def fingerprint(bench: Bench, root: int) -> Any:
    with bench.db.transaction() as tx:
        instances = tx.rows(
            "select state, vars, jsonb_array_length(tokens->'tokens'), jsonb_array_length(tokens->'early')"
            " from engine.instance where root_id = %s order by id",
            (root,),
        )
        jobs = tx.rows(
            "select kind, name, state, attempts from engine.job where root_id = %s order by 1, 2, 3, 4", (root,)
        )
    return (
        instances,
        jobs,
        bench.at_nodes(root),
        sorted((t.node, t.state, t.reason) for t in bench.tasks(root)),
        bench.history(root),
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=ORDERS)
def test_a_batch_of_n_equals_n_batches_of_one(db: Database, orders: list[tuple[str, list[str]]]) -> None:
    bench = Bench(db, Handlers({"work": Service(answer)}, {"report": Reports(reported)}, driver=Driver(advance)))
    bench.deploy(SOURCE)
    runner = Runner(db, bench.handlers, "test")
    together, single = ([bench.root(part) for _ in orders] for part in (1, 2))
    for roots in (together, single):
        for root, (kind, steps) in zip(roots, orders, strict=True):
            bench.signal(Start(root, "p", "k", {"kind": kind}))
            with db.transaction() as tx:
                for step in steps:
                    send(tx, root, step)
    runner.run(1, together)
    for root in single:
        while runner._step(2, [root], 1):
            pass
    for one, other in zip(together, single, strict=True):
        assert fingerprint(bench, one) == fingerprint(bench, other)


def test_a_batch_writes_each_row_once_and_calls_each_service_once(db: Database) -> None:
    service = Service()
    bench = Bench(db, services(work=service))
    nodes = "".join(f'<serviceTask id="a{n}" diaodu:type="work"/>' for n in range(3))
    bench.deploy(
        bpmn(f'<startEvent id="s"/>{nodes}<userTask id="u" diaodu:pool="1"/>', "s -> a0\na0 -> a1\na1 -> a2\na2 -> u")
    )
    roots = [bench.root() for _ in range(50)]
    bench.signal(*(Start(r, "p", "k") for r in roots))
    bench.work()
    assert service.batches == [50, 50, 50]
    assert bench.rows("select count(*), count(distinct xmin::text) from engine.instance") == [(50, 1)]
    assert bench.rows("select count(*), max(seq) from kernel.history") == [(50, 1)]


def test_workers_share_the_partitions_and_one_takes_over_from_another(db: Database) -> None:
    bench = Bench(db, services(work=Service()))
    one, two = Worker(db, bench.handlers, "one"), Worker(db, bench.handlers, "two")
    one._share()
    assert len(one._held) == 16
    two._share()
    assert two._held == set()
    one._share()
    two._share()
    assert (len(one._held), len(two._held)) == (8, 8)
    # when one dies
    bench.at += timedelta(seconds=7)
    two._share()
    assert (len(two._held), len(two._suspect)) == (16, 8)
    two._let_go()
    # then what was never inspected stays marked for the next worker
    assert bench.rows(
        "select clean, count(*) from kernel.lease where starts_with(name, 'engine:') group by 1 order by 1"
    ) == [(False, 8), (True, 8)]


def test_a_running_worker_stops_when_it_is_told_and_leaves_clean_leases(db: Database) -> None:
    service = Service()
    bench = Bench(db, services(work=service))
    bench.deploy(bpmn('<startEvent id="s"/><serviceTask id="a" diaodu:type="work"/>', "s -> a"))
    stop = threading.Event()
    thread = threading.Thread(target=Worker(db, bench.handlers, "w").run, args=(stop,))
    thread.start()
    root = bench.root()
    bench.signal(Start(root, "p", "k"))
    for _ in range(200):
        if service.applied:
            break
        stop.wait(0.02)
    stop.set()
    thread.join(10)
    assert (bench.state(root), thread.is_alive()) == ("ended", False)
    assert bench.rows("select distinct owner, clean from kernel.lease") == [(None, True)]
