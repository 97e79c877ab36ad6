"""What deployment refuses, all at once and by element id, and what it keeps."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.engine.kit import Driver, Service, bpmn, flows
from tests.engine.play import Unasked

from diaodu.engine import commands
from diaodu.engine.errors import ProcessNotExecutable
from diaodu.engine.parse import MAX_BYTES, parse
from diaodu.engine.ports import Advance, Handlers
from diaodu.kernel.db import Tx

BOUND = Handlers({"check": Service()}, {}, driver=Driver(lambda _: Advance(done=True)))
BOUND_LOOSELY = Handlers({"a": Service()}, {}, decisions=Unasked(), lenient=True)
START = '<startEvent id="s"/>'
MESSAGE = '<messageEventDefinition messageRef="m_paid"/>'
THREE = "<loopCardinality>3</loopCardinality>"
INPUT = '<diaodu:input name="a" expression="1"/>'


def problems(source: bytes, handlers: Handlers = BOUND) -> set[tuple[str, str]]:
    with pytest.raises(ProcessNotExecutable) as caught:
        parse(source, handlers)
    refused = caught.value
    for problem in refused.problems:
        assert problem.element in refused.message("zh")
        assert problem.message("en") in refused.message("en")
    return {(p.element, p.code) for p in refused.problems}


@pytest.mark.parametrize(
    ("element", "code"),
    [
        ('<transaction id="x"/>', "unsupported"),
        ('<complexGateway id="x"/>', "unsupported"),
        ('<startEvent id="x"><conditionalEventDefinition/></startEvent>', "unsupported"),
        ('<intermediateCatchEvent id="x"/>', "unsupported"),
        ('<intermediateThrowEvent id="x"><compensateEventDefinition/></intermediateThrowEvent>', "unsupported"),
        ('<endEvent id="x"><cancelEventDefinition/></endEvent>', "unsupported"),
        ('<boundaryEvent id="x" attachedToRef="s"><compensateEventDefinition/></boundaryEvent>', "unsupported"),
        ('<boundaryEvent id="x" attachedToRef="s"><conditionalEventDefinition/></boundaryEvent>', "unsupported"),
        ('<userTask id="x"><potentialOwner/></userTask>', "unsupported"),
        ('<receiveTask id="x" messageRef="m_paid"><messageEventDefinition/></receiveTask>', "unsupported"),
        (f'<startEvent id="x">{MESSAGE}{MESSAGE}</startEvent>', "unsupported"),
        ('<task id="x" isForCompensation="true"/>', "unsupported-attribute"),
        ('<task id="x" startQuantity="2"/>', "unsupported-attribute"),
        ('<task id="x" made="up"/>', "unsupported-attribute"),
        ('<task id="x" diaodu:typo="1"/>', "unsupported-attribute"),
        ('<serviceTask id="x" diaodu:type="check" diaodu:pool="1"/>', "unsupported-attribute"),
        ('<serviceTask id="x" diaodu:type="check" implementation="java"/>', "unsupported-attribute"),
        ('<receiveTask id="x" messageRef="m_paid" instantiate="true"/>', "unsupported-attribute"),
        ('<eventBasedGateway id="x" instantiate="true"/>', "unsupported-attribute"),
        ('<eventBasedGateway id="x" eventGatewayType="Parallel"/>', "unsupported-attribute"),
        (
            f'<intermediateCatchEvent id="x" parallelMultiple="true">{MESSAGE}</intermediateCatchEvent>',
            "unsupported-attribute",
        ),
        ('<scriptTask id="x" scriptFormat="javascript"><script>1</script></scriptTask>', "unsupported-attribute"),
        ('<adHocSubProcess id="x" diaodu:plan="true" ordering="Parallel"/>', "unsupported-attribute"),
        ('<task id="x"><multiInstanceLoopCharacteristics/></task>', "missing"),
        (
            (
                f'<task id="x"><multiInstanceLoopCharacteristics behavior="None">'
                f"{THREE}</multiInstanceLoopCharacteristics></task>"
            ),
            "unsupported-attribute",
        ),
        (
            (
                f'<task id="x"><multiInstanceLoopCharacteristics diaodu:output="o">'
                f"{THREE}</multiInstanceLoopCharacteristics></task>"
            ),
            "missing",
        ),
        (
            (
                f'<task id="x"><multiInstanceLoopCharacteristics>{THREE}<complexBehaviorDefinition/>'
                "</multiInstanceLoopCharacteristics></task>"
            ),
            "unsupported",
        ),
        ('<task id="x"><standardLoopCharacteristics/></task>', "missing"),
        ('<task id="x"><standardLoopCharacteristics loopMaximum="many"/></task>', "bad-value"),
        ('<task id="x"><ioSpecification><secret/></ioSpecification></task>', "unsupported"),
        ('<task id="x"><dataInputAssociation><transformation/></dataInputAssociation></task>', "unsupported"),
        ('<task id="x"><extensionElements><diaodu:typo/></extensionElements></task>', "unsupported"),
        ('<task id="x"><extensionElements><diaodu:input name="a"/></extensionElements></task>', "missing"),
        (
            '<task id="x"><extensionElements><diaodu:input name="a" expression="1 +"/></extensionElements></task>',
            "bad-feel",
        ),
        (f'<startEvent id="x"><extensionElements>{INPUT}</extensionElements></startEvent>', "unsupported"),
        (
            (
                '<exclusiveGateway id="x">'
                '<extensionElements><diaodu:output name="a" expression="1"/></extensionElements>'
                "</exclusiveGateway>"
            ),
            "unsupported",
        ),
        ('<callActivity id="x"/>', "missing"),
        ('<callActivity id="x" calledElement="q" diaodu:version="new"/>', "bad-value"),
        ('<subProcess id="b" triggeredByEvent="true"><startEvent id="x"/></subProcess>', "wrong-start"),
        (f'<subProcess id="b"><startEvent id="x">{MESSAGE}</startEvent></subProcess>', "wrong-start"),
        (
            (
                '<subProcess id="b" triggeredByEvent="true"><startEvent id="x" isInterrupting="false">'
                "<errorEventDefinition/>"
                "</startEvent></subProcess>"
            ),
            "wrong-start",
        ),
        ('<startEvent id="x"><errorEventDefinition/></startEvent>', "wrong-start"),
        (f'<startEvent id="y">{MESSAGE}</startEvent><startEvent id="x">{MESSAGE}</startEvent>', "double-start"),
        ('<adHocSubProcess id="b"><startEvent id="x"/></adHocSubProcess>', "in-adhoc"),
        ('<adHocSubProcess id="x"/>', "missing"),
        ('<adHocSubProcess id="x" diaodu:plan="no"/>', "not-plan"),
        (
            (
                '<adHocSubProcess id="b"><task id="t"/><subProcess id="x" triggeredByEvent="true"><startEvent id="i">'
                f"{MESSAGE}</startEvent></subProcess></adHocSubProcess>"
            ),
            "unsupported",
        ),
        (
            '<boundaryEvent id="x" attachedToRef="s" cancelActivity="false"><errorEventDefinition/></boundaryEvent>',
            "bad-reference",
        ),
        (
            (
                '<task id="t"/><boundaryEvent id="x" attachedToRef="t" cancelActivity="false"><errorEventDefinition/>'
                "</boundaryEvent>"
            ),
            "unsupported-attribute",
        ),
        (
            (
                f'<intermediateCatchEvent id="c">{MESSAGE}</intermediateCatchEvent>'
                '<boundaryEvent id="x" attachedToRef="c"><errorEventDefinition/></boundaryEvent>'
            ),
            "bad-host",
        ),
        (
            (
                '<adHocSubProcess id="b" diaodu:plan="true"><userTask id="x" diaodu:kind="k">'
                f"<multiInstanceLoopCharacteristics>{THREE}</multiInstanceLoopCharacteristics></userTask>"
                "</adHocSubProcess>"
            ),
            "unsupported",
        ),
        ('<intermediateThrowEvent id="x"><linkEventDefinition name="A"/></intermediateThrowEvent>', "bad-link"),
        ('<intermediateCatchEvent id="x"><linkEventDefinition name="A"/></intermediateCatchEvent>', "bad-link"),
        ('<intermediateThrowEvent id="x"><signalEventDefinition/></intermediateThrowEvent>', "bad-reference"),
        ('<intermediateThrowEvent id="x"><escalationEventDefinition/></intermediateThrowEvent>', "bad-reference"),
        ('<intermediateThrowEvent id="x"><messageEventDefinition/></intermediateThrowEvent>', "no-type"),
        (
            (
                '<intermediateCatchEvent id="x">'
                "<timerEventDefinition><timeCycle>R/PT1H</timeCycle></timerEventDefinition>"
                "</intermediateCatchEvent>"
            ),
            "unsupported",
        ),
        (
            (
                '<startEvent id="x"><timerEventDefinition><timeCycle>R/often</timeCycle>'
                "</timerEventDefinition></startEvent>"
            ),
            "bad-timer",
        ),
        (
            (
                '<startEvent id="x" diaodu:calendar="c"><timerEventDefinition><timeDate>2026-01-01</timeDate>'
                "</timerEventDefinition></startEvent>"
            ),
            "unsupported-attribute",
        ),
        (
            (
                '<intermediateCatchEvent id="x" diaodu:calendar="c">'
                "<timerEventDefinition><timeDuration>PT1H</timeDuration>"
                "</timerEventDefinition></intermediateCatchEvent>"
            ),
            "no-calendar",
        ),
        ('<other:task id="x"/>', "unsupported"),
        ('<serviceTask id="x"/>', "no-type"),
        ('<serviceTask id="x" diaodu:type="nobody"/>', "unbound-type"),
        ('<serviceTask id="x" diaodu:type="check" diaodu:settings="a"/>', "missing"),
        ('<businessRuleTask id="x" diaodu:decision="d"/>', "no-decisions"),
        ('<businessRuleTask id="x"/>', "missing"),
        ('<scriptTask id="x" diaodu:result="r"><script>1 +</script></scriptTask>', "bad-feel"),
        ('<userTask id="x"/>', "missing"),
        ('<userTask id="x" diaodu:pool="people"/>', "bad-value"),
        ('<userTask id="x" diaodu:pool="1" diaodu:due="soon"/>', "bad-timer"),
        ('<receiveTask id="x" messageRef="nothing"/>', "bad-reference"),
        ('<receiveTask id="x" messageRef="m_paid" diaodu:key="a b c ("/>', "bad-feel"),
        (
            '<intermediateCatchEvent id="x"><timerEventDefinition id="y"/></intermediateCatchEvent>',
            "missing",
        ),
        ('<subProcess id="x"/>', "no-start"),
        ('<endEvent id="x"><errorEventDefinition errorRef="nothing"/></endEvent>', "bad-reference"),
        ('<boundaryEvent id="x" attachedToRef="nobody"><errorEventDefinition/></boundaryEvent>', "bad-reference"),
        ('<exclusiveGateway id="x" default="nothing"/>', "bad-reference"),
    ],
)
def test_what_cannot_be_executed_is_refused_by_its_id(element: str, code: str) -> None:
    assert ("x", code) in problems(bpmn(START + element))
    if element.partition(">")[0].count('id="x"') and not element.startswith(("<boundary", "<startEvent")):
        assert ("x", code) in problems(bpmn(START + element, "s -> x"))


def test_an_event_based_gateway_is_followed_by_events_only() -> None:
    body = (
        f'{START}<eventBasedGateway id="g"/><task id="a"/><intermediateCatchEvent id="m">{MESSAGE}'
        '</intermediateCatchEvent><receiveTask id="r" messageRef="m_stop"/><boundaryEvent id="b" attachedToRef="r">'
        "<errorEventDefinition/></boundaryEvent>"
    )
    assert problems(bpmn(body, "s -> g\ng -> a\ng -> m\ng -> r\na -> m")) == {("g", "bad-target")}


def test_a_condition_leaves_a_gateway_or_an_activity_only() -> None:
    body = f'{START}<userTask id="u" diaodu:pool="1"/><parallelGateway id="f"/><task id="a"/>'
    assert problems(bpmn(body, "s -> u if x\nu -> f if x\nf -> a if x")) == {
        ("s", "stray-condition"),
        ("f", "stray-condition"),
    }


def test_what_lenient_handlers_take_without_a_name_others_refuse() -> None:
    body = f'{START}<serviceTask id="a"/><userTask id="u"/><businessRuleTask id="r"/>'
    source = bpmn(body, "s -> a\na -> u\nu -> r")
    assert problems(source) >= {("a", "no-type"), ("u", "missing"), ("r", "missing")}
    graph = parse(source, BOUND_LOOSELY)
    assert [(n.type, n.pool) for n in graph.nodes[1:4]] == [("a", ""), ("", "0"), ("r", "")]


def test_several_processes_of_a_file_are_deployed_together_and_empty_partners_left_out(tx: Tx) -> None:
    one = bpmn(START, key="one").decode()
    more = '<process id="two"><startEvent id="z"/></process><process id="partner"/></definitions>'
    source = one.replace("</definitions>", more).encode()
    assert [(d.key, d.version) for d in commands.deploy_all(tx, source, BOUND)] == [("one", 1), ("two", 1)]
    assert problems(source) == {("definitions", "no-process")}


def test_everything_is_found_at_once() -> None:
    body = (
        '<startEvent id="s"/><task id="a"/><task id="island"/><task id="loop1"/><task id="loop2"/>'
        '<exclusiveGateway id="g"/><serviceTask id="svc"/><task id="z"/>'
    )
    arrows = (
        "s -> a if x\n a -> g\n g -> svc\n g -> loop1 if y >\n g -> z if y\n loop1 -> loop2\n loop2 -> loop1\n z -> s"
    )
    assert problems(bpmn(body, arrows)) == {
        ("s", "stray-condition"),
        ("s", "into-start"),
        ("island", "unreachable"),
        ("loop1", "dead"),
        ("loop2", "dead"),
        ("g", "no-condition"),
        ("g_loop1", "bad-feel"),
        ("svc", "no-type"),
    }


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", "xml"),
        (b"<a", "xml"),
        (b"<definitions/>", "xml"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><definitions/>', "doctype"),
        (bpmn("") + b" " * MAX_BYTES, "too-large"),
        (bpmn(START).replace(b"process", b"collaboration"), "no-process"),
        (b"<a>" * 100_000, "xml"),
    ],
)
def test_a_file_that_is_no_process_is_refused(source: bytes, code: str) -> None:
    assert problems(source) == {("definitions", code)}


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: bpmn('<task id="a"/>'), ("p", "no-start")),
        (lambda: bpmn('<startEvent id="s"/><startEvent id="t"/>'), ("p", "many-starts")),
        (lambda: bpmn('<startEvent id="s"/><task/>'), ("task", "no-id")),
        (lambda: bpmn('<startEvent id="s"/><task id="s"/>'), ("s", "double-id")),
        (lambda: bpmn(START + '<subProcess id="b"><startEvent id="i"/></subProcess>', "s -> i"), ("s", "crossing")),
    ],
)
def test_a_broken_structure_is_refused(make: Callable[[], bytes], problem: tuple[str, str]) -> None:
    assert problem in problems(make())


RICH = bpmn(
    START
    + f'<subProcess id="b"><startEvent id="i"/><userTask id="u" diaodu:pool="= pool"/>{flows("i -> u")}</subProcess>'
    + '<boundaryEvent id="t" attachedToRef="b"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    + '</timerEventDefinition></boundaryEvent><exclusiveGateway id="g" default="g_v"/>'
    + '<serviceTask id="v" diaodu:type="check" diaodu:settings="a=1"/>'
    + '<scriptTask id="c" diaodu:result="r"><script>1 + 1</script></scriptTask>'
    + '<receiveTask id="m" messageRef="m_paid"/>'
    + '<adHocSubProcess id="h" diaodu:plan="true"><serviceTask id="k" diaodu:type="check" diaodu:kind="x"/>'
    + '</adHocSubProcess><endEvent id="x"><errorEventDefinition errorRef="e_bad"/></endEvent>',
    "s -> b\n b -> g\n g -> v\n g -> c if 1 > 2\n c -> m\n m -> h\n t -> x",
)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_compiled_and_never_a_crash(data: st.DataObject) -> None:
    root = etree.fromstring(RICH)
    for _ in range(data.draw(st.integers(1, 4))):
        element = data.draw(st.sampled_from(list(root.iterdescendants())))
        _damage(data, root, element)
    try:
        graph = parse(etree.tostring(root), BOUND)
    except ProcessNotExecutable:
        return
    assert graph.entry >= 0


def _damage(data: st.DataObject, root: Any, element: Any) -> None:
    match data.draw(st.sampled_from(["drop", "attribute", "swap", "move", "double"])):
        case "drop":
            element.getparent().remove(element)
        case "attribute" if element.attrib:
            del element.attrib[data.draw(st.sampled_from(sorted(element.attrib)))]
        case "swap" if element.attrib:
            name = data.draw(st.sampled_from(sorted(element.attrib)))
            element.set(name, data.draw(st.sampled_from(["", "s", "b", "h", "i", "g", "t", "1", "=", "e_bad"])))
        case "move":
            target = data.draw(st.sampled_from(list(root.iter())))
            if element not in target.iterancestors() and target is not element:
                target.append(element)
        case "double":
            element.getparent().append(copy.deepcopy(element))


STAGE = '<adHocSubProcess id="stage" diaodu:plan="true">{}</adHocSubProcess>'


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        ('<serviceTask id="a" diaodu:type="check"/>', ("a", "no-kind")),
        (
            '<serviceTask id="a" diaodu:type="check" diaodu:kind="k"/><userTask id="b" diaodu:kind="j k"/>',
            ("b", "double-kind"),
        ),
    ],
)
def test_each_kind_of_work_is_drawn_once_in_a_stage(inner: str, problem: tuple[str, str]) -> None:
    assert problems(bpmn(START + STAGE.format(inner), "s -> stage")) == {problem}


def test_an_execution_process_has_exactly_one_stage() -> None:
    two = STAGE.format("") + STAGE.format("").replace("stage", "other")
    assert problems(bpmn(START + two, "s -> stage\n stage -> other")) == {("p", "stage-count")}
    assert problems(bpmn(START, attributes='diaodu:class="execution"')) == {("p", "stage-count")}
    assert problems(bpmn(START + STAGE.format(""), "s -> stage"), Handlers({}, {})) == {("stage", "no-driver")}
