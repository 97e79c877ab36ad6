"""Reads of worklist pools."""

from diaodu.kernel.db import Tx

_known: dict[str, dict[tuple[int, str], int]] = {}


def pools(tx: Tx, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The pool of each (unit id, role); pools are interned for good, so a process reads each once.

    KeyError for a pair that was never interned: publishing an operator interns all of them.
    """
    known = _known.setdefault(tx.conn.info.dsn, {})
    if not wanted <= known.keys():
        known.update({(r[0], r[1]): r[2] for r in tx.rows("select unit_id, role, id from process.pool")})
    return {pair: known[pair] for pair in wanted}
