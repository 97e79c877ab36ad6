"""What a customer orders: drafts as they come in, items and revisions as they are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from diaodu.catalog.model import Tree
from diaodu.kernel.states import StateTable


class Action(StrEnum):
    """What an item does to a product (TMF622)."""

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"
    NO_CHANGE = "noChange"


class ItemState(StrEnum):
    """What the customer was promised for one item; ``closing`` shows as inProgress outside."""

    ACKNOWLEDGED = "acknowledged"
    PENDING = "pending"  # waits for the customer or the counter
    HELD = "held"  # waits for us: no resource, fallout
    IN_PROGRESS = "inProgress"
    ASSESSING = "assessingCancellation"  # a cancellation waits for the customer's word
    CANCELLING = "pendingCancellation"  # what was done is being undone
    CLOSING = "closing"  # built; the archives are under way
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


_S = ItemState
FINAL = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED, _S.REJECTED})


class ItemEvent(StrEnum):
    """What may happen to an item; each leads to one state."""

    WAIT_CUSTOMER = "waitCustomer"  # audit refused, 缓装, returned to the counter
    WAIT_US = "waitUs"  # no resource, fallout, 挂起
    GO_INTAKE = "goIntake"
    GO_WORK = "goWork"
    GO_CLOSE = "goClose"
    ASSESS = "assess"
    CANCEL = "cancel"
    UNDONE = "undone"
    COMPLETE = "complete"
    FAIL = "fail"


_E = ItemEvent
_CLOSE = {_E.GO_CLOSE: _S.CLOSING}
_GO = {_E.WAIT_CUSTOMER: _S.PENDING, _E.WAIT_US: _S.HELD, _E.GO_WORK: _S.IN_PROGRESS}
_STOP = {_E.ASSESS: _S.ASSESSING, _E.CANCEL: _S.CANCELLING}
_BACK = {_E.GO_INTAKE: _S.ACKNOWLEDGED}
_STANDS = {
    _S.ACKNOWLEDGED: _E.GO_INTAKE,
    _S.PENDING: _E.WAIT_CUSTOMER,
    _S.HELD: _E.WAIT_US,
    _S.IN_PROGRESS: _E.GO_WORK,
    _S.CLOSING: _E.GO_CLOSE,
    _S.ASSESSING: _E.ASSESS,
    _S.CANCELLING: _E.CANCEL,
}


def _moves(state: ItemState, *possible: Mapping[ItemEvent, ItemState]) -> Mapping[ItemEvent, ItemState]:
    return {event: to for moves in possible for event, to in moves.items() if to is not state}


ITEM_TABLE: StateTable[ItemState, ItemEvent] = StateTable(
    name="order item",
    states=ItemState,
    events=ItemEvent,
    moves={
        _S.ACKNOWLEDGED: _moves(_S.ACKNOWLEDGED, _GO, _STOP),
        _S.PENDING: _moves(_S.PENDING, _GO, _STOP, _BACK, _CLOSE),
        _S.HELD: _moves(_S.HELD, _GO, _STOP, _BACK, _CLOSE, {_E.FAIL: _S.FAILED}),
        _S.IN_PROGRESS: _moves(_S.IN_PROGRESS, _GO, _STOP, _CLOSE, {_E.FAIL: _S.FAILED}),
        # The last report may come while the customer is asked: then there is nothing to cancel any more.
        _S.ASSESSING: _moves(_S.ASSESSING, _GO, _STOP, _BACK, _CLOSE),
        _S.CANCELLING: {_E.UNDONE: _S.CANCELLED},
        _S.CLOSING: {_E.COMPLETE: _S.COMPLETED, _E.WAIT_US: _S.HELD},
        **{state: {} for state in FINAL},
    },
    # Where one stands already; and what is being undone hears of late facts and stays what it is.
    ignored=frozenset({*_STANDS.items(), *((_S.CANCELLING, e) for e in (*_GO, *_BACK, _E.GO_CLOSE))}),
)


class RevisionState(StrEnum):
    """What became of a revision; at most one of an order is in intake."""

    INTAKE = "intake"
    ACCEPTED = "accepted"  # the newest accepted one is what the order shall become
    REJECTED = "rejected"
    REPLACED = "replaced"  # a newer one came while it was in intake
    STALE = "stale"  # it came after a newer one: kept, without effect


class RevisionEvent(StrEnum):
    """What may happen to a revision."""

    ACCEPT = "accept"
    REJECT = "reject"
    REPLACE = "replace"


REVISION_TABLE: StateTable[RevisionState, RevisionEvent] = StateTable(
    name="revision",
    states=RevisionState,
    events=RevisionEvent,
    moves={
        RevisionState.INTAKE: {
            RevisionEvent.ACCEPT: RevisionState.ACCEPTED,
            RevisionEvent.REJECT: RevisionState.REJECTED,
            RevisionEvent.REPLACE: RevisionState.REPLACED,
        },
        RevisionState.ACCEPTED: {},
        # What was sent back waits to be mended by a newer one.
        RevisionState.REJECTED: {},
        RevisionState.REPLACED: {},
        RevisionState.STALE: {},
    },
)


def leads(before: ItemState, after: ItemState) -> bool:
    """Whether some event leads from one state to the other."""
    return after in ITEM_TABLE.moves[before].values()


def order_state(states: Iterable[ItemState]) -> str:
    """The state of an order, derived from its items (TMF622 words).

    What was cancelled does not count as long as something else is there. At the end all completed is completed, all
    failed is failed, a mix is partial; before, items that wait hold an order only when all of them do.
    """
    found = set(states)
    live = found - {_S.CANCELLED, _S.REJECTED}
    if not live:
        return next(iter(found)) if len(found) == 1 else _S.CANCELLED
    if len(live) == 1:
        only = next(iter(live))
        return _S.IN_PROGRESS if only is _S.CLOSING else only
    if live <= FINAL:
        return "partial"
    return _S.HELD if live <= {_S.HELD, _S.PENDING} else _S.IN_PROGRESS


@dataclass(frozen=True)
class ItemDraft:
    """One item as the client sent it."""

    key: str
    action: str
    offering_id: str | None
    product_id: str | None = None
    quantity: int = 1
    characteristics: Mapping[str, Any] = field(default_factory=dict)
    place: Mapping[str, Any] | None = None  # {"id": …} or {"name": full address}
    children: tuple["ItemDraft", ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OrderDraft:
    """A product order as the client sent it; ``source`` is the client's own name."""

    external_id: str | None
    source: str
    customer_ref: str | None
    items: tuple[ItemDraft, ...]
    channel: str | None = None
    category: str | None = None
    description: str | None = None
    priority: int = 4  # TMF: 0 highest … 4 lowest
    requested_start: datetime | None = None
    requested_completion: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CapturedOrder:
    """The answer to a capture: the order's id, and whether this call made it."""

    id: int
    created: bool


