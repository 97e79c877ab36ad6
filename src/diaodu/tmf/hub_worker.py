"""Delivers events to their listeners: in order per subscription and entity, at least once, never in a transaction."""

import threading
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from time import monotonic
from typing import Any

import httpx

from diaodu.kernel import leases, sets
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import Rejected
from diaodu.tmf.subscribe import check_callback

ATTEMPTS_MAX = 20
BACKOFF_MAX = timedelta(minutes=5)
# A listener that needs longer has its event again later.
TIMEOUT_S = 5.0
THREADS = 32
# One slow listener never holds all threads.
THREADS_PER_LISTENER = 8
# Deliveries read at once: some seconds of work for a quick listener.
FETCH = 500
# Between two looks at an empty queue.
PAUSE_S = 0.05
_RENEW_S = leases.LEASE_TIME.total_seconds() / 3
_WAITING, _DELIVERED, _DEAD = 0, 1, 2

# Due deliveries with none before them on the same subscription and entity.
_DUE = """
select d.part, d.id, d.subscription_id, d.event_type, d.body, d.attempts, s.callback
  from tmf.delivery d left join tmf.subscription s on s.id = d.subscription_id
 where d.part = any(%s::int2[]) and d.state = 0 and d.due_at <= %s
   and d.id <> all(%s::int8[]) and d.subscription_id <> all(%s::int8[])
   and not exists (select 1 from tmf.delivery e where e.part = d.part and e.root_id = d.root_id
                      and e.subscription_id = d.subscription_id and e.state = 0 and e.id < d.id)
 order by d.due_at, d.id limit %s
"""
_OUTCOME = {
    "state": "int2", "attempts": "int2", "due_at": "timestamptz", "ended_at": "timestamptz", "last_error": "text",
}  # fmt: skip


@dataclass(frozen=True)
class _Delivery:
    part: int
    id: int
    subscription_id: int
    event_type: str
    body: dict[str, Any]
    attempts: int
    callback: str | None  # None: the subscription was taken back


