"""What an editor or a file brings: a DMN model, a workbook, or the JSON of a table, all read into the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diaodu.dmn.model import Definitions
from diaodu.rules import cases
from diaodu.rules.document import answering, empty, read, with_table
from diaodu.rules.errors import KeyMissing
from diaodu.rules.excel import from_workbook
from diaodu.rules.model import TestCase
from diaodu.rules.shape import Shape

JSON = "application/json"
DMN = "application/xml"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUFFIXES: Mapping[str, str] = {".json": JSON, ".dmn": DMN, ".xml": DMN, ".xlsx": XLSX}


@dataclass(frozen=True, kw_only=True)
class Content:
    """A model and what came with it; None = as it is already."""

    definitions: Definitions
    tests: tuple[TestCase, ...] | None = None
    note: str | None = None
    names: Mapping[str, str] | None = None


def from_dmn(data: bytes) -> Content:
    """From DMN XML, which holds no test cases; Unreadable."""
    return Content(definitions=read(data))


def from_xlsx(data: bytes) -> Content:
    """From a workbook with its test cases; the refusals of a workbook."""
    definitions, tests = from_workbook(data)
    return Content(definitions=definitions, tests=tuple(tests))


def from_json(value: Any, key: str, base: Definitions | None) -> Content:
    """From JSON with a ``table`` or the text of a ``dmn`` model; Unreadable.

    A table replaces that of ``base``, whose other parts stay; ``tests``, ``note`` and ``name`` (zh, en) need not be.
    """
    shape = Shape(value)
    note, model = shape.text("note"), shape.text("dmn")
    names = Shape(shape.inner("name"), "name.")
    told = {language: text for language in ("zh", "en") if (text := names.text(language)) is not None}
    tests = cases.from_json(shape.any("tests")) if shape.given("tests") else None
    table = shape.inner("table")
    names.done()
    shape.done()
    definitions = with_table(base or empty(key, key), key, table) if model is None else read(_in_utf8(model))
    return Content(definitions=definitions, tests=tests, note=note, names=told)


def _in_utf8(xml: str) -> bytes:
    """The text of an XML file as bytes; a declaration of another encoding is no longer true."""
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", xml).encode("utf-8", "replace")


def key_of(definitions: Definitions, likely: str) -> str:
    """The name of the decision that a model is about: the likely one if it is there, else the only one; KeyMissing."""
    decision = answering(definitions, likely)
    if decision is None:
        raise KeyMissing(names=", ".join(d.name for d in definitions.decisions) or "-")
    return decision.name
