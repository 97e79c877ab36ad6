"""Writes of the decisions: a draft is worked on by whoever read it last; what is published stays as it is."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from diaodu import feel
from diaodu.dmn.model import Definitions
from diaodu.feel import ast
from diaodu.feel.builtins import BUILTINS
from diaodu.kernel.db import Tx
from diaodu.kernel.sets import to_json
from diaodu.rules import cases
from diaodu.rules.document import ROWS_MAX, write
from diaodu.rules.errors import (
    AlreadyInForce,
    BadKey,
    DraftChanged,
    EffectiveInPast,
    NoDraft,
    NoSuchVersion,
    TooLarge,
    Unreadable,
)
from diaodu.rules.evaluate import run_tests
from diaodu.rules.model import DOCUMENT_MAX, KEY_MAX, TESTS_MAX, State, TestCase, Version
from diaodu.rules.queries import find_draft, get_draft, get_version
from diaodu.rules.review import Review, require_publishable, review

Names = Mapping[str, str]  # {"zh": …, "en": …}


@dataclass(frozen=True)
class Saved:
    """A draft as it was saved, and what a look at it found."""

    version: Version
    review: Review


def save_draft(
    tx: Tx,
    key: str,
    definitions: Definitions,
    *,
    tests: Sequence[TestCase] | None = None,
    note: str | None = None,
    names: Names | None = None,
    expected_digest: str | None,
) -> Saved:
    """Save the draft of a decision, with whatever errors it still has; None leaves tests, note and names as they are.

    ``expected_digest`` is that of the draft which the editor began with, None when there was none: DraftChanged when
    that is not so any more. BadKey, TooLarge.
    """
    check_key(key)
    _lock(tx, key, names or {})
    draft = find_draft(tx, key)
    if (draft and draft.digest) != expected_digest:
        raise DraftChanged(key=key, by=_changed_by(tx, key))
    base = draft or _last_published(tx, key)
    if tests is None:
        tests = base.tests if base else ()
    tests = cases.plain(tests)
    if note is None:
        note = draft.note if draft else ""
    document = _document(definitions, tests, note)
    made = (document, to_json(cases.to_json(tests)), note, digest(document, tests, note), tx.actor, tx.now)
    if draft is None:
        tx.expect(
            1,
            "insert into rules.version (document, tests, note, digest, saved_by, saved_at, key, n, state)"
            " select %s, %s::jsonb, %s, %s, %s, %s, %s, coalesce(max(n), 0) + 1, 'draft'"
            "   from rules.version where key = %s",
            (*made, key, key),
        )
    else:
        tx.expect(
            1,
            "update rules.version set document = %s, tests = %s::jsonb, note = %s, digest = %s, saved_by = %s,"
            " saved_at = %s where key = %s and n = %s and state = 'draft'",
            (*made, key, draft.n),
        )
    version = get_draft(tx, key)
    return Saved(version, review(version))


def discard_draft(tx: Tx, key: str, *, expected_digest: str | None = None) -> None:
    """Throw the draft away; a decision that was never published goes with it. NoDraft, DraftChanged."""
    _lock(tx, key, None)
    draft = require_draft(tx, key, expected_digest)
    tx.expect(1, "delete from rules.version where key = %s and n = %s and state = 'draft'", (key, draft.n))
    tx.run(
        "delete from rules.decision d where key = %s and not exists (select from rules.version v where v.key = d.key)",
        (key,),
    )


def publish(
    tx: Tx,
    key: str,
    *,
    effective_at: datetime | None = None,
    accept_gaps: bool = False,
    expected_digest: str | None = None,
) -> int:
    """Publish the draft, in force from ``effective_at`` (else now) on; returns the number of the version.

    NoDraft, DraftChanged, EffectiveInPast, NotPublishable (errors, overlaps of a UNIQUE table, failing test cases),
    GapsNotAccepted.
    """
    _lock(tx, key, None)
    draft = require_draft(tx, key, expected_digest)
    at = effective_at or tx.now
    if at < tx.now:
        raise EffectiveInPast(at=at.isoformat())
    require_publishable(review(draft), run_tests(draft, tx.now), key, accept_gaps=accept_gaps)
    # A version that was loaded meanwhile has taken a later number: the newest one has the greatest.
    row = tx.row(
        "update rules.version v set state = 'published', published_by = %s, published_at = %s, effective_at = %s,"
        " gaps_accepted = %s,"
        " n = greatest(n, 1 + (select max(o.n) from rules.version o where o.key = v.key and o.n <> v.n))"
        " where key = %s and n = %s and state = 'draft' returning n",
        (tx.actor, tx.now, at, accept_gaps, key, draft.n),
    )
    if row is None:
        raise NoDraft(key=key)
    return int(row[0])


def withdraw(tx: Tx, key: str, n: int) -> datetime:
    """Take back a published version before its time; returns when that was. AlreadyInForce, NoSuchVersion."""
    _lock(tx, key, None)
    version = get_version(tx, key, n)
    if version.state is not State.PUBLISHED or version.effective_at is None:
        raise NoSuchVersion(key=key, n=n)
    if version.effective_at <= tx.now:
        raise AlreadyInForce(key=key, n=n, at=version.effective_at.isoformat())
    tx.expect(
        1,
        "update rules.version set state = 'withdrawn', withdrawn_by = %s, withdrawn_at = %s"
        " where key = %s and n = %s and state = 'published'",
        (tx.actor, tx.now, key, n),
    )
    return version.effective_at


def load(
    tx: Tx,
    key: str,
    definitions: Definitions,
    tests: Sequence[TestCase] = (),
    *,
    names: Names | None = None,
    note: str = "",
) -> int:
    """Publish a decision from a file, in force from now on; returns its version.

    What was ever published with the same content changes nothing, so that loading again never undoes a user's work;
    a draft that somebody works on stays. Gaps are accepted, the rest as ``publish`` does.
    """
    check_key(key)
    tests = cases.plain(tests)
    document = _document(definitions, tests, note)
    same = digest(document, tests, note)
    _lock(tx, key, names or {})
    known = tx.row(
        "select max(n) from rules.version where key = %s and digest = %s and state = 'published'", (key, same)
    )
    if known is not None and known[0] is not None:
        return int(known[0])
    row = tx.row("select coalesce(max(n), 0) + 1 from rules.version where key = %s", (key,))
    assert row is not None
    version = Version(
        key=key,
        n=row[0],
        state=State.PUBLISHED,
        document=document,
        tests=tests,
        note=note,
        digest=same.hex(),
        saved_by=tx.actor,
        saved_at=tx.now,
    )
    require_publishable(review(version), run_tests(version, tx.now), key, accept_gaps=True)
    tx.expect(
        1,
        "insert into rules.version (key, n, state, document, tests, note, digest, saved_by, saved_at, published_by,"
        " published_at, effective_at, gaps_accepted)"
        " values (%(key)s, %(n)s, 'published', %(document)s, %(tests)s::jsonb, %(note)s, %(digest)s, %(by)s, %(now)s,"
        " %(by)s, %(now)s, %(now)s, true)",
        {
            "key": key, "n": version.n, "document": document, "tests": to_json(cases.to_json(tests)), "note": note,
            "digest": same, "by": tx.actor, "now": tx.now,
        },
    )  # fmt: skip
    return version.n


def require_draft(tx: Tx, key: str, expected_digest: str | None) -> Version:
    """The draft, if it still is the one that was seen (None: whichever it is); NoDraft, DraftChanged."""
    draft = get_draft(tx, key)
    if expected_digest is not None and draft.digest != expected_digest:
        raise DraftChanged(key=key, by=draft.saved_by)
    return draft


def check_key(key: str) -> None:
    """BadKey unless FEEL can call the key as one name and it hides no function of FEEL's own."""
    try:
        tree = feel.compile_expression(key).tree
    except feel.FeelSyntaxError:
        tree = None
    named = isinstance(tree, ast.Name) and tree.name == key and not any(c.isspace() for c in key)
    if not named or key in BUILTINS or len(key) > KEY_MAX:
        raise BadKey(key=key[: 2 * KEY_MAX], limit=KEY_MAX)


