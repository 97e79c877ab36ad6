"""BPMN files made by code: boxes, and sequence flows as text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

_FLOW = re.compile(r"(\w+) -> (\w+)(?: (?:if (.+)|(else)))?")
_GATES = {"xor": "exclusiveGateway", "and": "parallelGateway", "or": "inclusiveGateway", "events": "eventBasedGateway"}
_NAMED = {"message": "name", "signal": "name", "error": "errorCode", "escalation": "escalationCode"}


@dataclass(frozen=True)
class Box:
    """A node: its element, id, attributes, and what is in it as XML or as boxes with flows."""

    tag: str
    id: str
    attributes: dict[str, str] = field(default_factory=dict)
    xml: str = ""
    boxes: Sequence["Box"] = ()
    arrows: str = ""


def event(text: str) -> str:
    """``timer``, ``cycle``, ``terminate``, ``error`` (any), or a kind with a name: ``message:paid``, ``link:x``."""
    kind, _, name = text.partition(":")
    match kind:
        case "":
            return ""
        case "timer":
            return "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
        case "cycle":
            return "<timerEventDefinition><timeCycle>R/PT1H</timeCycle></timerEventDefinition>"
        case "link":
            return f'<linkEventDefinition name="{name}"/>'
    reference = f' {kind}Ref="{kind}_{name}"' if name else ""
    return f"<{kind}EventDefinition{reference}/>"


def start(name: str, on: str = "", *, stops: bool = True) -> Box:
    return Box("startEvent", name, {} if stops else {"isInterrupting": "false"}, event(on))


def end(name: str, on: str = "") -> Box:
    return Box("endEvent", name, {}, event(on))


def catch(name: str, on: str) -> Box:
    return Box("intermediateCatchEvent", name, {}, event(on))


def throw(name: str, on: str = "") -> Box:
    return Box("intermediateThrowEvent", name, {}, event(on))


def border(name: str, host: str, on: str, *, stops: bool = True) -> Box:
    more = {} if stops else {"cancelActivity": "false"}
    return Box("boundaryEvent", name, {"attachedToRef": host, **more}, event(on))


def user(name: str, loop: str = "") -> Box:
    return Box("userTask", name, {"diaodu:pool": "1"}, loop)


def service(name: str, loop: str = "") -> Box:
    return Box("serviceTask", name, {"diaodu:type": "work"}, loop)


def task(name: str, loop: str = "") -> Box:
    return Box("task", name, {}, loop)


def receive(name: str, message: str, loop: str = "") -> Box:
    return Box("receiveTask", name, {"messageRef": "message_" + message}, loop)


def script(name: str, text: str, result: str) -> Box:
    return Box("scriptTask", name, {"diaodu:result": result}, f"<script>{escape(text)}</script>")


def gate(kind: str, name: str) -> Box:
    return Box(_GATES[kind], name)


def sub(name: str, boxes: Sequence[Box], arrows: str, loop: str = "", *, by_event: bool = False) -> Box:
    return Box("subProcess", name, {"triggeredByEvent": "true"} if by_event else {}, loop, boxes, arrows)


def adhoc(name: str, boxes: Sequence[Box], arrows: str = "", until: str = "", **attributes: str) -> Box:
    xml = f"<completionCondition>{escape(until)}</completionCondition>" if until else ""
    return Box("adHocSubProcess", name, attributes, xml, boxes, arrows)


def call(name: str, process: str, loop: str = "") -> Box:
    return Box("callActivity", name, {"calledElement": process}, loop)


def many(count: str = "", items: str = "", item: str = "", until: str = "", *, in_turn: bool = False) -> str:
    """Multi-instance: ``count`` or ``items`` with the variable ``item``."""
    attributes = {"isSequential": "true" if in_turn else "false", "diaodu:collection": items, "diaodu:element": item}
    xml = f"<loopCardinality>{count}</loopCardinality>" if count else ""
    xml += f"<completionCondition>{escape(until)}</completionCondition>" if until else ""
    return f"<multiInstanceLoopCharacteristics{_attributes(attributes)}>{xml}</multiInstanceLoopCharacteristics>"


def again(condition: str, most: int | None = None, *, before: bool = False) -> str:
    """A standard loop."""
    attributes = {"testBefore": str(before).lower(), "loopMaximum": "" if most is None else str(most)}
    xml = f"<loopCondition>{escape(condition)}</loopCondition>"
    return f"<standardLoopCharacteristics{_attributes(attributes)}>{xml}</standardLoopCharacteristics>"


def file(boxes: Sequence[Box], arrows: str, key: str = "p") -> bytes:
    """A file with one process."""
    body = _content(boxes, arrows)
    used = set(re.findall(r'Ref="(message|signal|error|escalation)_(\w+)"', body))
    named = "".join(f'<{kind} id="{kind}_{name}" {_NAMED[kind]}="{name}"/>' for kind, name in sorted(used))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:diaodu="https://diaodu.dev/bpmn"'
        f' targetNamespace="proof">{named}<process id="{key}" isExecutable="true">{body}</process></definitions>'
    ).encode()


def _content(boxes: Sequence[Box], arrows: str) -> str:
    lines = [part.strip() for part in re.split(r"[\n;]", arrows) if part.strip()]
    flows, defaults = [], {}
    for line in lines:
        match = _FLOW.fullmatch(line)
        assert match, line
        source, target, condition, default = match.groups()
        name = f"{source}_{target}"
        if default:
            defaults[source] = name
        inner = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
        flows.append(f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>')
    return "".join(_box(box, defaults.get(box.id, "")) for box in boxes) + "".join(flows)


def _box(box: Box, default: str) -> str:
    inner = _content(box.boxes, box.arrows)
    attributes = _attributes({"id": box.id, **box.attributes, "default": default})
    return f"<{box.tag}{attributes}>{box.xml}{inner}</{box.tag}>"


def _attributes(attributes: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(text)}" for name, text in attributes.items() if text)
