"""Decisions that were made, out of the history of the orders, and what a candidate would have answered instead."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg

from diaodu.kernel.db import Tx
from diaodu.kernel.ids import first_id_at
from diaodu.rules.errors import ReplayTooWide, TooLarge
from diaodu.rules.evaluate import agrees, answering_name, ask, compile_version
from diaodu.rules.model import Past, Replay, Version
from diaodu.rules.plain import to_plain

# Evaluated while somebody waits.
LIMIT_MAX = 10_000
# Changes that are told one by one; the counts tell of all.
CHANGES_MAX = 200
# A search without an index: what a person waits for, and what the database can spare.
SEARCH_S = 20
# Before orders were taken at all.
_WINDOW = timedelta(days=31)
_WINDOWS_MAX = 36

# The ids of the orders bound the partitions that are read: those of the months in which the orders were made.
_MADE = """
select h.root_id, h.at, d.value
  from kernel.history h
 cross join lateral jsonb_array_elements(h.entries) e
 cross join lateral jsonb_array_elements(e.value->'decisions') d
 where h.root_id >= %(first)s and h.root_id < %(end)s and h.entries @? %(path)s::jsonpath
   and e.value->>'t' = 'decisions.made' and d.value->>'key' = %(key)s
 order by h.at desc, h.root_id desc, h.seq desc limit %(limit)s
"""


def past_decisions(tx: Tx, key: str, *, since: datetime, limit: int) -> Iterator[Past]:
    """The newest decisions of a key in orders made since an instant, the newest months first.

    TooLarge beyond LIMIT_MAX, ReplayTooWide when the search takes longer than SEARCH_S.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise TooLarge(what="past decisions", what_zh="历史决策数", given=limit, limit=LIMIT_MAX)
    tx.run(f"set local statement_timeout = '{SEARCH_S}s'")
    try:
        for first, end in _windows(since, tx.now):
            rows = tx.rows(_MADE, {"first": first, "end": end, "path": _path(key), "key": key, "limit": limit})
            yield from (_past(row) for row in rows)
            limit -= len(rows)
            if limit <= 0:
                break
    except psycopg.errors.QueryCanceled as error:
        raise ReplayTooWide(seconds=SEARCH_S) from error
    tx.run("set local statement_timeout = 0")


def _windows(since: datetime, now: datetime) -> Iterator[tuple[int, int]]:
    """Bounds of ids, the newest first, down to ``since``; a window reads one or two partitions."""
    end = now + timedelta(seconds=1)
    for _ in range(_WINDOWS_MAX):
        start = max(since, end - _WINDOW)
        yield first_id_at(start), first_id_at(end)
        if start <= since:
            return
        end = start


def _path(key: str) -> str:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'$[*] ? (@.t == "decisions.made").decisions[*] ? (@.key == "{quoted}")'


def _past(row: tuple[Any, ...]) -> Past:
    made: Mapping[str, Any] = row[2]
    return Past(order_id=row[0], at=row[1], n=made["n"], inputs=made["inputs"], output=made.get("output"))


def replay(tx: Tx, version: Version, *, since: datetime, limit: int) -> Replay:
    """What a version answers to past inputs, each at the instant of its decision; NotExecutable, ReplayTooWide."""
    model, name = compile_version(version), answering_name(version)
    same = different = nulls = 0
    changes: list[tuple[Past, Any]] = []
    for past in past_decisions(tx, version.key, since=since, limit=limit):
        value = ask(model, name, past.inputs, past.at).value
        if agrees(past.output, value):
            same += 1
            continue
        different += 1
        nulls += value is None
        if len(changes) < CHANGES_MAX:
            changes.append((past, to_plain(value)))
    return Replay(same=same, different=different, nulls=nulls, changes=tuple(changes))
