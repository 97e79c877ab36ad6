"""A worker process of the engine's benchmark: feeds its partitions and runs them in batches of exactly K orders.

It has as many threads as a worker process of the product has for the engine, each with its own share of partitions.

``python -m diaodu.app.bench.engine_worker PLAN`` with the plan as JSON says ``ready``, waits for a line, works, prints
its figures as one line of JSON, and ends when its input does.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson

from diaodu.app.bench import engine_item as item
from diaodu.app.workers import THREADS
from diaodu.engine.failure import Runner
from diaodu.kernel import collector
from diaodu.kernel.db import Database

WARM_UP = 2  # instances of each thread


@dataclass(frozen=True)
class Share:
    """The work of one of ``workers`` processes: ``each`` instances in each of its partitions."""

    dsn: str
    mode: str
    k: int
    workers: int
    index: int
    each: int
    finish: bool = True  # else the instances stay at their user task

    def parts(self, parts: int) -> range:
        """The partitions of this process."""
        return range(self.index, parts, self.workers)


class Feeder:
    """Starts, runs and completes instances of the work item in batches of ``k``."""

    def __init__(self, db: Database, mode: str, k: int) -> None:
        self.db, self.k = db, k
        self.runner = Runner(db, item.MODES[mode], "bench")

    def start(self, part: int, count: int) -> None:
        """Start so many instances."""
        for first in range(0, count, self.k):
            with self.db.transaction(actor="bench") as tx:
                item.start(tx, part, min(self.k, count - first))

    def run(self, part: int) -> None:
        """Run until nothing is due."""
        while roots := self.runner.oldest(part, self.k):
            self.runner.run(part, roots)

    def finish(self, part: int) -> None:
        """Complete all tasks and run their instances to the end."""
        while self._complete(part):
            self.run(part)

    def _complete(self, part: int) -> int:
        with self.db.transaction(actor="bench") as tx:
            return len(item.complete(tx, part, self.k))


def work(feeders: Sequence[Feeder], share: Share) -> dict[str, float]:
    """Do the whole share; seconds by phase of the slowest thread."""
    parts = share.parts(feeders[0].db.parts)
    with ThreadPoolExecutor(len(feeders)) as threads:
        took = list(threads.map(lambda n: _phases(feeders[n], parts[n :: len(feeders)], share), range(len(feeders))))
    return {phase: max(t[phase] for t in took) for phase in took[0]}


def _phases(feeder: Feeder, parts: Sequence[int], share: Share) -> dict[str, float]:
    begin = time.perf_counter()
    for part in parts:
        feeder.start(part, share.each)
    started = time.perf_counter()
    for part in parts:
        feeder.run(part)
    ran = time.perf_counter()
    if share.finish:
        for part in parts:
            feeder.finish(part)
    return {"start": started - begin, "run": ran - started, "complete": time.perf_counter() - ran}


def _talk(share: Share) -> Iterator[Any]:
    databases = [Database(share.dsn, pool_max=2, plan_anew=True) for _ in range(THREADS["engine"])]
    feeders = [Feeder(db, share.mode, share.k) for db in databases]
    # The process is compiled and the statements are prepared before the clock starts.
    for feeder in feeders:
        for _ in range(WARM_UP):
            feeder.start(share.index, 1)
            feeder.run(share.index)
            feeder.finish(share.index)
    collector.rarely()  # as every worker of the product does
    yield "ready"
    yield work(feeders, share)
    for db in databases:
        db.close()


def main() -> None:
    """Answer each line of input by the next thing to tell."""
    for told in _talk(Share(**orjson.loads(sys.argv[1]))):
        sys.stdout.write(orjson.dumps(told).decode() + "\n")
        sys.stdout.flush()
        sys.stdin.readline()


if __name__ == "__main__":
    main()
