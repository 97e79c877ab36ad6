"""Writes of orders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.catalog.model import Release
from diaodu.engine import commands as engine
from diaodu.inventory import queries as inventory
from diaodu.kernel import journal, sets
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_for, part_of
from diaodu.kernel.keys import content_hash, id_for
from diaodu.ordering import errors, queries
from diaodu.ordering.check import Installed, check_lines
from diaodu.ordering.model import (
    FINAL,
    PONR,
    Action,
    CapturedOrder,
    Item,
    ItemDraft,
    ItemState,
    Line,
    OrderDraft,
    Revision,
    leads,
    order_state,
)
from diaodu.party import queries as party
from diaodu.tmf import hub

API = "productOrderingManagement"
_ORDER = {
    "part": "int2", "id": "int8", "external_id": "text", "source": "text", "content_hash": "bytea",
    "customer_id": "int8", "channel": "text", "category": "text", "description": "text", "priority": "int2",
    "ordered_at": "timestamptz", "requested_start_at": "timestamptz", "requested_completion_at": "timestamptz",
    "extra": "jsonb",
}  # fmt: skip
_ITEM = {
    "part": "int2", "id": "int8", "order_id": "int8", "item_key": "text", "parent_key": "text", "action": "text",
    "offering": "text", "product_id": "int8", "state": "text",
}  # fmt: skip
_REVISION = {
    "part": "int2", "order_id": "int8", "n": "int4", "state": "text", "release_id": "int4", "document": "jsonb",
    "tree": "jsonb", "made_by": "text", "base": "int4", "digest": "bytea", "note": "text", "created_at": "timestamptz",
    "decided_at": "timestamptz",
}  # fmt: skip


# What is known of somebody who only asks.
_ANYBODY = {
    "id": 0, "code": "", "name": "", "category": "household", "level": "1", "status": "active", "phone": None,
    "account": None,
}  # fmt: skip


def order_id_for(tx: Tx, *, source: str, key: str | None) -> int:
    """The id that an order has or will have: fixed by the client's key, in a transaction of its own."""
    if key is None:
        return tx.new_id(part_for(str(tx.new_id(0)), tx.parts))
    return id_for(tx, "productOrder", source=source, key=key)


def capture_order(tx: Tx, *, order_id: int, draft: OrderDraft, principal: Principal) -> CapturedOrder:
    """Capture one order at the id that ``order_id_for`` gave; typed refusals leave nothing behind."""
    del principal  # the edge has asked for the right; the journal knows the actor
    return capture_orders(tx, [(order_id, draft)])[0]


def capture_orders(tx: Tx, captures: Sequence[tuple[int, OrderDraft]]) -> list[CapturedOrder]:
    """Capture orders of one partition, set-wise: order, items, revision 1 and the job that starts the intake.

    An order that is there already is answered again when its content is the same, else KeyReused.
    """
    made = journal.create(tx, [order_id for order_id, _ in captures], "productOrder")
    _same_content(tx, [(i, d) for i, d in captures if i not in made])
    new = [(i, d) for i, d in captures if i in made]
    release = catalog.current_release(tx)
    checked = checked_lines(tx, new, release)
    sets.insert(
        tx,
        "ordering.product_order",
        _ORDER,
        [_order_row(tx, i, d, c) for (i, d), (c, _) in zip(new, checked, strict=True)],
    )
    add_items(tx, [(i, line) for (i, _), (_, lines) in zip(new, checked, strict=True) for line in lines])
    captured = tx.now.isoformat()
    add_revisions(
        tx,
        [
            NewRevision(
                Revision(i, 1, "intake", release.id, customer, captured, lines), tx.actor, content_hash(draft.items)
            )
            for (i, draft), (customer, lines) in zip(new, checked, strict=True)
        ],
    )
    engine.enqueue(tx, [engine.Enqueue(i, "order.acknowledged", {"revision": 1}, "revision:1") for i, _ in new])
    for i, draft in new:
        journal.record(tx, i, {"t": "order.captured", "external_id": draft.external_id, "source": draft.source})
        tell(tx, i, "ProductOrderCreateEvent")
    return [CapturedOrder(i, i in made) for i, _ in captures]


