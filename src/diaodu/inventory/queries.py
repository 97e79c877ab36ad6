"""Reads of addresses, the tree, what is free, and what is installed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from diaodu.inventory.errors import AddressNotCovered, AddressUnknown
from diaodu.inventory.model import (
    TREE,
    Address,
    Connectivity,
    FreePort,
    Node,
    Product,
    ProductState,
    RequestState,
    Resource,
    ResourceState,
    Service,
    ServiceState,
)
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound

_ADDRESS = "select id, area, parent_id, level, name, full_name, box_id from inventory.address"
_RESOURCE = "area, id, spec, code, state, up_id, place_id, holder, order_id, until, attrs"
_PRODUCT = (
    "area, id, customer_id, parent_id, offering, spec, name, state, claimed_by, characteristics, place_id,"
    " realisations, order_id, release_id, started_at, ended_at"
)
_SERVICE = "area, id, product_id, spec, role, state, characteristics, started_at, ended_at"
# An id alone is looked up in every area by its primary key.
_ANYWHERE = "area in (select id from inventory.area) and id = %s"
_FREE_PORTS = """
select p.id, p.up_id, p.code, (p.attrs->>'n')::int, (p.attrs->>'length_m')::float8, (p.attrs->>'loss_db')::float8,
       c.id, c.code, (c.attrs->>'vlan')::int
  from inventory.resource p
  join inventory.resource c on c.area = p.area and c.up_id = p.id and c.spec = 'cvlan' and c.state = 0
 where p.area = %s and p.spec = 'box_port' and p.state = 0 and p.up_id = any(%s::int8[])
 order by p.id
"""
# Ids are bigint: longer digits are no id.
_ID_DIGITS = 18


def find_address(tx: Tx, text: str) -> Address:
    """An address by its exact full name or its id; AddressUnknown."""
    wanted = text.strip()
    row = tx.row(f"{_ADDRESS} where full_name = %s", (wanted,))
    if row is None and wanted.isascii() and wanted.isdigit() and len(wanted) <= _ID_DIGITS:
        row = tx.row(f"{_ADDRESS} where id = %s", (int(wanted),))
    if row is None:
        raise AddressUnknown(address=text)
    return Address(*row)


def find_covered_address(tx: Tx, text: str) -> Address:
    """An address that has an area and a distribution box; AddressUnknown, AddressNotCovered."""
    address = find_address(tx, text)
    if address.area is None or address.box_id is None:
        raise AddressNotCovered(address=address.full_name)
    return address


def addresses(tx: Tx, ids: Collection[int]) -> dict[int, Address]:
    """The addresses that exist among the ids."""
    return {r[0]: Address(*r) for r in tx.rows(f"{_ADDRESS} where id = any(%s::int8[])", (list(ids),))}


def area_ids(tx: Tx) -> list[int]:
    """All areas, by id."""
    return [r[0] for r in tx.rows("select id from inventory.area order by id")]


def load_connectivity(tx: Tx, area: int) -> Connectivity:
    """The tree of an area down to the boxes."""
    found = tx.rows(
        "select id, spec, code, up_id, place_id, attrs from inventory.resource where area = %s and spec = any(%s)",
        (area, list(TREE)),
    )
    return Connectivity({r[0]: Node(*r) for r in found})


def free_ports(tx: Tx, area: int, boxes: Collection[int]) -> dict[int, list[FreePort]]:
    """The free ports of boxes, by box."""
    found: dict[int, list[FreePort]] = {}
    for row in tx.rows(_FREE_PORTS, (area, list(boxes))):
        found.setdefault(row[1], []).append(FreePort(*row))
    return found


def get_resource(tx: Tx, resource_id: int) -> Resource:
    """A resource by id; NotFound."""
    row = tx.row(f"select {_RESOURCE} from inventory.resource where {_ANYWHERE}", (resource_id,))
    if row is None:
        raise NotFound(entity="resource", id=resource_id)
    return _resource(row)


def resources_of(tx: Tx, area: int, things: Collection[int]) -> list[Resource]:
    """The resources that things hold, reserved or in use, by id."""
    found = tx.rows(
        f"select {_RESOURCE} from inventory.resource where area = %s and holder = any(%s::int8[]) order by id",
        (area, list(things)),
    )
    return [_resource(r) for r in found]


def get_product(tx: Tx, product_id: int) -> Product:
    """An installed product by id; NotFound."""
    row = tx.row(f"select {_PRODUCT} from inventory.product where {_ANYWHERE}", (product_id,))
    if row is None:
        raise NotFound(entity="product", id=product_id)
    return _product(row)


def products_of(tx: Tx, customer_id: int) -> list[Product]:
    """A customer's installed products, ended ones too, by id."""
    found = tx.rows(f"select {_PRODUCT} from inventory.product where customer_id = %s order by id", (customer_id,))
    return [_product(r) for r in found]


def products_named(tx: Tx, area: int, ids: Collection[int]) -> dict[int, Product]:
    """The products of an area that exist among the ids."""
    found = tx.rows(
        f"select {_PRODUCT} from inventory.product where area = %s and id = any(%s::int8[])", (area, list(ids))
    )
    return {r[1]: _product(r) for r in found}


