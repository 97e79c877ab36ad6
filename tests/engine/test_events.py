"""Events: thrown and caught, at every place where they may stand, interrupting or beside."""

from datetime import timedelta

import pytest
from tests.engine.kit import bpmn, flows
from tests.engine.play import ROOT, Play, due_in

from diaodu.engine.errors import UnknownProcess
from diaodu.engine.model import Broadcast, BusinessError

START = '<startEvent id="s"/>'
USER = '<userTask id="u"/>'
DEFINITIONS = {
    "message": '<messageEventDefinition messageRef="m_stop"/>',
    "timer": "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>",
    "signal": '<signalEventDefinition signalRef="s_go"/>',
    "escalation": '<escalationEventDefinition escalationRef="x_late"/>',
    "error": '<errorEventDefinition errorRef="e_bad"/>',
}


def boundary(name: str, host: str, kind: str, *, interrupting: bool = True) -> str:
    cancel = "" if interrupting else ' cancelActivity="false"'
    return f'<boundaryEvent id="{name}" attachedToRef="{host}"{cancel}>{DEFINITIONS[kind]}</boundaryEvent>'


def end(name: str, definition: str) -> str:
    return f'<endEvent id="{name}">{definition}</endEvent>'


def throw(name: str, kind: str) -> str:
    return f'<intermediateThrowEvent id="{name}">{DEFINITIONS[kind]}</intermediateThrowEvent>'


def event_subprocess(kind: str, *, interrupting: bool = True, inner: str = '<userTask id="h"/>') -> str:
    how = "" if interrupting else ' isInterrupting="false"'
    inner += '<endEvent id="he"/>' + flows("hs -> h\nh -> he")
    return (
        f'<subProcess id="esp" triggeredByEvent="true"><startEvent id="hs"{how}>{DEFINITIONS[kind]}</startEvent>'
        f"{inner}</subProcess>"
    )


def happen(play: Play, kind: str) -> None:
    match kind:
        case "message":
            play.send("stop")
        case "timer":
            play.later(hours=1)
        case "signal":
            play.take(Broadcast(ROOT, "go", {}))


# At the border of an activity -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["message", "timer", "signal"])
@pytest.mark.parametrize("host", ["u", "sub", "p2"])
def test_an_interrupting_boundary_event_ends_its_activity_whatever_it_is(kind: str, host: str) -> None:
    called = bpmn(f"{START}{USER}", "s -> u", key="q")
    body = {
        "u": USER,
        "sub": f'<subProcess id="sub"><startEvent id="i"/>{USER}{flows("i -> u")}</subProcess>',
        "p2": '<callActivity id="p2" calledElement="q"/>',
    }[host]
    source = bpmn(
        f'{START}{body}<endEvent id="e"/><endEvent id="x"/>{boundary("b", host, kind)}',
        f"s -> {host}\n{host} -> e\nb -> x",
    )
    play = Play(called, source).start()
    assert play.at[-1] == "u"
    happen(play, kind)
    assert play.done[-2:] == ["b", "x"]
    assert (play.empty, play.closed) == (True, {"u": 1})
    assert play.states == (["ended", "cancelled"] if host == "p2" else ["ended"])


@pytest.mark.parametrize("kind", ["message", "timer", "signal"])
def test_a_boundary_event_beside_leaves_the_activity_alone_and_comes_as_often_as_it_happens(kind: str) -> None:
    body = f'{START}{USER}<endEvent id="e"/><endEvent id="x"/>{boundary("b", "u", kind, interrupting=False)}'
    play = Play(bpmn(body, "s -> u\nu -> e\nb -> x")).start()
    happen(play, kind)
    happen(play, kind)
    assert play.done == ["s", *["b", "x"] * (1 if kind == "timer" else 2)]
    assert play.at == ["u"]
    play.complete("u")
    assert play.empty


@pytest.mark.parametrize("interrupting", [True, False])
def test_early_messages_reach_a_boundary_event(*, interrupting: bool) -> None:
    body = (
        f'{START}<userTask id="w"/>{USER}<endEvent id="e"/><endEvent id="x"/>'
        f"{boundary('b', 'u', 'message', interrupting=interrupting)}"
    )
    play = Play(bpmn(body, "s -> w\nw -> u\nu -> e\nb -> x")).start()
    play.send("stop")
    play.send("stop")
    play.complete("w")
    times = 1 if interrupting else 2
    assert sorted(play.done) == sorted(["s", "w", *["b", "x"] * times])
    assert play.states == ["ended" if interrupting else "active"]
    if not interrupting:
        assert play.at == ["u"]


