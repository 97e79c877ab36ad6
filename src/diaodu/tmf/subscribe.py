"""``/hub`` of an API: register a listener, and take it back."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from diaodu.kernel.errors import NotFound
from diaodu.tmf import edge, hub
from diaodu.tmf.document import parse, text
from diaodu.tmf.errors import (
    AlreadySubscribed,
    BadAttribute,
    BadFilterValue,
    BadOperator,
    CallbackRefused,
    UnknownFilter,
)
from diaodu.tmf.query import conditions_of, parse_id
from diaodu.tmf.router import Body, add_routes

CALLBACK_MAX = 2_000


def mount_hub(
    router: APIRouter, base: str, *, scope: str, entity: str, events: tuple[str, ...], also: tuple[str, ...] = ()
) -> None:
    """Give an API its hub; ``events`` are the types that it sends, ``entity`` what they carry, or one of ``also``."""
    api = api_of(base)

    def subscribe(request: Request, body: Body) -> Response:
        with edge.session(request, f"{scope}:read") as (tx, principal):
            edge.check_media_type(request, edge.JSON)
            document = parse(body)
            callback = text(document, "callback", required=True) or ""
            query = text(document, "query") or ""
            check_callback(callback, edge.edge_of(request).callback_hosts)
            _check_query(query, (entity, *also), events)
            row = tx.row(
                "insert into tmf.subscription (id, api, callback, query, owner, created_at)"
                " values (%s, %s, %s, %s, %s, %s) on conflict (api, callback, query) do nothing returning id",
                (tx.new_id(0), api, callback, query, principal.name, tx.now),
            )
            if row is None:
                raise AlreadySubscribed(id=_known(tx, api, callback, query))
            hub.forget(tx)
        location = f"{edge.base_url(request)}{base}/hub/{row[0]}"
        return edge.answer(_document(row[0], callback, query), status=201, headers={"Location": location})

    def unsubscribe(request: Request, subscription_id: str) -> Response:
        with edge.session(request, f"{scope}:read") as (tx, principal):
            gone = tx.run(
                "delete from tmf.subscription where id = %s and api = %s and owner = %s",
                (_key(subscription_id), api, principal.name),
            )
            if not gone:
                raise NotFound(entity="hub", id=subscription_id[:40])
            hub.forget(tx)
        return Response(status_code=204)

    add_routes(router, f"{base}/hub", {"POST": subscribe}, tag=f"{entity} hub", parameters=[])
    add_routes(router, f"{base}/hub/{{subscription_id}}", {"DELETE": unsubscribe}, tag=f"{entity} hub", parameters=[])


def api_of(base: str) -> str:
    """The API's name in its base path: ``productOrderingManagement`` of ``/tmf-api/productOrderingManagement/v4``."""
    return base.split("/")[-2]


def check_callback(callback: str, allowed: frozenset[str]) -> None:
    """Pass when events may be sent there: loopback, or a host on the list; CallbackRefused, BadAttribute."""
    try:
        url = urlsplit(callback)
        host = url.hostname or ""
        known = url.scheme in ("http", "https") and bool(host) and url.port != 0
    except ValueError:
        known, host = False, ""
    if not known or url.username is not None or url.query or url.fragment or len(callback) > CALLBACK_MAX:
        raise BadAttribute(path="callback", expected="an http(s) address without query or user", value=callback[:100])
    if not _loopback(host) and host not in allowed:
        raise CallbackRefused(callback=callback[:200], host=host)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_query(query: str, entities: tuple[str, ...], events: tuple[str, ...]) -> None:
    allowed = ", ".join(["eventType", *(f"event.{entity}.<attribute>" for entity in entities)])
    known = tuple(f"event.{entity}." for entity in entities)
    for attribute, operator, values in conditions_of(query):
        if attribute != "eventType" and not attribute.startswith(known):
            raise UnknownFilter(attribute=attribute[:100], allowed=allowed)
        if operator != "eq":
            raise BadOperator(attribute=attribute[:100], operator=operator, allowed="eq")
        if attribute == "eventType" and (unknown := [v for v in values if v not in events]):
            raise BadFilterValue(attribute=attribute, value=unknown[0][:100], expected=", ".join(events))


def _document(subscription_id: int, callback: str, query: str) -> dict[str, Any]:
    return {"id": str(subscription_id), "callback": callback} | ({"query": query} if query else {})


def _known(tx: Any, api: str, callback: str, query: str) -> int:
    row = tx.row(
        "select id from tmf.subscription where api = %s and callback = %s and query = %s", (api, callback, query)
    )
    return int(row[0]) if row else 0


def _key(subscription_id: str) -> int:
    try:
        return parse_id(subscription_id)
    except ValueError:
        raise NotFound(entity="hub", id=subscription_id[:40]) from None
