"""The history of every order, replayed: what it tells must be what is stored, its chain whole, its end an end."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diaodu.fulfilment.story import fold
from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx

ROOTS = 200
_HISTORY = """
select root_id, seq, at, actor, entries, hash from kernel.history
 where part = %s and root_id = any(%s::int8[]) order by root_id, seq
"""
# What the history tells of and the tables keep, by noun; the text of a state that is kept as a number.
_STORED: Mapping[str, str] = {
    "item": "select order_id, id, state from ordering.order_item where part = %s and order_id = any(%s::int8[])",
    "effect": "select order_id, id, state from planning.effect where part = %s and order_id = any(%s::int8[])",
    "hold": "select order_id, id, case when ended_at is null then 'open' else 'ended' end from ordering.hold"
    " where part = %s and order_id = any(%s::int8[])",
    "cancel": "select order_id, id, state from ordering.cancel_task where part = %s and order_id = any(%s::int8[])",
    "recall": "select order_id, id, state from workforce.recall where part = %s and order_id = any(%s::int8[])",
    "appointment": "select order_id, id, status from workforce.appointment"
    " where part = %s and order_id = any(%s::int8[])",
    "fallout": "select order_id, id, state from fulfilment.fallout where part = %s and order_id = any(%s::int8[])",
    "task": "select root_id, id, (array['offered', 'claimed', 'suspended', 'done', 'withdrawn'])[state + 1]"
    " from engine.v_human_task where part = %s and root_id = any(%s::int8[])",
}
_REVISIONS = "select order_id, n, state from ordering.revision where part = %s and order_id = any(%s::int8[])"
_ROOTS = "select id from kernel.root where part = %s and kind = 'productOrder' and id > %s order by id limit %s"


def replay(db: Database) -> tuple[list[str], list[str]]:
    """Replay all orders; returns what changed after its end, and what the history and the tables differ in."""
    changed: list[str] = []
    differing: list[str] = []
    for part in range(db.parts):
        after = -1
        while True:
            with db.transaction(actor="doctor") as tx:
                # One snapshot for the history and the tables beside it.
                tx.run("set transaction isolation level repeatable read")
                roots = [r[0] for r in tx.rows(_ROOTS, (part, after, ROOTS))]
                if not roots:
                    break
                for line, is_change in _differences(tx, part, roots):
                    (changed if is_change else differing).append(line)
                after = roots[-1]
    return changed, differing


def _differences(tx: Tx, part: int, roots: list[int]) -> Iterator[tuple[str, bool]]:
    rows: dict[int, list[tuple[Any, ...]]] = {r: [] for r in roots}
    for root, *row in tx.rows(_HISTORY, (part, roots)):
        rows[root].append(tuple(row))
    stored = {noun: _by_root(tx, query, part, roots) for noun, query in _STORED.items()}
    revisions = _by_root(tx, _REVISIONS, part, roots)
    for root in roots:
        for broken in _broken_links(root, rows[root]):
            yield f"order {root}: the chain of its history breaks at {broken}", False
        story = fold(e for row in rows[root] for e in row[3])
        for line in story.after_end:
            yield f"order {root}: {line}", True
        compared = {noun: (story.states(noun), stored[noun][root]) for noun in stored}
        compared["revision"] = (story.revisions, revisions[root])
        for noun, (told, kept) in compared.items():
            for i in sorted(told.keys() | kept.keys()):
                if not _agree(told.get(i), kept.get(i)):
                    yield f"order {root}: {noun} {i} is {kept.get(i)}, its history says {told.get(i)}", False


def _agree(told: str | None, stored: str | None) -> bool:
    # The sender marks what it is about to send outside the history: the mark is a fence, no fact.
    return told == stored or (told, stored) == ("intent", "sent")


def _by_root(tx: Tx, query: str, part: int, roots: list[int]) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {r: {} for r in roots}
    for root, entity, state in tx.rows(query, (part, roots)):
        found[root][entity] = state
    return found


def _broken_links(root: int, rows: Iterable[tuple[Any, ...]]) -> Iterator[int]:
    before, expected = b"", 1
    for seq, at, actor, entries, digest in rows:
        if seq != expected or journal.chain(before, root, seq, at=at, actor=actor, entries=entries) != bytes(digest):
            yield seq
        before, expected = bytes(digest), seq + 1
