"""``diaodu tck``: the cases of the DMN conformance kit's layout, run and counted.

A case is a `testCase` of a `testCases` file; the model it names lies beside it, and imports are resolved by namespace
among the models of the folder. It passes when every one of its results is as expected.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lxml import etree

from diaodu.app.tck_values import is_element, same, value_of
from diaodu.dmn.compile import Model, compile_model
from diaodu.dmn.model import Decision, Definitions, InputData
from diaodu.dmn.read import read_definitions
from diaodu.feel import Budget
from diaodu.feel.text import text_of
from diaodu.kernel.errors import Rejected

# Far more than any sensible decision needs; a case that never ends fails, and the run goes on.
BUDGET = Budget(steps=20_000_000, items=5_000_000, milliseconds=10_000)
MAX_BYTES = 64 * 1024 * 1024
Element = Any  # lxml's element; its stubs make attribute access noisier than it is worth


class NoCases(Rejected):
    """There is nothing to run below a directory."""

    code = "app.no-test-cases"
    en = "There are no DMN test cases below {directory}."
    zh = "{directory} 下没有 DMN 测试用例。"


class NoDirectory(Rejected):
    """The directory of the cases is not there."""

    code = "app.no-directory"
    en = "There is no directory {directory}."
    zh = "目录 {directory} 不存在。"


@dataclass(frozen=True, slots=True)
class Failure:
    """A result that is not as expected, or why there is none; values as text."""

    file: str
    case: str
    node: str
    expected: str
    actual: str


@dataclass(slots=True)
class Report:
    """What came of a run; `folders` gives passed and failed cases by folder."""

    cases: int = 0
    passed: int = 0
    non_null: int = 0
    non_null_passed: int = 0
    folders: dict[str, tuple[int, int]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return self.cases - self.passed

    @property
    def share(self) -> float:
        return self.passed / self.cases

    @property
    def non_null_share(self) -> float | None:
        """The share that passed of the cases that expect some value other than null; None without such cases."""
        return self.non_null_passed / self.non_null if self.non_null else None

    def add(self, folder: str, failures: list[Failure], *, non_null: bool) -> None:
        """Count a case."""
        passed = not failures
        self.cases += 1
        self.passed += passed
        self.non_null += non_null
        self.non_null_passed += passed and non_null
        good, bad = self.folders.get(folder, (0, 0))
        self.folders[folder] = (good + passed, bad + (not passed))
        self.failures += failures

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "cases": self.cases,
            "passed": self.passed,
            "failed": self.failed,
            "share": self.share,
            "non_null_cases": self.non_null,
            "non_null_passed": self.non_null_passed,
            "non_null_share": self.non_null_share,
            "folders": {name: {"passed": good, "failed": bad} for name, (good, bad) in self.folders.items()},
            "failures": [
                {"file": f.file, "case": f.case, "node": f.node, "expected": f.expected, "actual": f.actual}
                for f in self.failures
            ],
        }


def run_kit(directory: Path, now: datetime) -> Report:
    """Run every case below a directory. Raises NoDirectory or NoCases; a file that cannot be read is a failed case."""
    if not directory.is_dir():
        raise NoDirectory(directory=directory)
    report = Report()
    for folder in sorted({path.parent for path in directory.rglob("*.xml")}):
        models = _Models(folder)
        for path in sorted(folder.glob("*.xml")):
            _run_file(path, str(path.relative_to(directory)), models, now, report)
    if not report.cases:
        raise NoCases(directory=directory)
    return report


def _run_file(path: Path, name: str, models: "_Models", now: datetime, report: Report) -> None:
    folder = str(Path(name).parent)
    try:
        root = _parse(path)
    except (OSError, ValueError, etree.XMLSyntaxError) as error:
        report.add(folder, [Failure(name, "", "", "test cases", _told(error))], non_null=True)
        return
    if not is_element(root, "testCases"):
        return
    model_name = (root.findtext("{*}modelName") or "").strip()
    for element in root.iterchildren("{*}testCase"):
        case = _Case(element, name, models, model_name, now)
        failures = list(case.failures())
        report.add(folder, failures, non_null=case.non_null)


def _parse(path: Path) -> Element:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    return etree.fromstring(path.read_bytes(), parser)


class _Models:
    """The models of a folder, read and compiled when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, Definitions | Exception] | None = None
        self._compiled: dict[str, Model | Exception] = {}

    def model(self, name: str) -> Model:
        """The compiled model of a file; raises what reading or compiling it raised."""
        if name not in self._compiled:
            self._compiled[name] = _caught(self._compile, name)
        found = self._compiled[name]
        if isinstance(found, Exception):
            raise found
        return found

    def _compile(self, name: str) -> Model:
        if self._read is None:
            paths = sorted(self._folder.glob("*.dmn"))
            self._read = {path.name: _caught(_read, path) for path in paths}
        own = self._read.get(name)
        if own is None:
            raise LookupError(f"no model {name!r} beside the test cases")
        if isinstance(own, Exception):
            raise own
        others = (each for each in self._read.values() if isinstance(each, Definitions) and each is not own)
        return compile_model(own, {each.namespace: each for each in others})


