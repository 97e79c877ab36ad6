"""What deployment refuses, all at once and by element id, and what it keeps."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.engine.kit import Driver, Service, bpmn, flows

from diaodu.engine import commands, queries
from diaodu.engine.errors import ProcessNotExecutable
from diaodu.engine.parse import MAX_BYTES, parse
from diaodu.engine.ports import Advance, Handlers
from diaodu.kernel.db import Tx

BOUND = Handlers({"check": Service()}, {}, driver=Driver(lambda _: Advance(done=True)))
START = '<startEvent id="s"/>'


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
        ('<inclusiveGateway id="x"/>', "unsupported"),
        ('<callActivity id="x"/>', "unsupported"),
        ('<startEvent id="x"><conditionalEventDefinition/></startEvent>', "unsupported"),
        ('<intermediateCatchEvent id="x"/>', "unsupported"),
        ('<boundaryEvent id="x" attachedToRef="s"><compensateEventDefinition/></boundaryEvent>', "unsupported"),
        ('<task id="x" isForCompensation="true"/>', "unsupported"),
        ('<task id="x"><multiInstanceLoopCharacteristics/></task>', "unsupported"),
        ('<task id="x"><ioSpecification/></task>', "unsupported"),
        ('<task id="x" diaodu:typo="1"/>', "unsupported"),
        ('<subProcess id="x" triggeredByEvent="true"><startEvent id="i"/></subProcess>', "unsupported"),
        ('<other:task id="x"/>', "unsupported"),
        ('<serviceTask id="x"/>', "no-type"),
        ('<serviceTask id="x" diaodu:type="nobody"/>', "unbound-type"),
        ('<serviceTask id="x" diaodu:type="check" diaodu:settings="a"/>', "missing"),
        ('<businessRuleTask id="x" diaodu:decision="d"/>', "no-decisions"),
        ('<businessRuleTask id="x"/>', "missing"),
        ('<scriptTask id="x" diaodu:result="r"><script>1 +</script></scriptTask>', "bad-feel"),
        ('<scriptTask id="x"><script>1</script></scriptTask>', "missing"),
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
        ('<adHocSubProcess id="x"/>', "not-plan"),
        ('<endEvent id="x"><errorEventDefinition errorRef="nothing"/></endEvent>', "bad-reference"),
        ('<boundaryEvent id="x" attachedToRef="nobody"><errorEventDefinition/></boundaryEvent>', "bad-reference"),
        ('<exclusiveGateway id="x" default="nothing"/>', "bad-reference"),
    ],
)
def test_what_cannot_be_executed_is_refused_by_its_id(element: str, code: str) -> None:
    arrows = "" if element.startswith("<boundary") else "s -> x"
    assert ("x", code) in problems(bpmn(START + element, arrows))


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
        (lambda: bpmn('<startEvent id="s"/><startEvent id="t"/>'), ("p", "no-start")),
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


def test_a_source_is_kept_byte_by_byte_and_versioned_when_it_changes(tx: Tx) -> None:
    inner = flows("i -> u")
    one = bpmn(
        START + '<subProcess id="b"><extensionElements><other:x y="1"/></extensionElements>'
        f'<startEvent id="i"/><userTask id="u" diaodu:pool="= pool" other:z="1"/>{inner}</subProcess>',
        "s -> b",
    )
    two = one.replace(b'y="1"', b'y="2"')
    first, same, second = (commands.deploy(tx, source, BOUND) for source in (one, one, two))
    assert (first, same.version, second.version) == (same, 1, 2)
    assert (queries.get_bpmn(tx, first.id), queries.get_bpmn(tx, second.id)) == (one, two)


def test_a_refused_process_leaves_nothing_behind(tx: Tx) -> None:
    with pytest.raises(ProcessNotExecutable):
        commands.deploy(tx, bpmn('<startEvent id="s"/><complexGateway id="g"/>', "s -> g"), BOUND)
    assert tx.rows("select * from engine.definition") == []
