"""受理: a captured revision starts its intake process; a newer revision replaces one that is still in intake."""

from collections.abc import Sequence

from diaodu.engine.ports import Cancel, Inbound, Signal, Start
from diaodu.fulfilment.orders import load_orders
from diaodu.kernel.db import Tx


class Acknowledged:
    """Takes the inbound jobs ``order.acknowledged``; body: ``revision``."""

    def run(self, tx: Tx, jobs: Sequence[Inbound]) -> Sequence[Signal]:
        """Start the intake of each revision that is the newest of its order."""
        orders = load_orders(tx, [j.root_id for j in jobs])
        signals: list[Signal] = []
        for job in jobs:
            n, order = job.body["revision"], orders[job.root_id]
            if n != order.revision.n:
                continue
            process = order.release.processes["intake"]
            if n > 1:
                signals.append(Cancel(job.root_id, process))
            signals.append(Start(job.root_id, process, f"{job.root_id}.{n}", {"revision": n}))
        return signals
