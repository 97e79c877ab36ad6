"""The engine's whole benchmark: rounds of runs, each beside the limit and the peers of the same minute."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from diaodu.app.bench import engine_compare, engine_growth, engine_http, engine_limit
from diaodu.app.bench.engine_compare import Peers
from diaodu.app.bench.engine_growth import Pair
from diaodu.app.bench.engine_limit import Limit
from diaodu.app.bench.engine_run import TEMPLATE, Plan, Run, Spent, prepare, run
from diaodu.app.bench.stage import Stage, staged

Progress = Callable[[str], None]
WORKERS = (1, 2)
BEST = 500  # orders a batch of the headline figures


@dataclass(frozen=True)
class Counts:
    """How much is measured; ``each`` are the instances of a partition by orders a batch."""

    each: Mapping[int, int] = field(default_factory=lambda: {1: 8, 10: 50, 100: 250, 500: 500})
    apart: int = 100  # a batch and instances of a partition, with each step in a transaction of its own
    rounds: int = 3
    http_rounds: int = 5
    http_each: int = 300
    peers: bool = False
    waiting: int = 0  # tasks and timers of the full database; 0 leaves that part out
    pairs: int = 7
    pair_each: int = 250


@dataclass(frozen=True)
class Round:
    """All that was run in turn: the runs, the limits of 1 and 2 connections, each peer with 1 and 2 processes."""

    runs: Sequence[Run]
    limits: Sequence[Limit]
    peers: Mapping[tuple[str, int], Spent]

    def of(self, k: int, workers: int, mode: str = "together") -> Run:
        """The run with so many orders a batch and workers."""
        return next(r for r in self.runs if (r.plan.k, r.plan.workers, r.plan.mode) == (k, workers, mode))

    def limit_ratio(self, workers: int) -> float:
        """Instances per second at the largest batch by what as many connections could write."""
        limit = next(x for x in self.limits if x.connections == workers)
        return self.of(BEST, workers).spent.rate / limit.median

    def peer_ratio(self, name: str, processes: int) -> float:
        """Our two workers at the largest batch by a peer."""
        return self.of(BEST, 2).spent.rate / self.peers[name, processes].rate

    def peer_cost_ratio(self, name: str, processes: int) -> float:
        """A peer's processor time of an instance by ours; a busy machine disturbs it less than the rates."""
        return self.peers[name, processes].cost_ms / self.of(BEST, 2).spent.cost_ms


@dataclass(frozen=True)
class Figures:
    """Everything that was measured."""

    server: str
    counts: Counts
    rounds: Sequence[Round]
    http: Sequence[engine_http.Round]
    growth: Sequence[Pair]

    def runs(self, k: int, workers: int, mode: str = "together") -> list[Run]:
        """The runs of all rounds with so many orders a batch and workers."""
        return [r.of(k, workers, mode) for r in self.rounds]

    @property
    def growth_ratio(self) -> float:
        """Processor time of an instance beside those that wait by that in an empty database."""
        return statistics.median(p.ratio for p in self.growth)


def measure(counts: Counts, progress: Progress) -> Figures:
    """Run everything on a scratch server."""
    with staged(progress) as stage:
        prepare(stage)
        with _peers(stage, counts, progress) as peers:
            rounds = [_round(stage, counts, peers, progress) for _ in range(counts.rounds)]
        progress("completing single tasks over HTTP")
        http = engine_http.measure(stage, rounds=counts.http_rounds, each=counts.http_each)
        growth = []
        if counts.waiting:
            progress(f"loading {counts.waiting:,} waiting instances")
            growth = engine_growth.measure(stage, waiting=counts.waiting, pairs=counts.pairs, each=counts.pair_each)
        return Figures(stage.version(), counts, rounds, http, growth)


@contextmanager
def _peers(stage: Stage, counts: Counts, progress: Progress) -> Iterator[Peers | None]:
    with engine_compare.installed(stage, progress) if counts.peers else nullcontext() as peers:
        yield peers


def _round(stage: Stage, counts: Counts, peers: Peers | None, progress: Progress) -> Round:
    runs, limits = [], []
    for workers in WORKERS:
        plans = [Plan(k, workers, each) for k, each in counts.each.items()]
        for plan in [Plan(counts.apart, workers, counts.apart, "apart"), *plans]:
            dsn = stage.database("bench_run", like=TEMPLATE)
            runs.append(run(stage, dsn, plan))
            progress(_told(runs[-1]))
            if plan.k == BEST:
                engine_limit.open_instances(dsn)
                stage.settle(dsn)
                limits.append(engine_limit.measure(dsn, runs[-1].rows, connections=workers, rounds=3))
                progress(f"limit of {workers} connection(s): {limits[-1].median:,.0f} instances/s")
            stage.drop("bench_run")
    found = peers.round() if peers is not None else {}
    for (name, processes), spent in found.items():
        progress(f"{name}, {processes} process(es): {spent.rate:.1f} instances/s, {spent.cost_ms:.1f} ms each")
    return Round(runs, limits, found)


def _told(done: Run) -> str:
    plan, spent = done.plan, done.spent
    how = "" if plan.mode == "together" else ", each step apart"
    return f"K={plan.k}, {plan.workers} worker(s){how}: {spent.rate:,.0f} instances/s, {spent.cost_ms:.2f} ms each"
