"""The figures of the engine's benchmark as tables for people and as JSON for machines."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich.table import Table

from diaodu.app.bench.engine_compare import PEERS
from diaodu.app.bench.engine_suite import BEST, WORKERS, Figures
from diaodu.app.bench.report import machine, spread

LIMIT_LEAST, HTTP_LEAST, GROWTH_MOST = 0.75, 0.5, 1.1
PEER_LEAST = {"SpiffWorkflow": 60.0, "DBOS": 60.0, "pgqueuer": 20.0}
PEERS_TOLD = "Peers are driven one call for each instance and step; ours takes 500 instances in one batch."


@dataclass(frozen=True)
class Goal:
    """A bound on the median of what was measured."""

    name: str
    bound: float
    each: Sequence[float]
    at_most: bool = False

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.each)

    @property
    def met(self) -> bool:
        """Whether it is on the right side."""
        return self.median <= self.bound if self.at_most else self.median >= self.bound

    @property
    def told(self) -> str:
        """The bound with its sign."""
        return f"{'<=' if self.at_most else '>='} {self.bound:g}"


def tables(figures: Figures) -> list[Table]:
    """The goals, the runs, the peers, the rows and the limit."""
    found = [_goals(figures), _runs(figures), _rows(figures), _limits(figures)]
    return [*found, _peers(figures)] if figures.counts.peers else found


def goals(figures: Figures) -> list[Goal]:
    """Every goal with all single measurements."""
    found = [
        Goal(f"limit_ratio, 1 worker, K={BEST}", LIMIT_LEAST, [r.limit_ratio(1) for r in figures.rounds]),
        Goal("task completed over HTTP / no-op", HTTP_LEAST, _http(figures)),
    ]
    if figures.counts.peers:
        found += [
            Goal(f"2 workers / {p.name}", PEER_LEAST[p.name], [r.peer_ratio(p.name, 1) for r in figures.rounds])
            for p in PEERS
        ]
    if figures.growth:
        name = f"CPU per instance beside {figures.counts.waiting:,} waiting / empty"
        found.append(Goal(name, GROWTH_MOST, [p.ratio for p in figures.growth], at_most=True))
    return found


def document(figures: Figures, at: datetime) -> dict[str, Any]:
    """All figures with every single measurement.

    ``inst_per_s`` and ``cpu_ms_per_inst`` are medians of two workers at the largest batch, ``limit_ratio`` that of one.
    """
    best = figures.runs(BEST, 2)
    return {
        "at": at.isoformat(timespec="seconds"),
        "machine": machine(figures.server),
        "limit_ratio": statistics.median(r.limit_ratio(1) for r in figures.rounds),
        "inst_per_s": statistics.median(r.spent.rate for r in best),
        "cpu_ms_per_inst": statistics.median(r.spent.cost_ms for r in best),
        "http_ratio": statistics.median(_http(figures)),
        "growth": figures.growth_ratio if figures.growth else None,
        "peers": {p.name: _peer(figures, p.name) for p in PEERS} if figures.counts.peers else {},
        "goals": [
            {"goal": g.name, "bound": g.told, "median": g.median, "each": g.each, "met": g.met}
            for g in goals(figures)
        ],
        "runs": [_summary(figures, *key) for key in _keys(figures)],
        "counts": asdict(figures.counts),
        "rounds": [
            {"runs": [asdict(x) for x in r.runs], "limits": [asdict(x) for x in r.limits],
             "limit_ratio": {n: r.limit_ratio(n) for n in WORKERS}}
            for r in figures.rounds
        ],
        "http_rounds": [asdict(r) | {"ratio": r.ratio} for r in figures.http],
        "growth_pairs": [{"ratio": p.ratio} | asdict(p) for p in figures.growth],
    }  # fmt: skip


def _http(figures: Figures) -> list[float]:
    return [r.ratio for r in figures.http]


def _keys(figures: Figures) -> list[tuple[int, int, str]]:
    return [(r.plan.k, r.plan.workers, r.plan.mode) for r in figures.rounds[0].runs]


def _summary(figures: Figures, k: int, workers: int, mode: str) -> dict[str, Any]:
    spent = [r.spent for r in figures.runs(k, workers, mode)]
    return {
        "k": k,
        "workers": workers,
        "mode": mode,
        "inst_per_s": statistics.median(s.rate for s in spent),
        "cpu_ms_per_inst": statistics.median(s.cost_ms for s in spent),
        "each": [s.rate for s in spent],
    }


def _peer(figures: Figures, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for processes in WORKERS:
        spent = [r.peers[name, processes] for r in figures.rounds]
        ratios = [r.peer_ratio(name, processes) for r in figures.rounds]
        found[f"processes_{processes}"] = {
            "inst_per_s": statistics.median(s.rate for s in spent),
            "cpu_ms_per_inst": statistics.median(s.cost_ms for s in spent),
            "ratio": statistics.median(ratios),
            "ratios": ratios,
            "cpu_ratio": statistics.median(r.peer_cost_ratio(name, processes) for r in figures.rounds),
        }
    return {"ratio": found["processes_1"]["ratio"], **found}


def _goals(figures: Figures) -> Table:
    table = _table("Goals 目标, median [least .. most]", ["", "goal", "measured", ""])
    for goal in goals(figures):
        table.add_row(goal.name, goal.told, _ratio(goal.each), "met 达到" if goal.met else "MISSED 未达到")
    return table


def _runs(figures: Figures) -> Table:
    table = _table(
        "Instances from start to end, median [least .. most]",
        ["steps", "K", "workers", "instances/s", "CPU ms each", "Python", "PostgreSQL"],
    )
    for k, workers, mode in sorted(_keys(figures), key=lambda key: (key[2] != "together", key[1], key[0])):
        spent = [r.spent for r in figures.runs(k, workers, mode)]
        cpu = [f"{statistics.median(s.cpu_ms[who] for s in spent):.2f}" for who in ("python", "postgres")]
        cost = _ratio([s.cost_ms for s in spent])
        table.add_row(mode, str(k), str(workers), spread(s.rate for s in spent), cost, *cpu)
    return table


def _rows(figures: Figures) -> Table:
    rows = figures.runs(BEST, 1)[-1].rows
    total = sum(w.total for w in rows.values())
    table = _table(f"Rows written per instance, K={BEST}: {total:.1f}", ["table", "insert", "update", "HOT", "delete"])
    for name, w in rows.items():
        if w.total >= 0.005:
            table.add_row(name, *(f"{x:.2f}" for x in (w.insert, w.update, w.hot, w.delete)))
    return table


def _limits(figures: Figures) -> Table:
    counts = [f"{n} connection(s), rows/s" for n in WORKERS]
    table = _table("What PostgreSQL writes at best: 500 rows a statement and commit", ["table", "kind", *counts])
    for same in zip(*(limit.rates for limit in figures.rounds[-1].limits), strict=True):
        table.add_row(same[0].table, same[0].kind, *(f"{rate.median:,.0f}" for rate in same))
    table.add_section()
    for n in WORKERS:
        each = [r.limit_ratio(n) for r in figures.rounds]
        most = statistics.median(r.limits[n - 1].median for r in figures.rounds)
        table.add_row(f"{n} connection(s): {most:,.0f} instances/s", "ratio", _ratio(each))
    return table


def _peers(figures: Figures) -> Table:
    columns = ["peer", "processes", "instances/s", "CPU ms each", f"2 workers, K={BEST} / peer", "CPU: peer / ours"]
    table = _table("Peers on the same work", columns)
    table.caption, table.caption_justify = PEERS_TOLD, "left"
    for peer in PEERS:
        for processes in WORKERS:
            spent = [r.peers[peer.name, processes] for r in figures.rounds]
            ratios = [r.peer_ratio(peer.name, processes) for r in figures.rounds]
            cost = f"{statistics.median(s.cost_ms for s in spent):.1f}"
            costs = spread(r.peer_cost_ratio(peer.name, processes) for r in figures.rounds)
            table.add_row(peer.name, str(processes), spread(s.rate for s in spent), cost, spread(ratios), costs)
    return table


def _ratio(values: Iterable[float]) -> str:
    found = sorted(values)
    return f"{statistics.median(found):.2f} [{found[0]:.2f} .. {found[-1]:.2f}]"


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for n, name in enumerate(columns):
        table.add_column(name, justify="left" if n == 0 else "right", no_wrap=True)
    return table
