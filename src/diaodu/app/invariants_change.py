"""The invariants of what happens to orders under way: who waits for whom, and what that is about."""

from collections.abc import Iterator

from diaodu.kernel.db import Tx
from diaodu.ordering.model import FINAL

_FINAL = [str(s) for s in FINAL]

# A request to cancel is decided by a job; what it took back is on its way out; and each item that is asked about has
# a request that asks.
_CANCELS = """
select t.order_id, 'cancel task ' || t.id || ': acknowledged, and nothing will decide it'
  from ordering.cancel_task t
 where t.state = 'acknowledged'
   and not exists (select from engine.job j where j.part = t.part and j.root_id = t.order_id and j.state = 0)
union all
select t.order_id, 'cancel task ' || t.id || ': ' || t.state || ', and nothing of it is being cancelled'
  from ordering.cancel_task t
 where t.state in ('inProgress', 'terminatedWithError')
   and not exists (
     select from ordering.order_item i, jsonb_array_elements(t.items->'judged') v
      where i.part = t.part and i.order_id = t.order_id and i.item_key = v->>'key'
        and v->>'verdict' in ('cancel', 'consent') and i.state = 'pendingCancellation')
union all
select i.order_id, 'item ' || i.item_key || ': a cancellation is assessed that nobody asked for'
  from ordering.order_item i
 where i.state = 'assessingCancellation'
   and not exists (
     select from ordering.cancel_task t, jsonb_array_elements(t.items->'judged') v
      where t.part = i.part and t.order_id = i.order_id and t.state = 'acknowledged' and v->>'key' = i.item_key)
"""
# A recall is a question to somebody who is at the work.
_RECALLS = """
select r.order_id, 'recall ' || r.id || ': ' || r.state || ', and nobody is at task ' || r.task_id
  from workforce.recall r
 where r.ended_at is null
   and not exists (select from engine.human_task t where t.part = r.part and t.id = r.task_id
                      and t.state in (1, 2) and t.assignee is not null)
"""
# sql: a label may stand in another partition than the work that carries it; read without a lock, by the doctor alone
_LABELS = """
select w.order_id, 'work order ' || w.id || ' stands in a visit that does not exist'
  from workforce.work_order w
 where w.visit_id is not null and not exists (select from workforce.visit v where v.id = w.visit_id)
union all
select f.order_id, 'failure ' || f.id || ' is claimed by nobody'
  from fulfilment.fallout f where f.state = 'claimed' and f.assignee is null
union all
select f.order_id, 'failure ' || f.id || ' is ' || f.state || ', but its effect is ' || e.state
  from fulfilment.fallout f join planning.effect e on e.part = f.part and e.order_id = f.order_id and e.id = f.id
 where f.state in ('open', 'claimed') and e.state <> 'failed'
   and not exists (select from engine.job j where j.part = f.part and j.root_id = f.order_id and j.state = 0)
"""
# The pauses of a clock are the holds of its order: each within the life of the order, each open once, none after the
# end; so what has elapsed and what was paused add up to the time since it was captured.
_PAUSES = """
select h.order_id, 'hold ' || h.id || ' ends before it begins' from ordering.hold h where h.ended_at < h.since_at
union all
select h.order_id, 'hold ' || h.id || ' is open, but its item is ' || i.state
  from ordering.hold h join ordering.order_item i
       on i.part = h.part and i.order_id = h.order_id and i.item_key = h.item_key
 where h.ended_at is null and i.state = any(%(final)s::text[])
union all
select h.order_id, 'two holds for ' || h.cause || ' on item ' || h.item_key
  from ordering.hold h where h.ended_at is null group by h.part, h.order_id, h.item_key, h.cause having count(*) > 1
union all
select i.order_id, 'item ' || i.item_key || ' is held by a failure that nothing pauses for'
  from ordering.order_item i
 where i.reason like 'fallout:%%' and i.state = 'held'
   and not exists (select from ordering.hold h where h.part = i.part and h.order_id = i.order_id
                      and h.item_key in ('', i.item_key) and h.cause = 'fallout' and h.ended_at is null)
"""


def owned(tx: Tx) -> Iterator[str]:
    """Requests to cancel, recalls, visits and failures have somebody who ends them."""
    for statement in (_CANCELS, _RECALLS, _LABELS):
        for order, what in tx.rows(statement):
            yield f"order {order}: {what}"


def paused(tx: Tx) -> Iterator[str]:
    """Elapsed and paused time add up: the holds are whole."""
    for order, what in tx.rows(_PAUSES, {"final": _FINAL}):
        yield f"order {order}: {what}"
