"""People do the tasks of diagrams over HTTP."""

from typing import Any

import httpx
import pytest
from tests.engine.kit import Bench, bpmn

from diaodu.engine.queries import Task

ALONE = bpmn('<startEvent id="s"/><userTask id="u" diaodu:pool="1"/><endEvent id="e"/>', "s -> u\nu -> e")


def offered(bench: Bench) -> Task:
    """A task on worklist 1."""
    bench.deploy(ALONE)
    root = bench.start()
    (found,) = bench.tasks(root)
    return found


def post(http: httpx.Client, who: str, path: str, body: Any = None) -> httpx.Response:
    return http.post(path, json=body, headers={"Authorization": f"Bearer {who}"})


def test_a_person_finds_claims_and_completes_a_task(http: httpx.Client, bench: Bench) -> None:
    task = offered(bench)
    listed = http.get("/task", headers={"Authorization": "Bearer liu"}).json()
    assert [(t["id"], t["node"], t["state"]) for t in listed] == [(str(task.id), "u", "offered")]
    assert post(http, "liu", f"/task/{task.id}/claim").status_code == 204
    assert [t["state"] for t in http.get("/task", headers={"Authorization": "Bearer liu"}).json()] == ["claimed"]
    done = post(http, "liu", f"/task/{task.id}/complete", {"variables": {"ok": True, "name": "刘"}, "reportId": "r1"})
    assert (done.status_code, done.content) == (204, b"")
    bench.work()
    assert (bench.at_nodes(task.root_id), bench.instance(task.root_id).vars) == ([], {"ok": True, "name": "刘"})


def test_the_same_report_again_changes_nothing(http: httpx.Client, bench: Bench) -> None:
    task = offered(bench)
    post(http, "liu", f"/task/{task.id}/claim")
    first, again = (
        post(http, "liu", f"/task/{task.id}/complete", {"variables": {"n": n}, "reportId": "r1"}) for n in (1, 2)
    )
    assert (first.status_code, again.status_code) == (204, 204)
    bench.work()
    assert bench.instance(task.root_id).vars == {"n": 1}
    other = post(http, "liu", f"/task/{task.id}/complete", {"reportId": "r2"})
    assert (other.status_code, other.json()["code"]) == (409, "engine.task-not-open")


@pytest.mark.parametrize(
    ("who", "verb", "refusal"),
    [
        ("chen", "claim", (403, "access.not-allowed")),
        ("robot", "claim", (403, "process.person-needed")),
        ("robot", "complete", (403, "process.person-needed")),
        ("nobody", "complete", (403, "access.not-allowed")),
        ("liu", "complete", (409, "engine.task-not-open")),
    ],
)
def test_who_may_not_is_refused_and_nothing_changes(
    http: httpx.Client, bench: Bench, who: str, verb: str, refusal: tuple[int, str]
) -> None:
    task = offered(bench)
    refused = post(http, who, f"/task/{task.id}/{verb}", {} if verb == "complete" else None)
    assert (refused.status_code, refused.json()["code"]) == refusal
    assert (bench.tasks(task.root_id), bench.jobs()) == ([task], [])


def test_a_claimed_task_is_not_another_persons(http: httpx.Client, bench: Bench) -> None:
    task = offered(bench)
    post(http, "liu", f"/task/{task.id}/claim")
    (held,) = bench.tasks(task.root_id)
    assert post(http, "chen", f"/task/{task.id}/complete", {}).json()["code"] == "engine.task-not-open"
    assert post(http, "liu", f"/task/{task.id}/claim").json()["code"] == "engine.task-not-open"
    assert (bench.tasks(task.root_id), bench.jobs()) == ([held], [])


def test_an_unknown_task_is_not_found(http: httpx.Client, bench: Bench) -> None:
    task = offered(bench)
    unknown = task.id + 256
    assert post(http, "liu", f"/task/{unknown}/claim").status_code == 404
    assert post(http, "liu", f"/task/{unknown}/complete", {}).status_code == 404
