"""Leases: who runs a partition, an area or a network element at present.

The ``clean`` mark is false while the owner works; a lease taken over unclean tells the new owner that the last
one died in the middle of something.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diaodu.kernel.db import Database

# A lost owner is replaced within this time; owners renew at a third of it.
LEASE_TIME = timedelta(seconds=6)


@dataclass(frozen=True)
class Lease:
    """A lease held: its name and whether the owner before let go of it cleanly."""

    name: str
    was_clean: bool


def take(db: "Database", owner: str, names: list[str], limit: int) -> list[Lease]:
    """Take up to ``limit`` leases that nobody holds or whose time is over; unknown names are made."""
    with db.transaction(actor=owner) as tx:
        tx.run(
            "insert into kernel.lease (name, owner, until, clean) select u, null, %s, true from unnest(%s::text[]) u"
            " on conflict (name) do nothing",
            (tx.now, sorted(names)),
        )
        found = tx.rows(
            # Materialized: looked at once, so that no more are taken than asked.
            "with f as materialized ("
            "  select name, clean from kernel.lease where name = any(%s::text[]) and (owner is null or until < %s)"
            "  order by name limit %s for update skip locked)"
            " update kernel.lease l set owner = %s, until = %s, clean = false from f"
            " where l.name = f.name returning l.name, f.clean",
            (names, tx.now, limit, owner, tx.now + LEASE_TIME),
        )
    return [Lease(name, clean) for name, clean in found]


def renew(db: "Database", owner: str, names: list[str]) -> set[str]:
    """Extend leases; returns the names still held (a name that is missing was lost: stop working on it)."""
    with db.transaction(actor=owner) as tx:
        found = tx.rows(
            "update kernel.lease set until = %s where owner = %s and name = any(%s::text[]) returning name",
            (tx.now + LEASE_TIME, owner, names),
        )
    return {r[0] for r in found}


def release(db: "Database", owner: str, names: list[str]) -> None:
    """Let go of leases with nothing left half done."""
    with db.transaction(actor=owner) as tx:
        tx.run(
            "update kernel.lease set owner = null, clean = true where owner = %s and name = any(%s::text[])",
            (owner, names),
        )
