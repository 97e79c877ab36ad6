"""Gateways: which flows are taken, and when a join opens."""

import pytest
from tests.engine.kit import bpmn, flows
from tests.engine.play import Play

from diaodu.engine.model import Broadcast

START = '<startEvent id="s"/>'


def task(name: str) -> str:
    return f'<userTask id="{name}"/>'


def diamond(kind: str, *conditions: str, default: str = "") -> bytes:
    """A split into a, b and c by conditions, and a join of the same kind."""
    names = "abc"[: len(conditions)]
    marked = f' default="g_{default}"' if default else ""
    body = f'{START}<{kind} id="g"{marked}/><{kind} id="j"/><endEvent id="e"/>' + "".join(map(task, names))
    arrows = "s -> g\nj -> e\n" + "\n".join(
        f"g -> {n} if {c}\n{n} -> j" if c else f"g -> {n}\n{n} -> j" for n, c in zip(names, conditions, strict=True)
    )
    return bpmn(body, arrows)


INCLUSIVE = diamond("inclusiveGateway", "x > 1", "x > 2", "", default="c")


@pytest.mark.parametrize(("x", "way"), [(3, ["a", "b"]), (2, ["a"]), (1, ["c"])])
def test_an_inclusive_split_takes_every_true_flow_else_the_default_and_its_join_waits_for_these(
    x: int, way: list[str]
) -> None:
    play = Play(INCLUSIVE).start(x=x)
    assert play.at == way
    for name in way:
        assert "e" not in play.done
        play.complete(name)
    assert play.done == ["s", *way, "e"]
    assert play.empty


def test_an_inclusive_split_without_a_way_is_an_incident() -> None:
    play = Play(diamond("inclusiveGateway", "x > 1", "x > 2")).start(x=0)
    assert (play.incidents, play.at) == ([("g", "engine.no-flow")], ["g"])


def test_an_inclusive_join_does_not_wait_for_a_token_that_turned_away() -> None:
    # b may come to the join, or end at z: the join learns of it when the token has moved
    body = (
        f'{START}<parallelGateway id="f"/>{task("a")}{task("b")}<exclusiveGateway id="g" default="g_j"/>'
        '<endEvent id="z"/><inclusiveGateway id="j"/><endEvent id="e"/>'
    )
    play = Play(bpmn(body, "s -> f\nf -> a\nf -> b\na -> j\nb -> g\ng -> z if away\ng -> j\nj -> e")).start()
    play.complete("a")
    assert play.at == ["b", "j"]
    play.complete("b", away=True)
    assert play.done == ["s", "a", "b", "z", "e"]
    assert play.empty


def test_an_inclusive_join_waits_for_a_token_that_may_come_by_a_boundary_event() -> None:
    body = (
        f'{START}<parallelGateway id="f"/>{task("a")}{task("b")}<inclusiveGateway id="j"/><endEvent id="e"/>'
        '<endEvent id="z"/><boundaryEvent id="t" attachedToRef="b"><timerEventDefinition>'
        "<timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>"
    )
    source = bpmn(body, "s -> f\nf -> a\nf -> b\na -> j\nb -> z\nt -> j\nj -> e")
    play = Play(source).start()
    play.complete("a")
    assert play.at == ["b", "j"]
    play.later(hours=1)
    assert play.done == ["s", "a", "t", "e"]
    assert play.empty


def test_an_inclusive_join_in_a_loop_does_not_wait_for_what_only_it_can_send() -> None:
    # the way back leads through the join itself, so nothing that it has not sent can come by it
    body = f'{START}<inclusiveGateway id="j"/>{task("a")}<exclusiveGateway id="g" default="g_e"/><endEvent id="e"/>'
    play = Play(bpmn(body, "s -> j\nj -> a\na -> g\ng -> j if again\ng -> e")).start()
    assert play.at == ["a"]
    play.complete("a", again=True)
    assert play.at == ["a"]
    play.complete("a", again=False)
    assert play.empty


