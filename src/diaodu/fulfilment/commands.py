"""What dispatchers do to an order in flight."""

from collections.abc import Collection

from diaodu.engine import commands as engine
from diaodu.engine import queries as processes
from diaodu.fulfilment.errors import NothingFailed
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.planning import queries as effects
from diaodu.planning.model import State

_INCIDENTS_MAX = 100


def retry_order(tx: Tx, order_id: int, by: str, only: Collection[int] = ()) -> int:
    """Have what failed in an order done again, all of it or ``only`` some effects and incidents; returns how many.

    A failed effect is sent again under its key or offered again as a work order; the job behind an incident runs
    again. NotFound, NothingFailed.
    """
    if not journal.lock(tx, [order_id]):
        raise NotFound(entity="productOrder", id=order_id)
    known = effects.ledger(tx, [order_id])[order_id]
    failed = [e for e in known if e.state is State.FAILED and (not only or e.id in only)]
    if failed:
        outcomes = [{"effect": e.id, "state": State.INTENT} for e in failed]
        body = {"source": "repair", "by": by, "outcomes": outcomes}
        engine.enqueue(tx, [engine.Enqueue(order_id, "effect.report", body, f"retry:{tx.new_id(0)}")])
    incidents = [i for i in processes.incidents(tx, _INCIDENTS_MAX, order_id) if not only or i.id in only]
    for incident in incidents:
        engine.retry_incident(tx, incident.id, by)
    if not failed and not incidents:
        raise NothingFailed(id=order_id)
    return len(failed) + len(incidents)
