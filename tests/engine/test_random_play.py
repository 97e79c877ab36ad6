"""Whatever happens in whatever order: what is held outside of the tokens is held by exactly one of them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.kit import bpmn, flows
from tests.engine.play import ROOT, Play

from diaodu.engine.instance import ACTIVE
from diaodu.engine.model import AddInstance, Broadcast, BusinessError, Cancel, Done, Outcome, RemoveInstance

TIMER = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
CYCLE = "<timerEventDefinition><timeCycle>R3/PT40M</timeCycle></timerEventDefinition>"
MESSAGE = '<messageEventDefinition messageRef="m_stop"/>'
SIGNAL = '<signalEventDefinition signalRef="s_go"/>'
LOOP = '<multiInstanceLoopCharacteristics diaodu:collection="[1, 2, 3]" diaodu:element="item"/>'

CALLED = bpmn(
    '<startEvent id="s"/><userTask id="w"/><exclusiveGateway id="g" default="g_e"/><endEvent id="e"/>'
    '<endEvent id="x"><errorEventDefinition errorRef="e_bad"/></endEvent>'
    f'<boundaryEvent id="b" attachedToRef="w">{TIMER}</boundaryEvent>',
    "s -> w\nw -> g\ng -> e\ng -> x if bad\nb -> e",
    key="q",
)
INNER = (
    f'<startEvent id="i"/><inclusiveGateway id="o"/><userTask id="a">{LOOP}</userTask><userTask id="c"/>'
    '<inclusiveGateway id="k"/><endEvent id="z"/>'
    f'<boundaryEvent id="n" attachedToRef="c" cancelActivity="false">{CYCLE}</boundaryEvent>'
    f'<subProcess id="esp" triggeredByEvent="true"><startEvent id="h" isInterrupting="false">{SIGNAL}</startEvent>'
    f'<userTask id="t"/>{flows("h -> t")}</subProcess>'
    + flows("i -> o\no -> a\no -> c if both\na -> k\nc -> k\nk -> z")
)
SOURCE = bpmn(
    '<startEvent id="s"/><parallelGateway id="f"/><callActivity id="call" calledElement="q"/><parallelGateway id="j"/>'
    f'<subProcess id="sub">{INNER}</subProcess><eventBasedGateway id="ev"/><serviceTask id="svc" diaodu:type="svc"/>'
    f'<intermediateCatchEvent id="m">{MESSAGE}</intermediateCatchEvent><endEvent id="e"/>'
    f'<intermediateCatchEvent id="late">{TIMER}</intermediateCatchEvent><exclusiveGateway id="y"/>'
    f'<boundaryEvent id="bs" attachedToRef="sub">{MESSAGE}</boundaryEvent>'
    '<boundaryEvent id="bc" attachedToRef="call"><errorEventDefinition errorRef="e_bad"/></boundaryEvent>'
    '<exclusiveGateway id="js"/><exclusiveGateway id="jc"/>',
    "s -> f\nf -> call\nf -> sub\nf -> ev\nev -> m\nev -> late\nm -> y\nlate -> y\ny -> svc\nsvc -> j\n"
    "call -> jc\nbc -> jc\njc -> j\nsub -> js\nbs -> js\njs -> j\nj -> e",
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["w", "a", "c", "t", "stop", "go", "hour", "retry", "add", "remove"]),
        st.booleans(),
    ),
    max_size=25,
)


def service(seen: object) -> Outcome:
    return BusinessError("BAD", "") if isinstance(seen, dict) and seen.get("bad") else Done()


def act(play: Play, what: str, *, flag: bool) -> None:
    match what:
        case "w" | "a" | "c" | "t":
            if what in play.tasks.values():
                play.complete(what, bad=flag)
        case "stop":
            play.send("stop")
        case "go":
            play.take(Broadcast(ROOT, "go"))
        case "hour":
            play.later(minutes=60 if flag else 20)
        case "retry":
            play.retry()
        case _:
            for _, token in play.tokens("a")[:1] if flag else play.tokens("a")[-1:]:
                play.take(AddInstance(ROOT, token.id, 9) if what == "add" else RemoveInstance(ROOT, token.id))


def whole(play: Play) -> None:
    """Every timer, task and failed job is held by one token, every scope and every call by a token that is there."""
    active = [i for i in play.instances if i.state == ACTIVE]
    tokens = [(i, t) for i in active for t in i.tokens.values()]
    held = [job for _, t in tokens for _, job in t.timers] + [t.job for _, t in tokens if t.job is not None]
    assert sorted(held) == sorted(play.jobs)
    assert sorted(t.task for _, t in tokens if t.task is not None) == sorted(play.tasks)
    for instance, token in tokens:
        assert token.scope <= 0 or token.scope in instance.tokens
        kind = instance.node(token).id
        assert kind not in ("sub", "esp") or instance.inside(token.id)
        assert kind != "call" or token.job or any(i.parent_token == token.id for i in active)
    for instance in active:
        assert instance.tokens
        assert instance.parent_id is None or any(i.id == instance.parent_id for i in active)
    assert all(not i.tokens and not i.early for i in play.instances if i.state != ACTIVE)


@settings(max_examples=150, deadline=None)
@given(both=st.booleans(), steps=STEPS)
def test_nothing_is_held_by_nobody_and_cancelling_leaves_nothing(*, both: bool, steps: list[tuple[str, bool]]) -> None:
    play = Play(CALLED, SOURCE, svc=service).start(both=both)
    whole(play)
    for what, flag in steps:
        act(play, what, flag=flag)
        whole(play)
    play.take(Cancel(ROOT, "p"))
    play.incidents.clear()
    assert play.empty
