"""Activities done several times: multi-instance, in parallel and one by one, and standard loops."""

import pytest
from tests.engine.kit import bpmn, flows
from tests.engine.play import ROOT, Play

from diaodu.engine.game.loops import INSTANCES_MAX
from diaodu.engine.model import AddInstance, BusinessError, Done, RemoveInstance

START = '<startEvent id="s"/>'


def multi(attributes: str = "", parts: str = "", name: str = "u") -> str:
    return (
        f'<userTask id="{name}"><multiInstanceLoopCharacteristics {attributes}>'
        f"{parts}</multiInstanceLoopCharacteristics></userTask>"
    )


def process(activity: str, name: str = "u") -> bytes:
    return bpmn(f'{START}{activity}<endEvent id="e"/>', f"s -> {name}\n{name} -> e")


COLLECTION = 'diaodu:collection="items" diaodu:element="item" diaodu:output="out" diaodu:value="item + got"'
UNTIL = "<completionCondition>nrOfCompletedInstances = 2</completionCondition>"


def test_parallel_instances_run_at_once_each_with_its_item_and_give_a_list_in_order() -> None:
    play = Play(process(multi(COLLECTION))).start(items=[10, 20, 30])
    assert [(s.get("item"), s.get("loopCounter")) for s in play.seen("u")] == [(None, None), (10, 1), (20, 2), (30, 3)]
    holder = play.seen("u")[0]
    assert (holder["nrOfInstances"], holder["nrOfActiveInstances"], holder["nrOfCompletedInstances"]) == (3, 3, 0)
    last = max(play.tasks)
    play.send("task", str(last), got=3)
    play.complete("u", got=1)
    assert [s["nrOfCompletedInstances"] for s in play.seen("u")] == [2, 2]
    play.complete("u", got=2)
    assert (play.vars, play.done) == ({"items": [10, 20, 30], "out": [11, 22, 33]}, ["s", "u", "e"])
    assert play.told.count("turn.done") == 3
    assert play.empty


def test_sequential_instances_run_one_after_the_other() -> None:
    play = Play(process(multi(f'isSequential="true" {COLLECTION}'))).start(items=[1, 2])
    for n in (1, 2):
        assert len(play.tasks) == 1
        seen = play.seen("u")[-1]
        assert (seen["item"], seen["nrOfInstances"], seen["nrOfActiveInstances"]) == (n, 2, 1)
        play.complete("u", got=0)
    assert (play.vars["out"], play.empty) == ([1, 2], True)


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_the_completion_condition_takes_the_rest_back(sequential: str) -> None:
    play = Play(process(multi(f'isSequential="{sequential}" {COLLECTION}', UNTIL))).start(items=[1, 2, 3, 4])
    play.complete("u", got=0)
    play.complete("u", got=0)
    assert (play.vars["out"], play.done, play.empty) == ([1, 2], ["s", "u", "e"], True)
    assert play.closed["u"] == (2 if sequential == "true" else 4)


@pytest.mark.parametrize(("count", "turns"), [("0", 0), ("n + 1", 3)])
def test_a_cardinality_says_how_many(count: str, turns: int) -> None:
    play = Play(process(multi(parts=f"<loopCardinality>{count}</loopCardinality>"))).start(n=2)
    assert len(play.tasks) == turns
    for _ in range(turns):
        play.complete("u")
    assert (play.done, play.empty) == (["s", "u", "e"], True)


@pytest.mark.parametrize(
    ("expression", "code"),
    [("null", "no-number"), ("-1", "too-many-instances"), (str(INSTANCES_MAX + 1), "too-many-instances")],
)
def test_a_number_of_instances_that_cannot_be_is_an_incident(expression: str, code: str) -> None:
    play = Play(process(multi(parts=f"<loopCardinality>{expression}</loopCardinality>"))).start()
    assert (play.incidents, play.tasks) == ([("u", f"engine.{code}")], {})


def test_a_collection_that_is_no_list_is_an_incident_that_can_be_mended() -> None:
    play = Play(process(multi(COLLECTION))).start(items=5)
    assert play.incidents == [("u", "engine.no-collection")]
    play.instances[0].vars["items"] = [1]
    play.retry()
    assert (play.incidents, len(play.tasks)) == ([], 1)


