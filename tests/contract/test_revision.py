"""追单 over HTTP: amend, list, read; ETag and If-Match of an order."""

from typing import Any

import httpx
import pytest
from tests.contract.conftest import ORDERS, bundle_order

API = "/diaodu-api/ordering/v1/productOrder"


def ordered(http: httpx.Client) -> str:
    order = bundle_order()
    order["productOrderItem"] = [broadband(200)]
    return str(http.post(ORDERS, json=order).json()["id"])


def broadband(speed: int, **changes: Any) -> dict[str, Any]:
    place = [{"id": "601"}]
    product = {"productCharacteristic": [{"name": "速率", "value": speed}], "place": place}
    return {"id": "1", "action": "add", "productOffering": {"id": "P2"}, "product": product} | changes


def test_an_amendment_is_answered_listed_and_read(http: httpx.Client) -> None:
    order_id = ordered(http)
    asked = {"base": 1, "note": "wants more", "productOrderItem": [broadband(500), broadband(100, id="2")]}

    made = http.post(f"{API}/{order_id}/revision", json=asked)

    assert (made.status_code, made.headers["location"]) == (201, f"{API}/{order_id}/revision/2")
    shown = {"orderId": order_id, "n": 2, "state": "intake", "madeBy": "counter", "base": 1, "note": "wants more"}
    assert shown.items() <= made.json().items()
    listed = http.get(f"{API}/{order_id}/revision").json()
    assert [(e["n"], e["state"]) for e in listed] == [(1, "replaced"), (2, "intake")]
    one = http.get(made.headers["location"]).json()
    assert [(i["id"], i["product"]["productCharacteristic"][0]["value"]) for i in one["productOrderItem"]] == [
        ("1", 500), ("2", 100),
    ]  # fmt: skip
    assert http.post(f"{API}/{order_id}/revision", json=asked).json() == made.json()


def test_what_comes_after_a_newer_one_is_answered_as_stale(http: httpx.Client) -> None:
    order_id = ordered(http)
    http.post(f"{API}/{order_id}/revision", json={"number": 3, "productOrderItem": [broadband(500)]})
    late = http.post(f"{API}/{order_id}/revision", json={"number": 2, "productOrderItem": [broadband(1000)]})
    assert (late.status_code, late.json()["state"]) == (200, "stale")
    assert http.get(f"{API}/{order_id}/revision/2").json()["productOrderItem"] == []


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({}, 400, "tmf.bad-attribute"),
        ({"productOrderItem": []}, 400, "ordering.no-item"),
        ({"productOrderItem": [broadband(500)], "base": "1"}, 400, "tmf.bad-attribute"),
        ({"productOrderItem": [broadband(500)], "number": 0}, 400, "tmf.bad-attribute"),
        ({"productOrderItem": [broadband(500)], "base": 7}, 404, "kernel.not-found"),
        ({"productOrderItem": [broadband(500, productOffering={"id": "LL"})]}, 409, "ordering.item-ambiguous"),
    ],
)
def test_a_wrong_amendment_is_refused_and_writes_nothing(
    asked: dict[str, Any], status: int, code: str, http: httpx.Client
) -> None:
    order_id = ordered(http)
    before = http.get(f"{API}/{order_id}/revision").json()
    reply = http.post(f"{API}/{order_id}/revision", json=asked)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert http.get(f"{API}/{order_id}/revision").json() == before


def test_a_revision_that_is_not_there_is_404(http: httpx.Client) -> None:
    order_id = ordered(http)
    assert http.get(f"{API}/{order_id}/revision/9").status_code == 404
    assert http.get(f"{API}/1/revision").status_code == 404


def test_a_patch_names_the_revision_that_its_maker_saw(http: httpx.Client) -> None:
    url = f"{ORDERS}/{ordered(http)}"
    seen = http.get(url).headers["etag"]
    patch = {"productOrderItem": [broadband(500)]}

    first = http.patch(url, json=patch, headers={"If-Match": seen})
    second = http.patch(url, json={"productOrderItem": [broadband(1000)]}, headers={"If-Match": seen})

    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    assert (second.status_code, second.json()["code"]) == (409, "ordering.revision-taken")
    assert http.get(url).headers["etag"] == '"2"'
    wrong = http.patch(url, json=patch, headers={"If-Match": '"x"'})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "tmf.bad-attribute")


@pytest.mark.parametrize(("header", "external"), [("k" * 201, None), (None, "k" * 201)])
def test_a_key_has_a_limit(http: httpx.Client, header: str | None, external: str | None) -> None:
    headers = {"Idempotency-Key": header} if header else {}
    reply = http.post(ORDERS, json=bundle_order(externalId=external), headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (400, "tmf.bad-attribute")
    assert http.get(ORDERS).json() == []
