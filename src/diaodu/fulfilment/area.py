"""Between orders and areas: an area's worker takes the wishes of orders here and brings its answers back.

Also what changes a wish that was served: another resource instead of a bad one, or the waiting list instead of it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from diaodu.engine import commands as engine
from diaodu.fulfilment.errors import NothingToRedesign
from diaodu.fulfilment.orders import OrderFacts
from diaodu.fulfilment.replan import replan
from diaodu.fulfilment.wanted import CLAIM, is_reservation
from diaodu.inventory import queries as inventory
from diaodu.inventory.ports import Answer, Wanted
from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.ids import part_of
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, Op, Step
from diaodu.planning.plan import current_facts

FAULTY = "resource.faulty"
# The kinds of request that an area serves, by the kind of work that an effect asks for.
_KINDS: Mapping[str, str] = {
    "reserve": "reserve", "free": "free", "release": "release", "archive-resource": "archive", "withdraw": "withdraw",
    "unclaim": "unclaim", "confirm": "confirm", "resume": "resume", "faulty": "faulty",
}  # fmt: skip
# Reading across partitions without locks: the request's key makes a repeat harmless. All reservations of one
# revision come together, whatever the limit. What is reserved before the customer has said yes is held until then.
_COLUMNS = "e.id, e.order_id, e.revision, e.kind, e.work, e.thing_id, e.params, e.priority, e.created_at"
_OPEN = f"""
with oldest as materialized (
  select part, order_id, id, revision, work from planning.effect
   where element = %s and state = 'intent' and ready and id <> all(%s::int8[]) order by priority, id limit %s)
, whole as (select distinct part, order_id, revision from oldest where work = 'reserve')
select {_COLUMNS}, null::timestamptz
  from oldest o join planning.effect e on e.part = o.part and e.order_id = o.order_id and e.id = o.id
 where o.work <> 'reserve'
union all
select {_COLUMNS}, h.until_at
  from whole o join planning.effect e on e.part = o.part and e.order_id = o.order_id and e.revision = o.revision
  left join ordering.hold h on h.part = o.part and h.order_id = o.order_id and h.cause = 'pre' and h.item_key = ''
        and h.ended_at is null
 where e.work = 'reserve' and e.element = %s and e.state = 'intent' and e.ready
"""


def pull(tx: Tx, area: int, limit: int, skip: Collection[int]) -> list[Wanted]:
    """The wishes addressed to an area that are not answered yet, without those named in ``skip``."""
    element = f"area:{area}"
    return [_wanted(row) for row in tx.rows(_OPEN, (element, list(skip), limit, element))]


def _wanted(row: Sequence[Any]) -> Wanted:
    i, order_id, revision, kind, work, thing, params, priority, created_at, until = row
    body = {"thing": thing, **params}
    if kind == CLAIM:
        body = {"thing": thing, "want": "claim", "claims": [params["claim"]]}
    if until is not None:
        body["until"] = until.isoformat()
    # Who is designed anew keeps the rank of the first wish.
    asked_at = datetime.fromisoformat(body.pop("asked_at")) if "asked_at" in body else created_at
    return Wanted(i, order_id, revision, _KINDS[work], body, priority, asked_at)


class Answers:
    """Brings the answers of areas to their orders, as reports, one transaction for each partition."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def __call__(self, answers: Sequence[Answer]) -> None:
        """Hand in one report for each answer; the same answer again enters once.

        What an area has given back since it answered is not told any more: the answer would be a fact that is none.
        """
        by_part: dict[int, list[Answer]] = {}
        for a in answers:
            by_part.setdefault(part_of(a.order_id), []).append(a)
        for part in sorted(by_part):
            with self._db.transaction(actor=f"area:{answers[0].area}") as tx:
                journal.lock(tx, {a.order_id for a in by_part[part]})
                gone = inventory.given_back(tx, answers[0].area, [a.request_id for a in by_part[part]])
                told = [a for a in by_part[part] if a.request_id not in gone or a.body["status"] == "expired"]
                engine.enqueue(tx, [job for a in told for job in _jobs(a)])


def _jobs(a: Answer) -> list[engine.Enqueue]:
    """The report; and of a soft reservation whose time ran out, that its order ends."""
    status = a.body["status"]
    jobs = [engine.Enqueue(a.order_id, "effect.report", _report(a), f"area:{a.request_id}:{status}")]
    if status == "expired":
        jobs.append(engine.Enqueue(a.order_id, "preacceptance.expired", {}, f"expired:{a.request_id}"))
    return jobs


