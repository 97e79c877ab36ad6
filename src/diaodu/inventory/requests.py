"""Requests of orders to an area: grouped from effects, ranked by (class, time, id)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diaodu.inventory.ports import Wanted

Rank = tuple[int, datetime, int]
# What lines say of their whole request.
_OF_ALL = frozenset({"claims", "until", "parked"})


@dataclass(frozen=True)
class Line:
    """One resource wanted for one thing; ``wan_mbps`` is the least rate that a router must carry."""

    effect: int
    thing: int
    want: str
    address: int | None
    wan_mbps: int


@dataclass(frozen=True)
class Request:
    """What an order asks an area.

    Of a reservation ``body`` is {"claims": [products], "lines": [lines]}, and "until" (ISO 8601) when it is soft,
    "parked" when it shall wait until somebody resumes it.
    """

    id: int
    order_id: int
    revision: int
    kind: str
    rank_class: int
    asked_at: datetime
    body: Mapping[str, Any]

    @property
    def rank(self) -> Rank:
        """Requests are served in this order."""
        return self.rank_class, self.asked_at, self.id

    @property
    def until(self) -> datetime | None:
        """The end of a soft reservation."""
        return datetime.fromisoformat(self.body["until"]) if self.body.get("until") else None

    @property
    def effects(self) -> tuple[int, ...]:
        """The effects that the answer is for."""
        return tuple(line["effect"] for line in self.body["lines"]) if self.kind == "reserve" else (self.id,)

    def lines(self) -> list[Line]:
        """The lines of a reservation; raises KeyError, TypeError or ValueError when one is malformed."""
        return [
            Line(raw["effect"], int(raw["thing"]), raw["want"], raw.get("address"), int(raw.get("wan_mbps") or 0))
            for raw in self.body["lines"]
            if raw["want"] != "claim"
        ]

    def claims(self) -> list[int]:
        """The products that a reservation claims."""
        return [int(c) for c in self.body["claims"]]


def grouped(wanted: Iterable[Wanted]) -> list[Request]:
    """One request for all reservations of an (order, revision), one for each other effect; by rank."""
    found: list[Request] = []
    reservations: dict[tuple[int, int], list[Wanted]] = {}
    for effect in wanted:
        if effect.kind == "reserve":
            reservations.setdefault((effect.order_id, effect.revision), []).append(effect)
        else:
            found.append(_request(effect, effect.body))
    found += [_reservation(sorted(effects, key=lambda e: e.id)) for effects in reservations.values()]
    return sorted(found, key=lambda r: r.rank)


def _reservation(effects: Sequence[Wanted]) -> Request:
    first = min(effects, key=lambda e: (e.created_at, e.id))
    claims = sorted({int(c) for e in effects for c in e.body.get("claims", ())})
    lines = [{**{k: v for k, v in e.body.items() if k not in _OF_ALL}, "effect": e.id} for e in effects]
    body: dict[str, Any] = {"claims": claims, "lines": lines}
    if ends := [e.body["until"] for e in effects if e.body.get("until")]:
        body["until"] = min(ends)
    if any(e.body.get("parked") for e in effects):
        body["parked"] = True
    return Request(
        effects[0].id, first.order_id, first.revision, "reserve", min(e.priority for e in effects), first.created_at,
        body,
    )  # fmt: skip


def _request(effect: Wanted, body: Mapping[str, Any]) -> Request:
    return Request(
        effect.id, effect.order_id, effect.revision, effect.kind, effect.priority, effect.created_at, dict(body)
    )
