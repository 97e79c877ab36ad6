"""The durable state of one simulated system: one SQLite file, written in batches, whole after kill -9."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from diaodu.simulators.messages import Outcome, Params
from diaodu.simulators.rules import Claim, Identity

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    element TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    key TEXT NOT NULL, born TEXT NOT NULL, version INTEGER NOT NULL, params BLOB NOT NULL,
    PRIMARY KEY (element, kind, subject)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claim (
    scope TEXT NOT NULL, name TEXT NOT NULL, element TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    loid TEXT NOT NULL,
    PRIMARY KEY (scope, name, element, kind, subject)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entry (
    key TEXT PRIMARY KEY, verb TEXT NOT NULL, element TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    params BLOB NOT NULL, outcome BLOB NOT NULL, times INTEGER NOT NULL, before BLOB NOT NULL, undone_by TEXT
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Record:
    """The present version of a thing: `key` wrote it, `born` is the key that created it, `version` counts writes."""

    key: str
    born: str
    version: int
    params: Params


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of the command sent under `key`: `times` is how often it was applied, `before` what it replaced."""

    key: str
    verb: str
    identity: Identity
    params: Params
    outcome: Outcome
    times: int
    before: Record | None
    undone_by: str | None = None


class Store:
    """Records, claims and the ledger of keys of one system; changes hold from `commit` on."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        # One process owns a state; a second one must fail at start, not corrupt claims later.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        # NORMAL: a killed process loses nothing; only a power cut could, and no simulation outlives one.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)

    def commit(self) -> None:
        """Make durable all that was written since the last commit."""
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Forget what was not committed and give the file free."""
        self._db.close()

    def record(self, identity: Identity) -> Record | None:
        """The present record of a thing, if there is one."""
        row = self._db.execute(
            "SELECT key, born, version, params FROM record WHERE element = ? AND kind = ? AND subject = ?",
            (identity.element, identity.kind, identity.subject),
        ).fetchone()
        return Record(row[0], row[1], row[2], orjson.loads(row[3])) if row else None

    def put(self, identity: Identity, record: Record) -> None:
        """Write a record over the one that may be there."""
        self._write(
            "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?, ?)",
            identity.element,
            identity.kind,
            identity.subject,
            record.key,
            record.born,
            record.version,
            orjson.dumps(record.params),
        )

    def remove(self, identity: Identity) -> None:
        """Delete a record."""
        self._write(
            "DELETE FROM record WHERE element = ? AND kind = ? AND subject = ?",
            identity.element,
            identity.kind,
            identity.subject,
        )

    def holders(self, scope: str, name: str) -> list[tuple[Identity, str]]:
        """Who claims a name, each with the LOID it was claimed for ('' = none given)."""
        rows = self._db.execute(
            "SELECT element, kind, subject, loid FROM claim WHERE scope = ? AND name = ?", (scope, name)
        )
        return [(Identity(*row[:3]), row[3]) for row in rows]

    def claim(self, identity: Identity, claim: Claim) -> None:
        """Let a record hold a name."""
        self._write(
            "INSERT OR REPLACE INTO claim VALUES (?, ?, ?, ?, ?, ?)",
            claim.scope,
            claim.name,
            identity.element,
            identity.kind,
            identity.subject,
            claim.loid,
        )

    def release(self, identity: Identity, claim: Claim) -> None:
        """Take a name from a record."""
        self._write(
            "DELETE FROM claim WHERE scope = ? AND name = ? AND element = ? AND kind = ? AND subject = ?",
            claim.scope,
            claim.name,
            identity.element,
            identity.kind,
            identity.subject,
        )

    def entry(self, key: str) -> Entry | None:
        """What became of a key; None if it never arrived."""
        row = self._db.execute("SELECT * FROM entry WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        outcome, before = Outcome(**orjson.loads(row[6])), orjson.loads(row[8])
        return Entry(
            key,
            row[1],
            Identity(*row[2:5]),
            orjson.loads(row[5]),
            outcome,
            row[7],
            Record(**before) if before else None,
            row[9],
        )

    def enter(self, entry: Entry) -> None:
        """Write down what became of a key."""
        self._write(
            "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            entry.key,
            entry.verb,
            entry.identity.element,
            entry.identity.kind,
            entry.identity.subject,
            orjson.dumps(entry.params),
            orjson.dumps(entry.outcome),
            entry.times,
            orjson.dumps(entry.before),
            entry.undone_by,
        )

    def page(self, element: str | None, after: tuple[str, str, str], limit: int) -> Iterator[Params]:
        """Up to `limit` records after (element, kind, subject), of one element or (None) of all, in that order."""
        rows = self._db.execute(
            "SELECT element, kind, subject, key, version, params FROM record"
            " WHERE (element, kind, subject) > (?, ?, ?) AND element <= ?"
            " ORDER BY element, kind, subject LIMIT ?",
            (*max(after, (element or "", "", "")), element or "\U0010ffff", limit),
        )
        names = ("element", "kind", "subject", "key", "version")
        for row in rows:
            yield dict(zip(names, row, strict=False)) | {"params": orjson.loads(row[5])}

    def _write(self, statement: str, *values: Any) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(statement, values)
