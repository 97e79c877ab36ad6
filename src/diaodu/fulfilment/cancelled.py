"""What follows when items that were cancelled move on: the task about it ends, or tells that an undo has failed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from diaodu.catalog.model import Policy
from diaodu.fulfilment.orders import OrderFacts, line_names, record_decisions
from diaodu.fulfilment.wanted import undo_of
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.ordering import cancel as tasks
from diaodu.ordering.cancel import CANCEL_TABLE, CancelEvent, CancelState, CancelTask
from diaodu.ordering.model import FINAL, ItemState, Line
from diaodu.planning import commands as ledger
from diaodu.planning.model import Effect, Op, State

NOTICE = "notice.cancelled"
UNDO_FAILED = "undo-failed:"


def follow_tasks(tx: Tx, orders: Iterable[OrderFacts]) -> None:
    """Move the tasks of locked orders on by the states of the items that they took back."""
    found = {o.id: o for o in orders}
    for order_id, known in tasks.tasks_of(tx, list(found)).items():
        for task in known:
            if task.state in (CancelState.IN_PROGRESS, CancelState.ERROR):
                _follow(tx, found[order_id], task)


def _follow(tx: Tx, order: OrderFacts, task: CancelTask) -> None:
    items = [i for i in order.items if i.key in task.taken_back]
    if all(i.state in FINAL for i in items):
        event = CancelEvent.FINISH
    elif any((i.reason or "").startswith(UNDO_FAILED) and i.state is ItemState.CANCELLING for i in items):
        event = CancelEvent.FAIL
    else:
        event = CancelEvent.MEND
    state = CANCEL_TABLE.take(task.state, event, entity="cancelProductOrder", key=task.id)
    if state is task.state:
        return
    after = replace(task, state=state, ended_at=tx.now if state is CancelState.DONE else None)
    tasks.change_task(tx, task, after)
    tasks.tell(tx, task, "CancelProductOrderStateChangeEvent")
    if state is CancelState.DONE:
        _notify(tx, order, task)


def _notify(tx: Tx, order: OrderFacts, task: CancelTask) -> None:
    """Tell the customer, if the operator's policy says so: one message for all that the task took back."""
    line = next(line for line in order.revision.lines if line.key in task.taken_back)
    text = order.decide(Policy.CANCELLATION_NOTICE, line)
    record_decisions(tx, [order])
    if text is None or NOTICE not in order.release.closing:
        return
    number = order.revision.customer["phone"] or "10000"
    params = {"subject": f"{order.id}.{task.id}", "number": number, "text": text}
    ledger.add(tx, [closing_effect(tx, order, NOTICE, line, params)])


def closing_effect(tx: Tx, order: OrderFacts, kind: str, line: Line, params: Mapping[str, Any]) -> Effect:
    """An intent outside of the plan, ready at once."""
    of = order.release.closing[kind]
    element = str(of.element.evaluate(line_names(order, line))) if of.element else None
    return Effect(
        id=tx.new_id(part_of(order.id)), order_id=order.id, revision=order.revision.n, thing_id=line.product_id,
        kind=kind, item_key=line.key, op=Op.DO, of_id=None, state=State.INTENT, ready=True, needs=(), work=of.work,
        element=element, priority=of.priority, reads_hash=None, params={**params, "at": tx.now.isoformat()},
        undo=undo_of(of),
    )  # fmt: skip
