"""Appointments (TMF646), visits and recalls over HTTP, on a real database."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.contract.conftest import ADDRESS, ORDERS, POOL, WORK, bundle_order
from tests.contract.official import breaches
from tests.contract.test_work_order import TECHNICIAN, seed

from diaodu.kernel import journal
from diaodu.kernel.db import Database
from diaodu.tmf.hub import CACHE_TIME
from diaodu.workforce import commands

APPOINTMENTS = "/tmf-api/appointment/v4/appointment"
OWN = "/diaodu-api/workforce/v1"
WINDOW = {"startDateTime": "2031-03-04T09:00:00.000+00:00", "endDateTime": "2031-03-04T11:00:00.000+00:00"}
LATER = {"startDateTime": "2031-03-05T09:00:00.000+00:00", "endDateTime": "2031-03-05T11:00:00.000+00:00"}


@pytest.fixture
def order_id(http: httpx.Client) -> int:
    return int(http.post(ORDERS, json=bundle_order()).json()["id"])


def appointment(order_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "category": "install",
        "validFor": WINDOW,
        "relatedEntity": [{"id": str(order_id), "role": "order", "@referredType": "ProductOrder"}],
        "note": [{"text": "ring twice"}],
        **changes,
    }


def test_an_appointment_is_made_found_moved_and_confirmed(http: httpx.Client, db: Database, order_id: int) -> None:
    with db.transaction() as tx:
        work, _ = seed(tx, order_id, POOL)
    made = http.post(APPOINTMENTS, json=appointment(order_id))
    assert made.status_code == 201, made.text
    document = made.json()
    assert breaches("TMF646-v4.0.0", "Appointment", document) == []
    assert (document["status"], document["validFor"], document["note"]) == (
        "initialized",
        WINDOW,
        [{"text": "ring twice"}],
    )
    assert http.get(document["href"]).json() == document
    assert [a["id"] for a in http.get(f"{APPOINTMENTS}?relatedEntity.id={order_id}").json()] == [document["id"]]
    assert http.get(f"{WORK}/{work}").json()["requestedCompletionDate"] == WINDOW["endDateTime"]

    moved = http.patch(document["href"], json={"validFor": LATER, "status": "confirmed"})
    assert moved.status_code == 200, moved.text
    assert (moved.json()["status"], moved.json()["validFor"]) == ("confirmed", LATER)
    shown = http.get(f"{WORK}/{work}").json()
    assert (shown["expectedCompletionDate"], shown["appointment"]["id"]) == (LATER["endDateTime"], document["id"])
    assert breaches("TMF697-v4.0.0", "WorkOrder", shown) == []


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"validFor": {"startDateTime": WINDOW["startDateTime"]}}, 400, "bad-attribute"),
        ({"validFor": {**LATER, "endDateTime": WINDOW["endDateTime"]}}, 400, "bad-window"),
        ({"relatedEntity": []}, 400, "bad-attribute"),
        ({"relatedEntity": [{"id": "77", "role": "order", "@referredType": "ProductOrder"}]}, 404, "not-found"),
    ],
)  # fmt: skip
def test_an_appointment_without_window_or_order_is_refused(
    http: httpx.Client, order_id: int, changes: dict[str, Any], status: int, code: str
) -> None:
    refused = http.post(APPOINTMENTS, json=appointment(order_id, **changes))
    assert (refused.status_code, refused.json()["code"].rpartition(".")[2]) == (status, code), refused.text
    assert http.get(APPOINTMENTS).json() == []


def test_a_visit_is_previewed_made_half_and_left(http: httpx.Client, db: Database, order_id: int) -> None:
    other = int(http.post(ORDERS, json=bundle_order(externalId="CRM-2")).json()["id"])
    work = []
    for order in (order_id, other):
        with db.transaction() as tx:
            work.append(seed(tx, order, POOL)[0])
    asked = {"workOrder": work}
    preview = http.post(f"{OWN}/visit/preview", json=asked).json()
    assert (sorted(m["workOrderId"] for m in preview["members"]), "id" in preview) == (sorted(work), False)
    made = http.post(f"{OWN}/visit", json=asked | {"window": WINDOW})
    assert made.status_code == 201, made.text
    visit = made.json()
    assert (visit["refused"], len(visit["members"]), visit["place"]["name"]) == ([], 2, ADDRESS)
    assert http.get(f"{WORK}/{work[0]}").json()["relatedEntity"][0]["id"] == visit["id"]
    assert http.post(f"{OWN}/workOrder/{work[0]}/leaveVisit").status_code == 204
    left = http.get(f"{OWN}/visit/{visit['id']}").json()
    assert [m["workOrderId"] for m in left["members"]] == [work[1]]
    assert http.post(f"{OWN}/workOrder/{work[0]}/leaveVisit").json()["code"] == "workforce.not-in-visit"


def test_a_recall_is_shown_answered_and_refused_to_others(http: httpx.Client, db: Database, order_id: int) -> None:
    with db.transaction() as tx:
        work, effects = seed(tx, order_id, POOL)
    assert http.patch(f"{WORK}/{work}", json={"state": "inProgress"}, headers=TECHNICIAN).status_code == 200
    hub = http.post("/tmf-api/workOrderManagement/v4/hub", json={"callback": "http://127.0.0.1:9/phone"})
    assert hub.status_code == 201, hub.text
    # every process hears of the subscription within this time
    with db.transaction(now=datetime.now(UTC) + CACHE_TIME) as tx:
        journal.lock(tx, [order_id])
        question = commands.recalls.Question(order_id, int(work), frozenset({int(effects[1])}), 30)
        commands.recalls.ask(tx, [question])
    with db.transaction() as tx:
        told = tx.rows("select event_type, body->'event'->'workOrder'->>'id' from tmf.delivery")
    assert told == [("WorkOrderAttributeValueChangeEvent", work)]
    assert "待撤回" in http.get(f"{WORK}/{work}", headers=TECHNICIAN).json()["note"][0]["text"]
    listed = http.get(f"{OWN}/recall", headers=TECHNICIAN).json()
    assert [(r["workOrderId"], r["state"], r["overdue"]) for r in listed] == [(work, "asked", False)]
    answer = f"{OWN}/workOrder/{work}/recall/answer"
    assert http.post(answer, json={"answer": "stopped"}).json()["code"] == "workforce.not-yours"
    assert http.post(answer, json={"answer": "maybe"}, headers=TECHNICIAN).status_code == 400
    decision = f"{OWN}/workOrder/{work}/recall/decision"
    assert http.post(decision, json={"decision": "withdraw"}).json()["code"] == "workforce.recall-not-due"
    said = http.post(answer, json={"answer": "stopped"}, headers=TECHNICIAN)
    assert (said.status_code, said.json()["state"]) == (200, "withdrawn")
    assert http.get(f"{OWN}/recall").json() == []
    assert "note" not in http.get(f"{WORK}/{work}").json()


def test_a_dispatcher_s_right_is_its_own(http: httpx.Client, db: Database, order_id: int) -> None:
    with db.transaction() as tx:
        work, effects = seed(tx, order_id, POOL)
    split = f"{OWN}/workOrder/{work}/split"
    refused = http.post(split, json={"effect": [effects[0]]}, headers={"Authorization": "Bearer reader"})
    assert refused.status_code == 403
    made = http.post(split, json={"effect": [effects[0]]})
    assert made.status_code == 201, made.text
    states = {i["id"]: i["state"] for i in http.get(f"{WORK}/{work}").json()["workOrderItem"]}
    assert states == {effects[0]: "cancelled", effects[1]: "acknowledged"}
    assert http.post(f"{OWN}/workOrder/{work}/handOver", json={"reason": "x"}).status_code == 400
    handed = http.post(f"{OWN}/workOrder/{work}/handOver", json={"person": "9", "reason": "near"})
    assert handed.status_code == 204, handed.text
    assert http.get(f"{WORK}/{work}").json()["state"] == "inProgress"
