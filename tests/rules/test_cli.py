"""``diaodu rule``: a table from a file into force, and plain words for what is wrong."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.rules.example import KEY, TABLE, TESTS, limits, rules, table
from tests.rules.test_replay import made, order
from typer.testing import CliRunner, Result

from diaodu.app.cli import app
from diaodu.dmn.write import write_definitions
from diaodu.kernel.db import Database
from diaodu.rules import queries
from diaodu.rules.document import to_table
from diaodu.rules.model import Version

Rule = Callable[..., Result]


@pytest.fixture
def rule(db_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Rule:
    """The commands over a database of this test alone, in an empty directory."""
    for name in [n for n in os.environ if n.startswith("DIAODU_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def call(*words: str, language: str | None = "en") -> Result:
        chosen = ["--language", language] if language else []
        return CliRunner().invoke(app, ["rule", *words, "--database-url", db_dsn, *chosen])

    return call


def write(name: str = "limit.json", **changes: Any) -> str:
    Path(name).write_text(json.dumps({"key": KEY, "table": table(), "tests": TESTS, **changes}))
    return name


def said(version: Version) -> Any:
    """The table of a version, whatever its parts are numbered."""

    def without_ids(value: Any) -> Any:
        if isinstance(value, list):
            return [without_ids(v) for v in value]
        return {k: without_ids(v) for k, v in value.items() if k != "id"} if isinstance(value, dict) else value

    return without_ids(to_table(version.definitions, KEY))


def test_a_table_goes_from_a_file_into_force(rule: Rule, db: Database) -> None:
    imported = rule("import", write())
    assert (imported.exit_code, imported.output) == (
        0, f"The check found nothing.\nSaved as the draft of {KEY}, version 1.\n",
    ), imported.output  # fmt: skip
    assert rule("check", KEY).exit_code == 0
    tested = rule("test", KEY)
    assert (tested.exit_code, tested.output) == (0, "pass  五星城区\npass  普通农村\n2 test cases, 0 failed.\n")
    assert rule("publish", KEY).output == f"Version 1 of {KEY} is published.\n"
    assert rule("list").output == f"{KEY}\t1\t1\t-\t{KEY}\n"
    shown = json.loads(rule("show", KEY).output)
    assert (shown["effective"], shown["shown"]["table"]["rules"][3]["then"]) == (1, ["72"])
    with db.transaction() as tx:
        assert queries.version_at(tx, KEY, tx.now).published_by == "cli"


@pytest.mark.parametrize("suffix", [".json", ".dmn", ".xlsx"])
def test_what_was_exported_is_imported_as_it_was(suffix: str, rule: Rule, db: Database) -> None:
    rule("import", write())
    rule("publish", KEY)
    assert rule("export", KEY, f"out{suffix}").exit_code == 0
    assert rule("import", f"out{suffix}", "--key", KEY, "--note", "again").exit_code == 0
    with db.transaction() as tx:
        draft, published = queries.get_draft(tx, KEY), queries.get_version(tx, KEY, 1)
    assert (draft.n, draft.note, draft.tests) == (2, "again", published.tests)
    assert said(draft) == said(published)
    assert rule("test", KEY).exit_code == 0
    assert rule("diff", KEY, "1", "2").exit_code == 0


def test_a_model_of_several_decisions_is_that_of_its_file_or_of_the_key(rule: Rule) -> None:
    (decision,) = limits().decisions
    others = tuple(replace(decision, id=f"d{n}", name=name) for n, name in enumerate((KEY, "别的")))
    for name in ("model.dmn", f"{KEY}.dmn"):
        Path(name).write_bytes(write_definitions(replace(limits(), decisions=others)))
    refused = rule("import", "model.dmn")
    assert (refused.exit_code, f"The model holds: {KEY}, 别的." in refused.output) == (1, True)
    assert rule("import", "model.dmn", "--key", "别的").exit_code == 0
    assert f"the draft of {KEY}," in rule("import", f"{KEY}.dmn").output


def test_an_import_replaces_the_draft(rule: Rule, db: Database) -> None:
    rule("import", write())
    assert rule("import", write(tests=[])).exit_code == 0
    with db.transaction() as tx:
        assert queries.get_draft(tx, KEY).tests == ()


def test_a_file_is_checked_without_being_saved(rule: Rule, db: Database) -> None:
    Path("limit.dmn").write_bytes(write_definitions(limits(rules=rules(("-", "-", "1"), ('"五星"', "-", "2")))))
    wrong = rule("check", "limit.dmn", language="zh")
    assert wrong.exit_code == 1
    assert "同时匹配" in wrong.output
    with db.transaction() as tx:
        assert queries.decisions(tx) == []


def test_a_failing_test_case_ends_with_1_and_says_what_came_out(rule: Rule) -> None:
    rule("import", write(tests=[{"name": "四星", "inputs": {"级别": "四星", "农村": False}, "expected": 24}]))
    tested = rule("test", KEY)
    assert (tested.exit_code, tested.output) == (1, "FAIL  四星: expected 24, got 48\n1 test cases, 1 failed.\n")
    refused = rule("publish", KEY)
    assert (refused.exit_code, "test case 四星: expected 24, got 48." in refused.output) == (1, True)


def test_gaps_are_accepted_only_on_purpose(rule: Rule) -> None:
    rule("import", write(table=table(rules=TABLE["rules"][:3]), tests=[]))
    refused = rule("publish", KEY)
    assert (refused.exit_code, "No rule matches" in refused.output) == (1, True)
    assert rule("publish", KEY, "--accept-gaps").exit_code == 0


def test_a_version_to_come_is_not_in_force_and_can_be_withdrawn(rule: Rule) -> None:
    rule("import", write())
    assert rule("publish", KEY, "--at", "2100-01-01T00:00+08:00").exit_code == 0
    assert rule("list").output == f"{KEY}\t-\t1\t-\t{KEY}\n"
    assert rule("withdraw", KEY, "1").output == f"Version 1 of {KEY} is withdrawn.\n"


def test_an_answer_is_explained(rule: Rule) -> None:
    rule("import", write())
    told = json.loads(rule("explain", KEY, "级别=五星", "农村=true").output)
    assert (told["output"], told["tables"][0]["gave"]) == (36, [2])


def test_two_versions_are_compared(rule: Rule) -> None:
    rule("import", write())
    rule("publish", KEY)
    rule("import", write(table=table(rules=[*rules(('"五星"', "false", "12")), *TABLE["rules"][1:]]), tests=[]))
    told = rule("diff", KEY, "1", "2")
    assert (told.exit_code, "12" in told.output) == (0, True)


def test_the_past_is_asked_again(rule: Rule, db: Database) -> None:
    with db.transaction() as tx:
        order_id = order(tx, tx.now, made("五星", 20), made("普通", 48))
    rule("import", write())
    told = rule("replay", KEY, "--days", "1")
    assert told.output.splitlines() == [
        f'{order_id}\t{{"农村":false,"级别":"五星"}}\t20 -> 24', "1 the same, 1 different, of which 0 null.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (("show", "没有"), "不存在规则 没有。", "There is no decision 没有."),
        (("import", "missing.json"), "无法读取 missing.json", "missing.json cannot be read: No such file"),
        (("import", "limit.csv"), "文件名须以", "its name must end in .json, .dmn, .xml, .xlsx"),
        (("import", "bad.json"), "无法读取 bad.json", "bad.json cannot be read: unexpected"),
        (("import", "bad.dmn"), "无法读取该文档", "The document cannot be read"),
        (("import", "bad.xlsx"), "", ""),
        (("publish", KEY, "--at", "tomorrow"), "tomorrow 不是有效的时间", "tomorrow is no instant"),
        (("publish", KEY, "--at", "2026-05-01T00:00"), "请写明时区", "Write it with its zone"),
        (("publish", KEY), "没有草稿", f"The decision {KEY} has no draft"),
        (("explain", KEY, "x"), "x 不是有效的输入", "x is no input"),
        (("withdraw", KEY, "1"), "没有第 1 版", "has no version 1"),
        (("diff", KEY, "1", "2"), "没有第 1 版", "has no version 1"),
        (("check", "没有"), "不存在规则", "There is no decision"),
    ],
)
def test_a_refusal_ends_with_1_and_plain_words_in_both_languages(
    words: tuple[str, ...], zh: str, en: str, rule: Rule
) -> None:
    for name in ("bad.json", "bad.dmn", "bad.xlsx"):
        Path(name).write_text("{")
    result = rule(*words, language=None)
    assert result.exit_code == 1, result.output
    assert zh in result.output
    assert en in result.output
    assert "Traceback" not in result.output


def test_a_file_that_cannot_be_written_is_refused(rule: Rule) -> None:
    rule("import", write())
    refused = rule("export", KEY, "nowhere/out.dmn")
    assert (refused.exit_code, refused.output) == (1, "nowhere/out.dmn cannot be written: No such file or directory\n")


def test_a_workbook_that_was_exported_can_be_opened(rule: Rule) -> None:
    rule("import", write())
    rule("export", KEY, "out.xlsx")
    assert KEY in openpyxl.load_workbook("out.xlsx").sheetnames
