"""``diaodu bench``: what orders, process instances, expressions and decisions cost on this machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from diaodu.app.bench import change as bench_change
from diaodu.app.bench import engine_report, engine_soak, engine_suite, report
from diaodu.app.bench import feel as bench_feel
from diaodu.app.bench.suite import Counts, measure
from diaodu.app.command import Choice, command
from diaodu.kernel import log
from diaodu.kernel.clock import wall_clock

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Benchmarks. 性能测试。")
WIDTH = 120  # where no terminal says how wide it is


@app.callback()
def bench() -> None:
    """Benchmarks; where a database is needed, on a throw-away one. 性能测试。"""


@command(app)
def orders(
    choice: Choice,
    *,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file. 结果文件。")] = None,
    one: Annotated[int, typer.Option(min=1, help="Orders with one worker. 单进程订单数。")] = 3000,
    two: Annotated[int, typer.Option(min=1, help="Orders with two workers. 双进程订单数。")] = 4000,
    reps: Annotated[int, typer.Option(min=1, help="How often each is run. 重复次数。")] = 3,
    in_flight: Annotated[int, typer.Option(min=8, help="Orders under way; as many warm up. 在途订单数。")] = 600,
    older: Annotated[int, typer.Option(min=0, help="Older orders; 0 leaves that part out. 历史订单数。")] = 50_000,
    pairs: Annotated[int, typer.Option(min=1, help="Runs with and without older orders. 对比次数。")] = 3,
) -> None:
    """Orders per second, CPU and rows per order, and the share of what PostgreSQL can write. 订单性能。"""
    settings = choice.load(log_level="warning")
    log.configure(settings.log_level, process="bench")
    counts = Counts({1: one, 2: two}, reps, in_flight, older, pairs)
    figures = measure(counts, lambda text: typer.echo(text, err=True))
    if json is not None:
        document = report.document(figures, wall_clock())
        json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    _show(report.tables(figures), report.machine(figures.server))


@command(app)
def feel(
    choice: Choice,
    *,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file. 结果文件。")] = None,
    reps: Annotated[int, typer.Option(min=1, help="How often each is measured. 重复次数。")] = 5,
    seconds: Annotated[float, typer.Option(min=0.01, help="How long each is measured. 每次测量秒数。")] = 0.5,
) -> None:
    """Expressions and decision tables per second on one core. 表达式与决策表性能。"""
    choice.load()
    found = bench_feel.measure(reps, seconds)
    if json is not None:
        json.write_bytes(orjson.dumps(bench_feel.document(found, wall_clock()), option=orjson.OPT_INDENT_2))
    _show([bench_feel.table_of(found)])


@command(app)
def change(
    choice: Choice,
    *,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file. 结果文件。")] = None,
) -> None:
    """Orders of up to 2,000 lines, and one line of them amended again and again. 大订单分解与追单性能。"""
    settings = choice.load(log_level="warning")
    log.configure(settings.log_level, process="bench")
    found = bench_change.measure(lambda text: typer.echo(text, err=True))
    if json is not None:
        json.write_bytes(orjson.dumps(bench_change.document(found, wall_clock()), option=orjson.OPT_INDENT_2))
    _show([bench_change.table_of(found)])


@command(app)
def engine(
    choice: Choice,
    *,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file. 结果文件。")] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="SpiffWorkflow, DBOS, pgqueuer beside (from PyPI). 对比同类软件。")
    ] = False,
    growth: Annotated[bool, typer.Option("--growth", help="Beside millions who wait. 与海量待办并存。")] = False,
    waiting: Annotated[int, typer.Option(min=4_000, help="How many wait, with --growth. 待办数。")] = 5_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often all is run. 重复次数。")] = 3,
) -> None:
    """Process instances per second and CPU each, the limit, completion over HTTP. 流程引擎性能。"""
    settings = choice.load(log_level="warning")
    log.configure(settings.log_level, process="bench")
    counts = engine_suite.Counts(rounds=rounds, peers=peers, waiting=waiting if growth else 0)
    figures = engine_suite.measure(counts, lambda text: typer.echo(text, err=True))
    if json is not None:
        document = engine_report.document(figures, wall_clock())
        json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    _show(engine_report.tables(figures), report.machine(figures.server))


@command(app)
def soak(
    choice: Choice,
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long. 分钟数。")] = 30.0,
    rate: Annotated[float, typer.Option(min=1, help="Instances per second. 每秒实例数。")] = 200.0,
) -> None:
    """Latency, table and index sizes minute by minute under a steady load; status 1 when not flat. 耐久测试。"""
    settings = choice.load(log_level="warning")
    log.configure(settings.log_level, process="bench")
    if not engine_soak.soak(minutes, rate, typer.echo):
        raise typer.Exit(1)


def _show(tables: Sequence[Table], machine: Mapping[str, Any] | None = None) -> None:
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=WIDTH)
    for table in tables:
        console.print(table)
    if machine is not None:
        console.print(machine)
