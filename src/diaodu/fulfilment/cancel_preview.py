"""What a cancellation would come to, shown before anybody asks for it; and the 拆机 order for what is past it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diaodu.fulfilment.cancel import Cut, cut
from diaodu.fulfilment.orders import OrderFacts
from diaodu.fulfilment.replan import plan_of
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.ordering import queries as orders
from diaodu.ordering.cancel import Judged, Verdict
from diaodu.ordering.errors import ItemUnknown
from diaodu.ordering.model import Action
from diaodu.planning import queries as effects
from diaodu.planning.model import Op


@dataclass(frozen=True)
class Preview:
    """The verdict on each item, what would be undone and never begun, the fee in 分, and the 拆机 offer."""

    order_id: int
    item: Sequence[Mapping[str, Any]]
    undone: Sequence[Mapping[str, Any]]
    never_begun: Sequence[Mapping[str, Any]]
    fee: int
    consent_needed: bool
    removal: Mapping[str, Any] | None


def preview(tx: Tx, order_id: int, chosen: Collection[str]) -> Preview:
    """Judge a cancellation without asking for it. NotFound, ItemUnknown."""
    if not journal.lock(tx, [order_id]):
        raise NotFound(entity="productOrder", id=order_id)
    known_keys = [i.key for i in orders.items(tx, [order_id])[order_id]]
    for key in chosen:
        if key not in known_keys:
            raise ItemUnknown(id=order_id, item=key[:100], known=", ".join(known_keys))
    found = cut(tx, order_id, chosen)
    return Preview(
        order_id=order_id,
        item=[_item(j) for j in found.judged],
        **_work(tx, found),
        fee=found.fee,
        consent_needed=any(j.verdict is Verdict.CONSENT for j in found.judged),
        removal=removal_of(found.order, found.judged),
    )


def _item(j: Judged) -> dict[str, Any]:
    told = {"id": j.key, "verdict": j.verdict, "pointOfNoReturn": j.ponr, "reason": j.why, "fee": j.fee or None}
    return {name: value for name, value in told.items() if value is not None}


def _work(tx: Tx, found: Cut) -> dict[str, Any]:
    if all(j.verdict not in (Verdict.CANCEL, Verdict.CONSENT) for j in found.judged):
        return {"undone": [], "never_begun": []}
    known = effects.ledger(tx, [found.order.id])[found.order.id]
    result = plan_of(tx, found.order)
    names = {e.id: e for e in known}
    undone = [
        {"kind": names[s.of_id].kind if s.of_id else s.kind, "by": s.kind, "item": s.item_key, "work": s.work}
        for s in result.steps
        if s.op is Op.UNDO
    ]
    never = [{"kind": names[i].kind, "item": names[i].item_key, "work": names[i].work} for i in result.withdraw]
    return {"undone": undone, "never_begun": never}


def removal_of(order: OrderFacts, judged: Sequence[Judged]) -> dict[str, Any] | None:
    """A TMF622 order that removes what is past its point of no return, ready to be sent once it is installed."""
    lines = order.lines()
    denied = [lines[j.key] for j in judged if j.verdict is Verdict.DENIED and j.key in lines]
    keys = {line.key for line in denied}
    # A bundle is removed as a whole when all of it is denied.
    tops = [line for line in denied if line.parent not in keys and line.action is not Action.DELETE]
    if not tops:
        return None
    customer = {"id": str(order.revision.customer["id"]), "role": "customer", "@referredType": "Customer"}
    return {
        "@type": "ProductOrder",
        "description": f"拆机（原订单 {order.id} 已过不可撤单点）",
        "relatedParty": [customer],
        "productOrderItem": [
            {
                "id": line.key,
                "action": "delete",
                "quantity": 1,
                "productOffering": {"id": line.offering},
                "product": {"id": str(line.product_id)},
            }
            for line in tops
        ],
    }
