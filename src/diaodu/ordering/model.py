"""What a customer orders: drafts as they come in, items and revisions as they are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from diaodu.catalog.model import Tree


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
    CLOSING = "closing"  # built; the archives are under way
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


_S = ItemState
FINAL = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED, _S.REJECTED})
# Total table of what may happen to an item (official life cycle, plus closing).
TRANSITIONS: Mapping[ItemState, frozenset[ItemState]] = {
    _S.ACKNOWLEDGED: frozenset({_S.PENDING, _S.HELD, _S.IN_PROGRESS, _S.CANCELLED}),
    _S.PENDING: frozenset({_S.ACKNOWLEDGED, _S.IN_PROGRESS, _S.HELD, _S.CANCELLED}),
    _S.HELD: frozenset({_S.IN_PROGRESS, _S.PENDING, _S.CANCELLED, _S.FAILED, _S.CLOSING}),
    _S.IN_PROGRESS: frozenset({_S.PENDING, _S.HELD, _S.CLOSING, _S.FAILED, _S.CANCELLED}),
    _S.CLOSING: frozenset({_S.COMPLETED, _S.HELD}),
    **{state: frozenset() for state in FINAL},
}


def order_state(states: Iterable[ItemState]) -> str:
    """The state of an order, derived from its items (TMF622 words).

    Any item still moving makes the order inProgress; at the end all completed is completed, all failed is failed,
    a mix is partial.
    """
    found = set(states)
    if len(found) == 1:
        only = next(iter(found))
        return _S.IN_PROGRESS if only is _S.CLOSING else only
    if found <= FINAL:
        done = found - {_S.CANCELLED, _S.REJECTED}
        return next(iter(done)) if len(done) == 1 else "partial" if done else _S.CANCELLED
    moving = found - FINAL
    if moving & {_S.IN_PROGRESS, _S.CLOSING, _S.ACKNOWLEDGED} or found & FINAL:
        return _S.IN_PROGRESS
    return _S.HELD if _S.HELD in moving else _S.PENDING


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
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Revision:
    """A revision of an order, with the release that it was made under."""

    order_id: int
    n: int
    state: str  # intake, accepted, rejected, replaced
    release_id: int
    customer: Mapping[str, Any]
    ordered_at: str  # ISO 8601, UTC
    lines: tuple[Line, ...]
    tree: Tree | None
    design: Mapping[str, Any]
    problems: list[Mapping[str, Any]]
