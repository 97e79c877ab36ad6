"""How tests ask for a cancellation: as the edge does, in two transactions."""

from typing import Any

from tests.flows.operator import House

from diaodu.kernel.access import Principal
from diaodu.ordering import cancel
from diaodu.ordering.cancel import CancelTask
from diaodu.ordering.tmf_cancel import CANCEL_PRODUCT_ORDER, render_task

CLERK = Principal(1, "clerk")


def ask(house: House, order_id: int, *items: str, reason: str = "changed his mind") -> tuple[int, bool]:
    """POST cancelProductOrder: the id of the task, and whether it is a new one."""
    document: dict[str, Any] = {"productOrder": {"id": str(order_id)}, "cancellationReason": reason}
    if items:
        document["productOrderItem"] = [{"id": key} for key in items]
    create = CANCEL_PRODUCT_ORDER.create
    assert create is not None
    with house.db.transaction() as tx:
        task_id, content = create.identify(tx, CLERK, document, None)
    with house.db.transaction(actor="clerk") as tx:
        return task_id, create.capture(tx, CLERK, task_id, content)


def task(house: House, task_id: int) -> CancelTask:
    with house.db.transaction() as tx:
        return cancel.task_of(tx, task_id)


def shown(house: House, task_id: int) -> dict[str, Any]:
    """The task as others see it."""
    with house.db.transaction() as tx:
        return render_task(tx, task_id)