class HubWorker:
    """One process's share of the deliveries: it holds partitions by lease and posts with a few threads.

    ``public_url`` completes the hrefs of the entities (scheme, host and port as clients see them).
    ``callback_hosts`` are the hosts beyond loopback that may be called; the list is asked again at each call.
    """

    def __init__(
        self, db: Database, owner: str, *, public_url: str, callback_hosts: frozenset[str] = frozenset()
    ) -> None:
        self._db, self._owner, self._public_url, self._hosts = db, owner, public_url.rstrip("/"), callback_hosts
        self._held: dict[str, int] = {}
        self._renew_at = 0.0
        self._fetch_at = 0.0
        # At most one delivery of each subscription and entity is queued or under way: that keeps their order.
        self._queued: dict[int, deque[_Delivery]] = {}
        self._posting: dict[Future[str | None], _Delivery] = {}

    def run(self, stop: threading.Event) -> None:
        """Deliver until ``stop`` is set; then finish what is under way and let go of the leases."""
        with self._open() as (threads, client):
            while not stop.is_set():
                self._keep_leases()
                if not self._start(threads, client) and not self._posting:
                    stop.wait(PAUSE_S)
                self._finish(PAUSE_S)

    def run_until_idle(self) -> None:
        """Deliver all that is due now, then let go."""
        with self._open() as (threads, client):
            self._keep_leases()
            while self._start(threads, client) or self._posting:
                self._finish(TIMEOUT_S)

    @contextmanager
    def _open(self) -> Iterator[tuple[ThreadPoolExecutor, httpx.Client]]:
        # No proxy and no redirect: an event goes to the listed host or nowhere.
        limits = httpx.Limits(max_connections=THREADS, max_keepalive_connections=THREADS)
        with (
            httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, limits=limits) as client,
            ThreadPoolExecutor(THREADS, thread_name_prefix="hub") as threads,
        ):
            try:
                yield threads, client
            finally:
                while self._posting:
                    self._finish(TIMEOUT_S)
                leases.release(self._db, self._owner, list(self._held))
                self._held, self._queued, self._renew_at = {}, {}, 0.0

    def _keep_leases(self) -> None:
        if monotonic() < self._renew_at:
            return
        self._renew_at = monotonic() + _RENEW_S
        parts = {f"hub:{part}": part for part in range(self._db.parts)}
        kept = leases.renew(self._db, self._owner, list(self._held)) if self._held else set()
        wanted = [name for name in parts if name not in kept]
        taken = {lease.name for lease in leases.take(self._db, self._owner, wanted, len(wanted))} if wanted else set()
        held = {name: parts[name] for name in sorted(kept | taken)}
        if held != self._held:
            # What was queued may be of a partition that was lost.
            self._held, self._queued = held, {}

    def _start(self, threads: ThreadPoolExecutor, client: httpx.Client) -> int:
        """Hand due deliveries to free threads; returns how many."""
        if monotonic() >= self._fetch_at or not self._queued:
            self._fetch()
        load = Counter(d.subscription_id for d in self._posting.values())
        started = 0
        for subscription_id, queue in list(self._queued.items()):
            while queue and load[subscription_id] < THREADS_PER_LISTENER and len(self._posting) < THREADS:
                delivery = queue.popleft()
                self._posting[threads.submit(self._post, client, delivery)] = delivery
                load[subscription_id] += 1
                started += 1
            if not queue:
                del self._queued[subscription_id]
        return started

    def _fetch(self) -> None:
        """Read what is due for the listeners that have nothing queued."""
        self._fetch_at = monotonic() + PAUSE_S
        if not self._held:
            return
        under_way = [d.id for d in self._posting.values()]
        with self._db.transaction(actor=self._owner) as tx:
            rows = tx.rows(_DUE, (list(self._held.values()), tx.now, under_way, list(self._queued), FETCH))
        for delivery in (_Delivery(*row) for row in rows):
            self._queued.setdefault(delivery.subscription_id, deque()).append(delivery)

    def _post(self, client: httpx.Client, delivery: _Delivery) -> str | None:
        """Send one event; returns what went wrong, or None."""
        if delivery.callback is None:
            return "unsubscribed"
        name = delivery.event_type[:1].lower() + delivery.event_type[1:]
        try:
            check_callback(delivery.callback, self._hosts)
            url = f"{delivery.callback.rstrip('/')}/listener/{name}"
            reply = client.post(url, json=_with_hrefs(delivery.body, self._public_url))
        except (httpx.HTTPError, httpx.InvalidURL, Rejected) as error:
            return f"{type(error).__name__}: {error}"[:500]
        return None if reply.is_success else f"HTTP {reply.status_code}"

    def _finish(self, timeout: float) -> None:
        """Write down what came of the deliveries that have ended; one transaction per partition."""
        if not self._posting:
            return
        done, _ = wait(self._posting, timeout=timeout, return_when=FIRST_COMPLETED)
        ended = sorted(((self._posting.pop(f), f.result()) for f in done), key=lambda e: (e[0].part, e[0].id))
        for _, group in groupby(ended, key=lambda e: e[0].part):
            with self._db.transaction(actor=self._owner) as tx:
                rows = [_outcome(tx, delivery, error) for delivery, error in group]
                # Another owner may have delivered it too when our lease ran out: the first result stands.
                sets.update(
                    tx, "tmf.delivery", {"part": "int2", "id": "int8"}, _OUTCOME, rows, where="t.state = 0", exact=False
                )


def _outcome(tx: Tx, delivery: _Delivery, error: str | None) -> tuple[Any, ...]:
    attempts = delivery.attempts + 1
    key = (delivery.part, delivery.id)
    if error is None:
        return (*key, _DELIVERED, attempts, tx.now, tx.now, None)
    if delivery.callback is None or attempts >= ATTEMPTS_MAX:
        return (*key, _DEAD, attempts, tx.now, tx.now, error)
    return (*key, _WAITING, attempts, tx.now + backoff(attempts), None, error)


def backoff(attempts: int) -> timedelta:
    """How long to wait after the given number of failed attempts: 1 s, doubled each time, at most 5 minutes."""
    return min(timedelta(seconds=2 ** (attempts - 1)), BACKOFF_MAX)


def _with_hrefs(body: dict[str, Any], public_url: str) -> dict[str, Any]:
    entities = {
        name: entity | {"href": public_url + entity["href"]} if str(entity.get("href", "")).startswith("/") else entity
        for name, entity in body["event"].items()
    }
    return body | {"event": entities}
