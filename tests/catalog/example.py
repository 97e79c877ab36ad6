"""The catalogue of the demonstration operator, as data and compiled."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from diaodu.app.operator import load_decisions, read_catalogue
from diaodu.catalog.model import PinnedDecision, Release
from diaodu.catalog.parse import parse_release
from diaodu.dmn.compile import compile_model
from diaodu.dmn.read import read_definitions
from diaodu.kernel.db import Tx

EXAMPLE = Path(__file__).parents[2] / "examples/zhejiang"
_read = cache(read_catalogue)


def document() -> dict[str, Any]:
    """A copy that a test may spoil."""
    return deepcopy(_read(EXAMPLE))


@cache
def decisions() -> dict[str, PinnedDecision]:
    """The decision tables, each in its first version."""
    return {
        path.stem: PinnedDecision(path.stem, 1, compile_model(read_definitions(path.read_bytes())))
        for path in EXAMPLE.glob("rules/*.dmn")
    }


@cache
def release() -> Release:
    """The compiled release."""
    return parse_release(_read(EXAMPLE), release_id=1, name="zhejiang", decisions=decisions())


def load_rules(tx: Tx) -> None:
    """Publish the decision tables."""
    load_decisions(tx, EXAMPLE / "rules")