# Errors ---------------------------------------------------------------------------------------------------------

ERROR_IN = f'<subProcess id="sub"><startEvent id="i"/>{end("x", DEFINITIONS["error"])}{flows("i -> x")}</subProcess>'


def test_a_specific_error_handler_goes_before_one_that_catches_all() -> None:
    body = (
        f'{START}{ERROR_IN}<boundaryEvent id="all" attachedToRef="sub"><errorEventDefinition/></boundaryEvent>'
        f'{boundary("bad", "sub", "error")}<endEvent id="e"/>'
    )
    play = Play(bpmn(body, "s -> sub\nsub -> e\nall -> e\nbad -> e")).start()
    assert play.done == ["s", "i", "bad", "e"]
    assert play.empty


def test_an_error_passes_scopes_that_do_not_catch_it_and_ends_all_on_its_way() -> None:
    inner = f'<startEvent id="i2"/><parallelGateway id="f"/>{USER}{end("x", DEFINITIONS["error"])}' + flows(
        "i2 -> f\nf -> u\nf -> x"
    )
    body = (
        f'{START}<subProcess id="outer"><startEvent id="i1"/><subProcess id="inner">{inner}</subProcess>'
        f'{flows("i1 -> inner")}</subProcess><endEvent id="e"/>{boundary("b", "outer", "error")}'
    )
    play = Play(bpmn(body, "s -> outer\nouter -> e\nb -> e")).start()
    assert play.done == ["s", "i1", "i2", "b", "e"]
    assert (play.empty, play.closed) == (True, {"u": 1})


def test_an_error_of_a_called_process_is_caught_by_the_caller() -> None:
    called = bpmn(
        f'{START}<parallelGateway id="f"/>{USER}{end("x", DEFINITIONS["error"])}', "s -> f\nf -> u\nf -> x", key="q"
    )
    body = (
        f'{START}<callActivity id="c" calledElement="q"/><endEvent id="e"/><endEvent id="bad"/>'
        f"{boundary('b', 'c', 'error')}"
    )
    play = Play(called, bpmn(body, "s -> c\nc -> e\nb -> bad")).start()
    assert play.done == ["s", "s", "b", "bad"]
    assert (play.states, play.empty) == (["ended", "cancelled"], True)


def test_an_error_of_an_event_subprocess_is_not_caught_by_itself() -> None:
    inner = end("h", DEFINITIONS["error"])
    esp = (
        f'<subProcess id="esp" triggeredByEvent="true"><startEvent id="hs">{DEFINITIONS["error"]}</startEvent>{inner}'
        f"{flows('hs -> h')}</subProcess>"
    )
    body = (
        f'{START}<subProcess id="sub"><startEvent id="i"/>'
        f"{end('x', DEFINITIONS['error'])}{flows('i -> x')}{esp}</subProcess>"
        f'<endEvent id="e"/>{boundary("b", "sub", "error")}'
    )
    play = Play(bpmn(body, "s -> sub\nb -> e")).start()
    assert play.done == ["s", "i", "hs", "b", "e"]
    assert play.empty


def test_a_service_error_without_a_handler_is_an_incident_and_the_service_is_called_again() -> None:
    answers = iter([BusinessError("BAD", "no port"), None])
    play = Play(
        bpmn(
            f'{START}<serviceTask id="a" diaodu:type="check"/>{boundary("t", "a", "timer")}<endEvent id="e"/>',
            "s -> a\na -> e\nt -> e",
        ),
        check=lambda _: next(answers),
    ).start()
    assert (play.incidents, due_in(play)) == ([("a", "engine.uncaught-error")], [3600])
    play.retry()
    assert (play.incidents, play.at, due_in(play)) == ([], ["a"], [3600])


