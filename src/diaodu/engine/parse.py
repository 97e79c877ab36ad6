"""BPMN 2.0 XML to compiled graphs; finds every problem at once and refuses with all of them."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from diaodu.engine.check import check
from diaodu.engine.drafts import Draft, Element, Notes
from diaodu.engine.elements import (
    EVENT_EXTENSIONS,
    EXTENSION,
    EXTENSIONS,
    LINK,
    MODEL,
    NODES,
    NOT_EXECUTED,
    PARTS,
    SERVICE_EXTENSIONS,
    SUBPROCESSES,
    TRIGGERS,
    local_name,
)
from diaodu.engine.errors import Problem, ProcessNotExecutable
from diaodu.engine.fill import fill, link
from diaodu.engine.game.joins import joins_of
from diaodu.engine.graph import ACTIVITIES, GATEWAYS, Flow, Graph, Kind, Node, Trigger
from diaodu.engine.mapping import children, name_data
from diaodu.engine.ports import Handlers

MAX_BYTES = 2 * 1024 * 1024
# Where the flows out depend on conditions, as a set; an exclusive gateway takes the first of them.
_CHOOSING = ACTIVITIES | {Kind.INCLUSIVE}


def parse(bpmn: bytes, handlers: Handlers) -> Graph:
    """Compile the one process of a file; ProcessNotExecutable lists everything that is wrong with it."""
    graphs = parse_all(bpmn, handlers)
    if len(graphs) != 1:
        raise ProcessNotExecutable([Problem("definitions", "no-process", str(len(graphs)))])
    return graphs[0]


def parse_all(bpmn: bytes, handlers: Handlers) -> list[Graph]:
    """Compile all processes of a file that hold anything; ProcessNotExecutable with the problems of all of them."""
    root = _read(bpmn)
    notes = Notes(root, lenient=handlers.lenient)
    notes.language(root, root.get("expressionLanguage"))
    name_data(notes)
    graphs = []
    seen: set[str] = set()
    for process in _processes(root):
        graph = _Reader(notes, process, seen).graph()
        execution = process.get(EXTENSION + "class") == "execution"
        notes.problems += check(graph, handlers, execution=execution)
        graphs.append(graph)
    if not graphs:
        notes.problem(root, "no-process", "0")
    if notes.problems:
        raise ProcessNotExecutable(sorted(set(notes.problems), key=lambda p: (p.element, p.code, p.what)))
    return graphs


def parse_trusted(bpmn: bytes, key: str) -> Graph:
    """Compile a process that was checked when it was deployed."""
    root = _read(bpmn)
    notes = Notes(root, lenient=True)
    name_data(notes)
    return next(_Reader(notes, p, set()).graph() for p in _processes(root) if p.get("id") == key)


def _processes(root: Element) -> list[Element]:
    """The processes of a file; in a file with several, those that hold nothing are the others' partners."""
    found = root.findall(MODEL + "process")
    return found if len(found) == 1 else [p for p in found if any(local_name(e) in NODES for e in children(p))]


def _read(bpmn: bytes) -> Element:
    if len(bpmn) > MAX_BYTES:
        raise ProcessNotExecutable([Problem("definitions", "too-large", str(MAX_BYTES))])
    reader = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(bpmn, reader)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ProcessNotExecutable([Problem("definitions", "xml", str(error))]) from None
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise ProcessNotExecutable([Problem("definitions", "doctype")])
    if root.tag != MODEL + "definitions":
        raise ProcessNotExecutable([Problem("definitions", "xml", f"<{local_name(root)}>")])
    return root


