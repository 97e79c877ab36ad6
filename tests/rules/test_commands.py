"""The life of a decision: drafted, checked, published, in force, superseded, withdrawn."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.rules.example import KEY, TABLE, TESTS, limits, rules

from diaodu.dmn.write import write_definitions
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import Rejected
from diaodu.rules import cases, queries
from diaodu.rules.commands import Saved, discard_draft, load, publish, save_draft, withdraw
from diaodu.rules.document import read, to_table
from diaodu.rules.errors import (
    AlreadyInForce,
    BadKey,
    DraftChanged,
    EffectiveInPast,
    GapsNotAccepted,
    NoDraft,
    NoSuchDecision,
    NoSuchVersion,
    NotExecutable,
    NotInForce,
    NotPublishable,
    TooLarge,
    Unreadable,
)
from diaodu.rules.model import State

DAY = timedelta(days=1)
CASES = cases.from_json(TESTS)


def draft(tx: Tx, *, digest: str | None = None, tests: Any = CASES, note: str = "初版", **changes: Any) -> Saved:
    return save_draft(tx, KEY, limits(**changes), tests=tests, note=note, expected_digest=digest)


def stored(tx: Tx) -> list[tuple[Any, ...]]:
    return tx.rows("select key, n, state, note, published_by, effective_at from rules.version order by key, n")


def test_a_draft_is_saved_with_what_was_found(tx: Tx) -> None:
    saved = draft(tx)
    assert saved.review.findings == ()
    assert (saved.version.n, saved.version.state, saved.version.saved_by) == (1, State.DRAFT, "test")
    assert queries.get_draft(tx, KEY) == saved.version
    assert queries.get_draft(tx, KEY).tests == CASES
    (decision,) = queries.decisions(tx)
    assert (decision.key, decision.name_zh, decision.effective, decision.draft) == (KEY, KEY, None, 1)


def test_a_draft_with_errors_is_saved_but_not_published(tx: Tx) -> None:
    saved = draft(tx, rules=rules(('"五星"', "false", "24 +"), ('"六星"', "-", "1")), tests=())
    assert {"not-allowed", "text"} <= {f.code for f in saved.review.faults}
    with pytest.raises(NotPublishable) as refused:
        publish(tx, KEY, accept_gaps=True)
    assert '"六星"' in refused.value.message("en")
    assert "允许值" in refused.value.message("zh")
    assert stored(tx) == [(KEY, 1, "draft", "初版", None, None)]


def test_names_tests_and_note_stay_when_they_are_not_given(tx: Tx) -> None:
    first = save_draft(
        tx, KEY, limits(), tests=CASES, note="一", names={"zh": "时限", "en": "Limit"}, expected_digest=None
    )
    second = save_draft(
        tx, KEY, limits(hitPolicy="ANY"), names={"en": "Time limit"}, expected_digest=first.version.digest
    )
    assert (second.version.tests, second.version.note) == (CASES, "一")
    assert second.version.digest != first.version.digest
    decision = queries.get_decision(tx, KEY)
    assert (decision.name_zh, decision.name_en) == ("时限", "Time limit")


def test_of_two_editors_one_wins_and_the_other_is_told(db: Database) -> None:
    with db.transaction(actor="王工") as tx:
        seen = draft(tx).version.digest
    with db.transaction(actor="李工") as tx:
        mine = draft(tx, digest=seen, note="李工的").version
    with pytest.raises(DraftChanged) as refused, db.transaction(actor="王工") as tx:
        draft(tx, digest=seen, note="王工的")
    assert refused.value.params == {"key": KEY, "by": "李工"}
    with db.transaction() as tx:
        assert queries.get_draft(tx, KEY) == mine


def test_of_two_who_begin_at_the_same_moment_one_wins(db: Database) -> None:
    def begin(name: str) -> str:
        try:
            with db.transaction(actor=name) as tx:
                return draft(tx, note=name).version.note
        except DraftChanged:
            return "told"

    with ThreadPoolExecutor(4) as pool:
        ended = sorted(pool.map(begin, ["甲", "乙", "丙", "丁"]))
    assert ended.count("told") == 3
    with db.transaction() as tx:
        assert [row[1:4] for row in stored(tx)] == [(1, "draft", ended[-1] if ended[-1] != "told" else ended[0])]


@pytest.mark.parametrize("seen", [None, "00"])
def test_a_draft_that_was_not_seen_is_not_written_over(seen: str | None, tx: Tx) -> None:
    before = draft(tx).version
    with pytest.raises(DraftChanged):
        draft(tx, digest=seen, note="别的")
    assert queries.get_draft(tx, KEY) == before


def test_a_draft_that_is_gone_is_not_written_over(tx: Tx) -> None:
    with pytest.raises(DraftChanged):
        draft(tx, digest="00")
    assert stored(tx) == []


@pytest.mark.parametrize("key", ["", "时 限", "1", "sum", "a+b", "if", "a.b", "限" * 101, "count"])
def test_a_key_that_feel_cannot_call_is_refused(key: str, tx: Tx) -> None:
    with pytest.raises(BadKey):
        save_draft(tx, key, limits(), expected_digest=None)
    assert queries.decisions(tx) == []


def test_more_tests_than_anybody_keeps_are_refused(tx: Tx) -> None:
    with pytest.raises(TooLarge):
        draft(tx, tests=CASES * 501)
    assert stored(tx) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"rules": [{"when": ["-", "-"], "then": ["\x01"]}]}, "a text cannot stand in XML"),
        ({"tests": cases.from_json([{"name": "\0", "inputs": {}}])}, "the character NUL"),
        ({"note": "\0"}, "the character NUL"),
    ],
)
def test_what_could_not_be_kept_or_read_again_is_refused(changes: dict[str, Any], problem: str, tx: Tx) -> None:
    with pytest.raises(Unreadable) as refused:
        draft(tx, **changes)
    assert problem in refused.value.message("en")
    assert stored(tx) == []


@pytest.mark.parametrize("encoding", ["gbk", "utf-16"])
def test_a_file_in_another_encoding_is_kept_in_utf_8(encoding: str, tx: Tx) -> None:
    text = write_definitions(limits()).decode().split("?>", 1)[1]
    file = f"<?xml version='1.0' encoding='{encoding}'?>{text}".encode(encoding)
    version = save_draft(tx, KEY, read(file), expected_digest=None).version
    assert "客户级别" in version.document.decode()
    assert to_table(version.definitions, KEY) == to_table(limits(), KEY)


def test_a_published_version_is_in_force_at_once(tx: Tx, now: datetime) -> None:
    draft(tx)
    assert publish(tx, KEY) == 1
    assert stored(tx) == [(KEY, 1, "published", "初版", "test", now)]
    assert queries.version_at(tx, KEY, now).n == 1
    assert queries.in_effect(tx, now) == {KEY: 1}
    assert queries.in_effect(tx, now - DAY) == {}
    with pytest.raises(NotInForce):
        queries.version_at(tx, KEY, now - DAY)
    with pytest.raises(NoDraft):
        publish(tx, KEY)


def test_the_version_that_took_effect_last_is_in_force(tx: Tx, now: datetime) -> None:
    for n, at in enumerate([now, now + 2 * DAY, now + DAY, now + DAY], 1):
        draft(tx, note=str(n))
        assert publish(tx, KEY, effective_at=at) == n
    assert [queries.in_effect(tx, now + days * DAY)[KEY] for days in (0, 1, 2)] == [1, 4, 2]
    assert [v.n for v in queries.versions(tx, KEY)] == [4, 3, 2, 1]


def test_no_version_takes_effect_in_the_past(tx: Tx, now: datetime) -> None:
    draft(tx)
    with pytest.raises(EffectiveInPast):
        publish(tx, KEY, effective_at=now - timedelta(seconds=1))
    assert stored(tx) == [(KEY, 1, "draft", "初版", None, None)]


def test_a_failing_test_case_refuses_with_what_came_out(tx: Tx) -> None:
    wrong = [*TESTS, {"name": "四星", "inputs": {"级别": "四星", "农村": False}, "expected": 24}]
    draft(tx, tests=cases.from_json(wrong))
    with pytest.raises(NotPublishable) as refused:
        publish(tx, KEY)
    assert refused.value.params["problems"] == "test case 四星: expected 24, got 48."
    assert refused.value.params["problems_zh"] == "测试用例“四星”：应为 24，实为 48。"
    assert stored(tx)[0][2] == "draft"


def test_overlapping_rules_of_a_unique_table_are_refused(tx: Tx) -> None:
    draft(tx, rules=[*TABLE["rules"], *rules(('"五星"', "-", "12"))], tests=())
    with pytest.raises(NotPublishable) as refused:
        publish(tx, KEY, accept_gaps=True)
    assert "both match" in refused.value.params["problems"]


def test_gaps_have_to_be_accepted(tx: Tx, now: datetime) -> None:
    draft(tx, rules=TABLE["rules"][:3], tests=())
    with pytest.raises(GapsNotAccepted) as refused:
        publish(tx, KEY)
    assert "No rule matches" in refused.value.params["problems"]
    assert publish(tx, KEY, accept_gaps=True) == 1
    assert queries.version_at(tx, KEY, now).gaps_accepted


def test_what_is_published_was_seen(tx: Tx) -> None:
    draft(tx)
    with pytest.raises(DraftChanged):
        publish(tx, KEY, expected_digest="00")
    assert stored(tx)[0][2] == "draft"


def test_a_version_is_withdrawn_before_it_takes_effect_and_not_after(tx: Tx, now: datetime) -> None:
    draft(tx)
    publish(tx, KEY)
    draft(tx, note="二")
    publish(tx, KEY, effective_at=now + DAY)
    assert withdraw(tx, KEY, 2) == now + DAY
    assert queries.in_effect(tx, now + DAY) == {KEY: 1}
    assert queries.get_version(tx, KEY, 2).state is State.WITHDRAWN
    with pytest.raises(AlreadyInForce):
        withdraw(tx, KEY, 1)
    for n in (2, 3):
        with pytest.raises(NoSuchVersion):
            withdraw(tx, KEY, n)
    assert [row[2] for row in stored(tx)] == ["published", "withdrawn"]
    assert draft(tx, note="三").version.n == 3


def test_a_discarded_draft_leaves_what_was_published(tx: Tx) -> None:
    draft(tx)
    publish(tx, KEY)
    second = draft(tx, note="二").version
    with pytest.raises(DraftChanged):
        discard_draft(tx, KEY, expected_digest="00")
    discard_draft(tx, KEY, expected_digest=second.digest)
    assert [row[1:3] for row in stored(tx)] == [(1, "published")]
    with pytest.raises(NoDraft):
        discard_draft(tx, KEY)


def test_a_decision_that_was_never_published_goes_with_its_draft(tx: Tx) -> None:
    draft(tx)
    discard_draft(tx, KEY)
    assert queries.decisions(tx) == []
    for look in (queries.get_decision, queries.versions):
        with pytest.raises(NoSuchDecision):
            look(tx, KEY)


def test_loading_the_same_again_changes_nothing_and_never_undoes_a_users_work(tx: Tx) -> None:
    assert load(tx, KEY, limits(), CASES, names={"zh": "时限", "en": "Limit"}) == 1
    before = stored(tx)
    assert load(tx, KEY, limits(), CASES) == 1
    assert stored(tx) == before
    draft(tx, note="用户的", rules=rules(("-", "-", "12")), tests=())
    assert publish(tx, KEY) == 2
    assert load(tx, KEY, limits(), CASES) == 1
    assert queries.in_effect(tx, tx.now) == {KEY: 2}
    assert queries.get_decision(tx, KEY).name_zh == "时限"


def test_a_load_leaves_a_draft_alone_which_is_published_later_with_a_later_number(tx: Tx) -> None:
    draft(tx, note="用户的")
    assert load(tx, KEY, limits(hitPolicy="ANY"), CASES) == 2
    assert queries.get_draft(tx, KEY).note == "用户的"
    assert publish(tx, KEY) == 3
    assert [row[1:3] for row in stored(tx)] == [(2, "published"), (3, "published")]
    assert queries.in_effect(tx, tx.now) == {KEY: 3}


def test_what_fails_is_not_loaded(tx: Tx) -> None:
    wrong = cases.from_json([{"name": "x", "inputs": {"级别": "五星", "农村": False}, "expected": 1}])
    with pytest.raises(NotPublishable):
        load(tx, KEY, limits(), wrong)
    assert stored(tx) == []


def test_a_version_is_compiled_once_and_a_draft_anew(tx: Tx) -> None:
    first = draft(tx).version
    drafted = queries.compiled(tx, KEY, 1)
    assert drafted.decide(KEY, {"级别": "五星", "农村": False}).value == 24
    draft(tx, digest=first.digest, rules=rules(("-", "-", "12")), tests=())
    assert queries.compiled(tx, KEY, 1).decide(KEY, {"级别": "五星", "农村": False}).value == 12
    publish(tx, KEY)
    assert queries.compiled(tx, KEY, 1) is queries.compiled(tx, KEY, 1)
    with pytest.raises(NoSuchVersion):
        queries.compiled(tx, KEY, 2)


def test_every_refusal_speaks_both_languages() -> None:
    told: list[Rejected] = [
        NotExecutable(key=KEY, n=1, problems="p", problems_zh="问题"),
        TooLarge(what="rules", what_zh="规则行数", given=2, limit=1),
        AlreadyInForce(key=KEY, n=1, at="2026"),
    ]
    for refusal in told:
        assert KEY in refusal.message("zh") or "上限" in refusal.message("zh")
        assert "{" not in refusal.message("en") + refusal.message("zh")
