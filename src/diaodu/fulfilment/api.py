"""``/diaodu-api/fulfilment/v1``: what dispatchers and counters do to orders under way."""

from fastapi import APIRouter

from diaodu.fulfilment.api_fallout import FALLOUT_ROUTES
from diaodu.fulfilment.api_trace import TRACE_ROUTES
from diaodu.tmf.operation import mount

BASE = "/diaodu-api/fulfilment/v1"


def mount_fulfilment(router: APIRouter) -> None:
    """Serve the interface."""
    # Fixed paths stand before those with an id in the same place.
    routes = sorted([*FALLOUT_ROUTES, *TRACE_ROUTES], key=lambda r: r.path.count("{"))
    mount(router, BASE, routes, tag="fulfilment")
