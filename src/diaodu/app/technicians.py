"""The demonstration's technicians: they claim what is on their worklists and report it with valid forms."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.catalog.model import FormField, WorkKind
from diaodu.kernel.db import Database, Tx
from diaodu.organization import queries as organization
from diaodu.workforce import commands as workforce
from diaodu.workforce import queries as work_orders
from diaodu.workforce.model import EffectOutcome, WorkOrder, WorkReport

# Among these a number field finds one that it accepts: losses in dB, optical power in dBm, plain counts.
_NUMBERS = (-20, 12, 1, 0, 100)
# Tasks that a diagram draws have no work order: they are somebody else's.
_OFFERED = """
select t.part, t.pool, t.id from engine.human_task t
 where t.state = 0 and exists (select from workforce.work_order w where w.part = t.part and w.id = t.id)
 order by t.part, t.pool, t.due_at, t.id limit %s
"""


def work_once(db: Database, limit: int = 500) -> int:
    """Claim and report what is on offer, set-wise per partition and worklist; returns the number of work orders."""
    with db.transaction(actor="technicians") as tx:
        offered = tx.rows(_OFFERED, (limit,))
    batches: dict[tuple[int, int], list[int]] = {}
    for part, pool, task in offered:
        batches.setdefault((part, pool), []).append(task)
    return sum(_work(db, pool, tasks) for (_, pool), tasks in batches.items())


def _work(db: Database, pool: int, tasks: Sequence[int]) -> int:
    with db.transaction(actor="technicians") as tx:
        people = organization.people_of(tx, pool)
        person = people[tasks[0] // 256 % len(people)].id
        orders = [w for w in work_orders.work_orders(tx, tasks).values() if w.carried]
        taken = workforce.claim_many(tx, orders, person)
    mine = [w for w in orders if w.id not in taken]
    with db.transaction(actor=f"person:{person}") as tx:
        workforce.report_many(tx, [report_of(tx, w) for w in mine], person)
    return len(mine)


def report_of(tx: Tx, work_order: WorkOrder) -> WorkReport:
    """A report that the forms of the work order accept; its id is that of the work order."""
    kind = catalog.get_release(tx, work_order.release_id).work[work_order.kind]
    outcomes = tuple(
        EffectOutcome(line.effect, ok=True, data=_filled(kind, line.kind, line.params)) for line in work_order.carried
    )
    return WorkReport(work_order.id, f"demo-{work_order.id}", outcomes)


def _filled(kind: WorkKind, effect_kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
    return {f.name: _value(f, params) for f in kind.forms.get(effect_kind, ())}


def _value(field: FormField, params: Mapping[str, Any]) -> Any:
    if field.type == "boolean":
        return True
    if field.type == "string":
        return next((str(v) for k, v in params.items() if k in ("onu", "stb", "router") and v), "SN-0001")
    candidates: Iterable[Any] = [params["speed"], *_NUMBERS] if "speed" in params else _NUMBERS
    return next(v for v in candidates if field.valid is None or field.valid.evaluate({"值": v, "参数": params}) is True)
