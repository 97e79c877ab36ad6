"""Instances are looked at and operated over HTTP, by those who may."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.engine.kit import Bench, bpmn

WHY = {"reason": "as agreed"}
BIG = bpmn('<startEvent id="s"/><userTask id="u" diaodu:pool="1"/><userTask id="v" diaodu:pool="1"/>', "s -> u\nu -> v")


def ok(reply: httpx.Response, status: int = 200) -> Any:
    assert reply.status_code == status, reply.text
    return reply.json() if reply.content else None


def refusal(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["code"]


def instance(bench: Bench, root: int) -> str:
    return str(bench.instance(root).id)


@pytest.fixture
def root(bench: Bench) -> int:
    bench.deploy(BIG)
    return bench.start("k", x=1)


def test_an_instance_is_started_found_and_read(http: httpx.Client, bench: Bench) -> None:
    asked = {"process": "p", "businessKey": "K-7", "variables": {"x": [1]}}
    root = int(ok(http.post("/instance", json=asked), 202)["rootId"])
    bench.work()
    (found,) = ok(http.get("/instance", params={"process": "p", "businessKey": "K-7", "node": "a"}))
    assert found == ok(http.get(f"/instance/{instance(bench, root)}"))
    assert (found["rootId"], found["state"], found["vars"], found["version"]) == (str(root), "active", {"x": [1]}, 1)
    assert [t["node"] for t in ok(http.get(f"/instance/{found['id']}/token"))] == ["a"]
    assert [(r["what"], r["detail"]) for r in ok(http.get(f"/instance/{found['id']}/wait"))] == [("external", "bill")]
    assert [e["t"] for e in ok(http.get(f"/instance/{found['id']}/history"))] == ["instance.started", "node.done"]
    stack = ok(http.get(f"/instance/{found['id']}/stack"))
    assert ([f["instanceId"] for f in stack["stack"]], stack["calls"]) == ([found["id"]], [])
    assert ok(http.get("/instance", params={"after": found["id"]})) == []


def test_an_instance_is_suspended_resumed_and_cancelled(http: httpx.Client, bench: Bench, root: int) -> None:
    path = f"/instance/{instance(bench, root)}"
    ok(http.post(f"{path}/suspend", json=WHY), 204)
    assert ok(http.get(path))["state"] == "suspended"
    assert refusal(http.post(f"{path}/suspend", json=WHY)) == (409, "engine.instance-state")
    ok(http.post(f"{path}/resume", json=WHY), 204)
    ok(http.post(f"{path}/cancel", json=WHY), 204)
    bench.work()
    assert ok(http.get(path))["state"] == "cancelled"
    told = ok(http.get(f"{path}/history"))
    assert [(e["by"], e["reason"]) for e in told if e["t"] == "instance.suspended"] == [("boss", "as agreed")]


def test_variables_are_set(http: httpx.Client, bench: Bench, root: int) -> None:
    path = f"/instance/{instance(bench, root)}"
    ok(http.post(f"{path}/variables", json={**WHY, "set": {"y": 2}, "remove": ["x"]}), 204)
    assert ok(http.get(path))["vars"] == {"y": 2}


def test_a_token_is_moved_and_a_node_skipped_by_those_who_may(http: httpx.Client, bench: Bench, root: int) -> None:
    path = f"/instance/{instance(bench, root)}"
    (token,) = ok(http.get(f"{path}/token"))
    clerk = {"Authorization": "Bearer clerk"}
    assert refusal(http.post(f"{path}/token/{token['id']}/skip", json=WHY, headers=clerk))[0] == 403
    ok(http.post(f"{path}/token/{token['id']}/jump", json={**WHY, "target": "v"}), 204)
    bench.work()
    assert bench.at_nodes(root) == ["v"]
    reply = http.post(
        f"{path}/token/{token['id']}/jump", json={**WHY, "target": "x"}, headers={"Accept-Language": "zh"}
    )
    assert (reply.json()["code"], "没有这个元素" in reply.json()["reason"]) == ("engine.not-movable", True)
    ok(http.post(f"{path}/token/{token['id']}/skip", json=WHY), 204)
    bench.work()
    assert bench.state(root) == "ended"


def test_an_instance_migrates_after_a_trial(http: httpx.Client, bench: Bench) -> None:
    root = bench.start()
    bench.deploy(bpmn('<startEvent id="s"/><serviceTask id="a" name="b" diaodu:topic="bill"/>', "s -> a"))
    proposal = ok(http.get("/process/p/migration/1/2"))
    assert (proposal["mapping"], proposal["missing"]) == ({"s": "s", "a": "a"}, ["u", "e"])
    path = f"/instance/{instance(bench, root)}/migration"
    asked = {"version": 2, "mapping": {"s": "s"}}
    assert ok(http.post(f"{path}/trial", json=asked))["possible"] is False
    assert refusal(http.post(path, json=asked)) == (409, "engine.no-place")
    ok(http.post(path, json={"version": 2, "mapping": proposal["mapping"]}), 202)
    bench.work()
    assert bench.instance(root).version == 2


def test_many_are_cancelled_after_a_preview(http: httpx.Client, bench: Bench) -> None:
    for _ in range(3):
        bench.start()
    seen = ok(http.post("/bulk", json={**WHY, "verb": "cancel", "filter": {"process": "p"}}), 201)
    assert (seen["count"], len(seen["first"])) == (3, 3)
    made = ok(http.post("/bulk/confirm", json={"token": seen["token"]}), 202)["id"]
    bench.work()
    told = ok(http.get(f"/bulk/{made}"))
    assert (told["done"], told["refused"], told["refusals"], told["ended"]) == (3, 0, [], True)
    assert refusal(http.post("/bulk/confirm", json={"token": "x"})) == (404, "engine.preview-unknown")
    wrong = {**WHY, "verb": "cancel", "filter": {"state": "odd"}}
    assert refusal(http.post("/bulk", json=wrong)) == (400, "engine.bad-filter")


def test_a_process_is_suspended(http: httpx.Client, bench: Bench) -> None:
    assert ok(http.post("/process/p/suspend", json={})) == {"versions": [1]}
    assert refusal(http.post("/instance", json={"process": "p"})) == (409, "engine.definition-suspended")
    assert ok(http.post("/process/p/resume", json={"version": 1})) == {"versions": [1]}
    ok(http.post("/instance", json={"process": "p"}), 202)
    assert refusal(http.post("/instance", json={"process": "q"})) == (404, "engine.unknown-process")


def test_a_message_is_sent(http: httpx.Client, bench: Bench) -> None:
    bench.deploy(bpmn('<startEvent id="s"/><receiveTask id="r" messageRef="m_paid"/>', "s -> r", key="q"))
    root = bench.start("k", "q")
    ok(http.post("/message", json={"rootId": str(root), "name": "paid", "key": "k"}), 204)
    bench.work()
    assert bench.state(root) == "ended"
    assert refusal(http.post("/message", json={"rootId": "257", "name": "paid", "key": "k"}))[0] == 404


def test_incidents_are_read_retried_and_resolved(http: httpx.Client, bench: Bench) -> None:
    root = bench.start(process="nothing")
    (incident,) = ok(http.get("/incident", params={"rootId": str(root)}))
    assert incident["code"] == "engine.unknown-process"
    ok(http.post(f"/incident/{incident['id']}/retry", json={}), 204)
    bench.work()
    (incident,) = ok(http.get("/incident"))
    ok(http.post(f"/incident/{incident['id']}/resolve", json=WHY), 204)
    assert (ok(http.get("/incident")), bench.jobs()) == ([], [])


def test_incidents_are_resolved_together(http: httpx.Client, bench: Bench) -> None:
    for _ in range(2):
        bench.start(process="nothing")
    bench.start(process="p")
    asked = {**WHY, "verb": "resolve_incident", "filter": {"node": "nothing"}}
    seen = ok(http.post("/bulk", json=asked), 201)
    assert (seen["count"], sorted(seen["first"])) == (2, sorted(i["id"] for i in ok(http.get("/incident"))))
    made = ok(http.post("/bulk/confirm", json={"token": seen["token"]}), 202)["id"]
    bench.work()
    told = ok(http.get(f"/bulk/{made}"))
    assert (told["verb"], told["done"], told["ended"]) == ("resolve_incident", 2, True)
    assert ok(http.get("/incident")) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/instance", {"process": 5}, (400, "tmf.bad-attribute")),
        ("POST", "/instance", {"process": "p", "odd": 1}, (400, "tmf.bad-attribute")),
        ("POST", "/instance/x/suspend", WHY, (400, "tmf.bad-attribute")),
        ("POST", "/instance/257/suspend", {"reason": ""}, (400, "engine.reason-needed")),
        ("POST", "/instance/257/suspend", WHY, (404, "kernel.not-found")),
        ("GET", "/instance?limit=x", None, (400, "tmf.bad-attribute")),
        ("GET", "/instance?node=a", None, (400, "engine.bad-filter")),
        ("GET", "/process/p/migration/1/x", None, (400, "tmf.bad-attribute")),
        ("DELETE", "/instance/257", None, (405, "tmf.method-not-allowed")),
    ],
)
def test_what_is_wrong_is_named(
    method: str, path: str, body: object, code: tuple[int, str], http: httpx.Client
) -> None:
    assert refusal(http.request(method, path, json=body)) == code


def test_rights_are_asked_for(http: httpx.Client) -> None:
    nobody = {"Authorization": "Bearer nobody"}
    assert refusal(http.get("/instance", headers=nobody)) == (403, "access.not-allowed")
    assert refusal(http.get("/instance", headers={"Authorization": ""})) == (401, "access.not-authenticated")


def test_the_interface_describes_itself(http: httpx.Client) -> None:
    api = httpx.get(f"{str(http.base_url).split('/diaodu')[0]}/openapi.json", trust_env=False).json()
    operations = [o for verbs in api["paths"].values() for o in verbs.values()]
    assert len(operations) == len({o["operationId"] for o in operations}) == 38
    fetch = api["paths"]["/diaodu-api/process/v1/external/fetch"]["post"]
    assert "lockSeconds" in fetch["requestBody"]["content"]["application/json"]["schema"]["properties"]


def test_the_page_of_the_interface_lists_every_operation_and_no_other(http: httpx.Client) -> None:
    api = httpx.get(f"{str(http.base_url).split('/diaodu')[0]}/openapi.json", trust_env=False).json()
    served = {
        f"{method.upper()} {path.removeprefix('/diaodu-api/process/v1')}"
        for path, methods in api["paths"].items()
        for method in methods
    }
    page = (Path(__file__).parents[2] / "docs" / "process-api.md").read_text(encoding="utf-8")
    table = page[page.index("## All operations") : page.index("## Deploying")]
    assert set(re.findall(r"`((?:GET|POST) /[^`?]+)`", table)) == served
