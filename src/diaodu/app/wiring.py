"""Where the ports of the rooms get their implementations; the only place that knows all of them."""

from diaodu.engine.ports import Handlers
from diaodu.fulfilment import fallout_errands
from diaodu.fulfilment.accept import Accept
from diaodu.fulfilment.area import Answers, pull
from diaodu.fulfilment.cancel import Cancellations
from diaodu.fulfilment.complete import Close, Closing, Complete
from diaodu.fulfilment.decompose import Decompose
from diaodu.fulfilment.design import Design
from diaodu.fulfilment.dispatch import SentWork, StageDriver
from diaodu.fulfilment.facts import OrderDecisions, OrderNames
from diaodu.fulfilment.hold import Holds
from diaodu.fulfilment.intake import Acknowledged
from diaodu.fulfilment.preaccept import Expired
from diaodu.fulfilment.report import Reports
from diaodu.fulfilment.shared_notice import SharedNotice
from diaodu.fulfilment.validate import Audit
from diaodu.inventory import queries as inventory
from diaodu.inventory.worker import AreaWorker
from diaodu.kernel.db import Database
from diaodu.provisioning.design import NearestBox

# The stages that write the ledger, reserve or archive: nobody skips them by hand.
WRITE_EFFECTS = frozenset(
    {
        "fulfilment.design", "fulfilment.accept", "fulfilment.sent", "fulfilment.complete", "fulfilment.closing",
        "fulfilment.close",
    }
)  # fmt: skip


def handlers() -> Handlers:
    """What the engine calls: the stages of 业务受理 and the driver of its plan-driven stage."""
    return Handlers(
        services={
            "fulfilment.audit": Audit(),
            "fulfilment.decompose": Decompose(),
            "fulfilment.design": Design(),
            "fulfilment.accept": Accept(),
            "fulfilment.sent": SentWork(),
            "fulfilment.complete": Complete(),
            "fulfilment.closing": SharedNotice(Closing()),
            "fulfilment.close": Close(),
        },
        inbound={
            "order.acknowledged": Acknowledged(),
            "order.cancel": Cancellations(),
            "effect.report": Reports(),
            "hold.over": Holds(),
            "hold.free": Holds(),
            "preacceptance.expired": Expired(),
        },
        driver=StageDriver(),
        facts=OrderNames(),
        decisions=OrderDecisions(),
        effects=WRITE_EFFECTS,
        errands=[fallout_errands.run],
    )


def area_worker(db: Database, owner: str) -> AreaWorker:
    """The worker of all areas of the operator."""
    with db.transaction(actor=owner) as tx:
        areas = inventory.area_ids(tx)
    return AreaWorker(db, areas, NearestBox(), pull, Answers(db), owner=owner)
