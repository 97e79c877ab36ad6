"""TMF622 cancelProductOrder: the request to cancel an order, or with ``productOrderItem`` some of its items."""

import hashlib
from collections.abc import Mapping
from typing import Any

from diaodu.engine import commands as engine
from diaodu.kernel import journal
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of
from diaodu.ordering import cancel, queries
from diaodu.ordering.cancel import CancelState, CancelTask, Verdict
from diaodu.ordering.errors import ItemUnknown
from diaodu.ordering.tmf import BASE, SCOPE
from diaodu.tmf.document import Document, inner, instant, moment, objects, present, reference, text
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.query import Column, parse_id, parse_time
from diaodu.tmf.resource import Create, Resource, Row, read_one

ITEMS_MAX = 100
_READ = {"id", "href", "state", "effectiveCancellationDate", "cancellationReason", "productOrder", "productOrderItem"}


def to_resource(row: Row, base: str) -> Document:
    """A request's JSON; each item with its verdict, and what of it is still in the network."""
    items, fee = row["items"], row["fee"]
    return present(
        {
            "@type": "CancelProductOrder",
            **row["extra"],
            "id": str(row["id"]),
            "href": f"{base}{BASE}/cancelProductOrder/{row['id']}",
            "cancellationReason": row["reason"],
            "state": row["state"],
            "effectiveCancellationDate": instant(row["ended_at"]) if _cancels(items) else None,
            "productOrder": {
                "id": str(row["order_id"]),
                "href": f"{base}{BASE}/productOrder/{row['order_id']}",
                "@referredType": "ProductOrder",
            },
            "productOrderItem": [_item(j, row["states"] or {}) for j in items["judged"]]
            or [{"id": key} for key in items["chosen"]]
            or None,
            "cancellationFee": fee and _consent(fee),
            "remainingEffect": row["remaining"] or None,
        }
    )


def _cancels(items: Mapping[str, Any]) -> bool:
    return items["revision"] is not None


def _item(judged: Mapping[str, Any], states: Mapping[str, str]) -> Document:
    found = {"id": judged["key"], "verdict": judged["verdict"], "pointOfNoReturn": judged["ponr"]}
    fee = _money(judged["fee"]) if judged["fee"] else None
    state = states.get(judged["key"])
    outside = "inProgress" if state == "closing" else state
    return present(found | {"reason": judged["why"], "fee": fee, "state": outside})


def _consent(fee: Mapping[str, Any]) -> Document:
    return present({"price": _money(fee["amount"]), "consent": fee["agreed"], "by": fee["by"], "until": fee["until"]})


def _money(amount: int) -> Document:
    """An amount of 分 as TM Forum writes money."""
    return {"unit": "CNY", "value": amount / 100}


def render_task(tx: Tx, task_id: int) -> Document:
    """A request as an event carries it."""
    row = read_one(tx, CANCEL_PRODUCT_ORDER, task_id)
    if row is None:
        raise NotFound(entity="cancelProductOrder", id=task_id)
    return to_resource(row, "")


def _identify(tx: Tx, principal: Principal, document: Document, key: str | None) -> tuple[int, CancelTask]:
    """The request's id: the same as long as the same was asked and the answer still holds."""
    del key  # what is asked for says whether it was asked before, whoever asks
    path = "productOrder."
    order_id = reference(inner(document, "productOrder"), "id", path)
    if order_id is None:
        raise BadAttribute(path=f"{path}id", expected="the id of the order to cancel", value="nothing")
    items = queries.items_of(tx, [order_id])[order_id]
    if not items:
        raise NotFound(entity="productOrder", id=order_id)
    entries = objects(document, "productOrderItem", most=ITEMS_MAX)
    chosen = [text(e, "id", f"productOrderItem[{n}].", required=True) or "" for n, e in enumerate(entries)]
    known = [i.key for i in items]
    for item in chosen:
        if item not in known:
            raise ItemUnknown(id=order_id, item=item[:100], known=", ".join(known))
    moment(document, "requestedCancellationDate")
    chosen = [] if set(chosen) == set(known) else sorted(set(chosen))
    extra = {k: v for k, v in document.items() if k not in _READ}
    task_id = _id_of(tx, order_id, chosen)
    reason = text(document, "cancellationReason")
    task = CancelTask(
        task_id, order_id, CancelState.ACKNOWLEDGED, reason, tuple(chosen), principal.name, tx.now, extra=extra
    )
    return task_id, task


