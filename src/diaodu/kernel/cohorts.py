"""The monthly partitions of the history: an order's history stands in the month in which the order was made.

So one order is read from one partition, and a month is detached whole once no order of it is alive.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg

from diaodu.kernel.ids import first_id_at

# Made ahead by every migration and start of a server; what comes later than that goes to the default partition.
MONTHS_AHEAD = 13


def extend_history(conn: psycopg.Connection[Any], now: datetime, months: int = MONTHS_AHEAD) -> int:
    """Make the partitions from the present month on that do not exist yet; returns how many were made."""
    known = {r[0] for r in conn.execute("select relname from pg_class where relname like 'history\\_%'").fetchall()}
    made = 0
    for start, end in _months(now, months):
        name = f"history_{start:%Y_%m}"
        if name not in known:
            conn.execute(
                f"create table kernel.{name} partition of kernel.history"
                f" for values from ({first_id_at(start)}) to ({first_id_at(end)})"
            )
            made += 1
    return made


def _months(now: datetime, count: int) -> Iterator[tuple[datetime, datetime]]:
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(count):
        end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        yield start, end
        start = end