def get_service(tx: Tx, service_id: int) -> Service:
    """A service by id; NotFound."""
    row = tx.row(f"select {_SERVICE} from inventory.service where {_ANYWHERE}", (service_id,))
    if row is None:
        raise NotFound(entity="service", id=service_id)
    return _service(row)


def services_of(tx: Tx, area: int, product_id: int) -> list[Service]:
    """The services of a product, by id."""
    found = tx.rows(
        f"select {_SERVICE} from inventory.service where area = %s and product_id = %s order by id", (area, product_id)
    )
    return [_service(r) for r in found]


def things_used(tx: Tx, area: int, products: Collection[int]) -> Mapping[int, dict[int, list[int]]]:
    """For each product the things that it uses, each with all its users: {product: {thing: [products]}}."""
    found: dict[int, dict[int, list[int]]] = {}
    for product, thing, users in tx.rows(
        "select mine.product_id, mine.thing_id, array_agg(u.product_id order by u.product_id)"
        " from inventory.usage mine join inventory.usage u on u.area = mine.area and u.thing_id = mine.thing_id"
        " where mine.area = %s and mine.product_id = any(%s::int8[]) group by 1, 2 order by 1, 2",
        (area, list(products)),
    ):
        found.setdefault(product, {})[thing] = users
    return found


def given_back(tx: Tx, area: int, requests: Collection[int]) -> set[int]:
    """The reservations among the requests that hold nothing any more."""
    rows = tx.rows(
        "select id from inventory.request where area = %s and id = any(%s::int8[]) and state = any(%s::int2[])",
        (area, list(requests), [int(RequestState.WITHDRAWN), int(RequestState.EXPIRED)]),
    )
    return {r[0] for r in rows}


def _resource(row: Sequence[object]) -> Resource:
    values = dict(zip(_RESOURCE.split(", "), row, strict=True))
    return Resource(**{**values, "state": ResourceState(values["state"])})  # type: ignore[arg-type]  # a row is untyped


def _product(row: Sequence[object]) -> Product:
    values = dict(zip(_PRODUCT.split(", "), row, strict=True))
    return Product(**{**values, "state": ProductState(values["state"])})  # type: ignore[arg-type]  # a row is untyped


def _service(row: Sequence[object]) -> Service:
    values = dict(zip(_SERVICE.split(", "), row, strict=True))
    return Service(**{**values, "state": ServiceState(values["state"])})  # type: ignore[arg-type]  # a row is untyped


def covered_places(
    tx: Tx, places: Collection[Mapping[str, object]]
) -> Callable[[Mapping[str, object]], dict[str, object]]:
    """A look-up for the places that orders name by id or full address; read once for all of them.

    It answers id, name, area, unit (of the area), rural; and raises AddressUnknown or AddressNotCovered.
    """
    texts = {str(p.get("id") or p.get("name") or "").strip() for p in places}
    ids = [int(t) for t in texts if t.isascii() and t.isdigit() and len(t) <= _ID_DIGITS]
    rows = tx.rows(
        "select d.id, d.full_name, d.area, a.unit_id, a.rural, d.box_id from inventory.address d"
        " left join inventory.area a on a.id = d.area where d.id = any(%s::int8[]) or d.full_name = any(%s)",
        (ids, list(texts)),
    )
    found = {key: row for row in rows for key in (str(row[0]), row[1])}

    def look_up(place: Mapping[str, object]) -> dict[str, object]:
        text = str(place.get("id") or place.get("name") or "").strip()
        if text not in found:
            raise AddressUnknown(address=text)
        address_id, name, area, unit, rural, box_id = found[text]
        if area is None or box_id is None:
            raise AddressNotCovered(address=name)
        return {"id": address_id, "name": name, "area": area, "unit": unit, "rural": rural}

    return look_up


def installed_products(tx: Tx, *, customer_id: int, product_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """A customer's active products among the ids, and those inside them, as an order needs to know them.

    Keys: offering, parent, characteristics, things (specification -> thing), held (kind of effect -> hash of what
    it read), address (id, name, area, unit, rural).
    """
    rows = tx.rows(
        "select p.id, p.offering, p.parent_id, p.characteristics, p.realisations, d.id, d.full_name, a.id, a.unit_id,"
        " a.rural, (select jsonb_object_agg(s.spec, s.id) from inventory.service s"
        "            where s.area = p.area and s.product_id = p.id and s.state = %s)"
        "  from inventory.product p join inventory.area a on a.id = p.area"
        "  join inventory.address d on d.id = p.place_id"
        " where p.customer_id = %s and p.state = %s and (p.id = any(%s::int8[]) or p.parent_id = any(%s::int8[]))",
        (ServiceState.ACTIVE, customer_id, ProductState.ACTIVE, list(product_ids), list(product_ids)),
    )
    return {
        r[0]: {
            "offering": r[1],
            "parent": r[2],
            "characteristics": r[3],
            "things": {**(r[10] or {}), **{e["spec"]: e["thing"] for e in r[4]}},
            "held": {e["kind"]: e["reads_hash"] for e in r[4]},
            "address": {"id": r[5], "name": r[6], "area": r[7], "unit": r[8], "rural": r[9]},
        }
        for r in rows
    }
