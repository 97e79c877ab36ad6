"""受理: a revision starts its intake process; a newer one replaces it, a refused one leaves the order as it was."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from diaodu.engine.ports import Cancel, Decision, Inbound, Signal, Start, Wait
from diaodu.fulfilment.orders import OrderFacts, load_orders, load_revisions
from diaodu.fulfilment.replan import replan
from diaodu.fulfilment.standing import settle_items
from diaodu.kernel.db import Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering import queries as revisions
from diaodu.ordering.model import ItemState, Revision
from diaodu.planning import queries as effects

REFUSED = "revision-refused"


class Acknowledged:
    """Takes the inbound jobs ``order.acknowledged``; body: ``revision``."""

    def run(self, tx: Tx, jobs: Sequence[Inbound]) -> Sequence[Signal]:
        """Start the intake of each revision that is still in intake, in the place of the one that it replaced."""
        states = revisions.states_of_revisions(tx, [j.root_id for j in jobs])
        named = {j.root_id: n for j in jobs if states[j.root_id].get(n := j.body["revision"]) == "intake"}
        orders = load_revisions(tx, named)
        signals: list[Signal] = []
        for order_id, n in named.items():
            if n > 1:
                signals += _replaced(tx, order_id, states[order_id])
            signals.append(
                Start(order_id, orders[order_id].release.processes["intake"], f"{order_id}.{n}", {"revision": n})
            )
        settle_items(tx, [o for o in orders.values() if o.revision.n > 1])
        return signals


def _replaced(tx: Tx, order_id: int, states: dict[int, str]) -> Iterator[Signal]:
    """The end of the instance of the revision that stood in intake before; its release named the process."""
    before = [n for n, state in states.items() if state == "replaced"]
    if before:
        last = load_revisions(tx, {order_id: max(before)})[order_id]
        yield Cancel(order_id, last.release.processes["intake"], reason="replaced")


def replaced(order: OrderFacts) -> Decision | None:
    """What a stage decides about a revision that is in intake no more: to wait until its instance is ended."""
    if order.revision.state == "intake":
        return None
    return Decision(Wait("replaced", str(order.revision.n)))


def refuse(tx: Tx, refused: Sequence[Revision]) -> None:
    """Reject revisions in intake: their orders go on as before, or wait until they are mended.

    What was asked of the areas for them is taken back, and items that only they have are cancelled.
    """
    ordering.save_revisions(tx, [replace(r, state="rejected") for r in refused])
    orders = load_orders(tx, [r.order_id for r in refused])
    begun = [o for o in orders.values() if o.revision.state == "accepted"]
    ordering.move_items(
        tx,
        [
            ordering.Move(i, ItemState.CANCELLING, REFUSED)
            for o in begun
            for lines in (o.lines(),)
            for i in o.items
            if i.key not in lines
        ],
    )
    # Before the first acceptance nothing is wanted of the areas until the order is mended.
    empty = [_without_lines(o) for o in orders.values() if o.revision.state != "accepted"]
    ledger = effects.ledger(tx, orders)
    replan(tx, [o for o in (*begun, *empty) if ledger[o.id]])
    settle_items(tx, orders.values())


def _without_lines(order: OrderFacts) -> OrderFacts:
    return replace(order, revision=replace(order.revision, lines=(), tree=None))
