"""What a dispatcher does with work orders of one order: hand them over, split one in two, make two one."""

from collections.abc import Collection
from dataclasses import replace

from diaodu.engine import commands as engine
from diaodu.engine import queries as tasks
from diaodu.engine.ports import Nudge
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of
from diaodu.workforce import commands, errors, queries
from diaodu.workforce.queries import Desk


def hand_over(tx: Tx, work_order_id: int, *, pool: int | None, person: int | None, by: str, reason: str) -> None:
    """Give a work order to another worklist or person; NotYours when it has ended.

    Whoever held it may still report what he did: his report lands as late.
    """
    task = tasks.get_task(tx, work_order_id)
    journal.lock(tx, [task.root_id])
    if not engine.hand_over_tasks(tx, [work_order_id], pool=pool, person=person, by=by, reason=reason):
        raise errors.NotYours(id=work_order_id, state=tasks.get_task(tx, work_order_id).state)


def split(tx: Tx, work_order_id: int, effects: Collection[int]) -> int:
    """Move some of what an offered work order carries to a new one; its id.

    The stage offers the new one. NotSplittable when somebody is at it, or when nothing would stay or go.
    """
    desk = _offered(tx, work_order_id)
    w = desk.work_order
    moved = tuple(line for line in w.carried if line.effect in set(effects))
    if not moved or len(moved) == len(w.carried) or len(moved) != len(set(effects)):
        raise errors.NotSplittable(id=work_order_id, carried=sorted(line.effect for line in w.carried))
    made = replace(w, id=tx.new_id(part_of(w.id)), lines=moved)
    commands.create(tx, [made])
    left = tuple(replace(line, dropped=True) if line in moved else line for line in w.lines)
    commands.rewrite(tx, [replace(w, lines=left)])
    journal.record(tx, w.order_id, {"t": "work.split", "id": w.id, "into": made.id, "by": tx.actor})
    engine.signal(tx, [Nudge(w.order_id)])
    return made.id


def merge(tx: Tx, work_order_id: int, others: Collection[int]) -> None:
    """Move all that other offered work orders of the same order and kind carry into this one; their tasks go."""
    w = _offered(tx, work_order_id).work_order
    given = [_offered(tx, i).work_order for i in sorted(set(others) - {work_order_id})]
    if not given or any((o.order_id, o.kind) != (w.order_id, w.kind) for o in given):
        raise errors.NotMergeable(id=work_order_id)
    taken = tuple(line for o in given for line in o.carried)
    known = {line.effect for line in taken}
    kept = tuple(line for line in w.lines if line.effect not in known)
    emptied = [replace(o, lines=tuple(replace(line, dropped=True) for line in o.lines)) for o in given]
    commands.rewrite(tx, [replace(w, lines=(*kept, *taken)), *emptied])
    for o in given:
        journal.record(tx, w.order_id, {"t": "work.merged", "id": o.id, "into": w.id, "by": tx.actor})
    engine.signal(tx, [Nudge(w.order_id)])


def _offered(tx: Tx, work_order_id: int) -> Desk:
    order_id = queries.work_orders(tx, [work_order_id])[work_order_id].order_id
    if not journal.lock(tx, [order_id]):
        raise NotFound(entity="workOrder", id=work_order_id)
    desk = queries.desks(tx, [order_id])[order_id][work_order_id]
    if desk.state != "offered":
        raise errors.NotYours(id=work_order_id, state=desk.state)
    return desk
