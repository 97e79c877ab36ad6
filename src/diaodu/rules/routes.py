"""How an operation of the decisions' API becomes a route: one transaction, one right, one place in the OpenAPI."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from diaodu.kernel.db import Tx
from diaodu.rules.content import JSON
from diaodu.tmf import edge
from diaodu.tmf.document import Document, parse
from diaodu.tmf.errors import MethodNotAllowed, NotAcceptable

BASE = "/diaodu-api/rules/v1/decision"
SCOPE = "rules"
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_TAG = "decision"
_OBJECT = {"type": "object", "additionalProperties": True}
_BINARY = {"type": "string", "format": "binary"}
_ERROR = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("code", "reason", "status", "message")},
}


@dataclass(frozen=True)
class Call:
    """One request: its transaction, its body, and the media type that it is answered in."""

    request: Request
    tx: Tx
    body: bytes
    answer_in: str

    @property
    def key(self) -> str:
        """The key of the decision in the path."""
        return str(self.request.path_params["key"])

    @property
    def n(self) -> str:
        """The version in the path: its number, or ``draft``."""
        return str(self.request.path_params.get("n", "draft"))

    @property
    def expected_digest(self) -> str | None:
        """What ``If-Match`` names; None without it."""
        given = self.request.headers.get("if-match", "").strip()
        return given.removeprefix("W/").strip('"') or None

    def document(self) -> Document:
        """The body as a JSON object; an empty one without a body."""
        return parse(self.body) if self.body.strip() else {}


@dataclass(frozen=True)
class Operation:
    """One method of one path below BASE; ``body`` and ``returns`` are the media types that it takes and gives."""

    method: str
    path: str
    handle: Callable[[Call], Response]
    summary: str
    body: tuple[str, ...] = ()
    returns: tuple[str, ...] = (JSON,)
    writes: bool = False
    query: tuple[str, ...] = ()


def add_operations(router: APIRouter, operations: Iterable[Operation]) -> None:
    """Mount operations; every other method of their paths is answered 405 with what is allowed."""
    for path, group in groupby(sorted(operations, key=lambda o: (o.path, o.method)), key=lambda o: o.path):
        members = list(group)
        for operation in members:
            router.add_api_route(
                BASE + path,
                _endpoint(operation),
                methods=[operation.method],
                tags=[_TAG],
                operation_id=f"{_TAG}_{operation.method.lower()}{re.sub('[^a-z]+', '_', path)}".rstrip("_"),
                summary=operation.summary,
                response_class=Response,
                openapi_extra=_documented(operation),
            )
        allowed = [o.method for o in members]
        others = [m for m in _METHODS if m not in allowed]
        router.add_api_route(BASE + path, _refusing(", ".join(allowed)), methods=others, include_in_schema=False)


def _endpoint(operation: Operation) -> Callable[..., Response]:
    scope = f"{SCOPE}:{'write' if operation.writes else 'read'}"

    def serve(request: Request, body: Annotated[bytes, Depends(edge.read_body)]) -> Response:
        answer_in = _accepted(request, operation.returns)
        with edge.session(_of_any_type(request), scope) as (tx, _):
            if operation.body and body:
                edge.check_media_type(request, operation.body)
            return operation.handle(Call(request, tx, body, answer_in))

    return serve


def _refusing(allowed: str) -> Callable[..., Response]:
    def refuse(request: Request) -> Response:
        raise MethodNotAllowed(method=request.method, allowed=allowed)

    return refuse


def _accepted(request: Request, offered: tuple[str, ...]) -> str:
    """The first media type of the Accept header that is offered; NotAcceptable."""
    header = request.headers.get("accept", "*/*")
    for entry in header.lower().split(","):
        wanted, *parameters = [part.strip() for part in entry.split(";")]
        if any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters):
            continue
        if wanted in ("", "*/*", "application/*"):
            return offered[0]
        if wanted in offered:
            return wanted
    raise NotAcceptable(given=header[:100])


def _of_any_type(request: Request) -> Request:
    """The request without its Accept header: the edge itself knows only JSON, and the answer's type is settled here."""
    headers = [(name, value) for name, value in request.scope["headers"] if name != b"accept"]
    return Request({**request.scope, "headers": headers})


def _documented(operation: Operation) -> dict[str, Any]:
    names = [(name, "path") for name in re.findall(r"{(\w+)}", operation.path)]
    names += [(name, "query") for name in operation.query]
    names += [("If-Match", "header")] if operation.writes else []
    documented: dict[str, Any] = {
        "security": [{"bearer": []}],
        "parameters": [
            {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}}
            for name, place in names
        ],
        "responses": {
            "200": {"description": "Done", "content": _content(operation.returns)},
            "default": {"description": "Refused: code, reason", "content": {JSON: {"schema": _ERROR}}},
        },
    }
    if operation.body:
        documented["requestBody"] = {"required": operation.method == "PUT", "content": _content(operation.body)}
    return documented


def _content(media_types: tuple[str, ...]) -> dict[str, Any]:
    return {media: {"schema": _OBJECT if media == JSON else _BINARY} for media in media_types}
