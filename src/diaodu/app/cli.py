"""The command line ``diaodu``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from diaodu.app import cli_catalogue, cli_fallout, cli_orders, cli_process, cli_rules, cli_tck
from diaodu.app.bench import cli as cli_bench
from diaodu.app.command import Choice, Commands, command, say
from diaodu.app.doctor import examine
from diaodu.app.installation import check_server, database_of, example_operator, initialise, opened
from diaodu.app.invariants import check_all
from diaodu.app.operator import install
from diaodu.app.processes import end_on_signals
from diaodu.app.proof import prove
from diaodu.app.proof_change.prove import CHANGE_SHARE, prove_change
from diaodu.app.proof_feel import FEEL_SHARE, prove_feel
from diaodu.app.proof_record import Proof
from diaodu.app.scratch import Scratch, announce, serve_scratch
from diaodu.app.serve import run_web, serve
from diaodu.app.tour import Tour
from diaodu.app.workers import ROLES, run_worker
from diaodu.kernel import log
from diaodu.migrations import migrate as migrate_database
from diaodu.organization.commands import issue_token
from diaodu.organization.queries import find_person

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help=__doc__,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_orders.app, name="order")
app.add_typer(cli_fallout.app, name="fallout")
app.add_typer(cli_catalogue.app, name="catalogue")
app.add_typer(cli_rules.app, name="rule")
app.add_typer(cli_process.app, name="process")
app.add_typer(cli_bench.app, name="bench")
command(app)(cli_tck.tck)


@command(app)
def init(
    choice: Choice,
    parts: Annotated[int | None, typer.Option(help="Partitions of orders, fixed for ever. 订单分区数。")] = None,
) -> None:
    """Make an installation: database, schema, first administrator's token (shown once). 初始化。"""
    settings = choice.load(parts=parts)
    with database_of(settings, create=True) as dsn:
        token = initialise(dsn, parts=settings.parts)
    if token is None:
        say("已初始化过，数据库结构已是最新。", "It was initialised already; the schema is up to date.", settings)
        return
    say("初始化完成。管理员令牌（仅显示这一次）：", "Initialised. The administrator's token, shown only now:", settings)
    typer.echo(token)


@command(app)
def migrate(choice: Choice) -> None:
    """Bring the schema to this version. 升级数据库结构。"""
    settings = choice.load()
    with database_of(settings) as dsn:
        check_server(dsn)
        migrate_database(dsn, parts=settings.parts)
    say("数据库结构已是最新。", "The schema is up to date.", settings)


@command(app)
def load(
    choice: Choice,
    directory: Annotated[Path | None, typer.Argument(help="An operator's directory; else the demonstration.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another one gives another province. 随机种子。")] = None,
) -> None:
    """Load an operator: organisation, addresses, network, customers, catalogue, processes. 装载运营商。"""
    settings = choice.load()
    source = directory or example_operator()
    if not (source / "operator.yaml").is_file():
        raise typer.BadParameter(f"{source}: no operator.yaml")
    with database_of(settings) as dsn, opened(dsn) as db:
        release = install(
            db,
            source,
            network=settings.data_dir.absolute() / "simulators",
            seed=seed,
            progress=lambda what, rows: typer.echo(f"{what}: {rows}", err=True),
        )
    say(f"装载完成，产品目录第 {release} 版。", f"Loaded; the catalogue is release {release}.", settings)


@command(app, "serve")
def serve_command(
    choice: Choice,
    *,
    scratch: Annotated[bool, typer.Option("--scratch", help="On a throw-away database. 临时数据库。")] = False,
    empty: Annotated[bool, typer.Option("--empty", help="With --scratch: no operator in it. 空库。")] = False,
    workers: Annotated[int | None, typer.Option(help="Worker processes. 工作进程数。")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. 监听地址。")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 = any free one. 监听端口。")] = None,
) -> None:
    """Run the web server, the workers and the simulators until told to end. 启动服务。"""
    settings = choice.load(workers=workers, host=host, port=0 if scratch and port is None else port)
    if empty and not scratch:
        raise typer.BadParameter("--empty needs --scratch")
    log.configure(settings.log_level, process="serve")
    end_on_signals()
    if scratch:
        serve_scratch(settings, announce, empty=empty)
        return
    with database_of(settings) as dsn:

        def ready(url: str) -> None:
            say(f"服务已就绪：{url}", f"Ready at {url}", settings)

        serve(settings, dsn, settings.data_dir.absolute() / "simulators", ready)


