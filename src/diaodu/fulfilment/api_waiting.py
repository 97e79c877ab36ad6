"""预受理 and 转待装 over HTTP."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from diaodu.fulfilment import preaccept
from diaodu.fulfilment.park import park, unpark
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import OrderDraft
from diaodu.tmf.operation import Ask, Body, Nothing, Route, mount

BASE = "/diaodu-api/fulfilment/v1"
READ, WRITE = "fulfilment:read", "fulfilment:write"
ToDraft = Callable[[dict[str, Any], str], OrderDraft]  # the JSON of TMF622, the sender


class Wanted(Body):
    """A product order of TMF622, and for how many minutes its resources are held."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True, strict=True)
    minutes: int = Field(ge=1)


class Why(Body):
    reason: str = Field(min_length=1, max_length=1_000)


def mount_waiting(router: APIRouter, to_draft: ToDraft) -> None:
    """Serve the interface; ``to_draft`` reads the JSON of an order."""

    def take(ask: Ask) -> Any:
        draft = to_draft(ask.body.model_extra or {}, ask.by)
        order_id = ordering.order_id_for(ask.tx, source=ask.by, key=draft.external_id)
        return preaccept.take(ask.tx, order_id, draft, ask.body.minutes)

    made = Route(
        "POST", "/preacceptance", WRITE, "preaccept", "Hold the resources of an order until the customer says yes",
        take, Wanted, status=201,
    )  # fmt: skip
    mount(router, BASE, [made, *_ROUTES], tag="fulfilment")


def _find(ask: Ask) -> Any:
    return preaccept.preacceptance(ask.tx, ask.id())


def _accept(ask: Ask) -> Any:
    return preaccept.accept(ask.tx, ask.id())


def _park(ask: Ask) -> Any:
    return {"waiting": [str(i) for i in park(ask.tx, ask.id(), by=ask.by, reason=ask.body.reason)]}


def _unpark(ask: Ask) -> None:
    unpark(ask.tx, ask.id(), by=ask.by)


_ROUTES = (
    Route("GET", "/preacceptance/{id}", READ, "findPreacceptance", "How a pre-acceptance stands", _find),
    Route(
        "POST", "/preacceptance/{id}/accept", WRITE, "acceptPreacceptance", "The customer has said yes", _accept,
        Nothing,
    ),
    Route(
        "POST", "/order/{id}/waiting", WRITE, "parkOrder", "Give back what an order holds; it waits for it in its rank",
        _park, Why,
    ),
    Route(
        "POST", "/order/{id}/waiting/resume", WRITE, "unparkOrder", "Let an order on the waiting list be served again",
        _unpark, Nothing, status=204,
    ),
)  # fmt: skip
