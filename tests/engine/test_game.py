"""What a token does at each element, seen through a worker on a database."""

from datetime import timedelta
from typing import Any

import pytest
from tests.engine.kit import Bench, Service, bpmn, claim, flows, services

from diaodu.engine import commands
from diaodu.engine.ports import BusinessError, Cancel, Done, Handlers, Message, Retry, Wait
from diaodu.kernel.db import Database

SCRIPT = '<scriptTask id="{0}" diaodu:result="{0}"><script>{1}</script></scriptTask>'


def timer(name: str, text: str, kind: str = "timeDuration") -> str:
    return (
        f'<intermediateCatchEvent id="{name}"><timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>'
        "</intermediateCatchEvent>"
    )


def message(name: str, reference: str = "m_paid", attributes: str = "") -> str:
    return (
        f'<intermediateCatchEvent id="{name}" {attributes}><messageEventDefinition messageRef="{reference}"/>'
        "</intermediateCatchEvent>"
    )


def boundary(name: str, host: str, definition: str, *, interrupting: bool = True) -> str:
    cancel = "" if interrupting else ' cancelActivity="false"'
    return f'<boundaryEvent id="{name}" attachedToRef="{host}"{cancel}>{definition}</boundaryEvent>'


HOUR, SLOW, MESSAGE = timer("t", "PT1H"), timer("slow", "PT1H"), message("m")


@pytest.fixture
def bench(db: Database) -> Bench:
    return Bench(db)


@pytest.mark.parametrize(("amount", "way"), [(5, "small"), (50, "large"), (None, "small")])
def test_an_exclusive_gateway_takes_the_first_true_condition_else_the_default(
    bench: Bench, amount: int | None, way: str
) -> None:
    body = (
        '<startEvent id="s"/><exclusiveGateway id="g" default="g_small"/><task id="large"/><task id="small"/>'
        '<exclusiveGateway id="j"/><endEvent id="e"/>'
    )
    bench.deploy(bpmn(body, "s -> g\n g -> large if 金额 > 10\n g -> small\n large -> j\n small -> j\n j -> e"))
    root = bench.start(金额=amount)
    assert bench.done(root) == ["s", way, "e"]
    assert bench.state(root) == "ended"


def test_a_gateway_without_a_true_condition_is_an_incident_that_can_be_retried(bench: Bench) -> None:
    body = '<startEvent id="s"/><exclusiveGateway id="g"/><task id="a"/><task id="b"/>'
    bench.deploy(bpmn(body, "s -> g\n g -> a if x = 1\n g -> b if x = 2"))
    root = bench.start(x=3)
    (incident,) = bench.incidents()
    assert (incident.node, incident.code, bench.at_nodes(root)) == ("g", "engine.no-flow", ["g"])
    with bench.db.transaction() as tx:
        tx.run("update engine.instance set vars = '{\"x\": 2}' where root_id = %s", (root,))
        commands.retry_incident(tx, incident.id, "boss")
    bench.work()
    assert bench.done(root) == ["s", "b"]
    assert (bench.incidents(), bench.jobs()) == ([], [])


def test_a_parallel_join_waits_for_one_token_of_each_flow(bench: Bench) -> None:
    body = (
        f'<startEvent id="s"/><parallelGateway id="f"/>{SLOW}<task id="quick"/>'
        '<parallelGateway id="j"/><endEvent id="e"/>'
    )
    bench.deploy(bpmn(body, "s -> f\n f -> slow\n f -> quick\n slow -> j\n quick -> j\n j -> e"))
    root = bench.start()
    assert bench.at_nodes(root) == ["j", "slow"]
    bench.later(hours=1)
    bench.work()
    assert bench.done(root) == ["s", "quick", "slow", "e"]
    assert bench.state(root) == "ended"


def test_two_tokens_on_one_flow_do_not_open_a_join(bench: Bench) -> None:
    # given: the split sends two tokens over the merge into the same flow of the join, and none into the other
    body = (
        f'<startEvent id="s"/><parallelGateway id="f"/><task id="a"/><exclusiveGateway id="b" default="b_m"/>'
        f'<exclusiveGateway id="m"/>{SLOW}<parallelGateway id="j"/><endEvent id="e"/>'
    )
    arrows = "s -> f\n f -> a\n f -> b\n f -> slow\n a -> m\n b -> m\n b -> e if x\n m -> j\n slow -> j\n j -> e"
    bench.deploy(bpmn(body, arrows))
    root = bench.start()
    assert bench.at_nodes(root) == ["j", "j", "slow"]
    bench.later(hours=1)
    bench.work()
    assert bench.at_nodes(root) == ["j"]  # the surplus token waits for a second round


