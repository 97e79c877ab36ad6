"""TMF622: product orders as other systems see them, and the way from their JSON to drafts and back."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from diaodu.kernel import journal
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.ordering import commands
from diaodu.ordering.amend import Particulars, change_particulars
from diaodu.ordering.errors import StateFollows
from diaodu.ordering.model import Action, ItemDraft, ItemState, OrderDraft
from diaodu.ordering.revise import revise
from diaodu.tmf.document import (
    Document,
    characteristic_array,
    characteristics,
    choice,
    inner,
    instant,
    merge,
    moment,
    objects,
    present,
    reference,
    text,
    whole,
)
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.query import Column, parse_id, parse_time
from diaodu.tmf.resource import Create, Patch, Resource, Row, read_one

BASE = "/tmf-api/productOrderingManagement/v4"
SCOPE = "ordering"
EVENTS = (
    "ProductOrderCreateEvent",
    "ProductOrderAttributeValueChangeEvent",
    "ProductOrderStateChangeEvent",
    "ProductOrderInformationRequiredEvent",
)
ITEMS_MAX = 2_000
# A 套餐 holds products; nothing nests deeper than a bundle of bundles.
NESTING_MAX = 4
PRIORITY_DEFAULT = 4
KEY_MAX = 200
_PRIORITIES = ("0", "1", "2", "3", "4")
_ACTIONS = tuple(action.value for action in Action)
# What an order that is read and sent again says of items that were taken back: they are wanted no more.
_TAKEN_BACK = {ItemState.CANCELLING, ItemState.CANCELLED, ItemState.REJECTED}
# Ours to say: ignored when a client sends them, as an order that was read and sent again does.
_OURS = {"id", "href", "state", "orderDate", "completionDate", "expectedCompletionDate", "revision"}
_READ = {
    "externalId", "description", "category", "priority", "requestedStartDate", "requestedCompletionDate",
    "productOrderItem",
}  # fmt: skip
# What the official file lets a client change, without what identifies the order, its customer and its way in.
_PATCHABLE = frozenset(
    {
        "description", "category", "priority", "requestedStartDate", "requestedCompletionDate", "notificationContact",
        "agreement", "billingAccount", "note", "orderTotalPrice", "payment", "productOfferingQualification", "quote",
        "productOrderItem", "revision", "state",
    }
)  # fmt: skip


def to_draft(document: Document, source: str) -> OrderDraft:
    """The draft of an order's JSON; attributes that nothing here reads are kept as they came."""
    parties = objects(document, "relatedParty")
    channels = objects(document, "channel")
    customer = next((p for p in parties if str(p.get("role", "")).lower() == "customer"), None)
    return OrderDraft(
        external_id=text(document, "externalId"),
        source=source,
        customer_ref=text(customer, "id", "relatedParty.", required=True) if customer else None,
        items=items_of(document),
        channel=text(channels[0], "id", "channel[0].", required=True) if channels else None,
        category=text(document, "category"),
        description=text(document, "description"),
        priority=_priority(document),
        requested_start=moment(document, "requestedStartDate"),
        requested_completion=moment(document, "requestedCompletionDate"),
        extra={k: v for k, v in document.items() if k not in _OURS | _READ},
    )


def _priority(document: Document) -> int:
    return int(choice(document, "priority", _PRIORITIES)) if "priority" in document else PRIORITY_DEFAULT


def items_of(document: Document) -> tuple[ItemDraft, ...]:
    """The item drafts of an order's JSON."""
    entries = objects(document, "productOrderItem", most=ITEMS_MAX)
    return tuple(_item(entry, f"productOrderItem[{n}].", 1) for n, entry in enumerate(entries))


def amended_items(document: Document) -> tuple[ItemDraft, ...]:
    """The item drafts of an amendment: items are known by their products, those taken back before are left out."""
    entries = objects(document, "productOrderItem", most=ITEMS_MAX)
    return tuple(_amended(entry, f"productOrderItem[{n}].", 1) for n, entry in _wanted(entries))


def _amended(entry: Document, path: str, depth: int) -> ItemDraft:
    children = objects(entry, "productOrderItem", path, most=ITEMS_MAX if depth < NESTING_MAX else 0)
    product = reference(inner(entry, "product", path), "id", f"{path}product.")
    return replace(
        _item(entry | {"productOrderItem": []}, path, depth),
        product_id=None if product is None else str(product),
        children=tuple(_amended(c, f"{path}productOrderItem[{n}].", depth + 1) for n, c in _wanted(children)),
    )


