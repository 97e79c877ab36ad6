"""External workers: fetch and lock tasks of topics, complete, fail or extend them; over HTTP, in any language."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from diaodu.engine.commands import external
from diaodu.engine.errors import LockLost
from diaodu.tmf import edge
from diaodu.tmf.operation import Ask, Body, Kept, Route, read, refuse_others, shown

SCOPE = "external:write"
FETCH_MAX, WAIT_MAX_S = 100, 30.0
# Between two looks of a request that waits.
LOOK_S = 0.2
Bytes = Annotated[bytes, Depends(edge.read_body)]


class Fetch(Body):
    worker: str = Field(min_length=1, max_length=200)
    topics: list[str] = Field(min_length=1, max_length=50)
    max_tasks: int = Field(default=10, ge=1, le=FETCH_MAX)
    lock_seconds: float = 60
    wait_seconds: float = Field(default=0, ge=0, le=WAIT_MAX_S)


class Locked(Body):
    lock_token: str


class Completed(Locked):
    variables: dict[str, Any] = Field(default_factory=dict)


class Failure(Locked):
    reason: str = Field(max_length=2_000)
    retry: bool = True
    retry_after_seconds: float | None = Field(default=None, ge=0, le=86_400)


class BusinessFailure(Locked):
    code: str
    message: str = ""


class Extended(Locked):
    lock_seconds: float


def mount_fetch(router: APIRouter, base: str) -> None:
    """Serve the one operation that takes several transactions: each partition has its own."""
    schema = Fetch.model_json_schema(by_alias=True)
    router.add_api_route(
        f"{base}/external/fetch",
        _fetch,
        methods=["POST"],
        tags=["process"],
        operation_id="fetchExternal",
        summary="Lock tasks for a worker; waits up to waitSeconds for the first one",
        response_class=Response,
        openapi_extra={
            "security": [{"bearer": []}],
            "description": f"Scope: `{SCOPE}`. A task's id is the key of idempotency: it stays the same over retries.",
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        },
    )
    refuse_others(router, f"{base}/external/fetch", ["POST"])


async def _fetch(request: Request, body: Bytes) -> Response:
    end = None
    while True:
        asked, found = await run_in_threadpool(_once, request, body)
        now = time.monotonic()
        end = now + asked.wait_seconds if end is None else end
        if found or now >= end or await request.is_disconnected():
            return edge.answer(shown(found))
        await asyncio.sleep(min(LOOK_S, end - now))


def _once(request: Request, body: bytes) -> tuple[Fetch, Sequence[external.ExternalTask]]:
    """One look: the partitions with the oldest work first, each in a transaction."""
    with edge.session(request, SCOPE) as (tx, principal):
        asked = read(request, body, Fetch)
        assert isinstance(asked, Fetch)
        external.check_time(timedelta(seconds=asked.lock_seconds))
        parts = external.parts_with_work(tx, asked.topics, asked.max_tasks)
    found: list[external.ExternalTask] = []
    for part in parts:
        if len(found) >= asked.max_tasks:
            break
        with edge.edge_of(request).db.transaction(actor=principal.name) as tx:
            found += external.fetch(
                tx,
                part,
                asked.topics,
                worker=asked.worker,
                limit=asked.max_tasks - len(found),
                lock_time=timedelta(seconds=asked.lock_seconds),
            )
    return asked, found


def _complete(ask: Ask) -> Any:
    body: Completed = ask.body
    return _done(ask, ok=external.complete(ask.tx, ask.id(), body.lock_token, body.variables))


def _fail(ask: Ask) -> Any:
    body: Failure = ask.body
    after = None if body.retry_after_seconds is None else timedelta(seconds=body.retry_after_seconds)
    ok = external.fail(ask.tx, ask.id(), body.lock_token, body.reason, again=body.retry, after=after)
    return _done(ask, ok=ok)


def _error(ask: Ask) -> Any:
    body: BusinessFailure = ask.body
    return _done(ask, ok=external.raise_error(ask.tx, ask.id(), body.lock_token, body.code, body.message))


def _extend(ask: Ask) -> Any:
    body: Extended = ask.body
    until = external.extend(ask.tx, ask.id(), body.lock_token, timedelta(seconds=body.lock_seconds))
    return _done(ask, ok=False) if until is None else {"lockedUntil": until}


def _done(ask: Ask, *, ok: bool) -> Kept | None:
    """A worker that came too late is told so after its answer has been written into the history."""
    return None if ok else Kept(LockLost(id=ask.id()))


ROUTES = (
    Route("POST", "/external/{id}/complete", SCOPE, "completeExternal", "The work is done", _complete, Completed, 204),
    Route(
        "POST", "/external/{id}/fail", SCOPE, "failExternal",
        "The work failed: offered again after a back-off, in the end an incident", _fail, Failure, 204,
    ),
    Route(
        "POST", "/external/{id}/error", SCOPE, "raiseExternal",
        "A BPMN error, for an event of that code around the task", _error, BusinessFailure, 204,
    ),
    Route("POST", "/external/{id}/extend", SCOPE, "extendExternal", "Keep the lock longer", _extend, Extended),
)  # fmt: skip
