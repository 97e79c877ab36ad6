"""咨询 over HTTP: TMF645 and TMF679 answer from live resources and queues, and reserve nothing; 预受理 and 转待装."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from tests.contract.conftest import FakePolicy
from tests.contract.official import breaches
from tests.contract.server import serving
from tests.flows.operator import House, add, change, ports

from diaodu.app.asgi import create_app
from diaodu.inventory import commands as inventory
from diaodu.kernel.access import Principal

RIGHTS = frozenset({"fulfilment:read", "fulfilment:write", "inventory:read"})
POLICY = FakePolicy(
    {"clerk": Principal(1, "clerk", RIGHTS), "looker": Principal(2, "looker", frozenset({"fulfilment:read"}))}
)
SERVICE = "/tmf-api/serviceQualificationManagement/v4/checkServiceQualification"
OFFERING = "/tmf-api/productOfferingQualification/v4/productOfferingQualification"
OURS = "/diaodu-api/fulfilment/v1"
TABLES = "select (select count(*) from inventory.request), (select count(*) from planning.effect), (select count(*)"
TABLES += " from inventory.resource where state <> 0), (select count(*) from kernel.root)"


@pytest.fixture
def http(house: House) -> Iterator[httpx.Client]:
    with serving(create_app(house.db, POLICY), "clerk") as client:
        yield client


def wish(item: str, offering: str, room: int, **characteristics: Any) -> dict[str, Any]:
    values = [{"name": k, "value": v} for k, v in characteristics.items()]
    product = {
        "place": [{"id": str(room), "role": "installation", "@referredType": "GeographicAddress"}],
        "productCharacteristic": values,
    }
    return {"id": item, "productOffering": {"id": offering}, "product": product}


def ask(http: httpx.Client, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = http.post(OFFERING, json={"productOfferingQualificationItem": list(items), **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_what_is_free_is_qualified_with_a_date_and_nothing_is_reserved(house: House, http: httpx.Client) -> None:
    before = house.q(TABLES)

    found = ask(http, wish("1", "P1", 601))

    assert (found["state"], found["qualificationResult"]) == ("done", "green")
    (item,) = found["productOfferingQualificationItem"]
    assert (item["id"], item["qualificationItemResult"]) == ("1", "qualified")
    # line work, the visit and the measurement, each within a day when nobody has done any yet
    assert item["expectedActivationDate"] > found["productOfferingQualificationDate"]
    assert breaches("TMF679-v4.0.0", "ProductOfferingQualification", found) == []
    assert house.q(TABLES) == before
    assert http.get(found["href"]).json() == found


def test_an_answer_ends_with_its_validity(house: House, http: httpx.Client) -> None:
    found = ask(http, wish("1", "P2", 601))
    path = f"{OFFERING}/{found['id']}"
    assert http.get(path).status_code == 200
    assert [q["id"] for q in http.get(OFFERING).json()] == [found["id"]]

    with house.db.transaction() as tx:
        tx.run("update fulfilment.qualification set expires_at = %s", (tx.now,))

    assert http.get(path).status_code == 404
    assert http.get(OFFERING).json() == []


def test_the_same_key_is_answered_once_and_another_question_under_it_anew(http: httpx.Client) -> None:
    body = {"productOfferingQualificationItem": [wish("1", "P2", 601)]}
    first = http.post(OFFERING, json=body, headers={"Idempotency-Key": "k"})
    again = http.post(OFFERING, json=body, headers={"Idempotency-Key": "k"})
    other = {"productOfferingQualificationItem": [wish("1", "P2", 602)]}
    third = http.post(OFFERING, json=other, headers={"Idempotency-Key": "k"})

    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert third.json()["id"] != first.json()["id"]


def test_without_a_port_the_answer_names_who_waits_before_and_what_else_there_is(
    house: House, http: httpx.Client
) -> None:
    house.install(801, "P2")
    house.order("C802", add("P2", 802))
    house.run()
    far = [(81, "box", "BOX81", 20_002, 502, {"ratio": 8, "loss_db": 10.7, "x": 90, "y": 0}), *ports(81, 1)]

    found = ask(http, wish("1", "P2", 803))
    with house.db.transaction() as tx:
        inventory.add_resources(tx, 8, far)
    better = ask(http, wish("1", "P2", 803))

    (item,) = found["productOfferingQualificationItem"]
    assert (found["qualificationResult"], item["qualificationItemResult"], item["ordersAhead"]) == (
        "red", "unqualified", 1,
    )  # fmt: skip
    assert item["eligibilityUnavailabilityReason"][0]["code"] == "access.no-free-port"
    (item,) = better["productOfferingQualificationItem"]
    assert (better["qualificationResult"], item["qualificationItemResult"]) == ("yellow", "alternate")
    (offer,) = item["alternateProductOfferingProposal"]
    told = {c["name"]: c["value"] for c in offer["alternateProduct"]["productCharacteristic"]}
    assert (told["box"], told["needs"], told["free_ports"]) == ("BOX81", "construction", 1)


def test_two_items_do_not_count_the_last_port_twice(http: httpx.Client) -> None:
    found = ask(http, wish("a", "P2", 801), wish("b", "P2", 802))

    results = [i["qualificationItemResult"] for i in found["productOfferingQualificationItem"]]
    assert results == ["qualified", "unqualified"]


def test_rules_addresses_and_other_orders_stand_in_the_way(house: House, http: httpx.Client) -> None:
    house.install(601, "LL", 速率=10)
    line = house.products(601)["LL"]
    house.order("C601", change("modify", line, "P7", 速率=20))
    house.run(technicians=False)
    faster = {"id": "3", "action": "modify", "productOffering": {"id": "P7"}}
    faster["product"] = {"id": str(line), "productCharacteristic": [{"name": "速率", "value": 50}]}
    party = [{"id": "C601", "role": "customer"}]

    found = ask(http, wish("1", "P2", 801, 速率=1000), wish("2", "P2", 9), faster, relatedParty=party)

    reasons = [i["eligibilityUnavailabilityReason"][0] for i in found["productOfferingQualificationItem"]]
    assert [r["code"] for r in reasons] == ["rural.speed", "inventory.address-unknown", "inventory.product-claimed"]
    assert "500" in reasons[0]["label"]
    assert "500 Mbps or less" in reasons[0]["labelEn"]


def test_the_queue_of_the_crew_moves_the_date(house: House, http: httpx.Client) -> None:
    before = ask(http, wish("1", "P2", 603))
    for room in (601, 602):
        house.order(f"C{room}", add("P2", room))
    house.run(technicians=False)

    after = ask(http, wish("1", "P2", 603))

    def lead(found: dict[str, Any]) -> float:
        item = found["productOfferingQualificationItem"][0]
        end = datetime.fromisoformat(item["expectedActivationDate"])
        return (end - datetime.fromisoformat(found["productOfferingQualificationDate"])).total_seconds() / 60

    # each of the three kinds of work has a day; two orders lie with the one person who does line work
    assert (lead(before), lead(after)) == (3 * 1440, 5 * 1440)


def test_a_service_is_qualified_by_the_plainest_offering_that_has_it(http: httpx.Client) -> None:
    service = {"serviceSpecification": {"id": "internet"}, "place": [{"id": "601", "role": "x", "@referredType": "Y"}]}
    answer = http.post(SERVICE, json={"serviceQualificationItem": [{"service": service}]})
    unknown = {"serviceSpecification": {"id": "telex"}, "place": [{"id": "601"}]}
    refused = http.post(SERVICE, json={"serviceQualificationItem": [{"service": unknown}]})

    found = answer.json()
    assert (answer.status_code, found["qualificationResult"]) == (201, "qualified")
    assert found["serviceQualificationItem"][0]["expirationDate"] == found["expirationDate"]
    assert breaches("TMF645-v4.0.1", "CheckServiceQualification", found) == []
    assert (refused.status_code, refused.json()["code"]) == (400, "fulfilment.service-unknown")


def test_a_question_needs_the_right_and_distinct_items(house: House, http: httpx.Client) -> None:
    twice = http.post(OFFERING, json={"productOfferingQualificationItem": [wish("1", "P2", 601)] * 2})
    none = http.post(OFFERING, json={"productOfferingQualificationItem": []})
    headers = {"Authorization": "Bearer looker"}
    refused = http.post(OFFERING, json={"productOfferingQualificationItem": [wish("1", "P2", 601)]}, headers=headers)

    assert [twice.status_code, none.status_code, refused.status_code] == [400, 400, 403]
    assert house.q("select count(*) from fulfilment.qualification") == [(0,)]


def test_a_pre_acceptance_is_taken_looked_at_and_accepted_over_http(house: House, http: httpx.Client) -> None:
    order = {
        "externalId": "PRE-1", "relatedParty": [{"id": "C601", "role": "customer"}],
        "productOrderItem": [
            {
                "id": "1", "action": "add", "productOffering": {"id": "P2"},
                "product": {"place": [{"id": "601"}]},
            }
        ],
    }  # fmt: skip
    made = http.post(f"{OURS}/preacceptance", json={**order, "minutes": 30})
    again = http.post(f"{OURS}/preacceptance", json={**order, "minutes": 30})
    long = http.post(f"{OURS}/preacceptance", json={**order, "externalId": "PRE-2", "minutes": 100_000})
    house.run()
    path = f"{OURS}/preacceptance/{made.json()['id']}"
    seen = http.get(path).json()
    accepted = http.post(f"{path}/accept", json={})
    house.run()

    assert (made.status_code, made.json()["state"], again.json()) == (201, "held", made.json())
    assert (long.status_code, long.json()["code"]) == (400, "fulfilment.preacceptance-too-long")
    assert seen["state"] == "held"
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert house.order_state(int(made.json()["id"])) == "completed"
    assert http.get(f"{OURS}/preacceptance/77").status_code == 404


def test_the_waiting_list_over_http(house: House, http: httpx.Client) -> None:
    order_id = house.order("C801", add("P2", 801))
    house.run(technicians=False, send=False)
    other = house.order("C802", add("P2", 802))
    house.run(technicians=False, send=False)

    listed = http.get("/diaodu-api/inventory/v1/waiting", params={"area": "8"}).json()
    parked = http.post(f"{OURS}/order/{order_id}/waiting", json={"reason": "pole is missing"})
    house.run(technicians=False, send=False)
    after = http.get("/diaodu-api/inventory/v1/waiting", params={"area": "8"}).json()
    resumed = http.post(f"{OURS}/order/{order_id}/waiting/resume", json={})
    unknown = http.get("/diaodu-api/inventory/v1/waiting", params={"area": "77"})

    assert [(w["orderId"], w["rank"], w["position"]) for w in listed["orders"]] == [(str(other), 1, 1)]
    assert [(f["want"], f["why"], f["orders"]) for f in listed["figures"]] == [("access", "no-free-port", 1)]
    assert (parked.status_code, resumed.status_code, unknown.status_code) == (200, 204, 404)
    assert [w["orderId"] for w in after["orders"]] == [str(order_id)]
    assert http.get("/diaodu-api/inventory/v1/waiting/figures").json()[0]["area"] == 8