def _same_content(tx: Tx, known: Sequence[tuple[int, OrderDraft]]) -> None:
    if not known:
        return
    rows = tx.rows(
        "select id, content_hash from ordering.product_order where part = %s and id = any(%s::int8[])",
        (part_of(known[0][0]), [i for i, _ in known]),
    )
    hashes = {r[0]: bytes(r[1]) for r in rows}
    for i, draft in known:
        if hashes.get(i) != content_hash(draft):
            raise errors.KeyReused(key=draft.external_id or "", id=i)


def checked_lines(
    tx: Tx, orders: Sequence[tuple[int, OrderDraft]], release: Release, before: Sequence[Line] = ()
) -> list[tuple[dict[str, Any], tuple[Line, ...]]]:
    """Customer facts and checked lines of each draft; what they refer to is read once for all of them.

    ``before`` are the lines of the one order that is amended.
    """
    drafts = [d for _, d in orders]
    for d in drafts:
        if not d.customer_ref:
            raise errors.CustomerMissing
    customers = party.customers_by_ref(tx, sorted({d.customer_ref for d in drafts if d.customer_ref}))
    places = [item.place for d in drafts for item in _walk(d.items) if item.place]
    addresses = inventory.covered_places(tx, places)
    result = []
    for order_id, draft in orders:
        customer: dict[str, Any] = customers[draft.customer_ref or ""]
        installed = _installed(tx, draft, customer["id"])
        lines = _lines(tx, order_id, draft, release=release, addresses=addresses, installed=installed, before=before)
        result.append((customer, lines))
    return result


def tried_lines(tx: Tx, draft: OrderDraft, release: Release) -> tuple[dict[str, Any], tuple[Line, ...]]:
    """As ``checked_lines``, for a draft that is only asked about: nobody has to say who the customer is."""
    if draft.customer_ref:
        return checked_lines(tx, [(0, draft)], release)[0]
    addresses = inventory.covered_places(tx, [item.place for item in _walk(draft.items) if item.place])
    return dict(_ANYBODY), _lines(tx, 0, draft, release=release, addresses=addresses, installed={})


def _lines(
    tx: Tx, order_id: int, draft: OrderDraft, *, release: Release, addresses: Callable[..., Any], installed: Installed,
    before: Sequence[Line] = (),
) -> tuple[Line, ...]:  # fmt: skip
    return check_lines(
        draft,
        release,
        address_of=lambda item: addresses(item.place) if item.place else None,
        installed=installed,
        new_id=partial(tx.new_id, part_of(order_id)),
        before=before,
    )


def _installed(tx: Tx, draft: OrderDraft, customer_id: int) -> Installed:
    named = [
        int(i.product_id)
        for i in _walk(draft.items)
        if i.action != Action.ADD and i.product_id and i.product_id.isdigit()
    ]
    return inventory.installed_products(tx, customer_id=customer_id, product_ids=named) if named else {}


def _walk(items: Sequence[ItemDraft]) -> list[ItemDraft]:
    return [i for item in items for i in (item, *_walk(item.children))]


def _order_row(tx: Tx, order_id: int, d: OrderDraft, customer: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        part_of(order_id), order_id, d.external_id, d.source, content_hash(d), customer["id"], d.channel, d.category,
        d.description, d.priority, tx.now, d.requested_start, d.requested_completion, d.extra,
    )  # fmt: skip


@dataclass(frozen=True)
class NewRevision:
    """A revision to write down; ``base`` is the one that its maker saw, ``digest`` that of what was sent."""

    revision: Revision
    made_by: str
    digest: bytes
    base: int | None = None
    note: str | None = None


