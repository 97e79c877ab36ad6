"""What a client is told when something fails: refusals in its language, bugs as 500 with a trace id."""

from secrets import token_hex

import psycopg
import structlog
from fastapi import FastAPI, Request, Response
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diaodu.kernel.errors import Rejected
from diaodu.tmf import edge
from diaodu.tmf.errors import MethodNotAllowed, NoSuchPath, Unavailable

_log = structlog.get_logger(__name__)
_BUG = {
    "en": "Something went wrong on our side. Nothing was changed. Give the trace id to the operator.",
    "zh": "系统内部错误,未作任何更改。请将跟踪号告知运维人员。",
}


def add_failures(app: FastAPI) -> None:
    """Render every failure as a TM Forum error body."""
    app.add_exception_handler(Rejected, _rejected)
    app.add_exception_handler(HTTPException, _unrouted)
    app.add_middleware(FailureGuard)


def _rejected(request: Request, error: Exception) -> Response:
    assert isinstance(error, Rejected)
    return edge.refusal(request, error)


def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return edge.refusal(request, MethodNotAllowed(method=request.method, allowed=allowed))
    if error.status_code == 404:
        return edge.refusal(request, NoSuchPath(path=request.url.path[:200]))
    return edge.problem(error.status_code, "tmf.http", str(error.detail), "")


class FailureGuard:
    """Outermost middleware: what nobody refused is a bug (500) or a database that does not answer (503)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the traceback goes to the log, under the trace id that the client is told."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            await _failure(Request(scope), error)(scope, receive, send)


def _failure(request: Request, error: Exception) -> Response:
    trace_id = token_hex(8)
    _log.error("request.failed", trace_id=trace_id, method=request.method, path=request.url.path, exc_info=error)
    if isinstance(error, psycopg.OperationalError | PoolTimeout):
        return edge.refusal(request, Unavailable())
    return edge.problem(500, "app.bug", _BUG[edge.language_of(request)], f"trace id {trace_id}")
