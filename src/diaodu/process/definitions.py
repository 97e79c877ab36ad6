"""Designers deploy processes, and everybody who may look reads what is deployed."""

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from diaodu.engine import commands as engine
from diaodu.engine import queries
from diaodu.engine.ports import Handlers
from diaodu.process.commands import deploy
from diaodu.process.operations import PAGE, PAGE_MAX, READ, number
from diaodu.process.ports import Fit
from diaodu.tmf import edge
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.operation import Ask, File, Later, Route, shown, whole

DESIGN = "process-design:write"
XML = "application/xml"
_SOURCE = File((XML, "text/xml"), engine.MAX_BYTES)
_PAGED = (
    ("key", "Of this process only"),
    ("after", "The id of the last one that was read"),
    ("limit", f"At most {PAGE_MAX}; {PAGE} if not given"),
)
_DRAWN = (("diagram", "true: a file without a diagram is given one; what is stored stays as it is"),)


def routes(handlers: Handlers, fit: Fit) -> list[Route]:
    """The operations; ``handlers`` are what processes may call, ``fit`` is asked about each deployment."""
    one = "/definition/{key}/{version}"
    return [
        Route(
            "POST", "/definition", DESIGN, "deployDefinition",
            "Deploy the processes of a BPMN 2.0 file; 200 when the newest versions are these bytes already",
            _deploying(handlers, fit), _SOURCE, 201,
        ),
        Route(
            "GET", "/definition", READ, "findDefinitions", "The deployed versions, the newest first", _find,
            query=_PAGED,
        ),
        Route("GET", one, READ, "readDefinition", "A version with its elements", _one),
        Route(
            "GET", f"{one}/bpmn", READ, "readBpmn", "The file, byte by byte as it was deployed", _bpmn,
            query=_DRAWN, returns=XML,
        ),
    ]  # fmt: skip


def _deploying(handlers: Handlers, fit: Fit) -> Callable[[Ask], Response]:
    def handle(ask: Ask) -> Response:
        before = next((d.id for d in queries.definitions(ask.tx, limit=1)), 0)
        made = deploy(ask.tx, [ask.body], handlers, fit)
        (doubts,) = engine.examine([ask.body], handlers, engine.deployed_keys(ask.tx))
        found = [queries.get_definition(ask.tx, d.key, d.version)[0] for d in made]
        document = {"definitions": shown(found), "findings": [problem.to_json() for problem in doubts]}
        return edge.answer(document, status=201 if any(d.id > before for d in made) else 200)

    return handle


def _find(ask: Ask) -> Any:
    limit = min(number(ask.query.get("limit") or str(PAGE), "limit"), PAGE_MAX)
    before = whole(ask.query["after"], "after") if "after" in ask.query else None
    return queries.definitions(ask.tx, ask.query.get("key"), before=before, limit=limit)


def _one(ask: Ask) -> Any:
    found, bpmn = _asked(ask)
    return {**shown(found), "elements": queries.elements(bpmn, found.key)}


def _bpmn(ask: Ask) -> Later:
    found, bpmn = _asked(ask)
    drawn = ask.query.get("diagram", "false")
    if drawn not in ("true", "false"):
        raise BadAttribute(path="diagram", expected="true or false", value=drawn[:100])
    # Beside the source the tag names how it is shown, so that one is never taken for the other.
    headers = {"ETag": f'"{found.digest}"' if drawn == "false" else f'"{found.digest}-drawn"'}

    def make(_: Request) -> Response:
        content = queries.with_diagram(bpmn, found.key) if drawn == "true" else bpmn
        return Response(content, headers=headers, media_type=XML)

    return Later(make)


def _asked(ask: Ask) -> tuple[queries.DefinitionView, bytes]:
    return queries.get_definition(ask.tx, ask.path["key"], number(ask.path["version"], "version"))
