"""What the archives (计费, 资源, SLA) and the notice are told when an order is complete; pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from diaodu.catalog.model import Node, Policy, Tree
from diaodu.fulfilment.orders import OrderFacts
from diaodu.fulfilment.wanted import CLAIM
from diaodu.ordering.model import Action, Line
from diaodu.planning.model import Effect
from diaodu.planning.plan import RELEASE, current_facts

# States of TMF637 and TMF638 as the inventory numbers them.
_PRODUCT_ACTIVE, _SERVICE_ACTIVE = 2, 4
# Why a line was chosen stays in the ledger of its order; the product keeps what was chosen.
_EXPLANATION = ("path", "explain")


def closing_params(kind: str, order: OrderFacts, known: Sequence[Effect], group: str) -> dict[str, Any]:
    """The parameters of a closing effect for one top-level item."""
    return _MAKERS[kind](order, known, group)


def _billing(order: OrderFacts, known: Sequence[Effect], group: str) -> dict[str, Any]:
    """Offering, account, tariffs and the discount policy of the 套餐; a deletion is effective from acceptance."""
    del known
    top = order.lines()[group]
    lines = _members(order, group)
    return {
        "subject": str(top.product_id),
        "offering": top.offering,
        "account": order.revision.customer["account"],
        "effective_date": order.revision.ordered_at[:10],
        "action": top.action,
        "products": [
            {
                "id": str(line.product_id),
                "offering": line.offering,
                "action": line.action,
                "tariff": order.decide(Policy.TARIFF, line),
            }
            for line in lines
        ],
        "discount": order.decide(Policy.DISCOUNT, top),
    }


def _sla(order: OrderFacts, known: Sequence[Effect], group: str) -> dict[str, Any]:
    """The time limit that was promised, for the SLA archive."""
    del known
    top = order.lines()[group]
    hours = order.decide(Policy.ORDER_LIMIT_HOURS, top)
    ordered_at = datetime.fromisoformat(order.revision.ordered_at)
    return {
        "subject": str(top.product_id),
        "ordered_at": order.revision.ordered_at,
        "due": (ordered_at + timedelta(hours=hours)).isoformat(),
        "limit_hours": hours,
        "level": order.revision.customer["level"],
    }


def _notice(order: OrderFacts, known: Sequence[Effect], group: str) -> dict[str, Any]:
    """The message to the customer."""
    del known
    top = order.lines()[group]
    return {
        "subject": f"{order.id}.{group}",
        "number": order.revision.customer["phone"] or "10000",
        "text": order.decide(Policy.NOTICE, top),
    }


def _resource(order: OrderFacts, known: Sequence[Effect], group: str) -> dict[str, Any]:
    """Confirmed effects folded into products and services; what is in use, what was replaced, what has ended."""
    lines = _members(order, group)
    tree = order.revision.tree or Tree(())
    nodes = [n for n in tree if n.group == group]
    facts = [
        e for e in current_facts(known).values() if e.kind not in (CLAIM, RELEASE) and e.kind in order.release.effects
    ]
    alive = [line for line in lines if line.action is not Action.DELETE]
    held = {r["id"] for e in facts for r in (e.result or {}).get("resources", ())}
    shared = [n for n in nodes if n.users]
    return {
        "products": [_product(order, line, lines, facts, shared) for line in alive],
        "services": [
            {
                "id": n.thing_id,
                "product_id": order.lines()[n.item_key].product_id,
                "spec": n.spec,
                "role": n.role,
                "state": _SERVICE_ACTIVE,
                "characteristics": dict(n.characteristics),
            }
            for n in nodes
            if n.level == "service"
        ],
        "use": sorted(n.thing_id for n in nodes if n.level == "resource"),
        "usage": sorted([n.thing_id, product] for n in shared for product in n.users),
        "free": sorted(
            [e.thing_id, r["id"]]
            for e in known
            if e.result and e.kind in order.release.effects
            for r in e.result.get("resources", ())
            if r["id"] not in held and alive
        ),
        "end": [line.product_id for line in lines if line.action is Action.DELETE],
        "unclaim": [line.product_id for line in alive if line.action is not Action.ADD],
    }


def _product(
    order: OrderFacts, line: Line, lines: Sequence[Line], facts: Sequence[Effect], shared: Sequence[Node]
) -> dict[str, Any]:
    things = {n.thing_id for n in shared if line.product_id in n.users}
    parent = next((p.product_id for p in lines if p.key == line.parent), None)
    installed = line.installed or {}
    return {
        "id": line.product_id,
        "customer_id": order.revision.customer["id"],
        "parent_id": parent or installed.get("parent"),
        "offering": line.offering,
        "spec": line.spec,
        "name": order.release.offerings[line.offering].name["zh"],
        "state": _PRODUCT_ACTIVE,
        "characteristics": dict(line.characteristics),
        "place_id": line.address["id"],
        "release_id": order.release.id,
        "realisations": [realisation(e) for e in facts if e.item_key == line.key or e.thing_id in things],
    }


def realisation(e: Effect) -> dict[str, Any]:
    """A confirmed effect as the inventory keeps it: enough to change or undo it later."""
    return {
        "key": e.params.get("key", str(e.id)),
        "thing": e.thing_id,
        "spec": (e.undo or {}).get("of"),
        "kind": e.kind,
        "work": e.work,
        "element": e.element,
        "priority": e.priority,
        "params": {k: v for k, v in e.params.items() if k != "key"},
        "reads_hash": e.reads_hash,
        "undo": e.undo,
        "result": e.result and {k: v for k, v in e.result.items() if k not in _EXPLANATION},
    }


def _members(order: OrderFacts, group: str) -> list[Line]:
    """The lines of a top-level item, without those that were taken back."""
    return [line for line in order.revision.lines if line.group == group and line.wanted]


_MAKERS = {
    "archive.billing": _billing,
    "archive.resource": _resource,
    "archive.sla": _sla,
    "notice.completed": _notice,
}
