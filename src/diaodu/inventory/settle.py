"""The requests that give back or write down; each kind set-wise for a batch.

What ends or confirms a reservation is in ``terms``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diaodu.inventory.model import NUMBER_QUARANTINE, ProductState, ServiceState
from diaodu.inventory.requests import Request
from diaodu.inventory.reserve import box_key
from diaodu.kernel import sets
from diaodu.kernel.db import Tx

Answers = dict[int, Mapping[str, Any]]
SERVED: Mapping[str, Any] = {"status": "served"}

_PRODUCT = {
    "area": "int4", "id": "int8", "customer_id": "int8", "parent_id": "int8", "offering": "text", "spec": "text",
    "name": "text", "state": "int2", "characteristics": "jsonb", "place_id": "int8", "realisations": "jsonb",
    "order_id": "int8", "release_id": "int4", "started_at": "timestamptz", "ended_at": "timestamptz",
}  # fmt: skip
_SERVICE = {
    "area": "int4", "id": "int8", "product_id": "int8", "spec": "text", "role": "text", "state": "int2",
    "characteristics": "jsonb", "started_at": "timestamptz", "ended_at": "timestamptz",
}  # fmt: skip
_USAGE = {"area": "int4", "thing_id": "int8", "product_id": "int8"}
# A number that was in use rests before it is given out again; all else is free at once.
_FREE = """
update inventory.resource r set holder = null, order_id = null,
       state = case when r.spec = 'number' and r.state = 2 then 4 else 0 end,
       until = case when r.spec = 'number' and r.state = 2 then %s::timestamptz end
  from unnest(%s::int8[], %s::int8[]) as u(thing, item)
 where r.area = %s and r.holder = u.thing and (u.item is null or r.id = u.item) and r.state in (1, 2)
returning r.spec, r.up_id
"""
_FAULTY = """
update inventory.resource r set state = 3, holder = null, order_id = null, until = null
  from unnest(%s::int8[], %s::int8[]) as u(thing, item)
 where r.area = %s and r.id = u.item and r.holder = u.thing and r.state in (1, 2)
returning r.id, r.code
"""
_UNCLAIM = """
update inventory.product p set claimed_by = null from unnest(%s::int8[], %s::int8[]) as u(order_id, product)
 where p.area = %s and p.id = u.product and p.claimed_by = u.order_id
