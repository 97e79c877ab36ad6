"""``diaodu tck``: how many cases of the DMN conformance kit pass."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from diaodu.app.command import Choice, complain, say
from diaodu.app.tck import NoCases, NoDirectory, Report, run_kit
from diaodu.kernel.clock import wall_clock


def tck(
    choice: Choice,
    directory: Annotated[Path, typer.Argument(help="Where the test cases and their models are. 用例目录。")],
    *,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file. 结果文件。")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List what failed. 列出失败用例。")] = False,
) -> None:
    """Run the DMN conformance cases below a directory; the status is 0 also when some fail. DMN 一致性测试。"""
    settings = choice.load()
    try:
        report = run_kit(directory, wall_clock())
    except (NoDirectory, NoCases) as refusal:
        complain(refusal, settings.language)
        raise typer.Exit(2) from None
    if verbose:
        _list(report)
    share = "–" if report.non_null_share is None else f"{report.non_null_share:.2%}"
    say(
        f"通过 {report.passed}，失败 {report.failed}，共 {report.cases}（{report.share:.2%}）；非空用例通过率 {share}",
        f"passed {report.passed}, failed {report.failed} of {report.cases} ({report.share:.2%}); "
        f"of the cases with a value other than null {share} passed",
        settings,
    )
    if json is not None:
        json.write_bytes(orjson.dumps(report.document(), option=orjson.OPT_INDENT_2))


def _list(report: Report) -> None:
    for each in report.failures:
        typer.echo(f"{each.file} {each.case} {each.node}: expected {each.expected}, got {each.actual}")
