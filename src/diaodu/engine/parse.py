"""BPMN 2.0 XML to a compiled graph; finds every problem at once and refuses with all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from diaodu.engine.check import check
from diaodu.engine.elements import (
    EXTENSION,
    KNOWN_ATTRIBUTES,
    MODEL,
    NODES,
    NOT_EXECUTED,
    PARTS,
    local_name,
)
from diaodu.engine.errors import Problem, ProcessNotExecutable
from diaodu.engine.graph import ACTIVITIES, Flow, Graph, Kind, Node, Value
from diaodu.engine.ports import Handlers
from diaodu.engine.times import due_at
from diaodu.feel import Expression, FeelError, compile_expression

MAX_BYTES = 2 * 1024 * 1024
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)
Element = Any  # lxml's element; its stubs make attribute access noisier than it is worth


@dataclass
class _Draft:
    index: int
    element: Element
    kind: Kind
    scope: int
    fields: dict[str, Any] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    incoming: list[int] = field(default_factory=list)


def parse(bpmn: bytes, handlers: Handlers) -> Graph:
    """Compile the one process of a file; ProcessNotExecutable lists everything that is wrong with it."""
    return _Reader(bpmn, handlers).graph()


def parse_trusted(bpmn: bytes) -> Graph:
    """Compile a process that was checked when it was deployed."""
    return _Reader(bpmn, None).graph()


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
    def __init__(self, bpmn: bytes, handlers: Handlers | None) -> None:
        self.root, self.handlers = _read(bpmn), handlers
        self.problems: list[Problem] = []
        self.drafts: list[_Draft] = []
        self.by_id: dict[str, int] = {}
        self.seen: set[str] = set()
        self.flow_elements: list[tuple[Element, int]] = []
        self.messages = {e.get("id"): e.get("name") or "" for e in self.root.findall(MODEL + "message")}
        self.errors = {
            e.get("id"): e.get("errorCode") or e.get("name") or "" for e in self.root.findall(MODEL + "error")
        }

    def graph(self) -> Graph:
        processes = self.root.findall(MODEL + "process")
        if len(processes) != 1:
            raise ProcessNotExecutable([Problem("definitions", "no-process", str(len(processes)))])
        process = processes[0]
        self._id(process)
        self._scope(process, -1)
        self._connect()
        for draft in self.drafts:
            self._fill(draft)
        graph = self._freeze(process)
        if self.handlers is not None:
            execution = process.get(EXTENSION + "class") == "execution"
            self.problems += check(graph, self.handlers, execution=execution)
        if self.problems:
            raise ProcessNotExecutable(sorted(set(self.problems), key=lambda p: (p.element, p.code, p.what)))
        return graph

    def problem(self, element: Element, code: str, what: str = "") -> None:
        self.problems.append(Problem(element.get("id") or local_name(element), code, what))

    def _id(self, element: Element) -> str:
        found = element.get("id")
        if not found:
            self.problem(element, "no-id", local_name(element))
            return f"{local_name(element)}:{element.sourceline}"
        if found in self.seen:
            self.problem(element, "double-id")
        self.seen.add(found)
        return str(found)

    def _scope(self, parent: Element, scope: int) -> None:
        for element in parent.iterchildren(etree.Element):
            name = local_name(element)
            if not element.tag.startswith(MODEL) or name in NOT_EXECUTED:
                if not element.tag.startswith(MODEL):
                    self.problem(element, "unsupported", name)
            elif name == "sequenceFlow":
                self._id(element)
                self.flow_elements.append((element, scope))
            elif name in NODES:
                self._node(element, scope)
            else:
                self.problem(element, "unsupported", name)

    def _node(self, element: Element, scope: int) -> None:
        index = len(self.drafts)
        self.by_id[self._id(element)] = index
        draft = _Draft(index, element, self._kind(element), scope)
        self.drafts.append(draft)
        for attribute in element.attrib:
            if attribute.startswith(EXTENSION) and attribute[len(EXTENSION) :] not in KNOWN_ATTRIBUTES:
                self.problem(element, "unsupported", "diaodu:" + attribute[len(EXTENSION) :])
        if element.get("isForCompensation") == "true":
            self.problem(element, "unsupported", "isForCompensation")
        if local_name(element) in ("subProcess", "adHocSubProcess"):
            self._subprocess(element, index)
            return
        for child in element.iterchildren(etree.Element):
            if local_name(child) not in PARTS:
                self.problem(element, "unsupported", local_name(child))

    def _subprocess(self, element: Element, index: int) -> None:
        if element.get("triggeredByEvent") == "true":
            self.problem(element, "unsupported", "triggeredByEvent")
        if local_name(element) == "adHocSubProcess" and element.get(EXTENSION + "plan") != "true":
            self.problem(element, "not-plan")
        self._scope(element, index)

    def _kind(self, element: Element) -> Kind:
        kinds = NODES[local_name(element)]
        definitions = [
            c
            for c in element.iterchildren(etree.Element)
            if local_name(c).endswith(("EventDefinition", "eventDefinitionRef"))
        ]
        if len(definitions) > 1:
            self.problem(element, "unsupported", "eventDefinition x " + str(len(definitions)))
        name = local_name(definitions[0]) if definitions else ""
        if name not in kinds:
            self.problem(element, "unsupported", f"{local_name(element)} {name}".strip())
            return Kind.MANUAL  # refused already; stands in while the rest is looked at
        return kinds[name]

    def _connect(self) -> None:
        for index, (element, scope) in enumerate(self.flow_elements):
            ends = [self.by_id.get(element.get(side) or "") for side in ("sourceRef", "targetRef")]
            source, target = ends
            if source is None or target is None:
                missing = element.get("sourceRef" if source is None else "targetRef")
                self.problem(element, "bad-reference", str(missing))
                continue
            if not self.drafts[source].scope == self.drafts[target].scope == scope:
                self.problem(self.drafts[source].element, "crossing", element.get("id") or "")
                continue
            condition = element.find(MODEL + "conditionExpression")
            expression = None if condition is None else self._feel(element, condition.text or "")
            self.drafts[source].flows.append(Flow(index, target, expression))
            self.drafts[target].incoming.append(index)

    def _fill(self, draft: _Draft) -> None:
        fill = self._fillers().get(draft.kind)
        if fill is not None:
            fill(draft)

    def _fillers(self) -> Mapping[Kind, Callable[[_Draft], None]]:
        return {
            Kind.START: self._start,
            Kind.SCRIPT: self._script,
            Kind.RULE: self._rule,
            Kind.SERVICE: self._service,
            Kind.USER: self._user,
            Kind.MESSAGE: self._message,
            Kind.TIMER: self._timer,
            Kind.ERROR_END: self._error,
            Kind.SUBPROCESS: self._inside,
            Kind.STAGE: self._stage,
            Kind.ON_TIMER: self._on_timer,
            Kind.ON_MESSAGE: self._on_message,
            Kind.ON_ERROR: self._on_error,
            Kind.EXCLUSIVE: self._default,
        }

    def _start(self, draft: _Draft) -> None:
        if draft.element.find(MODEL + "messageEventDefinition") is None:
            return
        if draft.scope >= 0:
            self.problem(draft.element, "wrong-start")
        draft.fields["message"] = self._message_name(draft)

    def _script(self, draft: _Draft) -> None:
        script = draft.element.find(MODEL + "script")
        draft.fields["script"] = self._feel(draft.element, "" if script is None else script.text or "")
        draft.fields["result"] = self._needed(draft.element, "result")

    def _rule(self, draft: _Draft) -> None:
        draft.fields["type"] = self._needed(draft.element, "decision")
        draft.fields["result"] = draft.element.get(EXTENSION + "result") or ""

    def _service(self, draft: _Draft) -> None:
        service = draft.element.get(EXTENSION + "type") or ""
        if not service:
            self.problem(draft.element, "no-type")
        draft.fields["type"] = service
        draft.fields["settings"] = self._settings(draft.element)

    def _user(self, draft: _Draft) -> None:
        element = draft.element
        planned = draft.scope >= 0 and self.drafts[draft.scope].kind is Kind.STAGE and not draft.incoming
        if planned:
            return
        for name, fallback in (("pool", ""), ("priority", "50")):
            text = element.get(EXTENSION + name) or fallback
            value = self._value(element, text)
            if not text:
                self.problem(element, "missing", "diaodu:pool")
            elif isinstance(value, str) and not value.strip().isdigit():
                self.problem(element, "bad-value", value)
            draft.fields[name] = value
        draft.fields["due"] = self._moment(element, element.get(EXTENSION + "due") or "P1D")

    def _message(self, draft: _Draft) -> None:
        draft.fields["message"] = self._message_name(draft)
        key = draft.element.get(EXTENSION + "key")
        if key is not None and (expression := self._feel(draft.element, key)) is not None:
            draft.fields["key"] = expression

    def _timer(self, draft: _Draft) -> None:
        definition = draft.element.find(MODEL + "timerEventDefinition")
        for name in ("timeDate", "timeDuration"):
            found = definition.find(MODEL + name)
            if found is not None:
                draft.fields["timer"] = self._moment(draft.element, (found.text or "").strip())
                return
        self.problem(draft.element, "missing", "timeDate | timeDuration")

    def _error(self, draft: _Draft) -> None:
        reference = draft.element.find(MODEL + "errorEventDefinition").get("errorRef")
        if reference is None and draft.kind is Kind.ON_ERROR:
            return
        code = self.errors.get(reference)
        if code is None:
            self.problem(draft.element, "bad-reference", str(reference))
        draft.fields["error"] = code or ""

    def _inside(self, draft: _Draft) -> None:
        starts = [d.index for d in self.drafts if d.scope == draft.index and d.kind is Kind.START]
        if len(starts) != 1:
            self.problem(draft.element, "no-start", str(len(starts)))
        draft.fields["entry"] = starts[0] if starts else -1

    def _stage(self, draft: _Draft) -> None:
        activities: dict[str, int] = {}
        for inner in self.drafts:
            if inner.scope != draft.index or inner.incoming or local_name(inner.element) == "boundaryEvent":
                continue
            kinds = (inner.element.get(EXTENSION + "kind") or "").split()
            if not kinds:
                self.problem(inner.element, "no-kind")
            for kind in kinds:
                if kind in activities:
                    self.problem(inner.element, "double-kind", kind)
                activities[kind] = inner.index
        draft.fields["activities"] = activities

    def _attach(self, draft: _Draft) -> None:
        host = self.by_id.get(draft.element.get("attachedToRef") or "")
        if host is None or self.drafts[host].scope != draft.scope or self.drafts[host].kind not in ACTIVITIES:
            self.problem(draft.element, "bad-reference", str(draft.element.get("attachedToRef")))
            return
        draft.fields["attached"] = host
        draft.fields["interrupting"] = draft.element.get("cancelActivity", "true") != "false"
        host_fields = self.drafts[host].fields
        host_fields["boundary"] = (*host_fields.get("boundary", ()), draft.index)

    def _on_timer(self, draft: _Draft) -> None:
        self._attach(draft)
        self._timer(draft)

    def _on_message(self, draft: _Draft) -> None:
        self._attach(draft)
        self._message(draft)

    def _on_error(self, draft: _Draft) -> None:
        self._attach(draft)
        self._error(draft)
        draft.fields["interrupting"] = True

    def _default(self, draft: _Draft) -> None:
        name = draft.element.get("default")
        if name is None:
            return
        indexes = {self.flow_elements[f.index][0].get("id"): f for f in draft.flows}
        if name not in indexes:
            self.problem(draft.element, "bad-reference", name)
        draft.fields["default"] = indexes.get(name)

    def _message_name(self, draft: _Draft) -> str:
        holder = draft.element.find(MODEL + "messageEventDefinition")
        reference = (draft.element if holder is None else holder).get("messageRef")
        name = self.messages.get(reference)
        if not name:
            self.problem(draft.element, "bad-reference", f"messageRef {reference}")
        return name or ""

    def _needed(self, element: Element, name: str) -> str:
        value = element.get(EXTENSION + name) or ""
        if not value:
            self.problem(element, "missing", "diaodu:" + name)
        return str(value)

    def _settings(self, element: Element) -> dict[str, str]:
        text = element.get(EXTENSION + "settings") or ""
        settings = {}
        for part in filter(None, (p.strip() for p in text.split(";"))):
            name, sign, value = part.partition("=")
            if not sign:
                self.problem(element, "missing", f"'=' in diaodu:settings '{part}'")
            settings[name.strip()] = value.strip()
        return settings

    def _feel(self, element: Element, text: str) -> Expression | None:
        try:
            return compile_expression(text.strip().removeprefix("=").strip())
        except FeelError as error:
            self.problem(element, "bad-feel", str(error))
            return None

    def _value(self, element: Element, text: str) -> Value:
        if text.startswith("="):
            return self._feel(element, text) or text
        return text

    def _moment(self, element: Element, text: str) -> Value:
        value = self._value(element, text)
        if isinstance(value, str) and not text.startswith("="):
            try:
                due_at(value, _SOME_DAY)
            except (ValueError, OverflowError):
                self.problem(element, "bad-timer", value)
        return value

    def _freeze(self, process: Element) -> Graph:
        nodes = tuple(_frozen(draft) for draft in self.drafts)
        starts = [n for n in nodes if n.scope == -1 and n.kind is Kind.START]
        if len(starts) != 1:
            self.problem(process, "no-start", str(len(starts)))
        key = process.get("id") or ""
        waits = frozenset(n.message for n in nodes if n.message and n.kind is not Kind.START)
        entry, opening = (starts[0].index, starts[0].message) if starts else (-1, "")
        return Graph(key, process.get("name") or key, nodes, self.by_id, entry, waits, opening)


def _frozen(draft: _Draft) -> Node:
    element = draft.element
    name = element.get("id") or ""
    return Node(
        draft.index,
        name,
        element.get("name") or name,
        draft.kind,
        draft.scope,
        flows=tuple(draft.flows),
        incoming=tuple(draft.incoming),
        **draft.fields,
    )
