"""One batch of an area, in one transaction on the area's row: new requests, and the waiting ones that they wake."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from diaodu.inventory import queries, settle, terms
from diaodu.inventory.alternatives import alternatives
from diaodu.inventory.gather import FIRST_RANK, WAITING_PAGE, gather, woken_keys
from diaodu.inventory.model import REQUEST_TABLE, Connectivity, RequestEvent, RequestState, ResourceState
from diaodu.inventory.ports import Designer
from diaodu.inventory.requests import Rank, Request
from diaodu.inventory.reserve import TREE_KEY, Outcome, Supply, decide
from diaodu.kernel import sets
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound

_REQUEST = {
    "area": "int4", "id": "int8", "order_id": "int8", "revision": "int4", "kind": "text", "class": "int2",
    "asked_at": "timestamptz", "body": "jsonb", "state": "int2", "answer": "jsonb", "served_at": "timestamptz",
    "told": "bool", "waits": "text[]", "until": "timestamptz",
}  # fmt: skip
_KEY = {"area": "int4", "id": "int8"}
_EVENTS = {
    "served": RequestEvent.SERVE, "soft": RequestEvent.SERVE_SOFTLY, "waiting": RequestEvent.WAIT,
    "refused": RequestEvent.REFUSE,
}  # fmt: skip


@dataclass
class Trees:
    """The trees of the areas in memory, each with the topology count at which it was read."""

    known: dict[int, tuple[int, Connectivity]] = field(default_factory=dict)

    def of(self, tx: Tx, area: int, topology: int) -> tuple[Connectivity, bool]:
        """The tree of an area, and whether it had to be read anew."""
        if (held := self.known.get(area)) and held[0] == topology:
            return held[1], False
        tree = queries.load_connectivity(tx, area)
        self.known[area] = (topology, tree)
        return tree, True


@dataclass(frozen=True)
class Batch:
    """How many requests moved; ``resume`` = the rank from which more waiting requests go before the new ones."""

    decided: int
    resume: Rank | None = None
    woken: Collection[str] = ()


def lock_area(tx: Tx, area: int) -> int:
    """Take the area's lock; returns its topology count."""
    row = tx.row("update inventory.area set batches = batches + 1 where id = %s returning topology", (area,))
    if row is None:
        raise NotFound(entity="area", id=area)
    return int(row[0])


def serve(
    tx: Tx, area: int, asked: Sequence[Request], designer: Designer, trees: Trees, *,
    wake: bool = False, woken: Collection[str] = (), after: Rank = FIRST_RANK,
) -> Batch:  # fmt: skip
    """Serve what is asked, in rank order among all that wait for the same boxes and pools.

    ``wake`` tries all open requests for which something is free now; ``woken`` are keys known to have become free.
    A request that is known already is left alone. Returns ``resume`` when more requests wait than one transaction
    tries: then no reservation of ``asked`` was decided.
    """
    net, changed = trees.of(tx, area, lock_area(tx, area))
    expired, due = terms.expire(tx, area)
    fresh = _unknown(tx, area, asked)
    withdrawn = {int(r.body["request"]) for r in fresh if r.kind == "withdraw"}
    answers, freed = _settle(tx, area, fresh)
    keys = {*woken, *due, *freed, *(woken_keys(tx, area) if wake else ()), *((TREE_KEY,) if changed else ())}
    new = [r for r in fresh if r.kind == "reserve" and r.id not in withdrawn]
    supply, waiting = gather(tx, area, net, designer, fresh=new, woken=keys, after=after)
    resume = waiting[-1].rank if len(waiting) == WAITING_PAGE else None
    ranked = sorted([*waiting, *(() if resume else new)], key=lambda r: r.rank)
    outcomes = {r.id: decide(r, supply, designer) for r in ranked}
    by_id = {r.id: r for r in ranked}
    _take(tx, area, [(by_id[i], o) for i, o in outcomes.items()])
    _update_waiting(tx, area, [(r, outcomes[r.id]) for r in waiting])
    short = [r for r in ranked if outcomes[r.id].answer.get("missing") and r.id in {n.id for n in new}]
    outcomes |= {r.id: _with_alternatives(tx, area, supply, designer, request=r, outcome=outcomes[r.id]) for r in short}
    done = {i: Outcome(body) for i, body in answers.items()} | outcomes
    _insert(tx, area, [(r, done[r.id]) for r in fresh if r.id in done])
    moved = expired + len(done) - sum(bool(outcomes[r.id].waits) for r in waiting)
    return Batch(moved, resume, keys)