class _Reader:
    """Reads one process."""

    def __init__(self, notes: Notes, process: Element, seen: set[str]) -> None:
        self.notes, self.process, self.seen = notes, process, seen
        self.drafts: list[Draft] = []
        self.by_id: dict[str, int] = {}
        self.lanes: dict[str, str] = {}
        self.flow_elements: list[tuple[Element, int]] = []

    def graph(self) -> Graph:
        notes, process = self.notes, self.process
        self._id(process)
        notes.attributes(process)
        notes.extensions(process, EXTENSIONS["process"])
        self._scope(process, -1)
        self._connect()
        link(notes, self.drafts, len(self.flow_elements))
        for draft in self.drafts:
            fill(notes, draft, self.drafts, self.by_id)
            self._default(draft)
        return self._freeze()

    def _id(self, element: Element) -> str:
        found = element.get("id")
        if not found:
            self.notes.problems.append(Problem(local_name(element), "no-id", local_name(element)))
            return f"{local_name(element)}:{element.sourceline}"
        self.notes.short(element, found)
        if found in self.seen:
            self.notes.problem(element, "double-id")
        self.seen.add(found)
        return str(found)

    def _scope(self, parent: Element, scope: int) -> None:
        for element in children(parent):
            name = local_name(element)
            if not element.tag.startswith(MODEL):
                self.notes.problem(element, "unsupported", name)
            elif name == "laneSet":
                self._lane_set(element)
            elif name == "sequenceFlow":
                self._id(element)
                self.notes.attributes(element)
                self.flow_elements.append((element, scope))
            elif name in NODES:
                self._node(element, scope)
            elif name not in NOT_EXECUTED and (scope < 0 or name not in PARTS[local_name(parent)]):
                self.notes.problem(element, "unsupported", name)

    def _lane_set(self, element: Element) -> None:
        for lane in element.iter(MODEL + "lane"):
            for reference in lane.findall(MODEL + "flowNodeRef"):
                self.lanes[(reference.text or "").strip()] = lane.get("id") or ""

    def _node(self, element: Element, scope: int) -> None:
        index = len(self.drafts)
        self.by_id[self._id(element)] = index
        kind, trigger = self._kind(element)
        draft = Draft(index, element, kind, trigger, scope)
        self.drafts.append(draft)
        if scope >= 0:
            self.drafts[scope].inner.append(draft)
        name, notes = local_name(element), self.notes
        notes.attributes(element)
        notes.extensions(element, self._extensions(draft))
        if name in SUBPROCESSES:
            self._scope(element, index)
            return
        for child in children(element):
            part = local_name(child)
            if not child.tag.startswith(MODEL) or part not in PARTS[name] | NOT_EXECUTED:
                notes.problem(element, "unsupported", part)
            elif part in TRIGGERS or part == LINK:
                notes.attributes(child)

    def _extensions(self, draft: Draft) -> frozenset[str]:
        known = EXTENSIONS.get(local_name(draft.element), frozenset())
        if local_name(draft.element).endswith("Event"):
            known = EVENT_EXTENSIONS.get(draft.trigger, frozenset())
            if draft.kind is Kind.SERVICE:
                known = SERVICE_EXTENSIONS
        if draft.scope >= 0 and self.drafts[draft.scope].kind is Kind.STAGE:
            known |= {"kind"}
        return known

    def _kind(self, element: Element) -> tuple[Kind, Trigger]:
        kinds = NODES[local_name(element)]
        definitions = [c for c in children(element) if "ventDefinition" in local_name(c)]
        if len(definitions) > 1:
            self.notes.problem(element, "unsupported", "eventDefinition x " + str(len(definitions)))
        name = local_name(definitions[0]) if definitions else ""
        if name not in kinds:
            self.notes.problem(element, "unsupported", f"{local_name(element)} {name}".strip())
            return Kind.PASS, Trigger.NONE  # refused already; stands in while the rest is looked at
        kind, trigger = kinds[name], TRIGGERS.get(name, Trigger.NONE)
        if kind is Kind.SUBPROCESS and element.get("triggeredByEvent") == "true":
            return Kind.EVENT_SUBPROCESS, trigger
        if kind is Kind.ADHOC and element.get(EXTENSION + "plan") is not None:
            if element.get(EXTENSION + "plan") != "true":
                self.notes.problem(element, "not-plan")
            return Kind.STAGE, trigger
        if local_name(element) == "receiveTask":
            return kind, Trigger.MESSAGE
        # A message is thrown by a service, whatever its name.
        return kind, Trigger.NONE if kind is Kind.SERVICE else trigger

    def _connect(self) -> None:
        notes = self.notes
        for index, (element, scope) in enumerate(self.flow_elements):
            source, target = (self.by_id.get(element.get(side) or "") for side in ("sourceRef", "targetRef"))
            if source is None or target is None:
                missing = element.get("sourceRef" if source is None else "targetRef")
                notes.problem(element, "bad-reference", str(missing))
                continue
            if not self.drafts[source].scope == self.drafts[target].scope == scope:
                notes.problem(self.drafts[source].element, "crossing", element.get("id") or "")
                continue
            condition = element.find(MODEL + "conditionExpression")
            expression = None if condition is None else notes.feel(condition, condition.text)
            self.drafts[source].flows.append(Flow(index, target, expression))
            self.drafts[target].incoming.append(index)

    def _default(self, draft: Draft) -> None:
        name = draft.element.get("default")
        if name is None:
            return
        drawn = [f for f in draft.flows if f.index < len(self.flow_elements)]  # and not by a pair of links
        found = next((f for f in drawn if self.flow_elements[f.index][0].get("id") == name), None)
        if found is None:
            self.notes.problem(draft.element, "bad-reference", name)
        draft.fields["default"] = found

    def _freeze(self) -> Graph:
        process, notes = self.process, self.notes
        index = len(self.drafts)
        outer = [d for d in self.drafts if d.scope == -1]
        starts = [d for d in outer if d.kind is Kind.START]
        plain = [d for d in starts if d.trigger is Trigger.NONE]
        if not starts:
            notes.problem(process, "no-start", "0")
        if len(plain) > 1:
            notes.problem(process, "many-starts", str(len(plain)))
        for lane in self.lanes.keys() - self.by_id.keys():
            notes.problem(process, "bad-reference", lane)
        key = process.get("id") or ""
        name = process.get("name") or key
        inner = [d.fields["entries"] for d in outer if d.kind is Kind.EVENT_SUBPROCESS]
        handlers = tuple(entries[0] for entries in inner if entries)
        nodes = (*(self._frozen(d) for d in self.drafts), Node(index, key, name, Kind.PROCESS, -1, handlers=handlers))
        return Graph(
            key,
            name,
            nodes,
            self.by_id,
            (plain or starts)[0].index if starts else -1,
            frozenset(n.event for n in nodes if _waits(n, Trigger.MESSAGE)),
            any(_waits(n, Trigger.SIGNAL) for n in nodes),
            self._opening(starts),
            tuple(d.index for d in starts if d.trigger is Trigger.TIMER),
            joins_of(nodes),
        )

    def _opening(self, starts: list[Draft]) -> Mapping[tuple[Trigger, str], int]:
        found: dict[tuple[Trigger, str], int] = {}
        for draft in starts:
            if draft.trigger in (Trigger.MESSAGE, Trigger.SIGNAL):
                key = (draft.trigger, draft.fields["event"])
                if key in found:
                    self.notes.problem(draft.element, "double-start", key[1])
                found[key] = draft.index
        return found

    def _frozen(self, draft: Draft) -> Node:
        element = draft.element
        name = element.get("id") or ""
        # An intermediate event is none, though it may do the same.
        event = local_name(element).endswith("Event")
        conditional = any(f.condition is not None for f in draft.flows) or draft.fields.get("default") is not None
        choosing = conditional and not event and draft.kind in _CHOOSING
        fields: dict[str, Any] = {**draft.fields}
        adhoc = draft.scope >= 0 and self.drafts[draft.scope].kind is Kind.ADHOC
        special = choosing or adhoc or draft.kind in GATEWAYS or fields.get("loop") or fields.get("outputs")
        if len(draft.flows) == 1 and not special:
            fields["straight"] = draft.flows[0]
        return Node(
            draft.index,
            name,
            element.get("name") or name,
            draft.kind,
            draft.scope,
            local_name(element),
            self.lanes.get(name, ""),
            tuple(draft.flows),
            choosing=choosing,
            incoming=tuple(draft.incoming),
            trigger=draft.trigger,
            **fields,
        )


def _waits(node: Node, trigger: Trigger) -> bool:
    """Whether a token may wait at a node for what the trigger says; a process start waits for nothing."""
    return bool(node.event) and node.trigger is trigger and not (node.kind is Kind.START and node.scope == -1)
