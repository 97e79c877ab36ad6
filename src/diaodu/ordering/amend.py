"""Changes of what describes an order; nothing that was planned depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.kernel.sets import to_json
from diaodu.ordering import errors, queries
from diaodu.ordering.model import FINAL, order_state


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
