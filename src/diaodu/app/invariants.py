"""The invariants of the data, each a small check that names what breaks it; safe beside running workers.

A transaction reads one snapshot, but an order and an area are written by different ones: a check that compares them
asks only for what must hold at every moment between these.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from diaodu.app.invariants_change import owned, paused
from diaodu.app.network_audit import audit_network
from diaodu.app.replay import replay
from diaodu.engine import instance as engine
from diaodu.fulfilment.fallout_model import Standing
from diaodu.inventory.model import ProductState, RequestState, ResourceState, ServiceState
from diaodu.kernel.db import Database, Tx
from diaodu.ordering.cancel import CancelState
from diaodu.ordering.model import FINAL, ItemState, RevisionState, order_state
from diaodu.planning.model import State
from diaodu.workforce.model import RecallState

_FINAL = [str(s) for s in FINAL]


@dataclass(frozen=True)
class Check:
    """One invariant and what breaks it; ``note`` says why it could not be looked at."""

    name: str
    says: str
    violations: list[str] = field(default_factory=list)
    note: str = ""

    def line(self) -> str:
        """For people."""
        found = self.note or (f"BROKEN: {len(self.violations)}" if self.violations else "whole")
        return f"{self.name:4} {found:12} {self.says}"


def check_all(db: Database, *, network: bool = True) -> Iterator[Check]:
    """Check I1 to I10, one after the other; the systems outside are asked only when ``network`` is set."""
    for name, (says, look) in _SIMPLE.items():
        with db.transaction(actor="doctor") as tx:
            yield Check(name, says, list(look(tx)))
        if name == "I5" and network:
            audit = audit_network(db)
            yield Check("I6", "the systems hold what the ledger says 网络与台账一致", audit.violations, audit.note)
    changed, differing = replay(db)
    yield Check("I7", "what has ended does not change 终态不变", changed)
    with db.transaction(actor="doctor") as tx:
        yield Check("I8", "elapsed + paused = wall time 时限守恒", list(paused(tx)))
        yield Check("I9", "an order is the roll-up of its items 订单由订单项汇总", list(_roll_up(tx)))
    yield Check("I10", "the history gives the stored states, and its chain is whole 历史可重放", differing)


def _states(tx: Tx) -> Iterator[str]:
    """Every state is one of those declared."""
    texts: Mapping[str, list[str]] = {
        "ordering.order_item": [str(s) for s in ItemState],
        "planning.effect": [str(s) for s in State],
        "ordering.revision": [str(s) for s in RevisionState],
        "ordering.cancel_task": [str(s) for s in CancelState],
        "workforce.recall": [str(s) for s in RecallState],
        "fulfilment.fallout": [str(s) for s in Standing],
    }
    numbers: Mapping[str, list[int]] = {
        "engine.instance": [engine.ACTIVE, engine.ENDED, engine.CANCELLED, engine.SUSPENDED],
        "engine.job": [engine.READY, engine.DONE, engine.FAILED],
        "engine.human_task": [engine.OFFERED, engine.CLAIMED, engine.HELD, engine.COMPLETED, engine.WITHDRAWN],
        "inventory.resource": [int(s) for s in ResourceState],
        "inventory.request": [int(s) for s in RequestState],
        "inventory.product": [int(s) for s in ProductState],
        "inventory.service": [int(s) for s in ServiceState],
    }
    for table, known in [*texts.items(), *numbers.items()]:
        kind = "text[]" if table in texts else "int2[]"
        key = "order_id" if table == "ordering.revision" else "id"
        for entity, state in tx.rows(f"select {key}, state from {table} where state <> all(%s::{kind})", (known,)):
            yield f"{table} {entity}: state {state!r}"


# People move what failed (an incident), what the audit sent back, and what is on hold, with what waits for it.
_UNMOVED = """
select i.order_id, i.item_key, i.state from ordering.order_item i
 where i.state <> all(%s::text[]) and not (i.state = 'pending' and i.reason is not null)
   and not exists (select from ordering.hold h where h.part = i.part and h.order_id = i.order_id and h.ended_at is null
                      and h.cause in ('customer', 'suspended', 'returned', 'pre'))
   and not exists (select from engine.job j where j.part = i.part and j.root_id = i.order_id and j.state = 0)
   and not exists (select from engine.incident n where n.part = i.part and n.root_id = i.order_id
                      and n.resolved_at is null)
   and not exists (select from engine.human_task t where t.part = i.part and t.root_id = i.order_id
                      and t.state in (0, 1, 2))
   and not exists (select from planning.effect e where e.part = i.part and e.order_id = i.order_id
                      and (e.state in ('sent', 'unknown', 'failed')
                           or e.state = 'intent' and e.ready and e.element is not null))
 order by i.order_id, i.id
