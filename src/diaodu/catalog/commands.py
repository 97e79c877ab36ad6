"""Writes of the catalogue."""

import hashlib
from collections.abc import Mapping
from typing import Any

from diaodu.catalog.parse import parse_release
from diaodu.kernel.db import Tx
from diaodu.kernel.sets import to_json


def publish(tx: Tx, *, name: str, document: Mapping[str, Any]) -> int:
    """Check and publish a catalogue document as a new release; the same content again is the same release.

    BadCatalogue names every problem and nothing is written. Returns the release id.
    """
    parse_release(document, release_id=0, name=name)
    text = to_json(document)
    digest = hashlib.sha256(text.encode()).digest()
    found = tx.row("select id from catalog.release where digest = %s", (digest,))
    if found is None:
        found = tx.row(
            "insert into catalog.release (name, digest, document, published_at) values (%s, %s, %s::jsonb, %s)"
            " returning id",
            (name, digest, text, tx.now),
        )
    assert found is not None
    return int(found[0])
