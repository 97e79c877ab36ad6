"""Plan-driven stages: a driver says what runs, the engine runs it."""

from dataclasses import replace

from tests.engine.kit import NOW, Bench, Driver, Reports, Service, bpmn, claim

from diaodu.engine import commands
from diaodu.engine.ports import (
    Activation,
    Advance,
    Handlers,
    Inbound,
    Message,
    Nudge,
    Scope,
    Signal,
    Start,
    TaskSpec,
    Wait,
)
from diaodu.kernel.db import Database

SOURCE = bpmn(
    '<startEvent id="s"/><adHocSubProcess id="stage" diaodu:plan="true">'
    '<serviceTask id="net" diaodu:type="send" diaodu:kind="olt aaa"/><userTask id="visit" diaodu:kind="line"/>'
    '</adHocSubProcess><endEvent id="e"/><boundaryEvent id="b" attachedToRef="stage">'
    '<messageEventDefinition messageRef="m_stop"/></boundaryEvent>',
    "s -> stage\n stage -> e",
)


class Plan:
    """Steps that run one after another; a key that was answered for is done."""

    def __init__(self, *steps: Activation) -> None:
        self.steps, self.finished = list(steps), set[str]()
        self.withdraw: list[str] = []

    def __call__(self, _scope: Scope) -> Advance:
        left = [s for s in self.steps if s.key not in self.finished]
        return Advance(activate=left[:1], withdraw=self.withdraw, done=not left)


def set_up(db: Database, plan: Plan, service: Service | None = None) -> tuple[Bench, Driver]:
    def report(job: Inbound) -> list[Signal]:
        plan.finished.add(job.body["key"])
        return [Message(job.root_id, job.body["as"], job.body["key"])]

    driver = Driver(plan)
    sender = service or Service(lambda c: Wait("effect", str(c.key)))
    bench = Bench(db, Handlers({"send": sender}, {"report": Reports(report)}, driver=driver))
    bench.deploy(SOURCE)
    return bench, driver


def visit(task: int) -> Activation:
    return Activation("line", str(task), TaskSpec("上门", 4, 10, NOW))


def report(bench: Bench, root: int, key: str, kind: str) -> None:
    with bench.db.transaction() as tx:
        commands.enqueue(tx, [commands.Enqueue(root, "report", {"key": key, "as": kind}, f"r{key}")])
    bench.work()


def test_a_stage_runs_what_its_driver_asks_for_until_it_is_done(db: Database) -> None:
    plan = Plan(Activation("olt", "e1"))
    bench, driver = set_up(db, plan)
    task = db.ids.new(1)
    plan.steps.append(visit(task))
    root = bench.start()
    assert bench.at_nodes(root) == ["net", "stage"]
    assert driver.calls[0][0].activities == {"olt": "net", "aaa": "net", "line": "visit"}
    report(bench, root, "e1", "effect")
    (offered,) = bench.tasks(root)
    assert (offered.id, offered.pool, offered.priority, offered.planned) == (task, 4, 10, True)
    assert driver.calls[-1][0].active == frozenset()
    with db.transaction() as tx:
        assert claim(tx, root, task, 7)
        mine = commands.complete_task(
            tx, task, 7, commands.Enqueue(root, "report", {"key": str(task), "as": "task"}, "r2")
        )
    assert (mine, bench.at_nodes(root)) == (True, ["stage", "visit"])
    bench.work()
    assert bench.done(root) == ["s", "net", "visit", "stage", "e"]
    assert (bench.state(root), bench.tasks(root)[0].state) == ("ended", "done")


def test_asking_twice_for_one_key_starts_it_once(db: Database) -> None:
    bench, driver = set_up(db, Plan(Activation("olt", "e1")))
    root = bench.start()
    bench.signal(Nudge(root), Nudge(root))
    bench.work()
    assert (len(driver.calls), bench.at_nodes(root)) == (3, ["net", "stage"])
    assert driver.calls[-1][0].active == {"e1"}


def test_a_withdrawn_task_is_taken_back_and_a_late_report_still_enters(db: Database) -> None:
    plan = Plan()
    bench, driver = set_up(db, plan)
    task = db.ids.new(1)
    plan.steps = [visit(task), Activation("olt", "e1")]
    root = bench.start()
    with db.transaction() as tx:
        assert claim(tx, root, task, 7)
    plan.withdraw, plan.finished = [str(task)], {str(task)}
    bench.signal(Nudge(root))
    bench.work()
    assert (bench.tasks(root)[0].state, bench.tasks(root)[0].reason) == ("withdrawn", "withdrawn")
    assert bench.at_nodes(root) == ["net", "stage"]
    before = bench.history(root)
    with db.transaction() as tx:
        late = commands.Enqueue(root, "report", {"key": str(task), "as": "task"}, "late")
        assert commands.complete_task(tx, task, 7, late) is False
    bench.work()
    assert bench.history(root) == before
    assert bench.rows("select name, state from engine.job where msg_key = 'late'") == [("report", 1)]
    assert driver.calls


def test_an_interrupted_stage_leaves_nothing_behind(db: Database) -> None:
    plan = Plan()
    bench, _ = set_up(db, plan)
    plan.steps = [visit(db.ids.new(1))]
    root = bench.start("k")
    bench.signal(Message(root, "stop", "k"))
    bench.work()
    assert (bench.state(root), bench.at_nodes(root), bench.jobs()) == ("ended", [], [])
    assert [t.state for t in bench.tasks(root)] == ["withdrawn"]


def test_work_that_is_not_drawn_is_one_incident_that_ends_when_the_plan_is_mended(db: Database) -> None:
    plan = Plan(Activation("dig", "e1"))
    bench, _ = set_up(db, plan)
    root = bench.start()
    bench.signal(Nudge(root))
    bench.work()
    (incident,) = bench.incidents()
    assert (incident.node, incident.code) == ("stage", "engine.plan-not-drawn")
    plan.steps = [replace(plan.steps[0], kind="aaa")]
    with db.transaction() as tx:
        commands.retry_incident(tx, incident.id, "boss")
    bench.work()
    assert (bench.incidents(), bench.at_nodes(root)) == ([], ["net", "stage"])


def test_drivers_are_asked_for_many_scopes_at_once(db: Database) -> None:
    bench, driver = set_up(db, Plan(Activation("olt", "e1")))
    roots = [bench.root() for _ in range(20)]
    bench.signal(*(Start(r, "p", "k") for r in roots))
    bench.work()
    assert [len(c) for c in driver.calls] == [20]


def test_a_done_driver_with_an_activity_that_ends_at_once_goes_on(db: Database) -> None:
    plan = Plan(Activation("olt", "e1"))
    service = Service()
    bench, driver = set_up(db, plan, service)
    original = service.apply

    def apply(tx: object, decided: object, facts: object) -> None:
        plan.finished.add("e1")
        original(tx, decided, facts)  # type: ignore[arg-type]  # passed on as it came

    service.apply = apply  # type: ignore[method-assign, assignment]  # the ledger is written with the work
    root = bench.start()
    assert (bench.state(root), len(driver.calls)) == ("ended", 2)
