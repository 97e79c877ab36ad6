"""撤单, 缓装, 挂起, 催单 over HTTP: what is asked, what is answered, what is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.contract.conftest import FakePolicy
from tests.contract.server import serving
from tests.flows.cancelling import work_until
from tests.flows.operator import House, add

from diaodu.app.asgi import create_app
from diaodu.kernel.access import Principal

RIGHTS = frozenset({"fulfilment:read", "fulfilment:write", "ordering:read", "ordering:write"})
POLICY = FakePolicy(
    {
        "clerk": Principal(1, "clerk", RIGHTS),
        "looker": Principal(2, "looker", frozenset({"fulfilment:read", "ordering:read"})),
    }
)
OURS = "/diaodu-api/fulfilment/v1/order/{}/{}"
TASKS = "/tmf-api/productOrderingManagement/v4/cancelProductOrder"
ORDERS = "/tmf-api/productOrderingManagement/v4/productOrder"


@pytest.fixture
def http(house: House) -> Iterator[httpx.Client]:
    with serving(create_app(house.db, POLICY), "clerk") as client:
        yield client


def test_a_cancellation_is_looked_at_asked_for_and_consented_to(house: House, http: httpx.Client) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    work_until(house, order_id, "W3", "W4")

    seen = http.get(OURS.format(order_id, "cancellation")).json()
    made = http.post(TASKS, json={"productOrder": {"id": str(order_id)}, "cancellationReason": "moved", "@type": "X"})
    again = http.post(TASKS, json={"productOrder": {"id": str(order_id)}})
    house.run(technicians=False)
    waiting = http.get(f"{TASKS}/{made.json()['id']}").json()
    consent = OURS.format(order_id, f"cancellation/{made.json()['id']}/consent")
    said = http.post(consent, json={"agreed": True})
    house.run()
    done = http.get(f"{TASKS}/{made.json()['id']}").json()

    assert (seen["fee"], seen["consentNeeded"], seen["item"][0]["verdict"]) == (5000, True, "consent")
    assert "install.onu" in [u["kind"] for u in seen["undone"]]
    assert (made.status_code, made.json()["state"], made.json()["@type"]) == (201, "acknowledged", "X")
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (made.json()["id"], "true")
    assert waiting["cancellationFee"]["price"] == {"unit": "CNY", "value": 50.0}
    assert (said.status_code, said.json()["state"]) == (200, "inProgress")
    assert (done["state"], done["productOrderItem"][0]["state"]) == ("done", "cancelled")
    assert done["effectiveCancellationDate"]
    assert http.get(f"{ORDERS}/{order_id}").json()["state"] == "cancelled"
    assert [t["id"] for t in http.get(TASKS, params={"productOrder.id": str(order_id)}).json()] == [done["id"]]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "tmf.bad-attribute"),
        ({"productOrder": {"id": "999"}}, 404, "kernel.not-found"),
        ({"productOrder": {"id": "{}"}, "productOrderItem": [{"id": "7"}]}, 404, "ordering.item-unknown"),
    ],
)
def test_what_cannot_be_cancelled_is_refused(
    house: House, http: httpx.Client, body: dict[str, object], status: int, code: str
) -> None:
    order_id = house.order("C601", add("P2", 601))
    sent = {k: {"id": str(order_id)} if v == {"id": "{}"} else v for k, v in body.items()}
    refusal = http.post(TASKS, json=sent)
    assert (refusal.status_code, refusal.json()["code"]) == (status, code)
    assert house.q("select count(*) from ordering.cancel_task") == [(0,)]


def test_an_order_is_postponed_resumed_suspended_and_urged(house: House, http: httpx.Client) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    until = (datetime.now(UTC) + timedelta(days=5)).isoformat()

    [hold] = http.post(OURS.format(order_id, "postpone"), json={"until": until, "reason": "travels"}).json()
    pending = http.get(f"{ORDERS}/{order_id}").json()["state"]
    resumed = http.post(OURS.format(order_id, "resume"), json={})
    http.post(OURS.format(order_id, "suspend"), json={"reason": "cable theft", "items": ["1"]})
    held = http.get(f"{ORDERS}/{order_id}").json()["state"]
    http.post(OURS.format(order_id, "unsuspend"), json={"items": ["1"]})
    house.run(technicians=False)
    urged = http.post(OURS.format(order_id, "urge"), json={"note": "called twice"}).json()

    assert (hold["cause"], hold["reason"], hold["by"]) == ("customer", "travels", "clerk")
    assert (pending, held, resumed.status_code) == ("pending", "held", 200)
    assert len(urged["workOrder"]) == 1
    order = http.get(f"{ORDERS}/{order_id}").json()
    assert (order["state"], [n["text"] for n in order["note"]]) == ("inProgress", ["called twice"])


def test_refusals_change_nothing(house: House, http: httpx.Client) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    before = house.q("select count(*) from kernel.history")

    found = [
        http.post(OURS.format(order_id, "postpone"), json={"until": "tomorrow", "reason": "x"}),
        http.post(OURS.format(order_id, "postpone"), json={"until": "2020-01-01T00:00:00Z", "reason": "x"}),
        http.post(OURS.format(order_id, "resume"), json={}),
        http.post(OURS.format(7, "urge"), json={}),
        http.get(OURS.format(order_id, "cancellation"), params={"item": "9"}),
        http.patch(f"{ORDERS}/{order_id}", json={"state": "cancelled"}),
        http.post(OURS.format(order_id, "urge"), json={}, headers={"Authorization": "Bearer looker"}),
    ]

    assert [(r.status_code, r.json()["code"]) for r in found] == [
        (400, "tmf.bad-attribute"), (400, "fulfilment.instant-past"), (409, "fulfilment.not-waiting"),
        (404, "kernel.not-found"), (404, "ordering.item-unknown"), (409, "ordering.state-follows"),
        (403, "access.not-allowed"),
    ]  # fmt: skip
    assert house.q("select count(*) from kernel.history") == before
