"""TMF697 over HTTP: worklists, claim and report, on a real database."""

from typing import Any

import httpx
import pytest
from tests.contract.conftest import ADDRESS, ORDERS, OTHER_POOL, POOL, WORK, bundle_order
from tests.contract.official import breaches

from diaodu.kernel.db import Database, Tx
from diaodu.workforce.tmf import item_state, state_of

TECHNICIAN = {"Authorization": "Bearer technician"}


def seed(tx: Tx, order_id: int, pool: int, *, state: int = 0, reason: str | None = None) -> tuple[str, list[str]]:
    """A W5 work order with two effects; returns its id and those of the effects."""
    part = order_id & 255
    task, broadband, iptv = (tx.new_id(part) for _ in range(3))
    tx.run(
        "insert into engine.human_task (part, id, root_id, instance_id, token_id, node, name, planned, pool, priority,"
        " state, reason, due_at, created_at) values (%s, %s, %s, 1, 1, 'measure', '测量', true, %s, 2, %s, %s, %s, %s)",
        (part, task, order_id, pool, state, reason, tx.now, tx.now),
    )
    for effect, kind in ((broadband, "test.broadband"), (iptv, "test.iptv")):
        tx.run(
            "insert into planning.effect (part, id, order_id, revision, thing_id, kind, op, state, ready, needs, work,"
            " priority, params, created_at)"
            " values (%s, %s, %s, 1, 1, %s, 'do', 'intent', true, '{}', 'W5', 2, '{}', %s)",
            (part, effect, order_id, kind, tx.now),
        )
    lines = (
        f'[{{"effect": {broadband}, "kind": "test.broadband", "item": "1.1", "params": {{"speed": 200}}}},'
        f' {{"effect": {iptv}, "kind": "test.iptv", "item": "1.2", "params": {{}}}}]'
    )
    tx.run(
        "insert into workforce.work_order (part, id, order_id, kind, lines, release_id, place, created_at)"
        " values (%s, %s, %s, 'W5', %s::jsonb, 1, jsonb_build_object('id', 601, 'name', %s::text), %s)",
        (part, task, order_id, lines, ADDRESS, tx.now),
    )
    return str(task), [str(broadband), str(iptv)]


@pytest.fixture
def order_id(http: httpx.Client) -> int:
    return int(http.post(ORDERS, json=bundle_order()).json()["id"])


def report(effects: list[str], **changes: Any) -> dict[str, Any]:
    facts: list[dict[str, Any]] = [{"光功率": -18.5, "测速": 198}, {"播放正常": True}]
    return {
        "state": "completed",
        "reportId": "r-1",
        "workOrderItem": [
            {"id": effect, "state": "completed", "characteristic": [{"name": n, "value": v} for n, v in data.items()]}
            for effect, data in zip(effects, facts, strict=True)
        ],
        **changes,
    }


def jobs(db: Database, order_id: int) -> list[Any]:
    with db.transaction() as tx:
        return [r[0] for r in tx.rows(
            "select body from engine.job where root_id = %s and name = 'effect.report'", (order_id,)
        )]  # fmt: skip


def test_a_worklist_shows_the_work_of_ones_own_pools(http: httpx.Client, db: Database, order_id: int) -> None:
    with db.transaction() as tx:
        mine, _ = seed(tx, order_id, POOL)
        other, _ = seed(tx, order_id, OTHER_POOL)
    assert [w["id"] for w in http.get(f"{WORK}?state=acknowledged", headers=TECHNICIAN).json()] == [mine]
    assert {w["id"] for w in http.get(WORK).json()} == {mine, other}
    assert http.get(f"{WORK}/{other}", headers=TECHNICIAN).status_code == 404
    claim = http.patch(f"{WORK}/{other}", json={"state": "inProgress"}, headers=TECHNICIAN)
    assert claim.status_code == 404


def test_work_is_claimed_and_reported_per_effect(http: httpx.Client, db: Database, order_id: int) -> None:
    with db.transaction() as tx:
        work, effects = seed(tx, order_id, POOL)
    url = f"{WORK}/{work}"
    before = http.get(url, headers=TECHNICIAN).json()
    assert [(i["id"], i["state"]) for i in before["workOrderItem"]] == [(e, "acknowledged") for e in effects]
    assert breaches("TMF697-v4.0.0", "WorkOrder", before) == []

    claimed = http.patch(url, json={"state": "inProgress"}, headers=TECHNICIAN)
    assert (claimed.status_code, claimed.json()["state"]) == (200, "inProgress")
    assert claimed.json()["relatedParty"] == [{"id": "9", "role": "technician", "@referredType": "Individual"}]
    done = [http.patch(url, json=report(effects), headers=TECHNICIAN) for _ in range(2)]
    assert [(d.status_code, d.json()["state"]) for d in done] == [(200, "completed")] * 2
    assert breaches("TMF697-v4.0.0", "WorkOrder", done[0].json()) == []
    [body] = jobs(db, order_id)
    assert body["outcomes"] == [
        {"effect": int(effects[0]), "state": "confirmed", "result": {"光功率": -18.5, "测速": 198}, "cause": None},
        {"effect": int(effects[1]), "state": "confirmed", "result": {"播放正常": True}, "cause": None},
    ]


