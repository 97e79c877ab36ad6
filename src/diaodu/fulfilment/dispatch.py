"""派单: what runs in the plan-driven stage follows from the ledger.

Intents of systems stand in the send queue as soon as they are ready; here they only show in the diagram. Intents
of people become work orders, one per kind of work and group, when all effects that it carries are ready.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from diaodu.catalog.model import Performer, Policy
from diaodu.engine.ports import Activation, Advance, Call, Decision, Scope, TaskSpec, Wait
from diaodu.fulfilment.names import work_names
from diaodu.fulfilment.orders import OrderFacts, load_orders, record_decisions
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.organization import queries as organization
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, Op, State
from diaodu.workforce import commands as workforce
from diaodu.workforce import queries as work_orders
from diaodu.workforce.model import WorkLine, WorkOrder

_DONE = frozenset({State.CONFIRMED, State.UNDONE, State.WITHDRAWN})


class StageDriver:
    """The engine's AdHocDriver of 业务受理."""

    def advance(self, tx: Tx, scopes: Sequence[Scope]) -> Mapping[int, Advance]:
        """What each stage activates next; it is done when every effect of the plan is settled."""
        ids = [s.root_id for s in scopes]
        orders = load_orders(tx, ids)
        ledger = effects.ledger(tx, ids)
        existing = work_orders.work_orders_of(tx, ids)
        made: dict[int, list[WorkOrder]] = {}
        result: dict[int, Advance] = {}
        for scope in scopes:
            order, known = orders[scope.root_id], ledger[scope.root_id]
            open_effects = [e for e in known if e.state not in _DONE and _in_stage(e, order)]
            if not open_effects:
                result[scope.token_id] = Advance(withdraw=sorted(scope.active), done=True)
                continue
            offered = (w for w in existing[scope.root_id] if str(w.id) in scope.active)
            carried = {line.effect for w in offered for line in w.lines}
            made[scope.token_id] = new = _new_work_orders(tx, order, known, carried)
            systems = [
                Activation(e.work, str(e.id))
                for e in open_effects
                if order.release.work[e.work].performer is Performer.SYSTEM
                and e.ready
                and str(e.id) not in scope.active
            ]
            tasks = [Activation(w.kind, str(w.id), _task(tx, order, w)) for w in new]
            result[scope.token_id] = Advance(activate=[*systems, *tasks])
        workforce.create(tx, [w for new in made.values() for w in new])
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


def _in_stage(effect: Effect, order: OrderFacts) -> bool:
    return effect.op is not Op.INHERITED and effect.kind not in order.release.closing


def _new_work_orders(tx: Tx, order: OrderFacts, known: Sequence[Effect], carried: set[int]) -> list[WorkOrder]:
    settled = {e.id for e in known if e.state in _DONE}
    waiting: dict[tuple[str, str], list[Effect]] = {}
    groups = {line.key: line.group for line in order.revision.lines}
    for e in known:
        if e.state is State.INTENT and e.id not in carried and order.release.work[e.work].performer is Performer.PEOPLE:
            waiting.setdefault((groups.get(e.item_key or "", ""), e.work), []).append(e)
    ready = {key: es for key, es in waiting.items() if all(settled.issuperset(e.needs) for e in es)}
    return [_work_order(tx, order, work, es) for (_, work), es in ready.items()]


def _work_order(tx: Tx, order: OrderFacts, work: str, carried: Sequence[Effect]) -> WorkOrder:
    line = order.lines()[carried[0].item_key or ""]
    return WorkOrder(
        id=tx.new_id(part_of(order.id)),
        order_id=order.id,
        kind=work,
        lines=tuple(WorkLine(e.id, e.kind, e.item_key, e.params) for e in carried),
        release_id=order.release.id,
        place=line.address,
    )


def _task(tx: Tx, order: OrderFacts, w: WorkOrder) -> TaskSpec:
    kind = order.release.work[w.kind]
    line = order.lines()[w.lines[0].item or ""]
    names = {"工作": work_names(kind)}
    return TaskSpec(
        name=kind.name["zh"],
        pool=_pool(tx, w.place["unit"], order.decide(Policy.WORK_ROLE, line, names)),
        priority=order.decide(Policy.WORK_PRIORITY, line, names),
        due_at=tx.now + timedelta(minutes=float(order.decide(Policy.WORK_LIMIT_MINUTES, line, names))),
    )


def _pool(tx: Tx, unit: int, role: str) -> int:
    """The worklist for work of a role in a unit, looked up once for a batch."""
    known: dict[tuple[int, str], int] = tx.memo.setdefault("fulfilment.pools", {})
    if (unit, role) not in known:
        known[unit, role] = organization.pool_for(tx, unit, role)
    return known[unit, role]
