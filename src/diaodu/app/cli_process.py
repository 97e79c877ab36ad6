"""``diaodu process``: look at BPMN files, let them run where nothing can happen, deploy them and get them back."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from diaodu.app.command import Choice, command, complain, say
from diaodu.app.installation import database_of, opened
from diaodu.app.play import Play, Refused, play
from diaodu.app.wiring import handlers
from diaodu.catalog.commands import check_processes
from diaodu.engine import commands as engine
from diaodu.engine import queries
from diaodu.engine.errors import Problem, ProcessNotExecutable
from diaodu.engine.examine import examine
from diaodu.feel import FeelError, compile_expression
from diaodu.kernel import log
from diaodu.kernel.errors import Rejected
from diaodu.process import commands as processes

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Processes. 流程。")
REFUSED = 3  # exit status when a file cannot be deployed
Files = Annotated[list[Path], typer.Argument(help="BPMN 2.0 files. BPMN 文件。")]


class FileUnreadable(Rejected):
    """400: a file that is named cannot be read."""

    code, status = "app.file-unreadable", 400
    en = "{path} cannot be read: {reason}"
    zh = "无法读取 {path}：{reason}"


class NoVariables(Rejected):
    """400: what is given as variables is no JSON object, or no ELEMENT.NAME=FEEL."""

    code, status = "app.no-variables", 400
    en = "These are no variables: {text} ({reason})"
    zh = "无法作为变量读取：{text}（{reason}）"


@command(app)
def check(
    choice: Choice,
    files: Files,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per finding. 逐行输出 JSON。")] = False,
) -> None:
    """Tell all findings about BPMN files; status 3 when one of them would be refused. 检查流程。"""
    settings = choice.load()
    found = examine([_read(path) for path in files], replace(handlers(), lenient=True))
    _tell(files, found, settings.language, as_json=as_json)
    raise typer.Exit(REFUSED if any(not problem.warning for problems in found for problem in problems) else 0)


@command(app, "play")
def play_command(
    choice: Choice,
    files: Files,
    *,
    process: Annotated[str | None, typer.Option(help="Which process starts; else the first. 启动的流程。")] = None,
    seed: Annotated[int, typer.Option(help="Of all choices. 随机种子。")] = 0,
    max_steps: Annotated[int, typer.Option(help="Choices until it is ended. 最多步数。")] = 1000,
    variables: Annotated[str, typer.Option("--vars", help="A JSON object: the first variables. 初始变量。")] = "{}",
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="ELEMENT.NAME=FEEL: what the work there gives. 节点结果。")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per event. 逐行输出 JSON。")] = False,
) -> None:
    """Run a process in a throw-away database, with workers, users, messages and a clock that are played. 试运行。"""
    settings = choice.load()
    log.configure("error", process="play")
    wanted = Play(process, seed, max_steps, _variables(variables), _results(sets or []))
    try:
        for line in play([_read(path) for path in files], wanted):
            typer.echo(_json(line) if as_json else " ".join(f"{name}={value}" for name, value in line.items()))
    except Refused as refused:
        _tell(files, refused.findings, settings.language, as_json=as_json)
        raise typer.Exit(REFUSED) from None


@command(app)
def deploy(
    choice: Choice,
    files: Files,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each. 逐行输出 JSON。")] = False,
) -> None:
    """Deploy BPMN files that may call each other, all or none; status 3 when one of them is refused. 部署流程。"""
    settings = choice.load()
    sources = [_read(path) for path in files]
    with database_of(settings) as dsn, opened(dsn) as db:
        with db.transaction() as tx:
            found = examine(sources, handlers(), engine.deployed_keys(tx))
        _tell(files, found, settings.language, as_json=as_json)
        if any(not problem.warning for problems in found for problem in problems):
            raise typer.Exit(REFUSED)
        try:
            with db.transaction(actor="cli") as tx:
                made = processes.deploy(tx, sources, handlers(), check_processes)
        except ProcessNotExecutable as refusal:  # what only their being stored together tells
            complain(refusal, settings.language)
            raise typer.Exit(REFUSED) from None
    for version in made:
        if as_json:
            typer.echo(_json({"process": version.key, "version": version.version, "digest": version.digest.hex()}))
        else:
            n, key = version.version, version.key
            say(f"{key} 第 {n} 版已部署。", f"Version {n} of {key} is deployed.", settings)


@command(app)
def export(
    choice: Choice,
    key: Annotated[str, typer.Argument(help="The process's id. 流程的 id。")],
    version: Annotated[int | None, typer.Option(help="Else the newest. 版本号。")] = None,
    *,
    diagram: Annotated[bool, typer.Option("--diagram", help="Draw it if it has no diagram. 补画流程图。")] = False,
) -> None:
    """Print the file of a deployed process, byte by byte. 导出流程。"""
    settings = choice.load()
    with database_of(settings) as dsn, opened(dsn) as db, db.transaction(actor="cli") as tx:
        found, bpmn = queries.get_definition(tx, key, version)
    typer.echo(queries.with_diagram(bpmn, found.key) if diagram else bpmn, nl=False)


def _tell(files: Sequence[Path], found: Sequence[Sequence[Problem]], language: str | None, *, as_json: bool) -> None:
    for path, problems in zip(files, found, strict=True):
        for problem in problems:
            if as_json:
                typer.echo(_json({"file": str(path), **problem.to_json()}))
            else:
                texts = [problem.message(each) for each in ([language] if language else ["zh", "en"])]
                grade = problem.to_json()["severity"]
                typer.echo(f"{path}: {grade} {problem.element} {problem.code}: {'  |  '.join(texts)}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(path=path, reason=error.strerror) from error


def _variables(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NoVariables(text=text, reason=error) from error
    if not isinstance(found, dict):
        raise NoVariables(text=text, reason=type(found).__name__)
    return found


def _results(texts: list[str]) -> dict[str, dict[str, Any]]:
    """The expressions for what an element gives, by element and variable."""
    results: dict[str, dict[str, Any]] = {}
    for text in texts:
        place, _, expression = text.partition("=")
        element, dot, name = place.strip().rpartition(".")
        if not (dot and expression):
            raise NoVariables(text=text, reason="ELEMENT.NAME=FEEL")
        try:
            results.setdefault(element, {})[name] = compile_expression(expression)
        except FeelError as error:
            raise NoVariables(text=text, reason=error) from error
    return results


def _json(document: object) -> str:
    return orjson.dumps(document, default=str).decode()
