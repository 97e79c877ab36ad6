"""接受: a designed revision becomes the to-be of its order; the plan is computed and the execution starts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from diaodu.engine.ports import BusinessError, Call, Decision, Done, Nudge, Start
from diaodu.fulfilment.intake import refuse, replaced
from diaodu.fulfilment.orders import OrderFacts, load_intake, record_decisions
from diaodu.fulfilment.replan import inherit, replan
from diaodu.fulfilment.standing import is_closing, settle_items
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering.errors import OrderNotAmendable
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect

Facts = tuple[Mapping[int, OrderFacts], Mapping[int, list[Effect]]]


class Accept:
    """The service ``fulfilment.accept``."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Facts:
        """The revisions that the calls are about, and the ledgers of their orders."""
        orders = load_intake(tx, calls)
        return orders, effects.ledger(tx, orders)

    def decide(self, call: Call, facts: Facts) -> Decision:
        """Refused is what an area refused, and what comes when the order is built; else the work starts or goes on."""
        order = facts[0][call.root_id]
        if waits := replaced(order):
            return waits
        reason = str(call.vars.get("reason")) if call.vars.get("design") == "refused" else None
        if order.accepted and is_closing(facts[1][order.id], order.release):
            reason = OrderNotAmendable.code
        if reason:
            return Decision(BusinessError("design-refused", reason), reason, [Nudge(order.id)])
        execution = Start(order.id, order.release.processes["execution"], str(order.id))
        return Decision(Done(), signals=[Nudge(order.id) if order.accepted else execution])

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Facts) -> None:
        """Accept and plan, or send back."""
        orders = facts[0]
        accepted = [_accepted(orders[c.root_id]) for c, d in decided if isinstance(d.outcome, Done)]
        inherit(tx, accepted)
        replan(tx, accepted)
        ordering.decide_revisions(tx, [(o.revision, "accepted") for o in accepted])
        for o in accepted:
            journal.record(tx, o.id, {"t": "order.planned", "revision": o.revision.n})
        record_decisions(tx, accepted)
        settle_items(tx, accepted)
        refuse(
            tx,
            [
                replace(orders[c.root_id].revision, problems=[{"code": d.writes}])
                for c, d in decided
                if isinstance(d.outcome, BusinessError)
            ],
        )


def _accepted(order: OrderFacts) -> OrderFacts:
    revision = replace(order.revision, state="accepted")
    return replace(order, revision=revision, intake=None, accepted=revision.n)
