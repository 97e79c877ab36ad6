"""Which BPMN elements and attributes the engine knows, and how each element is executed; the rest is refused."""

from collections.abc import Mapping
from typing import Any

from diaodu.engine.graph import Kind, Trigger

MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
EXTENSION = "{https://diaodu.dev/bpmn}"
TRIGGERS = {
    "messageEventDefinition": Trigger.MESSAGE,
    "timerEventDefinition": Trigger.TIMER,
    "signalEventDefinition": Trigger.SIGNAL,
    "errorEventDefinition": Trigger.ERROR,
    "escalationEventDefinition": Trigger.ESCALATION,
}
LINK = "linkEventDefinition"
EVENT_DEFINITIONS = frozenset({*TRIGGERS, LINK, "terminateEventDefinition"})

_CAUGHT = {"messageEventDefinition", "timerEventDefinition", "signalEventDefinition"}
_THROWN = {
    "": Kind.PASS,
    "messageEventDefinition": Kind.SERVICE,
    "signalEventDefinition": Kind.SIGNAL,
    "escalationEventDefinition": Kind.ESCALATION,
}

# Element -> event definition ("" for none) -> what a token does there. What is not listed is refused.
NODES: dict[str, dict[str, Kind]] = {
    "startEvent": dict.fromkeys(["", *TRIGGERS], Kind.START),
    "endEvent": {
        **_THROWN,
        "": Kind.END,
        "terminateEventDefinition": Kind.TERMINATE,
        "errorEventDefinition": Kind.ERROR,
    },
    "intermediateThrowEvent": {**_THROWN, LINK: Kind.PASS},
    "intermediateCatchEvent": {**dict.fromkeys(_CAUGHT, Kind.CATCH), LINK: Kind.PASS},
    "boundaryEvent": dict.fromkeys(TRIGGERS, Kind.BOUNDARY),
    "task": {"": Kind.PASS},
    "manualTask": {"": Kind.PASS},
    "userTask": {"": Kind.USER},
    "serviceTask": {"": Kind.SERVICE},
    "sendTask": {"": Kind.SERVICE},
    "receiveTask": {"": Kind.CATCH},
    "scriptTask": {"": Kind.SCRIPT},
    "businessRuleTask": {"": Kind.RULE},
    "exclusiveGateway": {"": Kind.EXCLUSIVE},
    "parallelGateway": {"": Kind.PARALLEL},
    "inclusiveGateway": {"": Kind.INCLUSIVE},
    "eventBasedGateway": {"": Kind.EVENTS},
    "subProcess": {"": Kind.SUBPROCESS},
    "adHocSubProcess": {"": Kind.ADHOC},
    "callActivity": {"": Kind.CALL},
}

# Part of a diagram, but nothing to execute.
NOT_EXECUTED = frozenset(
    {
        "documentation", "extensionElements", "laneSet", "textAnnotation", "association", "group", "category",
        "dataObject", "dataObjectReference", "dataStoreReference", "property", "incoming", "outgoing", "auditing",
        "monitoring",
    }
)  # fmt: skip

_ACTIVITY_PARTS = frozenset(
    {
        "ioSpecification", "dataInputAssociation", "dataOutputAssociation", "multiInstanceLoopCharacteristics",
        "standardLoopCharacteristics",
    }
)  # fmt: skip
_EVENTS = ("startEvent", "endEvent", "intermediateThrowEvent", "intermediateCatchEvent", "boundaryEvent")
SUBPROCESSES = ("subProcess", "adHocSubProcess")
_TASKS = (
    "task", "manualTask", "userTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask",
)  # fmt: skip
_GATEWAYS = ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway")

# What may stand inside a node, beside NOT_EXECUTED; subprocesses hold flow elements too.
PARTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(_EVENTS, EVENT_DEFINITIONS),
    **dict.fromkeys((*_TASKS, "callActivity", "subProcess"), _ACTIVITY_PARTS),
    **dict.fromkeys(_GATEWAYS, frozenset()),
    "scriptTask": _ACTIVITY_PARTS | {"script"},
    "adHocSubProcess": _ACTIVITY_PARTS | {"completionCondition"},
}

_ANY: frozenset[str] = frozenset()
_NO, _YES_NO, _ONE = frozenset({"false"}), frozenset({"true", "false"}), frozenset({"1"})
_ACTIVITY = {"default": _ANY, "isForCompensation": _NO, "startQuantity": _ONE, "completionQuantity": _ONE}
_KINDS = frozenset({"##unspecified", "##WebService", "##Unspecified"})
_GATEWAY = {"gatewayDirection": frozenset({"Unspecified", "Converging", "Diverging", "Mixed"})}

