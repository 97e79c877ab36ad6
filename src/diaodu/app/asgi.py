"""The HTTP edge: the resources of the rooms, mounted on one application."""

import psycopg
from fastapi import APIRouter, FastAPI, Request, Response
from psycopg_pool import PoolTimeout

from diaodu.app.edge_docs import docs_page
from diaodu.app.edge_failures import add_failures
from diaodu.app.wiring import handlers
from diaodu.catalog import commands as catalog
from diaodu.catalog.api import mount_catalogue
from diaodu.fulfilment.api import mount_fulfilment
from diaodu.fulfilment.api_returns import mount_returns
from diaodu.fulfilment.api_waiting import mount_waiting
from diaodu.fulfilment.tmf_qualification import qualifications
from diaodu.inventory import tmf as inventory
from diaodu.inventory.api import mount_inventory
from diaodu.inventory.commands import Trials
from diaodu.kernel.access import AccessPolicy
from diaodu.kernel.db import Database
from diaodu.ordering import tmf as ordering
from diaodu.ordering import tmf_cancel as cancellations
from diaodu.ordering.api import mount_ordering
from diaodu.process.api import mount_processes
from diaodu.provisioning.design import NearestBox
from diaodu.rules.api import mount_decisions
from diaodu.tmf import edge
from diaodu.tmf.router import mount
from diaodu.tmf.subscribe import mount_hub
from diaodu.workforce import events as work_events
from diaodu.workforce import tmf as workforce
from diaodu.workforce import tmf_appointment as appointments
from diaodu.workforce.api import mount_workforce

RESOURCES = (
    ordering.PRODUCT_ORDER,
    cancellations.CANCEL_PRODUCT_ORDER,
    inventory.PRODUCT,
    inventory.SERVICE,
    inventory.RESOURCE,
    workforce.WORK_ORDER,
    appointments.APPOINTMENT,
)


def create_app(db: Database, policy: AccessPolicy, *, callback_hosts: frozenset[str] = frozenset()) -> FastAPI:
    """The application over a migrated database; ``callback_hosts`` may hear events besides loopback."""
    # Paths are exact: a redirect to another spelling would drop the token of some clients.
    app = FastAPI(title="diaodu 调度", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.edge = edge.Edge(db, policy, callback_hosts)
    add_failures(app)
    router = APIRouter()
    for resource in (*RESOURCES, *qualifications(Trials(NearestBox()))):
        mount(router, resource)
    mount_hub(
        router,
        ordering.BASE,
        scope=ordering.SCOPE,
        entity="productOrder",
        events=(*ordering.EVENTS, *cancellations.EVENTS),
        also=("cancelProductOrder",),
    )
    mount_ordering(router)
    mount_catalogue(router)
    mount_decisions(router, publish=catalog.publish_decision, withdraw=catalog.withdraw_decision)
    mount_processes(router, handlers(), catalog.check_processes)
    mount_fulfilment(router)
    mount_hub(router, workforce.BASE, scope=workforce.SCOPE, entity="workOrder", events=work_events.EVENTS)
    mount_hub(router, workforce.APPOINTMENTS, scope=workforce.SCOPE, entity="appointment", events=appointments.EVENTS)
    mount_workforce(router)
    mount_returns(router)
    mount_waiting(router, ordering.to_draft)
    mount_inventory(router)
    app.include_router(router)
    app.add_api_route("/health", health, methods=["GET"], summary="Whether the database answers, and its schema")
    app.add_api_route("/docs", docs_page, methods=["GET"], include_in_schema=False)
    app.openapi().setdefault("components", {})["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return app


def health(request: Request) -> Response:
    """200 with the schema's version, or 503."""
    try:
        with edge.edge_of(request).db.transaction(actor="health") as tx:
            row = tx.row("select version_num from schema_version")
    except (psycopg.OperationalError, PoolTimeout):
        return edge.answer({"status": "down", "database": "unreachable"}, status=503)
    return edge.answer({"status": "up", "schema": row and row[0]})