def test_a_second_token_that_may_also_come_where_one_has_come_does_not_hold_an_inclusive_join() -> None:
    # c may come by the flow where b has come as well as by the empty one: by the standard the join need not wait
    body = (
        f'{START}<parallelGateway id="f"/>{task("b")}{task("c")}<exclusiveGateway id="g" default="g_m"/>'
        '<exclusiveGateway id="m"/><inclusiveGateway id="j"/><endEvent id="e"/>'
    )
    play = Play(bpmn(body, "s -> f\nf -> b\nf -> c\nb -> m\nc -> g\ng -> m\ng -> j if x\nm -> j\nj -> e")).start()
    play.complete("b")
    assert play.done == ["s", "b", "e"]
    play.complete("c")
    assert play.done == ["s", "b", "e", "c", "e"]
    assert play.empty


def test_an_inclusive_join_of_one_subprocess_run_knows_nothing_of_another_run() -> None:
    inner = '<startEvent id="i"/><inclusiveGateway id="g"/><inclusiveGateway id="j"/>' + task("a") + task("b")
    inner += flows("i -> g\ng -> a if item > 1\ng -> b if item > 0\na -> j\nb -> j")
    loop = '<multiInstanceLoopCharacteristics diaodu:collection="[1, 2]" diaodu:element="item"/>'
    play = Play(bpmn(f'{START}<subProcess id="sub">{inner}{loop}</subProcess>', "s -> sub")).start()
    assert play.at == ["a", "b", "b", "sub", "sub", "sub"]
    play.complete("b")  # of the first run, where nothing else is open
    assert play.at == ["a", "b", "sub", "sub"]
    play.complete("b")
    play.complete("a")
    assert play.empty


def test_parallel_flows_out_of_an_activity_follow_their_conditions_and_the_default() -> None:
    body = f'{START}<userTask id="u" default="u_d"/>' + "".join(map(task, "abcd"))
    source = bpmn(body, "s -> u\nu -> a if x > 1\nu -> b if x > 2\nu -> c\nu -> d")
    for x, way in [(3, ["a", "b", "c"]), (2, ["a", "c"]), (0, ["c", "d"])]:
        play = Play(source).start(x=x)
        play.complete("u")
        assert play.at == way


def test_an_activity_without_a_way_out_is_an_incident_after_it_and_only_its_leaving_is_tried_again() -> None:
    play = Play(bpmn(f"{START}{task('u')}{task('a')}{task('b')}", "s -> u\nu -> a if x = 1\nu -> b if x = 2")).start()
    play.complete("u")
    assert (play.incidents, play.at, play.tasks) == ([("u", "engine.no-flow")], ["u"], {})
    play.instances[0].vars["x"] = 2
    play.retry()
    assert (play.at, play.incidents, play.closed, list(play.jobs)) == (["b"], [], {"u": 1}, [])


EVENTS = bpmn(
    f'{START}<eventBasedGateway id="g"/><intermediateCatchEvent id="m"><messageEventDefinition messageRef="m_paid"/>'
    '</intermediateCatchEvent><intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    '</timerEventDefinition></intermediateCatchEvent><intermediateCatchEvent id="go"><signalEventDefinition'
    ' signalRef="s_go"/></intermediateCatchEvent><receiveTask id="r" messageRef="m_stop"/><endEvent id="e"/>',
    "s -> g\ng -> m\ng -> t\ng -> go\ng -> r\nm -> e\nt -> e\ngo -> e\nr -> e",
)


@pytest.mark.parametrize("first", ["m", "t", "go", "r"])
def test_an_event_based_gateway_goes_the_way_of_the_first_event_and_forgets_the_others(first: str) -> None:
    play = Play(EVENTS).start()
    assert (play.at, len(play.jobs)) == (["g"], 1)
    match first:
        case "m":
            play.send("paid", sum=3)
        case "t":
            play.later(hours=1)
        case "go":
            play.take(Broadcast(1, "go", {"sum": 3}))
        case "r":
            play.send("stop", sum=3)
    assert play.done == ["s", first, "e"]
    assert play.vars == ({} if first == "t" else {"sum": 3})
    assert play.empty


def test_an_event_based_gateway_takes_an_early_message_at_once() -> None:
    body = f"{START}{task('u')}" + EVENTS.decode().split(START)[1].split("<sequenceFlow")[0]
    play = Play(bpmn(body, "s -> u\nu -> g\ng -> m\ng -> t\ng -> go\ng -> r\nm -> e\nt -> e\ngo -> e\nr -> e")).start()
    play.send("stop")
    play.complete("u")
    assert play.done == ["s", "u", "r", "e"]
    assert play.empty
