"""``diaodu tck``: cases of every kind are run and counted; bad files are failed cases, never a crash."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import CliRunner, Result

from diaodu.app.cli import app
from diaodu.app.tck import NoCases, NoDirectory, Report, run_kit
from diaodu.app.tck_values import same, value_of
from diaodu.feel import Date, DateTime, MonthsDuration, Time
from diaodu.feel.temporal_text import time_of

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
XMLNS = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
DMN = "https://www.omg.org/spec/DMN/20230324/MODEL/"
BASE = f"""<definitions xmlns="{DMN}" id="base" name="base" namespace="urn:base">
  <inputData id="i" name="n"><variable name="n" typeRef="number"/></inputData>
  <decision id="half" name="half"><variable name="half" typeRef="number"/>
    <informationRequirement><requiredInput href="#i"/></informationRequirement>
    <literalExpression><text>n / 2</text></literalExpression></decision>
</definitions>"""
MODEL = f"""<definitions xmlns="{DMN}" id="m" name="m" namespace="urn:m">
  <import name="base" namespace="urn:base" importType="{DMN}"/>
  <decision id="d" name="double half"><variable name="double half"/>
    <informationRequirement><requiredDecision href="urn:base#half"/></informationRequirement>
    <literalExpression><text>2 * base.half</text></literalExpression></decision>
  <decision id="e" name="today"><variable name="today"/>
    <literalExpression><text>today()</text></literalExpression></decision>
  <businessKnowledgeModel id="k" name="add"><variable name="add"/>
    <encapsulatedLogic><formalParameter name="a"/><formalParameter name="b"/>
      <literalExpression><text>a + b</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>
  <decisionService id="s" name="both"><variable name="both"/>
    <outputDecision href="#e"/><outputDecision href="#f"/></decisionService>
  <decision id="f" name="one"><variable name="one"/><literalExpression><text>1</text></literalExpression></decision>
