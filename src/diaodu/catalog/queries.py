"""Reads of the catalogue: releases are immutable, so a process compiles each once."""

from weakref import WeakKeyDictionary

from diaodu.catalog.errors import NoRelease
from diaodu.catalog.model import Release
from diaodu.catalog.parse import parse_release
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import IdMaker

# By database: this process has one IdMaker for each.
_compiled: WeakKeyDictionary[IdMaker, dict[int, Release]] = WeakKeyDictionary()


def get_release(tx: Tx, release_id: int) -> Release:
    """A release by id, compiled."""
    compiled = _compiled.setdefault(tx.ids, {})
    if release_id not in compiled:
        row = tx.row("select name, document from catalog.release where id = %s", (release_id,))
        if row is None:
            raise NoRelease
        compiled[release_id] = parse_release(row[1], release_id=release_id, name=row[0])
    return compiled[release_id]


def current_release(tx: Tx) -> Release:
    """The release that a new revision is made under: the newest one."""
    row = tx.row("select id from catalog.release order by id desc limit 1")
    if row is None:
        raise NoRelease
    return get_release(tx, int(row[0]))
