"""Writes of the ledger; each is recorded in the history of its order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.planning import queries
from diaodu.planning.model import TRANSITIONS, Effect, Op, State, Step

_INSERT = {
    "part": "int2", "id": "int8", "order_id": "int8", "revision": "int4", "thing_id": "int8", "kind": "text",
    "item_key": "text", "op": "text", "of_id": "int8", "state": "text", "ready": "bool", "needs": "int8[]",
    "work": "text", "element": "text", "priority": "int2", "reads_hash": "text", "params": "jsonb", "undo": "jsonb",
    "result": "jsonb", "created_at": "timestamptz", "ended_at": "timestamptz",
}  # fmt: skip

_KEY = {"part": "int2", "order_id": "int8", "id": "int8"}
_LANDED = {"state": "text", "result": "jsonb", "attempts": "int2", "due_at": "timestamptz", "ended_at": "timestamptz"}


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
             e.ready, e.needs, e.work, e.element, e.priority, e.reads_hash, e.params, e.undo, e.result, tx.now,
             tx.now if e.state in ended else None)
            for e in effects
        ],
    )  # fmt: skip
    known = queries.ledger(tx, {e.order_id for e in effects})
    for e in effects:
        if all(k.id != e.id for k in known[e.order_id]):
            known[e.order_id].append(e)
        entry = {"t": "effect.added", "id": e.id, "kind": e.kind, "thing": e.thing_id, "op": e.op, "state": e.state}
        journal.record(tx, e.order_id, entry)


def add_steps(tx: Tx, *, order_id: int, revision: int, steps: Sequence[Step]) -> list[Effect]:
    """Turn the steps of a plan into intents; a step is ready when nothing comes before it."""
    part = part_of(order_id)
    before = {e.key: e.id for e in queries.ledger(tx, [order_id])[order_id]}
    ids = {(s.thing_id, s.kind): tx.new_id(part) for s in steps}
    made = []
    for s in steps:
        needs = tuple(sorted(ids.get(key) or before[key] for key in s.after))
        made.append(
            Effect(
                id=ids[s.thing_id, s.kind], order_id=order_id, revision=revision, thing_id=s.thing_id, kind=s.kind,
                item_key=s.item_key, op=s.op, of_id=s.of_id, state=State.INTENT, ready=not needs, needs=needs,
                work=s.work, element=s.element, priority=s.priority, reads_hash=s.reads_hash, params=s.params,
                undo=s.undo,
            )
        )  # fmt: skip
    return made


def land(tx: Tx, landings: Sequence[Landing]) -> list[Effect]:
    """Write what became known, set-wise; a transition that the table does not allow is left out.

    Effects that waited only for what was confirmed here become ready. Returns the effects that changed.
    """
    rows, changed = [], []
    for landing in landings:
        if landing.state not in TRANSITIONS[landing.effect.state]:
            continue
        attempts = landing.effect.attempts if landing.attempts is None else landing.attempts
        # What is to be sent again must be found by the sender: only ready intents are.
        before = landing.effect
        after = replace(before, state=landing.state, result=landing.result or before.result, attempts=attempts)
        changed.append(after)
        ended = tx.now if landing.state in (State.CONFIRMED, State.UNDONE, State.WITHDRAWN) else None
        rows.append((*_key(after), after.state, after.result, attempts, landing.due_at, ended))
        entry = {"t": "effect.state", "id": after.id, "kind": after.kind, "from": before.state, "to": after.state}
        journal.record(tx, after.order_id, entry)
    sets.update(tx, "planning.effect", _KEY, _LANDED, rows)
    _remember(tx, changed)
    changed += _undone(tx, changed)
    _make_ready(tx, {e.order_id for e in changed})
    return changed


def _undone(tx: Tx, changed: Sequence[Effect]) -> list[Effect]:
    """A confirmed undo makes the fact that it is about undone."""
    gone = {e.of_id for e in changed if e.op is Op.UNDO and e.state is State.CONFIRMED}
    if not gone:
        return []
    ledger = queries.ledger(tx, {e.order_id for e in changed})
    undone = [replace(e, state=State.UNDONE) for es in ledger.values() for e in es if e.id in gone]
    sets.update(
        tx, "planning.effect", _KEY, {"state": "text", "ended_at": "timestamptz"},
        [(*_key(e), e.state, tx.now) for e in undone],
    )  # fmt: skip
    for e in undone:
        entry = {"t": "effect.state", "id": e.id, "kind": e.kind, "from": State.CONFIRMED, "to": State.UNDONE}
        journal.record(tx, e.order_id, entry)
    _remember(tx, undone)
    return undone


def _make_ready(tx: Tx, order_ids: set[int]) -> None:
    """Mark intents whose needs are all confirmed; the send queue holds only ready ones."""
    opened = []
    for effects in queries.ledger(tx, order_ids).values():
        known = {e.id for e in effects if e.state in (State.CONFIRMED, State.UNDONE)}
        opened += [
            replace(e, ready=True)
            for e in effects
            if e.state is State.INTENT and not e.ready and known.issuperset(e.needs)
        ]
    # People's work is offered by the stage itself; only what is sent needs the mark in its queue.
    sent = [e for e in opened if e.element is not None]
    sets.update(tx, "planning.effect", _KEY, {"ready": "bool"}, [(*_key(e), True) for e in sent])
    _remember(tx, opened)


def _key(e: Effect) -> tuple[int, int, int]:
    return part_of(e.id), e.order_id, e.id


def _remember(tx: Tx, effects: Sequence[Effect]) -> None:
    cache = queries.ledger(tx, {e.order_id for e in effects})
    for e in effects:
        known = cache[e.order_id]
        known[next(i for i, k in enumerate(known) if k.id == e.id)] = e
