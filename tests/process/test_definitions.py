"""Designers deploy over HTTP; what is deployed is read, and comes out byte by byte as it came in."""

from typing import Any

import httpx
import pytest
from lxml import etree
from tests.engine.kit import Bench, bpmn

XML = {"Content-Type": "application/xml"}
SMALL = bpmn('<startEvent id="s"/><task id="a" name="画"/><endEvent id="e"/>', "s -> a\na -> e", key="small")
OTHER = SMALL.replace(b'name="\xe7\x94\xbb"', b'name="other"')
WRONG = bpmn('<startEvent id="s"/><complexGateway id="k"/><serviceTask id="v" diaodu:type="no"/>', "s -> v", key="bad")
SHAPE = "{http://www.omg.org/spec/BPMN/20100524/DI}BPMNShape"


def deploy(http: httpx.Client, source: bytes, **headers: str) -> httpx.Response:
    return http.post("/definition", content=source, headers={**XML, **headers})


def versions(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.rows("select key, version from engine.definition order by id")


def test_a_file_is_deployed_and_the_same_bytes_are_the_same_version(http: httpx.Client, bench: Bench) -> None:
    first = deploy(http, SMALL)
    bench.later(minutes=1)
    again, other = deploy(http, SMALL), deploy(http, OTHER)
    assert [r.status_code for r in (first, again, other)] == [201, 200, 201]
    (made,) = first.json()["definitions"]
    assert (made["key"], made["version"], made["name"]) == ("small", 1, "small")
    assert again.json()["definitions"] == [made]
    assert versions(bench) == [("p", 1), ("small", 1), ("small", 2)]


def test_several_processes_of_one_file_may_call_each_other(http: httpx.Client) -> None:
    body = b'<startEvent id="%s1"/><callActivity id="%s2" calledElement="%s"/>'
    body += b'<sequenceFlow id="%s3" sourceRef="%s1" targetRef="%s2"/>'
    halves = [(b"one", b"two"), (b"two", b"one")]
    made = [
        b'<process id="%s">' % here + body % (here, here, there, here, here, here) + b"</process>"
        for here, there in halves
    ]
    head = b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">'
    both, alone = [head + b"".join(parts) + b"</definitions>" for parts in (made, made[:1])]
    assert deploy(http, alone).json()["findings"][0]["code"] == "unknown-process"
    assert [(d["key"], d["version"]) for d in deploy(http, both).json()["definitions"]] == [("one", 1), ("two", 1)]
    # then: the one may come alone, because the other is there
    assert deploy(http, alone).json()["definitions"][0]["version"] == 2


def test_a_refusal_names_everything_in_both_languages_and_writes_nothing(http: httpx.Client, bench: Bench) -> None:
    reply = deploy(http, WRONG, **{"Accept-Language": "zh"})
    told = reply.json()
    assert (reply.status_code, told["code"]) == (400, "engine.process-not-executable")
    assert [(f["severity"], f["element"], f["code"]) for f in told["findings"]] == [
        ("error", "k", "unsupported"),
        ("error", "v", "unbound-type"),
    ]
    assert all(f["en"] and f["zh"] for f in told["findings"])
    assert told["reason"].startswith("流程不能执行")
    assert versions(bench) == [("p", 1)]


def test_doubts_are_told_and_keep_nothing_from_being_deployed(http: httpx.Client) -> None:
    doubtful = bpmn('<startEvent id="s"/><task id="a"/><task id="b"/>', "s -> a\n a -> b if x > 1", key="q")
    reply = deploy(http, doubtful)
    assert (reply.status_code, [(f["severity"], f["element"], f["code"]) for f in reply.json()["findings"]]) == (
        201,
        [("warning", "a", "no-default")],
    )


def test_what_others_need_of_a_process_is_asked_before_it_is_deployed(http: httpx.Client, bench: Bench) -> None:
    assert deploy(http, SMALL.replace(b'"small"', b'"narrow"')).status_code == 404
    assert versions(bench) == [("p", 1)]


@pytest.mark.parametrize(
    ("source", "headers", "code"),
    [
        (SMALL, {"Authorization": "Bearer clerk"}, (403, "access.not-allowed")),
        (SMALL, {"Authorization": "Bearer worker"}, (403, "access.not-allowed")),
        (SMALL, {"Authorization": ""}, (401, "access.not-authenticated")),
        (SMALL, {"Content-Type": "application/json"}, (415, "tmf.unsupported-media-type")),
        (b"", {}, (400, "engine.process-not-executable")),
        (b" " * (2 * 1024 * 1024 + 1), {}, (413, "tmf.body-too-large")),
    ],
)
def test_only_designers_deploy_and_only_bpmn(
    source: bytes, headers: dict[str, str], code: tuple[int, str], http: httpx.Client, bench: Bench
) -> None:
    reply = deploy(http, source, **headers)
    assert (reply.status_code, reply.json()["code"]) == code
    assert versions(bench) == [("p", 1)]


def test_a_large_file_is_taken(http: httpx.Client) -> None:
    large = SMALL.replace(b"</process>", b"<documentation>%s</documentation></process>" % (b"x" * 1_500_000))
    assert deploy(http, large).status_code == 201
    assert http.get("/definition/small/1/bpmn").content == large


def test_versions_are_listed_the_newest_first_page_by_page(http: httpx.Client) -> None:
    for source in (SMALL, OTHER, SMALL):
        deploy(http, source)
    listed = http.get("/definition").json()
    assert [(d["key"], d["version"]) for d in listed] == [("small", 3), ("small", 2), ("small", 1), ("p", 1)]
    assert listed[0]["digest"] == listed[2]["digest"] != listed[1]["digest"]
    page = http.get("/definition", params={"limit": 2, "after": listed[0]["id"]}).json()
    assert page == listed[1:3]
    assert http.get("/definition", params={"key": "p"}).json() == listed[3:]


def test_a_version_is_read_with_its_elements(http: httpx.Client) -> None:
    deploy(http, SMALL)
    found = http.get("/definition/small/1", headers={"Authorization": "Bearer clerk"}).json()
    assert (found["key"], found["version"]) == ("small", 1)
    assert found["elements"][1] == {"id": "a", "name": "画", "element": "task", "scope": ""}
    http.post("/process/small/suspend", json={})
    held = http.get("/definition/small/1").json()
    assert (held["suspendedBy"], "suspendedBy" in found) == ("boss", False)


def test_the_file_comes_out_as_it_came_in_and_a_diagram_is_made_on_request(http: httpx.Client, bench: Bench) -> None:
    deploy(http, SMALL)
    plain = http.get("/definition/small/1/bpmn", headers={"Accept": "application/xml"})
    drawn = http.get("/definition/small/1/bpmn", params={"diagram": "true"})
    assert (plain.content, plain.headers["content-type"]) == (SMALL, "application/xml")
    assert plain.headers["etag"] != drawn.headers["etag"]
    assert [e.get("bpmnElement") for e in etree.fromstring(drawn.content).iter(SHAPE)] == ["s", "a", "e"]
    # then: what is stored has not changed, and what has a diagram stays as it is
    assert http.get("/definition/small/1/bpmn").content == SMALL
    deploy(http, drawn.content)
    assert http.get("/definition/small/2/bpmn", params={"diagram": "true"}).content == drawn.content


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/definition/small/1", (404, "kernel.not-found")),
        ("/definition/p/2/bpmn", (404, "kernel.not-found")),
        ("/definition/p/x", (400, "tmf.bad-attribute")),
        ("/definition/p/1/bpmn?diagram=1", (400, "tmf.bad-attribute")),
        ("/definition?limit=x", (400, "tmf.bad-attribute")),
        ("/definition?after=x", (400, "tmf.bad-attribute")),
    ],
)
def test_what_is_not_there_is_told(path: str, code: tuple[int, str], http: httpx.Client) -> None:
    reply = http.get(path)
    assert (reply.status_code, reply.json()["code"]) == code
