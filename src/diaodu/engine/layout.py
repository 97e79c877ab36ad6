"""A diagram for a process that was written without one; the source itself is never changed by it.

The layout is made by PyPI ``bpmn-io`` from a bare copy of the process (nodes and flows only), so that what it does not
know of a file can neither be lost nor trouble it; only its drawing is put into the file, as the last element.
"""

from collections.abc import Iterator

from lxml import etree

from diaodu.engine import layout_plain
from diaodu.engine.errors import DiagramNotDrawn
from diaodu.engine.layout_plain import BPMN, BPMNDI, DC, NAMESPACES, Element, is_node, name_of, nodes_in, scopes_in

# More nodes than these are laid out plainly: nobody could read the picture, and a good one would take minutes.
LAID_OUT_MAX = 500


def with_diagram(bpmn: bytes, key: str | None = None) -> bytes:
    """A process with a diagram: the same bytes if it has one, else with one before the end of the last element.

    ``bpmn`` is a source that was deployed, ``key`` its process, else the first. Raises DiagramNotDrawn.
    """
    root = _parsed(bpmn)
    if root.find(BPMNDI + "BPMNDiagram") is not None:
        return bpmn
    process = next(p for p in root.iterchildren(BPMN + "process") if key in (None, p.get("id")))
    diagrams = _laid_out(process)
    drawing = b"".join(etree.tostring(d, encoding="ascii", xml_declaration=False, with_tail=False) for d in diagrams)
    return _before_end(bpmn, drawing.decode("ascii"))


def _laid_out(process: Element) -> list[Element]:
    """The best diagrams that can be made: with open subprocesses, with one by itself for each, or plain ones."""
    if sum(len(nodes_in(scope)) for scope in scopes_in(process)) <= LAID_OUT_MAX:
        for opened in (True, False):
            try:
                return _by_library(process, opened=opened)
            except Exception:  # noqa: BLE001, S112 - a young library, and it is only a picture
                continue
    return layout_plain.diagrams(process)


def _by_library(process: Element, *, opened: bool) -> list[Element]:
    """The diagrams that the library makes; LookupError when they do not hold every node and flow."""
    import bpmn_io  # noqa: PLC0415 - takes as long to load as all the rest of a command, and few draw

    made = etree.fromstring(bpmn_io.layout_process(_bare(process, opened=opened)).encode())
    diagrams = made.findall(BPMNDI + "BPMNDiagram")
    drawn = {e.get("bpmnElement") for d in diagrams for e in d.iter(BPMNDI + "BPMNShape", BPMNDI + "BPMNEdge")}
    if missing := [e.get("id") for e in _things(process) if e.get("id") not in drawn]:
        raise LookupError(", ".join(missing))
    for diagram in diagrams:
        etree.cleanup_namespaces(diagram)
    return diagrams


def _things(process: Element) -> Iterator[Element]:
    """All nodes and flows."""
    for scope in scopes_in(process):
        yield from nodes_in(scope)
        yield from scope.findall(BPMN + "sequenceFlow")


def _bare(process: Element, *, opened: bool) -> str:
    """A file with the nodes and flows of a process; its subprocesses are to be drawn open, or each by itself."""
    root = etree.Element(BPMN + "definitions", nsmap=NAMESPACES, targetNamespace="t")
    copy = etree.SubElement(root, BPMN + "process", id=process.get("id"))
    _copy(process, copy)
    if not opened:
        return etree.tostring(root, encoding="unicode")
    diagram = etree.SubElement(root, BPMNDI + "BPMNDiagram")
    plane = etree.SubElement(diagram, BPMNDI + "BPMNPlane", bpmnElement=process.get("id"))
    for scope in list(scopes_in(copy))[1:]:
        key = scope.get("id")
        shape = etree.SubElement(plane, BPMNDI + "BPMNShape", id=f"{key}_open", bpmnElement=key, isExpanded="true")
        etree.SubElement(shape, DC + "Bounds", x="0", y="0", width="100", height="80")
    return etree.tostring(root, encoding="unicode")


def _copy(scope: Element, to: Element) -> None:
    flows = scope.findall(BPMN + "sequenceFlow")
    ends: dict[tuple[str, str], list[str]] = {}
    for flow in flows:
        ends.setdefault(("incoming", flow.get("targetRef")), []).append(flow.get("id"))
        ends.setdefault(("outgoing", flow.get("sourceRef")), []).append(flow.get("id"))
    for node in nodes_in(scope):
        made = etree.SubElement(to, node.tag, {k: node.get(k) for k in ("id", "attachedToRef") if node.get(k)})
        for direction in ("incoming", "outgoing"):
            for flow in ends.get((direction, node.get("id")), ()):
                etree.SubElement(made, BPMN + direction).text = flow
        if is_node(node) and name_of(node) in layout_plain.SCOPES:
            _copy(node, made)
    for flow in flows:
        etree.SubElement(to, flow.tag, {k: flow.get(k) for k in ("id", "sourceRef", "targetRef")})


def _before_end(bpmn: bytes, drawing: str) -> bytes:
    """The drawing, in ASCII, put before the end tag of the last element; all else stays byte by byte as it was."""
    codec = {b"\xfe\xff": "utf-16-be", b"\xff\xfe": "utf-16-le"}.get(bpmn[:2], "ascii")
    end = len(bpmn)
    opening, closing = "<!--".encode(codec), "-->".encode(codec)
    while bpmn[:end].rstrip(b" \t\r\n\0").endswith(closing.rstrip(b"\0")):
        end = bpmn.rindex(opening, 0, end)  # comments after the last element
    end = bpmn.rindex("</".encode(codec), 0, end)
    made = bpmn[:end] + f"{drawing}\n".encode(codec) + bpmn[end:]
    try:
        if _parsed(made).find(BPMNDI + "BPMNDiagram") is not None:
            return made
    except etree.XMLSyntaxError:
        pass
    raise DiagramNotDrawn


def _parsed(bpmn: bytes) -> Element:
    return etree.fromstring(bpmn, etree.XMLParser(resolve_entities=False, no_network=True))