def test_work_that_is_taken_cannot_be_claimed(http: httpx.Client, db: Database, order_id: int) -> None:
    with db.transaction() as tx:
        work, _ = seed(tx, order_id, POOL)
    replies = [http.patch(f"{WORK}/{work}", json={"state": "inProgress"}, headers=TECHNICIAN) for _ in range(2)]
    assert [r.status_code for r in replies] == [200, 409]
    assert replies[1].json()["code"] == "workforce.not-yours"


def test_a_failed_effect_carries_its_reason(http: httpx.Client, db: Database, order_id: int) -> None:
    with db.transaction() as tx:
        work, effects = seed(tx, order_id, POOL)
    http.patch(f"{WORK}/{work}", json={"state": "inProgress"}, headers=TECHNICIAN)
    body = report(effects)
    body["workOrderItem"][1] = {"id": effects[1], "state": "failed", "note": {"text": "无信号"}}
    assert http.patch(f"{WORK}/{work}", json=body, headers=TECHNICIAN).status_code == 200
    assert jobs(db, order_id)[0]["outcomes"][1] == {
        "effect": int(effects[1]), "state": "failed", "result": {}, "cause": "无信号",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reportId": None}, "tmf.bad-attribute"),
        ({"reportId": "r" * 101}, "tmf.bad-attribute"),
        ({"state": "closed"}, "tmf.bad-attribute"),
        ({"state": "inProgress"}, "tmf.bad-attribute"),
        ({"workOrderItem": []}, "tmf.bad-attribute"),
        ({"workOrderItem": [{"id": "x", "state": "completed"}]}, "tmf.bad-attribute"),
        ({"workOrderItem": [{"id": "5", "state": "completed"}]}, "workforce.report-incomplete"),
        ({"priority": "1"}, "tmf.not-patchable"),
    ],
)
def test_a_wrong_report_is_refused_and_changes_nothing(
    change: dict[str, Any], code: str, http: httpx.Client, db: Database, order_id: int
) -> None:
    with db.transaction() as tx:
        work, effects = seed(tx, order_id, POOL)
    http.patch(f"{WORK}/{work}", json={"state": "inProgress"}, headers=TECHNICIAN)
    reply = http.patch(f"{WORK}/{work}", json=report(effects, **change), headers=TECHNICIAN)
    assert (reply.status_code, reply.json()["code"]) == (400, code)
    assert http.get(f"{WORK}/{work}").json()["state"] == "inProgress"
    assert jobs(db, order_id) == []


def test_a_value_that_the_form_refuses_is_400_with_the_field(http: httpx.Client, db: Database, order_id: int) -> None:
    with db.transaction() as tx:
        work, effects = seed(tx, order_id, POOL)
    http.patch(f"{WORK}/{work}", json={"state": "inProgress"}, headers=TECHNICIAN)
    body = report(effects)
    body["workOrderItem"][0]["characteristic"][0]["value"] = -30
    reply = http.patch(f"{WORK}/{work}", json=body, headers=TECHNICIAN | {"Accept-Language": "zh"})
    assert (reply.status_code, reply.json()["code"]) == (400, "workforce.form-invalid")
    assert "光功率须在 -25 至 -8 dBm" in reply.json()["reason"]


def test_a_system_does_not_claim_and_other_media_are_415(http: httpx.Client, db: Database, order_id: int) -> None:
    with db.transaction() as tx:
        work, _ = seed(tx, order_id, POOL)
    reply = http.patch(f"{WORK}/{work}", json={"state": "inProgress"})
    assert (reply.status_code, reply.json()["code"]) == (403, "workforce.person-needed")
    headers = {"Content-Type": "application/json-patch+json"}
    assert http.patch(f"{WORK}/{work}", content=b"[]", headers=headers).status_code == 415


def test_the_state_filter_and_the_state_shown_are_the_same(http: httpx.Client, db: Database, order_id: int) -> None:
    cases = [(0, None), (1, None), (2, None), (2, "customer"), (2, "no-resource"), (3, None), (4, "superseded")]
    with db.transaction() as tx:
        seeded = {seed(tx, order_id, POOL, state=s, reason=r)[0]: state_of(s, r) for s, r in cases}
    words = sorted(set(seeded.values()))
    assert words == ["acknowledged", "cancelled", "completed", "held", "inProgress", "pending"]
    for word in words:
        listed = http.get(f"{WORK}?state={word}").json()
        assert {w["id"]: w["state"] for w in listed} == {i: s for i, s in seeded.items() if s == word}


def test_an_item_shows_what_became_of_its_effect() -> None:
    cases = {"confirmed": "completed", "failed": "failed", "undone": "cancelled", "intent": "held", None: "held"}
    assert {effect: item_state(effect, "held") for effect in cases} == cases
    assert item_state("intent", "completed") == "inProgress"
