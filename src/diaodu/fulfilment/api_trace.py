"""轨迹 over HTTP: the timeline, the order at any past instant, why a step is there, the customer's page."""

from collections.abc import Mapping
from typing import Any

from diaodu.fulfilment import timeline
from diaodu.fulfilment.customer_page import as_json, customer_page
from diaodu.fulfilment.trace import past, why
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.operation import Ask, Route
from diaodu.tmf.query import parse_time

SCOPE = "fulfilment:read"


def _timeline(ask: Ask) -> list[Mapping[str, Any]]:
    return [vars(moment) for moment in timeline.timeline(ask.tx, ask.id())]


def _past(ask: Ask) -> Any:
    given = ask.query.get("at")
    try:
        at = parse_time(given) if given else ask.tx.now
    except ValueError:
        raise BadAttribute(path="at", expected="an instant with its zone (ISO 8601)", value=str(given)) from None
    return past(ask.tx, ask.id(), at)


def _why(ask: Ask) -> Any:
    return why(ask.tx, ask.id(), ask.id("step"))


def _customer(ask: Ask) -> Any:
    return as_json(customer_page(ask.tx, ask.id()))


_AT = ("at", "an instant (ISO 8601); now when left out")
TRACE_ROUTES = (
    Route("GET", "/order/{id}/trace", SCOPE, "orderTrace", "What happened to an order, oldest first", _timeline),
    Route("GET", "/order/{id}/state", SCOPE, "orderAt", "The order as it stood at an instant", _past, query=(_AT,)),
    Route("GET", "/order/{id}/why/{step}", SCOPE, "orderWhy", "Why an effect or a work order is there", _why),
    Route("GET", "/order/{id}/customer", SCOPE, "orderForCustomer", "The order in the customer's words", _customer),
)