@pytest.mark.parametrize(
    ("kind", "text", "minutes"),
    [
        ("timeDuration", "PT90S", 1.5),
        ("timeDate", "2026-03-02T17:30:00+08:00", 30),
        ("timeDuration", '= duration("PT" + string(n) + "M")', 10),
    ],
)
def test_a_timer_waits_for_a_duration_or_a_date(bench: Bench, kind: str, text: str, minutes: float) -> None:
    event = timer("t", text, kind)
    bench.deploy(bpmn(f'<startEvent id="s"/>{event}<endEvent id="e"/>', "s -> t\n t -> e"))
    root = bench.start(n=10)
    bench.later(minutes=minutes, seconds=-1)
    bench.work()
    assert bench.state(root) == "active"
    bench.later(seconds=1)
    bench.work()
    assert bench.state(root) == "ended"
    assert bench.jobs() == []


def test_a_message_moves_the_token_that_waits_for_its_key(bench: Bench) -> None:
    keyed = message("m", attributes='diaodu:key="no"')
    bench.deploy(bpmn(f'<startEvent id="s"/>{keyed}', "s -> m"))
    one, two = bench.start(no="A"), bench.start(no="B")
    bench.signal(Message(one, "paid", "B"), Message(two, "paid", "B", {"sum": 5}))
    bench.work()
    assert (bench.state(one), bench.state(two)) == ("active", "ended")
    assert bench.instance(two).vars == {"no": "B", "sum": 5}


def test_an_early_message_is_kept_for_its_node(bench: Bench) -> None:
    bench.deploy(bpmn(f'<startEvent id="s"/>{HOUR}{MESSAGE}', "s -> t\n t -> m"))
    root = bench.start("k")
    bench.signal(Message(root, "paid", "k", {"sum": 5}))
    bench.work()
    assert bench.at_nodes(root) == ["t"]
    bench.later(hours=1)
    bench.work()
    assert bench.state(root) == "ended"
    assert bench.instance(root).vars == {"sum": 5}


def test_a_late_message_changes_nothing(bench: Bench) -> None:
    bench.deploy(bpmn(f'<startEvent id="s"/>{MESSAGE}', "s -> m"))
    root = bench.start("k")
    bench.signal(Message(root, "paid", "k"))
    bench.work()
    before = (bench.instance(root), bench.history(root))
    bench.signal(Message(root, "paid", "k", {"sum": 1}))
    bench.work()
    assert (bench.instance(root), bench.history(root)) == before
    assert bench.jobs() == []


def test_a_message_starts_a_process(bench: Bench) -> None:
    body = '<startEvent id="s"><messageEventDefinition messageRef="m_paid"/></startEvent><endEvent id="e"/>'
    bench.deploy(bpmn(body, "s -> e"))
    root = bench.root()
    bench.signal(Message(root, "paid", "order 7", {"sum": 1}))
    bench.work()
    assert (bench.instance(root).business_key, bench.instance(root).vars) == ("order 7", {"sum": 1})


def wait_task(attributes: str = 'diaodu:pool="3"') -> str:
    return f'<userTask id="u" name="审核" {attributes}/>'


@pytest.mark.parametrize("interrupting", [True, False])
def test_a_boundary_timer_interrupts_or_runs_beside(bench: Bench, *, interrupting: bool) -> None:
    body = f'<startEvent id="s"/>{wait_task()}<endEvent id="e"/><task id="remind"/>' + boundary(
        "b",
        "u",
        "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>",
        interrupting=interrupting,
    )
    bench.deploy(bpmn(body, "s -> u\n u -> e\n b -> remind"))
    root = bench.start()
    bench.later(hours=1)
    bench.work()
    assert bench.done(root) == ["s", "b", "remind"]
    assert bench.state(root) == ("ended" if interrupting else "active")
    (task,) = bench.tasks(root)
    assert (task.state, task.reason) == (("withdrawn", "interrupted") if interrupting else ("offered", None))


def test_a_token_that_leaves_takes_its_timer_along(bench: Bench) -> None:
    definition = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
    body = f'<startEvent id="s"/>{wait_task()}<task id="late"/>' + boundary("b", "u", definition)
    bench.deploy(bpmn(body, "s -> u\n b -> late"))
    root = bench.start()
    assert bench.jobs() == [("timer", "b", 0)]
    (task,) = bench.tasks(root)
    complete(bench, root, task.id, {"ok": True})
    bench.work()
    assert bench.jobs() == []
    assert (bench.state(root), bench.instance(root).vars) == ("ended", {"ok": True})


