"""``diaodu fallout``: what failed and needs somebody, and what is done about it."""

from contextlib import suppress
from typing import Annotated, Any

import orjson
import typer

from diaodu.app.command import Choice, command, print_json, say
from diaodu.app.installation import database_of, opened
from diaodu.fulfilment import fallout_bulk as bulk
from diaodu.fulfilment import fallout_commands as commands
from diaodu.fulfilment import fallout_store as store
from diaodu.fulfilment.fallout_model import Evidence
from diaodu.provisioning import commands as provisioning
from diaodu.tmf.operation import shown

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Fallout. 异常。")
ACTOR = "cli"
LIST_MAX = 500
FalloutId = Annotated[int, typer.Argument(help="Of the effect or incident that failed. 异常编号。")]


@command(app, "list")
def list_command(
    choice: Choice,
    *,
    cause: Annotated[str | None, typer.Option(help="Only of this cause. 仅此原因。")] = None,
    order: Annotated[int | None, typer.Option(help="Only of this order. 仅此订单。")] = None,
    causes: Annotated[bool, typer.Option("--causes", help="Counted by cause and element. 按原因汇总。")] = False,
) -> None:
    """List what needs somebody, the most urgent first. 待处理异常。"""
    with database_of(choice.load()) as dsn, opened(dsn) as db, db.transaction(actor=ACTOR) as tx:
        if causes:
            print_json(shown(store.same_causes(tx, None)))
        else:
            print_json(shown(store.search(tx, store.Search(cause=cause, order_id=order), LIST_MAX)))


@command(app)
def show(choice: Choice, fallout: FalloutId) -> None:
    """Print one of them. 查看异常。"""
    with database_of(choice.load()) as dsn, opened(dsn) as db, db.transaction(actor=ACTOR) as tx:
        print_json(shown(store.get(tx, fallout)))


@command(app)
def retry(choice: Choice, fallout: FalloutId) -> None:
    """Have it done again at once. 重做。"""
    settings = choice.load()
    with database_of(settings) as dsn, opened(dsn) as db, db.transaction(actor=ACTOR) as tx:
        commands.retry(tx, fallout, ACTOR)
    say("已安排重做。", "It will be done again.", settings)


@command(app)
def done(
    choice: Choice,
    fallout: FalloutId,
    evidence: Annotated[str, typer.Argument(help="What shows that it was done by hand. 证据。")],
    result: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE of its form. 回单字段。")] = None,
) -> None:
    """Say that it was done by hand: the ledger gets the fact. 人工完成。"""
    settings = choice.load()
    fields = dict(_field(text) for text in result or ())
    with database_of(settings) as dsn, opened(dsn) as db, db.transaction(actor=ACTOR) as tx:
        commands.done_by_hand(tx, fallout, ACTOR, Evidence(evidence), fields)
    say("已登记为人工完成。", "It stands in the ledger as done by hand.", settings)


@command(app, "resume")
def resume(
    choice: Choice,
    cause: Annotated[str, typer.Argument(help="The code of the cause that is mended. 已排除的原因。")],
    *,
    element: Annotated[str | None, typer.Option(help="Only at this element. 仅此网元。")] = None,
    per_second: Annotated[float, typer.Option(help="How many a second. 每秒条数。")] = 10,
    digest: Annotated[str | None, typer.Option(help="Confirms what was looked at. 预览摘要。")] = None,
    number: Annotated[int | None, typer.Option("--id", help="Of the operation that was looked at. 批量编号。")] = None,
) -> None:
    """Look at all that failed for one cause; with --id and --digest have it done again. 同因批量恢复。"""
    with database_of(choice.load()) as dsn, opened(dsn) as db, db.transaction(actor=ACTOR) as tx:
        if number is not None:
            print_json(shown(bulk.confirm(tx, number, digest or "", ACTOR)))
            return
        terms = bulk.Terms(cause, element, "cli", per_second, bulk.STOP_SHARE, bulk.STOP_LEAST)
        print_json(shown(bulk.preview(tx, terms, ACTOR)))


@command(app)
def system(
    choice: Choice,
    name: Annotated[str, typer.Argument(help="What its elements begin with: olt, aaa, … 系统。")],
    *,
    queryable: Annotated[bool, typer.Option(help="It tells what became of a key. 可查询。")] = True,
    idempotent: Annotated[bool, typer.Option(help="A key sent twice is carried out once. 幂等。")] = True,
) -> None:
    """Tell how a system may be spoken to when an answer is lost. 外部系统特性。"""
    settings = choice.load()
    with database_of(settings) as dsn, opened(dsn) as db, db.transaction(actor=ACTOR) as tx:
        provisioning.set_manner(tx, name, queryable=queryable, idempotent=idempotent)
    say("已设置。", "Set.", settings)


def _field(text: str) -> tuple[str, Any]:
    """A field of a form; its value is JSON, or else text."""
    name, _, value = text.partition("=")
    with suppress(orjson.JSONDecodeError):
        return name, orjson.loads(value)
    return name, value
