"""What counters and dispatchers say about one order: 缓装, 挂起, 催单, and what a cancellation would come to."""

from datetime import datetime
from typing import Any

from pydantic import Field

from diaodu.fulfilment.cancel import answer
from diaodu.fulfilment.cancel_preview import Preview, preview
from diaodu.fulfilment.errors import NothingAwaited
from diaodu.fulfilment.hold import Pause, pause, resume, urge
from diaodu.ordering import cancel as cancellations
from diaodu.ordering.holds import Cause, Hold
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.operation import Ask, Body, Route
from diaodu.tmf.query import parse_time

READ, WRITE = "fulfilment:read", "fulfilment:write"
_NOTE_MAX, _REASON_MAX, _ITEMS_MAX = 2_000, 200, 2_000


class Items(Body):
    items: list[str] = Field(default_factory=list, max_length=_ITEMS_MAX)
    note: str | None = Field(default=None, max_length=_NOTE_MAX)


class Postponed(Items):
    until: str
    reason: str = Field(min_length=1, max_length=_REASON_MAX)


class Suspended(Items):
    reason: str = Field(min_length=1, max_length=_REASON_MAX)
    until: str | None = None


class Urged(Body):
    note: str = Field(default="", max_length=_NOTE_MAX)


class Consented(Body):
    agreed: bool


def _postpone(ask: Ask) -> list[dict[str, Any]]:
    return _pause(ask, Cause.CUSTOMER)


def _suspend(ask: Ask) -> list[dict[str, Any]]:
    return _pause(ask, Cause.SUSPENDED)


def _pause(ask: Ask, cause: Cause) -> list[dict[str, Any]]:
    body: Postponed | Suspended = ask.body
    until = None if body.until is None else _instant(body.until)
    opened = pause(ask.tx, ask.id(), Pause(cause, tuple(body.items), body.reason, body.note, until))
    return [_shown(h) for h in opened]


def _instant(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError:
        raise BadAttribute(path="until", expected="an instant with its zone (ISO 8601)", value=text[:100]) from None


def _resume(ask: Ask) -> list[dict[str, Any]]:
    return [_shown(h) for h in resume(ask.tx, ask.id(), Cause.CUSTOMER, ask.body.items)]


def _unsuspend(ask: Ask) -> list[dict[str, Any]]:
    return [_shown(h) for h in resume(ask.tx, ask.id(), Cause.SUSPENDED, ask.body.items)]


def _shown(h: Hold) -> dict[str, Any]:
    told = {"id": str(h.id), "item": h.item_key or None, "cause": h.cause, "reason": h.reason, "by": h.made_by}
    return {k: v for k, v in (told | {"since": h.since_at, "until": h.until_at}).items() if v is not None}


def _urge(ask: Ask) -> dict[str, Any]:
    raised = urge(ask.tx, ask.id(), by=ask.by, note=ask.body.note)
    return {"workOrder": [str(i) for i in sorted(raised)]}


def _preview(ask: Ask) -> Preview:
    return preview(ask.tx, ask.id(), [key for key in ask.query.get("item", "").split(",") if key])


def _consent(ask: Ask) -> dict[str, Any]:
    task = cancellations.task_of(ask.tx, ask.id("task"))
    if task.order_id != ask.id():
        raise NothingAwaited(id=task.id)
    said = answer(ask.tx, task.id, agreed=ask.body.agreed, by=ask.by)
    return {"id": str(said.id), "state": said.state, "agreed": ask.body.agreed}


ORDER_ROUTES = (
    Route("POST", "/order/{id}/postpone", WRITE, "postponeOrder",
          "缓装: the customer wants the order, or some of its items, later", _postpone, Postponed),
    Route("POST", "/order/{id}/resume", WRITE, "resumeOrder", "What was postponed goes on", _resume, Items),
    Route("POST", "/order/{id}/suspend", WRITE, "suspendOrder", "挂起: stop the work of an order or of its items",
          _suspend, Suspended),
    Route("POST", "/order/{id}/unsuspend", WRITE, "unsuspendOrder", "解挂: what was suspended goes on",
          _unsuspend, Items),
    Route("POST", "/order/{id}/urge", WRITE, "urgeOrder", "催单: its open tasks rise in priority; no state changes",
          _urge, Urged),
    Route("GET", "/order/{id}/cancellation", READ, "previewCancellation",
          "What a cancellation would undo and cost, item by item, and the 拆机 order for what is past it", _preview,
          query=(("item", "item ids, with commas between them; all when left out"),)),
    Route("POST", "/order/{id}/cancellation/{task}/consent", WRITE, "consentToCancellation",
          "What the customer said of the fee", _consent, Consented),
)  # fmt: skip
