"""TMF622 over HTTP, on a real database."""

from collections import Counter
from itertools import combinations
from typing import Any

import httpx
import pytest
from tests.contract.conftest import ADDRESS, HUB, ORDERS, bundle_order
from tests.contract.official import breaches

from diaodu.kernel.db import Database, Tx
from diaodu.ordering.model import ItemState, order_state

FILE = "TMF622-v4.0.0"


def post(http: httpx.Client, document: Any, **headers: str) -> Any:
    return http.post(ORDERS, json=document, headers=headers)


def orders(db: Database) -> int:
    with db.transaction() as tx:
        row = tx.row("select count(*) from ordering.product_order")
    assert row is not None
    return int(row[0])


def test_a_posted_order_is_answered_whole_and_can_be_read_at_its_location(http: httpx.Client) -> None:
    reply = post(http, bundle_order(notificationContact="13857100000", shelf="A-3"))
    body = reply.json()
    assert reply.status_code == 201
    assert reply.headers["location"] == body["href"] == f"{str(http.base_url).rstrip('/')}{ORDERS}/{body['id']}"
    assert (body["state"], body["priority"], body["externalId"]) == ("acknowledged", "2", "CRM-1")
    assert body["requestedCompletionDate"] == "2026-03-05T10:00:00.000+00:00"
    assert (body["notificationContact"], body["shelf"], body["@type"]) == ("13857100000", "A-3", "ProductOrder")
    bundle = body["productOrderItem"][0]
    assert (bundle["id"], bundle["state"], bundle["productOffering"]) == ("1", "acknowledged", {"id": "P1"})
    assert bundle["product"]["place"][0] == {
        "role": "installation", "@referredType": "GeographicAddress", "name": ADDRESS, "id": "601",
    }  # fmt: skip
    assert [i["productOffering"]["id"] for i in bundle["productOrderItem"]] == ["P1-BB", "P1-TV", "P1-TEL"]
    assert http.get(reply.headers["location"]).json() == body


def test_the_same_key_with_the_same_content_is_the_same_order(http: httpx.Client, db: Database) -> None:
    first, again = post(http, bundle_order()), post(http, bundle_order())
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert orders(db) == 1


def test_the_same_key_with_other_content_is_refused_and_changes_nothing(http: httpx.Client, db: Database) -> None:
    first = post(http, bundle_order()).json()
    reply = post(http, bundle_order(description="another"))
    assert (reply.status_code, reply.json()["code"]) == (409, "ordering.key-reused")
    assert http.get(f"{ORDERS}/{first['id']}").json() == first
    assert orders(db) == 1


def test_keys_belong_to_the_client_that_sends_them(http: httpx.Client, db: Database) -> None:
    mine = post(http, bundle_order()).json()
    theirs = post(http, bundle_order(), authorization="Bearer shop").json()
    assert mine["id"] != theirs["id"]
    assert orders(db) == 2


def test_the_idempotency_key_header_serves_orders_without_an_external_id(http: httpx.Client, db: Database) -> None:
    document = bundle_order(externalId=None)
    ids = {post(http, document, **{"Idempotency-Key": "k1"}).json()["id"] for _ in range(2)}
    other = post(http, document, **{"Idempotency-Key": "k2"}).json()["id"]
    assert (len(ids), other in ids, orders(db)) == (1, False, 2)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"productOrderItem": []}, 400, "ordering.no-item"),
        ({"productOrderItem": "one"}, 400, "tmf.bad-attribute"),
        ({"priority": "9"}, 400, "tmf.bad-attribute"),
        ({"requestedStartDate": "2026-03-05T18:00:00"}, 400, "tmf.bad-attribute"),
        ({"relatedParty": []}, 400, "ordering.customer-missing"),
        ({"description": "a\x00b"}, 400, "tmf.bad-attribute"),
    ],
)
def test_a_wrong_order_is_refused_by_name_and_leaves_nothing(
    change: dict[str, Any], status: int, code: str, refusing: httpx.Client, untouched: Database
) -> None:
    reply = post(refusing, bundle_order(**change))
    assert (reply.status_code, reply.json()["code"], reply.json()["status"]) == (status, code, str(status))
    assert orders(untouched) == 0


