"""撤单: the request to cancel an order or some of its items, and what is decided about each item.

The request is a task with a life of its own. What becomes of an item is decided from its own row under the order's
lock: its state, the point of no return that it has passed, and what its offering says about being taken apart.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of
from diaodu.kernel.states import StateTable
from diaodu.ordering.model import Item, ItemState
from diaodu.tmf import hub

API = "productOrderingManagement"
_I = ItemState
_GONE = frozenset({_I.CANCELLED, _I.REJECTED, _I.FAILED, _I.CANCELLING})


class CancelState(StrEnum):
    """The states of the task, as TM Forum names them."""

    ACKNOWLEDGED = "acknowledged"  # not decided, or the customer is asked
    IN_PROGRESS = "inProgress"  # what was done is being undone
    ERROR = "terminatedWithError"  # 撤单异常: an undo failed; the order is not cancelled
    DONE = "done"


class CancelEvent(StrEnum):
    """What may happen to the task."""

    BEGIN = "begin"  # something is cancelled
    DENY = "deny"  # nothing is: past its point of no return, or the customer said no
    FAIL = "fail"
    MEND = "mend"
    FINISH = "finish"


_S, _E = CancelState, CancelEvent
CANCEL_TABLE: StateTable[CancelState, CancelEvent] = StateTable(
    name="cancel task",
    states=CancelState,
    events=CancelEvent,
    moves={
        _S.ACKNOWLEDGED: {_E.BEGIN: _S.IN_PROGRESS, _E.DENY: _S.DONE},
        _S.IN_PROGRESS: {_E.FAIL: _S.ERROR, _E.FINISH: _S.DONE},
        _S.ERROR: {_E.MEND: _S.IN_PROGRESS, _E.FINISH: _S.DONE},
        _S.DONE: {},
    },
    # One failure more, or a mended one of several, is no news.
    ignored=frozenset({(_S.ERROR, _E.FAIL), (_S.IN_PROGRESS, _E.MEND)}),
)


class Verdict(StrEnum):
    """What is decided about an item."""

    CANCEL = "cancel"
    CONSENT = "consent"  # past its soft point of no return: a fee, and the customer's word first
    DENIED = "denied"
    ENDED = "ended"  # cancelled already, or on its way there


class Why(StrEnum):
    """Why an item is not cancelled."""

    PONR = "past-point-of-no-return"
    COMPLETED = "completed"
    BOUND = "bound-to-denied-item"
    IN_INTAKE = "amendment-in-intake"


@dataclass(frozen=True)
class Judged:
    """One item with its verdict; ``fee`` in 分."""

    key: str
    verdict: Verdict
    ponr: str
    why: Why | None = None
    fee: int = 0


@dataclass(frozen=True)
class Consent:
    """The customer is asked for ``amount`` 分 until an instant; ``agreed`` is None as long as nothing was said."""

    amount: int
    until: datetime
    agreed: bool | None = None
    by: str | None = None


@dataclass(frozen=True)
class CancelTask:
    """A request to cancel; ``chosen`` are the keys of the items that it names, empty for the whole order."""

    id: int
    order_id: int
    state: CancelState
    reason: str | None
    chosen: tuple[str, ...]
    made_by: str
    created_at: datetime
    judged: tuple[Judged, ...] = ()
    consent: Consent | None = None
    revision: int | None = None  # the one that took the items back
    extra: Mapping[str, Any] = field(default_factory=dict)
    ended_at: datetime | None = None

    @property
    def taken_back(self) -> frozenset[str]:
        """The keys of the items that it cancels, or would cancel once the customer agrees."""
        return frozenset(j.key for j in self.judged if j.verdict in (Verdict.CANCEL, Verdict.CONSENT))


def judge(
    items: Sequence[Item], chosen: Collection[str], together: Collection[str], *, closing: Collection[str] = ()
) -> dict[str, Judged]:
    """The verdict on each item, parents behind their parts; pure.

    ``chosen`` are item keys, empty for all; the parts of a chosen item are chosen with it. ``together`` are the
    top-level keys whose parts are cancelled all or none; ``closing`` those whose archives are under way.
    """
    parts: dict[str, list[Item]] = {}
    for i in items:
        parts.setdefault(i.parent_key or "", []).append(i)
    wanted = _chosen(items, chosen, together)
    found: dict[str, Judged] = {}
    for i in reversed(items):
        of = parts.get(i.key, [])
        below = [found[p.key] for p in of if p.key in found]
        left = [
            p for p in of if p.state not in _GONE and (p.key not in found or found[p.key].verdict is Verdict.DENIED)
        ]
        if i.key in wanted or (below and not left):  # nothing of it would be left
            found[i.key] = _judge(i, below, closing)
    return _bound(items, found, together)


def _judge(item: Item, below: Sequence[Judged], closing: Collection[str]) -> Judged:
    made = Judged(item.key, Verdict.CANCEL, item.ponr)
    if item.state in _GONE:
        return replace(made, verdict=Verdict.ENDED)
    if item.state is _I.COMPLETED:
        return replace(made, verdict=Verdict.DENIED, why=Why.COMPLETED)
    if item.state is _I.CLOSING or item.ponr == "hard" or item.key in closing:
        return replace(made, verdict=Verdict.DENIED, why=Why.PONR)
    # What holds parts that stay stays.
    if denied := next((j for j in below if j.verdict is Verdict.DENIED), None):
        return replace(made, verdict=Verdict.DENIED, why=denied.why)
    return replace(made, verdict=Verdict.CONSENT) if item.ponr == "soft" else made


def _chosen(items: Sequence[Item], chosen: Collection[str], together: Collection[str]) -> set[str]:
    if not chosen:
        return {i.key for i in items}
    tops = tops_of(items)
    bound = {tops[key] for key in chosen if tops[key] in together}
    found = set(chosen)
    for i in items:  # parents stand before their parts
        if i.parent_key in found or tops[i.key] in bound:
            found.add(i.key)
    return found


def tops_of(items: Iterable[Item]) -> dict[str, str]:
    """The top-level key of each item, parents before their parts."""
    tops: dict[str, str] = {}
    for i in items:
        tops[i.key] = tops.get(i.parent_key or "", i.key)
    return tops


def _bound(items: Sequence[Item], found: Mapping[str, Judged], together: Collection[str]) -> dict[str, Judged]:
    """A declared rule binds the parts of an offering: one that is denied keeps the others."""
    tops = tops_of(items)
    stuck = {tops[j.key] for j in found.values() if j.verdict is Verdict.DENIED} & set(together)
    return {
        key: replace(j, verdict=Verdict.DENIED, why=Why.BOUND)
        if tops[key] in stuck and j.verdict in (Verdict.CANCEL, Verdict.CONSENT)
        else j
        for key, j in found.items()
    }


_COLUMNS = {
    "part": "int2", "id": "int8", "order_id": "int8", "state": "text", "reason": "text", "items": "jsonb",
    "fee": "jsonb", "made_by": "text", "extra": "jsonb", "created_at": "timestamptz",
}  # fmt: skip
_READ = "select id, order_id, state, reason, items, fee, made_by, extra, created_at, ended_at from ordering.cancel_task"


def add_task(tx: Tx, task: CancelTask) -> None:
    """Write a request down; its order is locked."""
    row = (
        part_of(task.id), task.id, task.order_id, task.state, task.reason, _items(task), None, task.made_by,
        dict(task.extra), task.created_at,
    )  # fmt: skip
    sets.insert(tx, "ordering.cancel_task", _COLUMNS, [row])
    entry = {"t": "cancel.asked", "id": task.id, "items": list(task.chosen), "by": task.made_by}
    journal.record(tx, task.order_id, entry | ({"reason": task.reason} if task.reason else {}))


def task_of(tx: Tx, task_id: int) -> CancelTask:
    """A request; NotFound."""
    row = tx.row(f"{_READ} where part = %s and id = %s", (part_of(task_id), task_id))
    if row is None:
        raise NotFound(entity="cancelProductOrder", id=task_id)
    return _task(row)


def tasks_of(tx: Tx, order_ids: Sequence[int]) -> dict[int, list[CancelTask]]:
    """The requests about each order, oldest first; orders of one partition."""
    found: dict[int, list[CancelTask]] = {i: [] for i in order_ids}
    if order_ids:
        rows = tx.rows(
            f"{_READ} where part = %s and order_id = any(%s::int8[]) order by id",
            (part_of(order_ids[0]), list(order_ids)),
        )
        for task in map(_task, rows):
            found[task.order_id].append(task)
    return found


def change_task(tx: Tx, before: CancelTask, after: CancelTask, **told: Any) -> None:
    """Write what became of a request; its order is locked."""
    moved = before.state is not after.state
    tx.expect(
        1,
        "update ordering.cancel_task set state = %s, items = %s::jsonb, fee = %s::jsonb, decided_at ="
        " coalesce(decided_at, %s), ended_at = %s where part = %s and order_id = %s and id = %s",
        (
            after.state, sets.to_json(_items(after)), sets.to_json(_fee(after.consent)),
            tx.now if moved else None, after.ended_at, part_of(after.id), after.order_id, after.id,
        ),
    )  # fmt: skip
    verdicts = {} if after.judged == before.judged else {"verdicts": {j.key: j.verdict for j in after.judged}}
    entry = {"t": "cancel.state", "id": after.id, "from": before.state, "to": after.state, **verdicts, **told}
    journal.record(tx, after.order_id, entry)


def _items(task: CancelTask) -> dict[str, Any]:
    judged = [vars(j) for j in task.judged]
    return {"chosen": list(task.chosen), "judged": judged, "revision": task.revision}


def _fee(consent: Consent | None) -> dict[str, Any] | None:
    return None if consent is None else vars(consent) | {"until": consent.until.isoformat()}


def _task(row: tuple[Any, ...]) -> CancelTask:
    task_id, order_id, state, reason, items, fee, made_by, extra, created_at, ended_at = row
    judged = tuple(
        Judged(j["key"], Verdict(j["verdict"]), j["ponr"], Why(j["why"]) if j["why"] else None, j["fee"])
        for j in items["judged"]
    )
    consent = None if fee is None else Consent(**(fee | {"until": datetime.fromisoformat(fee["until"])}))
    return CancelTask(
        task_id, order_id, CancelState(state), reason, tuple(items["chosen"]), made_by, created_at, judged, consent,
        items["revision"], extra, ended_at,
    )  # fmt: skip


def tell(tx: Tx, task: CancelTask, event_type: str) -> None:
    """Publish what became of a request, as it is now."""
    from diaodu.ordering.tmf_cancel import render_task  # noqa: PLC0415 - the edge makes requests by these commands

    hub.publish(
        tx,
        api=API,
        event_type=event_type,
        entity="cancelProductOrder",
        root_id=task.order_id,
        render=lambda: render_task(tx, task.id),
    )
