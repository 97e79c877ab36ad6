"""What every resource shares: who may, which methods, media types, languages, failures; and the hub."""

from typing import Any

import httpx
import psycopg
import pytest
from structlog.testing import capture_logs
from tests.contract.conftest import HUB, ORDERS, POLICY, WORK, bundle_order
from tests.contract.server import serving

from diaodu.app.asgi import create_app
from diaodu.kernel.db import Database

CALLBACK = "http://127.0.0.1:9/a"


@pytest.mark.parametrize("header", ["", "Bearer wrong", "counter"])
@pytest.mark.parametrize(("method", "path"), [("GET", ORDERS), ("POST", ORDERS), ("GET", f"{ORDERS}/1"), ("POST", HUB)])
def test_without_a_valid_token_nothing_is_read_or_written(
    header: str, method: str, path: str, refusing: httpx.Client
) -> None:
    reply = refusing.request(method, path, headers={"Authorization": header}, content=b"{")
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert reply.json()["code"] == "access.not-authenticated"


def test_a_scope_that_is_missing_is_403_and_named(refusing: httpx.Client) -> None:
    reader = {"Authorization": "Bearer reader"}
    assert refusing.get(ORDERS, headers=reader).status_code == 200
    reply = refusing.post(ORDERS, headers=reader, json=bundle_order())
    assert (reply.status_code, reply.json()["code"]) == (403, "access.not-allowed")
    assert "ordering:write" in reply.json()["reason"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", f"{ORDERS}/1", "GET, PATCH"),
        ("DELETE", ORDERS, "GET, POST"),
        ("POST", "/tmf-api/productInventory/v4/product", "GET"),
        ("DELETE", f"{WORK}/1", "GET, PATCH"),
        ("GET", HUB, "POST"),
        ("POST", "/health", "GET"),
    ],
)
def test_a_method_that_is_not_there_is_405_with_those_that_are(
    method: str, path: str, allowed: str, refusing: httpx.Client
) -> None:
    reply = refusing.request(method, path)
    assert (reply.status_code, reply.headers["allow"], reply.json()["code"]) == (405, allowed, "tmf.method-not-allowed")


def test_an_unknown_path_is_404_in_the_official_shape(refusing: httpx.Client) -> None:
    reply = refusing.get("/tmf-api/nothing/v4")
    assert (reply.status_code, reply.json()["code"]) == (404, "tmf.no-such-path")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Accept": "application/json"}, 200),
        ({"Accept": "text/html, application/*;q=0.5"}, 200),
        ({"Accept": "text/html"}, 406),
        ({"Accept": "application/json;q=0"}, 406),
    ],
)
def test_only_json_is_returned(headers: dict[str, str], status: int, refusing: httpx.Client) -> None:
    assert refusing.get(ORDERS, headers=headers).status_code == status


@pytest.mark.parametrize("given", ["text/plain", "application/xml", ""])
def test_only_json_is_read(given: str, refusing: httpx.Client) -> None:
    reply = refusing.post(ORDERS, content=b"{}", headers={"Content-Type": given})
    assert (reply.status_code, reply.json()["code"]) == (415, "tmf.unsupported-media-type")
    charset = {"Content-Type": "application/json;charset=utf-8"}
    assert refusing.post(ORDERS, content=b"{}", headers=charset).json()["code"] == "ordering.customer-missing"


