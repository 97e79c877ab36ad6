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
