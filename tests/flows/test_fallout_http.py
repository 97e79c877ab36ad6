"""异常 over HTTP: the worklist, what people do, bulk operations; refusals change nothing."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.contract.conftest import FakePolicy
from tests.contract.server import serving
from tests.flows.operator import House, add

from diaodu.app.asgi import create_app
from diaodu.kernel.access import Principal
from diaodu.planning.model import State

RIGHTS = frozenset({"fulfilment:read", "fulfilment:write"})
POLICY = FakePolicy(
    {
        "noc": Principal(1, "noc", RIGHTS),
        "looker": Principal(2, "looker", frozenset({"fulfilment:read"})),
        "installer": Principal(3, "installer", RIGHTS, covered=lambda: frozenset({1})),
    }
)
BASE = "/diaodu-api/fulfilment/v1"


@pytest.fixture
def http(house: House) -> Iterator[httpx.Client]:
    with serving(create_app(house.db, POLICY), "noc") as client:
        client.base_url = httpx.URL(str(client.base_url).rstrip("/") + BASE)
        yield client


def failing(house: House, *rooms: int) -> list[int]:
    house.client.fault(refuse={"kind": "aaa.account"})
    orders = [house.order(f"C{room}", add("P1", room)) for room in rooms]
    house.run()
    house.client.fault()
    return orders


def listed(http: httpx.Client, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get("/fallout", params=query).json()
    return found


def test_what_failed_is_listed_taken_and_done_again(house: House, http: httpx.Client) -> None:
    [order_id] = failing(house, 601)

    of_order = http.get(f"/order/{order_id}/fallout").json()
    [entry] = listed(http)

    assert (of_order["extent"], [f["id"] for f in of_order["fallout"]]) == ("partial", [entry["id"]])
    shown = {k: entry[k] for k in ("orderId", "kind", "itemKey", "cause", "causeClass", "state", "attempts", "element")}
    assert shown == {
        "orderId": str(order_id), "kind": "aaa.account", "itemKey": "1.1", "cause": "equipment-failure",
        "causeClass": "technical", "state": "open", "attempts": 1, "element": "aaa:zj",
    }  # fmt: skip
    assert http.post(f"/fallout/{entry['id']}/claim", json={}).json()["assignee"] == "noc"
    assert http.get("/fallout/causes").json() == []
    assert http.post(f"/fallout/{entry['id']}/retry", json={"note": "ok"}).json()["state"] == "waiting"
    house.run()
    assert house.order_state(order_id) == "completed"
    assert http.get(f"/order/{order_id}/fallout").json()["extent"] == "none"
    assert http.get(f"/fallout/{entry['id']}").json()["resolution"] == "confirmed"


def test_by_hand_needs_evidence(house: House, http: httpx.Client) -> None:
    [order_id] = failing(house, 601)
    [entry] = listed(http)
    done = f"/fallout/{entry['id']}/done"

    without = http.post(done, json={"evidence": {}})
    assert (without.status_code, without.json()["code"]) == (400, "fulfilment.evidence-missing")
    assert house.effect(order_id, "aaa.account").state is State.FAILED
    assert http.post(done, json={"evidence": {"attachments": ["photo-1"]}}).status_code == 200
    house.run()
    assert house.effect(order_id, "aaa.account").state is State.CONFIRMED


def test_many_are_looked_at_confirmed_and_followed(house: House, http: httpx.Client) -> None:
    orders = failing(house, 601, 602)
    causes = http.get("/fallout/causes").json()
    assert [(c["cause"], c["element"], c["count"]) for c in causes] == [("equipment-failure", "aaa:zj", 2)]

    seen = http.post("/fallout/bulk", json={"cause": "equipment-failure", "reason": "AAA 恢复", "perSecond": 1000})
    assert (seen.status_code, seen.json()["count"]) == (201, 2)
    bulk = f"/fallout/bulk/{seen.json()['id']}"
    assert http.get(bulk).json()["state"] == "previewed"
    assert http.post(f"{bulk}/confirm", json={"digest": "x"}).status_code == 409
    assert http.post(f"{bulk}/confirm", json={"digest": seen.json()["digest"]}).json()["state"] == "running"
    while http.get(bulk).json()["state"] == "running":
        house.run()
    house.run()

    assert http.get("/fallout/bulk").json()[0]["mended"] == 2
    assert [house.order_state(o) for o in orders] == ["completed"] * 2


def test_what_is_stopped_goes_no_further(house: House, http: httpx.Client) -> None:
    orders = failing(house, 601, 602)
    seen = http.post("/fallout/bulk", json={"cause": "equipment-failure", "reason": "AAA 恢复"}).json()
    http.post(f"/fallout/bulk/{seen['id']}/confirm", json={"digest": seen["digest"]})
    assert http.post(f"/fallout/bulk/{seen['id']}/stop", json={}).json()["state"] == "stopped"
    house.run()
    assert [house.order_state(o) for o in orders] == ["inProgress"] * 2
    assert len(listed(http)) == 2


def test_one_sees_ones_own_worklists_and_writes_with_the_right_to(house: House, http: httpx.Client) -> None:
    failing(house, 601)
    [entry] = listed(http)
    installer = {"Authorization": "Bearer installer"}
    assert http.get("/fallout", headers=installer).json() == []
    assert http.post(f"/fallout/{entry['id']}/claim", json={}, headers=installer).status_code == 404
    looker = {"Authorization": "Bearer looker"}
    assert http.post(f"/fallout/{entry['id']}/claim", json={}, headers=looker).status_code == 403
    assert listed(http)[0]["state"] == "open"
    assert http.get("/fallout", params={"state": "odd"}).status_code == 400
    assert http.get("/order/256/fallout").status_code == 404
