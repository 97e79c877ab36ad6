"""The catalogue over HTTP: the releases, and the entries of each section, which a change replaces in a new release."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from diaodu.catalog import commands, queries
from diaodu.catalog.errors import EntryUnknown
from diaodu.tmf import edge
from diaodu.tmf.document import parse
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.query import parse_time
from diaodu.tmf.router import Body, add_routes

BASE = "/diaodu-api/catalogue/v1"
SCOPE = "catalogue"


def mount_catalogue(router: APIRouter) -> None:
    """Give the application its catalogue."""

    def releases(request: Request) -> Response:
        with edge.session(request, f"{SCOPE}:read") as (tx, _):
            return edge.answer([r.to_json() for r in queries.releases(tx)])

    def entries(request: Request, section: str) -> Response:
        with edge.session(request, f"{SCOPE}:read") as (tx, _):
            return edge.answer(queries.section(tx, section, _instant(request) or tx.now))

    def entry(request: Request, section: str, entry_id: str) -> Response:
        with edge.session(request, f"{SCOPE}:read") as (tx, _):
            found = queries.section(tx, section, _instant(request) or tx.now).get(entry_id)
        if found is None:
            raise EntryUnknown(section=section, id=entry_id)
        return edge.answer(found)

    def change(request: Request, section: str, entry_id: str, body: Body) -> Response:
        with edge.session(request, f"{SCOPE}:write") as (tx, _):
            edge.check_media_type(request, edge.JSON)
            value = _entry(parse(body), section, entry_id)
            made = commands.put_entry(tx, section, entry_id, value, effective_at=_instant(request))
        return edge.answer({"release": made})

    def remove(request: Request, section: str, entry_id: str) -> Response:
        with edge.session(request, f"{SCOPE}:write") as (tx, _):
            made = commands.remove_entry(tx, section, entry_id, effective_at=_instant(request))
        return edge.answer({"release": made})

    tag = "catalogue"
    when = [_parameter("effectiveAt", "An instant in ISO 8601; without it now.")]
    add_routes(router, f"{BASE}/release", {"GET": releases}, tag=tag, parameters=[])
    add_routes(router, f"{BASE}/section/{{section}}", {"GET": entries}, tag=tag, parameters=when)
    add_routes(
        router,
        f"{BASE}/section/{{section}}/{{entry_id}}",
        {"GET": entry, "PUT": change, "DELETE": remove},
        tag=f"{tag} entry",
        parameters=when,
    )


def _entry(document: Mapping[str, Any], section: str, entry_id: str) -> Any:
    """What is to be stored: the entry itself, or the ``value`` of a section of named values."""
    if section in queries.TABLES:
        if not isinstance(document.get("value"), str):
            raise BadAttribute(path="value", expected="a text", value=str(document.get("value"))[:100])
        return document["value"]
    if document.get("id", entry_id) != entry_id:
        raise BadAttribute(path="id", expected=entry_id, value=str(document["id"])[:100])
    return {**document, "id": entry_id}


def _instant(request: Request) -> datetime | None:
    text = request.query_params.get("effectiveAt")
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise BadAttribute(path="effectiveAt", expected=str(error), value=text[:100]) from None


def _parameter(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": {"type": "string"}}
