"""A process as the engine runs it: an immutable graph with integer nodes, compiled once per version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from diaodu.feel import Expression


class Kind(IntEnum):
    """What a token does at a node."""

    START = 0
    END = 1
    TERMINATE = 2
    PASS = 3  # tasks of nobody in particular, manual tasks, none and link events
    SCRIPT = 4
    RULE = 5
    SERVICE = 6  # service and send tasks, message throw and end events
    USER = 7
    CATCH = 8  # receive tasks and intermediate catch events
    ERROR = 9  # an error end event
    SIGNAL = 10  # signal throw and end events
    ESCALATION = 11  # escalation throw and end events
    EXCLUSIVE = 12
    PARALLEL = 13
    INCLUSIVE = 14
    EVENTS = 15  # an event-based gateway
    SUBPROCESS = 16
    EVENT_SUBPROCESS = 17
    STAGE = 18  # a plan-driven ad-hoc subprocess
    ADHOC = 19
    CALL = 20
    BOUNDARY = 21
    PROCESS = 22


class Trigger(IntEnum):
    """What a start, catch or boundary event waits for."""

    NONE = 0
    MESSAGE = 1
    TIMER = 2
    SIGNAL = 3
    ERROR = 4
    ESCALATION = 5


GATEWAYS = frozenset({Kind.EXCLUSIVE, Kind.PARALLEL, Kind.INCLUSIVE, Kind.EVENTS})
SCOPES = frozenset({Kind.SUBPROCESS, Kind.STAGE, Kind.ADHOC, Kind.EVENT_SUBPROCESS, Kind.PROCESS})
TASKS = frozenset({Kind.PASS, Kind.SCRIPT, Kind.RULE, Kind.SERVICE, Kind.USER, Kind.CATCH})
ACTIVITIES = TASKS | {Kind.SUBPROCESS, Kind.STAGE, Kind.ADHOC, Kind.CALL}

# A constant, or an expression evaluated when the token arrives.
Value = str | Expression


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow; a pair of link events is one too."""

    index: int
    target: int
    condition: Expression | None


@dataclass(frozen=True, slots=True)
class Timer:
    """When a timer fires: a date, a duration (in the working time of ``calendar``), or a cycle."""

    value: Value
    cycle: bool = False
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class Loop:
    """How often an activity is done; a standard loop has neither ``cardinality`` nor ``collection``."""

    sequential: bool
    cardinality: Expression | None = None
    collection: Expression | None = None
    element: str = ""  # the variable that holds an instance's item
    output: str = ""  # the variable that takes the list of what the instances gave
    value: Expression | None = None  # what an instance gives
    completion: Expression | None = None
    before: bool = False  # a standard loop asks before each turn
    condition: Expression | None = None
    most: int | None = None

    @property
    def multi(self) -> bool:
        return self.cardinality is not None or self.collection is not None


Mapped = tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A flow node. Only the fields that its kind needs are set."""

    index: int
    id: str
    name: str
    kind: Kind
    scope: int  # the node of the enclosing subprocess, -1 (the last node) for the process
    element: str = ""  # the BPMN element's name
    lane: str = ""  # the id of the innermost lane
    flows: tuple[Flow, ...] = ()
    choosing: bool = False  # the flows that are taken depend on conditions
    default: Flow | None = None
    incoming: tuple[int, ...] = ()  # flow indexes
    boundary: tuple[int, ...] = ()  # events attached to this activity
    handlers: tuple[int, ...] = ()  # start events of the event subprocesses in this scope
    attached: int = -1
    interrupting: bool = True
    trigger: Trigger = Trigger.NONE
    event: str = ""  # message or signal name, error or escalation code; an empty code catches every code
    key: Value = ""
    timer: Timer | None = None
    type: str = ""  # service type or decision name
    settings: Mapping[str, str] = field(default_factory=dict)
    script: Expression | None = None
    result: str = ""
    pool: Value = ""
    priority: Value = ""
    due: Value = ""
    entries: tuple[int, ...] = ()  # of a subprocess: where its tokens begin
    own: tuple[str, ...] = ()  # and the variables that it declares
    activities: Mapping[str, int] = field(default_factory=dict)  # of a stage: kind of work -> node
    sequential: bool = False  # an ad-hoc subprocess does one after the other
    completion: Expression | None = None  # of an ad-hoc subprocess
    cancel: bool = True  # and what becomes of the rest of it
    called: Value = ""
    version: int | None = None  # of the called process; None is the newest
    loop: Loop | None = None
    inputs: Mapped = ()
    outputs: Mapped = ()
    straight: Flow | None = None  # its one way out, where a token that holds nothing has nothing else to do


@dataclass(frozen=True, slots=True)
class Graph:
    """A compiled process; its last node is the process itself, the scope of the nodes whose ``scope`` is -1."""

    key: str
    name: str
    nodes: tuple[Node, ...]
    by_id: Mapping[str, int]
    entry: int  # the none start event, else the first one
    messages: frozenset[str]  # names that a token may wait for anywhere in the diagram
    signals: bool  # whether a token may wait for a signal
    opening: Mapping[tuple[Trigger, str], int]  # the message and signal start events of the process, by name
    schedules: tuple[int, ...]  # its timer start events
    joins: Mapping[int, Mapping[int, frozenset[int]]]  # inclusive gateway -> node -> which of its flows it may reach


@dataclass(frozen=True, slots=True)
class Process:
    """A deployed version, ready to run."""

    id: int
    version: int
    graph: Graph
    suspended: bool = False  # it starts no instances
