"""The catalogue of the demonstration operator, as data and compiled."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from diaodu.app.operator import read_catalogue
from diaodu.catalog.model import Release
from diaodu.catalog.parse import parse_release

EXAMPLE = Path(__file__).parents[2] / "examples/zhejiang"
_read = cache(read_catalogue)


def document() -> dict[str, Any]:
    """A copy that a test may spoil."""
    return deepcopy(_read(EXAMPLE))


@cache
def release() -> Release:
    """The compiled release."""
    return parse_release(_read(EXAMPLE), release_id=1, name="zhejiang")
