"""Writes of the ledger; each is recorded in the history of its order."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.planning import queries
from diaodu.planning.model import (
    AREA,
    EFFECT_TABLE,
    LANDED,
    OPEN,
    SETTLED,
    TAKE_BACK,
    Effect,
    EffectEvent,
    Op,
    State,
    Step,
)

_INSERT = {
    "part": "int2", "id": "int8", "order_id": "int8", "revision": "int4", "thing_id": "int8", "kind": "text",
    "item_key": "text", "op": "text", "of_id": "int8", "state": "text", "ready": "bool", "held": "bool",
    "needs": "int8[]", "work": "text", "element": "text", "priority": "int2", "reads_hash": "text", "params": "jsonb",
    "undo": "jsonb", "result": "jsonb", "created_at": "timestamptz", "ended_at": "timestamptz",
}  # fmt: skip

_KEY = {"part": "int2", "order_id": "int8", "id": "int8"}
_LANDED = {"state": "text", "result": "jsonb", "attempts": "int2", "due_at": "timestamptz", "ended_at": "timestamptz"}
# The sender marks what it sends outside the lock of the order: whoever changes the row first wins.
_UNTOUCHED = "t.part = %s and t.order_id = u.order_id and t.id = u.id and t.state in ('intent', 'failed')"
_WITHDRAW = f"""
update planning.effect t set state = 'withdrawn', ended_at = %s
  from unnest(%s::int8[], %s::int8[]) as u(order_id, id) where {_UNTOUCHED} returning t.id
"""
_WAIT = f"""
update planning.effect t set needs = u.needs::int8[], ready = u.ready
  from unnest(%s::int8[], %s::int8[], %s::text[], %s::bool[]) as u(order_id, id, needs, ready)
 where {_UNTOUCHED} returning t.id
