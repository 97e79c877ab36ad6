"""Why an order or an item waits: 缓装, 待装, 挂起 and the like, each from an instant to an instant.

The rows are the pauses of the customer's clock. Which state an item takes while it waits follows from the causes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of

WHOLE = ""  # the item key of a hold on a whole order


class Cause(StrEnum):
    """Who or what an item waits for."""

    SUSPENDED = "suspended"  # 挂起: somebody of ours stopped it
    CUSTOMER = "customer"  # 缓装: the customer wants it later
    RETURNED = "returned"  # 退单 to the counter
    PRE = "pre"  # 预受理: the customer has not said yes
    FALLOUT = "fallout"  # something failed
    NO_RESOURCE = "no-resource"  # 待装


@dataclass(frozen=True)
class NewHold:
    """A hold to open; ``item_key`` WHOLE holds the whole order."""

    order_id: int
    item_key: str
    cause: Cause
    reason: str | None = None
    note: str | None = None
    until_at: datetime | None = None


@dataclass(frozen=True)
class Hold(NewHold):
    """A hold that is open."""

    id: int = 0
    made_by: str = ""
    since_at: datetime | None = None

    def covers(self, item_key: str) -> bool:
        """Whether the item waits for this."""
        return self.item_key in (WHOLE, item_key)


_COLUMNS = {
    "part": "int2", "id": "int8", "order_id": "int8", "item_key": "text", "cause": "text", "reason": "text",
    "note": "text", "made_by": "text", "since_at": "timestamptz", "until_at": "timestamptz",
}  # fmt: skip
_KEY = {"part": "int2", "order_id": "int8", "id": "int8"}


def holds_of(tx: Tx, order_ids: Iterable[int]) -> dict[int, list[Hold]]:
    """The open holds of locked orders, oldest first; read once per transaction, commands keep them true."""
    cache: dict[int, list[Hold]] = tx.memo.setdefault("ordering.holds", {})
    wanted = list(order_ids)
    missing = [i for i in wanted if i not in cache]
    if missing:
        cache.update({i: [] for i in missing})
        for row in tx.rows(
            "select order_id, item_key, cause, reason, note, until_at, id, made_by, since_at from ordering.hold"
            " where part = %s and order_id = any(%s::int8[]) and ended_at is null order by id",
            (part_of(missing[0]), missing),
        ):
            order, key, cause, *rest = row
            cache[order].append(Hold(order, key, Cause(cause), *rest))
    return {i: cache[i] for i in wanted}


def open_holds(tx: Tx, rows: Sequence[NewHold]) -> list[Hold]:
    """Open holds of locked orders, set-wise; those that are open already stay as they are. Returns the new ones."""
    known = holds_of(tx, {r.order_id for r in rows})
    standing = {(h.order_id, h.item_key, h.cause) for hs in known.values() for h in hs}
    made = [
        Hold(**vars(r), id=tx.new_id(part_of(r.order_id)), made_by=tx.actor, since_at=tx.now)
        for r in {(r.order_id, r.item_key, r.cause): r for r in rows}.values()
        if (r.order_id, r.item_key, r.cause) not in standing
    ]
    sets.insert(
        tx,
        "ordering.hold",
        _COLUMNS,
        [
            (part_of(h.order_id), h.id, h.order_id, h.item_key, h.cause, h.reason, h.note, h.made_by, h.since_at,
             h.until_at)
            for h in made
        ],
    )  # fmt: skip
    for h in made:
        known[h.order_id].append(h)
        until = {} if h.until_at is None else {"until": h.until_at.isoformat()}
        told = {k: v for k, v in (("reason", h.reason), ("note", h.note)) if v}
        entry = {"t": "hold.opened", "id": h.id, "item": h.item_key, "cause": h.cause, "by": h.made_by}
        journal.record(tx, h.order_id, entry | until | told)
    return made


def end_holds(tx: Tx, order_id: int, item_keys: Collection[str], cause: Cause) -> list[Hold]:
    """End the open holds of a cause on items of a locked order (WHOLE: on the order itself); returns them."""
    found = [h for h in holds_of(tx, [order_id])[order_id] if h.cause is cause and h.item_key in item_keys]
    end(tx, found)
    return found


def end(tx: Tx, holds: Sequence[Hold]) -> None:
    """End open holds of locked orders, set-wise: their clocks go on."""
    rows = [(part_of(h.order_id), h.order_id, h.id, tx.now) for h in holds]
    sets.update(tx, "ordering.hold", _KEY, {"ended_at": "timestamptz"}, rows, where="t.ended_at is null")
    known = holds_of(tx, {h.order_id for h in holds})
    for h in holds:
        known[h.order_id].remove(h)
        entry = {"t": "hold.ended", "id": h.id, "item": h.item_key, "cause": h.cause, "by": tx.actor}
        journal.record(tx, h.order_id, entry)