@command(app)
def worker(
    choice: Choice,
    roles: Annotated[str, typer.Option(help="What it does, separated by commas. 角色。")] = ",".join(ROLES),
) -> None:
    """Run one worker process until told to end; `serve` starts as many as it is told. 工作进程。"""
    settings = choice.load()
    log.configure(settings.log_level, process="worker")
    with database_of(settings) as dsn:
        run_worker(settings, dsn, [r.strip() for r in roles.split(",") if r.strip()])


@command(app, hidden=True)
def web(choice: Choice, fd: Annotated[int, typer.Option(help="The listening socket.")]) -> None:
    """Answer HTTP requests on a socket inherited from `serve`."""
    settings = choice.load()
    log.configure(settings.log_level, process="web")
    with database_of(settings) as dsn:
        run_web(settings, dsn, fd)


@command(app)
def token(
    choice: Choice,
    name: Annotated[str, typer.Argument(help="Whose it is, for the history. 名称。")],
    scopes: Annotated[str, typer.Option(help="For example ordering:write,workforce:read. 权限。")] = "admin",
    person: Annotated[str | None, typer.Option(help="Code of the person who acts with it. 人员编号。")] = None,
) -> None:
    """Make an API token; it is shown once. 签发接口令牌。"""
    settings = choice.load()
    with database_of(settings) as dsn, opened(dsn) as db, db.transaction(actor="cli") as tx:
        person_id = find_person(tx, person).id if person else None
        text = issue_token(tx, name, [s.strip() for s in scopes.split(",") if s.strip()], person_id)
    typer.echo(text)


@command(app)
def doctor(
    choice: Choice,
    invariants: Annotated[bool, typer.Option("--invariants", help="Check the data itself. 检查数据不变式。")] = False,
) -> None:
    """Say what is wrong with the installation; status 1 if something is. 体检。"""
    settings = choice.load()
    wrong = 0
    if invariants:
        with database_of(settings) as dsn, opened(dsn) as db:
            for check in check_all(db):
                wrong += len(check.violations)
                typer.echo(check.line())
                for violation in check.violations:
                    typer.echo(f"  {violation}")
    else:
        for finding in examine(settings):
            wrong += not finding.ok
            zh, en = ("正常", "ok ") if finding.ok else ("异常", "BAD")
            say(f"{zh}  {finding.zh}", f"{en}  {finding.en}", settings)
    raise typer.Exit(1 if wrong else 0)


@command(app)
def demo(
    choice: Choice,
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the orders. 演示完即结束。")] = False,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 = any free one. 监听端口。")] = None,
) -> None:
    """Take the example orders through the whole flow on a throw-away database, then stay up. 演示。"""
    settings = choice.load(port=port, log_level="warning")
    log.configure(settings.log_level, process="demo")
    end_on_signals()

    def tour(scratch: Scratch) -> None:
        with opened(scratch.database_url) as db:
            arrived = Tour(db, scratch.url, scratch.token, example_operator(), Console()).run()
        if once:
            raise typer.Exit(0 if arrived else 1)
        say(
            f"服务运行中：{scratch.url}（Ctrl-C 结束）", f"The server is up at {scratch.url} (Ctrl-C ends it)", settings
        )
        typer.echo(
            f"DIAODU_URL={scratch.url} DIAODU_TOKEN={scratch.token} DIAODU_DATABASE_URL='{scratch.database_url}'"
        )

    serve_scratch(settings, tour)


@command(app)
def proof(
    choice: Choice,
    minutes: Annotated[float, typer.Option(help="How long. 时长（分钟）。")] = 10,
    seed: Annotated[int, typer.Option(help="Of the first round. 首轮种子。")] = 1,
    record: Annotated[Path, typer.Option(help="Where a line is added. 记录文件。")] = Path("docs/proof.md"),
    of: Annotated[Proof, typer.Option(help="Only this part. 只做其中一部分。")] = Proof.ALL,
) -> None:
    """Kill processes under load, throw every event at orders, feed FEEL random input. 故障、事件与随机输入验证。"""
    choice.load()
    log.configure("warning", process="proof")
    console, whole = Console(stderr=True), True
    if of in (Proof.FEEL, Proof.ALL):
        whole = prove_feel(minutes * (1 if of is Proof.FEEL else FEEL_SHARE), record, console)
    if of in (Proof.CHANGE, Proof.ALL):
        whole = prove_change(minutes * (1 if of is Proof.CHANGE else CHANGE_SHARE), record, console) and whole
    if of in (Proof.KILLS, Proof.ALL):
        left = 1 if of is Proof.KILLS else 1 - FEEL_SHARE - CHANGE_SHARE
        whole = prove(minutes * left, seed, record, console) and whole
    raise typer.Exit(0 if whole else 1)


if __name__ == "__main__":
    app()
