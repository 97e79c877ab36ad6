"""TMF637, 638 and 639 over HTTP, on a real database."""

import httpx
import pytest
from tests.contract.conftest import ADDRESS
from tests.contract.official import breaches

from diaodu.kernel.db import Database

PRODUCTS = "/tmf-api/productInventory/v4/product"
SERVICES = "/tmf-api/serviceInventory/v4/service"
RESOURCES = "/tmf-api/resourceInventoryManagement/v4/resource"


@pytest.fixture
def installed(http: httpx.Client, db: Database) -> httpx.Client:
    """A bundle with a broadband product, its service, and three resources."""
    with db.transaction() as tx:
        for product, parent, offering, spec, state in (
            (5001, None, "P1", None, 2),
            (5002, 5001, "P1-BB", "product/broadband", 2),
            (5003, None, "P2", "product/broadband", 5),
        ):
            tx.run(
                "insert into inventory.product (area, id, customer_id, parent_id, offering, spec, name, state,"
                " characteristics, place_id, realisations, order_id, release_id, started_at)"
                " values (7, %s, 1001, %s, %s, %s, '宽带', %s, '{\"速率\": 200}', 601, '[]', 1, 1, %s)",
                (product, parent, offering, spec, state, tx.now),
            )
        tx.run(
            "insert into inventory.service (area, id, product_id, spec, role, state, characteristics, started_at)"
            " values (7, 6001, 5002, 'service/internet', 'main', 4, '{}', %s)",
            (tx.now,),
        )
        for resource, spec, code, state, up in (
            (1, "olt", "OLT1", 2, None),
            (2, "pon", "OLT1/1", 0, 1),
            (3, "pon", "OLT1/2", 3, 1),
        ):
            tx.run(
                "insert into inventory.resource (area, id, spec, code, state, up_id, place_id, attrs)"
                " values (7, %s, %s, %s, %s, %s, 601, '{\"svlan\": 1001}')",
                (resource, spec, code, state, up),
            )
    return http


def test_a_product_shows_where_what_and_by_which_service(installed: httpx.Client) -> None:
    product = installed.get(f"{PRODUCTS}/5002").json()
    base = str(installed.base_url).rstrip("/")
    assert (product["status"], product["isBundle"], product["productOffering"]) == ("active", False, {"id": "P1-BB"})
    assert product["place"][0]["name"] == ADDRESS
    assert product["productCharacteristic"] == [{"name": "速率", "valueType": "number", "value": 200}]
    assert product["realizingService"][0]["href"] == f"{base}{SERVICES}/6001"
    assert installed.get(product["realizingService"][0]["href"]).json()["state"] == "active"
    assert product["productRelationship"][0]["product"]["href"] == f"{base}{PRODUCTS}/5001"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"{PRODUCTS}?relatedParty.id=1001&status=active", ["5001", "5002"]),
        (f"{PRODUCTS}?status.ne=active", ["5003"]),
        (f"{PRODUCTS}?productSpecification.id=product/broadband&sort=-id", ["5003", "5002"]),
        (f"{SERVICES}?relatedEntity.id=5002", ["6001"]),
        (f"{RESOURCES}?resourceSpecification.id=pon&resourceStatus=available", ["2"]),
        (f"{RESOURCES}?usageState=active", ["1"]),
        (f"{RESOURCES}?resourceStatus=alarm,reserved", ["1", "3"]),
        (f"{RESOURCES}?resourceRelationship.resource.id=1", ["2", "3"]),
    ],
)
def test_inventories_are_filtered(query: str, found: list[str], installed: httpx.Client) -> None:
    assert [entity["id"] for entity in installed.get(query).json()] == found


@pytest.mark.parametrize(
    ("path", "file", "name", "count"),
    [
        (PRODUCTS, "TMF637-v4.0.0", "Product", 3),
        (SERVICES, "TMF638-v4.0.0", "Service", 1),
        (RESOURCES, "TMF639-v4.0.0", "Resource", 3),
    ],
)
def test_inventories_are_valid_under_the_official_files(
    path: str, file: str, name: str, count: int, installed: httpx.Client
) -> None:
    listed = installed.get(path).json()
    assert len(listed) == count
    assert [b for entity in listed for b in breaches(file, name, entity)] == []
    assert [installed.get(entity["href"]).json() for entity in listed] == listed


def test_inventories_are_read_only_and_what_is_not_there_is_404(installed: httpx.Client) -> None:
    assert installed.post(PRODUCTS, json={}).status_code == 405
    assert [installed.get(f"{path}/77").status_code for path in (PRODUCTS, SERVICES, RESOURCES)] == [404] * 3
