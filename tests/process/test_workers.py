"""A worker in any language: over HTTP, fenced, its answers in the history even when they come too late."""

import threading
import time
from typing import Any

import httpx
import pytest
from tests.engine.kit import Bench

WORKER = {"Authorization": "Bearer worker"}


def fetch(http: httpx.Client, **changes: Any) -> list[dict[str, Any]]:
    asked = {"worker": "w1", "topics": ["bill"], "lockSeconds": 60, **changes}
    reply = http.post("/external/fetch", json=asked, headers=WORKER)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()
    return found


def say(http: httpx.Client, task: dict[str, Any], verb: str, **body: Any) -> httpx.Response:
    body = {"lockToken": task["lockToken"], **body}
    return http.post(f"/external/{task['id']}/{verb}", json=body, headers=WORKER)


def test_a_worker_fetches_and_completes(http: httpx.Client, bench: Bench) -> None:
    root = bench.start(x=1)
    (task,) = fetch(http)
    assert (task["topic"], task["vars"], task["attempt"], task["rootId"]) == ("bill", {"x": 1}, 1, str(root))
    assert fetch(http) == []
    assert say(http, task, "complete", variables={"y": 2}).status_code == 204
    bench.work()
    assert (bench.at_nodes(root), bench.instance(root).vars) == (["u"], {"x": 1, "y": 2})
    assert say(http, task, "complete", variables={"y": 2}).status_code == 204  # sent again: the same


def test_a_batch_goes_over_partitions(http: httpx.Client, bench: Bench) -> None:
    from diaodu.engine.model import Start

    roots = [bench.root(part) for part in (0, 3, 7, 7)]
    for root in roots:
        bench.signal(Start(root, "p", "k", {}))
    bench.work()
    assert len(fetch(http, maxTasks=3)) == 3
    assert len(fetch(http, maxTasks=3)) == 1


def test_a_late_answer_is_refused_and_kept(http: httpx.Client, bench: Bench) -> None:
    root = bench.start()
    (task,) = fetch(http)
    bench.later(minutes=2)
    (again,) = fetch(http, worker="w2")
    reply = say(http, task, "complete", variables={"y": 1})
    assert (reply.status_code, reply.json()["code"]) == (409, "engine.lock-lost")
    assert bench.history(root)[-1] == "external.late"
    assert say(http, task, "extend", lockSeconds=60).status_code == 409
    assert say(http, again, "extend", lockSeconds=60).json()["lockedUntil"]
    assert (again["id"], say(http, again, "complete").status_code) == (task["id"], 204)


def test_a_failure_and_a_business_error(http: httpx.Client, bench: Bench) -> None:
    root = bench.start()
    (task,) = fetch(http)
    assert say(http, task, "fail", reason="down", retryAfterSeconds=5).status_code == 204
    assert fetch(http) == []
    bench.later(seconds=6)
    (task,) = fetch(http)
    assert say(http, task, "error", code="BAD", message="no").status_code == 204
    bench.work()
    assert [i.code for i in bench.incidents()] == ["engine.uncaught-error"]
    assert bench.at_nodes(root) == ["a"]


def test_a_request_waits_for_work(http: httpx.Client, bench: Bench) -> None:
    assert fetch(http, waitSeconds=0.3) == []
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.extend(fetch(http, waitSeconds=10)))
    waiting.start()
    time.sleep(0.3)
    bench.start()
    begun = time.monotonic()
    waiting.join(8)
    assert len(found) == 1
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lockSeconds": 0.1}, "engine.bad-lock-time"),
        ({"topics": []}, "tmf.bad-attribute"),
        ({"maxTasks": 0}, "tmf.bad-attribute"),
        ({"waitSeconds": 99}, "tmf.bad-attribute"),
    ],
)
def test_what_is_asked_for_has_bounds(changes: dict[str, Any], code: str, http: httpx.Client) -> None:
    asked = {"worker": "w1", "topics": ["bill"], **changes}
    reply = http.post("/external/fetch", json=asked, headers=WORKER)
    assert (reply.status_code, reply.json()["code"]) == (400, code)


def test_only_workers_may(http: httpx.Client) -> None:
    asked = {"worker": "w1", "topics": ["bill"]}
    reply = http.post("/external/fetch", json=asked, headers={"Authorization": "Bearer clerk"})
    assert (reply.status_code, reply.json()["code"]) == (403, "access.not-allowed")
    reply = http.post("/external/257/complete", json={"lockToken": "x"}, headers=WORKER)
    assert (reply.status_code, reply.json()["code"]) == (404, "kernel.not-found")


def as_(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


def test_a_worker_of_one_topic_does_the_work_of_no_other(http: httpx.Client, bench: Bench) -> None:
    bench.start()
    asked = {"worker": "w", "topics": ["bill"]}
    # when: who may do another topic asks for this one, alone or beside its own
    for topics in (["bill"], ["ship", "bill"]):
        reply = http.post("/external/fetch", json={**asked, "topics": topics}, headers=as_("shipper"))
        assert (reply.status_code, reply.json()["code"]) == (403, "access.not-allowed")
        assert "process:external:bill" in reply.json()["reason"]
    (task,) = http.post("/external/fetch", json=asked, headers=as_("biller")).json()
    bodies: dict[str, dict[str, Any]] = {"complete": {}, "fail": {"reason": "x"}, "error": {"code": "x"}}
    for verb, body in (bodies | {"extend": {"lockSeconds": 60}}).items():
        said = {"lockToken": task["lockToken"], **body}
        reply = http.post(f"/external/{task['id']}/{verb}", json=said, headers=as_("shipper"))
        assert (verb, reply.status_code) == (verb, 403)
    assert bench.rows("select state, attempts from engine.external_task") == [(0, 1)]
    # then: its own worker completes it, and may say so again when the task is gone
    done = {"lockToken": task["lockToken"], "variables": {"y": 1}}
    for _ in range(2):
        assert http.post(f"/external/{task['id']}/complete", json=done, headers=as_("biller")).status_code == 204
        bench.work()
    assert bench.rows("select * from engine.external_task") == []
    reply = http.post(f"/external/{task['id']}/complete", json=done, headers=as_("shipper"))
    assert reply.status_code == 403


def test_who_has_no_right_to_external_work_learns_nothing_of_its_tasks(http: httpx.Client) -> None:
    for name in ("clerk", "nobody"):
        reply = http.post("/external/257/complete", json={"lockToken": "x"}, headers=as_(name))
        assert (reply.status_code, reply.json()["code"]) == (403, "access.not-allowed")
    reply = http.post("/external/257/complete", json={"lockToken": "x"}, headers=as_("biller"))
    assert reply.status_code == 404
