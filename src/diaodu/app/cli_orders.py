"""``diaodu order``: send an order, look at one, follow what happened to it."""

import sys
from pathlib import Path
from typing import Annotated

import httpx
import orjson
import typer

from diaodu.app.command import Choice, command, print_json, say
from diaodu.app.installation import database_of, opened
from diaodu.fulfilment import commands as fulfilment
from diaodu.fulfilment.timeline import timeline
from diaodu.kernel.errors import Rejected
from diaodu.ordering.tmf import BASE, render_order

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Orders. 订单。")
TIMEOUT_S = 30
OrderId = Annotated[int, typer.Argument(help="The order's id. 订单编号。")]


class OrderUnreadable(Rejected):
    """400: what is to be sent is no JSON."""

    code, status = "app.order-unreadable", 400
    en = "{source} cannot be read as JSON: {reason}"
    zh = "无法将 {source} 解析为 JSON：{reason}"


class ServerUnreachable(Rejected):
    """503: nobody answers at the URL."""

    code, status = "app.server-unreachable", 503
    en = "The server at {url} does not answer: {reason}\nIs 'diaodu serve' running? --url names another one."
    zh = "服务 {url} 无应答：{reason}\n请确认 diaodu serve 已启动，或用 --url 指定地址。"


class OrderRefused(Rejected):
    """409: the server's own words."""

    code, status = "app.order-refused", 409
    en = "The server refused the order (HTTP {http}): {reason}"
    zh = "服务端拒绝了该订单（HTTP {http}）：{reason}"


@command(app)
def submit(
    choice: Choice,
    file: Annotated[str, typer.Argument(help="A TMF622 productOrder as JSON; - reads standard input.")],
    url: Annotated[str | None, typer.Option(envvar="DIAODU_URL", help="The server. 服务地址。")] = None,
    token: Annotated[str, typer.Option(envvar="DIAODU_TOKEN", help="An API token. 接口令牌。")] = "",
) -> None:
    """Send an order to a running server and print its answer. 提交订单。"""
    settings = choice.load()
    base = (url or settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": settings.language or "zh"}
    body = _read(file)
    try:
        with httpx.Client(trust_env=False, timeout=TIMEOUT_S) as client:
            reply = client.post(
                f"{base}{BASE}/productOrder", content=body, headers={**headers, "Content-Type": "application/json"}
            )
    except (httpx.TransportError, httpx.InvalidURL, UnicodeError) as error:
        raise ServerUnreachable(url=base, reason=str(error) or type(error).__name__) from error
    if not reply.is_success:
        raise OrderRefused(http=reply.status_code, reason=reply.text)
    print_json(reply.json())


@command(app)
def show(choice: Choice, order: OrderId) -> None:
    """Print an order as TMF622 JSON, read from the database. 查看订单。"""
    with database_of(choice.load()) as dsn, opened(dsn) as db, db.transaction(actor="cli") as tx:
        print_json(render_order(tx, order))


@command(app)
def trace(choice: Choice, order: OrderId) -> None:
    """Tell what happened to an order, line by line, from its history. 订单轨迹。"""
    settings = choice.load()
    with database_of(settings) as dsn, opened(dsn) as db, db.transaction(actor="cli") as tx:
        for moment in timeline(tx, order):
            text = {"zh": moment.zh, "en": moment.en}.get(settings.language or "", f"{moment.zh}  |  {moment.en}")
            typer.echo(f"{moment.at.astimezone():%Y-%m-%d %H:%M:%S}  {moment.actor}  {text}")


@command(app)
def retry(
    choice: Choice,
    order: OrderId,
    only: Annotated[list[int] | None, typer.Argument(help="Only these effects or incidents. 仅重做这些项。")] = None,
) -> None:
    """Have everything that failed in an order done again, once the causes are mended. 重做失败项。"""
    settings = choice.load()
    with database_of(settings) as dsn, opened(dsn) as db, db.transaction(actor="cli") as tx:
        count = fulfilment.retry_order(tx, order, "cli", only or ())
    say(f"已安排重做 {count} 项。", f"{count} will be done again.", settings)


def _read(file: str) -> bytes:
    try:
        body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        orjson.loads(body)
    except OSError as error:
        raise OrderUnreadable(source=file, reason=error.strerror) from error
    except orjson.JSONDecodeError as error:
        raise OrderUnreadable(source=file, reason=error) from error
    return body
