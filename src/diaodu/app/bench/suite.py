"""The whole benchmark: repeated runs with one and two workers, the limit, and the cost beside older orders."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from diaodu.app.bench import limit, older
from diaodu.app.bench.meter import Written
from diaodu.app.bench.run import Plan, Run, run
from diaodu.app.bench.stage import Stage, staged

LIMIT_ORDERS = 2_000
LIMIT_ROUNDS = 3
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Counts:
    """How much is measured; ``orders`` by number of workers; no older orders means that no pairs are run."""

    orders: Mapping[int, int] = field(default_factory=lambda: {1: 3000, 2: 4000})
    reps: int = 3
    in_flight: int = 600
    older: int = 50_000
    pairs: int = 3
    pair_orders: int = 600  # of each run beside older orders and without; as many are cloned to make them


@dataclass(frozen=True)
class Limit:
    """What so many connections can write, in orders a second, and what as many workers reached of it."""

    connections: int
    rates: Sequence[limit.Rate]
    orders: float
    ratio: float


@dataclass(frozen=True)
class Pair:
    """A run on an empty database and one beside older orders, one right after the other."""

    empty: Run
    older: Run

    @property
    def ratio(self) -> float:
        """Cost beside older orders by cost without."""
        return self.older.cost_ms / self.empty.cost_ms


@dataclass(frozen=True)
class Figures:
    """Everything that was measured."""

    server: str
    counts: Counts
    runs: Sequence[Run]
    limits: Sequence[Limit]
    pairs: Sequence[Pair]

    def of(self, workers: int) -> list[Run]:
        """The runs with so many workers."""
        return [r for r in self.runs if r.workers == workers]

    @property
    def rows(self) -> Mapping[str, Written]:
        """Rows written per order by table, of the last run."""
        return self.runs[-1].rows


def measure(counts: Counts, progress: Progress) -> Figures:
    """Run everything on a scratch server; the runs with different numbers of workers take turns."""
    with staged(progress) as stage:
        runs: list[Run] = []
        name = ""
        for rep in range(counts.reps):
            for workers, orders in counts.orders.items():
                if name:
                    stage.drop(name)
                name = f"bench_{rep}_{workers}"
                dsn = stage.database(name)
                runs.append(run(stage, dsn, Plan(workers, orders, counts.in_flight)))
                progress(f"{workers} worker(s): {runs[-1].rate:.1f} orders/s, {runs[-1].cost_ms:.1f} ms/order")
        limits = _limits(stage, dsn, counts, runs, progress)
        stage.drop(name)
        pairs = _pairs(stage, counts, progress) if counts.older else []
        return Figures(stage.version(), counts, runs, limits, pairs)


def _limits(stage: Stage, dsn: str, counts: Counts, runs: Sequence[Run], progress: Progress) -> list[Limit]:
    stage.settle(dsn)
    found = []
    for workers in counts.orders:
        mine = [r for r in runs if r.workers == workers]
        rates = limit.measure(dsn, orders=LIMIT_ORDERS, connections=workers, rounds=LIMIT_ROUNDS)
        most = limit.orders_per_second(runs[-1].rows, rates)
        ratio = statistics.median(r.rate for r in mine) / most
        progress(f"limit of {workers} connection(s): {most:.0f} orders/s")
        found.append(Limit(workers, rates, most, ratio))
    return found


def _pairs(stage: Stage, counts: Counts, progress: Progress) -> list[Pair]:
    workers = max(counts.orders)
    dsn = stage.database("bench_older")
    sample = Plan(workers, counts.pair_orders, min(counts.in_flight, counts.pair_orders // 2))
    run(stage, dsn, sample)
    progress(f"{older.seed(dsn, counts.older)} older orders")
    stage.settle(dsn)
    pairs = []
    for n in range(counts.pairs):
        plan = Plan(workers, counts.pair_orders, sample.in_flight, first=(n + 1) * sample.most)
        empty = run(stage, stage.database(f"bench_empty_{n}"), plan)
        stage.drop(f"bench_empty_{n}")
        pairs.append(Pair(empty, run(stage, dsn, plan)))
        progress(f"{empty.cost_ms:.1f} ms/order, beside older ones {pairs[-1].older.cost_ms:.1f}")
    return pairs
