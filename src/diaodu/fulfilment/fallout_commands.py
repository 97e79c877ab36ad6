"""What people do to what failed: take it, have it done again, say that it was done by hand, take the item back.

Each locks its order. The effect itself changes when the report lands that is handed in here: one path for all facts.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from diaodu.catalog.model import Performer
from diaodu.engine import commands as engine
from diaodu.fulfilment import fallout_store as store
from diaodu.fulfilment.errors import EvidenceMissing, FalloutTaken, InstantPast, NotByHand, NothingFailed
from diaodu.fulfilment.fallout_model import Evidence, Happening, Record, Standing, Subject
from diaodu.fulfilment.orders import load_orders
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, State
from diaodu.workforce import commands as workforce
from diaodu.workforce.model import WorkLine


def claim(tx: Tx, record_id: int, by: str) -> Record:
    """Take it from the worklist; twice the same. FalloutTaken, NotPossible."""
    record = _mine(tx, record_id, by)
    if record.state is Standing.CLAIMED:
        return record
    return _move(tx, record, store.after(record, Happening.CLAIM, tx.now, assignee=by), by)


def give_back(tx: Tx, record_id: int, by: str) -> Record:
    """Put it back on the worklist. FalloutTaken, NotPossible."""
    record = _mine(tx, record_id, by)
    return _move(tx, record, store.after(record, Happening.GIVE_BACK, tx.now, assignee=None), by)


def retry(tx: Tx, record_id: int, by: str, note: str = "") -> Record:
    """Have it done again at once: the effect is sent or offered again, the incident's job runs again.

    FalloutTaken, NotPossible.
    """
    record = _mine(tx, record_id, by)
    if record.subject is Subject.INCIDENT:
        after = store.after(record, Happening.CLOSE, tx.now, assignee=by, resolution="retried")
        engine.retry_incident(tx, record.id, by)
        return _move(tx, record, after, by, note=note)
    return _again(tx, record, by, tx.now, note=note)


def wait(tx: Tx, record_id: int, by: str, until: datetime, reason: str) -> Record:
    """Have it done again by itself at an instant. InstantPast, NotByHand, FalloutTaken, NotPossible."""
    record = _mine(tx, record_id, by)
    if record.subject is Subject.INCIDENT:
        raise NotByHand(id=record.id, kind=record.kind)
    if until <= tx.now:
        raise InstantPast(until=until.isoformat())
    return _again(tx, record, by, until, note=reason)


def done_by_hand(tx: Tx, record_id: int, by: str, evidence: Evidence, result: Mapping[str, Any]) -> Record:
    """Say that what failed was made true by hand: the ledger gets the fact, so that an undo knows of it.

    EvidenceMissing, NotByHand, what the form of the effect refuses, FalloutTaken, NotPossible.
    """
    record = _mine(tx, record_id, by)
    if record.subject is Subject.INCIDENT:
        raise NotByHand(id=record.id, kind=record.kind)
    if not evidence:
        raise EvidenceMissing(kind=record.kind)
    shown = {"text": evidence.text.strip(), "attachments": list(evidence.attachments)}
    effect = _failed(tx, record)
    release = load_orders(tx, [record.order_id])[record.order_id].release
    # What an area holds stands in its inventory: nobody makes that true by hand.
    if release.work[effect.work].performer is Performer.AREA:
        raise NotByHand(id=record.id, kind=record.kind)
    line = WorkLine(effect.id, effect.kind, effect.item_key, effect.params)
    workforce.check_form(line, release.work[effect.work], result)
    found = {**result, "by_hand": {"by": by, "at": tx.now.isoformat(), **shown}}
    after = store.after(record, Happening.CLOSE, tx.now, assignee=by, resolution="by-hand", evidence=shown)
    _report(tx, record, by, {"state": State.CONFIRMED, "result": found})
    return _move(tx, record, after, by, evidence=shown)


def _again(tx: Tx, record: Record, by: str, at: datetime, *, note: str) -> Record:
    after = store.after(record, Happening.AGAIN, tx.now, assignee=None, due_at=at)
    _failed(tx, record)
    _report(tx, record, by, {"state": State.INTENT, "due": at.isoformat()})
    return _move(tx, record, after, by, note=note)


def _mine(tx: Tx, record_id: int, by: str) -> Record:
    """The record, its order locked; FalloutTaken when somebody else has claimed it."""
    journal.lock(tx, [store.get(tx, record_id).order_id])
    record = store.get(tx, record_id)
    if record.state is Standing.CLAIMED and record.assignee != by:
        raise FalloutTaken(id=record_id, assignee=record.assignee)
    return record


def _failed(tx: Tx, record: Record) -> Effect:
    """The effect that a record is about; NothingFailed when it has been settled meanwhile."""
    for e in effects.ledger(tx, [record.order_id])[record.order_id]:
        if e.id == record.id and e.state is State.FAILED:
            return e
    raise NothingFailed(id=record.order_id)


def _report(tx: Tx, record: Record, by: str, outcome: Mapping[str, Any]) -> None:
    body = {"source": "repair", "by": by, "outcomes": [{"effect": record.id, **outcome}]}
    key = f"repair:{record.id}:{tx.new_id(0)}"
    engine.enqueue(tx, [engine.Enqueue(record.order_id, "effect.report", body, key)])


def _move(tx: Tx, before: Record, after: Record, by: str, **more: Any) -> Record:
    store.move(tx, [(before, after, {"by": by, **{name: value for name, value in more.items() if value}})])
    return after
