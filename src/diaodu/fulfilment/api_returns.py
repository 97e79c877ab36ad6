"""退单 over HTTP; it stands with the other operations of work orders."""

from fastapi import APIRouter
from pydantic import Field

from diaodu.fulfilment.returns import Return, Returned, return_work
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


ROUTES = (
    Route(
        "POST", "/workOrder/{id}/return", "workforce:write", "returnWorkOrder",
        "退单: send work back that one holds, with a reason of the catalogue", _return, Sent,
    ),
)  # fmt: skip


def mount_returns(router: APIRouter) -> None:
    """Serve the operation."""
    mount(router, BASE, ROUTES, tag="workforce")
