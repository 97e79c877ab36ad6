"""The TMF630 verbs, written once for every resource."""

import re
from collections.abc import Callable
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Depends, Request, Response
from psycopg import sql as psql

from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.tmf import edge
from diaodu.tmf.document import parse, select
from diaodu.tmf.errors import BadAttribute, BadFilterValue, FilterTooWide, MethodNotAllowed, NotPatchable
from diaodu.tmf.query import OFFSET_MAX, ListQuery, read
from diaodu.tmf.resource import Create, Patch, Resource, Row, count, read_one, read_page

# Counting further costs more than anybody learns from it.
COUNT_MAX = 10_000
# What a filter without an index may cost: it still finds a match in small tables and cannot stop a large one.
WIDE_FILTER_MS = 2_000
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
Handler = Callable[..., Response]
Body = Annotated[bytes, Depends(edge.read_body)]


def mount(router: APIRouter, resource: Resource) -> None:
    """Give a resource its routes: list, one, and what it declares of create and patch; 405 for the rest."""
    collection: dict[str, Handler] = {"GET": _list_handler(resource)}
    single: dict[str, Handler] = {"GET": _one_handler(resource)}
    if resource.create:
        collection["POST"] = _create_handler(resource, resource.create)
    if resource.patch:
        single["PATCH"] = _patch_handler(resource, resource.patch)
    add_routes(router, resource.path, collection, tag=resource.name, parameters=_list_parameters(resource))
    add_routes(router, f"{resource.path}/{{entity_id}}", single, tag=resource.name, parameters=[_query("fields")])


def add_routes(
    router: APIRouter, path: str, handlers: dict[str, Handler], *, tag: str, parameters: list[dict[str, Any]]
) -> None:
    """Add a path's handlers by method; every other method is answered 405 with what is allowed."""
    for method, handler in handlers.items():
        documented: dict[str, Any] = {"parameters": parameters} if method == "GET" else {}
        if method in ("POST", "PUT", "PATCH"):
            documented["requestBody"] = {"required": True, "content": {"application/json": {"schema": _OBJECT}}}
        documented["security"] = [{"bearer": []}]
        router.add_api_route(
            path,
            handler,
            methods=[method],
            tags=[tag],
            operation_id=f"{handler.__name__}_{tag}",
            summary=f"{handler.__name__.capitalize()} {tag}",
            response_class=Response,
            status_code=201 if method == "POST" else 204 if method == "DELETE" else 200,
            openapi_extra=documented,
        )
    allowed = ", ".join(handlers)

    def refuse(request: Request) -> Response:
        raise MethodNotAllowed(method=request.method, allowed=allowed)

    router.add_api_route(path, refuse, methods=[m for m in _METHODS if m not in handlers], include_in_schema=False)


def _list_handler(resource: Resource) -> Handler:
    def find(request: Request) -> Response:
        with edge.session(request, f"{resource.scope}:read") as (tx, principal):
            query = read(
                request.url.query, resource.columns, order=resource.order, order_indexed=resource.order_indexed
            )
            rows, total, exact = _page(tx, resource, query, principal)
            found = [select(resource.to_resource(r, edge.base_url(request)), query.fields) for r in rows]
            headers = {"X-Total-Count": str(total), "X-Result-Count": str(len(found))}
            if not exact:
                headers["X-Total-Count-Capped"] = "true"
            partial = query.paged and (query.offset + len(found) < total or not exact)
            if query.paged and (links := _links(request, query, total, exact=exact)):
                headers["Link"] = links
            return edge.answer(found, status=206 if partial else 200, headers=headers)

    return find


def _page(tx: Tx, resource: Resource, query: ListQuery, principal: Principal) -> tuple[list[Row], int, bool]:
    """The rows of the page, the number of matching rows, and whether that number is exact."""
    condition, visible_params = resource.visible(principal)
    where = psql.SQL("{} and ({})").format(query.where, psql.SQL(condition))
    params = [*query.params, *visible_params]
    if not query.indexed:
        tx.run(f"set local statement_timeout = {WIDE_FILTER_MS}")
    try:
        rows = read_page(tx, resource, where, params, order=query.order, limit=query.limit, offset=query.offset)
        if len(rows) < query.limit and (rows or not query.offset):
            return rows, query.offset + len(rows), True
        total = count(tx, resource, where, params, most=COUNT_MAX + 1)
    except psycopg.errors.QueryCanceled:
        raise FilterTooWide(indexed=resource.indexed) from None
    except psycopg.errors.InvalidRegularExpression as error:
        raise BadFilterValue(attribute="regex", value="?", expected=error.diag.message_primary) from None
    return rows, min(total, COUNT_MAX), total <= COUNT_MAX


