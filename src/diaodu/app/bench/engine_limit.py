"""What PostgreSQL could write at best of an instance's rows: the method of ``limit`` on the engine's tables."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diaodu.app.bench import limit
from diaodu.app.bench.engine_worker import Feeder
from diaodu.app.bench.limit import Rate, Table
from diaodu.app.bench.meter import Written
from diaodu.kernel.db import Database

ROOTS = 6_000
# Jobs are gone when their instance has ended. Of these instances a third has its start job, the rest its timer, which
# is also what a message's job looks like: the mixture that an instance writes.
OPEN = 6_000
_ENDED = "in (select id from bench.sample)"
_TABLES = (
    Table("kernel.root", f"id {_ENDED}"),
    Table("engine.instance", f"root_id {_ENDED}", {"state": "0", "ended_at": "null"}, ["tokens", "vars"]),
    Table("engine.job", "state = 0"),
    Table("engine.human_task", f"root_id {_ENDED}", {"state": "0", "ended_at": "null"}),
    Table("kernel.history", f"root_id {_ENDED}"),
)


@dataclass(frozen=True)
class Limit:
    """The instances a second that so many connections could write; ``each`` of the rounds by itself."""

    connections: int
    rates: Sequence[Rate]
    each: Sequence[float]

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.each)


def open_instances(dsn: str) -> None:
    """Leave instances at their start and at their user task in a database whose others have ended."""
    db = Database(dsn, pool_max=1)
    feeder = Feeder(db, "together", limit.BATCH)
    each = OPEN // 3 // db.parts
    for part in range(db.parts):
        feeder.start(part, 2 * each)
        feeder.run(part)
        feeder.start(part, each)
    db.close()


def measure(dsn: str, rows: Mapping[str, Written], *, connections: int, rounds: int) -> Limit:
    """How many instances with so many rows each could be written, on a database that ``open_instances`` has filled."""
    rates = limit.measure(dsn, orders=ROOTS, connections=connections, rounds=rounds, tables=_TABLES)
    each = [limit.orders_per_second(rows, [Rate(r.table, r.kind, [r.rows[n]]) for r in rates]) for n in range(rounds)]
    return Limit(connections, rates, each)
