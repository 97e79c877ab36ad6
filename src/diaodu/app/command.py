"""What all commands of the command line share: the options that choose the installation, and how refusals are told."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import psycopg
import typer
from typer.core import TyperGroup

from diaodu.app.installation import DatabaseUnreachable, place_of
from diaodu.kernel import config
from diaodu.kernel.config import Settings
from diaodu.kernel.errors import Rejected

Run = Callable[..., None]
_HELP = {
    "config": "A TOML file of settings (else ./diaodu.toml, if it is there). 配置文件。",
    "database_url": "Your own PostgreSQL, version 15 or later. 自有数据库。",
    "data_dir": "Directory of the embedded database. 内置数据库目录。",
    "language": "zh or en; both without it. 语言。",
}
_SHARED = {
    name: inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, typer.Option(help=text)]
    )
    for name, text in _HELP.items()
}
_USAGE = "命令用法有误；请加 --help 查看用法。 Wrong usage; --help tells more."


class BadInstant(Rejected):
    """400: a time that is none, or whose zone is left open."""

    code, status = "app.bad-instant", 400
    en = "{text} is no instant. Write it with its zone, such as 2026-05-01T00:00+08:00."
    zh = "{text} 不是有效的时间，请写明时区，例如 2026-05-01T00:00+08:00。"


class Choice:
    """The installation that was chosen on the command line."""

    def __init__(self, path: str | None, options: Mapping[str, str | None]) -> None:
        self._path, self._options = path, options
        language = options["language"]
        self.settings = Settings.model_construct(language=language if language in ("zh", "en") else None)

    def load(self, **options: Any) -> Settings:
        """Read and check the settings, once the command's own options are known."""
        path = Path(self._path) if self._path else None
        self.settings = config.load(path, **{**self._options, **options})
        return self.settings


def command(app: typer.Typer, name: str | None = None, *, hidden: bool = False) -> Callable[[Run], Run]:
    """Register a function as a command with the shared options; its first argument is the Choice.

    A refusal ends it with status 1 and a plain message.
    """

    def register(function: Run) -> Run:
        def run(**given: Any) -> None:
            told = {shared: given.pop(shared) for shared in _SHARED}
            choice = Choice(told.pop("config"), told)
            try:
                function(choice, **given)
            except Rejected as refusal:
                complain(refusal, choice.settings.language)
            except psycopg.OperationalError as error:
                url = choice.settings.database_url
                complain(
                    DatabaseUnreachable(database=place_of(url) if url else "(embedded)", reason=error),
                    choice.settings.language,
                )
            else:
                return
            raise typer.Exit(1)

        own = list(inspect.signature(function).parameters.values())[1:]
        signature = inspect.Signature([*own, *_SHARED.values()])
        run.__signature__ = signature  # type: ignore[attr-defined]  # what the library reads the options from
        run.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
        run.__doc__ = function.__doc__
        app.command(name or function.__name__, hidden=hidden)(run)
        return function

    return register


class Commands(TyperGroup):
    """The command line; after the library's own words on a wrong call, which are English, come ours."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Any:
        """Run a command line."""
        try:
            return super().main(args, *more, **options)
        except SystemExit as end:
            if end.code == 2:
                typer.echo(_USAGE, err=True)
            raise


def complain(refusal: Rejected, language: str | None) -> None:
    """Tell a refusal on standard error, in the language chosen or in both."""
    for each in [language] if language else ["zh", "en"]:
        typer.echo(refusal.message(each), err=True)


def print_json(document: object) -> None:
    """Print a document as JSON on standard output."""
    typer.echo(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2).decode())


def say(zh: str, en: str, settings: Settings) -> None:
    """Tell something on standard output, in the language chosen or in both."""
    typer.echo({"zh": zh, "en": en}.get(settings.language or "", f"{zh}\n{en}"))


def instant(text: str) -> datetime:
    """An instant from the command line; BadInstant without a zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadInstant(text=text)
    return moment
