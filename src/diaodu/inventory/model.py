"""Addresses, resources and their connectivity, installed products and services."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Any

from diaodu.kernel.states import StateTable

# A number that was given up is not handed out again for this time.
NUMBER_QUARANTINE = timedelta(days=90)


class ResourceState(IntEnum):
    """What may be done with a resource."""

    FREE, RESERVED, IN_USE, FAULTY, QUARANTINED = range(5)


class ProductState(IntEnum):
    """The life of an installed product (TMF637)."""

    CREATED, PENDING_ACTIVE, ACTIVE, SUSPENDED, PENDING_TERMINATE, TERMINATED, CANCELLED = range(7)


class ServiceState(IntEnum):
    """The life of a service (TMF638)."""

    FEASIBILITY_CHECKED, DESIGNED, RESERVED, INACTIVE, ACTIVE, TERMINATED = range(6)


class RequestState(StrEnum):
    """Where a reservation stands in its area; ``int`` gives the number that its row has."""

    OPEN = "open"  # waits for resources and keeps its rank
    SERVED = "served"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    SOFT = "soft"  # served until an instant
    EXPIRED = "expired"
    ABSENT = "absent"  # not arrived yet: it has no row

    def __int__(self) -> int:
        return list(RequestState).index(self)


class RequestEvent(StrEnum):
    """What may happen to a reservation."""

    SERVE = "serve"
    SERVE_SOFTLY = "serveSoftly"
    WAIT = "wait"
    REFUSE = "refuse"
    CONFIRM = "confirm"  # what was soft becomes firm
    RESUME = "resume"  # what was put on the waiting list by hand is tried again
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


_R, _V = RequestState, RequestEvent
_ASKED = {_V.SERVE: _R.SERVED, _V.SERVE_SOFTLY: _R.SOFT, _V.WAIT: _R.OPEN, _V.REFUSE: _R.REFUSED}
_GONE = {_V.WITHDRAW: _R.WITHDRAWN}
_LATE = {_V.EXPIRE: _R.EXPIRED}
REQUEST_TABLE: StateTable[RequestState, RequestEvent] = StateTable(
    name="reservation",
    states=RequestState,
    events=RequestEvent,
    moves={
        _R.ABSENT: {**_ASKED, **_GONE},
        _R.OPEN: {**{v: r for v, r in _ASKED.items() if v is not _V.WAIT}, **_GONE, **_LATE},
        _R.SOFT: {_V.CONFIRM: _R.SERVED, **_GONE, **_LATE},
        _R.SERVED: _GONE,
        _R.WITHDRAWN: {},
        _R.REFUSED: {},
        _R.EXPIRED: {},
    },
    # The same request is pulled again and again until its answer has landed; an end comes once.
    ignored=frozenset(
        {(state, event) for state in (_R.SOFT, _R.SERVED, _R.WITHDRAWN, _R.REFUSED, _R.EXPIRED) for event in _ASKED}
        | {(state, event) for state in (_R.WITHDRAWN, _R.REFUSED, _R.EXPIRED) for event in (_V.WITHDRAW, _V.EXPIRE)}
        | {(_R.OPEN, _V.WAIT), (_R.OPEN, _V.CONFIRM), (_R.OPEN, _V.RESUME), (_R.SERVED, _V.CONFIRM)}
        | {(_R.ABSENT, _V.CONFIRM), (_R.ABSENT, _V.EXPIRE), (_R.SERVED, _V.EXPIRE)}
    ),
)


def takes(event: RequestEvent) -> list[int]:
    """The numbers of the states that an event leads out of."""
    return [int(state) for state in RequestState if event in REQUEST_TABLE.moves[state]]


# The specifications that make up the tree from the exchange to the box; the ports below a box are not kept in memory.
TREE = ("olt", "pon", "odf", "fibre", "splitter1", "splitter1_port", "box")
# Wants that are met from a pool of the area rather than by the tree.
POOLS = ("number", "ip", "onu", "stb", "router")


@dataclass(frozen=True, slots=True)
class Address:
    """A standard address; level 1 is the province, 9 the room. ``box_id`` None = no coverage."""

    id: int
    area: int | None
    parent_id: int | None
    level: int
    name: str
    full_name: str
    box_id: int | None


@dataclass(frozen=True)
class Resource:
    """One item of the network or of stock."""

    area: int
    id: int
    spec: str
    code: str
    state: ResourceState
    up_id: int | None
    place_id: int | None
    holder: int | None
    order_id: int | None
    until: datetime | None
    attrs: Mapping[str, Any]


@dataclass(frozen=True)
class Product:
    """An installed product with the confirmed effects that realise it."""

    area: int
    id: int
    customer_id: int
    parent_id: int | None
    offering: str
    spec: str | None
    name: str
    state: ProductState
    claimed_by: int | None
    characteristics: Mapping[str, Any]
    place_id: int | None
    realisations: list[Any]
    order_id: int
    release_id: int
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Service:
    """A service (CFS or RFS by ``role``) of a product."""

    area: int
    id: int
    product_id: int
    spec: str
    role: str
    state: ServiceState
    characteristics: Mapping[str, Any]
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the optical tree; ``attrs`` hold loss_db, length_m, ratio (n of 1:n), tx_dbm, svlan, x and y in m."""

    id: int
    spec: str
    code: str
    up_id: int | None
    place_id: int | None
    attrs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FreePort:
    """A free port of a box with its own inner VLAN."""

    id: int
    box_id: int
    code: str
    number: int
    length_m: float
    loss_db: float
    cvlan_id: int
    cvlan_code: str
    cvlan: int