"""


# What has failed stands on somebody's list, unless the report is under way that puts it to work again.
_UNOWNED = """
select e.order_id, e.id, e.kind from planning.effect e
 where e.state = 'failed'
   and not exists (select from fulfilment.fallout f where f.part = e.part and f.id = e.id
                      and f.state in ('open', 'claimed'))
   and not exists (select from engine.job j where j.part = e.part and j.root_id = e.order_id and j.state = 0)
 order by e.order_id, e.id
"""


def _moved(tx: Tx) -> Iterator[str]:
    """Every item that has not ended has something that will move it; what failed has an owner."""
    for order, item, state in tx.rows(_UNMOVED, (_FINAL,)):
        yield f"order {order} item {item}: {state}, and nothing will move it"
    for order, effect, kind in tx.rows(_UNOWNED):
        yield f"order {order}: effect {effect} ({kind}) failed, and nobody has it"
    yield from owned(tx)


# What the inventory was loaded with holds itself: the network without an order of ours.
_LOOSE = """
select 'free but held', r.id from inventory.resource r
 where r.state = 0 and (r.holder is not null or r.order_id is not null)
union all
select 'reserved for no open order', r.id from inventory.resource r
 where r.state = 1 and not exists (
   select from ordering.order_item i where i.part = r.order_id & 255 and i.order_id = r.order_id
      and i.state <> all(%(final)s::text[]))
union all
select 'reserved for what was undone', r.id from inventory.resource r
 where r.state = 1 and exists (
   select from planning.effect e where e.part = r.order_id & 255 and e.order_id = r.order_id
      and e.thing_id = r.holder and e.work = 'reserve' and e.state = 'undone')
   and not exists (
   select from planning.effect e where e.part = r.order_id & 255 and e.order_id = r.order_id
      and e.thing_id = r.holder and e.work = 'reserve' and e.state <> 'undone')
union all
select 'in use by nothing known', r.id from inventory.resource r
 where r.state = 2 and r.holder is not null and r.holder <> r.id
   and not exists (select from inventory.product p, jsonb_array_elements(p.realisations) f
                    where p.area = r.area and (f->>'thing')::int8 = r.holder and p.state not in (5, 6))
   and not exists (select from planning.effect e join ordering.order_item i
                       on i.part = e.part and i.order_id = e.order_id and i.state <> all(%(final)s::text[])
                    where e.part = r.holder & 255 and e.thing_id = r.holder and e.state <> 'undone')
"""
# The newest confirmed reservation of each thing in an open order, unless it is being given back.
_HELD = """
with fact as (
  select distinct on (e.part, e.order_id, e.thing_id, e.kind) e.*
    from planning.effect e
   where e.work = 'reserve' and e.state = 'confirmed' and e.op <> 'undo'
   order by e.part, e.order_id, e.thing_id, e.kind, (e.op = 'inherited'), e.id desc)
select f.order_id, f.id, (x->>'id')::int8 from fact f
 cross join lateral jsonb_array_elements(f.result->'resources') x
 where exists (select from ordering.order_item i where i.part = f.part and i.order_id = f.order_id
                  and i.state <> all(%(final)s::text[]))
   and not exists (select from planning.effect u where u.part = f.part and u.order_id = f.order_id and u.of_id = f.id)
   -- nor asked back with its whole request: the area may have freed it before the order has heard so
   and not exists (select from planning.effect u where u.part = f.part and u.order_id = f.order_id
                      and u.kind = 'wish.withdraw' and u.state in ('intent', 'sent', 'unknown')
                      and u.params->'wishes' @> to_jsonb(f.id))
   and not exists (select from inventory.resource r where r.area = split_part(f.element, ':', 2)::int4
                      and r.id = (x->>'id')::int8 and r.holder = f.thing_id and r.state in (1, 2))
