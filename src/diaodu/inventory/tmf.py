"""TMF637, 638 and 639: installed products, their services, and the resources, to read."""

from typing import Any

from diaodu.inventory.model import ProductState, ResourceState, ServiceState
from diaodu.tmf.document import Document, characteristic_array, instant, present
from diaodu.tmf.query import Column, parse_id, parse_time
from diaodu.tmf.resource import Resource, Row

SCOPE = "inventory"
PRODUCTS, SERVICES, RESOURCES = (
    "/tmf-api/productInventory/v4",
    "/tmf-api/serviceInventory/v4",
    "/tmf-api/resourceInventoryManagement/v4",
)
_ORDERS = "/tmf-api/productOrderingManagement/v4/productOrder"
# The id alone finds a row by the primary key of each area.
_KEY = "v.area in (select a.id from inventory.area a) and v.id = %(id)s"

_PRODUCT_STATES = {
    ProductState.CREATED: "created",
    ProductState.PENDING_ACTIVE: "pendingActive",
    ProductState.ACTIVE: "active",
    ProductState.SUSPENDED: "suspended",
    ProductState.PENDING_TERMINATE: "pendingTerminate",
    ProductState.TERMINATED: "terminated",
    ProductState.CANCELLED: "cancelled",
}
_SERVICE_STATES = {
    ServiceState.FEASIBILITY_CHECKED: "feasibilityChecked",
    ServiceState.DESIGNED: "designed",
    ServiceState.RESERVED: "reserved",
    ServiceState.INACTIVE: "inactive",
    ServiceState.ACTIVE: "active",
    ServiceState.TERMINATED: "terminated",
}
# TMF639 has no word for "in use": it is reserved, with usageState active.
_RESOURCE_STATES = {
    ResourceState.FREE: ("available", "enable", "idle"),
    ResourceState.RESERVED: ("reserved", "enable", "idle"),
    ResourceState.IN_USE: ("reserved", "enable", "active"),
    ResourceState.FAULTY: ("alarm", "disable", "idle"),
    ResourceState.QUARANTINED: ("suspended", "enable", "idle"),
}


def _conditions(words: dict[Any, str]) -> dict[str, str]:
    """SQL conditions on ``v.state`` by TM Forum word."""
    found: dict[str, list[str]] = {}
    for state, word in words.items():
        found.setdefault(word, []).append(str(int(state)))
    return {word: f"v.state in ({', '.join(numbers)})" for word, numbers in found.items()}


def product(row: Row, base: str) -> Document:
    """An installed product (TMF637)."""
    return present(
        {
            "id": str(row["id"]),
            "href": f"{base}{PRODUCTS}/product/{row['id']}",
            "@type": "Product",
            "name": row["name"],
            "isBundle": row["spec"] is None,
            "status": _PRODUCT_STATES[row["state"]],
            "startDate": instant(row["started_at"]),
            "terminationDate": instant(row["ended_at"]),
            "productOffering": {"id": row["offering"]},
            "productSpecification": row["spec"] and {"id": row["spec"]},
            "productCharacteristic": characteristic_array(row["characteristics"]),
            "place": _place(row),
            "relatedParty": [{"id": str(row["customer_id"]), "role": "customer", "@referredType": "Customer"}],
            "productOrderItem": None,
            "realizingService": [
                {"id": str(s), "href": f"{base}{SERVICES}/service/{s}", "@referredType": "Service"}
                for s in row["services"] or ()
            ],
            "productRelationship": row["parent_id"]
            and [
                {
                    "relationshipType": "bundledIn",
                    "product": {
                        "id": str(row["parent_id"]),
                        "href": f"{base}{PRODUCTS}/product/{row['parent_id']}",
                    },
                }
            ],
        }
    )


def service(row: Row, base: str) -> Document:
    """A service of a product (TMF638)."""
    return present(
        {
            "id": str(row["id"]),
            "href": f"{base}{SERVICES}/service/{row['id']}",
            "name": row["spec"],
            "category": row["role"],
            "state": _SERVICE_STATES[row["state"]],
            "startDate": instant(row["started_at"]),
            "endDate": instant(row["ended_at"]),
            "serviceSpecification": {"id": row["spec"]},
            "serviceCharacteristic": characteristic_array(row["characteristics"]),
            "relatedEntity": [
                {
                    "id": str(row["product_id"]),
                    "href": f"{base}{PRODUCTS}/product/{row['product_id']}",
                    "role": "product",
                    "@referredType": "Product",
                }
            ],
        }
    )