def _report(a: Answer) -> dict[str, Any]:
    status = a.body["status"]
    state = _STATES[status]
    outcomes = []
    for effect in a.effects:
        result = a.body.get("lines", {}).get(str(effect)) if a.kind == "reserve" else dict(a.body)
        outcomes.append({"effect": effect, "state": state, "result": result})
    if status == "soft":
        outcomes = [{**o, "result": {"until": a.body["until"]}} for o in outcomes]
    request = {"id": a.request_id, "kind": a.kind, "status": status} | {k: a.body[k] for k in _TOLD if k in a.body}
    body = {
        "source": "area", "area": a.area, "outcomes": outcomes, "claims": a.body.get("claims", {}), "request": request,
    }  # fmt: skip
    if status == "waiting":
        body["missing"] = a.body["missing"]
    if state == "refused":
        for outcome in outcomes:
            outcome["cause"] = {k: a.body[k] for k in ("code", "zh", "en") if k in a.body}
    return body


# A soft reservation stands with the area, as one that waits does; only a firm one is a fact.
_STATES: Mapping[str, str] = {
    "served": "confirmed", "soft": "sent", "waiting": "waiting", "refused": "refused", "expired": "refused",
}  # fmt: skip
# What the history keeps of an area's answer.
_TOLD = ("was", "until", "faulty", "missing", "alternatives")


def redesign(tx: Tx, order: OrderFacts, effect_ids: Collection[int], reason: str) -> list[Effect]:
    """What these effects of a locked order were to be done with is bad: it is marked, and another one is asked for.

    The new wish has the rank of the first one; what was to be done with the bad resource waits for the new one, and
    the plan follows when it is there. Returns the new effects; NothingToRedesign when no resource stands behind them.
    """
    known = effects.ledger(tx, [order.id])[order.id]
    about = [e for e in known if e.id in effect_ids]
    bad = [f for f in reservations(order, known) if any(_stands_on(e, f) for e in about)]
    if not bad:
        raise NothingToRedesign(id=order.id)
    first = asked_at(tx, bad)
    steps = [s for f in bad for s in _instead(f, first[f.id], reason)]
    made = ledger.add_steps(tx, order_id=order.id, revision=order.revision.n, steps=steps)
    ledger.add(tx, made)
    journal.record(tx, order.id, {"t": "design.repeated", "effects": sorted(effect_ids), "reason": reason})
    replan(tx, [order])
    return made


def reservations(order: OrderFacts, known: Sequence[Effect]) -> list[Effect]:
    """What areas hold for an order."""
    facts = current_facts(known).values()
    return [e for e in facts if is_reservation(e, order.release) and (e.result or {}).get("resources")]


def _stands_on(effect: Effect, reservation: Effect) -> bool:
    """Whether an effect is done with what was reserved for the same thing."""
    after = (effect.undo or {}).get("after") or ()
    return effect.thing_id == reservation.thing_id and effect.op is not Op.UNDO and reservation.kind in after


def asked_at(tx: Tx, wishes: Sequence[Effect]) -> dict[int, str]:
    """When each was first asked for."""
    rows = tx.rows(
        "select id, created_at from planning.effect where part = %s and order_id = %s and id = any(%s::int8[])",
        (part_of(wishes[0].order_id), wishes[0].order_id, [e.id for e in wishes]),
    )
    first = {e.id: e.params["asked_at"] for e in wishes if "asked_at" in e.params}
    return {i: created.isoformat() for i, created in rows} | first


def _instead(f: Effect, asked: str, reason: str) -> list[Step]:
    """Mark what a reservation holds as bad, then the same wish again."""
    assert f.result is not None
    chosen = [r["id"] for r in f.result["resources"]]
    mark = Step(
        op=Op.UNDO,
        thing_id=f.thing_id,
        kind=FAULTY,
        item_key=f.item_key,
        work="faulty",
        element=f.element,
        priority=f.priority,
        reads_hash=None,
        # What was chosen with it (the VLAN of a port) stands behind it and is good.
        params={"faulty": chosen[:1], "resources": chosen, "reason": reason},
        undo=None,
        of_id=f.id,
        after=frozenset(),
        reason="faulty",
    )
    return [mark, wish_again(f, asked, frozenset({mark.key}))]


def wish_again(f: Effect, asked: str, after: frozenset[Any], **more: Any) -> Step:
    """The wish that a reservation came from, once more and with its rank."""
    params = {k: v for k, v in f.params.items() if k != "key"}
    return Step(
        op=Op.DO,
        thing_id=f.thing_id,
        kind=f.kind,
        item_key=f.item_key,
        work=f.work,
        element=f.element,
        priority=f.priority,
        reads_hash=f.reads_hash,
        params={**params, "asked_at": asked, **more},
        undo=f.undo,
        of_id=None,
        after=after,
        reason="again",
    )
