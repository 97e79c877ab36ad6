"""How tests ask for a cancellation: as the edge does, in two transactions."""

from typing import Any

from tests.flows.operator import House

from diaodu.app.invariants import check_all
from diaodu.fulfilment.cancel import answer
from diaodu.fulfilment.cancel_preview import Preview, preview
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


def look(house: House, order_id: int, *items: str) -> Preview:
    with house.db.transaction() as tx:
        return preview(tx, order_id, items)


def says(house: House, task_id: int, *, agreed: bool) -> None:
    with house.db.transaction(actor="clerk") as tx:
        answer(tx, task_id, agreed=agreed, by="clerk")


def whole(house: House) -> None:
    """Nothing is held by anybody, nothing is stuck."""
    assert house.resources(1) == []
    assert house.q("select count(*) from engine.incident") == [(0,)]
    assert house.q("select count(*) from inventory.request where state = 0 and kind = 'reserve'") == [(0,)]
    assert {c.name: c.violations for c in check_all(house.db, network=False) if c.violations} == {}


def work_until(house: House, order_id: int, *kinds: str) -> None:
    """The crews do their work of these kinds, the others do not begin."""
    for kind in kinds:
        house.report(house.claim(kind, order_id), f"{kind}.{order_id}")
        house.run(technicians=False)


def agree_to_all(house: House, order_id: int) -> None:
    """The customer agrees to every fee that he has been asked about."""
    with house.db.transaction() as tx:
        asked = [t for t in cancel.tasks_of(tx, [order_id]).get(order_id, ()) if t.consent and t.consent.agreed is None]
    for t in asked:
        says(house, t.id, agreed=True)