def _wanted(entries: list[Document]) -> Iterator[tuple[int, Document]]:
    return ((n, entry) for n, entry in enumerate(entries) if entry.get("state") not in _TAKEN_BACK)


def _item(entry: Document, path: str, depth: int) -> ItemDraft:
    product = inner(entry, "product", path)
    within = f"{path}product."
    action = choice(entry, "action", _ACTIONS, path)
    # A new product's id is ours to make, whatever was sent.
    named = None if action == Action.ADD else reference(product, "id", within)
    places = objects(product, "place", within)
    children = objects(entry, "productOrderItem", path, most=ITEMS_MAX if depth < NESTING_MAX else 0)
    quantity = entry.get("quantity", 1)
    return ItemDraft(
        key=text(entry, "id", path, required=True) or "",
        action=action,
        offering_id=text(inner(entry, "productOffering", path), "id", f"{path}productOffering."),
        product_id=None if named is None else str(named),
        quantity=quantity if isinstance(quantity, int) else 0,
        characteristics=characteristics(
            objects(product, "productCharacteristic", within), f"{within}productCharacteristic"
        ),
        place=_place(places[0], f"{within}place[0].") if places else None,
        children=tuple(_item(c, f"{path}productOrderItem[{n}].", depth + 1) for n, c in enumerate(children)),
        extra={k: v for k, v in entry.items() if k not in {"id", "action", "quantity", "state", "productOrderItem"}},
    )


def _place(place: Document, path: str) -> dict[str, str] | None:
    return present({"id": text(place, "id", path), "name": text(place, "name", path)}) or None


def to_resource(row: Row, base: str) -> Document:
    """A product order's JSON."""
    extra, document = row["extra"], row["document"] or {"lines": []}
    return present(
        {
            "@type": "ProductOrder",
            **extra,
            "id": str(row["id"]),
            "href": f"{base}{BASE}/productOrder/{row['id']}",
            "externalId": row["external_id"],
            "description": row["description"],
            "category": row["category"],
            "priority": str(row["priority"]),
            "orderDate": instant(row["ordered_at"]),
            "requestedStartDate": instant(row["requested_start_at"]),
            "requestedCompletionDate": instant(row["requested_completion_at"]),
            "completionDate": instant(row["completed_at"]),
            "state": row["state"],
            "relatedParty": _parties(extra, row["customer_id"]),
            "productOrderItem": item_array(document["lines"], row["items"] or {}),
        }
    )


def _revision(row: Row) -> int:
    """The number of the revision that an order shows."""
    return int(row["document"]["n"]) if row["document"] else 1


def _parties(extra: Mapping[str, Any], customer_id: int | None) -> list[Document] | None:
    known = extra.get("relatedParty") or (
        [{"id": str(customer_id), "role": "customer", "@referredType": "Customer"}] if customer_id else None
    )
    return known and [{"@referredType": "Individual" if p.get("role") != "customer" else "Customer"} | p for p in known]


def item_array(lines: Iterable[Document], states: Mapping[str, Any] | None = None) -> list[Document] | None:
    """The items of an order's JSON, parts within their 套餐; without ``states`` nothing is said of how far they are."""
    parts: dict[str | None, list[Document]] = {}
    for line in lines:
        parts.setdefault(line["parent"], []).append(line)
    return _items(parts, states, None)


def _items(
    parts: Mapping[str | None, list[Document]], states: Mapping[str, Any] | None, parent: str | None
) -> list[Document] | None:
    found = [
        present(
            line["extra"]
            | {
                "id": line["key"],
                "action": line["action"],
                "quantity": 1,
                "state": None if states is None else _item_state(states.get(line["key"])),
                "productOffering": inner(line["extra"], "productOffering") | {"id": line["offering"]},
                "product": _product(line),
                "productOrderItem": _items(parts, states, line["key"]),
            }
        )
        for line in parts.get(parent, ())
    ]
    return found or None


def _item_state(item: Mapping[str, Any] | None) -> str:
    state: str = item["state"] if item else "acknowledged"
    return "inProgress" if state == "closing" else state


def _product(line: Document) -> Document:
    sent = inner(line["extra"], "product")
    known = {entry["name"]: entry for entry in objects(sent, "productCharacteristic")}
    values = [_unmarked(known.get(c["name"], {})) | c for c in characteristic_array(line["characteristics"])]
    places = objects(sent, "place")
    address = present({"id": str(line["address"]["id"]), "name": line["address"].get("name")})
    place = {"role": "installation", "@referredType": "GeographicAddress"} | (places[0] if places else {}) | address
    return (
        {"@type": "Product"}
        | sent
        | {"id": str(line["product_id"]), "place": [place, *places[1:]]}
        | ({"productCharacteristic": values} if values else {})
    )