def _id_of(tx: Tx, order_id: int, chosen: list[str]) -> int:
    # A request without effect that could have one today, because the customer said no then, is no answer for ever.
    before = sum(_may_differ(t) for t in cancel.tasks_of(tx, [order_id])[order_id])
    states = queries.items_of(tx, [order_id])[order_id]
    key = hashlib.sha256(f"{order_id}|{chosen}|{before}|{len(states)}".encode()).hexdigest()
    tx.run(
        "insert into kernel.ext_key (kind, source, key, id) values ('cancelProductOrder', %s, %s, %s)"
        " on conflict do nothing",
        (str(order_id), key, tx.new_id(part_of(order_id))),
    )
    row = tx.row(
        "select id from kernel.ext_key where kind = 'cancelProductOrder' and source = %s and key = %s",
        (str(order_id), key),
    )
    assert row is not None
    return int(row[0])


def _may_differ(task: CancelTask) -> bool:
    if task.state is not CancelState.DONE:
        return False
    refused = task.consent is not None and task.consent.agreed is False
    return refused or any(j.why is cancel.Why.IN_INTAKE for j in task.judged if j.verdict is Verdict.DENIED)


def _capture(tx: Tx, principal: Principal, task_id: int, task: CancelTask) -> bool:
    """Write the request down and have it decided; False when it was there."""
    del principal
    journal.lock(tx, [task.order_id])
    if any(t.id == task_id for t in cancel.tasks_of(tx, [task.order_id])[task.order_id]):
        return False
    cancel.add_task(tx, task)
    body = {"task": task_id}
    engine.enqueue(tx, [engine.Enqueue(task.order_id, "order.cancel", body, f"cancel:{task_id}")])
    cancel.tell(tx, task, "CancelProductOrderCreateEvent")
    return True


# What an order that is being taken back still has in the network: facts that have an undo which is not done.
_SOURCE = """(
  select t.part, t.id, t.order_id, t.state, t.reason, t.items, t.fee, t.extra, t.created_at, t.ended_at,
         (select jsonb_object_agg(i.item_key, i.state) from ordering.order_item i
           where i.part = t.part and i.order_id = t.order_id) as states,
         (select jsonb_agg(jsonb_build_object('id', f.id::text, 'kind', f.kind, 'productOrderItem', f.item_key,
                                              'undo', e.kind, 'state', e.state) order by f.id)
            from planning.v_effect e join planning.v_effect f on f.part = e.part and f.order_id = e.order_id
             and f.id = e.of_id
           where e.part = t.part and e.order_id = t.order_id and e.op = 'undo' and f.state = 'confirmed'
             and e.state not in ('withdrawn', 'confirmed')) as remaining
    from ordering.cancel_task t
)"""
CANCEL_PRODUCT_ORDER = Resource(
    base=BASE,
    name="cancelProductOrder",
    source=_SOURCE,
    output=("id", "order_id", "state", "reason", "items", "fee", "extra", "ended_at", "states", "remaining"),
    columns={
        "id": Column("v.id", parse_id, indexed=True),
        "state": Column("v.state"),
        "cancellationReason": Column("v.reason"),
        "productOrder.id": Column("v.order_id", parse_id),
        "effectiveCancellationDate": Column("v.ended_at", parse_time),
    },
    order="v.created_at desc, v.id desc",
    order_indexed=False,
    to_resource=to_resource,
    scope=SCOPE,
    create=Create(_identify, _capture),
)