def add_revisions(tx: Tx, made: Sequence[NewRevision]) -> None:
    """Insert revisions of locked orders, set-wise."""
    rows = []
    queries.states_of_revisions(tx, {m.revision.order_id for m in made} - tx.journal.created)
    states = tx.memo.setdefault("ordering.revision_states", {})
    for m in made:
        r = m.revision
        decided = None if r.state == "intake" else tx.now
        rows.append(
            (part_of(r.order_id), r.order_id, r.n, r.state, r.release_id, queries.revision_document(r),
             r.tree.document() if r.tree is not None else None, m.made_by, m.base, m.digest, m.note, tx.now, decided)
        )  # fmt: skip
        states.setdefault(r.order_id, {})[r.n] = r.state
        tx.memo.setdefault("ordering.revisions", {})[r.order_id, r.n] = r
    sets.insert(tx, "ordering.revision", _REVISION, rows)


def add_items(tx: Tx, added: Sequence[tuple[int, Line]]) -> None:
    """Insert the items that lines of locked orders promise, set-wise."""
    items = [
        Item(
            id=tx.new_id(part_of(order_id)),
            order_id=order_id,
            key=line.key,
            parent_key=line.parent,
            action=line.action,
            offering=line.offering,
            product_id=line.product_id,
            state=ItemState.ACKNOWLEDGED,
            reason=None,
        )
        for order_id, line in added
    ]
    sets.insert(
        tx,
        "ordering.order_item",
        _ITEM,
        [
            (part_of(i.id), i.id, i.order_id, i.key, i.parent_key, i.action, i.offering, i.product_id, i.state)
            for i in items
        ],
    )
    cache = tx.memo.setdefault("ordering.items", {})
    for i in items:
        cache.setdefault(i.order_id, []).append(i)
        journal.record(tx, i.order_id, {"t": "item.added", "id": i.id, "key": i.key, "state": i.state})


@dataclass(frozen=True)
class Move:
    """An item's next state, and why."""

    item: Item
    state: ItemState
    reason: str | None = None


def move_items(tx: Tx, moves: Sequence[Move]) -> None:
    """Move items of locked orders, set-wise; a move that the life cycle does not allow is left out.

    News of a changed order state go to those who subscribed to it.
    """
    legal = [m for m in moves if leads(m.item.state, m.state) or _new_reason(m)]
    known = queries.items(tx, {m.item.order_id for m in legal})
    before = {i: order_state(x.state for x in items) for i, items in known.items()}
    sets.update(
        tx,
        "ordering.order_item",
        {"part": "int2", "id": "int8"},
        {"state": "text", "reason": "text", "completed_at": "timestamptz"},
        [
            (part_of(m.item.id), m.item.id, m.state, m.reason, tx.now if m.state is ItemState.COMPLETED else None)
            for m in legal
        ],
    )
    _remember(tx, [replace(m.item, state=m.state, reason=m.reason) for m in legal])
    for m in legal:
        entry = {"t": "item.state", "id": m.item.id, "key": m.item.key, "from": m.item.state, "to": m.state}
        journal.record(tx, m.item.order_id, entry | ({"reason": m.reason} if m.reason else {}))
    for order_id, items in known.items():
        if order_state(i.state for i in items) != before[order_id]:
            tell(tx, order_id, "ProductOrderStateChangeEvent")


def pass_points(tx: Tx, passed: Sequence[tuple[Item, str]]) -> None:
    """Write down which points of no return (soft, hard) items of locked orders have passed; never back."""
    further: dict[int, Item] = {}
    for item, ponr in passed:
        if PONR.index(ponr) > PONR.index(further.get(item.id, item).ponr):
            further[item.id] = replace(item, ponr=ponr)
            entry = {"t": "item.ponr", "id": item.id, "key": item.key, "from": item.ponr, "to": ponr}
            journal.record(tx, item.order_id, entry)
    rows = [(part_of(i.id), i.id, i.ponr) for i in further.values()]
    sets.update(tx, "ordering.order_item", {"part": "int2", "id": "int8"}, {"ponr": "text"}, rows)
    _remember(tx, list(further.values()))


