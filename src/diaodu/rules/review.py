"""What a look at a version finds, and whether that keeps it from being published."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from diaodu.dmn.check import check_model
from diaodu.dmn.findings import Finding, Severity
from diaodu.dmn.model import Definitions
from diaodu.rules.document import answering
from diaodu.rules.errors import GapsNotAccepted, NotPublishable
from diaodu.rules.model import TestResult, Version

_GAPS = ("gap", "more-gaps")
# A refusal is read by a person; the check itself tells all.
TOLD_MAX = 20


@dataclass(frozen=True)
class Review:
    """The findings of a version."""

    findings: tuple[Finding, ...]

    @cached_property
    def faults(self) -> tuple[Finding, ...]:
        """What refuses a publication."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    @cached_property
    def gaps(self) -> tuple[Finding, ...]:
        """Inputs that no rule covers."""
        return tuple(f for f in self.findings if f.code in _GAPS)

    def to_json(self) -> list[dict[str, Any]]:
        """The findings as plain JSON."""
        return [asdict(f) for f in self.findings]


def review(version: Version) -> Review:
    """Look at a version: its types, names and texts, its gaps and overlaps, and whether it answers for its key."""
    return review_model(version.definitions, version.key)


def review_model(definitions: Definitions, key: str) -> Review:
    """Look at a model that is to answer for a key."""
    found = list(check_model(definitions))
    decision = answering(definitions, key)
    if decision is None:
        found.append(
            _error(
                "no-answer",
                definitions.id or "",
                f"The model does not say what {key} is: name one of its decisions {key}.",
                f"模型未说明 {key} 的取值：请将其中一个决策命名为 {key}。",
            )
        )
    elif decision.expression is None:
        found.append(
            _error("no-logic", decision.id, f"{decision.name} has no logic.", f"{decision.name} 没有决策逻辑。")
        )
    return Review(tuple(found))


def _error(code: str, element: str, en: str, zh: str) -> Finding:
    return Finding(code, Severity.ERROR, element, None, None, en, zh)


def require_publishable(found: Review, results: Sequence[TestResult], key: str, *, accept_gaps: bool) -> None:
    """NotPublishable with the errors and the test cases that fail; GapsNotAccepted."""
    problems = [placed(f) for f in found.faults]
    problems += [_failure(r) for r in results if not r.passed]
    if problems:
        raise NotPublishable(key=key, **_told(problems))
    if found.gaps and not accept_gaps:
        raise GapsNotAccepted(key=key, **_told([(f.en, f.zh) for f in found.gaps]))


def placed(found: Finding) -> tuple[str, str]:
    """A finding with the row and the column that it is about, in English and Chinese."""
    places = [
        (en.format(n), zh.format(n))
        for n, en, zh in ((found.rule, "rule {}", "规则 {}"), (found.column, "column {}", "第 {} 列"))
        if n is not None
    ]
    if not places:
        return found.en, found.zh
    return f"{', '.join(en for en, _ in places)}: {found.en}", f"{'，'.join(zh for _, zh in places)}：{found.zh}"


def _failure(result: TestResult) -> tuple[str, str]:
    name, expected, actual = result.case.name, result.case.expected, result.actual
    return (
        f"test case {name}: expected {expected!r}, got {actual!r}.",
        f"测试用例“{name}”：应为 {expected!r}，实为 {actual!r}。",
    )


def _told(problems: Iterable[tuple[str, str]]) -> dict[str, str]:
    told = list(problems)
    more = len(told) - TOLD_MAX
    rest = [(f"and {more} more", f"另有 {more} 项")] if more > 0 else []
    shown = [*told[:TOLD_MAX], *rest]
    return {"problems": " ".join(en for en, _ in shown), "problems_zh": " ".join(zh for _, zh in shown)}
