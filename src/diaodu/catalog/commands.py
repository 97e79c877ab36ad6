"""Writes of the catalogue: each change makes a new release; those that are in use stay as they are.

A release takes effect at an instant. A change made now is also made in the releases that take effect later.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson

from diaodu.catalog.check import check_names
from diaodu.catalog.errors import EffectiveInThePast, EntryUnknown, NoRelease, WorkNotDrawn
from diaodu.catalog.model import Release
from diaodu.catalog.parse import parse_release
from diaodu.catalog.queries import TABLES, check_section, get_release, in_effect, pinned_decisions
from diaodu.engine import queries as processes
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.sets import to_json
from diaodu.rules import commands as rules
from diaodu.rules import queries as versions

Document = Mapping[str, Any]


def publish(tx: Tx, *, name: str, document: Document, effective_at: datetime | None = None) -> int:
    """Check and publish a catalogue document as a new release with the decisions of that time.

    The content that is in effect then anyhow is no new release. BadCatalogue names every problem and nothing is
    written. Returns the release id.
    """
    _one_at_a_time(tx)
    return _insert(tx, name, document, _when(tx, effective_at))


def publish_once(tx: Tx, *, name: str, document: Document) -> int:
    """Publish a document that was never published; one that was must not undo what users changed since.

    Decisions that were loaded meanwhile are pinned either way. Returns the release in effect.
    """
    if tx.row("select 1 from catalog.release where digest = %s", (_digest(document),)) is None:
        return publish(tx, name=name, document=document)
    _one_at_a_time(tx)
    _adopt_decisions(tx, tx.now)
    found = in_effect(tx, tx.now)
    if found is None:
        raise NoRelease
    return found


def put_entry(tx: Tx, section: str, entry_id: str, entry: Any, *, effective_at: datetime | None = None) -> int:
    """Add an entry to a section or replace the one of that id; returns the release. BadCatalogue, SectionUnknown."""

    def edit(document: Document) -> Document:
        known = document.get(section, {})
        if section in TABLES:
            return {**document, section: {**known, entry_id: entry}}
        place = next((n for n, e in enumerate(known) if e["id"] == entry_id), len(known))
        return {**document, section: [*known[:place], entry, *known[place + 1 :]]}

    return _change(tx, section, edit, effective_at)


def remove_entry(tx: Tx, section: str, entry_id: str, *, effective_at: datetime | None = None) -> int:
    """Take an entry out of a section; returns the release. EntryUnknown, BadCatalogue, SectionUnknown."""

    def edit(document: Document) -> Document:
        known = document.get(section, {})
        rest: Any
        if section in TABLES:
            rest = {name: value for name, value in known.items() if name != entry_id}
        else:
            rest = [e for e in known if e["id"] != entry_id]
        if len(rest) == len(known):
            raise EntryUnknown(section=section, id=entry_id)
        return {**document, section: rest}

    return _change(tx, section, edit, effective_at)


def publish_decision(
    tx: Tx,
    key: str,
    *,
    effective_at: datetime | None = None,
    accept_gaps: bool = False,
    expected_digest: str | None = None,
) -> int:
    """Publish the draft of a decision; revisions made from then on use it. Returns the number of the version."""
    _one_at_a_time(tx)
    at = _when(tx, effective_at)
    n = rules.publish(tx, key, effective_at=at, accept_gaps=accept_gaps, expected_digest=expected_digest)
    _adopt_decisions(tx, at)
    return n


def withdraw_decision(tx: Tx, key: str, n: int) -> None:
    """Take a version back before it takes effect; the releases of that time pin the one before it again."""
    _one_at_a_time(tx)
    _adopt_decisions(tx, rules.withdraw(tx, key, n))


def check_processes(tx: Tx, processes: Collection[str]) -> None:
    """WorkNotDrawn when a release, now or later, lets plans ask one of these processes for work that it lacks."""
    _one_at_a_time(tx)
    found = {in_effect(tx, at) for at in _instants(tx, tx.now)}
    for release in (get_release(tx, n) for n in sorted(filter(None, found))):
        if release.processes["execution"] in processes:
            _check_drawn(tx, release)


def _adopt_decisions(tx: Tx, at: datetime) -> None:
    """Make the releases in effect from ``at`` on pin the versions of their time; without any release nothing."""
    if in_effect(tx, at) is not None:
        _everywhere(tx, lambda document: document, at)


def _change(tx: Tx, section: str, edit: Callable[[Document], Document], effective_at: datetime | None) -> int:
    check_section(section)
    _one_at_a_time(tx)
    return _everywhere(tx, edit, _when(tx, effective_at))


def _everywhere(tx: Tx, edit: Callable[[Document], Document], at: datetime) -> int:
    """Edit the release in effect at ``at`` and each one that follows; returns the first one's id."""
    made = []
    for instant in _instants(tx, at):
        base = in_effect(tx, instant)
        row = tx.row("select name, document from catalog.release where id = %s", (base,))
        if row is None:
            raise NoRelease
        made.append(_insert(tx, row[0], edit(row[1]), instant))
    return made[0]