def item(**changes: Any) -> dict[str, Any]:
    entry: dict[str, Any] = bundle_order()["productOrderItem"][0]
    return entry | changes


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (item(productOffering={"id": "P99"}), "catalog.unknown-offering"),
        (item(action="upgrade"), "tmf.bad-attribute"),
        (item(action="delete", product={"id": "12x"}), "tmf.bad-attribute"),
        (item(action="delete", product={"id": "12"}), "ordering.product-missing"),
        (item(quantity=2), "ordering.quantity"),
        (item(product={"place": [{"name": "火星"}]}), "inventory.address-unknown"),
        (item(product={"place": [{"id": "602"}]}), "inventory.address-not-covered"),
        (item(product={}), "ordering.address-missing"),
    ],
)
def test_a_wrong_item_is_refused_by_name(
    entry: dict[str, Any], code: str, refusing: httpx.Client, untouched: Database
) -> None:
    reply = post(refusing, bundle_order(productOrderItem=[entry]))
    assert (reply.status_code, reply.json()["code"]) == (400, code)
    assert orders(untouched) == 0


def test_a_new_product_gets_our_id_whatever_was_sent(http: httpx.Client) -> None:
    entry = item(product={"id": "not-a-number", "place": [{"id": "601"}]}, productOffering={"id": "P2"})
    product = post(http, bundle_order(productOrderItem=[entry])).json()["productOrderItem"][0]["product"]
    assert product["id"].isdigit()
    assert {"name": "速率", "valueType": "number", "value": 200} in product["productCharacteristic"]


def seed(tx: Tx, number: int, states: tuple[str, ...]) -> int:
    order_id = tx.new_id(number % tx.parts)
    part = order_id & 255
    tx.run("insert into kernel.root values (%s, %s, 'productOrder', %s)", (part, order_id, tx.now))
    tx.run(
        "insert into ordering.product_order (part, id, external_id, source, content_hash, customer_id, priority,"
        " ordered_at, extra)"
        " values (%s, %s, %s, 'test', '', 1001, 4, %s::timestamptz + %s * interval '1 minute', '{}')",
        (part, order_id, f"E{number}", tx.now, number),
    )
    for key, state in enumerate(states):
        tx.run(
            "insert into ordering.order_item (part, id, order_id, item_key, action, offering, product_id, state)"
            " values (%s, %s, %s, %s, 'add', 'P2', 1, %s)",
            (part, tx.new_id(part), order_id, str(key), state),
        )
    return order_id


def test_the_view_and_the_model_derive_the_same_order_state(tx: Tx) -> None:
    states = list(ItemState)
    cases = [c for size in (1, 2, 3) for c in combinations(states, size)] + [tuple(states)]
    wanted = {seed(tx, n, tuple(case)): order_state(case) for n, case in enumerate(cases)}
    found = dict(tx.rows("select id, state from ordering.v_product_order"))
    assert {i: found[i] for i in wanted} == wanted
    assert Counter(wanted.values()).keys() >= {"partial", "completed", "held", "pending", "cancelled", "rejected"}


def test_pages_follow_each_other_without_gap_or_overlap(http: httpx.Client, db: Database) -> None:
    with db.transaction() as tx:
        ids = [str(seed(tx, n, ("held",))) for n in range(5)]
    reply = http.get(f"{ORDERS}?limit=2&sort=orderDate")
    assert reply.status_code == 206
    assert (reply.headers["x-total-count"], reply.headers["x-result-count"]) == ("5", "2")
    assert set(reply.links) == {"first", "next", "last"}
    seen = [o["id"] for o in reply.json()]
    while "next" in reply.links:
        reply = http.get(reply.links["next"]["url"])
        seen += [o["id"] for o in reply.json()]
    assert (seen, reply.status_code, "offset=2&" in reply.links["prev"]["url"]) == (ids, 200, True)