def _unmarked(entry: Document) -> Document:
    return {name: value for name, value in entry.items() if name != "changed"}


def render_order(tx: Tx, order_id: int) -> Document:
    """An order as an event carries it; its href begins with ``/``."""
    row = read_one(tx, PRODUCT_ORDER, order_id)
    if row is None:
        raise NotFound(entity="productOrder", id=order_id)
    return to_resource(row, "")


def _identify(tx: Tx, principal: Principal, document: Document, key: str | None) -> tuple[int, OrderDraft]:
    draft = to_draft(document, principal.name)
    for name, value in (("Idempotency-Key", key), ("externalId", draft.external_id)):
        if value is not None and len(value) > KEY_MAX:
            raise BadAttribute(path=name, expected=f"at most {KEY_MAX} characters", value=value[:100])
    return commands.order_id_for(tx, source=principal.name, key=key or draft.external_id), draft


def _capture(tx: Tx, principal: Principal, order_id: int, draft: OrderDraft) -> bool:
    return commands.capture_order(tx, order_id=order_id, draft=draft, principal=principal).created


def _amend(tx: Tx, principal: Principal, order_id: int, patch: Document) -> None:
    journal.lock(tx, [order_id])
    now = read_one(tx, PRODUCT_ORDER, order_id)
    # The state follows from what is done; an order that was read and is sent again names the one that it has.
    if now is not None and patch.get("state", now["state"]) != now["state"]:
        raise StateFollows(id=order_id, state=now["state"], asked=str(patch["state"])[:40])
    if "productOrderItem" in patch:
        base = whole(patch, "revision")
        revise(tx, order_id, amended_items(patch), made_by=principal.name, base=base)
    row = read_one(tx, PRODUCT_ORDER, order_id)
    assert row is not None
    patch = {k: v for k, v in patch.items() if k not in ("productOrderItem", "revision", "state")}
    before = to_resource(row, "")
    after: Document = merge(before, patch)
    if after == before:
        return
    extra = merge(row["extra"], {k: v for k, v in patch.items() if k not in _READ})
    particulars = Particulars(
        description=text(after, "description"),
        category=text(after, "category"),
        priority=_priority(after),
        requested_start=moment(after, "requestedStartDate"),
        requested_completion=moment(after, "requestedCompletionDate"),
        extra=extra,
    )
    change_particulars(tx, order_id=order_id, particulars=particulars)
    commands.tell(tx, order_id, "ProductOrderAttributeValueChangeEvent")


def _within_item(expression: str, *, number: bool = False) -> Column:
    exists = "exists (select 1 from ordering.order_item i where i.part = v.part and i.order_id = v.id and {test})"
    return Column(expression, parse_id if number else str, within=exists)


PRODUCT_ORDER = Resource(
    base=BASE,
    name="productOrder",
    source="ordering.v_product_order",
    output=(
        "id", "external_id", "customer_id", "category", "description", "priority", "ordered_at", "requested_start_at",
        "requested_completion_at", "completed_at", "state", "extra", "items", "document",
    ),
    columns={
        "id": Column("v.id", parse_id),
        "externalId": Column("v.external_id", indexed=True),
        "relatedParty.id": Column("v.customer_id", parse_id, indexed=True),
        "orderDate": Column("v.ordered_at", parse_time, indexed=True),
        "state": Column("v.state"),
        "category": Column("v.category"),
        "description": Column("v.description"),
        "priority": Column("v.priority::text"),
        "channel.id": Column("v.channel"),
        "requestedStartDate": Column("v.requested_start_at", parse_time),
        "requestedCompletionDate": Column("v.requested_completion_at", parse_time),
        "completionDate": Column("v.completed_at", parse_time),
        "productOrderItem.state": _within_item("replace(i.state, 'closing', 'inProgress')"),
        "productOrderItem.action": _within_item("i.action"),
        "productOrderItem.productOffering.id": _within_item("i.offering"),
        "productOrderItem.product.id": _within_item("i.product_id", number=True),
    },
    order="v.ordered_at desc, v.id desc",
    to_resource=to_resource,
    scope=SCOPE,
    create=Create(_identify, _capture),
    patch=Patch(_PATCHABLE, _amend, seen="revision"),
    version=_revision,
)  # fmt: skip