# Escalations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_is_caught_at_the_border_and_may_leave_the_scope_alone(*, last: bool, interrupting: bool) -> None:
    thrower = end("x", DEFINITIONS["escalation"]) if last else throw("x", "escalation")
    inner = f'<startEvent id="i"/>{thrower}' + (flows("i -> x") if last else USER + flows("i -> x\nx -> u"))
    body = (
        f'{START}<subProcess id="sub">{inner}</subProcess><endEvent id="e"/><endEvent id="z"/>'
        f"{boundary('b', 'sub', 'escalation', interrupting=interrupting)}"
    )
    play = Play(bpmn(body, "s -> sub\nsub -> e\nb -> z")).start()
    if interrupting:
        assert play.done == ["s", "i", "b", "z"]
    elif last:
        assert sorted(play.done) == sorted(["s", "i", "x", "b", "z", "sub", "e"])
    else:
        assert (play.at, sorted(play.done)) == (["sub", "u"], sorted(["s", "i", "x", "b", "z"]))
        play.complete("u")
    assert play.empty


def test_an_escalation_that_nobody_catches_is_told_and_changes_nothing() -> None:
    play = Play(bpmn(f'{START}{throw("x", "escalation")}<endEvent id="e"/>', "s -> x\nx -> e")).start()
    assert (play.done, play.told) == (["s", "x", "e"], ["instance.started", "escalation.uncaught", "instance.ended"])


def test_an_escalation_of_a_called_process_reaches_the_caller_which_goes_on() -> None:
    called = bpmn(f"{START}{throw('x', 'escalation')}{USER}", "s -> x\nx -> u", key="q")
    body = (
        f'{START}<callActivity id="c" calledElement="q"/><endEvent id="e"/><endEvent id="z"/>'
        f"{boundary('b', 'c', 'escalation', interrupting=False)}"
    )
    play = Play(called, bpmn(body, "s -> c\nc -> e\nb -> z")).start()
    assert (play.at, sorted(play.done)) == (["c", "u"], sorted(["s", "s", "x", "b", "z"]))
    play.complete("u")
    assert (play.states, play.empty) == (["ended", "ended"], True)


# Event subprocesses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["message", "timer", "signal", "escalation", "error"])
@pytest.mark.parametrize("where", ["process", "sub"])
def test_an_interrupting_event_subprocess_takes_the_place_of_its_scope(kind: str, where: str) -> None:
    thrower = {"escalation": throw("x", "escalation"), "error": end("x", DEFINITIONS["error"])}.get(
        kind, '<userTask id="x"/>'
    )
    inner = f'<startEvent id="i"/><parallelGateway id="f"/>{USER}{thrower}{event_subprocess(kind)}' + flows(
        "i -> f\nf -> u\nf -> x"
    )
    if where == "sub":
        source = bpmn(f'{START}<subProcess id="sub">{inner}</subProcess><endEvent id="e"/>', "s -> sub\nsub -> e")
    else:
        source = bpmn(inner)
    play = Play(source).start()
    happen(play, kind)
    assert play.at == sorted(["esp", "h", *(["sub"] if where == "sub" else [])])
    happen(play, kind)  # it does not listen any more
    play.complete("h")
    assert play.done[-3:] == (["esp", "sub", "e"] if where == "sub" else ["h", "he", "esp"])
    play.instances[0].early.clear()
    assert (play.empty, play.closed["u"]) == (True, 1)


@pytest.mark.parametrize("kind", ["message", "timer", "signal", "escalation"])
def test_an_event_subprocess_beside_runs_as_often_as_it_is_triggered_and_holds_its_scope_open(kind: str) -> None:
    thrower = throw("x", "escalation") if kind == "escalation" else '<task id="x"/>'
    body = f"{START}{thrower}{USER}{event_subprocess(kind, interrupting=False)}"
    play = Play(bpmn(body, "s -> x\nx -> u")).start()
    happen(play, kind)
    happen(play, kind)
    times = 1 if kind in ("timer", "escalation") else 2
    assert play.at == [*["esp"] * times, *["h"] * times, "u"]
    play.complete("u")
    assert play.states == ["active"]
    for _ in range(times):
        play.complete("h")
    assert play.empty


