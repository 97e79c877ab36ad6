"""Which BPMN elements the engine knows, and how each is executed."""

from typing import Any

from diaodu.engine.graph import Kind

MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
EXTENSION = "{https://diaodu.dev/bpmn}"
EVENT_DEFINITIONS = frozenset(
    {"timerEventDefinition", "messageEventDefinition", "errorEventDefinition", "terminateEventDefinition"}
)

# Element -> event definition ("" for none) -> what a token does there. What is not listed is refused.
NODES: dict[str, dict[str, Kind]] = {
    "startEvent": {"": Kind.START, "messageEventDefinition": Kind.START},
    "endEvent": {"": Kind.END, "terminateEventDefinition": Kind.TERMINATE, "errorEventDefinition": Kind.ERROR_END},
    "intermediateThrowEvent": {"": Kind.MANUAL},
    "intermediateCatchEvent": {"timerEventDefinition": Kind.TIMER, "messageEventDefinition": Kind.MESSAGE},
    "boundaryEvent": {
        "timerEventDefinition": Kind.ON_TIMER,
        "messageEventDefinition": Kind.ON_MESSAGE,
        "errorEventDefinition": Kind.ON_ERROR,
    },
    "task": {"": Kind.MANUAL},
    "manualTask": {"": Kind.MANUAL},
    "userTask": {"": Kind.USER},
    "serviceTask": {"": Kind.SERVICE},
    "sendTask": {"": Kind.SERVICE},
    "receiveTask": {"": Kind.MESSAGE},
    "scriptTask": {"": Kind.SCRIPT},
    "businessRuleTask": {"": Kind.RULE},
    "exclusiveGateway": {"": Kind.EXCLUSIVE},
    "parallelGateway": {"": Kind.PARALLEL},
    "subProcess": {"": Kind.SUBPROCESS},
    "adHocSubProcess": {"": Kind.STAGE},
}

# Part of a diagram, but nothing to execute.
NOT_EXECUTED = frozenset(
    {
        "documentation", "extensionElements", "laneSet", "textAnnotation", "association", "group",
        "dataObject", "dataObjectReference", "dataStoreReference", "incoming", "outgoing",
    }
)  # fmt: skip

# What may stand inside a node.
PARTS = EVENT_DEFINITIONS | {"documentation", "extensionElements", "incoming", "outgoing", "script"}

# The extension attributes of a node, namespace https://diaodu.dev/bpmn; on the process, class="execution" demands a
# plan-driven stage.
KNOWN_ATTRIBUTES = frozenset(
    {
        "type",  # service and send tasks: the service to call
        "settings",  # and its own settings, "name=value; name=value"
        "decision",  # business rule tasks: the decision to ask
        "result",  # script and business rule tasks: the variable that takes the value
        "key",  # messages: FEEL, the key to wait for; without it the business key of the instance
        "pool",  # user tasks: a number or "=FEEL", whose worklist
        "priority",  # a number or "=FEEL"; 50 if not given
        "due",  # an ISO 8601 date or duration or "=FEEL"; one day if not given
        "plan",  # ad-hoc subprocesses: "true"
        "kind",  # inside a stage: the kinds of work done here, separated by spaces
    }
)


def local_name(element: Any) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]
