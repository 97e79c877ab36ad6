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
    ERROR_END = 3
    MANUAL = 4
    SCRIPT = 5
    RULE = 6
    SERVICE = 7  # service and send tasks
    USER = 8
    MESSAGE = 9  # receive tasks and intermediate message events
    TIMER = 10
    EXCLUSIVE = 11
    PARALLEL = 12
    SUBPROCESS = 13
    STAGE = 14  # a plan-driven ad-hoc subprocess
    ON_TIMER = 15  # boundary events
    ON_MESSAGE = 16
    ON_ERROR = 17


GATEWAYS = frozenset({Kind.EXCLUSIVE, Kind.PARALLEL})
BOUNDARY = frozenset({Kind.ON_TIMER, Kind.ON_MESSAGE, Kind.ON_ERROR})
SCOPES = frozenset({Kind.SUBPROCESS, Kind.STAGE})
ACTIVITIES = frozenset({Kind.MANUAL, Kind.SCRIPT, Kind.RULE, Kind.SERVICE, Kind.USER, Kind.MESSAGE}) | SCOPES

# A constant, or an expression evaluated when the token arrives.
Value = str | Expression


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow; ``condition`` only where it leaves an exclusive gateway."""

    index: int
    target: int
    condition: Expression | None


@dataclass(frozen=True, slots=True)
class Node:
    """A flow node. Only the fields that its kind needs are set."""

    index: int
    id: str
    name: str
    kind: Kind
    scope: int  # the node of the enclosing subprocess, -1 for the process
    flows: tuple[Flow, ...] = ()
    default: Flow | None = None
    incoming: tuple[int, ...] = ()  # flow indexes
    boundary: tuple[int, ...] = ()  # events attached to this activity
    attached: int = -1
    interrupting: bool = True
    type: str = ""  # service type or decision name
    settings: Mapping[str, str] = field(default_factory=dict)
    timer: Value = ""
    message: str = ""
    key: Value = ""
    error: str = ""  # "" on a boundary event catches every code
    script: Expression | None = None
    result: str = ""
    pool: Value = ""
    priority: Value = ""
    due: Value = ""
    entry: int = -1  # the start event of a subprocess
    activities: Mapping[str, int] = field(default_factory=dict)  # of a stage: kind of work -> node


@dataclass(frozen=True, slots=True)
class Graph:
    """A compiled process."""

    key: str
    name: str
    nodes: tuple[Node, ...]
    by_id: Mapping[str, int]
    entry: int
    messages: frozenset[str]  # names that a token may wait for anywhere in the diagram
    opening: str  # name of the message that starts an instance, or ""
