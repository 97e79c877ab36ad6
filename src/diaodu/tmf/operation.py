"""Interfaces of our own beside TM Forum's: how one operation is described, served and shown in ``/openapi.json``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from diaodu.kernel.access import AccessPolicy, Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import Rejected
from diaodu.tmf import edge
from diaodu.tmf.document import parse
from diaodu.tmf.errors import BadAttribute, MethodNotAllowed
from diaodu.tmf.query import parse_id

_ALL = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_VALUE_MAX = 100


class Body(BaseModel):
    """What a request carries; unknown attributes are refused."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True, strict=True)


class Nothing(Body):
    """No attributes."""


@dataclass(frozen=True)
class Ask:
    """One request within its transaction; ``body`` is of the class that its route names."""

    tx: Tx
    principal: Principal
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    @property
    def by(self) -> str:
        return self.principal.name

    def id(self, name: str = "id") -> int:
        """An id in the path; BadAttribute."""
        return whole(self.path[name], name)


@dataclass(frozen=True)
class Kept:
    """A refusal that is told after the commit: what was written stays."""

    error: Rejected


@dataclass(frozen=True)
class Later:
    """An answer that takes its time: it is made after the transaction."""

    make: Callable[[Request], Response]


@dataclass(frozen=True)
class File:
    """A body that is taken as it is, in bytes: of these media types and at most so large."""

    media: tuple[str, ...]
    limit: int


@dataclass(frozen=True)
class Route:
    """One operation: method and path below the base, the scope that it needs, what it does and what it takes."""

    method: str
    path: str
    scope: str
    name: str  # the operation's id in /openapi.json
    summary: str
    handle: Callable[[Ask], Any]
    body: type[Body] | File | None = None
    status: int = 200
    query: Sequence[tuple[str, str]] = ()  # name and what it means
    headers: Sequence[tuple[str, str]] = ()  # the same
    returns: str = edge.JSON[0]
    # Where one scope does not tell who may; what else than ``scope`` is enough.
    allow: Callable[[AccessPolicy, Ask], None] | None = None


def mount(router: APIRouter, base: str, routes: Sequence[Route], *, tag: str) -> None:
    """Serve the routes below ``base``; another method on one of their paths is answered 405."""
    by_path: dict[str, list[Route]] = {}
    for route in routes:
        router.add_api_route(
            base + route.path,
            _endpoint(route),
            methods=[route.method],
            tags=[tag],
            operation_id=route.name,
            summary=route.summary,
            response_class=Response,
            status_code=route.status,
            openapi_extra=_documented(route),
        )
        by_path.setdefault(route.path, []).append(route)
    for path, found in by_path.items():
        refuse_others(router, base + path, [r.method for r in found])


def refuse_others(router: APIRouter, path: str, methods: Sequence[str]) -> None:
    """Answer every other method on a path with what is allowed."""
    allowed = ", ".join(methods)

    def refuse(request: Request) -> Response:
        raise MethodNotAllowed(method=request.method, allowed=allowed)

    others = [m for m in _ALL if m not in methods]
    router.add_api_route(path, refuse, methods=others, include_in_schema=False)


def _endpoint(route: Route) -> Callable[..., Any]:
    limit = route.body.limit if isinstance(route.body, File) else edge.BODY_MAX

    def serve(request: Request, body: bytes) -> Response:
        if route.returns in edge.JSON:
            edge.check_accept(request)
        with edge.caller(request) as (tx, principal):
            ask = Ask(tx, principal, request.path_params, request.query_params, request.headers, None)
            policy = edge.edge_of(request).policy
            if route.allow is not None:
                route.allow(policy, ask)
            else:
                policy.require(principal, route.scope)
            found = route.handle(replace(ask, body=_given(request, body, route.body)))
        if isinstance(found, Later):
            return found.make(request)
        return _answer(found, route.status)

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(serve, request, await edge.read_up_to(request, limit))

    return endpoint


def _given(request: Request, body: bytes, wanted: type[Body] | File | None) -> Body | bytes | None:
    if isinstance(wanted, File):
        edge.check_media_type(request, wanted.media)
        return body
    return None if wanted is None else read(request, body, wanted)


def _answer(found: Any, status: int) -> Response:
    if isinstance(found, Kept):
        raise found.error
    if isinstance(found, Response):
        return found
    return Response(status_code=204) if found is None else edge.answer(shown(found), status=status)


def read(request: Request, body: bytes, model: type[Body]) -> Body:
    """The body of a request; BadAttribute names what is wrong."""
    edge.check_media_type(request, edge.JSON)
    try:
        return model.model_validate(parse(body))
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"]) or "(body)"
        raise BadAttribute(path=path, expected=first["msg"], value=str(first["input"])[:_VALUE_MAX]) from None


def whole(text: str, name: str) -> int:
    """An id as it is written in JSON and in paths; BadAttribute."""
    try:
        return int(parse_id(text))
    except ValueError:
        raise BadAttribute(path=name, expected="an id", value=text[:_VALUE_MAX]) from None


def shown(value: Any) -> Any:
    """The JSON of a value: attributes in camel case, ids as text because they have 63 bits."""
    if is_dataclass(value) and not isinstance(value, type):
        found = {f.name: getattr(value, f.name) for f in fields(value)}
        return {to_camel(name): _id(name, shown(v)) for name, v in found.items() if v is not None}
    if isinstance(value, Mapping):
        return {str(name): shown(v) for name, v in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [shown(v) for v in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _id(name: str, value: Any) -> Any:
    return str(value) if (name == "id" or name.endswith("_id")) and isinstance(value, int) else value


def _documented(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {"security": [{"bearer": []}], "description": f"Scope: `{route.scope}`."}
    found["parameters"] = [_parameter(name, "query", text) for name, text in route.query]
    found["parameters"] += [_parameter(name, "header", text) for name, text in route.headers]
    found["parameters"] += [
        _parameter(part[1:-1], "path", "") for part in route.path.split("/") if part.startswith("{")
    ]
    if isinstance(route.body, File):
        content = {media: {"schema": {"type": "string"}} for media in route.body.media}
        found["requestBody"] = {"required": True, "content": content}
    elif route.body is not None:
        schema = route.body.model_json_schema(by_alias=True)
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if route.returns not in edge.JSON:
        found["responses"] = {str(route.status): {"description": "", "content": {route.returns: {}}}}
    return found


def _parameter(name: str, where: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": {"type": "string"}, "description": text}
