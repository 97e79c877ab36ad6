"""People operate instances: look, start, suspend, cancel, skip, move, change, migrate, one by one or in bulk."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import AwareDatetime, Field

from diaodu.engine import commands, queries
from diaodu.engine.commands import bulk, operate
from diaodu.engine.model import Message, Start
from diaodu.engine.queries import Filter
from diaodu.kernel import journal, keys
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_for
from diaodu.process.commands import start
from diaodu.tmf import edge
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.operation import Ask, Body, Later, Route, whole

READ, WRITE, MOVE = "process:read", "process:write", "process-move:write"
PAGE, PAGE_MAX = 50, 500
KEY, KEY_MAX = "Idempotency-Key", 200


class Why(Body):
    reason: str = Field(max_length=1_000)


class Asked(Body):
    process: str
    business_key: str = ""
    variables: dict[str, Any] = Field(default_factory=dict)
    key: str | None = Field(default=None, min_length=1, max_length=KEY_MAX)


class Variables(Why):
    set: dict[str, Any] = Field(default_factory=dict)
    remove: list[str] = Field(default_factory=list)


class Jump(Why):
    target: str


class Migration(Body):
    version: int
    mapping: dict[str, str]
    recompute_timers: bool = False
    leave: dict[str, Annotated[str, Field(max_length=1_000)]] = Field(default_factory=dict)
    miss: list[str] = Field(default_factory=list)


class Survey(Body):
    mapping: dict[str, str]
    leave: dict[str, Annotated[str, Field(max_length=1_000)]] = Field(default_factory=dict)
    miss: list[str] = Field(default_factory=list)
    after: str = "0"


class Sent(Body):
    root_id: str
    name: str
    key: str
    variables: dict[str, Any] = Field(default_factory=dict)
    ttl_seconds: float | None = Field(default=None, ge=0)


class Hold(Body):
    version: int | None = None


class Chosen(Body):
    process: str | None = None
    version: int | None = None
    state: str | None = None
    business_key: str | None = None
    node: str | None = None
    incident: str | None = None
    started_before: AwareDatetime | None = Field(default=None, strict=False)
    started_after: AwareDatetime | None = Field(default=None, strict=False)
    ids: list[str] | None = None


class Many(Why):
    verb: str
    filter: Chosen
    arguments: dict[str, Any] = Field(default_factory=dict)


class Confirmed(Body):
    token: str


def routes(effects: frozenset[str]) -> list[Route]:
    """The operations; ``effects`` are the service types that nobody may pass over by hand."""
    return [*_LOOK, *_DO, *_BULK, *_moves(effects)]


# Looking --------------------------------------------------------------------------------------------------------


def _find(ask: Ask) -> Any:
    asked = ask.query.get
    limit = min(number(asked("limit") or str(PAGE), "limit"), PAGE_MAX)
    version = number(ask.query["version"], "version") if "version" in ask.query else None
    after = whole(ask.query["after"], "after") if "after" in ask.query else 0
    chosen = Filter(asked("process"), version, asked("state"), asked("businessKey"), asked("node"), asked("incident"))
    bulk.check(chosen)
    found = queries.find(ask.tx, chosen, after=after, limit=limit)
    return [queries.get_instance(ask.tx, i) for i in found]


def _one(ask: Ask) -> Any:
    return queries.get_instance(ask.tx, ask.id())


def _tokens(ask: Ask) -> Any:
    return queries.tokens(ask.tx, ask.id())


def _wait(ask: Ask) -> Any:
    return queries.explain_wait(ask.tx, ask.id())


def _history(ask: Ask) -> Any:
    return queries.history_of(ask.tx, ask.id())


def _stack(ask: Ask) -> Any:
    called = [str(i) for i in queries.calls_of(ask.tx, ask.id())]
    return {"stack": queries.call_stack(ask.tx, ask.id()), "calls": called}


def _incidents(ask: Ask) -> Any:
    root = ask.query.get("rootId")
    return queries.incidents(ask.tx, PAGE_MAX, None if root is None else whole(root, "rootId"))


def _proposal(ask: Ask) -> Any:
    old, new = (number(ask.path[name], name) for name in ("old", "new"))
    return queries.propose_migration(ask.tx, ask.path["process"], old, new)


def number(text: str, name: str) -> int:
    """A whole number below 10^9 in a path or a query; BadAttribute."""
    if not text.isdigit() or len(text) > 9:
        raise BadAttribute(path=name, expected="a whole number", value=text[:100])
    return int(text)


_FILTERS = (
    ("process", "Its key"),
    ("version", "A number"),
    ("state", "active, suspended, ended, cancelled; without it the first two"),
    ("businessKey", ""),
    ("node", "A token stands at this element; needs process"),
    ("incident", "The code of an open incident"),
    ("after", "The id of the last one that was read"),
    ("limit", f"At most {PAGE_MAX}; {PAGE} if not given"),
)
_LOOK = (
    Route("GET", "/instance", READ, "findInstances", "Instances in the order of their ids", _find, query=_FILTERS),
    Route("GET", "/instance/{id}", READ, "readInstance", "An instance with its variables", _one),
    Route("GET", "/instance/{id}/token", READ, "readTokens", "Where it stands", _tokens),
    Route("GET", "/instance/{id}/wait", READ, "explainWait", "Why it does not go on", _wait),
    Route("GET", "/instance/{id}/history", READ, "readHistory", "All that happened to it and what it called", _history),
    Route("GET", "/instance/{id}/stack", READ, "readStack", "The calls that lead to it, and those it made", _stack),
    Route(
        "GET", "/incident", READ, "findIncidents", "The open incidents, oldest first", _incidents,
        query=[("rootId", "Of this root only")],
    ),
    Route(
        "GET", "/process/{process}/migration/{old}/{new}", READ, "proposeMigration",
        "How the elements of one version map to those of another", _proposal,
    ),
)  # fmt: skip


# Doing ----------------------------------------------------------------------------------------------------------


def _start(ask: Ask) -> Later:
    """The key fixes the root in this transaction; the instance starts there in the next one."""
    body: Asked = ask.body
    key = ask.headers.get(KEY) or body.key
    if key is not None and len(key) > KEY_MAX:
        raise BadAttribute(path=KEY, expected=f"at most {KEY_MAX} characters", value=key[:100])
    if key is None:
        root = ask.tx.new_id(part_for(f"{body.process} {body.business_key} {ask.tx.now.isoformat()}", ask.tx.parts))
    else:
        root = keys.id_for(ask.tx, "instance", source=ask.by, key=key)
    asked = Start(root, body.process, body.business_key, body.variables)

    def make(request: Request) -> Response:
        with edge.edge_of(request).db.transaction(actor=ask.by) as tx:
            new = start(tx, asked, key)
        headers = {} if new else {"Idempotency-Replayed": "true"}
        return edge.answer({"rootId": str(root)}, status=202, headers=headers)

    return Later(make)


def _plain(command: Callable[..., None]) -> Callable[[Ask], Any]:
    """An operation that takes an id and a reason."""
    return lambda ask: command(ask.tx, ask.id(), ask.by, ask.body.reason)


def _variables(ask: Ask) -> Any:
    body: Variables = ask.body
    operate.set_variables(ask.tx, ask.id(), body.set, by=ask.by, reason=body.reason, remove=body.remove)


def _retry(ask: Ask) -> Any:
    operate.retry_incident(ask.tx, ask.id(), ask.by)


def _message(ask: Ask) -> Any:
    body: Sent = ask.body
    root = whole(body.root_id, "rootId")
    ttl = None if body.ttl_seconds is None else timedelta(seconds=body.ttl_seconds)
    if not journal.lock(ask.tx, [root]):
        raise NotFound(entity="root", id=body.root_id)
    commands.signal(ask.tx, [Message(root, body.name, body.key, body.variables, ttl)])


def _hold(ask: Ask) -> Any:
    found = operate.suspend_definition(ask.tx, ask.path["process"], ask.by, ask.body.version)
    return {"versions": [d.version for d in found]}


def _release(ask: Ask) -> Any:
    found = operate.resume_definition(ask.tx, ask.path["process"], ask.body.version)
    return {"versions": [d.version for d in found]}


_DO = (
    Route(
        "POST", "/instance", WRITE, "startInstance", "Start the newest version of a process", _start, Asked, 202,
        headers=[(KEY, "Or key in the body: the same once more is answered as the first time")],
    ),
    Route(
        "POST", "/instance/{id}/suspend", WRITE, "suspendInstance",
        "Take no step from now on; what comes is kept", _plain(operate.suspend), Why, 204,
    ),
    Route(
        "POST", "/instance/{id}/resume", WRITE, "resumeInstance", "Go on with all that was kept",
        _plain(operate.resume), Why, 204,
    ),
    Route(
        "POST", "/instance/{id}/cancel", WRITE, "cancelInstance", "End it with its tasks, timers and calls",
        _plain(operate.cancel), Why, 204,
    ),
    Route(
        "POST", "/instance/{id}/variables", WRITE, "setVariables", "Set and remove variables",
        _variables, Variables, 204,
    ),
    Route("POST", "/incident/{id}/retry", WRITE, "retryIncident", "Try again with all attempts", _retry, None, 204),
    Route(
        "POST", "/incident/{id}/resolve", WRITE, "resolveIncident", "Close an incident that holds no token",
        _plain(operate.resolve_incident), Why, 204,
    ),
    Route("POST", "/message", WRITE, "sendMessage", "Send a message to a root", _message, Sent, 204),
    Route(
        "POST", "/process/{process}/suspend", WRITE, "suspendProcess", "Start no instances of a version, or of all",
        _hold, Hold,
    ),
    Route("POST", "/process/{process}/resume", WRITE, "resumeProcess", "Start instances again", _release, Hold),
)  # fmt: skip


# Moving ---------------------------------------------------------------------------------------------------------


def _moves(effects: frozenset[str]) -> list[Route]:
    def skip(ask: Ask) -> Any:
        token = ask.id("token")
        operate.skip(ask.tx, ask.id(), token, by=ask.by, reason=ask.body.reason, effects=effects)

    def jump(ask: Ask) -> Any:
        body: Jump = ask.body
        token = ask.id("token")
        operate.jump(ask.tx, ask.id(), token, body.target, by=ask.by, reason=body.reason, effects=effects)

    def migrate(ask: Ask) -> Any:
        body: Migration = ask.body
        report = operate.migrate(
            ask.tx, ask.id(), body.version, body.mapping, ask.by,
            recompute=body.recompute_timers, leave=body.leave, miss=body.miss, effects=effects,
        )  # fmt: skip
        return {"findings": report.findings}

    token = "/instance/{id}/token/{token}"  # noqa: S105 - a token of a diagram, in a path
    return [
        Route("POST", f"{token}/skip", MOVE, "skipNode", "Leave the node of a token undone", skip, Why, 204),
        Route("POST", f"{token}/jump", MOVE, "moveToken", "Go on at another node of the same scope", jump, Jump, 204),
        Route(
            "POST", "/instance/{id}/migration", MOVE, "migrateInstance",
            "Go on in another version, whole or not at all", migrate, Migration, 202,
        ),
        Route(
            "POST", "/instance/{id}/migration/trial", MOVE, "tryMigration",
            "What a migration would do; nothing is done", _trial, Migration,
        ),
        Route(
            "POST", "/process/{process}/migration/{old}/{new}/trial", MOVE, "surveyMigration",
            "What a migration would do to each running instance; nothing is done", _survey, Survey,
        ),
    ]  # fmt: skip


def _survey(ask: Ask) -> Any:
    body: Survey = ask.body
    old, new = (number(ask.path[name], name) for name in ("old", "new"))
    found = queries.survey_migration(
        ask.tx, ask.path["process"], old, new, body.mapping, leave=body.leave, miss=body.miss,
        after=whole(body.after, "after"), limit=PAGE_MAX,
    )  # fmt: skip
    return [
        {"instanceId": str(i), "rootId": str(root), "possible": not r.problems, "findings": r.findings}
        for i, root, r in found
    ]


def _trial(ask: Ask) -> Any:
    body: Migration = ask.body
    report, _ = operate.dry_run(
        ask.tx, ask.id(), body.version, body.mapping,
        recompute=body.recompute_timers, leave=body.leave, miss=body.miss,
    )  # fmt: skip
    return {"possible": not report.problems, "findings": report.findings}


# Many at once ---------------------------------------------------------------------------------------------------


def _preview(ask: Ask) -> Any:
    body: Many = ask.body
    given = body.filter.model_dump()
    if given["ids"] is not None:
        given["ids"] = [whole(i, "filter.ids") for i in given["ids"]]
    found = bulk.preview(ask.tx, body.verb, Filter(**given), body.arguments, by=ask.by, reason=body.reason)
    return {**vars(found), "id": str(found.id), "first": [str(i) for i in found.first]}


def _confirm(ask: Ask) -> Any:
    return {"id": str(bulk.confirm(ask.tx, ask.body.token, ask.by))}


def _progress(ask: Ask) -> Any:
    found = bulk.progress(ask.tx, ask.id())
    return {**vars(replace(found, refusals=())), "id": str(found.id), "refusals": _refusals(found)}


def _refusals(found: bulk.Progress) -> list[dict[str, str]]:
    name = "incidentId" if found.verb in bulk.OF_INCIDENTS else "instanceId"
    return [{name: str(one), "code": code} for one, code in found.refusals]


_BULK = (
    Route(
        "POST", "/bulk", MOVE, "previewBulk",
        f"Count what an operation would touch; gives the token to confirm it. Verbs: {', '.join(bulk.VERBS)}",
        _preview, Many, 201,
    ),
    Route("POST", "/bulk/confirm", MOVE, "confirmBulk", "Do what was previewed", _confirm, Confirmed, 202),
    Route("GET", "/bulk/{id}", READ, "readBulk", "How far it has come", _progress),
)  # fmt: skip