def complete(bench: Bench, root: int, task: int, variables: dict[str, Any]) -> bool:
    with bench.db.transaction() as tx:
        assert claim(tx, root, task, 7)
        return commands.complete_task(tx, task, 7, commands.Enqueue(root, "report", variables))


def test_a_boundary_message_closes_a_subprocess_with_all_that_is_in_it(bench: Bench) -> None:
    inner = f'<startEvent id="i"/><parallelGateway id="f"/>{wait_task()}{HOUR}'
    body = (
        f'<startEvent id="s"/><subProcess id="sub">{inner}__</subProcess><task id="stopped"/><endEvent id="e"/>'
        + boundary("b", "sub", '<messageEventDefinition messageRef="m_stop"/>')
    )
    source = bpmn(body, "s -> sub\n sub -> e\n b -> stopped").replace(b"__", flows("i -> f\n f -> u\n f -> t").encode())
    bench.deploy(source)
    root = bench.start("k")
    assert bench.at_nodes(root) == ["sub", "t", "u"]
    bench.signal(Message(root, "stop", "k"))
    bench.work()
    assert bench.done(root) == ["s", "i", "b", "stopped"]
    assert (bench.state(root), bench.jobs(), bench.tasks(root)[0].state) == ("ended", [], "withdrawn")


def test_a_subprocess_ends_when_its_last_token_ends(bench: Bench) -> None:
    inner = f'<startEvent id="i"/><parallelGateway id="f"/><task id="a"/>{HOUR}'
    inner += flows("i -> f\n f -> a\n f -> t")
    body = f'<startEvent id="s"/><subProcess id="sub">{inner}</subProcess><endEvent id="e"/>'
    bench.deploy(bpmn(body, "s -> sub\n sub -> e"))
    root = bench.start()
    assert bench.at_nodes(root) == ["sub", "t"]
    bench.later(hours=1)
    bench.work()
    assert bench.done(root) == ["s", "i", "a", "t", "sub", "e"]


def test_terminate_ends_its_scope_at_once(bench: Bench) -> None:
    body = f'<startEvent id="s"/><parallelGateway id="f"/>{HOUR}<endEvent id="e"><terminateEventDefinition/></endEvent>'
    bench.deploy(bpmn(body, "s -> f\n f -> t\n f -> e"))
    root = bench.start()
    assert (bench.state(root), bench.jobs(), bench.at_nodes(root)) == ("ended", [], [])


@pytest.mark.parametrize(("code", "way"), [("BAD", "bad"), ("OTHER", "any")])
def test_an_error_end_is_caught_at_the_subprocess(bench: Bench, code: str, way: str) -> None:
    reference = "e_bad" if code == "BAD" else "e_other"
    inner = f'<startEvent id="i"/><endEvent id="x"><errorEventDefinition errorRef="{reference}"/></endEvent>'
    inner += flows("i -> x")
    body = (
        f'<startEvent id="s"/><subProcess id="sub">{inner}</subProcess><endEvent id="e"/>'
        '<task id="bad"/><task id="any"/>'
        + boundary("b", "sub", '<errorEventDefinition errorRef="e_bad"/>')
        + boundary("c", "sub", "<errorEventDefinition/>")
    )
    bench.deploy(bpmn(body, "s -> sub\n sub -> e\n b -> bad\n c -> any"))
    root = bench.start()
    assert bench.done(root)[-1] == way
    assert bench.state(root) == "ended"


def test_a_script_stores_a_value_that_survives_a_reload(bench: Bench) -> None:
    body = f'<startEvent id="s"/>{SCRIPT.format("total", "a * 2.5")}{SCRIPT.format("next", "total + 1")}'
    bench.deploy(bpmn(body, "s -> total\n total -> next"))
    root = bench.start(a=2)
    assert bench.instance(root).vars == {"a": 2, "total": 5, "next": 6}


def test_a_service_error_without_a_boundary_is_an_incident(db: Database) -> None:
    service = Service(lambda _: BusinessError("BAD", "no port"))
    bench = Bench(db, services(check=service))
    bench.deploy(bpmn('<startEvent id="s"/><serviceTask id="a" diaodu:type="check"/>', "s -> a"))
    root = bench.start()
    (incident,) = bench.incidents()
    assert (incident.node, incident.code, incident.message) == ("a", "engine.uncaught-error", "BAD: no port")
    service.answer = lambda _: Done()
    with db.transaction() as tx:
        commands.retry_incident(tx, incident.id, "boss")
    bench.work()
    assert (bench.state(root), bench.jobs(), bench.incidents()) == ("ended", [], [])


