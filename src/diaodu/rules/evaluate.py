"""What a version answers: its test cases run, a question explained. Pure: the version and the instant are given."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from diaodu.dmn.compile import Model, Outcome, compile_model
from diaodu.dmn.errors import DmnError
from diaodu.feel import FeelBudgetExceeded
from diaodu.feel.errors import Diagnostic
from diaodu.feel.values import kind_of
from diaodu.rules.document import answering
from diaodu.rules.errors import NotExecutable
from diaodu.rules.model import Diagnosis, TestCase, TestResult, Version
from diaodu.rules.plain import from_plain, to_plain, typed_inputs

_TEMPORAL = frozenset({"date", "time", "date and time", "days and time duration", "years and months duration"})


def compile_version(version: Version) -> Model:
    """The model of a version; NotExecutable with every problem of it."""
    try:
        return compile_model(version.definitions)
    except DmnError as error:
        raise NotExecutable(
            key=version.key, n=version.n, problems=error.message_en, problems_zh=error.message_zh
        ) from error


def answering_name(version: Version) -> str:
    """The name of the decision that answers for the key; NotExecutable when the model leaves it open."""
    decision = answering(version.definitions, version.key)
    if decision is None:
        raise NotExecutable(
            key=version.key,
            n=version.n,
            problems=f"it has several decisions, and none is named {version.key}.",
            problems_zh=f"含有多个决策，但没有名为 {version.key} 的决策。",
        )
    return decision.name


def ask(model: Model, name: str, inputs: Mapping[str, Any], now: datetime, *, explain: bool = False) -> Outcome:
    """The outcome for plain inputs; a spent budget is a null that says so."""
    try:
        return model.decide(name, typed_inputs(inputs, model.inputs(name)), now=now, explain=explain)
    except FeelBudgetExceeded as spent:
        return Outcome(None, (Diagnostic(spent.code, spent.message_en, spent.message_zh, 1, 1, name),), ())


def run_tests(version: Version, now: datetime) -> tuple[TestResult, ...]:
    """The results of all test cases; NotExecutable."""
    if not version.tests:
        return ()
    model, name = compile_version(version), answering_name(version)
    return tuple(_run_test(model, name, case, now) for case in version.tests)


def _run_test(model: Model, name: str, case: TestCase, now: datetime) -> TestResult:
    outcome = ask(model, name, case.inputs, now)
    return TestResult(
        case=case,
        passed=agrees(case.expected, outcome.value),
        actual=to_plain(outcome.value),
        diagnostics=diagnoses(outcome),
    )


def agrees(expected: Any, actual: object) -> bool:
    """Whether a FEEL value is what plain JSON asks for; a date or time may be asked for without its mark."""
    if kind_of(actual) in _TEMPORAL and isinstance(expected, str) and not expected.startswith("@"):
        return str(actual) == expected
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(map(agrees, expected, actual))
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(agrees(expected[name], actual[name]) for name in actual)
    # 1 and true are equal in Python, and not here.
    wanted = to_plain(from_plain(expected))
    found = to_plain(actual)
    return bool(isinstance(wanted, bool) == isinstance(found, bool) and wanted == found)


def diagnoses(outcome: Outcome) -> tuple[Diagnosis, ...]:
    """Why nulls came out, with the element and the place in its text."""
    return tuple(
        Diagnosis(
            d.code,
            f"{d.element} {d.line}:{d.column}: {d.message_en}".lstrip(),
            f"{d.element} {d.line}:{d.column}：{d.message_zh}".lstrip(),
        )
        for d in outcome.diagnostics
    )


def explain(version: Version, inputs: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What the version answers and why: per table what each column looked at and where each rule failed; plain JSON."""
    model, name = compile_version(version), answering_name(version)
    outcome = ask(model, name, inputs, now, explain=True)
    return {
        "key": version.key,
        "n": version.n,
        "inputs": dict(inputs),
        "output": to_plain(outcome.value),
        "tables": [table.document() for table in outcome.tables],
        "diagnostics": [d.to_json() for d in diagnoses(outcome)],
    }
