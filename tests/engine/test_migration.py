"""Running instances go over to another version, as a whole or not at all; no task or timer is left alone."""

from typing import Any

import pytest
from tests.engine.kit import NOW, Bench, Driver, bpmn, claim

from diaodu.engine import commands, operate, queries
from diaodu.engine.definition import definition_of
from diaodu.engine.errors import BadMapping, InstanceNotIn, NoPlace
from diaodu.engine.instance import load_token
from diaodu.engine.model import Activation, Advance, Message, Start, TaskSpec
from diaodu.engine.ports import Handlers, Scope
from diaodu.engine.versions import Finding, propose
from diaodu.kernel import journal
from diaodu.kernel.db import Database
from diaodu.kernel.errors import NotFound

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'


def timer(node: str, host: str, span: str, *, interrupting: bool = True) -> str:
    return (
        f'<boundaryEvent id="{node}" attachedToRef="{host}" cancelActivity="{str(interrupting).lower()}">'
        f"<timerEventDefinition><timeDuration>{span}</timeDuration></timerEventDefinition></boundaryEvent>"
    )


def message(node: str, host: str, name: str = "m_stop") -> str:
    return (
        f'<boundaryEvent id="{node}" attachedToRef="{host}">'
        f'<messageEventDefinition messageRef="{name}"/></boundaryEvent>'
    )


def user(node: str, name: str = "") -> str:
    return f'<userTask id="{node}" name="{name or node}" diaodu:pool="1"/>'


@pytest.fixture
def bench(db: Database) -> Bench:
    return Bench(db)


def migrate(bench: Bench, root: int, mapping: dict[str, str], version: int = 2, **choice: Any) -> list[Finding]:
    instance = bench.instance(root).id
    with bench.db.transaction(actor="boss") as tx:
        report = operate.migrate(tx, instance, version, mapping, "boss", **choice)
    bench.work()
    assert_whole(bench)
    return report.findings


def proposed(bench: Bench) -> dict[str, str]:
    with bench.db.transaction() as tx:
        found = propose(definition_of(tx, "p", 1).graph, definition_of(tx, "p", 2).graph)
    return {**found.mapping}


def assert_whole(bench: Bench) -> None:
    """Every open task and waiting job belongs to a token that knows it, and what tokens know is there."""
    held: set[tuple[str, int, int]] = set()
    for instance, stored, definition in bench.rows(
        "select id, tokens, definition_id from engine.instance where state = 0"
    ):
        (nodes,) = {n for n, d in _sizes(bench) if d == definition}
        for token in (load_token(row) for row in stored["tokens"]):
            assert 0 <= token.node < nodes
            assert token.scope == 0 or any(row[0] == token.scope for row in stored["tokens"]) or token.scope == -1
            held |= {("job", instance, job) for node, job in token.timers if node < nodes}
            held |= {("job", instance, token.job)} if token.job else set()
            held |= {("task", instance, token.task)} if token.task else set()
    jobs = bench.rows("select instance_id, id from engine.job where kind in ('timer', 'retry') and state <> 1")
    tasks = bench.rows("select instance_id, id from engine.human_task where state < 3")
    assert held == {("job", *r) for r in jobs} | {("task", *r) for r in tasks}


def _sizes(bench: Bench) -> list[tuple[int, int]]:
    with bench.db.transaction() as tx:
        rows = tx.rows("select key, version, id from engine.definition")
        return [(len(definition_of(tx, key, version).graph.nodes), i) for key, version, i in rows]


def dues(bench: Bench) -> list[Any]:
    return [(r[0] - NOW).total_seconds() for r in bench.rows("select due_at from engine.job where kind = 'timer'")]


def test_a_claimed_task_and_its_timer_go_over_and_the_instance_ends_by_the_new_version(bench: Bench) -> None:
    old = START + user("a") + timer("late", "a", "PT1H") + END
    bench.deploy(bpmn(old, "s -> a\na -> e\nlate -> e"))
    root = bench.start()
    with bench.db.transaction() as tx:
        claim(tx, root, bench.tasks(root)[0].id, 7)
    new = START + '<task id="z"/>' + timer("late", "a", "PT5H") + user("a") + '<task id="more"/>' + END
    bench.deploy(bpmn(new, "s -> z\nz -> a\na -> more\nmore -> e\nlate -> e"))
    assert migrate(bench, root, proposed(bench)) == [
        Finding("task.kept", "a", "a", str(bench.tasks(root)[0].id)),
        Finding("timer.kept", "late", "late"),
    ]
    (task,) = bench.tasks(root)
    assert (bench.instance(root).version, task.state, task.assignee, dues(bench)) == (2, "claimed", 7, [3600])
    with bench.db.transaction() as tx:
        commands.complete_task(tx, task.id, 7, commands.Enqueue(root, "", {}, "r"))
    bench.work()
    assert bench.done(root) == ["s", "a", "more", "e"]


