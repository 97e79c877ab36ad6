"""What a worker does beside its batches: signals on their way to other roots, and processes that start by the clock.

Each step is a transaction of one key of one family and harmless when it is done twice, so a crash between two of them
loses and doubles nothing.
"""

from collections.abc import Collection
from datetime import datetime

from diaodu.engine import store
from diaodu.engine.instance import READY, Job
from diaodu.engine.model import Broadcast, Start
from diaodu.engine.signals import body_of
from diaodu.engine.times import next_of
from diaodu.kernel import journal, keys
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.ids import part_of

AT_ONCE = 100
_THROWN = """
select p from unnest(%s::int2[]) p where exists (select from engine.broadcast where part = p) order by p
"""


def run(db: Database, actor: str, parts: Collection[int]) -> int:
    """Do what is due for these partitions; the holder of partition 0 starts the scheduled processes."""
    with db.transaction(actor=actor) as tx:
        thrown = [r[0] for r in tx.rows(_THROWN, (sorted(parts),))]
    done = sum(_spread(db, actor, part) for part in thrown)
    return done + (_start_due(db, actor) if 0 in parts else 0)


# Signals ------------------------------------------------------------------------------------------------------


def _spread(db: Database, actor: str, part: int) -> int:
    """Give the signals thrown in a partition to all roots that wait for them."""
    with db.transaction(actor=actor) as tx:
        thrown = tx.rows(
            "select id, root_id, name, vars from engine.broadcast where part = %s order by id limit %s",
            (part, AT_ONCE),
        )
        waiting = tx.rows(
            "select distinct part from engine.subscription where name = any(%s)", ([t[2] for t in thrown],)
        )
    for (target,) in waiting:
        with db.transaction(actor=actor) as tx:
            for made, root, name, variables in thrown:
                _deliver(tx, target, made, Broadcast(root, name, variables, beyond=False))
    with db.transaction(actor=actor) as tx:
        tx.run("delete from engine.broadcast where part = %s and id = any(%s::int8[])", (part, [t[0] for t in thrown]))
    return len(thrown)


def _deliver(tx: Tx, part: int, made: int, thrown: Broadcast) -> None:
    rows = tx.rows(
        "select distinct root_id from engine.subscription where part = %s and name = %s and root_id <> %s",
        (part, thrown.name, thrown.root_id),
    )
    kind, name, body = body_of(thrown)
    jobs = [
        Job(tx.new_id(part), r[0], None, None, kind, name, f"signal:{made}", body, READY, tx.now, 0, tx.now)
        for r in rows
    ]
    store.insert_jobs(tx, jobs, once=True)


# Starts by the clock ------------------------------------------------------------------------------------------


def _start_due(db: Database, actor: str) -> int:
    with db.transaction(actor=actor) as tx:
        due = tx.rows(
            "select process, node, due_at from engine.schedule where due_at <= %s order by due_at limit %s",
            (tx.now, AT_ONCE),
        )
    for process, node, at in due:
        _start(db, actor, process, node, at)
        _advance(db, actor, process, node, at)
    return len(due)


def _start(db: Database, actor: str, process: str, node: str, at: datetime) -> None:
    """One start, at a root whose id the instant fixes."""
    key = f"{process} {node} {at.isoformat()}"
    with db.transaction(actor=actor) as tx:
        root = keys.id_for(tx, "schedule", source=process, key=key)
    with db.transaction(actor=actor) as tx:
        if journal.create(tx, [root], "process"):
            kind, name, body = body_of(Start(root, process, at.isoformat(), {}, node))
            job = Job(tx.new_id(part_of(root)), root, None, None, kind, name, None, body, READY, tx.now, 0, tx.now)
            store.insert_jobs(tx, [job])


def _advance(db: Database, actor: str, process: str, node: str, at: datetime) -> None:
    """The next start of a schedule; a newer version may have replaced it in the meantime."""
    key = (process, node, at)
    with db.transaction(actor=actor) as tx:
        row = tx.row(
            "select every, remaining from engine.schedule where process = %s and node = %s and due_at = %s", key
        )
        if row is None:
            return
        again = next_of(row[0], at, row[1], tx.now) if row[0] is not None else None
        if again is None:
            tx.run("delete from engine.schedule where process = %s and node = %s and due_at = %s", key)
        else:
            tx.run(
                "update engine.schedule set due_at = %s, remaining = %s"
                " where process = %s and node = %s and due_at = %s",
                (*again, *key),
            )