"""


@dataclass(frozen=True)
class Landing:
    """What became known of an effect."""

    effect: Effect
    state: State
    result: Mapping[str, Any] | None = None
    due_at: datetime | None = None  # when to send or ask again
    attempts: int | None = None


def add(tx: Tx, effects: Sequence[Effect]) -> None:
    """Insert effects; their orders are locked."""
    ended = (State.CONFIRMED, State.UNDONE)
    sets.insert(
        tx,
        "planning.effect",
        _INSERT,
        [
            (part_of(e.id), e.id, e.order_id, e.revision, e.thing_id, e.kind, e.item_key, e.op, e.of_id, e.state,
             e.ready, e.held, e.needs, e.work, e.element, e.priority, e.reads_hash, e.params, e.undo, e.result,
             tx.now, tx.now if e.state in ended else None)
            for e in effects
        ],
    )  # fmt: skip
    known = queries.ledger(tx, {e.order_id for e in effects})
    there = {k.id for of_order in known.values() for k in of_order}
    for e in effects:
        if e.id not in there:
            known[e.order_id].append(e)
        journal.record(tx, e.order_id, _added(e))


def _added(e: Effect) -> dict[str, Any]:
    entry = {"t": "effect.added", "id": e.id, "kind": e.kind, "thing": e.thing_id, "op": e.op, "state": e.state}
    entry |= {"revision": e.revision, "needs": list(e.needs)}
    return entry | ({"reason": e.reason} if e.reason else {}) | ({"held": True} if e.held else {})


def add_steps(
    tx: Tx, *, order_id: int, revision: int, steps: Sequence[Step], held_items: Collection[str] = ()
) -> list[Effect]:
    """Turn the steps of a plan into intents, in their order; a step is ready when all that comes before it is true.

    Steps of ``held_items`` (item keys, "" is all of them) are held.
    """
    part = part_of(order_id)
    ids = {s.key: tx.new_id(part) for s in steps}
    settled = _confirmed(queries.ledger(tx, [order_id])[order_id])
    made = []
    for s in steps:
        needs = tuple(sorted({*(ids[key] for key in s.after), *s.needs}))
        held = "" in held_items or s.item_key in held_items
        made.append(
            Effect(
                id=ids[s.key], order_id=order_id, revision=revision, thing_id=s.thing_id, kind=s.kind,
                item_key=s.item_key, op=s.op, of_id=s.of_id, state=State.INTENT,
                ready=not held and settled.issuperset(needs),
                needs=needs, work=s.work, element=s.element, priority=s.priority, reads_hash=s.reads_hash,
                params=s.params, undo=s.undo, held=held, reason=s.reason,
            )
        )  # fmt: skip
    return made


def land(tx: Tx, landings: Sequence[Landing]) -> list[Effect]:
    """Write what became known, set-wise; what the table of effects does not provide for is left out.

    Effects that waited only for what was confirmed here become ready. A fact of an effect that was withdrawn, or that
    waits for something else again, is late: its result says so. Returns the effects that changed.
    """
    rows, changed = [], []
    known = queries.ledger(tx, {landing.effect.order_id for landing in landings})
    true = {e.id for es in known.values() for e in es if e.state in (State.CONFIRMED, State.UNDONE)}
    true |= {landing.effect.id for landing in landings if landing.state is State.CONFIRMED}
    for landing in landings:
        before, event = landing.effect, LANDED[landing.state]
        if event not in EFFECT_TABLE.moves[before.state]:
            continue
        attempts = before.attempts if landing.attempts is None else landing.attempts
        waits = before.state is State.INTENT and event is EffectEvent.CONFIRM and not true.issuperset(before.needs)
        late = before.state is State.WITHDRAWN or waits
        result = landing.result or before.result
        after = replace(
            before,
            state=EFFECT_TABLE.moves[before.state][event],
            result={**(result or {}), "late": True} if late else result,
            attempts=attempts,
        )
        changed.append(after)
        ended = tx.now if after.state in SETTLED else None
        rows.append((*_key(after), after.state, after.result, attempts, landing.due_at, ended))
        _record(tx, before, after.state, late=late)
    sets.update(tx, "planning.effect", _KEY, _LANDED, rows)
    _remember(tx, changed)
    changed += _follow(tx, changed)
    _make_ready(tx, {e.order_id for e in changed})
    return changed


def _follow(tx: Tx, landed: Sequence[Effect]) -> list[Effect]:
    """What follows from what was confirmed: a fact that was undone, wishes that an area has forgotten."""
    done = [e for e in landed if e.state is State.CONFIRMED]
    gone = {e.of_id for e in done if e.op is Op.UNDO}
    forgotten = {i for e in done if e.kind == TAKE_BACK for i in e.params["wishes"]}
    if not gone and not forgotten:
        return []
    followed: list[tuple[Effect, State]] = []
    for e in (e for es in queries.ledger(tx, {e.order_id for e in done}).values() for e in es):
        event = EffectEvent.REFUSE if e.id in forgotten and e.state is not State.CONFIRMED else EffectEvent.UNDO
        if (e.id in gone or e.id in forgotten) and (after := EFFECT_TABLE.moves[e.state].get(event)):
            followed.append((e, after))
    for e, after in followed:
        _record(tx, e, after)
    changed = [replace(e, state=after) for e, after in followed]
    values = {"state": "text", "ended_at": "timestamptz"}
    sets.update(tx, "planning.effect", _KEY, values, [(*_key(e), e.state, tx.now) for e in changed])
    _remember(tx, changed)
    return changed


def withdraw(tx: Tx, effects: Sequence[Effect]) -> tuple[list[Effect], list[Effect]]:
    """Withdraw what was never begun (intents, and what failed); returns what is withdrawn, and what came too late.

    Too late is what a sender has taken in the meantime: it is ``sent`` from now on, and its answer is awaited.
    """
    if not effects:
        return [], []
    orders, ids = [e.order_id for e in effects], [e.id for e in effects]
    free = {r[0] for r in tx.rows(_WITHDRAW, (tx.now, orders, ids, part_of(orders[0])))}
    withdrawn = [replace(e, state=State.WITHDRAWN) for e in effects if e.id in free]
    for e in effects:
        if e.id in free:
            _record(tx, e, State.WITHDRAWN)
    _remember(tx, withdrawn)
    return withdrawn, _taken(tx, effects, free)


def wait_for(tx: Tx, waits: Sequence[tuple[Effect, Sequence[int]]]) -> list[Effect]:
    """Let intents wait for these effects and for no others; returns those for which it came too late, as sent."""
    if not waits:
        return []
    later = []
    for e, needs in waits:
        settled = _confirmed(queries.ledger(tx, [e.order_id])[e.order_id])
        ready = settled.issuperset(needs) and not e.held
        later.append(replace(e, needs=tuple(sorted(needs)), ready=ready))
    columns = (
        [e.order_id for e in later], [e.id for e in later],
        ["{" + ",".join(map(str, e.needs)) + "}" for e in later], [e.ready for e in later],
    )  # fmt: skip
    free = {r[0] for r in tx.rows(_WAIT, (*columns, part_of(later[0].id)))}
    _remember(tx, [e for e in later if e.id in free])
    return _taken(tx, later, free)


def _taken(tx: Tx, effects: Sequence[Effect], free: set[int]) -> list[Effect]:
    taken = [replace(e, state=State.SENT) for e in effects if e.id not in free]
    _remember(tx, taken)
    return taken


def hold(tx: Tx, order_id: int, item_keys: Collection[str]) -> None:
    """Put what is open of these items ("" is all of them) on hold: it is neither sent nor offered until it goes on.

    What is under way lands; it is not sent again. What an area was asked for already stays asked.
    """
    known = queries.ledger(tx, [order_id])[order_id]
    _set_held(tx, [replace(e, held=True, ready=False) for e in known if _may_wait(e, item_keys) and not e.held])


def go_on(tx: Tx, order_id: int, item_keys: Collection[str]) -> None:
    """End the hold of these items' effects."""
    known = queries.ledger(tx, [order_id])[order_id]
    settled = _confirmed(known)
    held = [e for e in known if e.held and ("" in item_keys or e.item_key in item_keys)]
    _set_held(tx, [replace(e, held=False, ready=settled.issuperset(e.needs)) for e in held])