def test_timers_count_anew_when_that_is_wanted(bench: Bench) -> None:
    bench.deploy(bpmn(START + user("a") + timer("late", "a", "PT1H"), "s -> a"))
    root = bench.start()
    bench.later(minutes=30)
    bench.deploy(bpmn(START + user("a") + timer("late", "a", "PT5H"), "s -> a"))
    findings = migrate(bench, root, proposed(bench), recompute=True)
    assert [f.what for f in findings] == ["task.kept", "timer.recomputed"]
    assert dues(bench) == [1800 + 5 * 3600]


def test_an_event_that_is_gone_is_taken_back_and_a_new_one_opened(bench: Bench) -> None:
    bench.deploy(bpmn(START + user("a") + timer("late", "a", "PT1H") + message("stop", "a"), "s -> a"))
    root = bench.start()
    new = START + user("a") + timer("soon", "a", "PT2M") + message("paid", "a", "m_paid") + END
    bench.deploy(bpmn(new, "s -> a\npaid -> e"))
    findings = migrate(bench, root, {"s": "s", "a": "a"})
    assert [(f.what, f.node, f.to) for f in findings] == [
        ("task.kept", "a", "a"), ("timer.dropped", "late", ""), ("event.dropped", "stop", ""),
        ("event.added", "a", "soon"), ("event.added", "a", "paid"),
    ]  # fmt: skip
    assert dues(bench) == [120]
    bench.signal(Message(root, "paid", "k"))
    bench.work()
    assert (bench.done(root), bench.tasks(root)[0].state) == (["s", "paid", "e"], "withdrawn")


def test_another_message_is_waited_for(bench: Bench) -> None:
    bench.deploy(bpmn(START + '<receiveTask id="r" messageRef="m_paid"/>', "s -> r"))
    root = bench.start("k")
    bench.deploy(bpmn(START + '<receiveTask id="r" messageRef="m_stop" diaodu:key="&quot;x&quot;"/>', "s -> r"))
    assert [f.what for f in migrate(bench, root, proposed(bench))] == ["message.changed"]
    bench.signal(Message(root, "paid", "k"))
    bench.work()
    assert bench.at_nodes(root) == ["r"]
    bench.signal(Message(root, "stop", "x"))
    bench.work()
    assert bench.state(root) == "ended"


def test_a_renamed_node_is_mapped_by_hand_and_its_task_bears_the_new_name(bench: Bench) -> None:
    bench.deploy(bpmn(START + user("a", "审核"), "s -> a"))
    root = bench.start()
    bench.deploy(bpmn(START + user("b", "审核"), "s -> b"))
    with bench.db.transaction() as tx:
        found = propose(definition_of(tx, "p", 1).graph, definition_of(tx, "p", 2).graph)
    assert (found.mapping, found.hints, found.missing) == ({"s": "s"}, {"a": "b"}, ())
    migrate(bench, root, {**found.mapping, **found.hints})
    assert (bench.at_nodes(root), [t.node for t in bench.tasks(root)]) == (["b"], ["b"])


def test_a_join_keeps_what_has_come(bench: Bench) -> None:
    split = '<parallelGateway id="f"/><parallelGateway id="j"/>'
    arrows = "s -> f\nf -> a\nf -> b\na -> j\nb -> j\nj -> e"
    bench.deploy(bpmn(START + split + user("a") + user("b") + END, arrows))
    root = bench.start()
    first, second = bench.tasks(root)
    finish(bench, root, first.id)
    bench.deploy(
        bpmn(START + END + user("b") + user("a") + split + '<task id="z"/>', arrows.replace("s -> f", "s -> z\nz -> f"))
    )
    migrate(bench, root, proposed(bench))
    assert bench.at_nodes(root) == ["b", "j"]
    finish(bench, root, second.id)
    assert bench.state(root) == "ended"


def finish(bench: Bench, root: int, task: int) -> None:
    with bench.db.transaction() as tx:
        claim(tx, root, task, 7)
        commands.complete_task(tx, task, 7, commands.Enqueue(root, "", {}, f"r{task}"))
    bench.work()


NESTED = (
    '<subProcess id="sub"><startEvent id="in"/><userTask id="a" diaodu:pool="1">'
    '<multiInstanceLoopCharacteristics diaodu:collection="[1,2]" diaodu:element="x"/></userTask>'
    '<sequenceFlow id="i1" sourceRef="in" targetRef="a"/>{more}</subProcess>'
)


