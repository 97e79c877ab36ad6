"""A worker: holds partitions by lease and runs their due work, batch after batch."""

import threading
import time
from datetime import datetime, timedelta

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from diaodu.engine import bulk, errands
from diaodu.engine.failure import Runner, connection_lost
from diaodu.engine.ports import Errand, Handlers
from diaodu.kernel import leases
from diaodu.kernel.db import Database

BATCH, BATCH_MAX = 100, 500
PAUSE, PAUSE_MAX = 0.002, 0.1  # seconds without work
ERRANDS = 0.2  # seconds between two looks for signals to other roots, starts by the clock, bulk operations, errands
_PARTITION, _WORKER = "engine:", "engine-worker:"
_BUSY = """
select p from unnest(%s::int2[]) p
 where exists (select from engine.job where part = p and state = 0 and due_at <= %s) order by p
"""
log = structlog.get_logger(__name__)


class Worker:
    """Runs the engine over a fair share of the partitions; several may run, in any processes.

    ``owner`` names this worker in leases and history and must be unique among live workers.
    """

    def __init__(self, db: Database, handlers: Handlers, owner: str) -> None:
        self.db, self.owner = db, owner
        self.runner = Runner(db, handlers, owner)
        self._held: set[int] = set()
        self._suspect: dict[int, datetime] = {}  # partitions whose last worker died, and when they were taken over
        self._sizes: dict[int, int] = {}
        self._renew_at = self._errands_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then let go of everything; a lost database is waited for."""
        pause = PAUSE
        while not stop.is_set():
            try:
                worked = self._round(stop)
            except (psycopg.OperationalError, PoolTimeout):
                log.exception("engine.database-lost", owner=self.owner)
                self._held.clear()
                self._renew_at, worked, pause = 0.0, False, 1.0
            if worked:
                pause = PAUSE
            else:
                stop.wait(pause)
                pause = min(2 * pause, PAUSE_MAX)
        self._let_go()

    def run_until_idle(self) -> int:
        """Work until nothing is due, then let go; returns the number of jobs done."""
        self._share()
        total = 0
        while done := sum(self._work(part) for part in self._busy()) + self._errands():
            total += done
            self._renew()
        self._let_go()
        return total

    def _round(self, stop: threading.Event) -> bool:
        self._renew()
        worked = False
        if time.monotonic() >= self._errands_at:
            self._errands_at = time.monotonic() + ERRANDS
            worked = self._errands() > 0
        for part in self._busy():
            if stop.is_set():
                break
            worked = self._work(part) > 0 or worked
            self._renew()
        return worked

    def _errands(self) -> int:
        """What is done beside the batches."""
        held, handlers = self._held, self.runner.handlers
        done = errands.run(self.db, self.owner, held) + bulk.run(self.db, self.owner, held, handlers.effects)
        return done + sum(self._contained(errand) for errand in handlers.errands)

    def _contained(self, errand: Errand) -> int:
        """An errand that fails is tried again at the next look; the batches go on meanwhile."""
        try:
            return errand(self.db, self.owner, self._held)
        except psycopg.OperationalError as error:
            if connection_lost(error):
                raise
            log.exception("engine.errand-failed", owner=self.owner)
        except Exception:  # whatever it is, it must not stop the batches
            log.exception("engine.errand-failed", owner=self.owner)
        return 0

    def _busy(self) -> list[int]:
        with self.db.transaction(actor=self.owner) as tx:
            return [r[0] for r in tx.rows(_BUSY, (sorted(self._held), tx.now))]

    def _work(self, part: int) -> int:
        """One batch of a partition; a full one makes the next one larger."""
        if part not in self._held:
            return 0
        if part in self._suspect and (inspected := self._inspect(part)):
            return inspected
        size = self._sizes.get(part, BATCH)
        roots = self.runner.oldest(part, size)
        if not roots:
            return 0
        self._sizes[part] = min(2 * size, BATCH_MAX) if len(roots) >= size else BATCH
        return self.runner.run(part, roots)

    def _inspect(self, part: int) -> int:
        """What the dead worker may have had in its hands was among the oldest; each of it runs alone first."""
        until = self._suspect[part]
        roots = self.runner.oldest(part, BATCH_MAX, until)
        for root in roots:
            self._renew()
            if part not in self._held:
                return 0
            self.runner.run_careful(part, root, until)
        del self._suspect[part]
        return len(roots)

    def _renew(self) -> None:
        if time.monotonic() >= self._renew_at:
            self._share()

    def _share(self) -> None:
        """Renew what is held, and take or give back until the share is fair."""
        self._renew_at = time.monotonic() + leases.LEASE_TIME.total_seconds() / 3
        names = [_PARTITION + str(p) for p in self._held]
        own = _WORKER + self.owner
        still = leases.renew(self.db, self.owner, [*names, own])
        if own not in still:
            leases.take(self.db, self.owner, [own], 1)
        self._held &= {_number(n) for n in still if n != own}
        self._suspect = {p: at for p, at in self._suspect.items() if p in self._held}
        share = -(-self.db.parts // self._live())
        surplus = [p for p in sorted(self._held)[share:] if p not in self._suspect]
        if surplus:
            self._held -= set(surplus)
            leases.release(self.db, self.owner, [_PARTITION + str(p) for p in surplus])
        elif len(self._held) < share:
            self._take(share - len(self._held))

    def _take(self, count: int) -> None:
        free = [_PARTITION + str(p) for p in range(self.db.parts) if p not in self._held]
        for lease in leases.take(self.db, self.owner, free, count):
            part = _number(lease.name)
            self._held.add(part)
            if not lease.was_clean:
                self._suspect[part] = self.db.clock()

    def _live(self) -> int:
        with self.db.transaction(actor=self.owner) as tx:
            row = tx.row(
                "select count(*) from kernel.lease where starts_with(name, %s) and owner is not null and until > %s",
                (_WORKER, tx.now),
            )
        return max(1, row[0] if row else 1)

    def _let_go(self) -> None:
        """Release all leases; a partition that is not inspected yet stays marked for the next worker."""
        clean = [p for p in self._held if p not in self._suspect]
        leases.release(self.db, self.owner, [_PARTITION + str(p) for p in clean] + [_WORKER + self.owner])
        with self.db.transaction(actor=self.owner) as tx:
            # Workers that died left their names; no one asks for them again.
            tx.run(
                "delete from kernel.lease where starts_with(name, %s) and (name = %s or until < %s)",
                (_WORKER, _WORKER + self.owner, tx.now - timedelta(days=1)),
            )
        self._held.clear()
        self._suspect.clear()


def _number(lease: str) -> int:
    return int(lease.removeprefix(_PARTITION))