def _with_alternatives(
    tx: Tx, area: int, supply: Supply, designer: Designer, *, request: Request, outcome: Outcome
) -> Outcome:
    """A new order that must wait is told at once what else it could have."""
    missing = {m["effect"] for m in outcome.answer["missing"] if m["why"] != "parked"}
    lines = [line for line in request.lines() if line.effect in missing]
    found = alternatives(tx, area, supply.net, designer, lines=lines, addresses=supply.addresses)
    return replace(outcome, answer={**outcome.answer, "alternatives": found}) if found else outcome


def refuse(tx: Tx, area: int, request: Request, outcome: Outcome) -> None:
    """Write down a request that cannot be handled at all, so that its order learns of it and it is not tried again."""
    lock_area(tx, area)
    _insert(tx, area, [(r, outcome) for r in _unknown(tx, area, [request])])


def _unknown(tx: Tx, area: int, asked: Sequence[Request]) -> list[Request]:
    if not asked:
        return []
    ids = [r.id for r in asked]
    found = tx.rows("select id from inventory.request where area = %s and id = any(%s::int8[])", (area, ids))
    known = {r[0] for r in found}
    return sorted((r for r in asked if r.id not in known), key=lambda r: r.rank)


def _settle(tx: Tx, area: int, fresh: Sequence[Request]) -> tuple[settle.Answers, set[str]]:
    """Everything but reservations; what is given back first, so that this batch can hand it out again."""
    answers: settle.Answers = {}
    freed: set[str] = set()
    for kind, act in _GIVE_BACK.items():
        if chosen := [r for r in fresh if r.kind == kind]:
            told, keys = act(tx, area, chosen)
            answers |= told
            freed |= keys
    for kind, write in _WRITE.items():
        if chosen := [r for r in fresh if r.kind == kind]:
            answers |= write(tx, area, chosen)
    return answers, freed


_GIVE_BACK: Mapping[str, Callable[[Tx, int, Sequence[Request]], tuple[settle.Answers, set[str]]]] = {
    "withdraw": terms.withdraw,
    "resume": terms.resume,
    "faulty": settle.faulty,
    "free": settle.free,
    "archive": settle.archive,
}
_WRITE: Mapping[str, Callable[[Tx, int, Sequence[Request]], settle.Answers]] = {
    "confirm": terms.confirm,
    "release": settle.release,
    "unclaim": settle.unclaim,
}
KINDS = frozenset({"reserve", *_GIVE_BACK, *_WRITE})


def _take(tx: Tx, area: int, decided: Sequence[tuple[Request, Outcome]]) -> None:
    reserved = int(ResourceState.RESERVED)
    taken = [(area, item, reserved, thing, r.order_id) for r, o in decided for item, thing in o.takes]
    values = {"state": "int2", "holder": "int8", "order_id": "int8"}
    sets.update(tx, "inventory.resource", _KEY, values, taken, where="t.state = 0")
    claimed = {(area, product, r.order_id) for r, o in decided for product in o.claims}
    sets.update(tx, "inventory.product", _KEY, {"claimed_by": "int8"}, sorted(claimed))


def _update_waiting(tx: Tx, area: int, decided: Sequence[tuple[Request, Outcome]]) -> None:
    """Waiting requests that are decided get their answer; those that wait on keep rank and are not told again."""
    ended = [(area, r.id, *_answered(tx, RequestState.OPEN, o)) for r, o in decided if not o.waits]
    values = {c: _REQUEST[c] for c in ("state", "answer", "served_at", "told", "waits")}
    sets.update(tx, "inventory.request", _KEY, values, ended, where="t.state = 0")
    still = [(area, r.id, o.waits, o.answer) for r, o in decided if o.waits]
    other = "(t.waits <> u.waits::text[] or t.answer->'missing' <> u.answer::jsonb->'missing')"
    waiting = {"waits": "text[]", "answer": "jsonb"}
    sets.update(tx, "inventory.request", _KEY, waiting, still, where=other, exact=False)


def _insert(tx: Tx, area: int, decided: Sequence[tuple[Request, Outcome]]) -> None:
    rows = [
        (area, r.id, r.order_id, r.revision, r.kind, r.rank_class, r.asked_at, _kept(r),
         *_answered(tx, RequestState.ABSENT, o), r.until)
        for r, o in decided
    ]  # fmt: skip
    sets.insert(tx, "inventory.request", _REQUEST, rows)


def _kept(request: Request) -> Mapping[str, Any]:
    # Only a reservation is read again (while it waits, and when it is withdrawn); what others asked stands elsewhere.
    return request.body if request.kind == "reserve" else {}


def _answered(tx: Tx, before: RequestState, outcome: Outcome) -> tuple[Any, ...]:
    event = _EVENTS[outcome.answer["status"]]
    state = REQUEST_TABLE.take(before, event, entity="reservation", key="")
    return int(state), outcome.answer, None if state is RequestState.OPEN else tx.now, False, outcome.waits
