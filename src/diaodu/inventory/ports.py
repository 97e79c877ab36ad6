"""What an area's worker exchanges with those who use it: requests in, answers out, and the design rule."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from diaodu.inventory.model import Connectivity, FreePort
from diaodu.kernel.db import Tx


@dataclass(frozen=True)
class Wanted:
    """One effect that an order addresses to an area.

    ``body`` by kind:
    reserve: {"thing", "want": access | number | ip | onu | stb | router | claim, "address"?, "wan_mbps"?, "claims"?:
    [product ids], "until"?: held until then unless confirmed, "parked"?: waits until resumed}, one line of the order's
    request; archive: {"products", "services": rows of those tables, "use": [things], "usage": [[thing, product]],
    "end": [products], "unclaim": [products], "free": [[thing, resource]]}; release: {"thing", "products"};
    free: {"thing", "resources"?: only these ids}; unclaim: {"claim": product};
    faulty: {"thing", "faulty": [ids], "resources": [ids chosen with them]};
    withdraw, confirm, resume: {"request": the smallest effect id of the reservation}.
    """

    id: int
    order_id: int
    revision: int
    kind: str
    body: Mapping[str, Any]
    priority: int
    created_at: datetime


@dataclass(frozen=True)
class Answer:
    """The outcome of a request: ``body["status"]`` is served, soft, waiting, refused or expired.

    ``effects`` are the ids of the effects that it answers; of a served reservation ``body["lines"]`` is keyed by
    them (as text). A waiting or soft request is answered once more when it is served or expires.
    """

    area: int
    request_id: int
    order_id: int
    revision: int
    kind: str
    effects: tuple[int, ...]
    body: Mapping[str, Any]


# The open effects of an area by (priority, id), at most ``limit`` but with all reservations of an (order, revision)
# together; without those that the last argument names, which were pulled a moment ago.
Pull = Callable[[Tx, int, int, Collection[int]], Sequence[Wanted]]
# Brings answers to their orders, in transactions of its own; the same answer may come twice.
Tell = Callable[[Sequence[Answer]], None]


@dataclass(frozen=True)
class Design:
    """An access line that was chosen: its port and what to tell about it."""

    port: FreePort
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Shortfall:
    """Why no access line could be chosen: ``why`` is no-free-port, optical-budget or split-limit."""

    why: str
    detail: Mapping[str, Any]


class Designer(Protocol):
    """The choice rule for access lines; pure."""

    def candidates(self, net: Connectivity, box_id: int) -> Sequence[int]:
        """The boxes that may serve an address covered by ``box_id``, best first."""

    def choose(self, net: Connectivity, box_id: int, free: Mapping[int, Sequence[FreePort]]) -> Design | Shortfall:
        """Choose one of the free ports, given by box, for an address covered by ``box_id``."""
