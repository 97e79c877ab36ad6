"""Events from publish to listener, with a real listener on loopback."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from diaodu.kernel.db import Database, Tx
from diaodu.tmf import hub
from diaodu.tmf.hub_worker import ATTEMPTS_MAX, HubWorker, backoff

API = "productOrderingManagement"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Listener:
    """What was heard, in order; ``broken`` paths are answered 500."""

    url: str = ""
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def numbers(self, entity: str) -> list[int]:
        return [b["event"]["productOrder"]["n"] for _, b in self.heard if b["event"]["productOrder"]["id"] == entity]


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            listening.heard.append((self.path, body))
            self.send_response(500 if self.path.split("/")[1] in listening.broken else 201)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    listening.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield listening
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Clock:
    at: datetime = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub_db(db_dsn: str, clock: Clock) -> Iterator[Database]:
    """A database whose time stands still until the test moves it."""
    database = Database(db_dsn, clock=clock)
    yield database
    database.close()


def subscribe(db: Database, callback: str, query: str = "", api: str = API) -> int:
    with db.transaction() as tx:
        found = tx.new_id(0)
        values = (found, api, callback, query, tx.now)
        tx.run("insert into tmf.subscription values (%s, %s, %s, %s, 'test', %s)", values)
        hub.forget(tx)
    return found


def order_of(db: Database, part: int = 1) -> int:
    return db.ids.new(part)


def publish(tx: Tx, order_id: int, n: int, state: str = "held", kind: str = "StateChange") -> None:
    document = {"id": str(order_id), "href": f"/tmf-api/x/{order_id}", "n": n, "productOrderItem": [{"state": state}]}
    hub.publish(
        tx,
        api=API,
        event_type=f"ProductOrder{kind}Event",
        entity="productOrder",
        root_id=order_id,
        render=lambda: document,
    )


def worker(db: Database, name: str = "one") -> HubWorker:
    return HubWorker(db, name, public_url="http://operator.example/")


def states(db: Database) -> dict[int, int]:
    with db.transaction() as tx:
        return dict(tx.rows("select state, count(*)::int from tmf.delivery group by state"))


def test_an_event_arrives_in_the_official_envelope(hub_db: Database, listener: Listener) -> None:
    subscribe(hub_db, f"{listener.url}/a")
    order = order_of(hub_db)
    with hub_db.transaction() as tx:
        publish(tx, order, 1)
    worker(hub_db).run_until_idle()
    [(path, body)] = listener.heard
    assert path == "/a/listener/productOrderStateChangeEvent"
    assert body.pop("eventId").isdigit()
    assert body == {
        "eventTime": "2026-03-02T09:00:00.000+00:00",
        "eventType": "ProductOrderStateChangeEvent",
        "title": "ProductOrderStateChangeEvent",
        "description": f"productOrder {order}",
        "priority": "normal",
        "event": {
            "productOrder": {
                "id": str(order),
                "href": f"http://operator.example/tmf-api/x/{order}",
                "n": 1,
                "productOrderItem": [{"state": "held"}],
            }
        },
    }
    assert states(hub_db) == {1: 1}


def test_nothing_is_rendered_or_written_when_nobody_listens(hub_db: Database) -> None:
    subscribe(hub_db, "http://127.0.0.1:1/a", query="eventType=ProductOrderCreateEvent")
    subscribe(hub_db, "http://127.0.0.1:1/a", api="serviceOrdering")

    def render() -> dict[str, Any]:
        raise AssertionError("rendered")

    with hub_db.transaction() as tx:
        hub.publish(tx, api=API, event_type="ProductOrderStateChangeEvent", entity="x", root_id=257, render=render)
    assert states(hub_db) == {}


def test_a_query_filters_by_type_and_by_what_the_event_holds(hub_db: Database, listener: Listener) -> None:
    query = "eventType=ProductOrderStateChangeEvent&event.productOrder.productOrderItem.state=held,completed"
    subscribe(hub_db, listener.url, query)
    order = order_of(hub_db)
    with hub_db.transaction() as tx:
        for n, (state, kind) in enumerate(
            [("held", "StateChange"), ("failed", "StateChange"), ("held", "Create"), ("completed", "StateChange")]
        ):
            publish(tx, order, n, state, kind)
    worker(hub_db).run_until_idle()
    assert listener.numbers(str(order)) == [0, 3]


def test_the_events_of_an_order_arrive_in_order_and_those_of_others_do_not_wait(
    hub_db: Database, listener: Listener
) -> None:
    subscribe(hub_db, listener.url)
    orders = [order_of(hub_db, part) for part in (0, 1, 1, 15)]
    for n in range(5):
        for order in orders:
            with hub_db.transaction() as tx:
                publish(tx, order, n)
    worker(hub_db).run_until_idle()
    assert [listener.numbers(str(o)) for o in orders] == [[0, 1, 2, 3, 4]] * 4
    assert states(hub_db) == {1: 20}


def test_a_clock_that_lags_behind_does_not_turn_the_order(db_dsn: str, hub_db: Database, listener: Listener) -> None:
    subscribe(hub_db, listener.url)
    order = order_of(hub_db)
    with hub_db.transaction() as tx:
        publish(tx, order, 0)
        # As if another process, whose clock runs ahead by some milliseconds, had written it.
        tx.run("update tmf.delivery set id = id + (50::int8 << 23)")
    with hub_db.transaction() as tx:
        publish(tx, order, 1)
    worker(hub_db).run_until_idle()
    assert listener.numbers(str(order)) == [0, 1]


def test_a_broken_listener_is_tried_again_later_and_holds_up_nobody_else(
    hub_db: Database, listener: Listener, clock: Clock
) -> None:
    subscribe(hub_db, f"{listener.url}/bad")
    subscribe(hub_db, f"{listener.url}/good")
    listener.broken = {"bad"}
    order = order_of(hub_db)
    with hub_db.transaction() as tx:
        publish(tx, order, 0)
        publish(tx, order, 1)
    worker(hub_db).run_until_idle()
    assert [(p.split("/")[1], b["event"]["productOrder"]["n"]) for p, b in sorted(listener.heard, key=str)] == [
        ("bad", 0), ("good", 0), ("good", 1),
    ]  # fmt: skip
    listener.broken, listener.heard = set(), []
    worker(hub_db).run_until_idle()
    assert listener.heard == []
    clock.at += timedelta(seconds=1)
    worker(hub_db).run_until_idle()
    assert [(p.split("/")[1], b["event"]["productOrder"]["n"]) for p, b in listener.heard] == [("bad", 0), ("bad", 1)]
    assert states(hub_db) == {1: 4}


def test_a_delivery_is_dead_after_the_last_attempt_and_the_next_one_goes_on(
    hub_db: Database, listener: Listener, clock: Clock
) -> None:
    subscribe(hub_db, f"{listener.url}/bad")
    listener.broken = {"bad"}
    order = order_of(hub_db)
    with hub_db.transaction() as tx:
        publish(tx, order, 0)
        publish(tx, order, 1)
    for _ in range(ATTEMPTS_MAX):
        worker(hub_db).run_until_idle()
        clock.at += timedelta(minutes=5)
    assert listener.numbers(str(order)) == [0] * ATTEMPTS_MAX + [1]
    with hub_db.transaction() as tx:
        found = tx.rows("select state, attempts, last_error from tmf.delivery order by id")
    assert found == [(2, ATTEMPTS_MAX, "HTTP 500"), (0, 1, "HTTP 500")]


def test_back_off_doubles_up_to_five_minutes() -> None:
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 9, 10, 20)] == [1, 2, 4, 256, 300, 300]


def test_what_waits_for_a_listener_that_left_is_not_sent(hub_db: Database, listener: Listener) -> None:
    subscription = subscribe(hub_db, listener.url)
    with hub_db.transaction() as tx:
        publish(tx, order_of(hub_db), 0)
        tx.run("delete from tmf.subscription where id = %s", (subscription,))
    worker(hub_db).run_until_idle()
    assert (listener.heard, states(hub_db)) == ([], {2: 1})


def test_a_host_that_is_not_allowed_any_more_is_not_called(hub_db: Database) -> None:
    subscribe(hub_db, "http://operator.example/a")
    with hub_db.transaction() as tx:
        publish(tx, order_of(hub_db), 0)
    worker(hub_db).run_until_idle()
    with hub_db.transaction() as tx:
        [(state, error)] = tx.rows("select state, last_error from tmf.delivery")
    assert (state, error.split(":")[0]) == (0, "CallbackRefused")


def test_one_worker_holds_a_partition_and_another_takes_over_when_it_lets_go(
    hub_db: Database, listener: Listener
) -> None:
    subscribe(hub_db, listener.url)
    stop = threading.Event()
    first = threading.Thread(target=worker(hub_db, "one").run, args=(stop,))
    first.start()
    order = order_of(hub_db)
    with hub_db.transaction() as tx:
        publish(tx, order, 0)
    while not listener.heard:
        first.join(0.01)
    worker(hub_db, "two").run_until_idle()
    with hub_db.transaction() as tx:
        assert tx.rows("select distinct owner from kernel.lease") == [("one",)]
    stop.set()
    first.join()
    with hub_db.transaction() as tx:
        publish(tx, order, 1)
    worker(hub_db, "two").run_until_idle()
    assert listener.numbers(str(order)) == [0, 1]
