"""Reads of work orders."""

from collections.abc import Sequence
from typing import Any

from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of
from diaodu.workforce.model import WorkLine, WorkOrder

_COLUMNS = "id, order_id, kind, lines, release_id, place"


def work_orders(tx: Tx, ids: Sequence[int]) -> dict[int, WorkOrder]:
    """Work orders by id, of one partition; NotFound names the first that does not exist."""
    if not ids:
        return {}
    rows = tx.rows(
        f"select {_COLUMNS} from workforce.work_order where part = %s and id = any(%s::int8[])",
        (part_of(ids[0]), list(ids)),
    )
    found = {w.id: w for w in map(_work_order, rows)}
    for i in ids:
        if i not in found:
            raise NotFound(entity="workOrder", id=i)
    return found


def work_orders_of(tx: Tx, order_ids: Sequence[int]) -> dict[int, list[WorkOrder]]:
    """The work orders of each order, oldest first; orders of one partition."""
    found: dict[int, list[WorkOrder]] = {i: [] for i in order_ids}
    if order_ids:
        rows = tx.rows(
            f"select {_COLUMNS} from workforce.work_order where part = %s and order_id = any(%s::int8[]) order by id",
            (part_of(order_ids[0]), list(order_ids)),
        )
        for w in map(_work_order, rows):
            found[w.order_id].append(w)
    return found


def _work_order(row: tuple[Any, ...]) -> WorkOrder:
    work_order_id, order_id, kind, lines, release_id, place = row
    return WorkOrder(work_order_id, order_id, kind, tuple(WorkLine(**line) for line in lines), release_id, place)
