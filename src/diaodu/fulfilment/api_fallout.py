"""异常 over HTTP: the worklist and its causes, what people do to one entry, and bulk operations."""

from typing import Any

from pydantic import AwareDatetime, Field

from diaodu.fulfilment import fallout_bulk as bulk
from diaodu.fulfilment import fallout_commands as commands
from diaodu.fulfilment import fallout_store as store
from diaodu.fulfilment.fallout_model import Evidence, Record, Standing
from diaodu.kernel.errors import NotFound
from diaodu.ordering import queries as ordering
from diaodu.ordering.model import FINAL
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.operation import Ask, Body, Nothing, Route, whole

READ, WRITE = "fulfilment:read", "fulfilment:write"
PAGE, PAGE_MAX = 50, 500
LINE_MAX = 1_000


class Note(Body):
    note: str = Field(default="", max_length=LINE_MAX)


class Until(Body):
    until: AwareDatetime = Field(strict=False)
    reason: str = Field(min_length=1, max_length=LINE_MAX)


class Shown(Body):
    text: str = Field(default="", max_length=LINE_MAX)
    attachments: list[str] = Field(default_factory=list, max_length=20)


class ByHand(Body):
    evidence: Shown
    result: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


class Many(Body):
    cause: str
    element: str | None = None
    reason: str = Field(min_length=1, max_length=LINE_MAX)
    per_second: float = Field(default=10, gt=0, le=1_000)
    stop_share: float = Field(default=bulk.STOP_SHARE, gt=0, le=1)
    stop_least: int = Field(default=bulk.STOP_LEAST, ge=1)


class Confirmed(Body):
    digest: str


def _find(ask: Ask) -> Any:
    asked = ask.query.get
    state = _state(asked("state"))
    order = whole(ask.query["order"], "order") if "order" in ask.query else None
    wanted = store.Search(ask.principal.pools, state, asked("cause"), asked("element"), order)
    return store.search(ask.tx, wanted, _limit(ask))


def _one(ask: Ask) -> Record:
    """A record of one's worklists; NotFound."""
    record = store.get(ask.tx, ask.id())
    if ask.principal.pools is not None and record.pool not in ask.principal.pools:
        raise NotFound(entity="fallout", id=record.id)
    return record


def _of_order(ask: Ask) -> Any:
    order_id = ask.id()
    items = ordering.items_of(ask.tx, [order_id])[order_id]
    if not items:
        raise NotFound(entity="productOrder", id=order_id)
    found = store.of_order(ask.tx, order_id)
    needed = {r.item_key for r in found if r.state in (Standing.OPEN, Standing.CLAIMED)}
    leaves = {i.key for i in items if i.state not in FINAL} - {i.parent_key for i in items}
    extent = "none" if not needed else "whole" if leaves <= needed else "partial"
    return {"order": str(order_id), "extent": extent, "fallout": found}


def _causes(ask: Ask) -> Any:
    return store.same_causes(ask.tx, ask.principal.pools)


def _claim(ask: Ask) -> Any:
    return commands.claim(ask.tx, _one(ask).id, ask.by)


def _give_back(ask: Ask) -> Any:
    return commands.give_back(ask.tx, _one(ask).id, ask.by)


def _retry(ask: Ask) -> Any:
    return commands.retry(ask.tx, _one(ask).id, ask.by, ask.body.note)


def _wait(ask: Ask) -> Any:
    return commands.wait(ask.tx, _one(ask).id, ask.by, ask.body.until, ask.body.reason)


def _done(ask: Ask) -> Any:
    given: ByHand = ask.body
    evidence = Evidence(given.evidence.text, tuple(given.evidence.attachments))
    return commands.done_by_hand(ask.tx, _one(ask).id, ask.by, evidence, given.result)


def _preview(ask: Ask) -> Any:
    m: Many = ask.body
    terms = bulk.Terms(m.cause, m.element, m.reason, m.per_second, m.stop_share, m.stop_least)
    return bulk.preview(ask.tx, terms, ask.by)


def _confirm(ask: Ask) -> Any:
    return bulk.confirm(ask.tx, ask.id(), ask.body.digest, ask.by)


def _progress(ask: Ask) -> Any:
    return bulk.progress(ask.tx, ask.id())


def _stop(ask: Ask) -> Any:
    return bulk.stop(ask.tx, ask.id(), ask.by)


def _bulks(ask: Ask) -> Any:
    return bulk.operations(ask.tx, _limit(ask))


def _state(text: str | None) -> Standing | None:
    if text is None or text in set(Standing):
        return None if text is None else Standing(text)
    raise BadAttribute(path="state", expected=", ".join(Standing), value=text)


def _limit(ask: Ask) -> int:
    text = ask.query.get("limit", str(PAGE))
    if not text.isdecimal():
        raise BadAttribute(path="limit", expected="a whole number", value=text)
    return min(int(text), PAGE_MAX)


_SEARCH = (
    ("state", "open, claimed, waiting or closed; else open and claimed"),
    ("cause", "the code of the cause"),
    ("element", "the system or network element"),
    ("order", "of one order"),
    ("limit", f"at most {PAGE_MAX}"),
)
FALLOUT_ROUTES = (
    Route("GET", "/fallout", READ, "listFallout", "What failed and needs somebody, most urgent first", _find,
          query=_SEARCH),
    Route("GET", "/fallout/causes", READ, "listFalloutCauses", "Open failures by cause and element", _causes),
    Route("GET", "/fallout/{id}", READ, "retrieveFallout", "One failure", _one),
    Route("GET", "/order/{id}/fallout", READ, "listFalloutOfOrder",
          "All failures of an order, and whether it is failing in part or as a whole", _of_order),
    Route("POST", "/fallout/{id}/claim", WRITE, "claimFallout", "Take it from the worklist", _claim, Nothing),
    Route("POST", "/fallout/{id}/giveBack", WRITE, "giveBackFallout", "Put it back on the worklist", _give_back,
          Nothing),
    Route("POST", "/fallout/{id}/retry", WRITE, "retryFallout", "Have it done again at once", _retry, Note),
    Route("POST", "/fallout/{id}/wait", WRITE, "waitFallout", "Have it done again at an instant", _wait, Until),
    Route("POST", "/fallout/{id}/done", WRITE, "doneFallout", "It was done by hand: with evidence", _done, ByHand),
    Route("POST", "/fallout/bulk", WRITE, "previewFalloutBulk", "What would be done again for one cause", _preview,
          Many, status=201),
    Route("GET", "/fallout/bulk", READ, "listFalloutBulk", "Bulk operations, the newest first", _bulks,
          query=(("limit", f"at most {PAGE_MAX}"),)),
    Route("GET", "/fallout/bulk/{id}", READ, "retrieveFalloutBulk", "How far it has come", _progress),
    Route("POST", "/fallout/bulk/{id}/confirm", WRITE, "confirmFalloutBulk", "Do what was previewed", _confirm,
          Confirmed),
    Route("POST", "/fallout/bulk/{id}/stop", WRITE, "stopFalloutBulk", "Have no more of it done", _stop, Nothing),
)  # fmt: skip