@dataclass(frozen=True)
class Connectivity:
    """The static tree of an area down to the boxes, as kept in memory."""

    nodes: Mapping[int, Node]
    _paths: dict[int, tuple[Node, ...]] = field(default_factory=dict, compare=False, repr=False)

    def path(self, box_id: int) -> tuple[Node, ...]:
        """The nodes from a box up to its OLT."""
        if box_id not in self._paths:
            self._paths[box_id] = tuple(self._climb(box_id))
        return self._paths[box_id]

    def _climb(self, box_id: int) -> Iterable[Node]:
        at: int | None = box_id
        while at is not None:
            node = self.nodes[at]
            yield node
            at = node.up_id

    def boxes_near(self, box_id: int, within_m: float) -> list[tuple[float, int]]:
        """The boxes of the same place within a distance of a box, nearest first: (metres, box id); itself is at 0."""
        home = self.nodes[box_id]
        found = [(distance_m(home, box), box.id) for box in self._boxes_at[home.place_id]]
        return sorted(f for f in found if f[0] <= within_m)

    def pon(self, box_id: int) -> Node:
        """The PON port that feeds a box."""
        return next(n for n in self.path(box_id) if n.spec == "pon")

    def ports_below(self, pon_id: int) -> int:
        """How many users the boxes below a PON port can take."""
        return self._ports_below[pon_id]

    @cached_property
    def _boxes_at(self) -> Mapping[int | None, list[Node]]:
        found: dict[int | None, list[Node]] = {}
        for node in self.nodes.values():
            if node.spec == "box":
                found.setdefault(node.place_id, []).append(node)
        return found

    @cached_property
    def _ports_below(self) -> Mapping[int, int]:
        found: dict[int, int] = {}
        for boxes in self._boxes_at.values():
            for box in boxes:
                pon_id = self.pon(box.id).id
                found[pon_id] = found.get(pon_id, 0) + int(box.attrs["ratio"])
        return found


def distance_m(one: Node, other: Node) -> float:
    """The distance between two boxes as the drop cable runs: along the walls, not through the air."""
    return float(abs(one.attrs["x"] - other.attrs["x"]) + abs(one.attrs["y"] - other.attrs["y"]))
