"""``diaodu rule``: decisions that users keep, from files and back, checked, tried and published."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from diaodu.app.command import Choice, command, instant, print_json, say
from diaodu.app.installation import database_of, opened
from diaodu.catalog import commands as catalog
from diaodu.dmn.findings import Severity
from diaodu.kernel.config import Settings
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import Rejected
from diaodu.rules import commands, content, queries
from diaodu.rules.diff import diff_tables
from diaodu.rules.diff_words import render
from diaodu.rules.evaluate import explain as explain_version
from diaodu.rules.evaluate import run_tests
from diaodu.rules.excel import to_workbook
from diaodu.rules.model import DOCUMENT_MAX, Version
from diaodu.rules.render import decision_json, header_json, version_json
from diaodu.rules.replay import replay as replay_version
from diaodu.rules.review import Review, placed, review, review_model

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Decisions that users keep. 规则。")
Key = Annotated[str, typer.Argument(help="The decision's key. 规则的键。")]
VersionOption = Annotated[int | None, typer.Option(help="A version, else the draft or the newest one. 版本号。")]
_EVERY_DAYS = 30


class RuleFileUnreadable(Rejected):
    """400: no file, or none that can be a decision."""

    code, status = "app.rule-file-unreadable", 400
    en = "{file} cannot be read: {reason}"
    zh = "无法读取 {file}：{reason_zh}"


class RuleFileUnwritable(Rejected):
    """400: the file cannot be made."""

    code, status = "app.rule-file-unwritable", 400
    en = "{file} cannot be written: {reason}"
    zh = "无法写入 {file}：{reason}"


class BadInput(Rejected):
    """400: an input that is not ``name=value``."""

    code, status = "app.bad-input", 400
    en = "{text} is no input. Write name=value; the value is JSON, or else a text."
    zh = "{text} 不是有效的输入，请写成 名称=值；值为 JSON，否则按文本处理。"


@command(app, "list")
def list_decisions(choice: Choice) -> None:
    """All decisions, with the version in force, the newest and the draft. 规则一览。"""
    settings = choice.load()
    with _transaction(settings) as tx:
        for d in queries.decisions(tx):
            name = {"zh": d.name_zh, "en": d.name_en}.get(settings.language or "", f"{d.name_zh} {d.name_en}")
            typer.echo(f"{d.key}\t{d.effective or '-'}\t{d.newest or '-'}\t{d.draft or '-'}\t{name}")


@command(app)
def show(choice: Choice, key: Key, version: VersionOption = None) -> None:
    """Print a decision and its versions, one of them whole. 查看规则。"""
    with _transaction(choice.load()) as tx:
        decision = decision_json(queries.get_decision(tx, key))
        headers = [header_json(v) for v in queries.versions(tx, key)]
        shown = _chosen(tx, key, version)
        print_json({**decision, "versions": headers, "shown": version_json(shown, review(shown))})


@command(app, "import")
def import_file(
    choice: Choice,
    file: Annotated[Path, typer.Argument(help="A workbook (.xlsx), a DMN model (.dmn) or a table (.json). 文件。")],
    key: Annotated[str | None, typer.Option(help="Its key, else that of the file. 规则的键。")] = None,
    note: Annotated[str | None, typer.Option(help="What was changed and why. 说明。")] = None,
) -> None:
    """Make the draft of a decision from a file and say what is wrong with it; an old draft is replaced. 导入为草稿。"""
    settings = choice.load()
    with _transaction(settings) as tx:
        given, found_key = _read(file, key, lambda k: queries.find_newest(tx, k))
        draft = queries.find_draft(tx, found_key)
        saved = commands.save_draft(
            tx,
            found_key,
            given.definitions,
            tests=given.tests,
            note=given.note if note is None else note,
            names=given.names,
            expected_digest=draft.digest if draft else None,
        )
    _tell(saved.review, settings)
    n = saved.version.n
    say(f"已保存为 {found_key} 第 {n} 版草稿。", f"Saved as the draft of {found_key}, version {n}.", settings)


@command(app)
def export(
    choice: Choice,
    key: Key,
    file: Annotated[Path, typer.Argument(help="Where to: .xlsx, .dmn or .json. 文件。")],
    version: VersionOption = None,
) -> None:
    """Write a version of a decision to a file. 导出。"""
    settings = choice.load()
    media = _media(file)
    with _transaction(settings) as tx:
        shown, decision = _chosen(tx, key, version), queries.get_decision(tx, key)
    names = {"zh": decision.name_zh, "en": decision.name_en}
    if media == content.XLSX:
        data = to_workbook(shown.definitions, shown.tests, names=names)
    elif media == content.DMN:
        data = shown.document
    else:
        document = {**version_json(shown, review(shown)), "name": names}
        data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    try:
        file.write_bytes(data)
    except OSError as error:
        raise RuleFileUnwritable(file=file, reason=error.strerror) from error
    say(f"已导出 {key} 第 {shown.n} 版到 {file}。", f"Version {shown.n} of {key} is in {file}.", settings)


@command(app)
def check(choice: Choice, what: Annotated[str, typer.Argument(help="A key, or a file. 规则的键或文件。")]) -> None:
    """Say what is wrong with a draft, a version or a file; status 1 if anything would refuse it. 检查。"""
    settings = choice.load()
    path = Path(what)
    if path.suffix.lower() in content.SUFFIXES:
        given, key = _read(path, None, lambda _: None)
        found = review_model(given.definitions, key)
    else:
        with _transaction(settings) as tx:
            found = review(_chosen(tx, what, None))
    _tell(found, settings)
    raise typer.Exit(1 if found.faults else 0)


@command(app, "test")
def run_cases(choice: Choice, key: Key, version: VersionOption = None) -> None:
    """Run the test cases of a decision; status 1 if one fails. 运行测试用例。"""
    settings = choice.load()
    with _transaction(settings) as tx:
        results = run_tests(_chosen(tx, key, version), tx.now)
    for result in results:
        expected, actual = _json(result.case.expected), _json(result.actual)
        if result.passed:
            say(f"通过  {result.case.name}", f"pass  {result.case.name}", settings)
        else:
            say(
                f"失败  {result.case.name}：应为 {expected}，实为 {actual}",
                f"FAIL  {result.case.name}: expected {expected}, got {actual}",
                settings,
            )
            for reason in result.diagnostics:
                say(f"      {reason.zh}", f"      {reason.en}", settings)
    failed = sum(not r.passed for r in results)
    say(f"共 {len(results)} 个用例，{failed} 个失败。", f"{len(results)} test cases, {failed} failed.", settings)
    raise typer.Exit(1 if failed else 0)


@command(app)
def explain(
    choice: Choice,
    key: Key,
    inputs: Annotated[list[str] | None, typer.Argument(help="name=value; the value is JSON or a text. 输入。")] = None,
    version: VersionOption = None,
) -> None:
    """Answer for inputs and say why: which rules fired, and which cell kept the others from it. 解释。"""
    settings = choice.load()
    given = dict(map(_input, inputs or []))
    with _transaction(settings) as tx:
        print_json(explain_version(_chosen(tx, key, version), given, tx.now))


@command(app)
def diff(choice: Choice, key: Key, older: int, newer: int) -> None:
    """Say what is different between two versions. 版本差异。"""
    settings = choice.load()
    with _transaction(settings) as tx:
        a, b = queries.get_version(tx, key, older), queries.get_version(tx, key, newer)
    found = diff_tables(a.definitions, b.definitions, a.tests, b.tests)
    for language in [settings.language] if settings.language else ["zh", "en"]:
        typer.echo(render(found, language))


@command(app)
def replay(
    choice: Choice,
    key: Key,
    version: VersionOption = None,
    days: Annotated[int, typer.Option(help="Orders of how many days. 天数。", min=1)] = _EVERY_DAYS,
    limit: Annotated[int, typer.Option(help="At most so many decisions. 上限。")] = 1_000,
) -> None:
    """Ask the draft, or a version, what was asked of the decision before, and tell what would differ. 历史重放。"""
    settings = choice.load()
    with _transaction(settings) as tx:
        chosen = _chosen(tx, key, version)
        found = replay_version(tx, chosen, since=tx.now - timedelta(days=days), limit=limit)
    for past, new in found.changes:
        typer.echo(f"{past.order_id}\t{_json(past.inputs)}\t{_json(past.output)} -> {_json(new)}")
    say(
        f"相同 {found.same}，不同 {found.different}（其中变为空 {found.nulls}）。",
        f"{found.same} the same, {found.different} different, of which {found.nulls} null.",
        settings,
    )


@command(app)
def publish(
    choice: Choice,
    key: Key,
    at: Annotated[str | None, typer.Option(help="From when on, with zone; else now. 生效时间。")] = None,
    *,
    accept_gaps: Annotated[bool, typer.Option("--accept-gaps", help="Gaps are meant. 接受空缺。")] = False,
) -> None:
    """Publish the draft, after its check and its test cases. 发布。"""
    settings = choice.load()
    effective_at = instant(at) if at else None
    with _transaction(settings) as tx:
        n = catalog.publish_decision(tx, key, effective_at=effective_at, accept_gaps=accept_gaps)
    say(f"{key} 第 {n} 版已发布。", f"Version {n} of {key} is published.", settings)


@command(app)
def withdraw(choice: Choice, key: Key, n: Annotated[int, typer.Argument(help="The version. 版本号。")]) -> None:
    """Take a published version back before it takes effect. 撤回。"""
    settings = choice.load()
    with _transaction(settings) as tx:
        catalog.withdraw_decision(tx, key, n)
    say(f"{key} 第 {n} 版已撤回。", f"Version {n} of {key} is withdrawn.", settings)


@contextmanager
def _transaction(settings: Settings) -> Iterator[Tx]:
    with database_of(settings) as dsn, opened(dsn) as db, db.transaction(actor="cli") as tx:
        yield tx


def _chosen(tx: Tx, key: str, n: int | None) -> Version:
    """The version asked for, else what an editor would begin with."""
    if n is not None:
        return queries.get_version(tx, key, n)
    return queries.find_newest(tx, key) or queries.versions(tx, queries.get_decision(tx, key).key)[0]


def _media(file: Path) -> str:
    media = content.SUFFIXES.get(file.suffix.lower())
    if media is None:
        kinds = ", ".join(content.SUFFIXES)
        raise RuleFileUnreadable(
            file=file, reason=f"its name must end in {kinds}", reason_zh=f"文件名须以 {kinds} 结尾"
        )
    return media


def _read(file: Path, key: str | None, known: Callable[[str], Version | None]) -> tuple[content.Content, str]:
    """The content of a file and the key that it is for."""
    media = _media(file)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RuleFileUnreadable(file=file, reason=error.strerror, reason_zh=error.strerror) from error
    if len(data) > DOCUMENT_MAX:
        told = f"{len(data)} bytes, at most {DOCUMENT_MAX}"
        raise RuleFileUnreadable(file=file, reason=told, reason_zh=f"{len(data)} 字节，上限 {DOCUMENT_MAX} 字节")
    if media == content.JSON:
        return _read_json(file, data, key, known)
    given = content.from_xlsx(data) if media == content.XLSX else content.from_dmn(data)
    return given, key or content.key_of(given.definitions, file.stem)


def _read_json(
    file: Path, data: bytes, key: str | None, known: Callable[[str], Version | None]
) -> tuple[content.Content, str]:
    try:
        value: Any = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise RuleFileUnreadable(file=file, reason=error, reason_zh=error) from error
    found = key or (value.get("key") if isinstance(value, dict) else None)
    found = found if isinstance(found, str) and found else file.stem
    base = known(found)
    return content.from_json(value, found, base.definitions if base else None), found


def _input(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise BadInput(text=text)
    try:
        return name.strip(), orjson.loads(value)
    except orjson.JSONDecodeError:
        return name.strip(), value


def _tell(found: Review, settings: Settings) -> None:
    for finding in found.findings:
        en, zh = placed(finding)
        error = finding.severity is Severity.ERROR
        say(f"{'错误' if error else '警告'}  {zh}", f"{'error  ' if error else 'warning'}  {en}", settings)
    if not found.findings:
        say("检查未发现问题。", "The check found nothing.", settings)


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