def _instants(tx: Tx, at: datetime) -> list[datetime]:
    """An instant, and those after it at which another release takes effect."""
    rows = tx.rows("select distinct effective_at from catalog.release where effective_at > %s order by 1", (at,))
    return [at, *(r[0] for r in rows)]


def _insert(tx: Tx, name: str, document: Document, at: datetime) -> int:
    document = {key: value for key, value in document.items() if key != "decisions"}
    digest = _digest(document)
    pinned = versions.in_effect(tx, at)
    release = parse_release(document, release_id=0, name=name, decisions=pinned_decisions(tx, pinned))
    check_names(release)
    _check_drawn(tx, release)
    row = tx.row(
        "with before as (select id, digest, document -> 'decisions' as pinned from catalog.release"
        "   where effective_at <= %(at)s order by effective_at desc, id desc limit 1),"
        " made as (insert into catalog.release (name, digest, document, published_at, effective_at)"
        "   select %(name)s, %(digest)s, %(document)s::jsonb || jsonb_build_object('decisions', %(pinned)s::jsonb),"
        "          %(now)s, %(at)s"
        "    where not exists (select 1 from before where digest = %(digest)s and pinned = %(pinned)s::jsonb)"
        "   returning id)"
        " select coalesce((select id from made), (select id from before))",
        {
            "name": name,
            "digest": digest,
            "document": to_json(document),
            "pinned": to_json(pinned),
            "now": tx.now,
            "at": at,
        },
    )
    assert row is not None
    return int(row[0])


def _check_drawn(tx: Tx, release: Release) -> None:
    """WorkNotDrawn when a plan could ask for work that the process does not know (core rules §3.5)."""
    process = release.processes["execution"]
    # A process that is deployed later is looked at by whoever deploys it.
    with suppress(NotFound):
        if missing := release.tree_kinds() - processes.stage_kinds(tx, process):
            raise WorkNotDrawn(process=process, kinds=", ".join(sorted(missing)))


def _digest(document: Document) -> bytes:
    # Sorted, because a document that comes out of the database has its keys in another order.
    return hashlib.sha256(orjson.dumps(document, default=str, option=orjson.OPT_SORT_KEYS)).digest()


def _when(tx: Tx, effective_at: datetime | None) -> datetime:
    """An instant that is not past: what was decided under a release must stay what it was."""
    if effective_at is not None and effective_at < tx.now:
        raise EffectiveInThePast(at=effective_at.isoformat())
    return effective_at or tx.now


def _one_at_a_time(tx: Tx) -> None:
    """Two changes at once would each begin with the same release, and one of them be lost."""
    tx.run("lock table catalog.release in share row exclusive mode")
