"""``diaodu catalogue``: what stands in the catalogue, and changes to it; each change is a new release."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from diaodu.app.command import Choice, command, instant, print_json, say
from diaodu.app.installation import database_of, opened
from diaodu.catalog import commands, queries
from diaodu.catalog.errors import EntryUnknown
from diaodu.kernel.errors import Rejected

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="The catalogue. 产品目录。")
Section = Annotated[str, typer.Argument(help="audit, decomposition, effects, offerings, policies, work, … 分区。")]
EntryId = Annotated[str, typer.Argument(help="The id of the entry. 条目编号。")]
When = Annotated[str | None, typer.Option(help="From when on, with zone; else now. 生效时间。")]


class EntryUnreadable(Rejected):
    """400: what is to stand in the catalogue is no JSON or YAML."""

    code, status = "app.entry-unreadable", 400
    en = "{source} cannot be read as JSON or YAML: {reason}"
    zh = "无法将 {source} 解析为 JSON 或 YAML：{reason}"


@command(app)
def releases(choice: Choice) -> None:
    """List the releases, the newest first. 目录版本。"""
    with database_of(choice.load()) as dsn, opened(dsn) as db, db.transaction(actor="cli") as tx:
        print_json([r.to_json() for r in queries.releases(tx)])


@command(app)
def show(
    choice: Choice,
    section: Section,
    entry: Annotated[str | None, typer.Argument(help="Only this entry. 仅此条目。")] = None,
) -> None:
    """Print a section of the catalogue in effect, or one entry of it. 查看目录。"""
    with database_of(choice.load()) as dsn, opened(dsn) as db, db.transaction(actor="cli") as tx:
        found = queries.section(tx, section, tx.now)
    if entry is not None and entry not in found:
        raise EntryUnknown(section=section, id=entry)
    print_json(found if entry is None else found[entry])


@command(app, "set")
def set_entry(
    choice: Choice,
    section: Section,
    entry: EntryId,
    value: Annotated[str, typer.Argument(help="A file of JSON or YAML; - reads standard input; a policy's own text.")],
    at: When = None,
) -> None:
    """Add or replace an entry: orders captured from then on follow it. 修改目录。"""
    settings = choice.load()
    content = value if section in queries.TABLES else {**_read(value), "id": entry}
    with database_of(settings) as dsn, opened(dsn) as db, db.transaction(actor="cli") as tx:
        release = commands.put_entry(tx, section, entry, content, effective_at=instant(at) if at else None)
    say(f"已发布，产品目录第 {release} 版。", f"Published as release {release}.", settings)


@command(app)
def remove(choice: Choice, section: Section, entry: EntryId, at: When = None) -> None:
    """Take an entry out: orders captured from then on are made without it. 删除目录条目。"""
    settings = choice.load()
    with database_of(settings) as dsn, opened(dsn) as db, db.transaction(actor="cli") as tx:
        release = commands.remove_entry(tx, section, entry, effective_at=instant(at) if at else None)
    say(f"已发布，产品目录第 {release} 版。", f"Published as release {release}.", settings)


def _read(source: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes())
    except (OSError, yaml.YAMLError) as error:
        raise EntryUnreadable(source=source, reason=error) from error
    if not isinstance(content, dict):
        raise EntryUnreadable(source=source, reason=f"{type(content).__name__} is no mapping")
    return content
