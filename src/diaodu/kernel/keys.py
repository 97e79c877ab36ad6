"""Keys that clients and clocks give: the same key always means the same entity, however often it is asked for."""

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from diaodu.kernel.ids import part_for

if TYPE_CHECKING:
    from diaodu.kernel.db import Tx


def id_for(tx: "Tx", kind: str, *, source: str, key: str) -> int:
    """The id that an entity has or will have: fixed by its key, in a transaction of its own.

    Creation happens at that id later, so a repeat after a crash makes the same entity.
    """
    new = tx.new_id(part_for(key, tx.parts))
    tx.run(
        "insert into kernel.ext_key (kind, source, key, id) values (%s, %s, %s, %s) on conflict do nothing",
        (kind, source, key, new),
    )
    row = tx.row("select id from kernel.ext_key where kind = %s and source = %s and key = %s", (kind, source, key))
    assert row is not None
    return int(row[0])


def content_hash(content: Any) -> bytes:
    """What makes two requests under one key the same: the SHA-256 of their content as JSON, names sorted."""
    return hashlib.sha256(orjson.dumps(content, default=str, option=orjson.OPT_SORT_KEYS)).digest()