"""


def unclaim(tx: Tx, area: int, requests: Sequence[Request]) -> Answers:
    """Let go of products, so that other orders may change them."""
    give_up(tx, area, [(r.order_id, int(r.body["claim"])) for r in requests])
    return {r.id: SERVED for r in requests}


def faulty(tx: Tx, area: int, requests: Sequence[Request]) -> tuple[Answers, set[str]]:
    """Take bad resources of things out of use and set the rest of what was chosen with them free.

    What the thing does not hold any more is left alone: somebody else may use it by now.
    """
    bad = [(int(r.body["thing"]), int(item)) for r in requests for item in r.body["faulty"]]
    rest = [(int(r.body["thing"]), int(item)) for r in requests for item in r.body["resources"]]
    taken = tx.rows(_FAULTY, (*columns(bad), area))
    freed = tx.rows(_FREE, (tx.now + NUMBER_QUARANTINE, *columns([p for p in rest if p not in bad]), area))
    codes = dict(taken)
    told = {r.id: [codes[int(i)] for i in r.body["faulty"] if int(i) in codes] for r in requests}
    return {request: {**SERVED, "faulty": found} for request, found in told.items()}, freed_keys(freed)


def release(tx: Tx, area: int, requests: Sequence[Request]) -> Answers:
    """Take products off the things that they use; answers whether they were the last users."""
    asked = [(r.id, int(r.body["thing"]), [int(p) for p in r.body["products"]]) for r in requests]
    users: dict[int, set[int]] = {}
    for thing, product in tx.rows(
        "select thing_id, product_id from inventory.usage where area = %s and thing_id = any(%s::int8[])",
        (area, [thing for _, thing, _ in asked]),
    ):
        users.setdefault(thing, set()).add(product)
    answers: Answers = {}
    gone: list[tuple[int, int, int]] = []
    for request_id, thing, leaving in asked:
        left = users.setdefault(thing, set())
        gone += [(area, thing, product) for product in leaving if product in left]
        left -= set(leaving)
        answers[request_id] = {**SERVED, "last_user": not left}
    sets.delete(tx, "inventory.usage", _USAGE, gone)
    return answers


def free(tx: Tx, area: int, requests: Sequence[Request]) -> tuple[Answers, set[str]]:
    """Set the resources of things free, all or those named; returns the keys that became free. A used number rests."""
    given = {(int(r.body["thing"]), item) for r in requests for item in _part(r, "resources") or (None,)}
    freed = tx.rows(_FREE, (tx.now + NUMBER_QUARANTINE, *columns(list(given)), area))
    return {r.id: SERVED for r in requests}, freed_keys(freed)


def archive(tx: Tx, area: int, requests: Sequence[Request]) -> tuple[Answers, set[str]]:
    """Fold finished orders into the inventory: products, services, usage, resources in use or replaced, ends, claims.

    Returns the keys of what became free because it was replaced.
    """
    products = [_product_row(tx, area, r, p) for r in requests for p in _part(r, "products")]
    services = [_service_row(tx, area, s) for r in requests for s in _part(r, "services")]
    _upsert(tx, "inventory.product", _PRODUCT, products)
    _upsert(tx, "inventory.service", _SERVICE, services)
    usage = sorted({(area, int(t), int(p)) for r in requests for t, p in _part(r, "usage")})
    sets.insert(tx, "inventory.usage", _USAGE, usage, on_conflict="(area, thing_id, product_id) do nothing")
    if used := sorted({int(t) for r in requests for t in _part(r, "use")}):
        tx.run(
            "update inventory.resource set state = 2, order_id = null"
            " where area = %s and holder = any(%s::int8[]) and state = 1",
            (area, used),
        )
    if ended := sorted({int(p) for r in requests for p in _part(r, "end")}):
        _end(tx, area, ended)
    give_up(tx, area, [(r.order_id, int(p)) for r in requests for p in _part(r, "unclaim")])
    replaced = [(int(thing), int(item)) for r in requests for thing, item in _part(r, "free")]
    freed = tx.rows(_FREE, (tx.now + NUMBER_QUARANTINE, *columns(replaced), area)) if replaced else []
    return {r.id: SERVED for r in requests}, freed_keys(freed)


def _end(tx: Tx, area: int, products: list[int]) -> None:
    tx.expect(
        len(products),
        "update inventory.product set state = %s, ended_at = %s, claimed_by = null"
        " where area = %s and id = any(%s::int8[])",
        (int(ProductState.TERMINATED), tx.now, area, products),
    )
    tx.run(
        "update inventory.service set state = %s, ended_at = %s"
        " where area = %s and product_id = any(%s::int8[]) and state <> %s",
        (int(ServiceState.TERMINATED), tx.now, area, products, int(ServiceState.TERMINATED)),
    )


def give_up(tx: Tx, area: int, pairs: Sequence[tuple[int, int]]) -> None:
    """End the claims of orders on products: pairs of order and product."""
    if pairs:
        tx.run(_UNCLAIM, (*columns(pairs), area))


def columns(pairs: Sequence[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    """The two columns of pairs, for unnest."""
    return [first for first, _ in pairs], [second for _, second in pairs]


def _part(request: Request, name: str) -> Iterable[Any]:
    return request.body.get(name) or ()


def _product_row(tx: Tx, area: int, request: Request, product: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        area, int(product["id"]), int(product["customer_id"]), product.get("parent_id"), product["offering"],
        product.get("spec"), product["name"], int(product["state"]), product.get("characteristics") or {},
        product.get("place_id"), product.get("realisations") or [], request.order_id, int(product["release_id"]),
        product.get("started_at") or tx.now, product.get("ended_at"),
    )  # fmt: skip


def _service_row(tx: Tx, area: int, service: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        area, int(service["id"]), int(service["product_id"]), service["spec"], service["role"], int(service["state"]),
        service.get("characteristics") or {}, service.get("started_at") or tx.now, service.get("ended_at"),
    )  # fmt: skip


def _upsert(tx: Tx, table: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
    # The later request of a batch wins, as it would in a batch of its own; the first start stays.
    latest = {row[1]: row for row in rows}
    changed = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in ("area", "id", "started_at"))
    sets.insert(tx, table, columns, list(latest.values()), on_conflict=f"(area, id) do update set {changed}")


def freed_keys(freed: Iterable[tuple[str, int | None]]) -> set[str]:
    """The boxes and pools in which something became free, given its specification and what is above it."""
    return {box_key(up) if spec == "box_port" and up is not None else spec for spec, up in freed if spec != "cvlan"}
