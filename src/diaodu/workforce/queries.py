"""Reads of work orders."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from diaodu.engine.queries import TASK_STATES
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of
from diaodu.workforce.model import WorkLine, WorkOrder

_COLUMNS = (
    "w.id, w.order_id, w.kind, w.lines, w.release_id, w.place, w.customer_id, w.visit_id, w.appointment_id,"
    " w.start_at, w.end_at"
)


@dataclass(frozen=True)
class Desk:
    """A work order, the state of its task (None: it has none yet) and who holds or held it."""

    work_order: WorkOrder
    state: str | None
    assignee: int | None

    @property
    def open(self) -> bool:
        """Whether its task is on a worklist, on a desk, or rests."""
        return self.state in ("offered", "claimed", "suspended")

    @property
    def busy(self) -> bool:
        """Whether somebody is at it; work that is suspended may have been begun."""
        return self.assignee is not None and self.state in ("claimed", "suspended")


def work_orders(tx: Tx, ids: Sequence[int]) -> dict[int, WorkOrder]:
    """Work orders by id, of one partition; NotFound names the first that does not exist."""
    if not ids:
        return {}
    rows = tx.rows(
        f"select {_COLUMNS} from workforce.work_order w where part = %s and id = any(%s::int8[])",
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
            f"select {_COLUMNS} from workforce.work_order w where part = %s and order_id = any(%s::int8[]) order by id",
            (part_of(order_ids[0]), list(order_ids)),
        )
        for w in map(_work_order, rows):
            found[w.order_id].append(w)
    return found


def desks(tx: Tx, order_ids: Iterable[int]) -> dict[int, dict[int, Desk]]:
    """The work orders of locked orders with the state of their tasks, by order and id, read once per transaction.

    A work order that was made in this transaction has no task yet; commands keep what was read true.
    """
    cache: dict[int, dict[int, Desk]] = tx.memo.setdefault("workforce.desks", {})
    wanted = list(order_ids)
    missing = [i for i in wanted if i not in cache]
    if missing:
        cache.update({i: {} for i in missing})
        rows = tx.rows(
            f"select {_COLUMNS}, t.state, t.assignee from workforce.work_order w"
            " left join engine.v_human_task t on t.part = w.part and t.id = w.id"
            " where w.part = %s and w.order_id = any(%s::int8[]) order by w.id",
            (part_of(missing[0]), missing),
        )
        for *row, state, assignee in rows:
            w = _work_order(tuple(row))
            cache[w.order_id][w.id] = Desk(w, None if state is None else TASK_STATES[state], assignee)
    return {i: cache[i] for i in wanted}


def busy_effects(tx: Tx, order_ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """The effects that somebody is at, by locked order: those on tasks that a person holds, suspended ones too."""
    found = desks(tx, order_ids)
    return {
        order: frozenset(line.effect for d in of.values() if d.busy for line in d.work_order.carried)
        for order, of in found.items()
    }


def _work_order(row: tuple[Any, ...]) -> WorkOrder:
    work_order_id, order_id, kind, lines, *rest = row
    return WorkOrder(work_order_id, order_id, kind, tuple(WorkLine(**line) for line in lines), *rest)
