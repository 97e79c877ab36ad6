"""The metamodel to DMN 1.5 XML; a model that was read keeps every foreign part of its file."""

from lxml import etree

from diaodu.dmn.build import build
from diaodu.dmn.document import D, Element, M, current, identify, is_current, parse, plain_types
from diaodu.dmn.merge import merge
from diaodu.dmn.model import Definitions
from diaodu.dmn.read import read_definitions


def write_definitions(definitions: Definitions) -> bytes:
    """A model as DMN 1.5, UTF-8; one that was read and not changed comes back as its file, if that is DMN 1.5.

    Of a model that was read, only what differs from `source` is replaced: extensions, diagrams, knowledge sources,
    authority requirements, artifacts and comments stay. Diagram shapes of removed elements go with them. ValueError
    where a text holds characters that XML has no place for.
    """
    new = build(definitions)
    if definitions.source is None:
        etree.indent(new)
        return _bytes(new)
    base = read_definitions(definitions.source)
    root = parse(definitions.source)
    if base == definitions and is_current(root):
        return definitions.source
    root = current(root)
    plain_types(root)
    identify(root)
    before = _ids(root)
    merge(root, build(base), new)
    _clear_diagrams(root, before - _ids(root))
    return _bytes(root)


def _bytes(root: Element) -> bytes:
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


def _ids(root: Element) -> set[str]:
    return {element.get("id") for element in root.iter(M + "*")} - {None}


def _clear_diagrams(root: Element, gone: set[str]) -> None:
    """Remove the shapes and edges of elements that are no longer there."""
    for element in list(root.iter(D + "DMNShape", D + "DMNEdge")):
        if (element.get("dmnElementRef") or "").rpartition(":")[2] in gone:
            element.getparent().remove(element)
