"""派单: what runs in the plan-driven stage follows from the ledger.

Intents of systems stand in the send queue as soon as they are ready; here they only show in the diagram. Intents
of people become work orders (``fulfilment.arrange``), one per kind of work and top-level item.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from diaodu.catalog.model import Performer, Policy
from diaodu.engine import commands as engine
from diaodu.engine.ports import Activation, Advance, Call, Decision, Scope, TaskSpec, Wait
from diaodu.fulfilment.arrange import Arrangement, Standing, arrange, lines_of
from diaodu.fulfilment.names import work_names
from diaodu.fulfilment.orders import OrderFacts, load_orders, record_decisions
from diaodu.fulfilment.replan import planned, replan
from diaodu.fulfilment.standing import settle_items
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.ordering import holds
from diaodu.organization import queries as organization
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import SETTLED, Effect, Op, State
from diaodu.workforce import commands as workforce
from diaodu.workforce import queries as work_orders
from diaodu.workforce.model import Recall, RecallEvent, WorkOrder
from diaodu.workforce.queries import Desk

# Holds that TM Forum calls pending: the customer's turn. All others are ours.
_CUSTOMERS = frozenset({holds.Cause.CUSTOMER, holds.Cause.RETURNED, holds.Cause.PRE})


@dataclass(frozen=True)
class _Stage:
    """One open stage with all that it follows from."""

    scope: Scope
    order: OrderFacts
    known: Sequence[Effect]
    desks: Sequence[Desk]  # those whose task is active in the stage, or that have no task yet
    places: Mapping[int, Mapping[str, Any]]  # where people do an effect
    found: Arrangement = field(default_factory=Arrangement)


class StageDriver:
    """The engine's AdHocDriver of 业务受理."""

    def advance(self, tx: Tx, scopes: Sequence[Scope]) -> Mapping[int, Advance]:
        """What each stage activates and takes back; it is done when every effect of the plan is settled."""
        orders = load_orders(tx, [s.root_id for s in scopes])
        stages = _looked_at(tx, scopes, orders)
        given_up = [e for s in stages for e in s.known if e.id in s.found.given_up]
        if given_up:
            # Nobody is at them any more: what waited for that is planned now.
            _shrink(tx, stages)
            ledger.withdraw(tx, given_up)
            touched = [orders[i] for i in sorted({e.order_id for e in given_up})]
            replan(tx, touched)
            settle_items(tx, touched)
            before, stages = stages, _looked_at(tx, scopes, orders)
            for old, new in zip(before, stages, strict=True):
                new.found.withdrawn.update(old.found.withdrawn)
        _shrink(tx, stages)
        _ask(tx, stages)
        made = _new_work_orders(tx, stages, orders)
        result = {s.scope.token_id: _advance(tx, s, made[s.order.id]) for s in stages}
        workforce.appointments.ended(tx, [s.order.id for s in stages if result[s.scope.token_id].done])
        record_decisions(tx, orders.values())
        return result


class SentWork:
    """The service ``fulfilment.sent``: an activity that ends when its effect has landed."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> None:
        """Nothing: the intent is in the send queue already."""

    def decide(self, call: Call, facts: None) -> Decision:
        """Wait for the effect that the activity stands for."""
        del facts
        return Decision(Wait("effect", call.key or ""))

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: None) -> None:
        """Nothing to write."""


def _looked_at(tx: Tx, scopes: Sequence[Scope], orders: Mapping[int, OrderFacts]) -> list[_Stage]:
    """The stages as the facts are now, and what becomes of their work orders."""
    ids = [s.root_id for s in scopes]
    known, desks = effects.ledger(tx, ids), work_orders.desks(tx, ids)
    stages = [
        _Stage(
            s,
            orders[s.root_id],
            known[s.root_id],
            _active(s, desks[s.root_id].values()),
            _places(orders[s.root_id], known[s.root_id], desks[s.root_id].values()),
        )
        for s in scopes
    ]
    asked = workforce.recalls.newest(tx, [d.work_order.id for s in stages for d in s.desks if d.busy])
    return [replace(s, found=arrange(_standing(s, asked), s.desks)) for s in stages]


def _standing(s: _Stage, asked: Mapping[int, Recall]) -> Standing:
    order = s.order
    groups = {line.key: line.group for line in order.revision.lines}
    busy = frozenset(line.effect for d in s.desks if d.busy for line in d.work_order.carried)
    no_more: tuple[int, ...] = ()
    if busy:  # somebody is at something: the plan says whether it is still wanted
        no_more = planned(order, s.known, busy).recall
    return Standing(order.release, {e.id: e for e in s.known}, groups, frozenset(no_more), asked, s.places)


def _places(order: OrderFacts, known: Sequence[Effect], desks: Collection[Desk]) -> dict[int, Mapping[str, Any]]:
    """Where people do what is still to be done: at the line's address; what they take back, where it was done."""
    lines = order.lines()
    people = [e for e in known if e.state is State.INTENT and order.release.work[e.work].performer is Performer.PEOPLE]
    done_at = {line.effect: d.work_order.place for d in desks for line in d.work_order.lines}
    return {
        e.id: (done_at.get(e.of_id or 0) if e.op is Op.UNDO else None) or lines[e.item_key or ""].address
        for e in people
    }


def _active(scope: Scope, desks: Collection[Desk]) -> list[Desk]:
    return [d for d in desks if str(d.work_order.id) in scope.active or (d.state is None and d.work_order.carried)]


