"""``/diaodu-api/inventory/v1``: the waiting list of an area (待装) and its figures."""

from typing import Any

from fastapi import APIRouter

from diaodu.inventory import queries, waiting
from diaodu.kernel.errors import NotFound
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.operation import Ask, Route, mount, whole

BASE = "/diaodu-api/inventory/v1"
READ = "inventory:read"


def mount_inventory(router: APIRouter) -> None:
    """Serve the interface."""
    mount(router, BASE, ROUTES, tag="inventory")


def _waiting(ask: Ask) -> Any:
    if "area" not in ask.query:
        raise BadAttribute(path="area", expected="the id of an area", value="nothing")
    area = _known(ask, whole(ask.query["area"], "area"))
    found = waiting.waiting_list(ask.tx, area)
    return {"area": area, "figures": waiting.figures(ask.tx, area), "orders": found}


def _figures(ask: Ask) -> Any:
    area = ask.query.get("area")
    return waiting.figures(ask.tx, _known(ask, whole(area, "area")) if area is not None else None)


def _known(ask: Ask, area: int) -> int:
    if area not in queries.area_ids(ask.tx):
        raise NotFound(entity="area", id=area)
    return area


ROUTES = (
    Route(
        "GET", "/waiting", READ, "listWaiting", "The orders that wait for resources in an area, in their rank",
        _waiting, query=(("area", "the id of the area"),),
    ),
    Route(
        "GET", "/waiting/figures", READ, "waitingFigures", "How many orders wait, for what and how long, by area",
        _figures, query=(("area", "only this area"),),
    ),
)  # fmt: skip
