"""回单: what people, systems and areas report becomes facts of the ledger; one path for all of them.

A report is true whatever has happened to its task since: it lands, and the plan follows from the facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from diaodu.catalog.model import Performer
from diaodu.engine.ports import Inbound, Message, Nudge, Signal
from diaodu.fulfilment.orders import OrderFacts, load_orders, record_decisions
from diaodu.fulfilment.replan import replan
from diaodu.fulfilment.wanted import CLAIM
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import Item, ItemState
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, State
from diaodu.planning.plan import RELEASE

# States in which an effect still keeps its order waiting.
_UNSETTLED = frozenset({State.INTENT, State.SENT, State.UNKNOWN, State.FAILED})
NO_RESOURCE = "no-resource"
# What an area says of a wish: it stands in the area's queue, or it cannot be.
_OF_AREAS: Mapping[str, State] = {"waiting": State.SENT, "refused": State.WITHDRAWN}


class Reports:
    """Takes the inbound jobs ``effect.report``.

    Body: ``source`` (work, adapter, area), ``task`` and ``by`` for people, ``outcomes``: a list of ``effect``,
    ``state`` (confirmed, failed, unknown, intent, waiting, refused), ``result``, ``cause``, ``due``.
    """

    def run(self, tx: Tx, jobs: Sequence[Inbound]) -> Sequence[Signal]:
        """Land all outcomes set-wise; tell the diagram what has ended."""
        ids = list(dict.fromkeys(j.root_id for j in jobs))
        orders = load_orders(tx, ids)
        known = {e.id: e for es in effects.ledger(tx, ids).values() for e in es}
        signals: list[Signal] = []
        landings: dict[int, ledger.Landing] = {}
        notes: list[tuple[OrderFacts, Mapping[str, Any], Effect]] = []
        for job in jobs:
            for outcome in job.body["outcomes"]:
                effect = known.get(int(outcome["effect"]))
                if effect is None:
                    continue
                notes.append((orders[job.root_id], outcome, effect))
                landings[effect.id] = _landing(effect, outcome, job.body.get("claims", {}))
            if "task" in job.body:
                signals.append(Message(job.root_id, "task", str(job.body["task"])))
            journal.record(tx, job.root_id, _entry(job))
        changed = ledger.land(tx, list(landings.values()))
        _move_items(tx, notes)
        _replan_released(tx, orders, changed)
        return [*signals, *_ended(tx, orders, changed, notes)]


def _landing(effect: Effect, outcome: Mapping[str, Any], claims: Mapping[str, Any]) -> ledger.Landing:
    due = outcome.get("due")
    cause = outcome.get("cause")
    result = outcome.get("result") or ({"cause": cause} if cause else None)
    state = _OF_AREAS.get(outcome["state"]) or State(outcome["state"])
    if effect.kind == CLAIM and state is State.CONFIRMED:
        result = claims[str(effect.thing_id)]
    due_at = datetime.fromisoformat(due) if due else None
    return ledger.Landing(effect, state, result, due_at, outcome.get("attempts"))


def _entry(job: Inbound) -> dict[str, Any]:
    outcomes = [{k: o[k] for k in ("effect", "state", "cause") if o.get(k)} for o in job.body["outcomes"]]
    entry = {"t": "report.landed", "source": job.body["source"], "outcomes": outcomes}
    return entry | {k: job.body[k] for k in ("task", "by") if k in job.body}


def _move_items(tx: Tx, notes: Sequence[tuple[OrderFacts, Mapping[str, Any], Effect]]) -> None:
    """Items wait while one of their effects failed or finds no resource, and go on when it is repaired."""
    moves: dict[int, ordering.Move] = {}
    for order, outcome, effect in notes:
        for item in order.items:
            if outcome["state"] == "waiting":
                moves[item.id] = ordering.Move(item, ItemState.HELD, NO_RESOURCE)
            elif outcome["state"] == "refused":
                moves[item.id] = ordering.Move(item, ItemState.PENDING, outcome["cause"]["code"])
            elif item.key == effect.item_key and (outcome["state"] == "failed" or item.state is ItemState.HELD):
                moves[item.id] = _fallout(tx, order, item)
    ordering.move_items(tx, list(moves.values()))


def _fallout(tx: Tx, order: OrderFacts, item: Item) -> ordering.Move:
    """An item is held while one of its effects has failed; then it goes on where it stood."""
    of_item = [e for e in effects.ledger(tx, [order.id])[order.id] if e.item_key == item.key]
    failed = [e for e in of_item if e.state is State.FAILED]
    if failed:
        return ordering.Move(item, ItemState.HELD, f"fallout:{failed[0].kind}")
    if not (item.reason or "").startswith("fallout:"):
        return ordering.Move(item, item.state, item.reason)
    closing = any(e.kind in order.release.closing for e in of_item)
    return ordering.Move(item, ItemState.CLOSING if closing else ItemState.IN_PROGRESS)


def _replan_released(tx: Tx, orders: Mapping[int, OrderFacts], changed: Sequence[Effect]) -> None:
    """The inventory has said whether the last user of a shared thing has gone: a fact that changes the plan."""
    ids = {e.order_id for e in changed if e.kind == RELEASE and e.state is State.CONFIRMED}
    released = [orders[i] for i in sorted(ids)]
    replan(tx, released)
    record_decisions(tx, released)


def _ended(
    tx: Tx,
    orders: Mapping[int, OrderFacts],
    changed: Sequence[Effect],
    notes: Iterable[tuple[OrderFacts, Mapping[str, Any], Effect]],
) -> list[Signal]:
    """What the diagram is told: which waits are over, and that the plan-driven stage may go on."""
    by_order: dict[int, list[Effect]] = {}
    for e in changed:
        by_order.setdefault(e.order_id, []).append(e)
    signals: list[Signal] = []
    for order_id, known in effects.ledger(tx, by_order).items():
        landed = [e for e in by_order[order_id] if e.state is State.CONFIRMED]
        signals += [*_landed(orders[order_id], landed, known), Nudge(order_id)]
    for order, outcome, effect in notes:
        if outcome["state"] == "refused":
            found = {"design": "refused", "reason": outcome["cause"]["code"]}
            signals.append(Message(order.id, "design", str(effect.revision), found))
    return signals


def _landed(order: OrderFacts, landed: Sequence[Effect], known: Sequence[Effect]) -> list[Signal]:
    release, n = order.release, order.revision.n
    signals: list[Signal] = [
        Message(order.id, "effect", str(e.id))
        for e in landed
        if release.work[e.work].performer is Performer.SYSTEM and e.kind not in release.closing
    ]
    closed = {e.kind for e in landed if e.kind in release.closing}
    waiting = {e.kind for e in known if e.state in _UNSETTLED}
    signals += [Message(order.id, "landed", kind) for kind in sorted(closed - waiting)]
    wishes = [e for e in known if e.work == "reserve" and e.revision == n]
    if any(e.work == "reserve" for e in landed) and all(e.state is State.CONFIRMED for e in wishes):
        signals.append(Message(order.id, "design", str(n), {"design": "served"}))
    return signals
