"""Changes of an order: of what describes it, and of its items by a new revision with an intake of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.engine import commands as engine
from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.kernel.sets import to_json
from diaodu.ordering import commands, errors, queries
from diaodu.ordering.model import FINAL, Action, ItemDraft, ItemState, Line, OrderDraft, order_state


@dataclass(frozen=True)
class Particulars:
    """What describes an order; ``extra`` are the attributes that are kept as they came."""

    description: str | None
    category: str | None
    priority: int
    requested_start: datetime | None
    requested_completion: datetime | None
    extra: Mapping[str, Any]


def change_particulars(tx: Tx, *, order_id: int, particulars: Particulars) -> None:
    """Describe a locked order anew; OrderNotAmendable once it has ended."""
    states = {item.state for item in queries.items(tx, [order_id])[order_id]}
    if states <= FINAL:
        raise errors.OrderNotAmendable(id=order_id, state=order_state(states))
    p = particulars
    tx.expect(
        1,
        "update ordering.product_order set description = %s, category = %s, priority = %s, requested_start_at = %s,"
        " requested_completion_at = %s, extra = %s::jsonb where part = %s and id = %s",
        (
            p.description, p.category, p.priority, p.requested_start, p.requested_completion, to_json(p.extra),
            part_of(order_id), order_id,
        ),
    )  # fmt: skip
    journal.record(tx, order_id, {"t": "order.described"} | vars(p))


def revise_items(tx: Tx, *, order_id: int, items: tuple[ItemDraft, ...]) -> int:
    """Mend the items of a locked order that the audit sent back: a new revision enters intake; returns its number.

    The items stay the same ones (key, action and offering); what is asked for in them changes. OrderNotAmendable in
    any other state, ItemsDiffer when other items are sent.
    """
    known = queries.items(tx, [order_id])[order_id]
    before = queries.latest_revisions(tx, [order_id])[order_id]
    if before.state != "rejected" or any(i.state is not ItemState.PENDING for i in known):
        raise errors.OrderNotAmendable(id=order_id, state=order_state(i.state for i in known))
    release = catalog.current_release(tx)
    draft = OrderDraft(None, "", str(before.customer["id"]), items)
    customer, lines = commands.checked_lines(tx, [(order_id, draft)], release)[0]
    mended = _same_items(before.lines, lines)
    number = before.n + 1
    document = queries.revision_document(customer, before.ordered_at, mended)
    row = (part_of(order_id), order_id, number, "intake", release.id, document, tx.now)
    sets.insert(tx, "ordering.revision", commands.REVISION, [row])
    journal.record(tx, order_id, {"t": "revision.entered", "n": number})
    commands.move_items(tx, [commands.Move(i, ItemState.ACKNOWLEDGED) for i in known])
    tx.memo.pop("ordering.revisions", None)
    engine.enqueue(tx, [engine.Enqueue(order_id, "order.acknowledged", {"revision": number}, f"revision:{number}")])
    return number


def _same_items(before: Sequence[Line], lines: Sequence[Line]) -> list[Line]:
    """The new lines with the products that were promised before."""
    identity = {(line.key, line.action, line.offering): line.product_id for line in before}
    sent = [(line.key, line.action, line.offering) for line in lines]
    if set(sent) != set(identity):
        raise errors.ItemsDiffer(expected=", ".join(k for k, _, _ in identity), given=", ".join(k for k, _, _ in sent))
    return [
        replace(line, product_id=identity[line.key, line.action, line.offering]) if line.action is Action.ADD else line
        for line in lines
    ]
