"""The DMN conformance kit, where it lies beside the repository: the goals are met, the page tells the truth."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.docs.documents import ROOT, rows, text_of

from diaodu.app.tck import Report, run_kit

KIT = ROOT.parent / "shared" / "dmn-tck"
PAGE = ROOT / "docs" / "conformance.md"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
GOAL, NON_NULL_GOAL = 0.97, 0.96

pytestmark = pytest.mark.skipif(not KIT.is_dir(), reason="the DMN kit does not lie beside the repository")


@pytest.fixture(scope="module")
def report() -> Report:
    return run_kit(KIT, NOW)


def test_the_goals_are_met(report: Report) -> None:
    assert report.cases == 2471
    assert report.share >= GOAL
    assert report.non_null_share is not None
    assert report.non_null_share >= NON_NULL_GOAL


def test_the_page_names_what_fails(report: Report) -> None:
    told = {cells[0].strip("`"): int(cells[1]) for cells in rows(PAGE, "What fails")}
    assert told == {Path(name).name: failed for name, (_, failed) in report.folders.items() if failed}


def test_the_page_tells_the_figures(report: Report) -> None:
    found = re.search(
        r"^\| `diaodu tck` \| ([\d,]+) of ([\d,]+) \(.*?\) \| ([\d,]+) of ([\d,]+) \(", text_of(PAGE), re.MULTILINE
    )
    assert found is not None
    told = [int(number.replace(",", "")) for number in found.groups()]
    assert told == [report.passed, report.cases, report.non_null_passed, report.non_null]
