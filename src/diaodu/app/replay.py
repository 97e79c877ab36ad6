"""The history of every order, replayed: what it tells must be what is stored, its chain whole, its end an end."""

from collections.abc import Iterable, Iterator
from typing import Any

from diaodu.fulfilment.story import fold
from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx

ROOTS = 200
_HISTORY = """
select root_id, seq, at, actor, entries, hash from kernel.history
 where part = %s and root_id = any(%s::int8[]) order by root_id, seq
"""
_ITEMS = "select order_id, id, state from ordering.order_item where part = %s and order_id = any(%s::int8[])"
_EFFECTS = "select order_id, id, state from planning.effect where part = %s and order_id = any(%s::int8[])"
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
                for line, is_change in _differences(tx, part, roots):
                    (changed if is_change else differing).append(line)
            if not roots:
                break
            after = roots[-1]
    return changed, differing


def _differences(tx: Tx, part: int, roots: list[int]) -> Iterator[tuple[str, bool]]:
    rows: dict[int, list[tuple[Any, ...]]] = {r: [] for r in roots}
    for root, *row in tx.rows(_HISTORY, (part, roots)):
        rows[root].append(tuple(row))
    stored_items, stored_effects = (_by_root(tx, query, part, roots) for query in (_ITEMS, _EFFECTS))
    for root in roots:
        for broken in _broken_links(root, rows[root]):
            yield f"order {root}: the chain of its history breaks at {broken}", False
        story = fold(e for row in rows[root] for e in row[3])
        for line in story.after_end:
            yield f"order {root}: {line}", True
        for what, told, stored in (
            ("item", story.states("item"), stored_items[root]),
            ("effect", story.states("effect"), stored_effects[root]),
        ):
            for i in sorted(told.keys() | stored.keys()):
                if not _agree(told.get(i), stored.get(i)):
                    yield f"order {root}: {what} {i} is {stored.get(i)}, its history says {told.get(i)}", False


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
