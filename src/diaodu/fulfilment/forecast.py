"""When an order would be done: the longest way through its work, as long as such work took lately, behind the queues.

Counted in elapsed time of the crews; calendars are not asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from diaodu.catalog.model import Performer, Policy
from diaodu.fulfilment.names import work_names
from diaodu.fulfilment.orders import OrderFacts
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.organization import queries as organization
from diaodu.planning.model import Wanted

# The newest tasks of each partition: an even sample of all, read by the primary key.
SAMPLE = 100
_TOOK = """
select w.kind, extract(epoch from t.ended_at - t.claimed_at) / 60
  from (select part, id from engine.v_human_task where part = %s order by id desc limit %s) n
  join engine.v_human_task t on t.part = n.part and t.id = n.id
  join workforce.work_order w on w.part = n.part and w.id = n.id
 where t.state = 3 and t.claimed_at is not null
"""
_OPEN = "select pool, count(*) from engine.v_human_task where pool = any(%s::int4[]) and state = 0 group by pool"


@dataclass(frozen=True)
class Forecast:
    """What the work takes, in minutes, and how much of that is waiting for those who do it."""

    minutes: float
    queue: float

    def after(self, start: datetime) -> datetime:
        """The predicted end."""
        return start + timedelta(minutes=self.minutes)


def forecast(tx: Tx, order: OrderFacts, wanted: Sequence[Wanted]) -> Forecast:
    """The forecast of an order that is begun now, by the work that its lines want of people."""
    kinds = {w.work for w in wanted if order.release.work[w.work].performer is Performer.PEOPLE}
    took = _took(tx, kinds)
    takes = {k: took.get(k, float(order.release.work[k].limit_minutes)) for k in kinds}
    waits = _waits(tx, order, wanted, takes)
    length: dict[tuple[str, str], float] = {}
    queue = 0.0
    for w in _in_order(wanted):
        before = max((length.get((w.group, kind), 0.0) for kind in w.after), default=0.0)
        # Effects of one kind of work are one visit: what they wait for is waited for once.
        own = takes.get(w.work, 0.0) + waits.get(w.work, 0.0)
        length[w.group, w.kind] = max(length.get((w.group, w.kind), 0.0), before + own)
        queue = max(queue, waits.get(w.work, 0.0))
    return Forecast(max(length.values(), default=0.0), queue)


def _took(tx: Tx, kinds: set[str]) -> dict[str, float]:
    """The median of what finished work of each kind took, from being taken to being reported."""
    found: dict[str, list[float]] = {}
    for part in range(tx.parts) if kinds else ():
        for kind, minutes in tx.rows(_TOOK, (part, SAMPLE)):
            found.setdefault(kind, []).append(float(minutes))
    return {kind: median(values) for kind, values in found.items() if kind in kinds}


def _waits(tx: Tx, order: OrderFacts, wanted: Sequence[Wanted], takes: Mapping[str, float]) -> dict[str, float]:
    """How long work of each kind lies on its worklist: what lies there before it, shared by those who work it off."""
    pools: dict[str, int] = {}
    for w in wanted:
        if w.work in takes and w.work not in pools and (pool := _pool(tx, order, w)) is not None:
            pools[w.work] = pool
    waiting: dict[int, int] = dict(tx.rows(_OPEN, (sorted(set(pools.values())),)) if pools else ())
    people = {pool: len(organization.people_of(tx, pool)) or 1 for pool in waiting}
    return {k: waiting[pool] * takes[k] / people[pool] for k, pool in pools.items() if pool in waiting}


def _pool(tx: Tx, order: OrderFacts, w: Wanted) -> int | None:
    line = order.lines()[w.item_key]
    names: Mapping[str, Any] = {"工作": work_names(order.release.work[w.work])}
    try:
        return organization.pool_for(tx, line.address["unit"], order.decide(Policy.WORK_ROLE, line, names))
    except NotFound:
        return None  # nobody does it there: what it takes is all that is known


def _in_order(wanted: Sequence[Wanted]) -> Sequence[Wanted]:
    """Each after all that it comes after, in its group."""
    left, done, result = list(wanted), set[tuple[str, str]](), list[Wanted]()
    kinds = {(w.group, w.kind) for w in wanted}
    while left:
        ready = [w for w in left if all((w.group, k) in done or (w.group, k) not in kinds for k in w.after)] or left
        done |= {(w.group, w.kind) for w in ready}
        result += ready
        left = [w for w in left if w not in ready]
    return result
