"""The plainest diagram: nodes in columns by their distance from the start; drawn when nothing better can be made."""

from collections.abc import Iterator
from typing import Any

from lxml import etree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
BPMNDI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
DI = "{http://www.omg.org/spec/DD/20100524/DI}"
NAMESPACES = {"bpmn": BPMN[1:-1], "bpmndi": BPMNDI[1:-1], "dc": DC[1:-1], "di": DI[1:-1]}
SCOPES = ("subProcess", "adHocSubProcess", "transaction")
WIDTH, HEIGHT, EVENT, GATEWAY, COLUMN, ROW = 100, 80, 36, 50, 160, 130  # pixels
Element = Any  # lxml's element; its stubs make attribute access noisier than it is worth
_Box = tuple[int, int, int, int]  # x, y, width, height


def name_of(element: Element) -> str:
    """The name of a BPMN element."""
    return str(element.tag).removeprefix(BPMN)


def is_node(element: Element) -> bool:
    """Whether an element is a flow node."""
    name = name_of(element)
    return isinstance(element.tag, str) and (
        name.endswith(("Task", "Event", "Gateway")) or name in ("task", "callActivity", *SCOPES)
    )


def nodes_in(scope: Element) -> list[Element]:
    """The flow nodes directly inside a scope."""
    return [e for e in scope.iterchildren(etree.Element) if is_node(e)]


def scopes_in(scope: Element) -> Iterator[Element]:
    """A scope and all scopes inside it."""
    yield scope
    for node in nodes_in(scope):
        if name_of(node) in SCOPES:
            yield from scopes_in(node)


def diagrams(process: Element) -> list[Element]:
    """One diagram for the process and one for each subprocess."""
    return [_diagram(scope) for scope in scopes_in(process)]


def _diagram(scope: Element) -> Element:
    key = scope.get("id")
    diagram = etree.Element(BPMNDI + "BPMNDiagram", nsmap=NAMESPACES, id=f"BPMNDiagram_{key}")
    plane = etree.SubElement(diagram, BPMNDI + "BPMNPlane", id=f"BPMNPlane_{key}", bpmnElement=key)
    boxes = _boxes(scope)
    for node, (x, y, width, height) in boxes.items():
        shape = etree.SubElement(plane, BPMNDI + "BPMNShape", id=f"{node}_di", bpmnElement=node)
        etree.SubElement(shape, DC + "Bounds", x=str(x), y=str(y), width=str(width), height=str(height))
    for flow in scope.findall(BPMN + "sequenceFlow"):
        source, target = boxes[flow.get("sourceRef")], boxes[flow.get("targetRef")]
        edge = etree.SubElement(plane, BPMNDI + "BPMNEdge", id=f"{flow.get('id')}_di", bpmnElement=flow.get("id"))
        for x, y in ((source[0] + source[2], source[1] + source[3] // 2), (target[0], target[1] + target[3] // 2)):
            etree.SubElement(edge, DI + "waypoint", x=str(x), y=str(y))
    return diagram


def _boxes(scope: Element) -> dict[str, _Box]:
    boxes: dict[str, _Box] = {}
    rows: dict[int, int] = {}
    nodes = {node.get("id"): node for node in nodes_in(scope)}
    for key, column in _columns(scope, nodes).items():
        row = rows[column] = rows.get(column, -1) + 1
        width, height = _size(nodes[key])
        boxes[key] = (80 + COLUMN * column - width // 2, 80 + ROW * row - height // 2, width, height)
    hung: dict[str, int] = {}
    for key, node in nodes.items():
        host = node.get("attachedToRef")
        if host in boxes:
            place = hung[host] = hung.get(host, -1) + 1
            x, y, _, height = boxes[host]
            boxes[key] = (x + 10 + place * (EVENT + 6), y + height - EVENT // 2, EVENT, EVENT)
    return boxes


def _columns(scope: Element, nodes: dict[str, Element]) -> dict[str, int]:
    """For each node that is not attached its distance from where a token may begin."""
    ahead: dict[str, list[str]] = {key: [] for key in nodes}
    entered: set[str] = set()
    for flow in scope.findall(BPMN + "sequenceFlow"):
        source = flow.get("sourceRef")
        ahead[nodes[source].get("attachedToRef") or source].append(flow.get("targetRef"))
        entered.add(flow.get("targetRef"))
    placed: dict[str, int] = {}
    standing = [key for key in nodes if not nodes[key].get("attachedToRef")]
    for first in [*(key for key in standing if key not in entered), *standing]:
        todo = [] if first in placed else [(first, 0)]
        for key, column in todo:
            if key not in placed:
                placed[key] = column
                todo += [(after, column + 1) for after in ahead[key]]
    return placed


def _size(node: Element) -> tuple[int, int]:
    name = name_of(node)
    if name.endswith("Event"):
        return EVENT, EVENT
    return (GATEWAY, GATEWAY) if name.endswith("Gateway") else (WIDTH, HEIGHT)