"""
_INSTALLED = """
select p.id, f->>'kind', x->>'code' from inventory.product p
 cross join lateral jsonb_array_elements(p.realisations) f
 cross join lateral jsonb_array_elements(f->'result'->'resources') x
 where p.state = 2 and p.claimed_by is null and f->'result' ? 'resources'
   and not exists (select from inventory.resource r where r.area = p.area and r.id = (x->>'id')::int8
                      and r.holder = (f->>'thing')::int8 and r.state = 2)
"""


def _balanced(tx: Tx) -> Iterator[str]:
    """The ledger of resources balances with orders and installed products."""
    final = {"final": _FINAL}
    for what, resource in tx.rows(_LOOSE, final):
        yield f"resource {resource}: {what}"
    for order, effect, resource in tx.rows(_HELD, final):
        yield f"order {order}: effect {effect} reserved resource {resource}, which its thing does not hold"
    for product, kind, code in tx.rows(_INSTALLED):
        yield f"product {product}: {kind} built on {code}, which it does not hold"


def _one_intake(tx: Tx) -> Iterator[str]:
    """At most one revision of an order is in intake."""
    for order, count in tx.rows(
        "select order_id, count(*) from ordering.revision where state = 'intake'"
        " group by part, order_id having count(*) > 1"
    ):
        yield f"order {order}: {count} revisions in intake"


_TOO_EARLY = """
select e.order_id, e.id, e.kind, e.state, coalesce(n.kind, n.id::text, '?')
  from planning.effect e cross join lateral unnest(e.needs) as u(id)
  left join planning.effect n on n.part = e.part and n.order_id = e.order_id and n.id = u.id
 where e.op <> 'inherited' and e.state in ('sent', 'unknown', 'confirmed')
   and not coalesce(e.result, '{}') ? 'late'  -- done before anybody could say that it was to wait
   and (n.id is null or n.state not in ('confirmed', 'undone')
        or n.state = 'confirmed' and e.sent_at is not null and n.ended_at > e.sent_at)
"""


def _in_turn(tx: Tx) -> Iterator[str]:
    """Nothing is sent or done before all that it needs is confirmed."""
    for order, effect, kind, state, need in tx.rows(_TOO_EARLY):
        yield f"order {order}: effect {effect} ({kind}) is {state} before {need}"


def _roll_up(tx: Tx) -> Iterator[str]:
    """The view of orders says what the model says; nothing is complete before its parts."""
    for order, stored, states in tx.rows(
        "select o.id, o.state, array_agg(i.state) from ordering.v_product_order o"
        " join ordering.order_item i on i.part = o.part and i.order_id = o.id group by o.id, o.state"
    ):
        if stored != (derived := order_state(ItemState(s) for s in states)):
            yield f"order {order}: {stored}, its items say {derived}"
    for order, parent, child, state in tx.rows(
        "select p.order_id, p.item_key, c.item_key, c.state from ordering.order_item p join ordering.order_item c"
        " on c.part = p.part and c.order_id = p.order_id and c.parent_key = p.item_key"
        " where p.state = 'completed' and c.state <> all(%s::text[])",
        (_FINAL,),
    ):
        yield f"order {order}: item {parent} is completed, its part {child} is {state}"


_SIMPLE: Mapping[str, tuple[str, Callable[[Tx], Iterator[str]]]] = {
    "I1": ("every state is a declared one 状态合法", _states),
    "I2": ("what has not ended has something that will move it 未结者有推动者", _moved),
    "I3": ("the ledger of resources balances 资源账平", _balanced),
    "I4": ("at most one revision of an order is in intake 同一订单仅一个在途版本", _one_intake),
    "I5": ("nothing is done before what it needs 前置先行", _in_turn),
}
