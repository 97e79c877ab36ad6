"""接受: a designed revision becomes the to-be of its order; the plan is computed and the execution starts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from diaodu.engine.ports import BusinessError, Call, Decision, Done, Nudge, Start
from diaodu.fulfilment.orders import OrderFacts, load_orders, record_decisions
from diaodu.fulfilment.replan import inherit, replan
from diaodu.fulfilment.report import NO_RESOURCE
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import ItemState


class Accept:
    """The service ``fulfilment.accept``."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Mapping[int, OrderFacts]:
        """The orders of the calls."""
        return load_orders(tx, [c.root_id for c in calls])

    def decide(self, call: Call, facts: Mapping[int, OrderFacts]) -> Decision:
        """A revision whose product another order holds is not accepted; else the execution starts or is nudged."""
        if call.vars.get("design") == "refused":
            return Decision(BusinessError("design-refused", str(call.vars.get("reason"))))
        order = facts[call.root_id]
        execution = Start(order.id, order.release.processes["execution"], str(order.id))
        return Decision(Done(), signals=[Nudge(order.id) if _is_running(order) else execution])

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Mapping[int, OrderFacts]) -> None:
        """Accept and plan."""
        accepted = [facts[call.root_id] for call, d in decided if isinstance(d.outcome, Done)]
        inherit(tx, accepted)
        replan(tx, accepted)
        ordering.accept_revisions(tx, [o.revision for o in accepted])
        ordering.move_items(tx, [ordering.Move(i, ItemState.IN_PROGRESS) for o in accepted for i in o.items])
        for o in accepted:
            journal.record(tx, o.id, {"t": "order.planned", "revision": o.revision.n})
        record_decisions(tx, accepted)
        refused = [
            (facts[c.root_id].revision, c.vars.get("reason")) for c, d in decided if not isinstance(d.outcome, Done)
        ]
        problems = [replace(r, state="rejected", problems=[{"code": reason}]) for r, reason in refused]
        ordering.save_revisions(tx, problems)


def _is_running(order: OrderFacts) -> bool:
    # Held for a resource it is still in intake; what failed was begun.
    begun = (ItemState.IN_PROGRESS, ItemState.CLOSING)
    return any(i.state in begun or (i.state is ItemState.HELD and i.reason != NO_RESOURCE) for i in order.items)