def digest(document: bytes, tests: Sequence[TestCase], note: str) -> bytes:
    """What two versions with the same model, tests and note have in common."""
    told = orjson.dumps([cases.to_json(tests), note], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(hashlib.sha256(document).digest() + told).digest()


def _document(definitions: Definitions, tests: Sequence[TestCase], note: str) -> bytes:
    """The model as DMN that can be read again; TooLarge, Unreadable."""
    document = write(definitions)
    rows = sum(len(getattr(d.expression, "rules", ())) for d in definitions.decisions)
    for what, zh, given, limit in (
        ("bytes", "字节数", len(document), DOCUMENT_MAX),
        ("rules", "规则行数", rows, ROWS_MAX),
        ("test cases", "测试用例数", len(tests), TESTS_MAX),
    ):
        if given > limit:
            raise TooLarge(what=what, what_zh=zh, given=given, limit=limit)
    # PostgreSQL stores no NUL in text.
    if "\\u0000" in to_json([cases.to_json(tests), note]):
        raise Unreadable(problems="a text holds the character NUL", problems_zh="文本中含有 NUL 字符")
    return document


def _lock(tx: Tx, key: str, names: Names | None) -> None:
    """Hold the decision against other writers; with ``names`` it is made when it is new, and renamed."""
    if names is not None:
        tx.run(
            "insert into rules.decision as d (key, name_zh, name_en, created_at)"
            " values (%(key)s, coalesce(%(zh)s, %(key)s), coalesce(%(en)s, %(key)s), %(now)s)"
            " on conflict (key) do update"
            " set name_zh = coalesce(%(zh)s, d.name_zh), name_en = coalesce(%(en)s, d.name_en)",
            {"key": key, "zh": names.get("zh"), "en": names.get("en"), "now": tx.now},
        )
    else:
        tx.row("select key from rules.decision where key = %s for update", (key,))


def _last_published(tx: Tx, key: str) -> Version | None:
    row = tx.row("select max(n) from rules.version where key = %s and state = 'published'", (key,))
    return get_version(tx, key, row[0]) if row and row[0] is not None else None


def _changed_by(tx: Tx, key: str) -> str:
    row = tx.row(
        "select coalesce(published_by, saved_by) from rules.version where key = %s order by n desc limit 1", (key,)
    )
    return row[0] if row else "?"
