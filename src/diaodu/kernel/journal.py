"""The aggregate roots that transactions lock, and the history of each: one row per root and transaction.

A row holds the entries of that transaction in order and is chained by hash to the row before it, so that the
history of an order cannot be changed without a trace. The chain is per root, never global.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from diaodu.kernel import sets
from diaodu.kernel.errors import Conflict
from diaodu.kernel.ids import part_of

if TYPE_CHECKING:
    from diaodu.kernel.db import Tx

Entry = dict[str, Any]

_LOCK = "select id from kernel.root where part = %s and id = any(%s::int8[]) order by id for update"
_HEADS = """
select r.id, h.seq, h.hash from unnest(%s::int8[]) as r(id)
 cross join lateral (
   select seq, hash from kernel.history where part = %s and root_id = r.id order by seq desc limit 1) h
"""
_HISTORY = {
    "part": "int2", "root_id": "int8", "seq": "int4", "at": "timestamptz", "actor": "text", "entries": "jsonb",
    "hash": "bytea",
}  # fmt: skip


class Journal:
    """What happened to the locked roots in this transaction, in order."""

    def __init__(self) -> None:
        self.locked: set[int] = set()
        self.created: set[int] = set()
        self.entries: dict[int, list[Entry]] = {}


def create(tx: "Tx", root_ids: Iterable[int], kind: str) -> set[int]:
    """Create roots that do not exist yet and hold their locks; returns the ids that were new."""
    ids = sorted(set(root_ids))
    made = {
        r[0]
        for r in tx.rows(
            "insert into kernel.root (part, id, kind, created_at) select %s, u, %s, %s from unnest(%s::int8[]) u"
            " on conflict (part, id) do nothing returning id",
            (_one_part(ids), kind, tx.now, ids),
        )
    }
    tx.journal.locked |= made
    tx.journal.created |= made
    return made


def lock(tx: "Tx", root_ids: Iterable[int]) -> set[int]:
    """Lock the roots, in id order; all of one partition. Returns the ids that exist."""
    ids = sorted(set(root_ids) - tx.journal.locked)
    if ids:
        tx.journal.locked |= {r[0] for r in tx.rows(_LOCK, (_one_part(ids), ids))}
    return set(root_ids) & tx.journal.locked


def record(tx: "Tx", root_id: int, entry: Entry) -> None:
    """Add an entry to the history of a locked root; ``entry["t"]`` names what happened (``noun.verb``)."""
    if root_id not in tx.journal.locked:
        raise Conflict(f"root {root_id} is not locked")
    tx.journal.entries.setdefault(root_id, []).append(entry)


def write(tx: "Tx") -> None:
    """Write one history row per touched root; called by the edge just before the commit."""
    pending = tx.journal.entries
    if not pending:
        return
    part = _one_part(pending)
    old = [i for i in pending if i not in tx.journal.created]
    heads = {r[0]: (r[1], r[2]) for r in tx.rows(_HEADS, (old, part))} if old else {}
    rows = []
    signed = _signed(tx.now, tx.actor)
    for root_id, entries in pending.items():
        seq, before = heads.get(root_id, (0, b""))
        text = canonical(entries)
        digest = _hash(before, root_id, seq + 1, signed=signed, text=text)
        # Written as it was hashed: the entries of a batch are half a megabyte, serialised once.
        rows.append((part, root_id, seq + 1, tx.now, tx.actor, orjson.Fragment(text), digest))
    sets.insert(tx, "kernel.history", _HISTORY, rows)
    tx.journal.entries = {}
    tx.journal.created = set()


def chain(before: bytes, root_id: int, seq: int, *, at: datetime, actor: str, entries: list[Entry]) -> bytes:
    """The hash of a history row: SHA-256 over the hash before it and its own content, keys sorted."""
    return _hash(before, root_id, seq, signed=_signed(at, actor), text=canonical(entries))


def canonical(entries: list[Entry]) -> bytes:
    """The entries as JSON, keys sorted."""
    return orjson.dumps(entries, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def _signed(at: datetime, actor: str) -> str:
    return f"{at.astimezone(UTC).isoformat()}|{actor}"


def _hash(before: bytes, root_id: int, seq: int, *, signed: str, text: bytes) -> bytes:
    return hashlib.sha256(before + f"{root_id}|{seq}|{signed}|".encode() + text).digest()


def read(tx: "Tx", root_id: int) -> list[Mapping[str, Any]]:
    """The history rows of a root, oldest first: ``seq``, ``at``, ``actor``, ``entries``, ``hash``."""
    names = ("seq", "at", "actor", "entries", "hash")
    found = tx.rows(
        "select seq, at, actor, entries, hash from kernel.history where part = %s and root_id = %s order by seq",
        (part_of(root_id), root_id),
    )
    return [dict(zip(names, r, strict=True)) for r in found]


def _one_part(root_ids: Iterable[int]) -> int:
    parts = {part_of(i) for i in root_ids}
    if len(parts) != 1:
        raise Conflict(f"a transaction binds one partition, not {sorted(parts)}")
    return parts.pop()
