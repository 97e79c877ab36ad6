"""退单 over HTTP; it stands with the other operations of work orders."""

from fastapi import APIRouter
from pydantic import Field

from diaodu.fulfilment.returns import Return, Returned, clear, return_work
from diaodu.tmf.operation import Ask, Body, Route, mount

BASE = "/diaodu-api/workforce/v1"
_NOTE_MAX, _EVIDENCE_MAX = 2_000, 20


class Sent(Body):
    reason: str = Field(min_length=1)
    note: str = Field(default="", max_length=_NOTE_MAX)
    evidence: list[str] = Field(default_factory=list, max_length=_EVIDENCE_MAX)


def _return(ask: Ask) -> Returned:
    body: Sent = ask.body
    return return_work(ask.tx, ask.id(), Return(body.reason, body.note, tuple(body.evidence)), ask.principal)


class Cleared(Body):
    note: str = Field(default="", max_length=_NOTE_MAX)


def _clear(ask: Ask) -> dict[str, list[str]]:
    return {"item": clear(ask.tx, ask.id(), by=ask.by, note=ask.body.note)}


ROUTES = (
    Route(
        "POST", "/workOrder/{id}/return", "workforce:write", "returnWorkOrder",
        "退单: send work back that one holds, with a reason of the catalogue", _return, Sent,
    ),
    Route(
        "POST", "/productOrder/{id}/clearReturn", "ordering:write", "clearReturn",
        "The counter has cleared what was returned to it: the work is offered again", _clear, Cleared,
    ),
)  # fmt: skip


def mount_returns(router: APIRouter) -> None:
    """Serve the operation."""
    mount(router, BASE, ROUTES, tag="workforce")