def resource(row: Row, base: str) -> Document:
    """A resource (TMF639); ``reliesOn`` leads one step towards the exchange."""
    status, operational, usage = _RESOURCE_STATES[row["state"]]
    return present(
        {
            "id": str(row["id"]),
            "href": f"{base}{RESOURCES}/resource/{row['id']}",
            "@type": "Resource",
            "name": row["code"],
            "category": row["spec"],
            "resourceStatus": status,
            "operationalState": operational,
            "usageState": usage,
            "resourceSpecification": {"id": row["spec"]},
            "resourceCharacteristic": characteristic_array(row["attrs"]),
            "place": row["place_id"]
            and present({"id": str(row["place_id"]), "name": row["place_name"], "role": "location"}),
            "resourceRelationship": row["up_id"]
            and [
                {
                    "relationshipType": "reliesOn",
                    "resource": {"id": str(row["up_id"]), "href": f"{base}{RESOURCES}/resource/{row['up_id']}"},
                }
            ],
        }
    )


def _place(row: Row) -> list[Document] | None:
    return row["place_id"] and [
        present(
            {
                "id": str(row["place_id"]),
                "name": row["place_name"],
                "role": "installation",
                "@referredType": "GeographicAddress",
            }
        )
    ]


_PLACE_NAME = "(select a.full_name from inventory.address a where a.id = {}.place_id) as place_name"

PRODUCT = Resource(
    base=PRODUCTS,
    name="product",
    source=f"""(
  select p.*, {_PLACE_NAME.format("p")},
         (select array_agg(s.id order by s.id) from inventory.service s
           where s.area = p.area and s.product_id = p.id) as services
    from inventory.product p
)""",
    output=(
        "id", "customer_id", "parent_id", "offering", "spec", "name", "state", "characteristics", "place_id",
        "place_name", "started_at", "ended_at", "services",
    ),
    columns={
        "id": Column("v.id", parse_id),
        "relatedParty.id": Column("v.customer_id", parse_id, indexed=True),
        "status": Column(conditions=_conditions(_PRODUCT_STATES)),
        "name": Column("v.name"),
        "productOffering.id": Column("v.offering"),
        "productSpecification.id": Column("v.spec"),
        "place.id": Column("v.place_id", parse_id),
        "startDate": Column("v.started_at", parse_time),
        "terminationDate": Column("v.ended_at", parse_time),
    },
    order="v.area, v.id",
    to_resource=product,
    scope=SCOPE,
    key=_KEY,
)  # fmt: skip

SERVICE = Resource(
    base=SERVICES,
    name="service",
    source="inventory.service",
    output=("id", "product_id", "spec", "role", "state", "characteristics", "started_at", "ended_at"),
    columns={
        "id": Column("v.id", parse_id),
        "relatedEntity.id": Column("v.product_id", parse_id),
        "state": Column(conditions=_conditions(_SERVICE_STATES)),
        "category": Column("v.role"),
        "serviceSpecification.id": Column("v.spec"),
        "startDate": Column("v.started_at", parse_time),
        "endDate": Column("v.ended_at", parse_time),
    },
    order="v.area, v.id",
    to_resource=service,
    scope=SCOPE,
    key=_KEY,
)

RESOURCE = Resource(
    base=RESOURCES,
    name="resource",
    source=f"(select r.*, {_PLACE_NAME.format('r')} from inventory.resource r)",
    output=("id", "spec", "code", "state", "up_id", "place_id", "place_name", "attrs"),
    columns={
        "id": Column("v.id", parse_id),
        "name": Column("v.code"),
        "resourceSpecification.id": Column("v.spec"),
        "category": Column("v.spec"),
        "resourceStatus": Column(conditions=_conditions({s: w[0] for s, w in _RESOURCE_STATES.items()})),
        "operationalState": Column(conditions=_conditions({s: w[1] for s, w in _RESOURCE_STATES.items()})),
        "usageState": Column(conditions=_conditions({s: w[2] for s, w in _RESOURCE_STATES.items()})),
        "place.id": Column("v.place_id", parse_id),
        "resourceRelationship.resource.id": Column("v.up_id", parse_id),
    },
    order="v.area, v.id",
    to_resource=resource,
    scope=SCOPE,
    key=_KEY,
)
