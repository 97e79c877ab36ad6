"""Decisions that users keep: a key, its versions, the test cases of each, and what a look at them finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from diaodu.dmn.model import Definitions
from diaodu.dmn.read import read_definitions
from diaodu.rules.plain import from_plain, to_plain

__all__ = [
    "Decision",
    "Diagnosis",
    "Past",
    "Replay",
    "State",
    "TestCase",
    "TestResult",
    "Version",
    "from_plain",
    "to_plain",
]

# A key is the name of a FEEL function and stands in paths; longer ones are no names.
KEY_MAX = 100
# What one person keeps by hand; each is evaluated at every publish.
TESTS_MAX = 1_000
# One document: beyond it a table is data and belongs elsewhere.
DOCUMENT_MAX = 2_000_000


class State(StrEnum):
    """The life of a version."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class TestCase:
    """A 测试用例: inputs by name and the expected result, both plain JSON (see ``to_plain``)."""

    __test__ = False  # it is no test of ours

    name: str
    inputs: Mapping[str, Any]
    expected: Any


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """What a test case gave; ``diagnostics`` say why a null came out."""

    __test__ = False  # it is no test of ours

    case: TestCase
    passed: bool
    actual: Any
    diagnostics: "tuple[Diagnosis, ...]" = ()

    def to_json(self) -> dict[str, Any]:
        """The result as plain JSON."""
        return {
            "name": self.case.name,
            "passed": self.passed,
            "inputs": dict(self.case.inputs),
            "expected": self.case.expected,
            "actual": self.actual,
            "diagnostics": [d.to_json() for d in self.diagnostics],
        }


@dataclass(frozen=True)
class Diagnosis:
    """Something to tell the user, in both languages."""

    code: str
    en: str
    zh: str

    def to_json(self) -> dict[str, Any]:
        """The words as plain JSON."""
        return {"code": self.code, "en": self.en, "zh": self.zh}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a decision; ``digest`` tells whether two hold the same model, tests and note."""

    key: str
    n: int
    state: State
    document: bytes  # DMN 1.5 XML
    tests: tuple[TestCase, ...]
    note: str
    digest: str
    saved_by: str
    saved_at: datetime
    published_by: str | None = None
    published_at: datetime | None = None
    effective_at: datetime | None = None
    gaps_accepted: bool = False

    @cached_property
    def definitions(self) -> Definitions:
        """The model."""
        return read_definitions(self.document)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision with its names and where its versions stand; ``effective`` is the one in force."""

    key: str
    name_zh: str
    name_en: str
    effective: int | None
    newest: int | None
    draft: int | None


@dataclass(frozen=True, kw_only=True)
class Past:
    """A decision that was made: by which version, in which order, with which inputs and output (plain JSON)."""

    order_id: int
    at: datetime
    n: int
    inputs: Mapping[str, Any]
    output: Any


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What a candidate makes of past inputs; ``nulls`` are those among the different that have become null."""

    same: int
    different: int
    nulls: int
    changes: Sequence[tuple[Past, Any]] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        """The counts, and each change with its order, inputs, old and new output."""
        return {
            "same": self.same,
            "different": self.different,
            "nulls": self.nulls,
            "changes": [
                {
                    "order": str(past.order_id),
                    "at": past.at.isoformat(),
                    "n": past.n,
                    "inputs": dict(past.inputs),
                    "old": past.output,
                    "new": new,
                }
                for past, new in self.changes
            ],
        }