def _remember(tx: Tx, changed: Sequence[Item]) -> None:
    """Put what items have become where they are read in this transaction."""
    by_id = {i.id: i for i in changed}
    for items in queries.items(tx, {i.order_id for i in changed}).values():
        items[:] = [by_id.get(i.id, i) for i in items]


def _new_reason(m: Move) -> bool:
    return m.state is m.item.state and m.reason != m.item.reason and m.state not in FINAL


_KEY = {"part": "int2", "order_id": "int8", "n": "int4"}
_FOUND_OUT = {"state": "text", "tree": "jsonb", "design": "jsonb", "problems": "jsonb", "decided_at": "timestamptz"}


def save_revisions(tx: Tx, revisions: Sequence[Revision]) -> None:
    """Write what the intake found out about revisions; their orders are locked.

    The document, which may be of many lines, is written only when a line has changed.
    """
    known = queries.revisions(tx, [(r.order_id, r.n) for r in revisions])
    states = queries.states_of_revisions(tx, {r.order_id for r in revisions})
    plain, whole = [], []
    for r in revisions:
        tree = r.tree.document() if r.tree is not None else None
        decided = None if r.state == "intake" else tx.now
        row = (part_of(r.order_id), r.order_id, r.n, r.state, tree, r.design, r.problems, decided)
        if r.lines == known[r.order_id, r.n].lines:
            plain.append(row)
        else:
            whole.append((*row, queries.revision_document(r)))
        before = states[r.order_id][r.n]
        if r.state != before:
            states[r.order_id][r.n] = r.state
            journal.record(tx, r.order_id, {"t": f"revision.{r.state}", "n": r.n, "from": before})
        tx.memo["ordering.revisions"][r.order_id, r.n] = r
    sets.update(tx, "ordering.revision", _KEY, _FOUND_OUT, plain)
    sets.update(tx, "ordering.revision", _KEY, _FOUND_OUT | {"document": "jsonb"}, whole)


def decide_revisions(tx: Tx, decided: Sequence[tuple[Revision, str]]) -> None:
    """Give revisions of locked orders their final state: accepted (the to-be from now on), replaced, rejected."""
    rows = [(part_of(r.order_id), r.order_id, r.n, state, tx.now) for r, state in decided]
    sets.update(tx, "ordering.revision", _KEY, {"state": "text", "decided_at": "timestamptz"}, rows)
    states = queries.states_of_revisions(tx, {r.order_id for r, _ in decided})
    for r, state in decided:
        journal.record(tx, r.order_id, {"t": f"revision.{state}", "n": r.n, "from": states[r.order_id][r.n]})
        states[r.order_id][r.n] = state
        tx.memo.setdefault("ordering.revisions", {})[r.order_id, r.n] = replace(r, state=state)
        if state == "accepted" and r.n > 1:
            tell(tx, r.order_id, "ProductOrderAttributeValueChangeEvent")


def add_note(tx: Tx, order_id: int, author: str, text: str) -> None:
    """Add a note to a locked order, and tell those who listen."""
    note = {"author": author, "date": tx.now.isoformat(), "text": text}
    tx.expect(
        1,
        "update ordering.product_order set extra = jsonb_set(extra, '{note}',"
        " coalesce(nullif(extra->'note', 'null'), '[]') || %s::jsonb) where part = %s and id = %s",
        (sets.to_json([note]), part_of(order_id), order_id),
    )
    journal.record(tx, order_id, {"t": "order.noted", "by": author, "text": text})
    tell(tx, order_id, "ProductOrderAttributeValueChangeEvent")


def tell(tx: Tx, order_id: int, event_type: str) -> None:
    """Publish an event about a locked order, rendered as it stands, if anybody listens."""
    from diaodu.ordering.tmf import render_order  # noqa: PLC0415 - the edge creates orders by these commands

    hub.publish(
        tx,
        api=API,
        event_type=event_type,
        entity="productOrder",
        root_id=order_id,
        render=lambda: render_order(tx, order_id),
    )