PONR = ("none", "soft", "hard")  # the points of no return, in the order in which they are passed


@dataclass(frozen=True)
class Item:
    """An order item as it is kept: what is asked for stands in the revision's document, the promise here."""

    id: int
    order_id: int
    key: str
    parent_key: str | None
    action: Action
    offering: str
    product_id: int
    state: ItemState
    reason: str | None
    ponr: str = "none"  # the point of no return that its facts have passed


@dataclass(frozen=True)
class Line:
    """A line of a revision's document: one product, checked against the catalogue and the address."""

    key: str
    parent: str | None
    group: str  # key of the top-level item
    action: Action
    offering: str
    spec: str | None  # None: a 套餐, which has no service of its own
    product_id: int
    characteristics: Mapping[str, Any]
    address: Mapping[str, Any]  # id, name, area, unit, rural
    installed: Mapping[str, Any] = field(default_factory=dict)  # characteristics of the product as it is
    things: Mapping[str, int] = field(default_factory=dict)  # its things by specification
    held: Mapping[str, str] = field(default_factory=dict)  # its confirmed effects: kind -> hash of what they read
    wanted: bool = True  # False: this revision takes the line back; it is kept so that what it was can be undone
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Revision:
    """A revision of an order, with the release that it was made under."""

    order_id: int
    n: int
    state: str  # intake, accepted, rejected, replaced, stale
    release_id: int
    customer: Mapping[str, Any]
    ordered_at: str  # ISO 8601, UTC
    lines: tuple[Line, ...]
    tree: Tree | None = None
    design: Mapping[str, Any] = field(default_factory=dict)
    problems: list[Mapping[str, Any]] = field(default_factory=list)
