"""Event subscriptions: who wants to hear, and the deliveries that an event makes inside its own transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from diaodu.kernel import sets
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import IdMaker, part_of
from diaodu.tmf.document import Document, instant
from diaodu.tmf.query import conditions_of

# A new subscription is heard by every process within this time.
CACHE_TIME = timedelta(seconds=1)
_DELIVERY = {
    "part": "int2", "id": "int8", "root_id": "int8", "subscription_id": "int8", "event_type": "text", "body": "jsonb",
    "state": "int2", "due_at": "timestamptz", "created_at": "timestamptz",
}  # fmt: skip


@dataclass(frozen=True)
class Subscription:
    """A listener of one API; ``conditions`` are dotted paths into the event with the values that match."""

    id: int
    api: str
    conditions: tuple[tuple[str, frozenset[str]], ...]

    def wants(self, event_type: str) -> bool:
        """Whether the type of an event matches, which is known before anything is rendered."""
        return all(event_type in values for path, values in self.conditions if path == "eventType")

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether a rendered event matches every condition."""
        return all(not values.isdisjoint(_found(event, path.split("."))) for path, values in self.conditions)


# One list per database of this process, which is what an IdMaker stands for.
_cache: WeakKeyDictionary[IdMaker, tuple[datetime, tuple[Subscription, ...]]] = WeakKeyDictionary()


def publish(
    tx: Tx,
    *,
    api: str,
    event_type: str,
    entity: str,
    root_id: int,
    render: Callable[[], Document],
    title: str | None = None,
    correlation_id: str | None = None,
) -> None:
    """Tell the subscribers of ``api`` about a locked root; ``render`` is called only if one wants this type.

    ``entity`` is the name of the resource in the event (``productOrder``); ``event_type`` as in the official file
    (``ProductOrderStateChangeEvent``). What was rendered is what the listener gets, however late. An href may begin
    with ``/``: it is completed when the event is sent.
    """
    interested = [s for s in subscriptions(tx) if s.api == api and s.wants(event_type)]
    if not interested:
        return
    part = part_of(root_id)
    event = {
        "eventId": str(tx.new_id(part)),
        "eventTime": instant(tx.now),
        "eventType": event_type,
        "title": title or event_type,
        "description": f"{entity} {root_id}",
        "priority": "normal",
        "event": {entity: render()},
    }
    if correlation_id is not None:
        event["correlationId"] = correlation_id
    matching = [s for s in interested if s.matches(event)]
    after = _last_waiting(tx, part, root_id) if matching else 0
    rows = [(part, _id_after(tx, part, after), root_id, s.id, event_type, event, 0, tx.now, tx.now) for s in matching]
    sets.insert(tx, "tmf.delivery", _DELIVERY, rows)


def subscriptions(tx: Tx) -> tuple[Subscription, ...]:
    """All subscriptions, at most ``CACHE_TIME`` old."""
    known = _cache.get(tx.ids)
    if known is None or not timedelta() <= tx.now - known[0] < CACHE_TIME:
        rows = tx.rows("select id, api, query from tmf.subscription order by id")
        known = (tx.now, tuple(Subscription(r[0], r[1], conditions(r[2])) for r in rows))
        _cache[tx.ids] = known
    return known[1]


def forget(tx: Tx) -> None:
    """Read the subscriptions anew at the next event: this process has just changed them."""
    _cache.pop(tx.ids, None)


def conditions(query: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """The conditions of a subscription's query string; alternatives of one attribute are one condition."""
    return tuple((attribute, frozenset(values)) for attribute, _, values in conditions_of(query))


def _found(value: Any, path: Sequence[str]) -> set[str]:
    """The texts at the end of a dotted path, through arrays too."""
    if isinstance(value, list):
        return {text for inner in value for text in _found(inner, path)}
    if not path:
        return set() if isinstance(value, dict) else {str(value)}
    return _found(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else set()


def _last_waiting(tx: Tx, part: int, root_id: int) -> int:
    row = tx.row("select max(id) from tmf.delivery where part = %s and root_id = %s and state = 0", (part, root_id))
    return (row and row[0]) or 0


def _id_after(tx: Tx, part: int, last: int) -> int:
    # Deliveries of one entity go out in id order. Another process's clock may run ahead, so draw until past its last.
    while (new := tx.new_id(part)) <= last:
        pass
    return new
