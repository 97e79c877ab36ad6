"""The decisions over HTTP: drafts under the digest that was read, three media types, rights, refusals."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import quote

import httpx
import openpyxl
import psycopg
import pytest
from fastapi import APIRouter, FastAPI
from psycopg.conninfo import make_conninfo
from tests.contract.server import serving
from tests.rules.example import KEY, TABLE, TESTS, rules, table
from tests.rules.test_replay import made, order

from diaodu.app.edge_failures import add_failures
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import NotAllowed, NotAuthenticated
from diaodu.rules import api, commands
from diaodu.rules.content import DMN, XLSX
from diaodu.rules.document import read, to_table
from diaodu.tmf.edge import Edge

LIST = "/diaodu-api/rules/v1/decision"
ONE = f"{LIST}/{quote(KEY)}"
DRAFT = f"{ONE}/draft"


class TwoTokens:
    """The reader may read, the editor may do everything."""

    def authenticate(self, tx: Tx, token: str) -> Principal:
        del tx
        if token not in ("reader", "editor"):
            raise NotAuthenticated
        return Principal(1, token, frozenset({"rules:read"} | ({"rules:write"} if token == "editor" else set())))

    def require(self, principal: Principal, scope: str) -> None:
        if scope not in principal.scopes:
            raise NotAllowed(action=scope, right=scope)


def application(db: Database) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.edge = Edge(db, TwoTokens())
    add_failures(app)
    router = APIRouter()
    api.mount_decisions(router, publish=commands.publish, withdraw=commands.withdraw)
    app.include_router(router)
    return app


@pytest.fixture
def http(db: Database) -> Iterator[httpx.Client]:
    """The decisions' API alone, with the editor's token."""
    with serving(application(db), "editor") as client:
        yield client


@pytest.fixture(scope="module")
def refusing(postgres_dsn: str, _template: str) -> Iterator[httpx.Client]:
    """The same over an empty database, for requests that must change nothing."""
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute(f"create database no_rules template {_template}".encode())
    database = Database(make_conninfo(postgres_dsn, dbname="no_rules"))
    with serving(application(database), "editor") as client:
        yield client
    database.close()


def save(http: httpx.Client, etag: str | None = None, **changes: Any) -> httpx.Response:
    body = {
        "name": {"zh": "订单时限", "en": "Order limit"},
        "note": "初版",
        "table": table(),
        "tests": TESTS,
        **changes,
    }
    return http.put(DRAFT, json=body, headers={"If-Match": etag} if etag else {})


def test_a_table_is_saved_checked_tested_published_and_read(http: httpx.Client) -> None:
    saved = save(http)
    assert (saved.status_code, saved.json()["findings"], saved.json()["n"]) == (200, [], 1)
    assert http.post(f"{DRAFT}/check").json() == {"findings": []}
    tested = http.post(f"{DRAFT}/test").json()
    assert (tested["passed"], tested["failed"], [t["actual"] for t in tested["tests"]]) == (2, 0, [24, 72])
    published = http.post(f"{DRAFT}/publish", headers={"If-Match": saved.headers["etag"]})
    assert (published.status_code, published.json()["state"], published.json()["publishedBy"]) == (
        200,
        "published",
        "editor",
    )
    version = http.get(f"{ONE}/version/1").json()
    assert version["table"]["rules"][0]["when"] == ['"五星"', "false"]
    assert version["tests"] == TESTS
    (listed,) = http.get(LIST).json()
    assert listed == {
        "key": KEY, "name": {"zh": "订单时限", "en": "Order limit"}, "effective": 1, "newest": 1, "draft": None,
        "href": f"{http.base_url}{ONE}".replace("//diaodu", "/diaodu"),
    }  # fmt: skip
    assert [v["n"] for v in http.get(ONE).json()["versions"]] == [1]


def test_what_was_read_can_be_changed_and_sent_back(http: httpx.Client) -> None:
    first = save(http)
    document = http.get(DRAFT).json()
    document["table"]["rules"][0]["then"] = ["12"]
    second = http.put(DRAFT, json=document, headers={"If-Match": first.headers["etag"]})
    assert second.status_code == 200
    ids = [[r["id"] for r in reply.json()["table"]["rules"]] for reply in (first, second)]
    assert ids[0] == ids[1]
    assert http.post(f"{DRAFT}/test").json()["failed"] == 1


def test_the_second_of_two_editors_is_told(http: httpx.Client) -> None:
    etag = save(http).headers["etag"]
    assert save(http, etag, note="我的").status_code == 200
    for late in (etag, None):
        reply = save(http, late, note="晚了")
        assert (reply.status_code, reply.json()["code"]) == (409, "rules.draft-changed")
    for request in (
        http.delete(DRAFT, headers={"If-Match": etag}),
        http.post(f"{DRAFT}/publish", headers={"If-Match": etag}),
    ):
        assert (request.status_code, request.json()["code"]) == (409, "rules.draft-changed")
    assert http.get(DRAFT).json()["note"] == "我的"


def test_a_version_is_dmn_or_a_workbook_for_who_asks_for_it(http: httpx.Client) -> None:
    etag = save(http).headers["etag"]
    xml = http.get(DRAFT, headers={"Accept": "application/xml"})
    assert xml.headers["content-type"].startswith("application/xml")
    shown = to_table(read(xml.content), KEY)
    assert shown is not None
    assert [r["then"] for r in shown["rules"]] == [["24"], ["36"], ["48"], ["72"]]
    book = http.get(DRAFT, headers={"Accept": XLSX})
    assert book.headers["content-type"] == XLSX
    assert KEY in openpyxl.load_workbook(BytesIO(book.content)).sheetnames
    again = http.put(DRAFT, content=book.content, headers={"Content-Type": XLSX, "If-Match": etag})
    assert again.status_code == 200, again.text
    assert [r["then"] for r in again.json()["table"]["rules"]] == [["24"], ["36"], ["48"], ["72"]]
    assert again.json()["tests"] == TESTS
    last = http.put(DRAFT, content=xml.content, headers={"Content-Type": DMN, "If-Match": again.headers["etag"]})
    assert (last.status_code, last.json()["tests"]) == (200, TESTS)


def test_another_media_type_is_neither_returned_nor_read(http: httpx.Client) -> None:
    save(http)
    assert http.get(DRAFT, headers={"Accept": "text/html"}).status_code == 406
    assert http.get(LIST, headers={"Accept": "application/xml"}).status_code == 406
    assert http.get(DRAFT, headers={"Accept": "text/html, application/*;q=0.5"}).json()["key"] == KEY
    assert http.put(DRAFT, content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415


def test_an_explanation_tells_the_rule_and_the_failing_cells(http: httpx.Client) -> None:
    save(http)
    told = http.post(f"{DRAFT}/explain", json={"inputs": {"级别": "普通", "农村": False}}).json()
    assert (told["output"], told["tables"][0]["gave"]) == (48, [3])
    http.post(f"{DRAFT}/publish")
    assert http.post(f"{ONE}/version/1/explain", json={"inputs": {}}).json()["output"] is None


def test_two_versions_are_compared(http: httpx.Client) -> None:
    save(http)
    http.post(f"{DRAFT}/publish")
    save(http, table=table(rules=[*rules(('"五星"', "false", "12")), *TABLE["rules"][1:]]), tests=[])
    reply = http.get(f"{DRAFT}/diff")
    assert (reply.status_code, reply.json()["from"], reply.json()["to"]) == (200, 1, 2)
    assert "12" in reply.text
    assert http.get(f"{DRAFT}/diff", params={"from": "7"}).json()["code"] == "rules.no-such-version"


def test_a_draft_is_tried_on_past_inputs(http: httpx.Client, db: Database) -> None:
    with db.transaction() as tx:
        order_id = order(tx, tx.now, made("五星", 20), made("普通", 48))
    save(http)
    told = http.post(f"{DRAFT}/replay", json={"limit": 10}).json()
    assert (told["same"], told["different"], told["nulls"]) == (1, 1, 0)
    assert [(c["order"], c["old"], c["new"]) for c in told["changes"]] == [(str(order_id), 20, 24)]
    assert http.post(f"{DRAFT}/replay", json={"since": "2100-01-01T00:00:00Z"}).json()["same"] == 0


@pytest.mark.parametrize("body", [{"limit": 0}, {"limit": "x"}, {"limit": 10_001}, {"since": "yesterday"}])
def test_a_replay_without_bounds_is_refused(body: dict[str, Any], http: httpx.Client) -> None:
    save(http)
    reply = http.post(f"{DRAFT}/replay", json=body)
    assert (reply.status_code, reply.json()["code"]) == (400, "tmf.bad-attribute")


def test_a_version_to_come_is_withdrawn(http: httpx.Client) -> None:
    save(http)
    http.post(f"{DRAFT}/publish", json={"effectiveAt": "2100-01-01T00:00:00+08:00"})
    assert http.get(ONE).json()["effective"] is None
    assert http.post(f"{ONE}/version/1/withdraw").json()["state"] == "withdrawn"
    again = http.post(f"{ONE}/version/1/withdraw")
    assert (again.status_code, again.json()["code"]) == (404, "rules.no-such-version")


def test_refusals_to_publish_are_told_in_the_callers_language(http: httpx.Client) -> None:
    save(http, table=table(rules=TABLE["rules"][:3]), tests=[])
    reply = http.post(f"{DRAFT}/publish", headers={"Accept-Language": "zh"})
    assert (reply.status_code, reply.json()["code"]) == (409, "rules.gaps-not-accepted")
    assert "未覆盖全部输入" in reply.json()["reason"]
    assert http.post(f"{DRAFT}/publish", json={"acceptGaps": "yes"}).json()["code"] == "tmf.bad-attribute"
    assert http.get(DRAFT).status_code == 200
    assert http.post(f"{DRAFT}/publish", json={"acceptGaps": True}).json()["gapsAccepted"] is True


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{LIST}/nothing", 404, "rules.no-such-decision"),
        ("GET", f"{LIST}/nothing/draft", 404, "rules.no-draft"),
        ("GET", f"{LIST}/nothing/version/1", 404, "rules.no-such-version"),
        ("GET", f"{LIST}/nothing/version/99999999999", 404, "rules.no-such-version"),
        ("GET", f"{LIST}/nothing/version/one", 404, "rules.no-such-version"),
        ("DELETE", f"{LIST}/nothing/draft", 404, "rules.no-draft"),
        ("POST", f"{LIST}/nothing/draft/publish", 404, "rules.no-draft"),
        ("PATCH", DRAFT, 405, "tmf.method-not-allowed"),
        ("POST", LIST, 405, "tmf.method-not-allowed"),
    ],
)
def test_what_is_not_there_is_told(method: str, path: str, status: int, code: str, refusing: httpx.Client) -> None:
    reply = refusing.request(method, path)
    assert (reply.status_code, reply.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"table": {}}, "outputs: expected a list of 1 to 100 objects"),
        ({"table": TABLE, "tests": [{}]}, "tests[0].name: expected a text"),
        ({"table": TABLE, "note": 1}, "note: expected a text"),
        ({"dmn": "<a/>"}, "is no DMN model"),
    ],
)
def test_a_body_that_cannot_be_read_saves_nothing(body: dict[str, Any], problem: str, refusing: httpx.Client) -> None:
    reply = refusing.put(DRAFT, json=body)
    assert (reply.status_code, reply.json()["code"]) == (400, "rules.unreadable")
    assert problem in reply.json()["reason"]
    assert refusing.get(LIST).json() == []


def test_a_key_that_feel_cannot_call_is_refused(refusing: httpx.Client) -> None:
    reply = refusing.put(f"{LIST}/{quote('两 词')}/draft", json={"table": TABLE})
    assert (reply.status_code, reply.json()["code"]) == (400, "rules.bad-key")


def test_a_reader_reads_and_does_not_write(http: httpx.Client) -> None:
    save(http)
    reader = {"Authorization": "Bearer reader"}
    assert http.get(DRAFT, headers=reader).status_code == 200
    assert http.post(f"{DRAFT}/check", headers=reader).status_code == 200
    for method, path in (("PUT", DRAFT), ("DELETE", DRAFT), ("POST", f"{DRAFT}/publish")):
        reply = http.request(method, path, headers=reader)
        assert (reply.status_code, reply.json()["code"]) == (403, "access.not-allowed")
    assert http.get(DRAFT, headers={"Authorization": "Bearer nobody"}).status_code == 401
    assert http.get(DRAFT).json()["state"] == "draft"


def test_a_draft_is_discarded(http: httpx.Client) -> None:
    etag = save(http).headers["etag"]
    assert http.delete(DRAFT, headers={"If-Match": etag}).status_code == 204
    assert http.get(LIST).json() == []


def test_the_openapi_shows_every_operation_with_its_media_types(db: Database) -> None:
    document = application(db).openapi()
    assert set(document["paths"]) == {
        LIST + path
        for path in (
            "", "/{key}", "/{key}/draft", "/{key}/draft/check", "/{key}/draft/publish", "/{key}/draft/test",
            "/{key}/draft/explain", "/{key}/draft/replay", "/{key}/draft/diff", "/{key}/version/{n}",
            "/{key}/version/{n}/withdraw", "/{key}/version/{n}/test", "/{key}/version/{n}/explain",
            "/{key}/version/{n}/replay", "/{key}/version/{n}/diff",
        )
    }  # fmt: skip
    put = document["paths"][f"{LIST}/{{key}}/draft"]["put"]
    assert {"application/json", DMN, XLSX} <= put["requestBody"]["content"].keys()
    operations = [o for verbs in document["paths"].values() for o in verbs.values()]
    assert len({o["operationId"] for o in operations}) == len(operations)
    assert all("default" in o["responses"] and o["security"] for o in operations)