def _shrink(tx: Tx, stages: Sequence[_Stage]) -> None:
    """Write what became of the open work orders and of their tasks."""
    workforce.rewrite(tx, [w for s in stages for w in s.found.rewritten.values()])
    for s in stages:
        gone = [d.work_order for d in s.desks if d.work_order.id in s.found.withdrawn]
        workforce.withdrawn(tx, gone)
        rests = {d.work_order.id for d in s.desks if d.state in ("offered", "claimed")} & s.found.suspended
        engine.suspend_tasks(tx, rests, reason=_reason(tx, s.order))
        engine.resume_tasks(tx, s.found.resumed)


def _reason(tx: Tx, order: OrderFacts) -> str:
    causes = {h.cause for h in holds.holds_of(tx, [order.id])[order.id]}
    return "customer" if causes & _CUSTOMERS else "held"


def _ask(tx: Tx, stages: Sequence[_Stage]) -> None:
    """Ask those who are at what is wanted no more, and let those be whose work is wanted again."""
    questions = [
        workforce.recalls.Question(s.order.id, w.id, s.found.asked[w.id], _minutes(s.order, w))
        for s in stages
        for w in (d.work_order for d in s.desks)
        if w.id in s.found.asked
    ]
    workforce.recalls.ask(tx, questions)
    workforce.recalls.settle(tx, {i for s in stages for i in s.found.wanted_again}, RecallEvent.DROP)


def _new_work_orders(tx: Tx, stages: Sequence[_Stage], orders: Mapping[int, OrderFacts]) -> dict[int, list[WorkOrder]]:
    """The work orders to activate, by order: those that are made here, and those that a split has made."""
    made = [_work_order(tx, s.order, es, s.places[es[0].id]) for s in stages for es in s.found.offered]
    on_site = (w for w in made if orders[w.order_id].release.work[w.kind].on_site)
    made = workforce.appointments.within_windows(tx, made, {w.id: _appointment(orders[w.order_id], w) for w in on_site})
    workforce.create(tx, made)
    found = {
        s.order.id: [d.work_order for d in s.desks if d.state is None and str(d.work_order.id) not in s.scope.active]
        for s in stages
    }
    for w in made:
        found[w.order_id].append(w)
    return found


def _advance(tx: Tx, s: _Stage, new: Sequence[WorkOrder]) -> Advance:
    order, scope = s.order, s.scope
    in_stage = [e for e in s.known if e.op is not Op.INHERITED and e.kind not in order.release.closing]
    waiting = [e for e in in_stage if e.state not in SETTLED]
    # An amendment that is in intake may still want work: its acceptance or its refusal calls here again.
    if not waiting and not (order.intake and order.accepted):
        workforce.withdrawn(tx, [d.work_order for d in s.desks])
        return Advance(withdraw=sorted(scope.active), done=True)
    systems = [
        Activation(e.work, str(e.id))
        for e in waiting
        if order.release.work[e.work].performer is Performer.SYSTEM and e.ready and str(e.id) not in scope.active
    ]
    tasks = [Activation(w.kind, str(w.id), _task(tx, order, w)) for w in new]
    settled = {str(e.id) for e in in_stage if e.state is State.WITHDRAWN}
    gone = {str(i): why for i, why in s.found.withdrawn.items()} | dict.fromkeys(settled & scope.active, "withdrawn")
    return Advance([*systems, *tasks], sorted(gone), reasons=gone)


def _work_order(tx: Tx, order: OrderFacts, carried: Sequence[Effect], place: Mapping[str, Any]) -> WorkOrder:
    return WorkOrder(
        id=tx.new_id(part_of(order.id)),
        order_id=order.id,
        kind=carried[0].work,
        lines=lines_of(carried),
        release_id=order.release.id,
        place=place,
        customer_id=order.revision.customer["id"],
    )


def _appointment(order: OrderFacts, w: WorkOrder) -> Mapping[str, Any]:
    """What the order says of an appointment for this work: with the line itself, else with its top-level item."""
    lines = order.lines()
    line = lines[w.lines[0].item or ""]
    found = line.extra.get("appointment") or lines[line.group].extra.get("appointment")
    return found if isinstance(found, Mapping) else {}


def _minutes(order: OrderFacts, w: WorkOrder) -> float:
    names = {"工作": work_names(order.release.work[w.kind])}
    return float(order.decide(Policy.RECALL_MINUTES, order.lines()[w.lines[0].item or ""], names))


def _task(tx: Tx, order: OrderFacts, w: WorkOrder) -> TaskSpec:
    kind = order.release.work[w.kind]
    line = order.lines()[w.lines[0].item or ""]
    names = {"工作": work_names(kind)}
    limit = tx.now + timedelta(minutes=float(order.decide(Policy.WORK_LIMIT_MINUTES, line, names)))
    return TaskSpec(
        name=kind.name["zh"],
        pool=_pool(tx, w.place["unit"], order.decide(Policy.WORK_ROLE, line, names)),
        priority=order.decide(Policy.WORK_PRIORITY, line, names),
        due_at=w.end_at or limit,
    )


def _pool(tx: Tx, unit: int, role: str) -> int:
    """The worklist for work of a role in a unit, looked up once for a batch."""
    known: dict[tuple[int, str], int] = tx.memo.setdefault("fulfilment.pools", {})
    if (unit, role) not in known:
        known[unit, role] = organization.pool_for(tx, unit, role)
    return known[unit, role]
