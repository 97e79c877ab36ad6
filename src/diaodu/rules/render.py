"""Decisions and versions as plain JSON, as the API and the command line tell them."""

from datetime import datetime
from typing import Any

from diaodu.rules import cases
from diaodu.rules.document import to_table
from diaodu.rules.model import Decision, Version
from diaodu.rules.review import Review


def decision_json(decision: Decision) -> dict[str, Any]:
    """Key, names, and the numbers of the version in force, of the newest and of the draft."""
    return {
        "key": decision.key,
        "name": {"zh": decision.name_zh, "en": decision.name_en},
        "effective": decision.effective,
        "newest": decision.newest,
        "draft": decision.draft,
    }


def header_json(version: Version) -> dict[str, Any]:
    """A version without its content."""
    return {
        "key": version.key,
        "n": version.n,
        "state": version.state.value,
        "note": version.note,
        "digest": version.digest,
        "savedBy": version.saved_by,
        "savedAt": _instant(version.saved_at),
        "publishedBy": version.published_by,
        "publishedAt": _instant(version.published_at),
        "effectiveAt": _instant(version.effective_at),
        "gapsAccepted": version.gaps_accepted,
    }


def version_json(version: Version, found: Review) -> dict[str, Any]:
    """A version whole: its table, or the text of its model where it is no single table; tests; findings."""
    table = to_table(version.definitions, version.key)
    model = {"table": table} if table is not None else {"dmn": version.document.decode()}
    tests = cases.to_json(version.tests)
    return {**header_json(version), **model, "tests": tests, "findings": found.to_json()}


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")
