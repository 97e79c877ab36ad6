"""``/diaodu-api/ordering/v1``: 追单, the revisions of an order."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field
from pydantic.alias_generators import to_camel

from diaodu.kernel import journal
from diaodu.kernel.errors import NotFound
from diaodu.ordering import queries
from diaodu.ordering.model import Line, Revision, RevisionState
from diaodu.ordering.revise import Entry, difference, entries, revise
from diaodu.ordering.tmf import SCOPE, amended_items, item_array
from diaodu.tmf import edge
from diaodu.tmf.operation import Ask, Body, Route, mount, shown

BASE = "/diaodu-api/ordering/v1"
# What the columns and readers of a revision hold.
NUMBER_MAX, NOTE_MAX = 1_000_000_000, 2_000


class Amendment(Body):
    """``number`` is the sender's own count of revisions, ``base`` the revision that its maker saw."""

    product_order_item: list[dict[str, Any]]
    number: int | None = Field(default=None, ge=1, le=NUMBER_MAX)
    base: int | None = Field(default=None, ge=1, le=NUMBER_MAX)
    note: str | None = Field(default=None, max_length=NOTE_MAX)


def _amend(ask: Ask) -> Response:
    order_id, body = ask.id(), ask.body
    journal.lock(ask.tx, [order_id])
    items = amended_items({"productOrderItem": body.product_order_item})
    made = revise(ask.tx, order_id, items, made_by=ask.by, number=body.number, base=body.base, note=body.note)
    entry = next(e for e in entries(ask.tx, order_id) if e.n == made.n)
    href = f"{BASE}/productOrder/{order_id}/revision/{made.n}"
    # What has no effect was not made.
    status = 200 if made.state == RevisionState.STALE else 201
    return edge.answer(_summary(order_id, entry), status=status, headers={"Location": href})


def _list(ask: Ask) -> list[Mapping[str, Any]]:
    return [_summary(ask.id(), e) for e in entries(ask.tx, ask.id())]


def _one(ask: Ask) -> Mapping[str, Any]:
    """A revision with its items, and in what it differs from the one that the order stood at."""
    order_id, n = ask.id(), ask.id("n")
    known = entries(ask.tx, order_id)
    entry = next((e for e in known if e.n == n), None)
    if entry is None:
        raise NotFound(entity="revision", id=n)
    stood_at = max((e.n for e in known if e.n < n and e.state == RevisionState.ACCEPTED), default=None)
    found = queries.revisions(ask.tx, [(order_id, i) for i in (n, stood_at) if i is not None])
    revision = found[order_id, n]
    lines = [vars(line) for line in revision.lines if line.wanted]
    result = {**_summary(order_id, entry), "productOrderItem": item_array(lines) or []}
    if stood_at is not None and revision.lines:
        result |= {"comparedWith": stood_at, "difference": changes(found[order_id, stood_at], revision)}
    return result


def changes(before: Revision, after: Revision) -> list[Mapping[str, Any]]:
    """Each item in which two revisions differ, with the values before and after; pure."""
    old = {line.key: line for line in before.lines}
    new = {line.key: line for line in after.lines}
    return [
        {"item": key, "change": change} | (_values(old[key], new[key]) if change == "changed" else {})
        for change, keys in vars(difference(before.lines, after.lines)).items()
        for key in sorted(keys)
    ]


def _values(before: Line, after: Line) -> dict[str, Any]:
    was, is_now = _flat(before), _flat(after)
    differing = [name for name in {**was, **is_now} if was.get(name) != is_now.get(name)]
    return {"values": {name: {"from": was.get(name), "to": is_now.get(name)} for name in differing}}


def _flat(line: Line) -> dict[str, Any]:
    """What a customer sees of a line; a place by its id and name."""
    place = {name: line.address.get(name) for name in ("id", "name")}
    return {"productOffering": line.offering, "place": shown(place), **line.characteristics}


def _summary(order_id: int, entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = shown({to_camel(name): v for name, v in vars(entry).items() if name != "digest"})
    return {"orderId": str(order_id)} | {name: value for name, value in told.items() if value is not None}


_PATH = "/productOrder/{id}/revision"
ROUTES = (
    Route(
        "POST", _PATH, f"{SCOPE}:write", "amendProductOrder",
        "追单: a new revision of an order, with all its items; 200 and state stale when a newer one is there",
        _amend, Amendment, status=201,
    ),
    Route("GET", _PATH, f"{SCOPE}:read", "productOrderRevisions", "The revisions of an order, oldest first", _list),
    Route(
        "GET", _PATH + "/{n}", f"{SCOPE}:read", "productOrderRevision",
        "A revision: its items, and what differs from the accepted one before it", _one,
    ),
)  # fmt: skip


def mount_ordering(router: APIRouter) -> None:
    """Serve the interface."""
    mount(router, BASE, ROUTES, tag="ordering")
