"""One operation on many instances or incidents: looked at first, confirmed with the token of that look.

A preview counts and names the first instances and gives a token; nothing happens without it. A confirmed operation is
done by whoever holds a partition, in batches: each batch is one transaction of that partition which also writes down
how far it came, so a crash neither loses nor doubles any of it. An instance that refuses stops no other.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog

from diaodu.engine import operate
from diaodu.engine.errors import BadFilter, NotDone, PreviewStale, PreviewUnknown, ReasonNeeded, UnknownOperation
from diaodu.engine.failure import connection_lost
from diaodu.engine.filters import STATE_NUMBERS, Filter, filter_of, where_of, where_of_incidents
from diaodu.kernel import journal, sets
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import NotFound, Rejected

log = structlog.get_logger(__name__)
BATCH, FIRST, REFUSALS_KEPT = 100, 20, 20
PREVIEW_LIVES = timedelta(hours=1)
# Long before, every partition has done its share.
CONFIRMED_LIVES = timedelta(days=30)
_TODO = """
select b.id, p.part from engine.bulk b cross join unnest(%s::int2[]) p(part)
 where b.confirmed_at > %s
   and not exists (select from engine.bulk_part d where d.part = p.part and d.bulk_id = b.id and d.ended_at is not null)
 order by b.id, p.part