def test_a_service_error_is_caught_by_its_boundary_event(db: Database) -> None:
    bench = Bench(db, services(check=Service(lambda _: BusinessError("BAD", "no port"))))
    body = (
        '<startEvent id="s"/><serviceTask id="a" diaodu:type="check"/><task id="manual"/><endEvent id="e"/>'
        + boundary("b", "a", '<errorEventDefinition errorRef="e_bad"/>')
    )
    bench.deploy(bpmn(body, "s -> a\n a -> e\n b -> manual"))
    root = bench.start()
    assert bench.done(root) == ["s", "b", "manual"]


def test_a_service_that_waits_goes_on_with_its_message(db: Database) -> None:
    bench = Bench(db, services(send=Service(lambda c: Wait("effect", f"{c.vars['n']}"))))
    bench.deploy(bpmn('<startEvent id="s"/><serviceTask id="a" diaodu:type="send"/>', "s -> a"))
    root = bench.start(n=12)
    bench.signal(Message(root, "effect", "11"))
    bench.work()
    assert bench.at_nodes(root) == ["a"]
    bench.signal(Message(root, "effect", "12", {"done": 1}))
    bench.work()
    assert (bench.state(root), bench.instance(root).vars) == ("ended", {"n": 12, "done": 1})


def test_a_service_is_tried_five_times_with_growing_pauses(db: Database) -> None:
    attempts: list[int] = []

    def flaky(call: Any) -> Done:
        attempts.append(call.attempt)
        raise OSError("down")

    bench = Bench(db, services(check=Service(flaky)))
    bench.deploy(bpmn('<startEvent id="s"/><serviceTask id="a" diaodu:type="check"/>', "s -> a"))
    root = bench.start()
    pauses = []
    while not bench.incidents():
        ((due,),) = bench.rows("select due_at from engine.job where state = 0")
        pauses.append((due - bench.at).total_seconds())
        bench.at = due
        bench.work()
    assert attempts == [1, 2, 3, 4, 5]
    assert all(2**n / 2 <= pause < 2**n * 1.5 for n, pause in enumerate(pauses, 1))
    assert bench.incidents()[0].code == "engine.attempts-exhausted"
    assert bench.at_nodes(root) == ["a"]


def test_a_retry_may_name_its_own_pause(db: Database) -> None:
    service = Service(lambda c: Retry("busy", timedelta(minutes=3)) if c.attempt == 1 else Done())
    bench = Bench(db, services(check=service))
    bench.deploy(bpmn('<startEvent id="s"/><serviceTask id="a" diaodu:type="check"/>', "s -> a"))
    root = bench.start()
    bench.later(minutes=2, seconds=59)
    assert bench.work() == 0
    bench.later(seconds=1)
    bench.work()
    assert (bench.state(root), service.applied) == ("ended", [("None", "a")])


def test_cancel_ends_an_instance_and_takes_back_what_it_asked_for(bench: Bench) -> None:
    body = f'<startEvent id="s"/><parallelGateway id="f"/>{wait_task()}{HOUR}'
    bench.deploy(bpmn(body, "s -> f\n f -> u\n f -> t"))
    root = bench.start()
    bench.signal(Cancel(root, "p"))
    bench.work()
    assert (bench.state(root), bench.jobs(), bench.tasks(root)[0].state) == ("cancelled", [], "withdrawn")


def test_a_business_rule_task_merges_the_outputs_of_its_decision(db: Database) -> None:
    class Decisions:
        def decide(self, _tx: Any, questions: Any) -> list[Any]:
            return [{q.decision: q.vars["n"] + 1} for q in questions]

    bench = Bench(db, Handlers({}, {}, decisions=Decisions()))
    bench.deploy(bpmn('<startEvent id="s"/><businessRuleTask id="a" diaodu:decision="level"/>', "s -> a"))
    assert bench.instance(bench.start(n=1)).vars == {"n": 1, "level": 2}


def test_conditions_see_facts_as_they_are_after_the_service_before_them(db: Database) -> None:
    stock = {"ports": 0}

    class Facts:
        def facts(self, _tx: Any, root_ids: Any) -> dict[int, Any]:
            return {r: dict(stock) for r in root_ids}

    def fill(_call: Any) -> Done:
        stock["ports"] = 2
        return Done()

    bench = Bench(db, Handlers({"fill": Service(fill)}, {}, facts=Facts()))
    body = (
        '<startEvent id="s"/><exclusiveGateway id="g" default="g_f"/><serviceTask id="f" diaodu:type="fill"/>'
        '<exclusiveGateway id="h" default="h_no"/><task id="no"/><task id="yes"/>'
    )
    bench.deploy(bpmn(body, "s -> g\n g -> yes if ports > 0\n g -> f\n f -> h\n h -> yes if ports > 1\n h -> no"))
    assert bench.done(bench.start()) == ["s", "f", "yes"]
