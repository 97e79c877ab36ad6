"""Reads of the decisions; a process compiles each content once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from diaodu.dmn.compile import Model
from diaodu.kernel.db import Tx
from diaodu.rules import cases
from diaodu.rules.errors import NoDraft, NoSuchDecision, NoSuchVersion, NotInForce
from diaodu.rules.evaluate import compile_version
from diaodu.rules.model import Decision, State, Version

# By content, never by number: a publication that was rolled back leaves its number to another content.
_compiled: dict[str, Model] = {}
_COMPILED_MAX = 10_000

_VERSION = (
    "select key, n, state, document, tests, note, digest, saved_by, saved_at, published_by, published_at,"
    " effective_at, gaps_accepted from rules.version"
)
# The version in force at an instant: the one that took effect last; of two at once the later one.
_IN_EFFECT = """
select distinct on (key) key, n from rules.version
 where state = 'published' and effective_at <= %s order by key, effective_at desc, n desc
"""
_DECISIONS = """
select d.key, d.name_zh, d.name_en,
       (select v.n from rules.version v where v.key = d.key and v.state = 'published' and v.effective_at <= %(now)s
         order by v.effective_at desc, v.n desc limit 1),
       (select max(v.n) from rules.version v where v.key = d.key and v.state = 'published'),
       (select v.n from rules.version v where v.key = d.key and v.state = 'draft')
  from rules.decision d
"""


def decisions(tx: Tx) -> list[Decision]:
    """All decisions, by key."""
    return [_decision(row) for row in tx.rows(_DECISIONS + " order by d.key", {"now": tx.now})]


def get_decision(tx: Tx, key: str) -> Decision:
    """A decision by key; NoSuchDecision."""
    row = tx.row(_DECISIONS + " where d.key = %(key)s", {"now": tx.now, "key": key})
    if row is None:
        raise NoSuchDecision(key=key)
    return _decision(row)


def _decision(row: Sequence[Any]) -> Decision:
    return Decision(key=row[0], name_zh=row[1], name_en=row[2], effective=row[3], newest=row[4], draft=row[5])


def versions(tx: Tx, key: str) -> list[Version]:
    """All versions of a decision, the newest first; NoSuchDecision."""
    found = [_version(row) for row in tx.rows(f"{_VERSION} where key = %s order by n desc", (key,))]
    if not found:
        raise NoSuchDecision(key=key)
    return found


def get_version(tx: Tx, key: str, n: int) -> Version:
    """A version, in whatever state; NoSuchVersion."""
    row = tx.row(f"{_VERSION} where key = %s and n = %s", (key, n))
    if row is None:
        raise NoSuchVersion(key=key, n=n)
    return _version(row)


def find_draft(tx: Tx, key: str) -> Version | None:
    """The draft of a decision, or None."""
    row = tx.row(f"{_VERSION} where key = %s and state = 'draft'", (key,))
    return None if row is None else _version(row)


def get_draft(tx: Tx, key: str) -> Version:
    """The draft of a decision; NoDraft."""
    draft = find_draft(tx, key)
    if draft is None:
        raise NoDraft(key=key)
    return draft


def find_newest(tx: Tx, key: str) -> Version | None:
    """What an editor begins with: the draft, else the version published last; None when there is neither."""
    row = tx.row(
        f"{_VERSION} where key = %s and state <> 'withdrawn' order by state = 'draft' desc, n desc limit 1", (key,)
    )
    return None if row is None else _version(row)


def version_at(tx: Tx, key: str, at: datetime) -> Version:
    """The version in force at an instant: the one that took effect last; NotInForce."""
    row = tx.row(
        f"{_VERSION} where key = %s and state = 'published' and effective_at <= %s"
        " order by effective_at desc, n desc limit 1",
        (key, at),
    )
    if row is None:
        raise NotInForce(key=key, at=at.isoformat())
    return _version(row)


def in_effect(tx: Tx, at: datetime) -> dict[str, int]:
    """Which version of each decision is in force at an instant; those without one are not there."""
    return {key: int(n) for key, n in tx.rows(_IN_EFFECT, (at,))}


def compiled(tx: Tx, key: str, n: int) -> Model:
    """The model of a version, compiled; NoSuchVersion, NotExecutable."""
    version = get_version(tx, key, n)
    model = _compiled.get(version.digest)
    if model is None:
        model = compile_version(version)
        if len(_compiled) >= _COMPILED_MAX:
            _compiled.clear()
        _compiled[version.digest] = model
    return model


def _version(row: Sequence[Any]) -> Version:
    tests: list[Mapping[str, Any]] = row[4]
    return Version(
        key=row[0],
        n=row[1],
        state=State(row[2]),
        document=bytes(row[3]),
        tests=cases.from_json(tests),
        note=row[5],
        digest=bytes(row[6]).hex(),
        saved_by=row[7],
        saved_at=row[8],
        published_by=row[9],
        published_at=row[10],
        effective_at=row[11],
        gaps_accepted=row[12],
    )
