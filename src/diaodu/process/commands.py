"""Writes of worklists: pools, and who holds a task."""

from collections.abc import Iterable

from diaodu.kernel.db import Tx


def intern_pools(tx: Tx, pairs: Iterable[tuple[int, str]]) -> None:
    """Make the pools of (unit id, role) pairs that do not exist yet."""
    units, roles = zip(*sorted(set(pairs)), strict=True)
    tx.run(
        "insert into process.pool (unit_id, role) select * from unnest(%s::int4[], %s::text[]) on conflict do nothing",
        (list(units), list(roles)),
    )
