"""All who work on the orders of an episode, each of whom may die and come back under another name."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from random import Random

from diaodu.app.proof_change.ground import Died, Mortal
from diaodu.app.small_operator import CITY_AREA, RURAL_AREA, SYSTEMS
from diaodu.app.wiring import area_worker, handlers
from diaodu.engine.failure import Runner
from diaodu.engine.worker import Worker
from diaodu.fulfilment.send import Sender

ANSWER_S = 0.15
AREAS = (CITY_AREA, RURAL_AREA)
LAPSE = timedelta(seconds=10)  # longer than a lease
_names = count(1)


class Crew:
    """The engine's worker, the worker of the areas, the sender: one process of each."""

    def __init__(self, db: Mortal) -> None:
        self._db = db
        self._sender: Sender | None = None
        self.replace()

    def replace(self) -> None:
        """Everybody is dead or gone: others take over when the leases have lapsed."""
        self._db.fuse = None
        self.close()
        self._db.later += LAPSE
        name = f"crew-{next(_names)}"
        self.worker = Worker(self._db, handlers(), name)
        self.runner = Runner(self._db, handlers(), name)
        self.areas = area_worker(self._db, name)
        self._sender = Sender(self._db, name, SYSTEMS, answer_s=ANSWER_S)

    def close(self) -> None:
        """Let go of the connections, as the system does for a process that was killed; nothing else is tidied up."""
        if self._sender is not None:
            self._sender._wire.close()  # noqa: SLF001 - a sender that closes waits for its answers
            self._sender = None

    def run(self, what: Callable[[], object]) -> bool:
        """Have somebody do something; False when that cost a life."""
        try:
            what()
        except Died:
            self.replace()
            return False
        return True

    def send(self) -> None:
        """Let the sender work until nothing is ready."""
        assert self._sender is not None
        self._sender.run_until_idle()

    def step(self, rng: Random) -> None:
        """One batch of the engine: some orders of one partition that have work to do."""
        parts = [p for p in range(self._db.parts) if self.runner.oldest(p, 1)]
        if parts:
            part = rng.choice(parts)
            self.runner.run(part, self.runner.oldest(part, rng.randint(1, 3)))

    def serve(self, rng: Random) -> None:
        """One batch of one area."""
        self.areas.step(rng.choice(AREAS))

    def all_but_people(self) -> None:
        """Whatever goes on by itself, once around."""
        self.worker.run_until_idle()
        self.areas.run_until_idle()
        self.send()