"""


@dataclass(frozen=True)
class Preview:
    """What a bulk operation would touch; ``token`` confirms it within an hour."""

    id: int
    count: int
    first: tuple[int, ...]
    token: str


@dataclass(frozen=True)
class Progress:
    """How far a bulk operation has come; ``refusals`` are the first ones, instance and code."""

    id: int
    verb: str
    found: int
    done: int
    refused: int
    refusals: tuple[tuple[int, str], ...] = field(default=())
    ended: bool = False


def preview(tx: Tx, verb: str, chosen: Filter, arguments: Mapping[str, Any], *, by: str, reason: str) -> Preview:
    """Count what matches, without touching it. UnknownOperation, ReasonNeeded."""
    if not reason.strip():
        raise ReasonNeeded
    _check(verb, chosen, arguments)
    things, (where, params) = _things(verb), _where(tx, verb, chosen)
    row = tx.row(f"select count(*) from {things} i where {where}", params)
    first = tx.rows(f"select i.id from {things} i where {where} order by i.id limit {FIRST}", params)
    token, made, found = secrets.token_urlsafe(24), tx.new_id(0), int(row[0]) if row else 0
    stored = {n: v for n, v in asdict(chosen).items() if v is not None}
    tx.run(
        "insert into engine.bulk (id, verb, filter, arguments, reason, found, digest, made_by, made_at)"
        " values (%s, %s, %s::jsonb, %s::jsonb, %s, %s, %s, %s, %s)",
        (made, verb, sets.to_json(stored), sets.to_json(dict(arguments)), reason, found, _digest(token), by, tx.now),
    )
    return Preview(made, found, tuple(r[0] for r in first), token)


def confirm(tx: Tx, token: str, by: str) -> int:
    """Do what was previewed; returns its id, twice the same. PreviewUnknown, PreviewStale."""
    row = tx.row(
        "select id, verb, filter, found, confirmed_at from engine.bulk"
        " where digest = %s and made_by = %s and made_at > %s",
        (_digest(token), by, tx.now - PREVIEW_LIVES),
    )
    if row is None:
        raise PreviewUnknown
    bulk, verb, chosen, then, confirmed_at = row
    if confirmed_at is not None:
        return int(bulk)
    where, params = _where(tx, verb, filter_of(chosen))
    now = tx.row(f"select count(*) from {_things(verb)} i where {where}", params)
    if now is not None and now[0] > then:
        raise PreviewStale(now=now[0], then=then)
    tx.expect(1, "update engine.bulk set confirmed_at = %s where id = %s", (tx.now, bulk))
    return int(bulk)


def progress(tx: Tx, bulk_id: int) -> Progress:
    """How far an operation has come; NotFound."""
    row = tx.row("select verb, found from engine.bulk where id = %s", (bulk_id,))
    if row is None:
        raise NotFound(entity="bulk operation", id=bulk_id)
    parts = tx.rows(
        "select done, refused, refusals, ended_at is not null from engine.bulk_part where bulk_id = %s order by part",
        (bulk_id,),
    )
    refusals = tuple((r["instance"], r["code"]) for p in parts for r in p[2])
    ended = len(parts) == tx.parts and all(p[3] for p in parts)
    done, refused = sum(p[0] for p in parts), sum(p[1] for p in parts)
    return Progress(bulk_id, row[0], row[1], done, refused, refusals[:REFUSALS_KEPT], ended)


# What a worker does ---------------------------------------------------------------------------------------------


def run(db: Database, actor: str, parts: Collection[int], effects: frozenset[str]) -> int:
    """Do the next batch of every confirmed operation in these partitions; returns how many instances it looked at."""
    with db.transaction(actor=actor) as tx:
        todo = tx.rows(_TODO, (sorted(parts), tx.now - CONFIRMED_LIVES))
    return sum(_contained(db, bulk, part, effects) for bulk, part in todo)


def _contained(db: Database, bulk: int, part: int, effects: frozenset[str]) -> int:
    """A batch; if it fails, its first instance alone; if that one fails, it is counted as refused."""
    for size in (BATCH, 1):
        try:
            return _batch(db, bulk, part, effects, size)
        except psycopg.OperationalError as error:
            if connection_lost(error):
                raise
            log.exception("engine.bulk-failed", bulk=bulk, part=part, size=size)
        except Exception:  # whatever it is, it must end at the one instance that causes it
            log.exception("engine.bulk-failed", bulk=bulk, part=part, size=size)
    return _batch(db, bulk, part, effects, 1, failed=True)


def _batch(db: Database, bulk: int, part: int, effects: frozenset[str], size: int, *, failed: bool = False) -> int:
    with db.transaction() as tx:
        row = _begun(tx, bulk, part)
        if row is None:
            return 0
        verb, chosen, arguments, reason, tx.actor, made_at, last, done, refused, refusals = row
        order = Order(tx.actor, reason, filter_of(chosen), effects)
        found = _next(tx, part, verb, order.chosen, made_at, last=last, size=size)
        now_refused = []
        for instance in found:
            try:
                if failed:
                    raise NotDone
                _VERBS[verb](tx, instance, arguments, order)
            except Rejected as error:
                now_refused.append({"instance": instance, "code": error.code})
        ended = not found or (size == BATCH and len(found) < size)
        done, refused = done + len(found) - len(now_refused), refused + len(now_refused)
        tx.expect(
            1,
            "update engine.bulk_part set last_id = %s, done = %s, refused = %s, refusals = %s::jsonb, ended_at = %s"
            " where part = %s and bulk_id = %s",
            (found[-1] if found else last, done, refused, sets.to_json((refusals + now_refused)[:REFUSALS_KEPT]),
             tx.now if ended else None, part, bulk),
        )  # fmt: skip
    return len(found)


def _begun(tx: Tx, bulk: int, part: int) -> tuple[Any, ...] | None:
    """An operation and how far it came in a partition, locked: two workers never do the same; None at its end."""
    tx.run(
        "insert into engine.bulk_part (part, bulk_id, last_id, done, refused, refusals) values (%s, %s, 0, 0, 0, '[]')"
        " on conflict (part, bulk_id) do nothing",
        (part, bulk),
    )
    return tx.row(
        "select b.verb, b.filter, b.arguments, b.reason, b.made_by, b.made_at, p.last_id, p.done, p.refused, p.refusals"
        " from engine.bulk_part p join engine.bulk b on b.id = p.bulk_id"
        " where p.part = %s and p.bulk_id = %s and p.ended_at is null for update of p",
        (part, bulk),
    )


def _next(tx: Tx, part: int, verb: str, chosen: Filter, made_at: datetime, *, last: int, size: int) -> list[int]:
    """The next ones of a partition that match and were there at the preview, their roots locked in id order."""
    where, params = _where(tx, verb, chosen)
    since = "created_at" if verb in OF_INCIDENTS else "started_at"
    rows = tx.rows(
        f"select i.id, i.root_id from {_things(verb)} i where i.part = %s and i.id > %s and i.{since} <= %s"
        f" and {where} order by i.id limit %s",
        (part, last, made_at, *params, size),
    )
    journal.lock(tx, [r[1] for r in rows])
    return [r[0] for r in rows]


def _things(verb: str) -> str:
    return "engine.incident" if verb in OF_INCIDENTS else "engine.instance"


def _where(tx: Tx, verb: str, chosen: Filter) -> tuple[str, list[Any]]:
    return where_of_incidents(chosen) if verb in OF_INCIDENTS else where_of(tx, chosen)


# The operations -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """Who asked for an operation, why, on what, and what may not be passed over."""

    by: str
    reason: str
    chosen: Filter
    effects: frozenset[str]


def _suspend(tx: Tx, instance: int, _arguments: Mapping[str, Any], order: Order) -> None:
    operate.suspend(tx, instance, order.by, order.reason)


def _resume(tx: Tx, instance: int, _arguments: Mapping[str, Any], order: Order) -> None:
    operate.resume(tx, instance, order.by, order.reason)


def _cancel(tx: Tx, instance: int, _arguments: Mapping[str, Any], order: Order) -> None:
    operate.cancel(tx, instance, order.by, order.reason)


def _set_variables(tx: Tx, instance: int, arguments: Mapping[str, Any], order: Order) -> None:
    remove = arguments.get("remove") or []
    operate.set_variables(tx, instance, arguments["variables"], by=order.by, reason=order.reason, remove=remove)


def _skip(tx: Tx, instance: int, _arguments: Mapping[str, Any], order: Order) -> None:
    for token in operate.tokens_at(tx, instance, order.chosen.node or ""):
        operate.skip(tx, instance, token, by=order.by, reason=order.reason, effects=order.effects)


def _jump(tx: Tx, instance: int, arguments: Mapping[str, Any], order: Order) -> None:
    for token in operate.tokens_at(tx, instance, order.chosen.node or ""):
        target = arguments["target"]
        operate.jump(tx, instance, token, target, by=order.by, reason=order.reason, effects=order.effects)


def _migrate(tx: Tx, instance: int, arguments: Mapping[str, Any], order: Order) -> None:
    recompute = bool(arguments.get("recompute"))
    operate.migrate(
        tx, instance, arguments["version"], arguments["mapping"], order.by, recompute=recompute,
        leave=arguments.get("leave") or {}, miss=arguments.get("miss") or (), effects=order.effects,
    )  # fmt: skip


def _retry(tx: Tx, instance: int, _arguments: Mapping[str, Any], order: Order) -> None:
    for incident in operate.incidents_of(tx, instance):
        operate.retry_incident(tx, incident, order.by)


def _retry_incident(tx: Tx, incident: int, _arguments: Mapping[str, Any], order: Order) -> None:
    operate.retry_incident(tx, incident, order.by)


def _resolve_incident(tx: Tx, incident: int, _arguments: Mapping[str, Any], order: Order) -> None:
    operate.resolve_incident(tx, incident, order.by, order.reason)


_VERBS: Mapping[str, Callable[[Tx, int, Mapping[str, Any], Order], None]] = {
    "suspend": _suspend,
    "resume": _resume,
    "cancel": _cancel,
    "set_variables": _set_variables,
    "skip": _skip,
    "jump": _jump,
    "migrate": _migrate,
    "retry": _retry,
    "retry_incident": _retry_incident,
    "resolve_incident": _resolve_incident,
}
# These are done to incidents, all others to instances.
OF_INCIDENTS = frozenset({"retry_incident", "resolve_incident"})


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())


# The arguments of an operation, and what fits; one that may be left out fits None too.
_NEEDS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "set_variables": {
        "variables": lambda v: isinstance(v, dict),
        "remove": lambda v: v is None or (isinstance(v, list) and all(isinstance(n, str) for n in v)),
    },
    "jump": {"target": lambda v: isinstance(v, str)},
    "migrate": {
        "version": lambda v: type(v) is int,
        "mapping": _texts,
        "recompute": lambda v: v is None or isinstance(v, bool),
        "leave": lambda v: v is None or _texts(v),
        "miss": lambda v: v is None or (isinstance(v, list) and all(isinstance(n, str) for n in v)),
    },
}
VERBS = tuple(_VERBS)


def _check(verb: str, chosen: Filter, arguments: Mapping[str, Any]) -> None:
    if verb not in OF_INCIDENTS:
        check(chosen)
    else:
        _check_state(chosen)
    wrong = [name for name, fits in _NEEDS.get(verb, {}).items() if not fits(arguments.get(name))]
    odd = sorted(arguments.keys() - {*_NEEDS.get(verb, {})})
    why = ""
    if verb not in _VERBS:
        why = "unknown"
    elif wrong or odd:
        why = f"argument {[*wrong, *odd][0]}"
    elif chosen.process is None and verb in ("skip", "jump", "migrate"):
        why = "the filter needs process"
    elif chosen.node is None and verb in ("skip", "jump"):
        why = "the filter needs node"
    if why:
        raise UnknownOperation(verb=verb, why=why, verbs=", ".join(VERBS))


def check(chosen: Filter) -> None:
    """Pass when a filter makes sense; BadFilter."""
    _check_state(chosen)
    if chosen.node is not None and chosen.process is None:
        raise BadFilter(name="node", states=", ".join(STATE_NUMBERS))


def _check_state(chosen: Filter) -> None:
    if chosen.state is not None and chosen.state not in STATE_NUMBERS:
        raise BadFilter(name="state", states=", ".join(STATE_NUMBERS))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
