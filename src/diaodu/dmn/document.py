"""The XML of a model as a tree of DMN 1.5, whatever its version: parsed safely, renamed, types in plain names."""

from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from lxml import etree

from diaodu.dmn.namespaces import DIAGRAM, FEEL, MODEL, NEWEST, OLDEST
from diaodu.dmn.read_errors import DmnReadError, problem

# A table of 50,000 rows is about as large.
MAX_BYTES = 16 * 1024 * 1024
# Each level costs some frames of Python's stack; nobody writes boxes in boxes this deep.
MAX_DEPTH = 120
M = f"{{{MODEL}}}"
D = f"{{{DIAGRAM}}}"
GRAPH = ("inputData", "decision", "businessKnowledgeModel", "decisionService")
Element = Any  # lxml's element; its stubs make attribute access noisier than it is worth


def local(element: Element) -> str:
    """The tag without its namespace; empty for comments and processing instructions."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def parse(xml: bytes) -> Element:
    """The root of a model as it stands in the file. Raises DmnReadError."""
    if len(xml) > MAX_BYTES:
        raise DmnReadError([problem("too-large", "definitions", 0, MAX_BYTES)])
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root: Element = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DmnReadError([problem("xml", "definitions", getattr(error, "lineno", None) or 0, error)]) from None
    if root.getroottree().docinfo.doctype:
        raise DmnReadError([problem("doctype", "definitions", 1)])
    name = etree.QName(root)
    if name.localname != "definitions" or NEWEST.get(name.namespace or "", name.namespace) != MODEL:
        raise DmnReadError([problem("not-dmn", local(root), root.sourceline or 0, root.tag)])
    _check_depth(root)
    return root


def _check_depth(root: Element) -> None:
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise DmnReadError([problem("too-deep", local(element), element.sourceline or 0, MAX_DEPTH)])


def is_current(root: Element) -> bool:
    """Whether the tree is DMN 1.5 already."""
    return bool(root.tag == M + "definitions")


def current(root: Element) -> Element:
    """The tree in the namespaces of DMN 1.5; older type names, which carry prefixes, become plain."""
    if is_current(root):
        return root
    oldest = etree.QName(root).namespace in OLDEST
    renamed = _renamed(root)
    for before in reversed(list(root.itersiblings(preceding=True))):
        renamed.addprevious(_renamed(before))
    for after in reversed(list(root.itersiblings())):
        renamed.addnext(_renamed(after))
    if oldest:
        _name_imports(renamed)
    plain_types(renamed)
    return renamed


def _renamed(node: Element) -> Element:
    """A copy in the newest namespaces; comments stay as they are."""
    if not isinstance(node.tag, str):
        make = etree.Comment if node.tag is etree.Comment else partial(etree.ProcessingInstruction, node.target)
        return make(node.text)
    above = node.getparent()
    own = dict(node.nsmap) if above is None else {p: u for p, u in node.nsmap.items() if above.nsmap.get(p) != u}
    name = etree.QName(node)
    namespace = NEWEST.get(name.namespace or "", name.namespace)
    newest: Any = {prefix: NEWEST.get(str(uri), uri) for prefix, uri in own.items()}
    copy = etree.Element(etree.QName(namespace, name.localname), nsmap=newest)
    for key, value in node.attrib.items():
        copy.set(key, NEWEST.get(value, value))
    copy.text, copy.sourceline = node.text, node.sourceline
    for child in node:
        below = _renamed(child)
        below.tail = child.tail
        copy.append(below)
    return copy


def _name_imports(root: Element) -> None:
    """DMN 1.1 has no names of imports: the prefix of their namespace stands for them."""
    prefixes = {uri: prefix for prefix, uri in root.nsmap.items() if prefix}
    for element in root.iterchildren(M + "import"):
        if element.get("name") is None:
            location = PurePosixPath(element.get("locationURI") or "").stem
            element.set("name", prefixes.get(element.get("namespace"), location))


def plain_types(root: Element) -> None:
    """Write `prefix:name` of types as `name`, or as `import.name` where the prefix is that of an import."""
    imports = {e.get("namespace"): e.get("name") for e in root.iterchildren(M + "import")}
    for element in root.iter(M + "*"):
        for key in ("typeRef", "outputTypeRef"):
            if ":" in (written := element.get(key) or ""):
                element.set(key, _plain(written, element, imports, root.get("namespace")))
        if element.tag == M + "typeRef" and ":" in (element.text or ""):
            element.text = _plain(element.text.strip(), element, imports, root.get("namespace"))


def _plain(written: str, element: Element, imports: dict[str, str], own: str | None) -> str:
    prefix, _, name = written.partition(":")
    namespace = element.nsmap.get(prefix)
    if namespace in imports:
        return f"{imports[namespace]}.{name}" if imports[namespace] else name
    return name if namespace in (FEEL, own) and namespace is not None else written


def identify(root: Element) -> None:
    """Give every element of the requirement graph an id; the same ones each time."""
    used = {element.get("id") for element in root.iter(M + "*")}
    for element in graph_elements(root):
        number = 1
        while element.get("id") is None:
            if (proposal := f"_{local(element)}-{number}") not in used:
                element.set("id", proposal)
                used.add(proposal)
            number += 1


def graph_elements(root: Element) -> Iterator[Element]:
    """The inputs, decisions, knowledge models and services of a model, in their order."""
    yield from root.iterchildren(*(M + name for name in GRAPH))
