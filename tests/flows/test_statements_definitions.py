"""Definitions that change under running orders: statements 57 to 59 of the dispatch semantics."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.flows.cancelling import ask
from tests.flows.operator import PERSON, House, add

from diaodu.app.installation import example_operator
from diaodu.app.operator import read_catalogue
from diaodu.app.wiring import WRITE_EFFECTS, handlers
from diaodu.catalog import commands as catalog
from diaodu.engine import commands as engine
from diaodu.engine import queries
from diaodu.engine.errors import NoPlace, NotMovable, ReasonNeeded
from diaodu.kernel import journal
from diaodu.planning.model import State

SOURCE = (example_operator() / "processes/execution.bpmn").read_text(encoding="utf-8")
INTO = "<bpmn:incoming>to_complete</bpmn:incoming>"
FLOW = '<bpmn:sequenceFlow id="to_complete" sourceRef="work" targetRef="complete" />'


def with_step(source: str, step: str, name: str) -> str:
    """The process with a task of the test crew between the work and 竣工."""
    assert INTO in source
    assert FLOW in source
    task = (
        f'<bpmn:userTask id="{step}" name="{name}" diaodu:pool="3">'
        f"<bpmn:incoming>to_complete</bpmn:incoming><bpmn:outgoing>after_{step}</bpmn:outgoing></bpmn:userTask>"
    )
    return (
        source.replace(INTO, f"<bpmn:incoming>after_{step}</bpmn:incoming>")
        .replace("</bpmn:adHocSubProcess>", f"</bpmn:adHocSubProcess>{task}", 1)
        .replace(
            FLOW,
            FLOW.replace('"complete"', f'"{step}"')
            + f'<bpmn:sequenceFlow id="after_{step}" sourceRef="{step}" targetRef="complete" />',
        )
    )


def deploy(house: House, source: str) -> int:
    with house.db.transaction() as tx:
        return engine.deploy(tx, source.encode(), handlers()).version


def execution(house: House, order_id: int) -> tuple[int, int]:
    """The execution instance of an order, and its version."""
    [found] = house.q(
        "select i.id, d.version from engine.instance i join engine.definition d on d.id = i.definition_id"
        " where i.root_id = %s and d.key = 'execution'",
        order_id,
    )
    return found[0], found[1]


def same(house: House, old: int, new: int) -> dict[str, str]:
    with house.db.transaction() as tx:
        return dict(queries.propose_migration(tx, "execution", old, new).mapping)


def migrate(house: House, order_id: int, version: int, mapping: Mapping[str, str], **how: Any) -> None:
    with house.db.transaction(actor="boss") as tx:
        engine.operate.migrate(
            tx, execution(house, order_id)[0], version, mapping, "boss", effects=WRITE_EFFECTS, **how
        )


def desk(house: House, order_id: int, node: str) -> list[tuple[int, int]]:
    return house.q("select id, state from engine.human_task where root_id = %s and node = %s", order_id, node)


def take(house: House, order_id: int, node: str) -> int:
    [(task, _)] = desk(house, order_id, node)
    with house.db.transaction() as tx:
        journal.lock(tx, [order_id])
        assert engine.claim_tasks(tx, [task], PERSON) == {task}
    return int(task)


def test_57_orders_that_are_not_past_an_inserted_test_go_over_and_those_past_it_are_listed(house: House) -> None:
    """Nothing is changed in the dry run."""
    early = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    late = house.order("C602", add("P2", 602))
    house.client.fault(refuse={"kind": "archive.billing"})
    finish(house, late)
    assert house.items(late)["1"][0] in ("closing", "held")
    version = deploy(house, with_step(SOURCE, "acceptance", "验收测试"))
    mapping = same(house, 1, version)
    histories = [house.history(o) for o in (early, late)]

    with house.db.transaction() as tx:
        found = queries.survey_migration(tx, "execution", 1, version, mapping, leave={}, miss=())

    reports = {root: report for _, root, report in found}
    assert reports.keys() == {early, late}
    assert reports[early].problems == []
    assert [(p.what, p.node, p.detail) for p in reports[late].problems] == [("past", "acceptance", "already behind it")]
    assert [house.history(o) for o in (early, late)] == histories
    migrate(house, early, version, mapping)
    with pytest.raises(NoPlace, match="acceptance: already behind it"):
        migrate(house, late, version, mapping)
    house.client.fault()
    house.run()
    assert (execution(house, early)[1], execution(house, late)[1]) == (version, 1)
    task = take(house, early, "acceptance")
    with house.db.transaction() as tx:
        engine.complete_drawn(tx, task, PERSON, {}, None)
    house.run()
    assert house.order_state(early) == "completed"


def finish(house: House, order_id: int) -> None:
    """The crews do all of one order's work, and of no other's."""
    house.run(technicians=False)
    for kind in ("W3", "W4", "W5"):
        house.report(house.claim(kind, order_id), f"{kind}-{order_id}")
        house.run(technicians=False)


def test_58_a_step_that_is_gone_while_somebody_has_it_is_finished_left_with_a_note_or_mapped(house: House) -> None:
    with_test = deploy(house, with_step(SOURCE, "acceptance", "验收测试"))
    orders = [house.order(f"C{room}", add("P2", room)) for room in (601, 602, 603)]
    house.run()
    tasks = {o: take(house, o, "acceptance") for o in orders}
    without = deploy(house, SOURCE)
    other = deploy(house, with_step(SOURCE, "inspection", "质检"))
    stays, left, mapped = orders

    with pytest.raises(NoPlace, match="is open there: finish it first, leave it with a note, or map it"):
        migrate(house, stays, without, same(house, with_test, without))
    with pytest.raises(ReasonNeeded):
        migrate(house, left, without, same(house, with_test, without), leave={"acceptance": " "})
    migrate(house, left, without, same(house, with_test, without), leave={"acceptance": "no longer asked"})
    migrate(house, mapped, other, same(house, with_test, other) | {"acceptance": "inspection"})
    house.run(technicians=False)

    # Never an orphan: each task is open where its order stands, or withdrawn with the note.
    assert [desk(house, o, n) for o, n in ((stays, "acceptance"), (left, "acceptance"), (mapped, "inspection"))] == [
        [(tasks[stays], 1)], [(tasks[left], 4)], [(tasks[mapped], 1)],
    ]  # fmt: skip
    assert [house.order_state(o) for o in orders] == ["inProgress", "completed", "inProgress"]
    assert "no longer asked" in str(house.history(left))
    for o in (stays, mapped):
        with house.db.transaction() as tx:
            engine.complete_drawn(tx, tasks[o], PERSON, {}, None)
    house.run()
    assert [execution(house, o)[1] for o in orders] == [with_test, without, other]
    assert [house.order_state(o) for o in orders] == ["completed"] * 3


def test_58_work_of_the_plan_is_never_left_undone_by_a_migration(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    version = deploy(house, with_step(SOURCE, "acceptance", "验收测试"))

    with pytest.raises(NotMovable):
        migrate(house, order_id, version, same(house, 1, version), leave={"W3": "no longer asked"})

    assert execution(house, order_id)[1] == 1
    house.run()
    assert house.order_state(order_id) == "completed"


def change_undo(house: House) -> None:
    """A release in which a splice is taken back in another way."""
    document = read_catalogue(example_operator())
    [splice] = [e for e in document["effects"] if e["id"] == "line.splice"]
    splice["undo"] = {"kind": "line.cut", "work": "W3"}
    with house.db.transaction() as tx:
        catalog.publish_once(tx, name="another", document=document)


def test_59_what_was_done_is_undone_as_the_version_says_under_which_it_was_done(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False)
    house.report(house.claim("W3", order_id), "W3")
    house.run(technicians=False)
    done = {e.id: (e.undo or {}).get("kind") for e in house.effects(order_id) if e.state is State.CONFIRMED}
    version = deploy(house, with_step(SOURCE, "acceptance", "验收测试"))
    change_undo(house)

    migrate(house, order_id, version, same(house, 1, version))
    house.run(technicians=False)
    ask(house, order_id)
    house.run()

    assert execution(house, order_id)[1] == version
    assert house.order_state(order_id) == "cancelled"
    undone = {e.of_id: e.kind for e in house.effects(order_id) if e.op == "undo"}
    assert undone == {i: kind for i, kind in done.items() if kind}
    assert "line.unsplice" in undone.values()
    assert house.resources(1, 2) == []