def test_the_standards_own_names_for_collection_items_and_results_work() -> None:
    data = (
        '<dataObject id="d1"/><dataObjectReference id="in" name="items" dataObjectRef="d1"/>'
        '<dataObject id="d2"/><dataObjectReference id="out" name="all results" dataObjectRef="d2"/>'
    )
    parts = (
        "<loopDataInputRef>in</loopDataInputRef><loopDataOutputRef>out</loopDataOutputRef>"
        '<inputDataItem id="x1" name="item"/><outputDataItem id="x2" name="got"/>'
    )
    play = Play(process(data + multi(parts=parts))).start(items=[1, 2])
    play.complete("u", got="a")
    play.complete("u", got="b")
    assert play.vars == {"items": [1, 2], "all results": ["a", "b"]}


def test_instances_are_added_and_taken_back_while_others_run() -> None:
    play = Play(process(multi(COLLECTION))).start(items=[1, 2])
    holder, first, _ = (t.id for _, t in play.tokens("u"))
    play.take(AddInstance(ROOT, holder, 3), RemoveInstance(ROOT, first))
    assert [(s.get("item"), s["nrOfInstances"], s["nrOfActiveInstances"]) for s in play.seen("u")] == [
        (None, 2, 2), (2, 2, 2), (3, 2, 2),
    ]  # fmt: skip
    play.complete("u", got=0)
    play.complete("u", got=0)
    assert (play.vars["out"], play.closed, play.empty) == ([2, 3], {"u": 3}, True)
    # what comes too late is nothing
    before = list(play.history)
    play.take(AddInstance(ROOT, holder, 4), RemoveInstance(ROOT, first))
    assert play.history == before


def test_taking_back_the_last_instance_ends_the_activity_and_adding_one_to_a_sequential_comes_at_the_end() -> None:
    play = Play(process(multi(COLLECTION))).start(items=[1])
    play.take(RemoveInstance(ROOT, play.tokens("u")[1][1].id))
    assert (play.vars["out"], play.done, play.empty) == ([], ["s", "u", "e"], True)
    play = Play(process(multi(f'isSequential="true" {COLLECTION}'))).start(items=[1])
    play.take(AddInstance(ROOT, play.tokens("u")[0][1].id, 2))
    assert len(play.tasks) == 1
    play.complete("u", got=0)
    play.complete("u", got=0)
    assert play.vars["out"] == [1, 2]


def test_a_boundary_event_belongs_to_the_whole_activity() -> None:
    event = '<boundaryEvent id="b" attachedToRef="u"><messageEventDefinition messageRef="m_stop"/></boundaryEvent>'
    play = Play(process(multi(COLLECTION) + event)).start(items=[1, 2, 3])
    play.complete("u", got=0)
    play.send("stop")
    assert (play.done, play.closed, play.empty) == (["s", "b"], {"u": 3}, True)
    assert "out" not in play.vars


def test_an_error_of_one_instance_ends_them_all() -> None:
    loop = '<multiInstanceLoopCharacteristics diaodu:collection="[1, 2]" diaodu:element="item"/>'
    service = f'<serviceTask id="a" diaodu:type="check">{loop}</serviceTask>'
    event = '<boundaryEvent id="b" attachedToRef="a"><errorEventDefinition errorRef="e_bad"/></boundaryEvent>'
    play = Play(
        process(service + event, "a"), check=lambda seen: BusinessError("BAD", "") if seen["item"] == 2 else None
    ).start()
    assert (play.done, play.empty) == (["s", "b"], True)


def test_a_subprocess_runs_for_each_item_with_variables_of_its_own() -> None:
    inner = (
        f'<startEvent id="i"/><scriptTask id="c" diaodu:result="item"><script>item * 2</script>'
        f'</scriptTask><userTask id="u"/>{flows("i -> c" + chr(10) + "c -> u")}'
    )
    loop = (
        '<multiInstanceLoopCharacteristics diaodu:collection="[1, 2]" diaodu:element="item" diaodu:output="out"'
        ' diaodu:value="item"/>'
    )
    play = Play(process(f'<subProcess id="sub">{inner}{loop}</subProcess>', "sub")).start(item=0)
    assert [s["item"] for s in play.seen("u")] == [2, 4]
    play.complete("u")
    assert play.at == ["sub", "sub", "u"]
    play.complete("u")
    assert (play.vars, play.done[-2:], play.empty) == ({"item": 0, "out": [2, 4]}, ["sub", "e"], True)


