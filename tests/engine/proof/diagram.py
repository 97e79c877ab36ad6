"""A BPMN file as a plain dictionary, for the oracle: read from the standard alone, nothing shared with the engine."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

BPMN, OWN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}", "{https://diaodu.dev/bpmn}"
SCOPES = {"process", "subProcess", "adHocSubProcess"}
GATEWAYS = {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"}
WORK = {"userTask", "serviceTask", "sendTask"}
Vars = dict[str, Any]
Element = ET.Element


@dataclass
class Diagram:
    """All processes of some files; ids are unique over them."""

    nodes: dict[str, Vars] = field(default_factory=dict)  # id -> tag, scope, out, in, event, name, ...
    flows: dict[str, Vars] = field(default_factory=dict)  # id -> source, target, condition

    kept: dict[tuple[str, str], list[Vars]] = field(default_factory=dict)

    def inside(self, scope: str) -> list[Vars]:
        return self._found("inside", scope, lambda: (n for n in self.nodes.values() if n["scope"] == scope))

    def starts(self, scope: str) -> list[Vars]:
        return self._found("starts", scope, lambda: (n for n in self.inside(scope) if n["tag"] == "startEvent"))

    def border(self, node: str) -> list[Vars]:
        return self._found("border", node, lambda: (n for n in self.nodes.values() if n["host"] == node))

    def handlers(self, scope: str) -> list[Vars]:
        """The start events of the event subprocesses in a scope."""
        own = (n["id"] for n in self.inside(scope) if n["by_event"])
        return self._found("handlers", scope, lambda: (s for name in own for s in self.starts(name)))

    def _found(self, what: str, where: str, look: Callable[[], Iterable[Vars]]) -> list[Vars]:
        if (what, where) not in self.kept:
            self.kept[what, where] = list(look())
        return self.kept[what, where]


def read(*files: bytes) -> Diagram:
    """Read processes with their nodes and sequence flows; link events become flows."""
    diagram = Diagram()
    for file in files:
        root = ET.fromstring(file)
        names = {e.get("id"): e.get("errorCode") or e.get("escalationCode") or e.get("name") for e in root}
        for process in root.iter(BPMN + "process"):
            _node(diagram, process, "", names)
    for flow, ends in diagram.flows.items():
        diagram.nodes[ends["source"]]["out"].append(flow)
        diagram.nodes[ends["target"]]["in"].append(flow)
    return diagram


def _node(diagram: Diagram, element: Element, scope: str, names: dict[str | None, str | None]) -> None:
    node = str(element.get("id"))
    loop = element.find(BPMN + "multiInstanceLoopCharacteristics")
    turn = element.find(BPMN + "standardLoopCharacteristics")
    diagram.nodes[node] = {
        "id": node,
        "tag": element.tag.removeprefix(BPMN),
        "scope": scope,
        "host": element.get("attachedToRef"),
        "stops": element.get("cancelActivity", "true") == "true" and element.get("isInterrupting", "true") == "true",
        "by_event": element.get("triggeredByEvent") == "true",
        "default": element.get("default"),
        "called": element.get("calledElement"),
        "result": element.get(OWN + "result"),
        "script": _text(element, "script"),
        "until": _text(element, "completionCondition"),
        "one_by_one": element.get("ordering") == "Sequential",
        "rest": element.get("cancelRemainingInstances", "true") == "true",
        "event": _event(element, names),
        "loop": None if loop is None and turn is None else _loop(loop, turn),
        "out": [],
        "in": [],
    }
    for child in element:
        tag = child.tag.removeprefix(BPMN)
        if tag == "sequenceFlow":
            ends = {"source": child.get("sourceRef"), "target": child.get("targetRef")}
            diagram.flows[str(child.get("id"))] = {**ends, "condition": _text(child, "conditionExpression")}
        elif tag.endswith(("Event", "Task", "task", "Gateway", "ubProcess", "callActivity")):
            _node(diagram, child, node, names)


def _text(element: Element, name: str) -> str | None:
    found = element.find(BPMN + name)
    return None if found is None else (found.text or "").strip()


def _event(element: Element, names: dict[str | None, str | None]) -> tuple[str, str | None, bool]:
    """What it waits for or throws, under which name, and whether it may happen again and again."""
    for child in element:
        tag = child.tag.removeprefix(BPMN)
        if tag.endswith("EventDefinition"):
            kind = tag.removesuffix("EventDefinition")
            reference = child.get(kind + "Ref")
            cycle = child.find(BPMN + "timeCycle")
            return kind, names.get(reference) or child.get("name"), kind != "timer" or cycle is not None
    if element.tag == BPMN + "receiveTask":
        return "message", names.get(element.get("messageRef")), False
    return "none", None, False


def _loop(many: Element | None, turn: Element | None) -> Vars:
    if many is not None:
        return {
            "many": True,
            "in_turn": many.get("isSequential") == "true",
            "count": _text(many, "loopCardinality"),
            "items": many.get(OWN + "collection"),
            "item": many.get(OWN + "element"),
            "until": _text(many, "completionCondition"),
        }
    assert turn is not None
    most = turn.get("loopMaximum")
    return {
        "many": False,
        "before": turn.get("testBefore") == "true",
        "while": _text(turn, "loopCondition"),
        "most": None if most is None else int(most),
    }


_TERM = re.compile(r"\s*(\w+)\s*(?:(<=|>=|!=|=|<|>|\+)\s*(\w+))?\s*")


def value(text: str, seen: Vars) -> Any:
    """The few expressions that the proofs use: a name or number, a sum, or comparisons joined by ``and``."""
    if " and " in text:
        return all(value(part, seen) is True for part in text.split(" and "))
    match = _TERM.fullmatch(text.removeprefix("="))
    assert match, text
    left, sign, right = match.groups()
    a = _atom(left, seen)
    if sign is None:
        return a
    b = _atom(right, seen)
    if sign in ("=", "!="):
        return (a == b) is (sign == "=")
    if a is None or b is None:
        return None
    return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b, "+": a + b}[sign]


def _atom(text: str, seen: Vars) -> Any:
    if text.isdigit():
        return int(text)
    return {"true": True, "false": False, "null": None}.get(text, seen.get(text))
