"""The worker of exchange areas: pulls requests, serves them in batches, tells the answers; one per area by lease."""

import threading
import time
from collections.abc import Sequence

import psycopg
import structlog

from diaodu.inventory import commands
from diaodu.inventory.errors import RequestFailed
from diaodu.inventory.gather import FIRST_RANK
from diaodu.inventory.ports import Answer, Designer, Pull, Tell, Wanted
from diaodu.inventory.requests import Request, grouped
from diaodu.inventory.reserve import refused
from diaodu.inventory.serve import KINDS, Trees, refuse, serve
from diaodu.kernel import leases
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import Conflict, Rejected

BATCH = 100
# A wish stays in its queue until its answer has landed with the order, or for as long as it waits.
SEEN_SECONDS = 5.0
# Stock that came from elsewhere (construction, ended quarantines) is noticed within this time.
WAKE_SECONDS = 1.0
QUARANTINE_SECONDS = 60.0
RENEW_SECONDS = leases.LEASE_TIME.total_seconds() / 3
IDLE_MIN_SECONDS, IDLE_MAX_SECONDS = 0.002, 0.1
# What one bad request can raise; a lost connection is not its fault.
_FAULTS = (psycopg.DatabaseError, Conflict, Rejected, KeyError, TypeError, ValueError)

log = structlog.get_logger()


class AreaWorker:
    """Serves areas one batch at a time.

    Each request takes effect once, in the transaction that writes it down; its answer is told at least once. The
    area's row is locked by every batch, so that two workers during a take-over do no harm.
    """

    def __init__(
        self,
        db: Database,
        areas: Sequence[int],
        designer: Designer,
        pull: Pull,
        tell: Tell,
        *,
        owner: str,
        batch: int = BATCH,
    ) -> None:
        self._db, self._areas, self._designer, self._pull, self._tell = db, list(areas), designer, pull, tell
        self._owner, self._batch = owner, batch
        self._trees = Trees()
        self._seen: dict[int, dict[int, float]] = {}
        self._wake_at: dict[int, float] = {}
        self._quarantine_at: dict[int, float] = {}

    def run(self, stop: threading.Event) -> None:
        """Hold leases and serve their areas until ``stop`` is set; lets go cleanly."""
        held: set[int] = set()
        leases_at, idle = 0.0, IDLE_MIN_SECONDS
        try:
            while not stop.is_set():
                if time.monotonic() >= leases_at:
                    held = self._hold(held)
                    leases_at = time.monotonic() + RENEW_SECONDS
                worked = sum(self.step(area) for area in sorted(held))
                idle = IDLE_MIN_SECONDS if worked else min(idle * 2, IDLE_MAX_SECONDS)
                if not worked:
                    stop.wait(idle)
        finally:
            leases.release(self._db, self._owner, [_lease(a) for a in held])

    def step(self, area: int) -> int:
        """Pull, serve and tell once; returns how many requests and answers moved."""
        asked = grouped(self._wanted(area))
        wake = self._due(self._wake_at, area, WAKE_SECONDS)
        decided = self._serve(area, asked, wake=wake) if asked or (wake and self._has_waiting(area)) else 0
        if self._due(self._quarantine_at, area, QUARANTINE_SECONDS):
            with self._db.transaction(actor=self._owner) as tx:
                commands.end_quarantines(tx, area)
        return decided + self._tell_all(area)

    def _wanted(self, area: int) -> Sequence[Wanted]:
        """What has not been pulled lately: those answered or waiting do not crowd out the others."""
        now = time.monotonic()
        seen = {i: until for i, until in self._seen.get(area, {}).items() if until > now}
        with self._db.transaction(actor=self._owner) as tx:
            wanted = self._pull(tx, area, self._batch, seen)
        self._seen[area] = seen | dict.fromkeys((w.id for w in wanted), now + SEEN_SECONDS)
        return wanted

    def run_until_idle(self) -> None:
        """Serve all areas until nothing moves; waiting requests are tried once."""
        for area in self._areas:
            self._wake_at.pop(area, None)
            while self.step(area):
                pass

    def _serve(self, area: int, asked: Sequence[Request], *, wake: bool) -> int:
        try:
            return self._serve_pages(area, asked, wake=wake)
        except psycopg.OperationalError:
            raise
        except _FAULTS as fault:
            self._trees = Trees()  # read in a transaction that was rolled back
            if not asked:
                raise
            if len(asked) > 1:
                middle = len(asked) // 2
                return self._serve(area, asked[:middle], wake=wake) + self._serve(area, asked[middle:], wake=False)
            log.exception("inventory.request.failed", area=area, request_id=asked[0].id)
            with self._db.transaction(actor=self._owner) as tx:
                refuse(tx, area, asked[0], refused(RequestFailed(request=asked[0].id, fault=fault)))
            return 1

    def _serve_pages(self, area: int, asked: Sequence[Request], *, wake: bool) -> int:
        """Waiting requests go first, a page in each transaction; then what is asked."""
        for request in asked:
            if request.kind not in KINDS:
                raise ValueError(f"no request of kind {request.kind!r}")
        decided, after = 0, FIRST_RANK
        woken: set[str] = set()
        while True:
            with self._db.transaction(actor=self._owner) as tx:
                batch = serve(tx, area, asked, self._designer, self._trees, wake=wake, woken=woken, after=after)
            decided += batch.decided
            if batch.resume is None:
                return decided
            after = batch.resume
            woken |= set(batch.woken)

    def _tell_all(self, area: int) -> int:
        with self._db.transaction(actor=self._owner) as tx:
            answers, states = _untold(tx, area, self._batch)
        if not answers:
            return 0
        self._tell(answers)
        with self._db.transaction(actor=self._owner) as tx:
            tx.run(
                "update inventory.request r set told = true from unnest(%s::int8[], %s::int2[]) as u(id, state)"
                " where r.area = %s and r.id = u.id and r.state = u.state",
                ([a.request_id for a in answers], states, area),
            )
        return len(answers)

    def _has_waiting(self, area: int) -> bool:
        """Whether a request waits for resources, or a soft one has come to its end."""
        with self._db.transaction(actor=self._owner) as tx:
            found = tx.row(
                "select 1 from inventory.request"
                " where area = %s and (state = 0 or (state = 4 and until <= %s)) limit 1",
                (area, tx.now),
            )
        return found is not None

    def _hold(self, held: set[int]) -> set[int]:
        kept = leases.renew(self._db, self._owner, [_lease(a) for a in held]) if held else set()
        wanted = [_lease(a) for a in self._areas if _lease(a) not in kept]
        taken = leases.take(self._db, self._owner, wanted, len(wanted)) if wanted else []
        names = kept | {lease.name for lease in taken}
        return {a for a in self._areas if _lease(a) in names}

    @staticmethod
    def _due(times: dict[int, float], area: int, period: float) -> bool:
        now = time.monotonic()
        if now < times.get(area, 0.0):
            return False
        times[area] = now + period
        return True


def _lease(area: int) -> str:
    return f"area:{area}"


def _untold(tx: Tx, area: int, limit: int) -> tuple[list[Answer], list[int]]:
    found = tx.rows(
        "select id, order_id, revision, kind, class, asked_at, body, answer, state from inventory.request"
        " where area = %s and not told order by id limit %s",
        (area, limit),
    )
    asked = [Request(*r[:7]) for r in found]
    answers = [
        Answer(area, q.id, q.order_id, q.revision, q.kind, q.effects, r[7]) for q, r in zip(asked, found, strict=True)
    ]
    return answers, [r[8] for r in found]