def _links(request: Request, query: ListQuery, total: int, *, exact: bool) -> str:
    step = max(query.limit, 1)
    places = {"first": 0, "prev": max(query.offset - step, 0) if query.offset else None}
    places["next"] = query.offset + step if query.offset + step < total or not exact else None
    places["last"] = (max(total - 1, 0) // step) * step if exact else None
    return ", ".join(
        f'<{request.url.include_query_params(offset=offset, limit=query.limit)}>; rel="{rel}"'
        for rel, offset in places.items()
        if offset is not None and offset <= OFFSET_MAX
    )


def _one_handler(resource: Resource) -> Handler:
    def get(request: Request, entity_id: str) -> Response:
        with edge.session(request, f"{resource.scope}:read") as (tx, principal):
            row = _visible_row(tx, resource, entity_id, principal)
            document = resource.to_resource(row, edge.base_url(request))
            return edge.answer(
                select(document, request.query_params.get("fields") or None), headers=_tag(resource, row)
            )

    return get


def _visible_row(tx: Tx, resource: Resource, entity_id: str, principal: Principal) -> Row:
    try:
        key = resource.parse_key(entity_id)
    except ValueError:
        raise NotFound(entity=resource.name, id=entity_id[:40]) from None
    row = read_one(tx, resource, key, resource.visible(principal))
    if row is None:
        raise NotFound(entity=resource.name, id=entity_id)
    return row


def _create_handler(resource: Resource, create: Create) -> Handler:
    def create_one(request: Request, body: Body) -> Response:
        with edge.session(request, f"{resource.scope}:write") as (tx, principal):
            edge.check_media_type(request, edge.JSON)
            entity_id, content = create.identify(tx, principal, parse(body), request.headers.get("idempotency-key"))
        with edge.edge_of(request).db.transaction(actor=principal.name) as tx:
            created = create.capture(tx, principal, entity_id, content)
            row = read_one(tx, resource, entity_id)
            if row is None:
                raise NotFound(entity=resource.name, id=entity_id)
            document = resource.to_resource(row, edge.base_url(request))
        headers = {"Location": document["href"]} | _tag(resource, row)
        headers |= {} if created else {"Idempotency-Replayed": "true"}
        return edge.answer(document, status=201, headers=headers)

    create_one.__name__ = "create"
    return create_one


def _patch_handler(resource: Resource, patch: Patch) -> Handler:
    def change(request: Request, entity_id: str, body: Body) -> Response:
        with edge.session(request, f"{resource.scope}:write") as (tx, principal):
            edge.check_media_type(request, edge.MERGE_PATCH)
            key = int(_visible_row(tx, resource, entity_id, principal)["id"])
            document = parse(body)
            for attribute in document:
                if attribute not in patch.attributes:
                    allowed = ", ".join(sorted(patch.attributes))
                    raise NotPatchable(attribute=attribute[:100], allowed=allowed)
            patch.apply(tx, principal, key, document | _seen(request, patch))
            row = _visible_row(tx, resource, entity_id, principal)
            return edge.answer(resource.to_resource(row, edge.base_url(request)), headers=_tag(resource, row))

    change.__name__ = "patch"
    return change


def _tag(resource: Resource, row: Row) -> dict[str, str]:
    return {"ETag": f'"{resource.version(row)}"'} if resource.version else {}


def _seen(request: Request, patch: Patch) -> dict[str, int]:
    """The version that the client says it saw; BadAttribute."""
    given = request.headers.get("if-match", "*").strip()
    if patch.seen is None or given == "*":
        return {}
    number = given.removeprefix("W/").strip('"')
    if not re.fullmatch("[0-9]{1,9}", number):
        raise BadAttribute(path="If-Match", expected="an ETag as it was answered", value=given[:100])
    return {patch.seen: int(number)}


_OBJECT = {"type": "object", "additionalProperties": True}


def _query(name: str, kind: str = "string", text: str = "") -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": {"type": kind}, "description": text}


def _list_parameters(resource: Resource) -> list[dict[str, Any]]:
    plain = [_query("fields"), _query("sort"), _query("offset", "integer"), _query("limit", "integer")]
    return plain + [
        _query(name, text=("Indexed. " if column.indexed else "") + "Operators: " + ", ".join(column.operators))
        for name, column in resource.columns.items()
    ]
