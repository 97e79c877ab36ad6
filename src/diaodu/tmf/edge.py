"""What every HTTP handler shares: who asks, the one transaction, the body, the answer, the language."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.responses import JSONResponse

from diaodu.kernel.access import AccessPolicy, Principal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import NotAuthenticated, Rejected
from diaodu.tmf.errors import BodyTooLarge, NotAcceptable, UnsupportedMediaType

# The largest official example has 40 KB; a body is held in memory whole.
BODY_MAX = 1_000_000
JSON = ("application/json",)
MERGE_PATCH = ("application/json", "application/merge-patch+json")
_MESSAGE_MAX = 2_000


@dataclass(frozen=True)
class Edge:
    """The parts that the handlers are wired to; it stands in ``app.state.edge``.

    ``callback_hosts`` are the hosts beyond loopback that events may be delivered to.
    """

    db: Database
    policy: AccessPolicy
    callback_hosts: frozenset[str] = frozenset()


def edge_of(request: Request) -> Edge:
    """The wiring of the application that serves the request."""
    edge: Edge = request.app.state.edge
    return edge


@contextmanager
def session(request: Request, scope: str) -> Iterator[tuple[Tx, Principal]]:
    """One transaction of an authenticated caller who holds ``scope``; NotAuthenticated, NotAllowed."""
    check_accept(request)
    with caller(request) as (tx, principal):
        edge_of(request).policy.require(principal, scope)
        yield tx, principal


@contextmanager
def caller(request: Request) -> Iterator[tuple[Tx, Principal]]:
    """One transaction of an authenticated caller, whose right and wish of a type the block asks; NotAuthenticated."""
    edge = edge_of(request)
    with edge.db.transaction(actor="nobody") as tx:
        principal = edge.policy.authenticate(tx, _token(request))
        tx.actor = principal.name
        yield tx, principal


async def read_body(request: Request) -> bytes:
    """The body as it came; BodyTooLarge as soon as it is seen to be."""
    return await read_up_to(request, BODY_MAX)


async def read_up_to(request: Request, limit: int) -> bytes:
    """The same with a limit of its own, in bytes."""
    if int(request.headers.get("content-length", "0")) > limit:
        raise BodyTooLarge(limit=limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge(limit=limit)
    return bytes(body)


def check_media_type(request: Request, allowed: tuple[str, ...]) -> None:
    """Pass when the body is of an allowed type, else UnsupportedMediaType."""
    given = request.headers.get("content-type", "")
    if given.split(";")[0].strip().lower() not in allowed:
        raise UnsupportedMediaType(given=given[:100] or "(none)", allowed=", ".join(allowed))


def base_url(request: Request) -> str:
    """The prefix of every href: scheme, host and port as the client sees them."""
    return str(request.base_url).rstrip("/")


def answer(document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(
        orjson.dumps(document, default=str), status, dict(headers or {}), media_type="application/json;charset=utf-8"
    )


def refusal(request: Request, error: Rejected) -> Response:
    """The TM Forum error body of a refusal, in the caller's language; findings stand in it one by one, in both."""
    status, findings = error.status, error.params.get("findings", ())
    detail = "; ".join(f"{name}={value}" for name, value in error.params.items() if value is not findings)
    headers = {"Content-Language": language_of(request)}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == 405:
        headers["Allow"] = str(error.params.get("allowed", ""))
    if error.status == 503:
        headers["Retry-After"] = "1"
    reason = error.message(language_of(request))
    return problem(status, error.code, reason, detail[:_MESSAGE_MAX], headers=headers, findings=findings)


def problem(
    status: int,
    code: str,
    reason: str,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    findings: Sequence[Any] = (),
) -> Response:
    """A TM Forum error body; ``message`` and ``findings`` are left out when there is nothing to add."""
    body: dict[str, Any] = {"code": code, "reason": reason, "status": str(status)}
    body |= ({"message": message} if message else {}) | ({"findings": findings} if findings else {})
    return JSONResponse(body, status, dict(headers or {}))


def language_of(request: Request) -> str:
    """``zh`` when the caller prefers it to English, else ``en``."""
    best, chosen = 0.0, "en"
    for tag, quality in _preferences(request.headers.get("accept-language", "")):
        language = tag.split("-")[0]
        if language in ("zh", "en") and quality > best:
            best, chosen = quality, language
    return chosen


def _preferences(header: str) -> list[tuple[str, float]]:
    """The entries of an Accept or Accept-Language header with their q, in the order given."""
    found = []
    for entry in header.lower().split(","):
        name, *parameters = [part.strip() for part in entry.split(";")]
        quality = next((p[2:] for p in parameters if re.fullmatch(r"q=[01](\.[0-9]{0,3})?", p)), "1")
        found.append((name, float(quality)))
    return found


def check_accept(request: Request) -> None:
    """Pass when the caller takes JSON, else NotAcceptable."""
    header = request.headers.get("accept", "*/*")
    accepted = {name for name, quality in _preferences(header) if quality > 0}
    if not accepted & {"application/json", "application/*", "*/*", ""}:
        raise NotAcceptable(given=header[:100])


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated
    return token.strip()
