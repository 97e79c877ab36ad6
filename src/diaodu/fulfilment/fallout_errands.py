"""What a worker does for 异常 beside its batches: incidents of the engine get an owner, bulk operations go on."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from diaodu.catalog.model import CauseClass, Handling
from diaodu.engine import queries as engine
from diaodu.engine.queries import IncidentView
from diaodu.fulfilment import fallout_bulk
from diaodu.fulfilment import fallout_store as store
from diaodu.fulfilment.fallout import Move, pool_of
from diaodu.fulfilment.fallout_model import INCIDENT, Happening, Record, Standing, Subject
from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.ids import part_of
from diaodu.organization import queries as organization

INCIDENT_LIMIT = timedelta(hours=4)
INCIDENT_ROLE = "noc"
_KNOWN = """
select f.id from unnest(%s::int2[]) p(part) join fulfilment.fallout f on f.part = p.part
 where f.subject = 'incident' and f.state <> 'closed'
"""


def run(db: Database, actor: str, parts: Collection[int]) -> int:
    """Do what is due in these partitions; returns how much there was."""
    return _adopt(db, actor, parts) + fallout_bulk.run(db, actor, parts)


def _adopt(db: Database, actor: str, parts: Collection[int]) -> int:
    """Give each new incident a record, and close those whose incident somebody has resolved."""
    with db.transaction(actor=actor) as tx:
        found = {i.id: i for i in engine.open_incidents(tx, parts)}
        known = {row[0] for row in tx.rows(_KNOWN, (sorted(parts),))}
    done = 0
    for part, ids in groupby(sorted(found.keys() ^ known, key=part_of), key=part_of):
        chosen = list(ids)
        with db.transaction(actor=actor) as tx:
            done += _settle(tx, part, [found[i] for i in chosen if i in found], [i for i in chosen if i in known])
    return done


def _settle(tx: Tx, part: int, new: Sequence[IncidentView], gone: Sequence[int]) -> int:
    records = store.records(tx, part, [*gone, *(i.id for i in new)])
    locked = journal.lock(tx, {*(i.root_id for i in new), *(r.order_id for r in records.values())})
    records = store.records(tx, part, records.keys())
    # The order itself may be what cannot be read: nothing is asked of it.
    pool = pool_of(tx, organization.top_unit(tx), INCIDENT_ROLE)
    moves: list[Move] = [
        (None, _record(tx, i, pool), {"code": i.code}) for i in new if i.id not in records and i.root_id in locked
    ]
    over = [records[i] for i in gone if records[i].state is not Standing.CLOSED]
    moves += [(r, store.after(r, Happening.CLOSE, tx.now, resolution="resolved"), {}) for r in over]
    store.move(tx, moves)
    return len(moves)


def _record(tx: Tx, i: IncidentView, pool: int | None) -> Record:
    told: dict[str, Any] = {"zh": i.message, "en": i.message}
    return Record(
        i.id, i.root_id, Subject.INCIDENT, i.node, None, None, None, i.code or INCIDENT, CauseClass.TECHNICAL, told,
        Handling.REPAIR, Standing.OPEN, pool, None, 1, i.created_at, tx.now + INCIDENT_LIMIT, i.created_at,
    )  # fmt: skip