def send_after(tx: Tx, effects: Sequence[Effect], at: datetime) -> None:
    """Keep intents of systems in their queue until an instant."""
    rows = [(*_key(e), at) for e in effects if e.state is State.INTENT]
    sets.update(tx, "planning.effect", _KEY, {"due_at": "timestamptz"}, rows)
    for e in effects:
        journal.record(tx, e.order_id, {"t": "effect.later", "id": e.id, "until": at.isoformat()})


def _may_wait(e: Effect, item_keys: Collection[str]) -> bool:
    asked = (e.element or "").startswith(AREA) and (e.ready or e.state is State.SENT)
    return e.state in OPEN and not asked and ("" in item_keys or e.item_key in item_keys)


def _set_held(tx: Tx, effects: Sequence[Effect]) -> None:
    values = {"held": "bool", "ready": "bool"}
    sets.update(tx, "planning.effect", _KEY, values, [(*_key(e), e.held, e.ready) for e in effects])
    for e in effects:
        journal.record(tx, e.order_id, {"t": "effect.held" if e.held else "effect.released", "id": e.id})
    _remember(tx, effects)


def _record(tx: Tx, before: Effect, after: State, *, late: bool = False) -> None:
    entry = {"t": "effect.state", "id": before.id, "kind": before.kind, "from": before.state, "to": after}
    journal.record(tx, before.order_id, entry | ({"late": True} if late else {}))


def _make_ready(tx: Tx, order_ids: set[int]) -> None:
    """Mark intents whose needs are all confirmed; the send queue holds only ready ones."""
    opened = []
    for effects in queries.ledger(tx, order_ids).values():
        settled = _confirmed(effects)
        opened += [
            replace(e, ready=True)
            for e in effects
            if e.state is State.INTENT and not e.ready and not e.held and settled.issuperset(e.needs)
        ]
    # People's work is offered by the stage itself; only what is sent needs the mark in its queue.
    sent = [e for e in opened if e.element is not None]
    sets.update(tx, "planning.effect", _KEY, {"ready": "bool"}, [(*_key(e), True) for e in sent])
    _remember(tx, opened)


def _confirmed(effects: Iterable[Effect]) -> set[int]:
    return {e.id for e in effects if e.state is State.CONFIRMED}


def _key(e: Effect) -> tuple[int, int, int]:
    return part_of(e.id), e.order_id, e.id


def _remember(tx: Tx, effects: Iterable[Effect]) -> None:
    changed: dict[int, dict[int, Effect]] = {}
    for e in effects:
        changed.setdefault(e.order_id, {})[e.id] = e
    for order_id, known in queries.ledger(tx, changed).items():
        known[:] = [changed[order_id].get(e.id, e) for e in known]
