"""预受理: an order whose resources are held until an instant, for a customer who has not said yes.

The order stands in its intake. The area decides, by one conditional statement, whether the customer's yes or the end of
the time came first; the order hears which.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from diaodu.engine import commands as engine
from diaodu.engine.ports import Inbound, Signal
from diaodu.fulfilment.errors import PreacceptanceEnded, PreacceptanceTooLong
from diaodu.fulfilment.orders import load_orders
from diaodu.fulfilment.standing import settle_items
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of
from diaodu.ordering import cancel as cancellations
from diaodu.ordering import commands as ordering
from diaodu.ordering import holds
from diaodu.ordering import queries as orders
from diaodu.ordering.cancel import CancelState, CancelTask
from diaodu.ordering.holds import WHOLE, Cause, NewHold
from diaodu.ordering.model import FINAL, OrderDraft
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import OPEN, WISH, Effect, Op, Step

CATEGORY = "preacceptance"
CONFIRM = "wish.confirm"
EXPIRED = "preacceptance-expired"
_READ = """
select distinct on (o.id) o.id, o.state, h.since_at, h.until_at, h.ended_at
  from ordering.hold h join ordering.v_product_order o on o.part = h.part and o.id = h.order_id
 where h.part = %s and h.order_id = %s and h.cause = 'pre' order by o.id, h.id desc
"""


@dataclass(frozen=True)
class Preacceptance:
    """An order taken before the customer has said yes; ``state`` is held, accepted or cancelled."""

    id: int
    state: str
    since: datetime
    until: datetime


def take(tx: Tx, order_id: int, draft: OrderDraft, minutes: int) -> Preacceptance:
    """Capture an order at an id of its own, its resources held for so long; the same order again is answered again.

    PreacceptanceTooLong, and the refusals of a capture.
    """
    most = tx.row("select value from kernel.setting where name = 'preacceptance.minutes_max'")
    assert most is not None
    if minutes > most[0]:
        raise PreacceptanceTooLong(minutes=minutes, limit=most[0])
    (captured,) = ordering.capture_orders(tx, [(order_id, replace(draft, category=CATEGORY))])
    if captured.created:
        until = tx.now + timedelta(minutes=minutes)
        holds.open_holds(tx, [NewHold(order_id, WHOLE, Cause.PRE, until_at=until)])
        settle_items(tx, load_orders(tx, [order_id]).values())
    return preacceptance(tx, order_id)


def preacceptance(tx: Tx, order_id: int) -> Preacceptance:
    """How it stands; NotFound."""
    row = tx.row(_READ, (part_of(order_id), order_id))
    if row is None:
        raise NotFound(entity="preacceptance", id=order_id)
    _, state, since, until, ended = row
    told = "cancelled" if state == "cancelled" else "accepted" if ended else "held"
    return Preacceptance(order_id, told, since, until)


def accept(tx: Tx, order_id: int) -> Preacceptance:
    """The customer has said yes: the order is what it was, and its areas make firm what they hold.

    The same again changes nothing. NotFound, PreacceptanceEnded.
    """
    journal.lock(tx, [order_id])
    found = preacceptance(tx, order_id)
    over = found.state == "held" and found.until <= tx.now
    if found.state == "cancelled" or over:
        raise PreacceptanceEnded(id=order_id, until=found.until.isoformat())
    if found.state == "accepted":
        return found
    holds.end_holds(tx, order_id, [WHOLE], Cause.PRE)
    requests: dict[tuple[int, str], list[Effect]] = {}
    for e in effects.ledger(tx, [order_id])[order_id]:
        if e.work == WISH and e.state in OPEN and e.element:
            requests.setdefault((e.revision, e.element), []).append(e)
    for (n, _), wishes in requests.items():
        ledger.add(tx, ledger.add_steps(tx, order_id=order_id, revision=n, steps=[_confirmation(wishes)]))
    journal.record(tx, order_id, {"t": "preacceptance.accepted", "by": tx.actor})
    settle_items(tx, load_orders(tx, [order_id]).values())
    return preacceptance(tx, order_id)


def _confirmation(wishes: Sequence[Effect]) -> Step:
    first = min(wishes, key=lambda e: e.id)
    return Step(
        op=Op.DO, thing_id=first.thing_id, kind=CONFIRM, item_key=first.item_key, work="confirm", element=first.element,
        priority=first.priority, reads_hash=None, params={"request": first.id}, undo=None, of_id=None,
        after=frozenset(), reason="accepted",
    )  # fmt: skip


class Expired:
    """Takes the inbound jobs ``preacceptance.expired``: the time ran out first, so the order is cancelled."""

    def run(self, tx: Tx, jobs: Sequence[Inbound]) -> Sequence[Signal]:
        """Ask for the cancellation of each order that is not cancelled yet."""
        for order_id in dict.fromkeys(j.root_id for j in jobs):
            ended = holds.end_holds(tx, order_id, [WHOLE], Cause.PRE)
            asked = any(t.reason == EXPIRED for t in cancellations.tasks_of(tx, [order_id])[order_id])
            if asked or all(i.state in FINAL for i in orders.items(tx, [order_id])[order_id]):
                continue
            journal.record(tx, order_id, {"t": "preacceptance.expired", "accepted": not ended})
            task_id = tx.new_id(part_of(order_id))
            task = CancelTask(task_id, order_id, CancelState.ACKNOWLEDGED, EXPIRED, (), tx.actor, tx.now)
            cancellations.add_task(tx, task)
            engine.enqueue(tx, [engine.Enqueue(order_id, "order.cancel", {"task": task_id}, f"cancel:{task_id}")])
        return ()
