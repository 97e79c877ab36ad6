"""Call activities, ad-hoc subprocesses, data mapping and lanes."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.kit import bpmn, flows
from tests.engine.play import ROOT, Play

from diaodu.engine.game.called import DEPTH_MAX
from diaodu.engine.model import Cancel, Done, Outcome, Retry

START = '<startEvent id="s"/>'


def mapped(*inputs: tuple[str, str], outputs: tuple[tuple[str, str], ...] = ()) -> str:
    text = "".join(f'<diaodu:input name="{n}" expression="{e}"/>' for n, e in inputs)
    text += "".join(f'<diaodu:output name="{n}" expression="{e}"/>' for n, e in outputs)
    return f"<extensionElements>{text}</extensionElements>"


# Call activities ------------------------------------------------------------------------------------------------

CALLED = bpmn(f'{START}<userTask id="w"/><endEvent id="e"/>', "s -> w\nw -> e", key="q")


def caller(mapping: str = "", attributes: str = 'calledElement="q"') -> bytes:
    return bpmn(
        f'{START}<callActivity id="c" {attributes}>{mapping}</callActivity><endEvent id="e"/>', "s -> c\nc -> e"
    )


def test_a_called_process_gets_and_gives_all_variables_when_none_are_mapped() -> None:
    play = Play(CALLED, caller()).start(key="order 7", n=1)
    assert (play.at, [i.business_key for i in play.instances]) == (["c", "w"], ["order 7"] * 2)
    child = play.instances[1]
    assert (child.parent_id, child.parent_token) == (play.instances[0].id, play.tokens("c")[0][1].id)
    play.complete("w", n=2, m=3)
    assert (play.vars, play.states, play.empty) == ({"n": 2, "m": 3}, ["ended", "ended"], True)


def test_a_mapping_says_what_goes_in_and_out() -> None:
    play = Play(CALLED, caller(mapped(("a", "n + 1"), ("b", "a + 1"), outputs=(("r", "m"),)))).start(n=1)
    assert play.instances[1].vars == {"a": 2, "b": 3}
    play.complete("w", m=9)
    assert play.vars == {"n": 1, "r": 9}


def test_the_newest_version_is_called_unless_one_is_pinned() -> None:
    newer = CALLED.replace(b'id="w"', b'id="x"').replace(b'"w"', b'"x"')
    assert Play(CALLED, newer, caller()).start().at == ["c", "x"]
    assert Play(CALLED, newer, caller("", 'calledElement="q" diaodu:version="1"')).start().at == ["c", "w"]
    assert Play(CALLED, newer, caller("", 'calledElement="= which"')).start(which="q").at == ["c", "x"]


def test_a_call_of_an_unknown_process_is_an_incident_that_ends_when_it_is_deployed() -> None:
    play = Play(caller()).start()
    assert (play.incidents, play.at) == ([("c", "engine.unknown-process")], ["c"])
    play.deployed.deploy(CALLED)
    play.retry()
    assert play.at == ["c", "w"]


def test_cancel_goes_down_and_a_cancelled_call_is_an_incident_of_its_caller() -> None:
    play = Play(CALLED, caller()).start()
    play.take(Cancel(ROOT, "p"))
    assert (play.states, play.closed, play.empty) == (["cancelled"] * 2, {"w": 1}, True)
    play = Play(CALLED, caller()).start()
    play.take(Cancel(ROOT, "q"))
    assert (play.states, play.incidents) == (["active", "cancelled"], [("c", "engine.called-cancelled")])
    play.retry()
    assert play.at == ["c", "w"]


def test_calls_without_end_are_an_incident() -> None:
    play = Play(bpmn(f'{START}<callActivity id="c" calledElement="p"/>', "s -> c")).start()
    assert (len(play.instances), play.incidents) == (DEPTH_MAX + 1, [("c", "engine.too-deep")])


# Ad-hoc subprocesses --------------------------------------------------------------------------------------------


def adhoc(attributes: str = "", condition: str = "", inner: str = "") -> bytes:
    text = f"<completionCondition>{condition}</completionCondition>" if condition else ""
    inner = inner or '<userTask id="a"/><userTask id="b"/><userTask id="c"/>' + flows("b -> c")
    return bpmn(
        f'{START}<adHocSubProcess id="h" {attributes}>{inner}{text}</adHocSubProcess><endEvent id="e"/>',
        "s -> h\nh -> e",
    )


def test_what_has_no_flow_in_is_enabled_at_once_and_the_subprocess_ends_with_the_last() -> None:
    play = Play(adhoc()).start()
    assert play.at == ["a", "b", "h"]
    play.complete("b")
    play.complete("a")
    assert play.at == ["c", "h"]
    play.complete("c")
    assert (play.done, play.empty) == (["s", "b", "a", "c", "h", "e"], True)


def test_a_sequential_one_enables_one_after_the_other() -> None:
    play = Play(adhoc('ordering="Sequential"')).start()
    for name in "abc":
        assert play.at == [name, "h"]
        play.complete(name)
    assert play.empty


@pytest.mark.parametrize("cancel", ["true", "false"])
def test_the_completion_condition_ends_it_or_lets_what_runs_come_to_its_end(cancel: str) -> None:
    play = Play(adhoc(f'cancelRemainingInstances="{cancel}"', "enough")).start()
    play.complete("a", enough=True)
    if cancel == "false":
        assert play.at == ["b", "h"]
        play.complete("b")
        play.complete("c")
    assert (play.done[-2:], play.empty) == (["h", "e"], True)
    assert play.closed == ({"a": 1, "b": 1} if cancel == "true" else {"a": 1, "b": 1, "c": 1})


def test_a_sequential_one_begins_nothing_more_when_its_condition_is_met() -> None:
    play = Play(adhoc('ordering="Sequential" cancelRemainingInstances="false"', "true")).start()
    play.complete("a")
    assert (play.done, play.empty) == (["s", "a", "h", "e"], True)


# Data -----------------------------------------------------------------------------------------------------------


def test_a_task_sees_its_inputs_and_only_its_outputs_go_out() -> None:
    task = f'<userTask id="u">{mapped(("x", "n + 1"), outputs=(("r", "x + got"),))}</userTask>'
    play = Play(bpmn(f"{START}{task}", "s -> u")).start(n=1)
    assert (play.seen("u"), play.vars) == ([{"n": 1, "x": 2}], {"n": 1})
    play.complete("u", got=10, other=5)
    assert (play.vars, play.empty) == ({"n": 1, "r": 12}, True)


def test_a_subprocess_has_variables_of_its_own_and_results_go_to_the_nearest_scope_that_has_the_name() -> None:
    inner = (
        '<startEvent id="i"/><scriptTask id="c" diaodu:result="x"><script>x + 1</script>'
        '</scriptTask><scriptTask id="d" diaodu:result="y"><script>x</script></scriptTask>'
        '<userTask id="u"/>'
    ) + flows("i -> c\nc -> d\nd -> u")
    sub = f'<subProcess id="sub">{mapped(("x", "n"), outputs=(("n", "x * 10"),))}{inner}</subProcess>'
    play = Play(bpmn(f'{START}{sub}<endEvent id="e"/>', "s -> sub\nsub -> e")).start(n=1)
    assert (play.seen("u"), play.vars) == ([{"n": 1, "x": 2, "y": 2}], {"n": 1, "y": 2})
    play.complete("u")
    assert play.vars == {"n": 20, "y": 2}


def test_the_data_objects_of_a_subprocess_are_its_own() -> None:
    inner = (
        '<dataObject id="d"/><dataObjectReference id="r" name="x" dataObjectRef="d"/><startEvent id="i"/>'
        '<userTask id="u"/><userTask id="w"/>'
    ) + flows("i -> u\nu -> w")
    play = Play(bpmn(f'{START}<subProcess id="sub">{inner}</subProcess><endEvent id="e"/>', "s -> sub\nsub -> e"))
    play.start(x=1)
    assert play.seen("u") == [{"x": None}]
    play.complete("u", x=2, y=3)
    assert (play.seen("w"), play.vars) == ([{"x": 2, "y": 3}], {"x": 1, "y": 3})


def test_the_standards_data_associations_map_as_well() -> None:
    body = (
        '<dataObject id="d"/><dataObjectReference id="order" name="order" dataObjectRef="d"/>'
        '<userTask id="u"><ioSpecification><dataInput id="di" name="in"/><dataOutput id="do" name="got"/>'
        "<inputSet/><outputSet/></ioSpecification><dataInputAssociation><sourceRef>order</sourceRef>"
        "<targetRef>di</targetRef></dataInputAssociation><dataInputAssociation><targetRef>di</targetRef><assignment>"
        "<from>order.sum + 1</from><to>sum</to></assignment></dataInputAssociation><dataOutputAssociation>"
        "<sourceRef>do</sourceRef><targetRef>order</targetRef></dataOutputAssociation></userTask>"
    )
    play = Play(bpmn(f"{START}{body}", "s -> u")).start(order={"sum": 1})
    assert play.seen("u") == [{"order": {"sum": 1}, "in": {"sum": 1}, "sum": 2}]
    play.complete("u", got=7)
    assert play.vars == {"order": 7}


def test_a_caught_event_maps_what_it_brings() -> None:
    event = (
        f'<intermediateCatchEvent id="m">'
        f'{mapped(outputs=(("sum", "amount * 2"),))}<messageEventDefinition messageRef="m_paid"/>'
        f"</intermediateCatchEvent>"
    )
    border = (
        f'<boundaryEvent id="b" attachedToRef="u" cancelActivity="false">'
        f'{mapped(outputs=(("why", "reason"),))}<messageEventDefinition messageRef="m_stop"/>'
        f"</boundaryEvent>"
    )
    play = Play(bpmn(f'{START}{event}<userTask id="u"/>{border}<endEvent id="e"/>', "s -> m\nm -> u\nb -> e")).start()
    play.send("paid", amount=4)
    play.send("stop", reason="late", more=1)
    assert play.vars == {"sum": 8, "why": "late"}


def test_a_message_is_thrown_by_a_service_with_what_is_mapped_for_it() -> None:
    seen: list[object] = []

    def mail(variables: Mapping[str, Any]) -> Done:
        seen.append(variables)
        return Done()

    throw = (
        f'<intermediateThrowEvent id="t" diaodu:type="mail">'
        f"{mapped(('to', 'who'))}<messageEventDefinition/></intermediateThrowEvent>"
        f'<endEvent id="e" diaodu:type="mail"><messageEventDefinition/></endEvent>'
    )
    play = Play(bpmn(f"{START}{throw}", "s -> t\nt -> e"), mail=mail).start(who="甲")
    assert (seen, play.done, play.empty) == ([{"who": "甲", "to": "甲"}, {"who": "甲"}], ["s", "t", "e"], True)


def test_a_service_that_is_tried_again_keeps_its_inputs_and_timers() -> None:
    answers: Iterator[Outcome] = iter([Retry("busy", timedelta(minutes=1)), Done({"r": 1})])
    task = (
        f'<serviceTask id="a" diaodu:type="check">{mapped(("x", "n"))}</serviceTask>'
        f'<boundaryEvent id="t" attachedToRef="a"><timerEventDefinition>'
        f"<timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>"
    )
    play = Play(bpmn(f"{START}{task}", "s -> a"), check=lambda _: next(answers)).start(n=5)
    assert (play.seen("a"), len(play.jobs)) == ([{"n": 5, "x": 5}], 2)
    play.later(minutes=1)
    assert (play.vars, play.empty) == ({"n": 5, "r": 1}, True)


def test_a_script_without_a_variable_gives_several() -> None:
    play = Play(bpmn(f'{START}<scriptTask id="c"><script>{{a: n + 1, b: "x"}}</script></scriptTask>', "s -> c")).start(
        n=1
    )
    assert play.vars == {"n": 1, "a": 2, "b": "x"}
    play = Play(bpmn(f'{START}<scriptTask id="c"><script>1</script></scriptTask>', "s -> c")).start()
    assert play.incidents == [("c", "engine.no-context")]


def test_a_node_knows_its_innermost_lane() -> None:
    lanes = (
        '<laneSet id="ls"><lane id="office"><flowNodeRef>s</flowNodeRef><flowNodeRef>u</flowNodeRef><childLaneSet>'
        '<lane id="desk"><flowNodeRef>u</flowNodeRef></lane></childLaneSet></lane></laneSet>'
    )
    play = Play(bpmn(f'{lanes}{START}<userTask id="u"/>', "s -> u"))
    process = play.deployed.newest("p")
    assert process is not None
    assert [(n.id, n.lane) for n in process.graph.nodes] == [("s", "office"), ("u", "desk"), ("p", "")]