def test_a_count_beyond_the_limit_is_capped_and_says_so(
    http: httpx.Client, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diaodu.tmf.router.COUNT_MAX", 3)
    with db.transaction() as tx:
        for n in range(5):
            seed(tx, n, ("held",))
    reply = http.get(f"{ORDERS}?limit=4")
    assert (reply.status_code, set(reply.links)) == (206, {"first", "next"})
    assert (reply.headers["x-total-count"], reply.headers["x-total-count-capped"]) == ("3", "true")
    exact = http.get(f"{ORDERS}?limit=4&externalId=E1,E2,E3")
    assert (exact.headers["x-total-count"], "x-total-count-capped" in exact.headers) == ("3", False)


def test_an_unpaged_list_is_200_newest_first(http: httpx.Client, db: Database) -> None:
    with db.transaction() as tx:
        ids = [str(seed(tx, n, ("held",))) for n in range(3)]
    reply = http.get(ORDERS)
    assert (reply.status_code, [o["id"] for o in reply.json()]) == (200, ids[::-1])


FILTERS = [
    ("externalId=E1", ["E1"]),
    ("externalId=E1,E2", ["E1", "E2"]),
    ("externalId=E1&externalId=E2", ["E1", "E2"]),
    ("externalId.ne=E1", ["E0", "E2"]),
    ("externalId.regex=E[02]", ["E0", "E2"]),
    ("externalId*=E[02]", ["E0", "E2"]),
    ("externalId%3E%3DE1", ["E1", "E2"]),
    ("externalId>E1", ["E2"]),
    ("state=held", ["E0"]),
    ("state=held&externalId=E1", []),
    ("productOrderItem.state=inProgress", ["E2"]),
    ("orderDate.gte=2026-03-02T09:01:00Z", ["E1", "E2"]),
    ("orderDate.lt=2026-03-02T17:01:00+08:00", ["E0"]),
    ("relatedParty.id=1001&state.ne=held", ["E1", "E2"]),
]


def test_lists_are_filtered(http: httpx.Client, db: Database, now: Any) -> None:
    with db.transaction(now=now) as tx:
        for n, states in enumerate([("held",), ("completed", "failed"), ("closing", "held")]):
            seed(tx, n, states)
    replies = {query: http.get(f"{ORDERS}?{query}&sort=externalId") for query, _ in FILTERS}
    assert {q: [o["externalId"] for o in r.json()] for q, r in replies.items()} == dict(FILTERS)


@pytest.mark.parametrize(
    ("query", "code", "named"),
    [
        ("colour=red", "tmf.unknown-filter", "externalId"),
        ("sort=colour", "tmf.unknown-filter", "orderDate"),
        ("filter=$.x", "tmf.unknown-filter", "externalId"),
        ("state", "tmf.unknown-filter", "attribute=value"),
        ("id=abc", "tmf.bad-filter-value", "id"),
        ("orderDate.gt=2026-01-01", "tmf.bad-filter-value", "ISO 8601"),
        ("orderDate.regex=2026", "tmf.bad-operator", "gte"),
        ("externalId.regex=(", "tmf.bad-filter-value", "parentheses"),
        ("externalId=%00", "tmf.bad-filter-value", "NUL"),
        ("limit=-1", "tmf.bad-page", "1000"),
        ("limit=1001", "tmf.bad-page", "1000"),
        ("offset=x", "tmf.bad-page", "offset"),
    ],
)
def test_a_filter_that_is_not_understood_is_400_and_says_what_is(
    query: str, code: str, named: str, refusing: httpx.Client
) -> None:
    reply = refusing.get(f"{ORDERS}?{query}")
    assert (reply.status_code, reply.json()["code"]) == (400, code)
    assert named in reply.json()["reason"]


def test_fields_choose_attributes_and_keep_the_identity(http: httpx.Client) -> None:
    order = post(http, bundle_order()).json()
    identity = {k: order[k] for k in ("id", "href", "@type")}
    chosen = http.get(f"{ORDERS}/{order['id']}?fields=state,productOrderItem.id").json()
    assert chosen == identity | {"state": "acknowledged", "productOrderItem": [{"id": "1"}]}
    assert http.get(f"{ORDERS}?fields=none").json() == [identity]


@pytest.mark.parametrize("entity_id", ["1", "abc", "99999999999999999999", "-5", "%00"])
def test_an_order_that_is_not_there_is_404(entity_id: str, refusing: httpx.Client) -> None:
    reply = refusing.get(f"{ORDERS}/{entity_id}")
    assert (reply.status_code, reply.json()["code"]) == (404, "kernel.not-found")


def test_orders_and_their_events_are_valid_under_the_official_file(http: httpx.Client, db: Database) -> None:
    http.post(HUB, json={"callback": "http://127.0.0.1:9"})
    full = bundle_order(
        notificationContact="13857100000",
        note=[{"text": "请提前联系"}],
        relatedParty=[{"id": "C1001", "role": "customer"}, {"id": "A7", "role": "agent"}],
    )
    posted = [post(http, full).json(), post(http, bundle_order(externalId="CRM-2")).json()]
    listed = http.get(ORDERS).json()
    assert [b for order in [*posted, *listed] for b in breaches(FILE, "ProductOrder", order)] == []
    with db.transaction() as tx:
        events = [r[0] for r in tx.rows("select body from tmf.delivery")]
    assert len(events) == 2
    assert [b for event in events for b in breaches(FILE, "ProductOrderCreateEvent", event)] == []
    assert breaches(FILE, "Error", http.get(f"{ORDERS}/1").json()) == []


def test_a_merge_patch_changes_what_it_names_and_tells_the_listeners(http: httpx.Client, db: Database) -> None:
    order = post(http, bundle_order(note=[{"text": "a"}], shelf="A-3")).json()
    http.post(HUB, json={"callback": "http://127.0.0.1:9"})
    patch = {
        "priority": "0",
        "description": None,
        "note": [{"text": "b"}],
        "requestedStartDate": "2026-03-04T00:00:00Z",
    }
    reply = http.patch(order["href"], json=patch, headers={"Content-Type": "application/merge-patch+json"})
    wanted = order | {"priority": "0", "note": [{"text": "b"}], "requestedStartDate": "2026-03-04T00:00:00.000+00:00"}
    del wanted["description"]
    assert (reply.status_code, reply.json()) == (200, wanted)
    assert http.get(order["href"]).json() == wanted
    with db.transaction() as tx:
        assert tx.rows("select event_type from tmf.delivery") == [("ProductOrderAttributeValueChangeEvent",)]
    assert post(http, bundle_order(note=[{"text": "a"}], shelf="A-3")).json()["id"] == order["id"]


@pytest.mark.parametrize(
    ("patch", "status", "code"),
    [
        ({"id": "5"}, 400, "tmf.not-patchable"),
        ({"state": "completed"}, 409, "ordering.state-follows"),
        ({"priority": "9"}, 400, "tmf.bad-attribute"),
        ({"requestedStartDate": "soon"}, 400, "tmf.bad-attribute"),
        ({"productOrderItem": []}, 400, "ordering.no-item"),
    ],
)
def test_a_patch_that_cannot_be_is_refused_and_changes_nothing(
    patch: dict[str, Any], status: int, code: str, http: httpx.Client
) -> None:
    order = post(http, bundle_order()).json()
    reply = http.patch(order["href"], json={"category": "B2C", **patch})
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert http.get(order["href"]).json() == order


def test_an_order_that_has_ended_is_not_patched(http: httpx.Client, db: Database) -> None:
    with db.transaction() as tx:
        order_id = seed(tx, 1, ("completed", "cancelled"))
    reply = http.patch(f"{ORDERS}/{order_id}", json={"category": "B2C"})
    assert (reply.status_code, reply.json()["code"]) == (409, "ordering.order-not-amendable")
    assert "category" not in http.get(f"{ORDERS}/{order_id}").json()