def test_an_event_subprocess_may_have_one_of_its_own() -> None:
    inner = event_subprocess("message").replace("esp", "deep").replace('"h', '"d')
    inner = inner.replace("hs_h", "ds_d").replace("h_he", "d_de")
    outer = event_subprocess("timer", inner=f'<userTask id="h"/>{inner}')
    play = Play(bpmn(f"{START}{USER}{outer}", "s -> u")).start()
    play.send("stop", ttl=timedelta(0))
    play.later(hours=1)
    assert play.at == ["esp", "h"]
    play.send("stop")
    assert play.at == ["d", "deep", "esp"]
    play.complete("d")
    assert play.empty


def test_a_scope_that_ends_takes_the_timers_of_its_event_subprocesses_along() -> None:
    body = (
        f'{START}<subProcess id="sub"><startEvent id="i"/>'
        f'{USER}{event_subprocess("timer")}{flows("i -> u")}</subProcess><userTask id="w"/>'
    )
    play = Play(bpmn(body, "s -> sub\nsub -> w")).start()
    assert due_in(play) == [3600]
    play.complete("u")
    assert (play.at, play.jobs) == (["w"], {})


def test_an_event_subprocess_whose_message_key_is_null_is_an_incident_that_can_be_mended() -> None:
    esp = event_subprocess("message").replace('<startEvent id="hs"', '<startEvent id="hs" diaodu:key="no"')
    play = Play(bpmn(f"{START}{USER}{esp}", "s -> u")).start()
    assert (play.incidents, play.at) == ([("p", "engine.no-key")], [])
    play.instances[0].vars["no"] = "A"
    play.retry()
    assert play.at == ["u"]
    play.send("stop", "A")
    assert play.at == ["esp", "h"]


# Terminate and links --------------------------------------------------------------------------------------------


def test_terminate_ends_only_the_subprocess_around_it() -> None:
    inner = f'<startEvent id="i"/><parallelGateway id="f"/>{USER}{end("x", "<terminateEventDefinition/>")}' + flows(
        "i -> f\nf -> u\nf -> x"
    )
    play = Play(
        bpmn(f'{START}<subProcess id="sub">{inner}</subProcess><endEvent id="e"/>', "s -> sub\nsub -> e")
    ).start()
    assert play.done == ["s", "i", "x", "sub", "e"]
    assert (play.empty, play.closed) == (True, {"u": 1})


def test_a_link_leads_to_its_counterpart() -> None:
    link = '<linkEventDefinition name="A"/>'
    body = (
        f'{START}<parallelGateway id="f"/><intermediateThrowEvent id="t1">{link}</intermediateThrowEvent>'
        f'<intermediateThrowEvent id="t2">{link}</intermediateThrowEvent>'
        f'<intermediateCatchEvent id="c">{link}</intermediateCatchEvent><endEvent id="e"/>'
    )
    play = Play(bpmn(body, "s -> f\nf -> t1\nf -> t2\nc -> e")).start()
    assert sorted(play.done) == sorted(["s", "t1", "t2", "c", "c", "e", "e"])
    assert play.empty


# Starts ---------------------------------------------------------------------------------------------------------

STARTS = bpmn(
    f'{START}<startEvent id="m"><messageEventDefinition messageRef="m_paid"/></startEvent>'
    '<startEvent id="g"><signalEventDefinition signalRef="s_go"/></startEvent>'
    f'<startEvent id="t">{DEFINITIONS["timer"]}</startEvent><exclusiveGateway id="j"/><userTask id="u"/>',
    "s -> j\nm -> j\ng -> j\nt -> j\nj -> u",
)


def test_a_process_with_several_start_events_begins_at_the_one_that_happened() -> None:
    play = Play(STARTS).start()
    assert play.done == ["s"]
    play = Play(STARTS)
    play.send("paid", "order 7", sum=1)
    assert (play.done, play.instances[0].business_key, play.vars) == (["m"], "order 7", {"sum": 1})
    play = Play(STARTS)
    play.take(Broadcast(ROOT, "go", {"sum": 2}))
    assert (play.done, play.vars) == (["g"], {"sum": 2})
    assert Play(STARTS).start(node="t").done == ["t"]
    with pytest.raises(UnknownProcess):
        Play(STARTS).start(node="u")


def test_a_second_message_starts_a_second_instance() -> None:
    play = Play(STARTS)
    play.send("paid", "1")
    play.send("paid", "2")
    assert [i.business_key for i in play.instances] == ["1", "2"]
