"""External workers: fetch and lock tasks of topics, complete, fail or extend them; over HTTP, in any language."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from diaodu.engine.commands import external
from diaodu.engine.errors import LockLost
from diaodu.kernel.access import AccessPolicy, Principal
from diaodu.kernel.errors import NotAllowed
from diaodu.tmf import edge
from diaodu.tmf.operation import Ask, Body, Kept, Route, read, refuse_others, shown

SCOPE = "external:write"
# Before the name of a topic: the right to its work only.
TOPIC = "process:external:"
_TOLD = f"{SCOPE}` or `{TOPIC}TOPIC"
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
            "description": f"Scope: `{_TOLD}`. A task's id is the key of idempotency: it stays the same over retries.",
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
    edge.check_accept(request)
    with edge.caller(request) as (tx, principal):
        policy = edge.edge_of(request).policy
        _may(policy, principal)
        asked = read(request, body, Fetch)
        assert isinstance(asked, Fetch)
        _may(policy, principal, *asked.topics)
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


def _may(policy: AccessPolicy, principal: Principal, *topics: str) -> None:
    """Pass when a caller may do the work of these topics (of none: of any at all); NotAllowed."""
    try:
        policy.require(principal, SCOPE)
    except NotAllowed:
        if not any(scope.startswith(TOPIC) for scope in principal.scopes):
            raise
        for topic in topics:
            policy.require(principal, TOPIC + topic)


def _allow(policy: AccessPolicy, ask: Ask) -> None:
    _may(policy, ask.principal)
    _may(policy, ask.principal, external.topic_of(ask.tx, ask.id()))


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


def _route(verb: str, name: str, summary: str, handle: Callable[[Ask], Any], body: type[Body]) -> Route:
    status = 200 if body is Extended else 204
    return Route("POST", f"/external/{{id}}/{verb}", _TOLD, name, summary, handle, body, status, allow=_allow)


_AGAIN = "The work failed: offered again after a back-off, in the end an incident"
_ERROR = "A BPMN error, for an event of that code around the task"
ROUTES = (
    _route("complete", "completeExternal", "The work is done", _complete, Completed),
    _route("fail", "failExternal", _AGAIN, _fail, Failure),
    _route("error", "raiseExternal", _ERROR, _error, BusinessFailure),
    _route("extend", "extendExternal", "Keep the lock longer", _extend, Extended),
)
