"""The figures as tables for people and as JSON for machines."""

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.table import Table

from diaodu.app.bench.suite import Figures

ROWS_MOST = 150
RATE_LEAST = 60.0
RATIO_LEAST = 0.25
OLDER_MOST = 1.15
WHO = {
    "python": "our workers (Python)",
    "postgres": "PostgreSQL",
    "driver": "load driver (beside)",
    "simulators": "simulators (beside)",
}


def tables(figures: Figures) -> list[Table]:
    """The goals, the runs, the rows and the limit."""
    return [_goals(figures), _costs(figures), _rows(figures), _rates(figures)]


def document(figures: Figures, at: datetime) -> dict[str, Any]:
    """All figures with every single measurement, the machine and the date."""
    return {
        "at": at.isoformat(timespec="seconds"),
        "machine": machine(figures.server),
        "counts": asdict(figures.counts),
        "goals": [dict(zip(("goal", "least_or_most", "measured", "met"), g, strict=True)) for g in goals(figures)],
        "runs": [asdict(r) | {"rate": r.rate, "cost_ms": r.cost_ms} for r in figures.runs],
        "limits": [asdict(limit) for limit in figures.limits],
        "pairs": [
            {"ratio": p.ratio, "empty": asdict(p.empty), "older": asdict(p.older), "older_ms": p.older.cost_ms,
             "empty_ms": p.empty.cost_ms}
            for p in figures.pairs
        ],
    }  # fmt: skip


def machine(server: str) -> dict[str, Any]:
    """Where it was measured."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "architecture": platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgres": server,
        "load_average": [round(x, 2) for x in os.getloadavg()],
    }


def goals(figures: Figures) -> list[tuple[str, str, float, bool]]:
    """Name, bound, median measured and whether it was met."""
    found = []
    rows = sum(w.total for w in figures.rows.values())
    found.append(("rows written per order", f"<= {ROWS_MOST}", rows, rows <= ROWS_MOST))
    for limit in figures.limits:
        workers = limit.connections
        rate = statistics.median(r.rate for r in figures.of(workers))
        if workers > 1:
            found.append((f"orders/s, {workers} workers", f">= {RATE_LEAST:.0f}", rate, rate >= RATE_LEAST))
        name = f"limit_ratio, {workers} worker(s) to {workers} connection(s)"
        found.append((name, f">= {RATIO_LEAST}", limit.ratio, limit.ratio >= RATIO_LEAST))
    if figures.pairs:
        ratio = statistics.median(p.ratio for p in figures.pairs)
        name = f"CPU per order beside {figures.counts.older} older ones to that without"
        found.append((name, f"<= {OLDER_MOST}", ratio, ratio <= OLDER_MOST))
    return found


def spread(values: Iterable[float]) -> str:
    """Median, least and most."""
    found = sorted(values)
    digits = 0 if found[-1] >= 1000 else 1
    return f"{statistics.median(found):,.{digits}f} [{found[0]:,.{digits}f} .. {found[-1]:,.{digits}f}]"


def _goals(figures: Figures) -> Table:
    table = _table("Goals 目标", ["", "goal", "measured", ""])
    for name, bound, measured, met in goals(figures):
        table.add_row(name, bound, f"{measured:.2f}", "met 达到" if met else "MISSED 未达到")
    return table


def _costs(figures: Figures) -> Table:
    table = _table("Orders from capture to archive, median [least .. most]", ["workers", "what", "measured"])
    for workers in figures.counts.orders:
        runs = figures.of(workers)
        table.add_row(str(workers), "orders/s", spread(r.rate for r in runs))
        for who, name in WHO.items():
            table.add_row("", f"CPU ms/order, {name}", spread(r.cpu_ms[who] for r in runs))
    for limit in figures.limits:
        table.add_row(f"{limit.connections}", "limit of as many connections, orders/s", f"{limit.orders:,.0f}")
    for pair in figures.pairs:
        told = f"{pair.empty.cost_ms:.1f} / {pair.older.cost_ms:.1f}"
        table.add_row(str(pair.empty.workers), "CPU ms/order, empty / beside older ones", told)
    return table


def _rows(figures: Figures) -> Table:
    table = _table("Rows written per order", ["table", "insert", "update", "of these HOT", "delete"])
    for name, w in figures.rows.items():
        if w.total >= 0.005:
            table.add_row(name, *(f"{x:.2f}" for x in (w.insert, w.update, w.hot, w.delete)))
    sums: Sequence[float] = [
        sum(getattr(w, kind) for w in figures.rows.values()) for kind in ("insert", "update", "hot", "delete")
    ]
    table.add_section()
    table.add_row(f"all: {sum(w.total for w in figures.rows.values()):.1f}", *(f"{x:.2f}" for x in sums))
    return table


def _rates(figures: Figures) -> Table:
    counts = [f"{limit.connections} connection(s), rows/s" for limit in figures.limits]
    table = _table("What PostgreSQL writes at best: 500 rows a statement and commit", ["table", "kind", *counts])
    for same in zip(*(limit.rates for limit in figures.limits), strict=True):
        table.add_row(same[0].table, same[0].kind, *(f"{rate.median:,.0f}" for rate in same))
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for n, name in enumerate(columns):
        table.add_column(name, justify="left" if n == 0 else "right", no_wrap=True)
    return table
