"""回单: what people, systems and areas report becomes facts of the ledger; one path for all of them.

A report is true whatever has happened to its task since: it lands, and the plan follows from the facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from diaodu.catalog.model import Performer
from diaodu.engine.ports import Inbound, Message, Nudge, Signal
from diaodu.fulfilment.orders import OrderFacts, load_orders
from diaodu.fulfilment.replan import replan
from diaodu.fulfilment.wanted import CLAIM
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import ItemState
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, State
from diaodu.planning.plan import RELEASE

# States in which an effect still keeps its order waiting.
_UNSETTLED = frozenset({State.INTENT, State.SENT, State.UNKNOWN, State.FAILED})
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
        _move_items(tx, notes, changed)
        _replan_released(tx, orders, changed)
        return [*signals, *_ended(tx, orders, changed, notes)]


def _landing(effect: Effect, outcome: Mapping[str, Any], claims: Mapping[str, Any]) -> ledger.Landing:
    due = outcome.get("due")
    cause = outcome.get("cause")
    result = outcome.get("result") or ({"cause": cause} if cause else None)
    if effect.kind == CLAIM:
        result = claims[str(effect.thing_id)]
    state = _OF_AREAS.get(outcome["state"]) or State(outcome["state"])
    due_at = datetime.fromisoformat(due) if due else None
    return ledger.Landing(effect, state, result, due_at, outcome.get("attempts"))


def _entry(job: Inbound) -> dict[str, Any]:
    outcomes = [{k: o[k] for k in ("effect", "state", "cause") if o.get(k)} for o in job.body["outcomes"]]
    entry = {"t": "report.landed", "source": job.body["source"], "outcomes": outcomes}
    return entry | {k: job.body[k] for k in ("task", "by") if k in job.body}


def _move_items(
    tx: Tx, notes: Sequence[tuple[OrderFacts, Mapping[str, Any], Effect]], changed: Sequence[Effect]
) -> None:
    """Items wait while one of their effects failed or finds no resource, and go on when it is repaired."""
    moves: dict[int, ordering.Move] = {}
    landed = {e.id for e in changed}
    for order, outcome, effect in notes:
        for item in order.items:
            if outcome["state"] == "waiting":
                moves[item.id] = ordering.Move(item, ItemState.HELD, "no-resource")
            elif outcome["state"] == "refused":
                moves[item.id] = ordering.Move(item, ItemState.PENDING, outcome["cause"]["code"])
            elif outcome["state"] == "failed" and item.key == effect.item_key:
                moves[item.id] = ordering.Move(item, ItemState.HELD, f"fallout:{effect.kind}")
            elif item.state is ItemState.HELD and item.reason == f"fallout:{effect.kind}" and effect.id in landed:
                moves[item.id] = ordering.Move(item, ItemState.IN_PROGRESS)
    ordering.move_items(tx, list(moves.values()))


def _replan_released(tx: Tx, orders: Mapping[int, OrderFacts], changed: Sequence[Effect]) -> None:
    """The inventory has said whether the last user of a shared thing has gone: a fact that changes the plan."""
    ids = {e.order_id for e in changed if e.kind == RELEASE and e.state is State.CONFIRMED}
    replan(tx, [orders[i] for i in sorted(ids)])


def _ended(
    tx: Tx,
    orders: Mapping[int, OrderFacts],
    changed: Sequence[Effect],
    notes: Iterable[tuple[OrderFacts, Mapping[str, Any], Effect]],
) -> list[Signal]:
    signals: list[Signal] = []
    touched = {e.order_id for e in changed}
    for order_id, known in effects.ledger(tx, touched).items():
        order = orders[order_id]
        landed = [e for e in changed if e.order_id == order_id and e.state is State.CONFIRMED]
        work = order.release.work
        sent = [e for e in landed if work[e.work].performer is Performer.SYSTEM and e.kind not in order.release.closing]
        signals += [Message(order_id, "effect", str(e.id)) for e in sent]
        for kind in {e.kind for e in landed if e.kind in order.release.closing}:
            if not any(e.kind == kind and e.state in _UNSETTLED for e in known):
                signals.append(Message(order_id, "landed", kind))
        n = order.revision.n
        wishes = [e for e in known if e.work == "reserve" and e.revision == n]
        if any(e.work == "reserve" for e in landed) and all(e.state is State.CONFIRMED for e in wishes):
            signals.append(Message(order_id, "design", str(n), {"design": "served"}))
        if landed:
            signals.append(Nudge(order_id))
    for order, outcome, effect in notes:
        if outcome["state"] == "refused":
            reason = outcome["cause"]["code"]
            found = {"design": "refused", "reason": reason}
            signals.append(Message(order.id, "design", str(effect.revision), found))
    return signals