def test_malformed_json_says_where(refusing: httpx.Client) -> None:
    reply = refusing.post(ORDERS, content=b'{\n "a": }', headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
    assert reply.json()["reason"].startswith("The body is no valid JSON at line 2, column 7")


def test_a_body_beyond_the_limit_is_413(refusing: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    reply = refusing.post(ORDERS, content=b" " * 1_000_001, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (413, "tmf.body-too-large")
    chunked = refusing.post(ORDERS, content=(b" " * 100_000 for _ in range(11)), headers=headers)
    assert (chunked.status_code, chunked.json()["code"]) == (413, "tmf.body-too-large")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB, zh;q=0.5", "en"),
        ("de, zh-TW;q=0.2", "zh"),
        ("de", "en"),
        ("zh;q=0, en;q=0.1", "en"),
        ("", "en"),
    ],
)
def test_errors_speak_the_callers_language(header: str, language: str, refusing: httpx.Client) -> None:
    reply = refusing.get(f"{ORDERS}/1", headers={"Accept-Language": header})
    reason = {"en": "There is no productOrder with id 1.", "zh": "不存在编号为 1 的productOrder。"}[language]
    assert reply.headers["content-language"] == language
    assert reply.json() == {
        "code": "kernel.not-found", "reason": reason, "status": "404", "message": "entity=productOrder; id=1",
    }  # fmt: skip


def test_a_bug_is_500_with_a_trace_id_and_no_detail(refusing: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("diaodu.tmf.router.read_one", broken)
    with capture_logs() as logged:
        reply = refusing.get(f"{ORDERS}/1")
    assert (reply.status_code, reply.json()["code"]) == (500, "app.bug")
    assert "secret" not in reply.text
    assert reply.json()["message"] == f"trace id {logged[0]['trace_id']}"
    assert isinstance(logged[0]["exc_info"], ZeroDivisionError)


def test_a_database_that_does_not_answer_is_503_to_be_sent_again(
    refusing: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr("diaodu.tmf.router.read_one", broken)
    with capture_logs():
        reply = refusing.get(f"{ORDERS}/1")
    assert (reply.status_code, reply.headers["retry-after"], reply.json()["code"]) == (503, "1", "tmf.unavailable")


def test_a_filter_over_too_much_data_names_the_indexed_attributes(
    refusing: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: Any, **__: Any) -> None:
        raise psycopg.errors.QueryCanceled("canceling statement due to statement timeout")

    monkeypatch.setattr("diaodu.tmf.router.read_page", slow)
    reply = refusing.get(f"{ORDERS}?state=held")
    assert (reply.status_code, reply.json()["code"]) == (400, "tmf.filter-too-wide")
    assert "externalId, orderDate, relatedParty.id" in reply.json()["reason"]


def test_health_docs_and_openapi_need_no_token(refusing: httpx.Client) -> None:
    anonymous = {"Authorization": ""}
    health = refusing.get("/health", headers=anonymous)
    assert (health.status_code, health.json()) == (200, {"status": "up", "schema": "0003"})
    api = refusing.get("/openapi.json", headers=anonymous).json()
    assert {ORDERS, f"{ORDERS}/{{entity_id}}", HUB, WORK} <= api["paths"].keys()
    operations = [o for verbs in api["paths"].values() for o in verbs.values()]
    assert len({o["operationId"] for o in operations}) == len(operations)
    assert {name for o in operations for rule in o.get("security", []) for name in rule} == {"bearer"}
    assert api["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}
    page = refusing.get("/docs", headers=anonymous)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "http" not in page.text.replace("<!doctype html>", "").split("<script>")[1]


def hub_post(http: httpx.Client, callback: Any = CALLBACK, query: str | None = None) -> httpx.Response:
    return http.post(HUB, json={"callback": callback} | ({"query": query} if query is not None else {}))


def test_a_listener_subscribes_once_and_leaves(http: httpx.Client) -> None:
    made = hub_post(http, query="eventType=ProductOrderStateChangeEvent")
    assert made.status_code == 201
    assert made.headers["location"] == f"{str(http.base_url).rstrip('/')}{HUB}/{made.json()['id']}"
    again = hub_post(http, query="eventType=ProductOrderStateChangeEvent")
    assert (again.status_code, again.json()["code"]) == (409, "tmf.already-subscribed")
    assert hub_post(http).status_code == 201
    one = f"{HUB}/{made.json()['id']}"
    assert http.delete(one, headers={"Authorization": "Bearer shop"}).status_code == 404
    assert [http.delete(one).status_code for _ in range(2)] == [204, 404]
    assert http.delete(f"{HUB}/x").status_code == 404


@pytest.mark.parametrize(
    ("callback", "query", "code"),
    [
        ("http://operator.example/a", None, "tmf.callback-refused"),
        ("http://169.254.169.254/a", None, "tmf.callback-refused"),
        ("http://127.0.0.1.operator.example/a", None, "tmf.callback-refused"),
        ("http://user@127.0.0.1/a", None, "tmf.bad-attribute"),
        ("file:///etc/passwd", None, "tmf.bad-attribute"),
        ("http://[::1", None, "tmf.bad-attribute"),
        (None, None, "tmf.bad-attribute"),
        (CALLBACK, "eventType=Nothing", "tmf.bad-filter-value"),
        (CALLBACK, "event.product.id=5", "tmf.unknown-filter"),
        (CALLBACK, "event.productOrder.priority.gt=5", "tmf.bad-operator"),
    ],
)
def test_a_subscription_that_cannot_be_served_is_400(
    callback: Any, query: str | None, code: str, refusing: httpx.Client, untouched: Database
) -> None:
    reply = hub_post(refusing, callback, query)
    assert (reply.status_code, reply.json()["code"]) == (400, code)
    with untouched.transaction() as tx:
        assert tx.rows("select 1 from tmf.subscription") == []


def test_a_host_beyond_loopback_is_heard_when_it_is_configured(db: Database) -> None:
    with serving(create_app(db, POLICY, callback_hosts=frozenset({"crm.example"})), "counter") as client:
        assert hub_post(client, "https://crm.example/events").status_code == 201


def test_a_captured_order_is_an_event_for_its_listeners(http: httpx.Client, db: Database) -> None:
    hub_post(http)
    order = http.post(ORDERS, json=bundle_order()).json()
    with db.transaction() as tx:
        [(event_type, body)] = tx.rows("select event_type, body from tmf.delivery")
    carried = body["event"]["productOrder"]
    assert event_type == "ProductOrderCreateEvent"
    assert carried == order | {"href": f"{ORDERS}/{order['id']}"}
