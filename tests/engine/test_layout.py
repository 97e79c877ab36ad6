"""A process without a diagram gets one in its export; the source stays byte by byte as it is."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.engine.kit import bpmn, flows

from diaodu.engine import layout_plain
from diaodu.engine.layout import LAID_OUT_MAX, with_diagram
from diaodu.engine.layout_plain import BPMN, BPMNDI, DC
from diaodu.engine.parse import parse
from diaodu.engine.ports import Handlers

OPEN = Handlers({}, {}, lenient=True)


def drawn(bpmn: bytes) -> dict[str, Any]:
    """The shapes and edges of a file, by the id of what they show."""
    root = etree.fromstring(bpmn)
    return {str(e.get("bpmnElement")): e for e in root.iter(BPMNDI + "BPMNShape", BPMNDI + "BPMNEdge")}


def things(bpmn: bytes) -> set[str]:
    """The ids of all nodes and flows."""
    process = etree.fromstring(bpmn).find(BPMN + "process")
    assert process is not None
    scopes = list(layout_plain.scopes_in(process))
    nodes = {node.get("id") for scope in scopes for node in layout_plain.nodes_in(scope)}
    return {
        str(i) for i in nodes | {flow.get("id") for scope in scopes for flow in scope.findall(BPMN + "sequenceFlow")}
    }


SIMPLE = bpmn('<startEvent id="s"/><task id="a" other:colour="red"/><endEvent id="e"/>', "s -> a\n a -> e")


def test_every_node_and_flow_is_drawn_and_nothing_else_changes() -> None:
    made = with_diagram(SIMPLE)
    assert set(drawn(made)) == {"s", "a", "e", "s_a", "a_e"}
    end = SIMPLE.rindex(b"</definitions>")
    assert made.startswith(SIMPLE[:end])
    assert made.endswith(SIMPLE[end:])
    assert parse(made, OPEN).nodes == parse(SIMPLE, OPEN).nodes


def test_a_diagram_that_is_there_is_left_alone() -> None:
    made = with_diagram(SIMPLE)
    assert with_diagram(made) == made


def test_nodes_do_not_lie_on_each_other() -> None:
    made = drawn(with_diagram(SIMPLE))
    left = [float(made[node].find(DC + "Bounds").get("x")) for node in ("s", "a", "e")]
    assert left == sorted(set(left))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "<!-- the </end> -->\n<!-- again -->",
        lambda text: text.replace("<definitions", "<!-- a comment -->\n<definitions"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace('id="a"', 'id="任务"').replace('"a"', '"任务"'),
    ],
)
def test_odd_files_get_a_diagram_too(change: Any) -> None:
    source = change(SIMPLE.decode()).encode()
    made = with_diagram(source)
    assert set(drawn(made)) == things(source)


def test_a_file_in_utf_16_gets_a_diagram_in_utf_16() -> None:
    source = b"\xff\xfe" + SIMPLE.decode().replace("UTF-8", "UTF-16").encode("utf-16-le")
    assert set(drawn(with_diagram(source))) == things(source)


def test_a_large_process_is_drawn_plainly() -> None:
    count = LAID_OUT_MAX + 1
    body = '<startEvent id="s"/>' + "".join(f'<task id="t{n}"/>' for n in range(count))
    source = bpmn(body, "\n".join(["s -> t0", *(f"t{n} -> t{n + 1}" for n in range(count - 1))]))
    assert set(drawn(with_diagram(source))) == things(source)


KINDS = ["task", "exclusiveGateway", "parallelGateway", "callActivity", "subProcess", "adHocSubProcess"]


@st.composite
def bodies(draw: st.DrawFn, above: str = "", depth: int = 0) -> str:
    names = [f"{above}n{n}" for n in range(draw(st.integers(1, 4)))]
    body = f'<startEvent id="{above}s"/>'
    arrows = [(f"{above}s", names[0])]
    for name in names:
        kind = draw(st.sampled_from(KINDS[: 4 if depth > 1 else 6]))
        inner = draw(bodies(name, depth + 1)) if kind.endswith("rocess") else ""
        body += f'<{kind} id="{name}">{inner}</{kind}>'
        arrows += [(name, other) for other in draw(st.sets(st.sampled_from(names), max_size=2))]
        if "Gateway" not in kind and draw(st.booleans()):
            body += f'<boundaryEvent id="{name}b" attachedToRef="{name}"><errorEventDefinition/></boundaryEvent>'
            arrows.append((f"{name}b", draw(st.sampled_from(names))))
    return body + "".join(flows(f"{a} -> {b}") for a, b in sorted(set(arrows)))


@settings(max_examples=60, deadline=None)
@given(bodies())
def test_any_process_is_drawn_whole(body: str) -> None:
    source = bpmn(body)
    assert set(drawn(with_diagram(source))) == things(source)


def test_of_several_processes_the_one_that_is_asked_for_is_drawn() -> None:
    two = bpmn('<startEvent id="x"/>', key="two").decode()
    both = (
        SIMPLE.decode()
        .replace("</definitions>", two[two.index("<process") : two.index("</process>")] + "</process></definitions>")
        .encode()
    )
    assert set(drawn(with_diagram(both, "two"))) == {"x"}
