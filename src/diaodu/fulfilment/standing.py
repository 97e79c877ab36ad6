"""Which state each item is in: a function of its effects, its holds and the revision that decides about it.

Nobody moves an item by hand. Whoever changed a fact, a hold or a revision has the items settled in the same
transaction; only a cancellation that is being assessed and the closing of an order are said, not found.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from diaodu.catalog.model import Release
from diaodu.engine import commands as engine
from diaodu.engine.ports import Cancel
from diaodu.fulfilment.cancelled import UNDO_FAILED, follow_tasks
from diaodu.fulfilment.fallout import follow
from diaodu.fulfilment.orders import OrderFacts, load_orders
from diaodu.kernel.db import Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering import holds as waiting
from diaodu.ordering.holds import Cause, Hold, NewHold
from diaodu.ordering.model import FINAL, Item, ItemState
from diaodu.planning import queries as effects
from diaodu.planning.model import OPEN, Effect, State

_S = ItemState
NO_RESOURCE = str(Cause.NO_RESOURCE)
AUDIT_REFUSED = "audit-refused"
# The causes in the order in which they are told; each with the state that it puts an item in.
WAITS: Mapping[Cause, ItemState] = {
    Cause.SUSPENDED: _S.HELD,
    Cause.CUSTOMER: _S.PENDING,
    Cause.RETURNED: _S.PENDING,
    Cause.PRE: _S.PENDING,
    Cause.FALLOUT: _S.HELD,
    Cause.NO_RESOURCE: _S.HELD,
}
_FROM_FACTS = (Cause.FALLOUT, Cause.NO_RESOURCE)


@dataclass(frozen=True)
class Situation:
    """All that the state of one item follows from."""

    item: Item
    effects: Sequence[Effect] = ()  # of the item, closing effects among them
    holds: Sequence[Hold] = ()  # open ones that cover it
    begun: bool = False  # it stands in an accepted revision
    wanted: bool = True  # and that one has not taken it back
    refused: str | None = None  # why the intake sent it back
    closing: bool = False  # its archives are under way
    parts_left: bool = False  # a part of it has not ended
    assessed: bool = False  # its cancellation was assessed and denied


def standing(s: Situation) -> tuple[ItemState, str | None]:
    """The state of an item, and why it waits; pure."""
    state, reason = s.item.state, s.item.reason
    if state in FINAL or (state is _S.ASSESSING and not s.assessed):
        return state, reason
    failed = next((e for e in s.effects if e.state is State.FAILED), None)
    if not s.wanted or state is _S.CANCELLING:
        if state is _S.CANCELLING and not s.parts_left and not any(e.state in OPEN for e in s.effects):
            return _S.CANCELLED, None
        return _S.CANCELLING, UNDO_FAILED + failed.kind if failed else None
    causes = {h.cause: h for h in s.holds}
    for cause, waits in WAITS.items():
        if cause in causes:
            return waits, _reason(causes[cause], failed)
    if s.closing:
        return _S.CLOSING, None
    if s.begun:
        return _S.IN_PROGRESS, None
    return (_S.PENDING, s.refused) if s.refused else (_S.ACKNOWLEDGED, None)


def _reason(hold: Hold, failed: Effect | None) -> str:
    if hold.cause is Cause.FALLOUT and failed:
        return f"fallout:{failed.kind}"
    return f"{hold.cause}:{hold.reason}" if hold.reason else str(hold.cause)


def settle_items(tx: Tx, orders: Iterable[OrderFacts], *, assessed: Collection[int] = ()) -> None:
    """Write which state the items of locked orders are in now, set-wise, with the holds that follow from facts.

    ``assessed`` are the ids of items whose cancellation was denied: they go back to where they would be. An order
    that was cancelled as a whole ends its processes.
    """
    found = load_orders(tx, [o.id for o in orders])
    _hold_by_facts(tx, found.values())
    moves = _moves(tx, found.values(), assessed)
    ordering.move_items(tx, moves)
    if any(m.state is _S.CANCELLING for m in moves):  # there may be nothing to undo
        found = load_orders(tx, found)
        moves += (undone := _moves(tx, found.values(), ()))
        ordering.move_items(tx, undone)
    if cancelled := {m.item.order_id for m in moves if m.state in (_S.CANCELLING, _S.CANCELLED)}:
        follow_tasks(tx, load_orders(tx, cancelled).values())
    ended = {m.item.order_id for m in moves if m.state in FINAL}
    _end(tx, load_orders(tx, ended).values())


def situations(
    order: OrderFacts, known: Sequence[Effect], holds: Sequence[Hold], assessed: Collection[int] = ()
) -> dict[str, Situation]:
    """The situation of each item by its key; pure."""
    lines, decided = order.lines(), order.revision.state == "accepted"
    refused = None
    if order.revision.state == "rejected":
        refused = str(next((p["code"] for p in order.revision.problems if "code" in p), AUDIT_REFUSED))
    of_item = _by_item(order, known)
    left: set[str] = set()
    result: dict[str, Situation] = {}
    for item in reversed(order.items):  # parts stand behind what they are parts of
        line, own = lines.get(item.key), of_item.get(item.key, [])
        result[item.key] = situation = Situation(
            item=item,
            effects=own,
            holds=[h for h in holds if h.covers(item.key)],
            begun=decided and line is not None,
            wanted=line is None or line.wanted,
            refused=refused if line is not None else None,
            closing=item.state is _S.CLOSING or (decided and is_closing(own, order.release)),
            parts_left=item.key in left,
            assessed=item.id in assessed,
        )
        if item.parent_key and standing(situation)[0] not in FINAL:
            left.add(item.parent_key)
    return result


def is_closing(known: Iterable[Effect], release: Release) -> bool:
    """Whether an archive has begun: nothing is taken back any more."""
    return any(e.kind in release.closing and release.closing[e.kind].ponr == "hard" for e in known)


def _by_item(order: OrderFacts, known: Sequence[Effect]) -> dict[str, list[Effect]]:
    """The effects by the item that answers for them: of one that has ended, another one of its group."""
    ended = {i.key for i in order.items if i.state in FINAL}
    groups = {key: line.group for key, line in order.lines().items()}
    heirs = {groups.get(i.key, i.key): i.key for i in reversed(order.items) if i.key not in ended}
    found: dict[str, list[Effect]] = {}
    for e in known:
        key = e.item_key or ""
        found.setdefault(heirs.get(groups.get(key, key), key) if key in ended else key, []).append(e)
    return found


def _moves(tx: Tx, orders: Collection[OrderFacts], assessed: Collection[int]) -> list[ordering.Move]:
    holds = _open_holds(tx, orders)
    moves = []
    for o in orders:
        known = effects.ledger(tx, [o.id])[o.id]
        for s in situations(o, known, holds.get(o.id, ()), assessed).values():
            state, reason = standing(s)
            if (state, reason) != (s.item.state, s.item.reason):
                moves.append(ordering.Move(s.item, state, reason))
    return moves


def _open_holds(tx: Tx, orders: Iterable[OrderFacts]) -> Mapping[int, Sequence[Hold]]:
    """The holds of those orders that may have one: an item on hold is in no other state than these."""
    waits = {_S.PENDING, _S.HELD, _S.ASSESSING, _S.CANCELLING}
    opened = tx.memo.get("ordering.holds", {})
    return waiting.holds_of(tx, [o.id for o in orders if o.id in opened or any(i.state in waits for i in o.items)])


def _hold_by_facts(tx: Tx, orders: Collection[OrderFacts]) -> None:
    """Open and end the holds that nobody sets: a failed effect, a wish that waits in the queue of its area."""
    open_now = _open_holds(tx, orders)
    follow(tx, [o.id for o in orders if any(h.cause is Cause.FALLOUT for h in open_now.get(o.id, ()))])
    made: list[NewHold] = []
    over: list[Hold] = []
    for o in orders:
        due = {(key, cause): reason for key, cause, reason in _due(o, effects.ledger(tx, [o.id])[o.id])}
        known = [h for h in open_now.get(o.id, ()) if h.cause in _FROM_FACTS]
        over += [h for h in known if (h.item_key, h.cause) not in due]
        standing_now = {(h.item_key, h.cause) for h in known}
        made += [NewHold(o.id, *pair, reason) for pair, reason in due.items() if pair not in standing_now]
    waiting.end(tx, over)
    waiting.open_holds(tx, made)


def _due(order: OrderFacts, known: Sequence[Effect]) -> Iterator[tuple[str, Cause, str | None]]:
    # What an area holds until the customer has said yes does not wait for a resource.
    sent = {e.item_key for e in known if e.work == "reserve" and e.state is State.SENT and not e.result}
    for s in situations(order, known, ()).values():
        if s.item.state in FINAL:
            continue
        if failed := next((e for e in s.effects if e.state is State.FAILED), None):
            yield s.item.key, Cause.FALLOUT, failed.kind
        # The lines of an order that has not begun wait together: an area serves them whole or not at all.
        if s.wanted and s.item.state is not _S.CANCELLING and (s.item.key in sent or (sent and not s.begun)):
            yield s.item.key, Cause.NO_RESOURCE, None


def _end(tx: Tx, orders: Collection[OrderFacts]) -> None:
    """What has ended waits no more; an order of which nothing was completed ends its processes."""
    open_now = _open_holds(tx, orders)
    over: list[Hold] = []
    signals: list[Cancel] = []
    for o in orders:
        ended = {i.key for i in o.items if i.state in FINAL}
        whole = len(ended) == len(o.items)
        over += [h for h in open_now.get(o.id, ()) if whole or h.item_key in ended]
        if whole and all(i.state is not _S.COMPLETED for i in o.items):
            signals += [Cancel(o.id, process) for process in o.release.processes.values()]
    waiting.end(tx, over)
    engine.signal(tx, signals)
