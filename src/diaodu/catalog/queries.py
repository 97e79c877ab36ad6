"""Reads of the catalogue: releases are immutable, so a process compiles each once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from diaodu.catalog.errors import NoRelease, SectionUnknown
from diaodu.catalog.model import PinnedDecision, Release, ReleaseEntry
from diaodu.catalog.parse import parse_release
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import IdMaker
from diaodu.rules import queries as rules

# A document's lists of entries with an id, and its tables of names.
LISTS = ("offerings", "specifications", "decomposition", "effects", "closing", "work", "audit", "causes")
TABLES = ("processes", "policies")

# By database: this process has one IdMaker for each.
_compiled: WeakKeyDictionary[IdMaker, dict[int, Release]] = WeakKeyDictionary()


def get_release(tx: Tx, release_id: int) -> Release:
    """A release by id, compiled."""
    compiled = _compiled.setdefault(tx.ids, {})
    if release_id not in compiled:
        row = tx.row("select name, document from catalog.release where id = %s", (release_id,))
        if row is None:
            raise NoRelease
        pinned = pinned_decisions(tx, row[1].get("decisions", {}))
        compiled[release_id] = parse_release(row[1], release_id=release_id, name=row[0], decisions=pinned)
    return compiled[release_id]


def current_release(tx: Tx) -> Release:
    """The release that a new revision is made under: the newest of those in effect."""
    found = in_effect(tx, tx.now)
    if found is None:
        raise NoRelease
    return get_release(tx, found)


def in_effect(tx: Tx, at: datetime) -> int | None:
    """The id of the release that is in effect at an instant."""
    row = tx.row(
        "select id from catalog.release where effective_at <= %s order by effective_at desc, id desc limit 1", (at,)
    )
    return None if row is None else int(row[0])


def releases(tx: Tx) -> list[ReleaseEntry]:
    """All releases, the newest first."""
    rows = tx.rows(
        "select id, name, published_at, effective_at, document -> 'decisions' from catalog.release order by id desc"
    )
    return [ReleaseEntry(*row) for row in rows]


def section(tx: Tx, name: str, at: datetime) -> dict[str, Any]:
    """The entries of a section of the release in effect at an instant, by id. SectionUnknown, NoRelease."""
    check_section(name)
    row = tx.row("select document -> %s from catalog.release where id = %s", (name, in_effect(tx, at)))
    if row is None:
        raise NoRelease
    if name in TABLES:
        return {key: {"value": value} for key, value in (row[0] or {}).items()}
    return {entry["id"]: entry for entry in row[0] or ()}


def check_section(name: str) -> None:
    """Pass when a catalogue has that section; SectionUnknown."""
    if name not in (*LISTS, *TABLES):
        raise SectionUnknown(section=name, known=", ".join((*LISTS, *TABLES)))


def pinned_decisions(tx: Tx, versions: Mapping[str, Any]) -> dict[str, PinnedDecision]:
    """The decisions of a release: key -> number of the version."""
    return {key: PinnedDecision(key, n, rules.compiled(tx, key, n)) for key, n in versions.items()}