def _caught(make: Callable[..., Any], *arguments: object) -> Any:
    """What it gives, or the error that it raises."""
    try:
        return make(*arguments)
    except Exception as error:  # noqa: BLE001 - a run reports what a model does to it, whatever that is
        return error


def _read(path: Path) -> Definitions:
    return read_definitions(path.read_bytes())


class _Case:
    def __init__(self, element: Element, file: str, models: _Models, model_name: str, now: datetime) -> None:
        self._element, self._file, self._now = element, file, now
        self._models, self._model_name = models, model_name
        self._results = list(element.iterchildren("{*}resultNode"))
        self._expected = [_caught(_expected, node) for node in self._results]
        self.non_null = any(value is not None for value in self._expected) or not self._results

    def failures(self) -> Iterator[Failure]:
        """The results that are not as expected; none when the case passes."""
        if not self._results:
            yield self._failure("", "a result", "the case expects nothing")
        for node, expected in zip(self._results, self._expected, strict=True):
            name = node.get("name") or ""
            actual = expected if isinstance(expected, Exception) else _caught(self._actual, name)
            if isinstance(actual, Exception):
                yield self._failure(name, _shown(expected), _told(actual))
            elif not same(actual, expected):
                yield self._failure(name, _shown(expected), _shown(actual))

    def _actual(self, name: str) -> object:
        model = self._models.model(self._model_name)
        inputs = self._inputs()
        if self._element.get("type", "decision") == "decision" and _is_decision(model, name):
            return model.decide(name, inputs, budget=BUDGET, now=self._now).value
        called = self._element.get("invocableName") or name
        value = model.call(called, inputs, budget=BUDGET, now=self._now).value
        return value[name] if isinstance(value, dict) and _gives_several(model, called) else value

    def _inputs(self) -> Mapping[str, object]:
        """The inputs by name; those of an imported model as `namespace#name`."""
        given = {}
        for node in self._element.iterchildren("{*}inputNode"):
            namespace, name = node.get("namespace"), node.get("name") or ""
            given[f"{namespace}#{name}" if namespace else name] = value_of(node)
        return given

    def _failure(self, node: str, expected: str, actual: str) -> Failure:
        return Failure(self._file, self._element.get("id") or "", node, expected, actual)


def _expected(node: Element) -> object:
    expected = node.find("{*}expected")
    if expected is None or (node.get("errorResult") or "").strip() in ("true", "1"):
        return None
    return value_of(expected)


def _is_decision(model: Model, name: str) -> bool:
    """Whether the name is a decision's, or of nothing that could be called instead."""
    named = [each for each in model.definitions.elements() if each.name == name and not isinstance(each, InputData)]
    return not named or any(isinstance(each, Decision) for each in named)


def _gives_several(model: Model, name: str) -> bool:
    """Whether it is a decision service with several output decisions, whose names are entries of its result."""
    return any(each.name == name and len(each.output_decisions) > 1 for each in model.definitions.services)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    told = _caught(text_of, value)
    return repr(value) if isinstance(told, Exception) else str(told)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
