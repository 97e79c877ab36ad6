"""转待装 by hand: an order gives back what it holds and stands on the waiting list of its area, with its rank."""

from collections.abc import Sequence

from diaodu.engine import commands as engine
from diaodu.engine.ports import Nudge
from diaodu.fulfilment.area import asked_at, reservations, wish_again
from diaodu.fulfilment.errors import NothingReserved, NotParked, WorkBegun
from diaodu.fulfilment.hold import set_free
from diaodu.fulfilment.orders import OrderFacts, load_orders
from diaodu.fulfilment.replan import replan
from diaodu.fulfilment.standing import settle_items
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, Op, State, Step
from diaodu.workforce import queries as work_orders

RESUME = "wish.resume"
_BEGUN = (State.SENT, State.UNKNOWN, State.CONFIRMED)


def park(tx: Tx, order_id: int, *, by: str, reason: str) -> list[int]:
    """Put an order that nothing was built for on the waiting list; returns the wishes that wait.

    It is served again only after ``unpark``. NotFound, NothingReserved, WorkBegun.
    """
    order = _locked(tx, order_id)
    known = effects.ledger(tx, [order_id])[order_id]
    held = [f for f in reservations(order, known) if f.op is not Op.INHERITED and f.undo and f.undo["kind"]]
    if not held or not order.accepted:
        raise NothingReserved(id=order_id)
    things = {f.id for f in held}
    begun = [e for e in known if e.state in _BEGUN and e.id not in things and e.kind in order.release.effects]
    busy = work_orders.busy_effects(tx, [order_id])[order_id]
    if busy or any(e.op is not Op.INHERITED for e in begun):
        raise WorkBegun(id=order_id, kinds=", ".join(sorted({e.kind for e in begun})) or "-")
    first = asked_at(tx, held)
    steps = [s for f in held for s in _parked(f, first[f.id])]
    made = ledger.add_steps(tx, order_id=order_id, revision=order.revision.n, steps=steps)
    ledger.add(tx, made)
    journal.record(tx, order_id, {"t": "order.parked", "by": by, "reason": reason, "effects": sorted(things)})
    replan(tx, [order])
    settle_items(tx, [order])
    engine.signal(tx, [Nudge(order_id)])
    return [e.id for e in made if e.op is Op.DO]


def unpark(tx: Tx, order_id: int, *, by: str) -> None:
    """Let an order that was put on the waiting list be served again, in its rank. NotFound, NotParked."""
    order = _locked(tx, order_id)
    known = effects.ledger(tx, [order_id])[order_id]
    requests: dict[tuple[int, str | None], list[Effect]] = {}
    for e in known:
        if e.params.get("parked") and e.state in (State.INTENT, State.SENT):
            requests.setdefault((e.revision, e.element), []).append(e)
    open_ones = [e for e in known if e.kind == RESUME and e.state is State.INTENT]
    if not requests or open_ones:
        raise NotParked(id=order_id)
    steps = [_resumed(wishes) for wishes in requests.values()]
    ledger.add(tx, ledger.add_steps(tx, order_id=order_id, revision=order.revision.n, steps=steps))
    journal.record(tx, order_id, {"t": "order.unparked", "by": by})


def _locked(tx: Tx, order_id: int) -> OrderFacts:
    found = load_orders(tx, [order_id]) if journal.lock(tx, [order_id]) else {}
    if order_id not in found:
        raise NotFound(entity="productOrder", id=order_id)
    return found[order_id]


def _parked(f: Effect, asked: str) -> list[Step]:
    free = set_free(f, "parked")
    return [free, wish_again(f, asked, frozenset({free.key}), parked=True)]


def _resumed(wishes: Sequence[Effect]) -> Step:
    first = min(wishes, key=lambda e: e.id)
    return Step(
        op=Op.DO, thing_id=first.thing_id, kind=RESUME, item_key=first.item_key, work="resume", element=first.element,
        priority=first.priority, reads_hash=None, params={"request": first.id}, undo=None, of_id=None,
        after=frozenset(), reason="resumed",
    )  # fmt: skip
