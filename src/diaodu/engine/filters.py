"""Which instances or incidents are meant: filters, and the condition that each stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diaodu.engine.definition import definition_of
from diaodu.engine.instance import ALIVE
from diaodu.kernel.db import Tx

STATE_NUMBERS = {"active": 0, "ended": 1, "cancelled": 2, "suspended": 3}


Condition = tuple[str, list[Any]]


@dataclass(frozen=True)
class Filter:
    """Which instances; what is None does not matter. ``node`` needs ``process``: a token stands at that element.

    Of incidents, ``node``, ``incident``, ``ids`` and the times (when it was opened) are their own, the rest is their
    instance's; one without an instance has no process, and as node what failed.
    """

    process: str | None = None
    version: int | None = None
    state: str | None = None
    business_key: str | None = None
    node: str | None = None
    incident: str | None = None  # the code of an open one
    started_before: datetime | None = None
    started_after: datetime | None = None
    ids: Sequence[int] | None = None


def filter_of(stored: Mapping[str, Any]) -> Filter:
    """A filter from its stored form."""
    times = {n: datetime.fromisoformat(stored[n]) for n in ("started_before", "started_after") if n in stored}
    return Filter(**{**stored, **times})


def where_of(tx: Tx, chosen: Filter) -> Condition:
    """The condition on ``engine.instance i``; without a state, the active and the suspended ones."""
    found = [*_of_instance(chosen, "i"), *_of_row(chosen, "i.started_at")]
    if chosen.state is None:
        found.append(("i.state = any(%s::int2[])", [list(ALIVE)]))
    if chosen.node is not None:
        found.append(_node(tx, chosen))
    if chosen.incident is not None:
        found.append((_INCIDENT, [chosen.incident]))
    return _all(found)


def where_of_incidents(chosen: Filter) -> Condition:
    """The condition on ``engine.incident i``: the open ones."""
    found: list[Condition] = [("i.resolved_at is null", []), *_of_row(chosen, "i.created_at")]
    if chosen.node is not None:
        found.append(("i.node = %s", [chosen.node]))
    if chosen.incident is not None:
        found.append(("i.code = %s", [chosen.incident]))
    if of_instance := _of_instance(chosen, "h"):
        condition, values = _all(of_instance)
        found.append((f"exists (select from engine.instance h where {_SAME} and {condition})", values))
    return _all(found)


_SAME = "h.part = i.part and h.id = i.instance_id"


def _all(found: Sequence[Condition]) -> Condition:
    return " and ".join(f"({condition})" for condition, _ in found), [v for _, values in found for v in values]


def _of_instance(chosen: Filter, alias: str) -> list[Condition]:
    found: list[Condition] = []
    if chosen.process is not None or chosen.version is not None:
        found.append(_version(chosen, alias))
    if chosen.business_key is not None:
        found.append((f"{alias}.business_key = %s", [chosen.business_key]))
    if chosen.state is not None:
        found.append((f"{alias}.state = %s", [STATE_NUMBERS[chosen.state]]))
    return found


def _of_row(chosen: Filter, since: str) -> list[Condition]:
    found: list[Condition] = []
    if chosen.started_before is not None:
        found.append((f"{since} < %s", [chosen.started_before]))
    if chosen.started_after is not None:
        found.append((f"{since} > %s", [chosen.started_after]))
    if chosen.ids is not None:
        found.append(("i.id = any(%s::int8[])", [list(chosen.ids)]))
    return found


_INCIDENT = """
exists (select from engine.incident n where n.part = i.part and n.instance_id = i.id and n.resolved_at is null
          and n.code = %s)
"""
_STANDS = """
exists (select from jsonb_array_elements(i.tokens->'tokens') t
          join unnest(%s::int4[], %s::int4[]) n(definition_id, node) on n.node = (t->>1)::int4
         where n.definition_id = i.definition_id)
"""


def _version(chosen: Filter, alias: str) -> Condition:
    condition = (
        f"{alias}.definition_id in (select d.id from engine.definition d where (%s::text is null or d.key = %s)"
        " and (%s::int4 is null or d.version = %s))"
    )
    return condition, [chosen.process, chosen.process, chosen.version, chosen.version]


def _node(tx: Tx, chosen: Filter) -> Condition:
    """A token stands at an element: its number differs from version to version."""
    rows = tx.rows("select version from engine.definition where key = %s", (chosen.process,))
    versions = [definition_of(tx, chosen.process or "", r[0]) for r in rows]
    places = [(p.id, p.graph.by_id[chosen.node or ""]) for p in versions if chosen.node in p.graph.by_id]
    return _STANDS, [[p[0] for p in places], [p[1] for p in places]]


def find(tx: Tx, chosen: Filter, *, after: int = 0, limit: int) -> list[int]:
    """The ids of the instances that match, beyond ``after``, in id order; read without locks."""
    where, params = where_of(tx, chosen)
    rows = tx.rows(
        f"select i.id from engine.instance i where i.id > %s and {where} order by i.id limit %s",
        (after, *params, limit),
    )
    return [r[0] for r in rows]
