"""``/diaodu-api/workforce/v1``: recalls, visits, and what dispatchers do with work orders."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, Field

from diaodu.kernel.errors import Rejected
from diaodu.tmf import edge
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.operation import Ask, Body, Later, Route, mount, shown, whole
from diaodu.workforce import desks, recalls, visits
from diaodu.workforce.model import ANSWERS, DECISIONS, RecallEvent
from diaodu.workforce.tmf import SCOPE

BASE = "/diaodu-api/workforce/v1"
READ, WRITE, DISPATCH = f"{SCOPE}:read", f"{SCOPE}:write", "dispatch:write"
_PAGE_MAX, _TOGETHER_MAX, _NOTE_MAX = 500, 20, 2_000
_Text = Field(default="", max_length=_NOTE_MAX)


class Answered(Body):
    answer: str


class Decided(Body):
    decision: str
    minutes: float = Field(default=60, gt=0, le=10_080)
    note: str = _Text


class HandedOver(Body):
    pool: int | None = None
    person: str | None = None
    reason: str = Field(min_length=1, max_length=_NOTE_MAX)


class Split(Body):
    effect: list[str] = Field(min_length=1)


class Together(Body):
    work_order: list[str] = Field(min_length=1, max_length=_TOGETHER_MAX)


class Window(Body):
    start_date_time: AwareDatetime = Field(strict=False)
    end_date_time: AwareDatetime = Field(strict=False)


class Planned(Together):
    window: Window | None = None


def mount_workforce(router: APIRouter) -> None:
    """Serve the interface."""
    mount(router, BASE, ROUTES, tag="workforce")


def _recalls(ask: Ask) -> list[recalls.OpenRecall]:
    return recalls.open_page(ask.tx, ask.principal.pools, _PAGE_MAX)


def _answer(ask: Ask) -> Any:
    return recalls.answer(ask.tx, ask.id(), _one_of(ANSWERS, ask.body.answer, "answer"), ask.principal)


def _decide(ask: Ask) -> Any:
    said = _one_of(DECISIONS, ask.body.decision, "decision")
    return recalls.decide(ask.tx, ask.id(), said, ask.principal, minutes=ask.body.minutes, note=ask.body.note)


def _one_of(allowed: tuple[RecallEvent, ...], value: str, name: str) -> RecallEvent:
    if value not in allowed:
        raise BadAttribute(path=name, expected=", ".join(allowed), value=value[:100])
    return RecallEvent(value)


def _hand_over(ask: Ask) -> None:
    body: HandedOver = ask.body
    if (body.pool is None) == (body.person is None):
        raise BadAttribute(path="pool", expected="either a pool or a person", value=str(body.pool))
    person = None if body.person is None else whole(body.person, "person")
    desks.hand_over(ask.tx, ask.id(), pool=body.pool, person=person, by=ask.by, reason=body.reason)


def _split(ask: Ask) -> dict[str, str]:
    return {"workOrder": str(desks.split(ask.tx, ask.id(), [whole(e, "effect") for e in ask.body.effect]))}


def _merge(ask: Ask) -> None:
    desks.merge(ask.tx, ask.id(), _work_orders(ask.body))


def _work_orders(body: Together) -> list[int]:
    return list(dict.fromkeys(whole(i, "workOrder") for i in body.work_order))


def _preview(ask: Ask) -> visits.Visit:
    return visits.preview(ask.tx, _work_orders(ask.body))


def _visit(ask: Ask) -> Later:
    """Look first; then the label, and each order in a transaction of its own."""
    planned = visits.preview(ask.tx, _work_orders(ask.body))
    window: Window | None = ask.body.window
    given = (window.start_date_time, window.end_date_time) if window else (planned.start_at, planned.end_at)
    made = visits.make(ask.tx, planned, given)
    return Later(lambda request: _join(request, ask.by, made, planned))


def _join(request: Request, by: str, visit_id: int, planned: visits.Visit) -> Response:
    db = edge.edge_of(request).db
    refused: list[dict[str, str]] = []
    by_order: dict[int, list[int]] = {}
    for m in planned.members:
        by_order.setdefault(m.order_id, []).append(m.work_order_id)
    for order_id, members in sorted(by_order.items()):
        try:
            with db.transaction(actor=by) as tx:
                visits.join(tx, visit_id, order_id, members)
        except Rejected as error:
            # Half a merge is a merge: the others stay together, and the caller is told.
            refused.append({"order": str(order_id), "code": error.code, "reason": error.message("zh")})
    with db.transaction(actor=by) as tx:
        made = visits.get(tx, visit_id)
    return edge.answer(shown(made) | {"refused": refused}, status=201)


def _get(ask: Ask) -> visits.Visit:
    return visits.get(ask.tx, ask.id())


def _proposals(ask: Ask) -> list[visits.Visit]:
    customer = ask.query.get("customer")
    return visits.proposals(ask.tx, ask.principal.pools, whole(customer, "customer") if customer else None)


def _leave(ask: Ask) -> None:
    visits.leave(ask.tx, ask.id())


ROUTES = (
    Route("GET", "/recall", READ, "listRecall", "Recalls that are open, those due first", _recalls),
    Route(
        "POST", "/workOrder/{id}/recall/answer", WRITE, "answerRecall",
        "The technician: stopped (nothing was done), done, going-on", _answer, Answered,
    ),
    Route(
        "POST", "/workOrder/{id}/recall/decision", DISPATCH, "decideRecall",
        "The dispatcher, when the technician's time is over: withdraw, or wait", _decide, Decided,
    ),
    Route("POST", "/workOrder/{id}/handOver", DISPATCH, "handOverWorkOrder", "Reassign to a worklist or person",
          _hand_over, HandedOver, 204),
    Route("POST", "/workOrder/{id}/split", DISPATCH, "splitWorkOrder", "Move some of it to a new work order",
          _split, Split, 201),
    Route("POST", "/workOrder/{id}/merge", DISPATCH, "mergeWorkOrder", "Take in others of the same order and kind",
          _merge, Together, 204),
    Route("POST", "/workOrder/{id}/leaveVisit", DISPATCH, "leaveVisit", "Take a work order out of its visit",
          _leave, None, 204),
    Route("POST", "/visit/preview", READ, "previewVisit", "What a visit would be; nothing is written",
          _preview, Planned),
    Route("POST", "/visit", DISPATCH, "makeVisit", "Merge work orders of several orders into one visit",
          _visit, Planned, 201),
    Route("GET", "/visit/proposal", READ, "proposeVisit", "Open work of one customer at one address in one window",
          _proposals, query=(("customer", "only of this customer"),)),
    Route("GET", "/visit/{id}", READ, "getVisit", "A visit: members, limit, crews", _get),
)  # fmt: skip