def test_what_the_turns_of_a_subprocess_give_is_kept_apart() -> None:
    inner = '<startEvent id="i"/><userTask id="u"/><userTask id="w"/>' + flows("i -> u\nu -> w")
    loop = '<multiInstanceLoopCharacteristics diaodu:collection="[1, 2]" diaodu:output="out" diaodu:value="got"/>'
    play = Play(process(f'<subProcess id="sub">{inner}{loop}</subProcess>', "sub")).start()
    play.complete("u", got="x")
    play.complete("u", got="y")
    play.complete("w")
    play.complete("w")
    assert play.vars == {"out": ["x", "y"]}


def test_a_call_activity_runs_for_each_item() -> None:
    called = bpmn(f'{START}<userTask id="w"/>', "s -> w", key="q")
    loop = (
        '<multiInstanceLoopCharacteristics diaodu:collection="[1, 2]" diaodu:element="item" diaodu:output="out"'
        ' diaodu:value="got"/>'
    )
    play = Play(called, process(f'<callActivity id="c" calledElement="q">{loop}</callActivity>', "c")).start()
    assert [s["item"] for s in play.seen("w")] == [1, 2]
    play.complete("w", got="x")
    play.complete("w", got="y")
    assert (play.vars, play.states, play.empty) == ({"out": ["x", "y"]}, ["ended"] * 3, True)


def test_the_variables_of_a_turn_end_with_it() -> None:
    called = bpmn(f'{START}<userTask id="w"/>', "s -> w", key="q")
    loop = '<multiInstanceLoopCharacteristics diaodu:collection="[1, 2]" diaodu:element="item"/>'
    play = Play(called, process(f'<callActivity id="c" calledElement="q">{loop}</callActivity>', "c")).start(n=1)
    play.complete("w", n=2)
    play.complete("w", item=9)
    assert (play.vars, play.empty) == ({"n": 1}, True)
    play = Play(process(multi('diaodu:collection="[1]" diaodu:element="item"'))).start()
    play.complete("u", item=9, other=1)
    assert play.vars == {"other": 1}


# Standard loops -------------------------------------------------------------------------------------------------


def loop(attributes: str, condition: str = "n &lt; 3") -> bytes:
    text = f"<loopCondition>{condition}</loopCondition>" if condition else ""
    return process(
        f'<userTask id="u"><standardLoopCharacteristics {attributes}>{text}</standardLoopCharacteristics></userTask>'
    )


@pytest.mark.parametrize(
    ("attributes", "condition", "n", "turns"),
    [
        ('testBefore="true"', "n &lt; 3", 0, 3),
        ('testBefore="true"', "n &lt; 3", 3, 0),
        ("", "n &lt; 3", 3, 1),
        ("", "n &lt; 3", 1, 2),
        ('loopMaximum="2"', "n &lt; 9", 0, 2),
        ('loopMaximum="2"', "", 0, 2),
        ('testBefore="true" loopMaximum="0"', "true", 0, 0),
        ("", "loopCounter &lt; 2", 0, 2),
    ],
)
def test_a_standard_loop_goes_on_while_its_condition_holds_and_its_maximum_allows(
    attributes: str, condition: str, n: int, turns: int
) -> None:
    play = Play(loop(attributes, condition)).start(n=n)
    for turn in range(turns):
        assert play.seen("u")[-1]["loopCounter"] == turn + 1
        play.complete("u", n=n + turn + 1)
    assert (play.done, play.told.count("turn.done"), play.empty) == (["s", "u", "e"], turns, True)


def test_a_service_is_called_once_for_each_instance_at_the_same_time() -> None:
    batches: list[int] = []

    def check(seen: object) -> Done:
        batches.append(1)
        return Done()

    service = (
        '<serviceTask id="a" diaodu:type="check"><multiInstanceLoopCharacteristics>'
        "<loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></serviceTask>"
    )
    play = Play(process(service, "a"), check=check).start()
    assert (len(batches), play.empty) == (3, True)
