"""How reservations end or become firm: withdrawn, confirmed, resumed, expired; each set-wise for a batch.

Every statement is conditional on the state that the table of reservations names, under the area's lock: of two that
race, the first one decides and the other learns of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from diaodu.inventory.errors import ReservationExpired
from diaodu.inventory.model import REQUEST_TABLE, RequestEvent, RequestState, takes
from diaodu.inventory.requests import Request
from diaodu.inventory.reserve import PARKED_PREFIX, refused
from diaodu.inventory.settle import SERVED, Answers, columns, freed_keys, give_up
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import Rejected

_UNRESERVE = """
update inventory.resource r set state = 0, holder = null, order_id = null
  from unnest(%s::int8[], %s::int8[]) as u(order_id, item)
 where r.area = %s and r.id = u.item and r.order_id = u.order_id and r.state = 1 returning r.spec, r.up_id
"""
# The state before the end is read by the same statement: nobody else changes it under the area's lock.
_END = """
update inventory.request r set state = %(to)s, told = %(told)s, served_at = %(now)s, waits = '{{}}', until = null
  from (select area, id, state, until from inventory.request
         where area = %(area)s and kind = 'reserve' and state = any(%(states)s::int2[]) and {chosen}) b
 where r.area = b.area and r.id = b.id
returning r.id, r.order_id, r.body, r.answer, b.state, b.until
"""
_ENDED_BY_NAME = _END.format(chosen="id = any(%(ids)s::int8[])")
_ENDED_BY_TIME = _END.format(chosen="until <= %(now)s")
Ended = tuple[int, int, Mapping[str, Any], Mapping[str, Any], int, Any]


def withdraw(tx: Tx, area: int, requests: Sequence[Request]) -> tuple[Answers, set[str]]:
    """Close reservations that are open and give back those that were served; returns the keys that became free.

    A reservation that has not arrived yet is marked as withdrawn, so that it is never served. What was served and
    not told is never told any more.
    """
    targets = sorted({_target(r) for r in requests})
    tx.run(
        "insert into inventory.request (area, id, order_id, revision, kind, class, asked_at, body, state, told)"
        " select %s, u, 0, 0, 'reserve', 0, %s, '{}', 2, true from unnest(%s::int8[]) u"
        " on conflict (area, id) do nothing",
        (area, tx.now, targets),
    )
    ended = _end(tx, area, _ENDED_BY_NAME, RequestEvent.WITHDRAW, ids=targets)
    before = {e[0]: _state(e[4]) for e in ended}
    told: Answers = {r.id: {**SERVED, "was": before.get(_target(r), RequestState.ABSENT)} for r in requests}
    return told, _give_back(tx, area, ended)


def expire(tx: Tx, area: int) -> tuple[int, set[str]]:
    """Give back what was reserved until now, or waited; returns how many, and the keys that became free."""
    ended = _end(tx, area, _ENDED_BY_TIME, RequestEvent.EXPIRE, ids=[])
    if not ended:
        return 0, set()
    answers = {e[0]: refused(ReservationExpired(until=e[5].isoformat())).answer for e in ended}
    tx.run(
        "update inventory.request r set answer = jsonb_build_object('status', 'expired', 'code', u.code, 'zh', u.zh,"
        " 'en', u.en) from unnest(%s::int8[], %s::text[], %s::text[], %s::text[]) as u(id, code, zh, en)"
        " where r.area = %s and r.id = u.id",
        (list(answers), *([a[k] for a in answers.values()] for k in ("code", "zh", "en")), area),
    )
    return len(ended), _give_back(tx, area, ended)


def confirm(tx: Tx, area: int, requests: Sequence[Request]) -> Answers:
    """Make soft reservations firm, if their time has not run out: then the reservation is told again, as served.

    One that waits stays waiting, with no end. One that has not arrived is not answered yet: it will be asked again.
    """
    soft, waiting = int(RequestState.SOFT), int(RequestState.OPEN)
    tx.run(
        "update inventory.request set until = null, body = body - 'until', served_at = %s,"
        " state = case state when %s then %s else state end, told = state <> %s,"
        " answer = case state when %s then answer || %s::jsonb else answer end"
        " where area = %s and id = any(%s::int8[]) and kind = 'reserve' and state = any(%s::int2[]) and until > %s",
        (
            tx.now, soft, int(RequestState.SERVED), soft, soft, '{"status": "served"}', area,
            [_target(r) for r in requests], [soft, waiting], tx.now,
        ),
    )  # fmt: skip
    return _judged(tx, area, requests, RequestEvent.CONFIRM)


def resume(tx: Tx, area: int, requests: Sequence[Request]) -> tuple[Answers, set[str]]:
    """Try again what was put on the waiting list by hand; returns the keys that do so."""
    resumed = tx.rows(
        "update inventory.request set body = body - 'parked'"
        " where area = %s and id = any(%s::int8[]) and kind = 'reserve' and state = %s returning id",
        (area, [_target(r) for r in requests], int(RequestState.OPEN)),
    )
    answers = _judged(tx, area, requests, RequestEvent.RESUME)
    return answers, {f"{PARKED_PREFIX}{r[0]}" for r in resumed}


def _judged(tx: Tx, area: int, requests: Sequence[Request], event: RequestEvent) -> Answers:
    """The answer to each request by where its reservation stands after the change."""
    found = tx.rows(
        "select id, state, answer from inventory.request where area = %s and id = any(%s::int8[])",
        (area, [_target(r) for r in requests]),
    )
    standing = {r[0]: (r[1], r[2]) for r in found}
    return {r.id: _judge(_target(r), *standing[_target(r)], event) for r in requests if _target(r) in standing}


def _judge(reservation: int, state: int, answer: Mapping[str, Any] | None, event: RequestEvent) -> Mapping[str, Any]:
    if answer and answer["status"] == "expired":
        return {k: v for k, v in answer.items() if k != "status"} | {"status": "refused"}
    try:
        REQUEST_TABLE.take(_state(state), event, entity="reservation", key=reservation)
    except Rejected as refusal:
        return refused(refusal).answer
    return SERVED


def _end(tx: Tx, area: int, statement: str, event: RequestEvent, *, ids: Collection[int]) -> list[Ended]:
    to = REQUEST_TABLE.moves[RequestState.OPEN][event]
    named = {
        "to": int(to), "told": event is RequestEvent.WITHDRAW, "now": tx.now, "area": area, "ids": list(ids),
        "states": takes(event),
    }  # fmt: skip
    return [tuple(r) for r in tx.rows(statement, named)]


def _give_back(tx: Tx, area: int, ended: Sequence[Ended]) -> set[str]:
    held = [(order, item) for _, order, _, answer, _, _ in ended for item in _reserved(answer)]
    freed = tx.rows(_UNRESERVE, (*columns(held), area)) if held else []
    give_up(tx, area, [(order, claim) for _, order, body, _, _, _ in ended for claim in body["claims"]])
    return freed_keys(freed)


def _target(request: Request) -> int:
    return int(request.body["request"])


def _state(number: int) -> RequestState:
    return list(RequestState)[number]


def _reserved(answer: Mapping[str, Any]) -> Iterable[int]:
    return (r["id"] for line in answer.get("lines", {}).values() for r in line.get("resources", ()))
