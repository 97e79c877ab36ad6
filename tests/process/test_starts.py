"""An instance is started once under a key, however often it is asked for."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.engine.kit import Bench

ASKED = {"process": "p", "businessKey": "K", "variables": {"b": 1, "a": [2]}}


def start(http: httpx.Client, body: dict[str, Any], key: str | None = "key-1", **headers: str) -> httpx.Response:
    given = {} if key is None else {"Idempotency-Key": key}
    return http.post("/instance", json=body, headers={**given, **headers})


def roots(bench: Bench) -> int:
    return len(bench.rows("select root_id from engine.instance"))


def test_the_same_once_more_is_answered_as_the_first_time(http: httpx.Client, bench: Bench) -> None:
    first = start(http, ASKED)
    bench.work()
    # given: it has run, its process takes no more, and the attributes come in another order
    http.post("/process/p/suspend", json={})
    again = start(http, {"variables": {"a": [2], "b": 1}, "businessKey": "K", "process": "p"})
    bench.work()
    assert [r.status_code for r in (first, again)] == [202, 202]
    assert first.json() == again.json()
    assert [r.headers.get("idempotency-replayed") for r in (first, again)] == [None, "true"]
    assert roots(bench) == 1


@pytest.mark.parametrize("change", [{"process": "q"}, {"businessKey": ""}, {"variables": {"b": 1, "a": [3]}}])
def test_other_content_under_the_same_key_is_refused(change: dict[str, Any], http: httpx.Client, bench: Bench) -> None:
    root = start(http, ASKED).json()["rootId"]
    reply = start(http, ASKED | change)
    bench.work()
    assert (reply.status_code, reply.json()["code"]) == (409, "process.key-reused")
    assert root in reply.json()["reason"]
    assert roots(bench) == 1


def test_a_key_may_stand_in_the_body_and_belongs_to_its_sender(http: httpx.Client, bench: Bench) -> None:
    inside = start(http, ASKED | {"key": "key-1"}, key=None)
    assert start(http, ASKED).json() == inside.json()
    assert start(http, ASKED, Authorization="Bearer clerk").json() != inside.json()
    assert start(http, ASKED, key=None).json() != start(http, ASKED, key=None).json()
    bench.work()
    assert roots(bench) == 4


def test_what_was_refused_may_be_asked_for_again_under_its_key(http: httpx.Client, bench: Bench) -> None:
    http.post("/process/p/suspend", json={})
    assert start(http, ASKED).status_code == 409
    http.post("/process/p/resume", json={})
    assert start(http, ASKED).status_code == 202
    bench.work()
    assert roots(bench) == 1


def test_many_at_once_under_one_key_start_one(http: httpx.Client, bench: Bench) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = {r.text for r in threads.map(lambda _: start(http, ASKED), range(16))}
    bench.work()
    assert (len(found), roots(bench)) == (1, 1)


@pytest.mark.parametrize("body", [{"key": ""}, {"key": "k" * 201}, {"key": 5}])
def test_a_key_has_bounds(body: dict[str, Any], http: httpx.Client) -> None:
    assert start(http, ASKED | body, key=None).json()["code"] == "tmf.bad-attribute"
    assert start(http, ASKED, key="k" * 201).json()["code"] == "tmf.bad-attribute"
