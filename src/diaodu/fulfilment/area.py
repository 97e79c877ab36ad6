"""Between orders and areas: an area's worker takes the wishes of orders here and brings its answers back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from diaodu.engine import commands as engine
from diaodu.fulfilment.wanted import CLAIM
from diaodu.inventory.ports import Answer, Wanted
from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.ids import part_of

# The kinds of request that an area serves, by the kind of work that an effect asks for.
_KINDS: Mapping[str, str] = {"reserve": "reserve", "free": "free", "release": "release", "archive-resource": "archive"}
# Reading across partitions without locks: the request's key makes a repeat harmless. All reservations of one
# revision come together, whatever the limit.
_OPEN = """
with oldest as materialized (
  select part, order_id, id, revision, work from planning.effect
   where element = %s and state = 'intent' and ready and id <> all(%s::int8[]) order by priority, id limit %s)
, whole as (select distinct part, order_id, revision from oldest where work = 'reserve')
select e.id, e.order_id, e.revision, e.kind, e.work, e.thing_id, e.params, e.priority, e.created_at
  from oldest o join planning.effect e on e.part = o.part and e.order_id = o.order_id and e.id = o.id
 where o.work <> 'reserve'
union all
select e.id, e.order_id, e.revision, e.kind, e.work, e.thing_id, e.params, e.priority, e.created_at
  from whole o join planning.effect e on e.part = o.part and e.order_id = o.order_id and e.revision = o.revision
 where e.work = 'reserve' and e.element = %s and e.state = 'intent' and e.ready
"""


def pull(tx: Tx, area: int, limit: int, skip: Collection[int]) -> list[Wanted]:
    """The wishes addressed to an area that are not answered yet, without those named in ``skip``."""
    element = f"area:{area}"
    found = tx.rows(_OPEN, (element, list(skip), limit, element))
    return [
        Wanted(i, order_id, revision, _KINDS[work], _body(kind, thing, params), priority, created_at)
        for i, order_id, revision, kind, work, thing, params, priority, created_at in found
    ]


def _body(kind: str, thing: int, params: Mapping[str, Any]) -> Mapping[str, Any]:
    if kind == CLAIM:
        return {"thing": thing, "want": "claim", "claims": [params["claim"]]}
    return {"thing": thing, **params}


class Answers:
    """Brings the answers of areas to their orders, as reports, one transaction for each partition."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def __call__(self, answers: Sequence[Answer]) -> None:
        """Hand in one report for each answer; the same answer again enters once."""
        by_part: dict[int, list[Answer]] = {}
        for a in answers:
            by_part.setdefault(part_of(a.order_id), []).append(a)
        for part in sorted(by_part):
            with self._db.transaction(actor=f"area:{answers[0].area}") as tx:
                journal.lock(tx, {a.order_id for a in by_part[part]})
                engine.enqueue(tx, [_report(a) for a in by_part[part]])


def _report(a: Answer) -> engine.Enqueue:
    status = a.body["status"]
    state = {"served": "confirmed", "waiting": "waiting", "refused": "refused"}[status]
    outcomes = []
    for effect in a.effects:
        result = a.body.get("lines", {}).get(str(effect)) if a.kind == "reserve" else dict(a.body)
        outcomes.append({"effect": effect, "state": state, "result": result})
    body = {"source": "area", "area": a.area, "outcomes": outcomes, "claims": a.body.get("claims", {})}
    if status == "waiting":
        body["missing"] = a.body["missing"]
    if status == "refused":
        for outcome in outcomes:
            outcome["cause"] = {k: a.body[k] for k in ("code", "zh", "en") if k in a.body}
    return engine.Enqueue(a.order_id, "effect.report", body, f"area:{a.request_id}:{status}")
