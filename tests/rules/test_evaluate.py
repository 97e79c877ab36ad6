"""What a version answers, and why."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.rules.example import KEY, TESTS, limits, rules

from diaodu.dmn.model import Definitions
from diaodu.dmn.write import write_definitions
from diaodu.rules import cases
from diaodu.rules.errors import NotExecutable
from diaodu.rules.evaluate import explain, run_tests
from diaodu.rules.model import State, Version


def version(now: datetime, definitions: Definitions, tests: Any = ()) -> Version:
    return Version(
        key=KEY,
        n=3,
        state=State.DRAFT,
        document=write_definitions(definitions),
        tests=cases.from_json(list(tests)),
        note="",
        digest="",
        saved_by="test",
        saved_at=now,
    )


def test_test_cases_pass_or_fail_with_what_came_out(now: datetime) -> None:
    wrong = {"name": "错", "inputs": {"级别": "五星", "农村": True}, "expected": 24}
    passed, other, failed = run_tests(version(now, limits(), [*TESTS, wrong]), now)
    assert (passed.passed, other.passed) == (True, True)
    assert failed.to_json() == {
        "name": "错", "passed": False, "inputs": wrong["inputs"], "expected": 24, "actual": 36, "diagnostics": [],
    }  # fmt: skip


def test_a_null_is_told_with_its_reason(now: datetime) -> None:
    asked = {"name": "无级别", "inputs": {"农村": True}, "expected": 24}
    (result,) = run_tests(version(now, limits(), [asked]), now)
    assert (result.passed, result.actual) == (False, None)
    assert [d.code for d in result.diagnostics][:1] == ["missing-input"]
    assert "级别" in result.diagnostics[0].zh
    assert "级别" in result.diagnostics[0].en


def test_an_explanation_tells_which_rule_fired_and_which_cell_kept_the_others_from_it(now: datetime) -> None:
    told = explain(version(now, limits()), {"级别": "四星", "农村": True}, now)
    assert (told["key"], told["n"], told["output"], told["diagnostics"]) == (KEY, 3, 72, [])
    (table,) = told["tables"]
    assert [i["value"] for i in table["inputs"]] == ["四星", True]
    assert table["gave"] == [4]
    assert [(r["number"], r["matched"], r.get("failed", {}).get("column")) for r in table["rules"]] == [
        (1, False, 1), (2, False, 1), (3, False, 2), (4, True, None),
    ]  # fmt: skip
    assert table["rules"][2]["failed"] == {"column": 2, "cell": "false", "value": True}


def test_dates_are_typed_by_the_model_or_by_their_mark(now: datetime) -> None:
    dated = limits(
        inputs=[{"expression": "日期", "type": "date"}],
        rules=[{"when": ['>= @"2026-05-01"'], "then": ['@"P1D"']}, {"when": ['< @"2026-05-01"'], "then": ['@"P2D"']}],
        outputs=[{"type": "days and time duration"}],
    )
    for text in ("2026-05-01", '@"2026-05-01"'):
        assert explain(version(now, dated), {"日期": text}, now)["output"] == '@"P1D"'


def test_an_expression_that_never_ends_is_a_null_that_says_so(now: datetime) -> None:
    endless = limits(rules=rules(("-", "-", "count(for i in 1..1000000000 return i)")))
    told = explain(version(now, endless), {"级别": "五星", "农村": True}, now)
    assert told["output"] is None
    assert told["diagnostics"][0]["code"] in {"items", "steps", "time", "memory"}


def test_a_model_that_leaves_its_answer_open_is_not_executable(now: datetime) -> None:
    decision = limits().decisions[0]
    two = replace(decision, id="one", name="甲"), replace(decision, id="two", name="乙")
    with pytest.raises(NotExecutable) as refused:
        explain(version(now, replace(limits(), decisions=two)), {}, now)
    assert "none is named 订单时限" in refused.value.message("en")


def test_a_model_whose_references_lead_nowhere_names_every_problem(now: datetime) -> None:
    broken = replace(limits().decisions[0], required_decisions=("#nowhere", "#elsewhere"))
    with pytest.raises(NotExecutable) as refused:
        run_tests(version(now, replace(limits(), decisions=(broken,)), TESTS), now)
    assert "nowhere" in refused.value.message("zh")
    assert "elsewhere" in refused.value.message("zh")
