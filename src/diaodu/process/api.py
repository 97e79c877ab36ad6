"""``/diaodu-api/process/v1``: the operation of processes, and the work of external workers."""

from fastapi import APIRouter

from diaodu.process import operations, workers
from diaodu.tmf.operation import mount

BASE = "/diaodu-api/process/v1"


def mount_processes(router: APIRouter, effects: frozenset[str]) -> None:
    """Serve the interface; ``effects`` are the service types that nobody may pass over by hand."""
    workers.mount_fetch(router, BASE)
    mount(router, BASE, [*operations.routes(effects), *workers.ROUTES], tag="process")