</definitions>"""


def result(name: str, value: str, attributes: str = "") -> str:
    return f'<resultNode name="{name}" {attributes}><expected>{value}</expected></resultNode>'


def number(text: str) -> str:
    return f'<value xsi:type="xsd:decimal">{text}</value>'


N8 = f'<inputNode name="n" namespace="urn:base">{number("8")}</inputNode>'
NIL = '<value xsi:nil="true"/>'
ERROR = "errorResult='true'"
SOON = "<value xsi:type='xsd:date'>soon</value>"


def kit(folder: Path, *cases: str, model: str = MODEL) -> Path:
    """A folder of a kit with a model, the one it imports, and cases."""
    place = folder / "level" / "0001-some"
    place.mkdir(parents=True, exist_ok=True)
    (place / "m.dmn").write_text(model)
    (place / "base.dmn").write_text(BASE)
    inside = "".join(f'<testCase id="{n}" {case}</testCase>' for n, case in enumerate(cases, 1))
    xmlns = f'xmlns="http://www.omg.org/spec/DMN/20160719/testcase" {XMLNS}'
    (place / "test-01.xml").write_text(f"<testCases {xmlns}><modelName>m.dmn</modelName>{inside}</testCases>")
    return folder


def told(report: Report) -> list[tuple[str, str, str, str]]:
    return [(f.case, f.node, f.expected, f.actual) for f in report.failures]


def test_decisions_services_and_knowledge_models(tmp_path: Path) -> None:
    today = '<value xsi:type="xsd:date">2026-01-15</value>'
    knows = f'<inputNode name="a">{number("1")}</inputNode><inputNode name="b">{number("2")}</inputNode>'
    directory = kit(
        tmp_path,
        f">{N8}{result('double half', number('8.00'))}{result('one', number('1'))}",
        f'invocableName="both" type="decisionService">{result("today", today)}{result("one", number("1"))}',
        f'invocableName="add" type="bkm">{knows}{result("add", number("3"))}',
        f">{result('add', NIL, ERROR)}",
        f">{result('double half', NIL)}",
    )
    report = run_kit(directory, NOW)
    assert told(report) == []
    assert (report.cases, report.passed, report.failed, report.non_null) == (5, 5, 0, 3)
    assert report.non_null_share == 1
    assert report.folders == {"level/0001-some": (5, 0)}


def test_a_case_passes_only_when_all_its_results_do(tmp_path: Path) -> None:
    directory = kit(tmp_path, f">{result('one', number('1'))}{result('today', number('2'))}", ">")
    report = run_kit(directory, NOW)
    assert told(report) == [("1", "today", "2", "2026-01-15"), ("2", "", "a result", "the case expects nothing")]
    assert (report.passed, report.failed, report.non_null, report.non_null_passed) == (0, 2, 2, 0)


def test_an_error_result_wants_null(tmp_path: Path) -> None:
    directory = kit(tmp_path, f">{result('one', number('1'), ERROR)}")
    assert told(run_kit(directory, NOW)) == [("1", "one", "null", "1")]


def test_bad_files_are_failed_cases(tmp_path: Path) -> None:
    good = f">{result('one', number('1'))}"
    typed = f">{result('one', SOON)}"
    directory = kit(tmp_path, good, typed, f">{result('nobody', number('1'))}")
    place = directory / "level" / "0001-some"
    (place / "broken.xml").write_text("<testCases")
    (place / "other.xml").write_text("<project/>")
    (place / "bad.dmn").write_text("<definitions")
    cases = (place / "test-01.xml").read_text()
    (place / "test-02.xml").write_text(cases.replace("m.dmn", "bad.dmn"))
    (place / "test-03.xml").write_text(cases.replace("m.dmn", "../../../secret.dmn"))
    report = run_kit(directory, NOW)
    assert (report.cases, report.passed) == (10, 1)
    actual = [failure.actual for failure in report.failures]
    assert sum("DmnReadError" in each for each in actual) == 2
    assert sum("no model '../../../secret.dmn'" in each for each in actual) == 2
    assert sum("'soon' is no value of type xsd:date" in each for each in actual) == 3
    assert sum("DmnError" in each for each in actual) == 1
    assert sum("XMLSyntaxError" in each for each in actual) == 1


def test_a_case_that_never_ends_fails_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diaodu.app import tck
    from diaodu.feel import Budget

    monkeypatch.setattr(tck, "BUDGET", Budget(steps=2000))
    endless = MODEL.replace("today()", "count(for i in 1..100000 return for j in 1..100000 return i)")
    directory = kit(tmp_path, f">{result('today', NIL)}", f">{result('one', number('1'))}", model=endless)
    report = run_kit(directory, NOW)
    assert [failure.case for failure in report.failures] == ["1"]
    assert "FeelBudgetExceeded" in report.failures[0].actual


def test_nowhere_and_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoDirectory):
        run_kit(tmp_path / "none", NOW)
    (tmp_path / "other.xml").write_text("<project/>")
    with pytest.raises(NoCases):
        run_kit(tmp_path, NOW)


def parsed(inside: str) -> object:
    return value_of(etree.fromstring(f"<expected {XMLNS}>{inside}</expected>"))


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ("<value>a </value>", "a "),
        ('<value xsi:type="xsd:string"/>', ""),
        ('<value xsi:type="xsd:decimal"> 1.50 </value>', Decimal("1.5")),
        ('<value xsi:type="xsd:double">1e3</value>', Decimal(1000)),
        ('<value xsi:type="xsd:boolean">true</value>', True),
        ('<value xsi:type="xsd:date">2026-01-15</value>', Date(2026, 1, 15)),
        ('<value xsi:type="xsd:time">10:00:00Z</value>', Time(36_000_000_000_000, 0)),
        (
            '<value xsi:type="xsd:dateTime">2026-01-15T10:00:00</value>',
            DateTime(Date(2026, 1, 15), Time(36_000_000_000_000)),
        ),
        ('<value xsi:type="xsd:duration">P1Y2M</value>', MonthsDuration(14)),
        ('<value xsi:nil="true"/>', None),
        ("", None),
        ("<list/>", []),
        ('<list xsi:nil="true"/>', None),
        ("<list><item><value>a</value></item><item><list/></item></list>", ["a", []]),
        (
            '<component name="a"><component name="b"><value>x</value></component></component><component name="c"/>',
            {"a": {"b": "x"}, "c": None},
        ),
    ],
)
def test_typed_values(xml: str, value: object) -> None:
    found = parsed(xml)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["1,5", "NaN", "INF", ""])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no value of type"):
        parsed(number(text))


@pytest.mark.parametrize(
    ("actual", "expected", "wanted"),
    [
        (Decimal("0.333333333333"), Decimal("0.3333333"), False),
        (Decimal("0.3333333333"), Decimal("0.3333333331"), True),
        (Decimal(0), Decimal("1e-12"), False),
        (1, Decimal(1), True),
        ("1", Decimal(1), False),
        (True, Decimal(1), False),
        (None, "", False),
        ([Decimal(1)], [Decimal(1), Decimal(2)], False),
        ([Decimal(1)], Decimal(1), False),
        ({"a": Decimal(1)}, {"a": Decimal(1)}, True),
        ({"a": Decimal(1), "b": None}, {"a": Decimal(1)}, False),
        (time_of("10:00:00@Etc/UTC"), time_of("10:00:00Z"), True),
        (time_of("11:00:00+01:00"), time_of("10:00:00Z"), False),
        (time_of("10:00:00"), time_of("10:00:00Z"), False),
        (time_of("10:00:00.5"), time_of("10:00:00"), False),
        (Date(2026, 1, 15), DateTime(Date(2026, 1, 15), Time(0)), False),
    ],
)
def test_when_a_result_is_as_expected(actual: object, expected: object, *, wanted: bool) -> None:
    assert same(actual, expected) is wanted


def call(*words: str) -> Result:
    return CliRunner().invoke(app, ["tck", *words])


def test_the_command_prints_counts_and_writes_them(tmp_path: Path) -> None:
    directory = kit(tmp_path, f">{result('one', number('1'))}", f">{result('one', number('2'))}")
    figures = tmp_path / "figures.json"
    ran = call(str(directory), "--json", str(figures), "-v")
    assert ran.exit_code == 0, ran.output
    assert ran.output.splitlines() == [
        "level/0001-some/test-01.xml 2 one: expected 2, got 1",
        "通过 1，失败 1，共 2（50.00%）；非空用例通过率 50.00%",
        "passed 1, failed 1 of 2 (50.00%); of the cases with a value other than null 50.00% passed",
    ]
    document = json.loads(figures.read_text())
    assert (document["passed"], document["failed"], document["non_null_share"]) == (1, 1, 0.5)
    assert document["failures"] == [
        {"file": "level/0001-some/test-01.xml", "case": "2", "node": "one", "expected": "2", "actual": "1"}
    ]


@pytest.mark.parametrize(
    ("name", "zh", "en"),
    [("none", "不存在。", "There is no directory"), ("", "下没有 DMN 测试用例。", "There are no DMN test cases below")],
)
def test_the_command_refuses_plainly(tmp_path: Path, name: str, zh: str, en: str) -> None:
    ran = call(str(tmp_path / name))
    assert ran.exit_code == 2
    assert zh in ran.output
    assert en in ran.output
