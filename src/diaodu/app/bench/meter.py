"""What is measured: processor time of processes and of the database server, and rows written by table."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_WRITTEN = """
select coalesce(pg_partition_root(relid), relid)::regclass::text, sum(n_tup_ins)::int8, sum(n_tup_upd)::int8,
       sum(n_tup_hot_upd)::int8, sum(n_tup_del)::int8
  from pg_stat_user_tables where n_tup_ins + n_tup_upd + n_tup_del > 0 group by 1
"""


@dataclass(frozen=True)
class Written:
    """Rows written to one table; ``hot`` are those of the updates that touched no index."""

    insert: float = 0
    update: float = 0
    hot: float = 0
    delete: float = 0

    @property
    def total(self) -> float:
        """All rows written, of whatever kind."""
        return self.insert + self.update + self.delete


def cpu_of(pids: Iterable[int]) -> float:
    """Processor seconds that live processes have used, without those of their children."""
    return sum(sum(_times(pid)[:2]) for pid in pids)


def cpu_of_server(cluster: Path) -> float:
    """Processor seconds of a PostgreSQL server: its live processes, and those that its first process has reaped."""
    first = int((cluster / "postmaster.pid").read_text().split()[0])
    mine = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _works_in(p, cluster)]
    return cpu_of(mine) + sum(_times(first)[2:])


def rows_written(conn: psycopg.Connection[tuple[str, int, int, int, int]]) -> dict[str, Written]:
    """All rows written since the database was made, by table; exact once the writers have disconnected."""
    return {name: Written(*counts) for name, *counts in conn.execute(_WRITTEN).fetchall()}


def per_order(before: Mapping[str, Written], after: Mapping[str, Written], orders: int) -> dict[str, Written]:
    """The difference of two looks at the tables, divided by the orders between them; busiest table first."""
    nothing = Written()
    found = {}
    for name, now in after.items():
        then = before.get(name, nothing)
        kinds = ("insert", "update", "hot", "delete")
        found[name] = Written(*((getattr(now, k) - getattr(then, k)) / orders for k in kinds))
    return dict(sorted(found.items(), key=lambda item: -item[1].total))


def _works_in(process: Path, directory: Path) -> bool:
    try:
        return (process / "cwd").readlink() == directory
    except OSError:  # it has just ended
        return False


def _times(pid: int) -> list[float]:
    """User and system time of a process, then those of its reaped children."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return [0.0] * 4
    return [int(f) * _TICK_S for f in fields[11:15]]