# Element -> attribute -> the values that are executed; _ANY: every value. ``id`` and ``name`` are known everywhere.
ATTRIBUTES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "process": {"isExecutable": _YES_NO, "isClosed": _ANY, "processType": _ANY},
    "sequenceFlow": {"sourceRef": _ANY, "targetRef": _ANY, "isImmediate": frozenset({"true"})},
    "startEvent": {"isInterrupting": _YES_NO, "parallelMultiple": _NO},
    "endEvent": {},
    "intermediateThrowEvent": {},
    "intermediateCatchEvent": {"parallelMultiple": _NO},
    "boundaryEvent": {"attachedToRef": _ANY, "cancelActivity": _YES_NO, "parallelMultiple": _NO},
    "task": _ACTIVITY,
    "manualTask": _ACTIVITY,
    "userTask": {**_ACTIVITY, "implementation": _KINDS},
    "serviceTask": {**_ACTIVITY, "implementation": _KINDS},
    "sendTask": {**_ACTIVITY, "implementation": _KINDS, "messageRef": _ANY},
    "receiveTask": {**_ACTIVITY, "implementation": _KINDS, "messageRef": _ANY, "instantiate": _NO},
    "scriptTask": {**_ACTIVITY, "scriptFormat": _ANY},
    "businessRuleTask": {**_ACTIVITY, "implementation": _KINDS},
    "exclusiveGateway": {**_GATEWAY, "default": _ANY},
    "parallelGateway": _GATEWAY,
    "inclusiveGateway": {**_GATEWAY, "default": _ANY},
    "eventBasedGateway": {**_GATEWAY, "instantiate": _NO, "eventGatewayType": frozenset({"Exclusive"})},
    "subProcess": {**_ACTIVITY, "triggeredByEvent": _YES_NO},
    "adHocSubProcess": {
        **_ACTIVITY,
        "triggeredByEvent": _NO,
        "ordering": frozenset({"Parallel", "Sequential"}),
        "cancelRemainingInstances": _YES_NO,
    },
    "callActivity": {**_ACTIVITY, "calledElement": _ANY},
    "multiInstanceLoopCharacteristics": {"isSequential": _YES_NO, "behavior": frozenset({"All"})},
    "standardLoopCharacteristics": {"testBefore": _YES_NO, "loopMaximum": _ANY},
    "messageEventDefinition": {"messageRef": _ANY},
    "signalEventDefinition": {"signalRef": _ANY},
    "errorEventDefinition": {"errorRef": _ANY},
    "escalationEventDefinition": {"escalationRef": _ANY},
    "timerEventDefinition": {},
    "terminateEventDefinition": {},
    LINK: {},
}

_SERVICE = frozenset({"type", "topic", "settings"})
# The extension attributes, namespace https://diaodu.dev/bpmn:
# type, settings  the service to call, and its own settings, "name=value; name=value"
# topic           instead of a type: external workers fetch the task by this topic
# decision        the decision to ask
# result          the variable that takes the value of a script or decision; without it a context gives several
# key             FEEL, the key of the message to wait for; without it the business key of the instance
# pool, priority  of a human task: a number or "=FEEL"; the priority is 50 if not given
# due             an ISO 8601 date or duration or "=FEEL"; one day if not given
# calendar        a timer's duration counts in the working time of this calendar
# plan            "true": a driver says what runs in the ad-hoc subprocess
# kind            inside such a stage: the kinds of work done here, separated by spaces
# version         a called process is not the newest one, but this
# class           of a process, "execution" demands exactly one plan-driven stage
# collection, element, output, value  of a multi-instance activity: FEEL, the list; the variable for an item; the
#                 variable for the list of results; FEEL, what an instance gives
EXTENSIONS: Mapping[str, frozenset[str]] = {
    "process": frozenset({"class"}),
    "serviceTask": _SERVICE,
    "sendTask": _SERVICE,
    "businessRuleTask": frozenset({"decision", "result"}),
    "scriptTask": frozenset({"result"}),
    "userTask": frozenset({"pool", "priority", "due"}),
    "receiveTask": frozenset({"key"}),
    "adHocSubProcess": frozenset({"plan"}),
    "callActivity": frozenset({"version"}),
    "multiInstanceLoopCharacteristics": frozenset({"collection", "element", "output", "value"}),
}
# And those of events, by what they wait for or throw.
EVENT_EXTENSIONS: Mapping[Trigger, frozenset[str]] = {
    Trigger.MESSAGE: frozenset({"key"}),
    Trigger.TIMER: frozenset({"calendar"}),
}
SERVICE_EXTENSIONS = _SERVICE


def local_name(element: Any) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]
