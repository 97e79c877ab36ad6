"""回单: what people, systems and areas report becomes facts of the ledger; one path for all of them.

A report is true whatever has happened to its task since: it lands, and the plan follows from the facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diaodu.catalog.model import Performer
from diaodu.engine.ports import Inbound, Message, Nudge, Signal, Start
from diaodu.fulfilment.design import answers
from diaodu.fulfilment.fallout import decide_failures
from diaodu.fulfilment.orders import OrderFacts, load_orders, record_decisions
from diaodu.fulfilment.replan import replan
from diaodu.fulfilment.standing import settle_items
from diaodu.fulfilment.wanted import CLAIM
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import FINAL, Action
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import OPEN, Effect, Op, State
from diaodu.planning.plan import RELEASE
from diaodu.workforce import queries as work_orders

# What an area says of a wish: it stands in the area's queue, or it cannot be.
_OF_AREAS: Mapping[str, State] = {"waiting": State.SENT, "refused": State.WITHDRAWN}
_DONE = frozenset({State.CONFIRMED, State.UNDONE, State.WITHDRAWN})


@dataclass(frozen=True)
class _Outcome:
    """What a report says of one effect, as it was before."""

    order: OrderFacts
    effect: Effect
    said: Mapping[str, Any]


class Reports:
    """Takes the inbound jobs ``effect.report``.

    Body: ``source`` (work, adapter, area), ``task`` and ``by`` for people, ``outcomes``: a list of ``effect``,
    ``state`` (confirmed, failed, unknown, intent, waiting, refused), ``result``, ``cause``, ``due``.
    """

    def run(self, tx: Tx, jobs: Sequence[Inbound]) -> Sequence[Signal]:
        """Land all outcomes set-wise, plan again what they change, and tell the diagram what has ended."""
        ids = list(dict.fromkeys(j.root_id for j in jobs))
        orders = load_orders(tx, ids)
        known = {e.id: e for es in effects.ledger(tx, ids).values() for e in es}
        signals: list[Signal] = []
        landings: dict[int, ledger.Landing] = {}
        outcomes: list[_Outcome] = []
        for job in jobs:
            for said in job.body["outcomes"]:
                effect = known.get(int(said["effect"]))
                if effect is None:
                    continue
                outcomes.append(_Outcome(orders[job.root_id], effect, said))
                landings[effect.id] = _landing(effect, said, job.body.get("claims", {}))
            if "task" in job.body:
                signals.append(Message(job.root_id, "task", str(job.body["task"])))
            journal.record(tx, job.root_id, _entry(job))
        _end_late(tx, jobs)
        changed = ledger.land(tx, list(landings.values()))
        changed += decide_failures(tx, orders, changed)
        _pass_points(tx, orders, changed)
        late = {o.effect.id for o in outcomes if o.effect.state is State.WITHDRAWN}
        again = _changing(orders, changed, late)
        replan(tx, again)
        refusals = {o.effect.id: str(o.said["cause"]["code"]) for o in outcomes if o.said["state"] == "refused"}
        designed = answers(tx, changed, refusals)
        settle_items(tx, orders.values())
        record_decisions(tx, again)
        return [*signals, *_ended(tx, orders, changed), *designed, *_reopened(tx, again)]


def _end_late(tx: Tx, jobs: Sequence[Inbound]) -> None:
    """A late report ends its task too, where that is still open; in time, whoever reported has told so."""
    late = [j for j in jobs if j.body.get("late")]
    desks = work_orders.desks(tx, {j.root_id for j in late})
    for task, job in {int(j.body["task"]): j for j in late}.items():
        desk = desks[job.root_id][task]
        if desk.open:
            told = {"by": job.body["by"], "late": True, "from": desk.state, "to": "done"}
            journal.record(tx, job.root_id, {"t": "task.done", "task": task} | told)


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
    return entry | {k: job.body[k] for k in ("task", "by", "request") if k in job.body}


def _pass_points(tx: Tx, orders: Mapping[int, OrderFacts], changed: Sequence[Effect]) -> None:
    """A fact may be a point of no return for its item; its kind says so."""
    passed = []
    for e in changed:
        kind = orders[e.order_id].release.effects.get(e.kind)
        if e.state is State.CONFIRMED and e.op in (Op.DO, Op.REDO) and kind and kind.ponr != "none":
            passed += [(i, kind.ponr) for i in orders[e.order_id].items if i.key == e.item_key]
        if e.kind == RELEASE and e.state is State.CONFIRMED:
            # The product has left what it shared with others: there is no way back.
            passed += [(i, "hard") for i in orders[e.order_id].items if i.key == e.item_key]
    ordering.pass_points(tx, passed)


def _changing(orders: Mapping[int, OrderFacts], changed: Sequence[Effect], late: set[int]) -> list[OrderFacts]:
    """The orders whose plan may be another one now.

    A first installation does what it planned. Where something is changed or taken back, the next steps follow from
    what has landed; and a late fact, another design, or the word that the last user of a shared thing has gone,
    changes any plan.
    """
    found = []
    for i in dict.fromkeys(e.order_id for e in changed):
        order = orders[i]
        told = any(e.order_id == i and (e.kind == RELEASE or e.work == "reserve" or e.id in late) for e in changed)
        if order.revision.state == "accepted" and (told or _in_change(order)):
            found.append(order)
    return found


def _in_change(order: OrderFacts) -> bool:
    return order.revision.n > 1 or any(
        line.action is not Action.ADD or not line.wanted for line in order.revision.lines
    )


def _reopened(tx: Tx, orders: Iterable[OrderFacts]) -> list[Signal]:
    """What became true after an order had been cancelled is undone in an execution of its own."""
    signals: list[Signal] = []
    for order in orders:
        left = [e for e in effects.ledger(tx, [order.id])[order.id] if e.op is Op.UNDO and e.state in OPEN]
        if left and all(i.state in FINAL for i in order.items):
            signals.append(Start(order.id, order.release.processes["execution"], f"{order.id}.{left[0].id}"))
    return signals


def _ended(tx: Tx, orders: Mapping[int, OrderFacts], changed: Sequence[Effect]) -> list[Signal]:
    """What the diagram is told: which waits are over, and that the plan-driven stage may go on."""
    by_order: dict[int, list[Effect]] = {}
    for e in changed:
        by_order.setdefault(e.order_id, []).append(e)
    signals: list[Signal] = []
    for order_id, known in effects.ledger(tx, by_order).items():
        landed = [e for e in by_order[order_id] if e.state is State.CONFIRMED]
        signals += [*_landed(orders[order_id], landed, known), Nudge(order_id)]
    return signals


def _landed(order: OrderFacts, landed: Sequence[Effect], known: Sequence[Effect]) -> list[Signal]:
    release = order.release
    signals: list[Signal] = [
        Message(order.id, "effect", str(e.id))
        for e in landed
        if release.work[e.work].performer is Performer.SYSTEM and e.kind not in release.closing
    ]
    closed = {e.kind for e in landed if e.kind in release.closing}
    waiting = {e.kind for e in known if e.state not in _DONE}
    signals += [Message(order.id, "landed", kind) for kind in sorted(closed - waiting)]
    return signals
