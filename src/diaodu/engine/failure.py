"""What happens to a batch that fails: again, halved, or down to the one job that needs a person."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import psycopg
import structlog
from psycopg import errors as pg

from diaodu.engine import store
from diaodu.engine.board import backoff
from diaodu.engine.definition import Definitions
from diaodu.engine.game import ATTEMPTS_MAX
from diaodu.engine.instance import FAILED, READY, Changes, Incident, Job
from diaodu.engine.ports import Handlers
from diaodu.engine.step import step
from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import Rejected
from diaodu.kernel.ids import part_of

SAME_AGAIN = 3
# A job that two workers began alone and did not live to end is not tried a third time.
DEATHS_MAX = 2
_ALWAYS = datetime.max.replace(tzinfo=UTC)
_PASSING = (pg.DeadlockDetected, pg.SerializationFailure)
log = structlog.get_logger(__name__)


class Runner:
    """Runs batches of one worker and contains their failures; ``owner`` stands in the history as the actor."""

    def __init__(self, db: Database, handlers: Handlers, owner: str) -> None:
        self.db, self.handlers, self.owner = db, handlers, owner
        self.definitions = Definitions()

    def oldest(self, part: int, limit: int, until: datetime | None = None) -> list[int]:
        """The roots of a partition with due work, oldest first; ``until`` leaves younger jobs out."""
        with self.db.transaction(actor=self.owner) as tx:
            return store.candidates(tx, part, limit, until or _ALWAYS)

    def run(self, part: int, roots: Sequence[int]) -> int:
        """Run the due jobs of these roots; returns how many were done. Only a lost connection is raised."""
        error = self._attempt(lambda: self._step(part, roots, store.JOBS_EACH))
        if isinstance(error, int):
            return error
        if len(roots) > 1:
            half = len(roots) // 2
            return self.run(part, roots[:half]) + self.run(part, roots[half:])
        return self._first(part, roots[0])

    def run_careful(self, part: int, root: int, until: datetime) -> None:
        """Run a root's jobs that a dead worker may have left, one by one, each attempt committed beforehand."""
        while True:
            with self.db.transaction(actor=self.owner) as tx:
                journal.lock(tx, [root])
                jobs = store.claim(tx, part, [root], 1)
                if not jobs or jobs[0].created_at > until:
                    return
                deaths = store.mark_attempt(tx, part, jobs[0].id)
                if deaths > DEATHS_MAX:
                    _give_up(tx, jobs[0], "engine.worker-died", f"{DEATHS_MAX} workers died over this job")
                    continue
            self._first(part, root)

    def _first(self, part: int, root: int) -> int:
        error = self._attempt(lambda: self._step(part, [root], 1))
        if isinstance(error, int):
            return error
        log.error("engine.job-failed", root=root, exc_info=error)
        with self.db.transaction(actor=self.owner) as tx:
            journal.lock(tx, [root])
            for job in store.claim(tx, part, [root], 1):
                if isinstance(error, _PASSING) and job.attempts + 1 < ATTEMPTS_MAX:
                    again = (READY, job.attempts + 1, tx.now + backoff(job.attempts + 1, job.id))
                    store.write(tx, part, [job], [], Changes(tries={job.id: again}))
                else:
                    code = error.code if isinstance(error, Rejected) else f"engine.{type(error).__name__}"
                    _give_up(tx, job, code, str(error))
        return 1

    def _step(self, part: int, roots: Sequence[int], each: int) -> int:
        with self.db.transaction(actor=self.owner) as tx:
            return step(tx, part, roots, self.handlers, self.definitions, each=each)

    def _attempt(self, work: Callable[[], int]) -> int | Exception:
        for again in range(SAME_AGAIN + 1):
            try:
                return work()
            except _PASSING as error:
                if again == SAME_AGAIN:
                    return error
                time.sleep(0.005 * 2**again)
            except psycopg.OperationalError as error:
                if connection_lost(error):
                    raise
                return error
            except Exception as error:  # noqa: BLE001 - whatever it is, it must end at the one job that causes it
                return error
        raise AssertionError


def connection_lost(error: psycopg.OperationalError) -> bool:
    """Whether the database has gone, and not only the statement failed."""
    return error.sqlstate is None or error.sqlstate.startswith(("08", "53", "57P"))


def _give_up(tx: Tx, job: Job, code: str, message: str) -> None:
    incident = tx.new_id(part_of(job.root_id))
    changes = Changes(
        tries={job.id: (FAILED, job.attempts, job.due_at)},
        incidents=[
            Incident(incident, job.root_id, job.instance_id, job.name, job.id, code, message, {"kind": job.kind})
        ],
        entries=[(job.root_id, {"t": "incident.opened", "incident": incident, "node": job.name, "code": code})],
    )
    store.write(tx, part_of(job.root_id), [job], [], changes)