def test_scopes_and_several_instances_go_over(bench: Bench) -> None:
    bench.deploy(bpmn(START + NESTED.format(more=""), "s -> sub"))
    root = bench.start()
    more = '<task id="z"/><sequenceFlow id="i2" sourceRef="a" targetRef="z"/>'
    bench.deploy(bpmn('<task id="y"/>' + START + NESTED.format(more=more), "s -> y\ny -> sub"))
    migrate(bench, root, proposed(bench))
    for task in bench.tasks(root):
        finish(bench, root, task.id)
    assert (bench.state(root), bench.done(root)[-3:]) == ("ended", ["a", "z", "sub"])


@pytest.mark.parametrize(
    ("body", "arrows", "mapping", "detail"),
    [
        (START + user("b"), "s -> b", {"s": "s"}, "not mapped"),
        (START + '<subProcess id="q"><startEvent id="in"/>' + user("a") + "</subProcess>", "s -> q",
         {"s": "s", "a": "a"}, "in another scope"),
    ],
)  # fmt: skip
def test_a_token_without_a_place_refuses_the_whole(
    body: str, arrows: str, mapping: dict[str, str], detail: str, bench: Bench
) -> None:
    bench.deploy(bpmn(START + user("a") + timer("late", "a", "PT1H"), "s -> a"))
    root = bench.start()
    bench.deploy(
        bpmn(body.replace("</subProcess>", '<sequenceFlow id="i" sourceRef="in" targetRef="a"/></subProcess>'), arrows)
    )
    before = bench.rows("select * from engine.instance"), bench.rows("select * from engine.job")
    with pytest.raises(NoPlace) as refused:
        migrate(bench, root, mapping)
    assert detail in str(refused.value.params["problems"])
    assert (bench.rows("select * from engine.instance"), bench.rows("select * from engine.job")) == before


def test_a_new_event_that_cannot_be_opened_refuses_the_whole(bench: Bench) -> None:
    bench.deploy(bpmn(START + user("a") + timer("late", "a", "PT1H"), "s -> a"))
    root = bench.start()
    bench.deploy(bpmn(START + user("a") + timer("soon", "a", "=missing"), "s -> a"))
    before = bench.rows("select * from engine.instance"), bench.rows("select * from engine.job")
    migrate(bench, root, {"s": "s", "a": "a"})
    assert (bench.rows("select * from engine.instance"), bench.rows("select * from engine.job")) == before
    assert bench.history(root)[-1] == "migration.refused"
    with bench.db.transaction() as tx:
        (entry,) = journal.read(tx, root)[-1]["entries"]
    assert entry["problems"][0].startswith("soon: ")


def test_a_mapping_must_fit(bench: Bench) -> None:
    bench.deploy(bpmn(START + user("a"), "s -> a"))
    root = bench.start()
    bench.deploy(bpmn(START + '<receiveTask id="a" messageRef="m_paid"/>', "s -> a"))
    for mapping in ({"a": "a"}, {"a": "nothing"}, {"nothing": "a"}):
        with pytest.raises(BadMapping):
            migrate(bench, root, mapping)
    with pytest.raises(NotFound):
        migrate(bench, root, {}, version=9)
    bench.signal(Start(root, "p", "k2"))
    with bench.db.transaction() as tx:
        operate.suspend(tx, bench.instance(root).id, "boss", "why")
    with bench.db.transaction() as tx, pytest.raises(InstanceNotIn):
        operate.migrate(tx, queries.instances_of(tx, root)[0], 2, {"s": "s"}, "boss")


def test_a_plan_driven_stage_goes_over_with_its_planned_task(db: Database) -> None:
    keys = iter([db.ids.new(1)])
    key = str(next(keys))

    def plan(scope: Scope) -> Advance:
        return Advance([Activation("k", key, TaskSpec("装机", 1, 5, NOW))] if not scope.active else ())

    bench = Bench(db, Handlers({}, {}, Driver(plan)))
    stage = '<adHocSubProcess id="st" diaodu:plan="true"><userTask id="w" diaodu:kind="k"/>{}</adHocSubProcess>'
    bench.deploy(bpmn(START + stage.format(""), "s -> st"))
    root = bench.start()
    bench.deploy(bpmn(END + START + stage.format('<task id="o" diaodu:kind="other"/>'), "s -> st\nst -> e"))
    findings = migrate(bench, root, proposed(bench))
    assert [(f.what, f.node) for f in findings] == [("task.kept", "w")]
    assert sorted(bench.at_nodes(root)) == ["st", "w"]
