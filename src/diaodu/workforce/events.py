"""What whoever holds a work order is told when it changes under his hands (TMF697)."""

from diaodu.kernel.db import Tx
from diaodu.tmf import hub
from diaodu.tmf.document import Document
from diaodu.tmf.resource import read_one

API = "workOrderManagement"
EVENTS = ("WorkOrderAttributeValueChangeEvent",)


def tell(tx: Tx, order_id: int, work_order_id: int) -> None:
    """Publish that a work order of a locked order has changed, if anybody listens."""
    from diaodu.workforce.tmf import WORK_ORDER, to_resource  # noqa: PLC0415 - the edge changes work by these commands

    def render() -> Document:
        row = read_one(tx, WORK_ORDER, work_order_id)
        assert row is not None
        return to_resource(row, "")

    hub.publish(tx, api=API, event_type=EVENTS[0], entity="workOrder", root_id=order_id, render=render)
