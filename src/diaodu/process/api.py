"""``/diaodu-api/process/v1``: deploying and operating processes, and the work of external workers."""

from fastapi import APIRouter

from diaodu.engine.ports import Handlers
from diaodu.process import definitions, operations, tasks, workers
from diaodu.process.ports import Fit
from diaodu.tmf.operation import mount

BASE = "/diaodu-api/process/v1"


def mount_processes(router: APIRouter, handlers: Handlers, fit: Fit) -> None:
    """Serve the interface; ``handlers`` are what processes may call, ``fit`` is asked about each deployment."""
    workers.mount_fetch(router, BASE)
    routes = [*definitions.routes(handlers, fit), *operations.routes(handlers.effects), *tasks.ROUTES, *workers.ROUTES]
    mount(router, BASE, routes, tag="process")
