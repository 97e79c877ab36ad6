"""Test cases as a sheet: a row per case, a column per input, those of a context by their parts (客户.级别)."""

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from diaodu.rules.excel.cells import DIGITS, Value, number_text, temporal_value
from diaodu.rules.excel.grid import Grid, grid_of
from diaodu.rules.excel.opening import Sheet
from diaodu.rules.excel.problems import Misread, Problems
from diaodu.rules.excel.words import Column, Heading
from diaodu.rules.model import TestCase

MARK = "JSON:"
Path = tuple[str, ...]

_MARKED = re.compile(r"json\s*[:：]\s*", re.IGNORECASE)
_TEMPORAL = re.compile(r'@"([0-9T:-]+)"', re.ASCII)
_KEY = re.compile(r"[^.\s](?:[^.]*[^.\s])?")


def paths_of(values: Iterable[Any]) -> list[Path]:
    """The columns that hold all the values, in the order in which they are met."""
    found: dict[Path, None] = {}
    for value in values:
        found.update((path, None) for path, _ in parts_of(value))
    return list(found)


def parts_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The parts of a value that are no contexts themselves, each with its path."""
    if isinstance(value, dict) and value and all(_KEY.fullmatch(key) for key in value):
        for key, inner in value.items():
            yield from parts_of(inner, (*path, key))
    else:
        yield path, value


def to_value(plain: Any) -> Value:
    """The friendliest cell that is read back as the plain JSON value."""
    for candidate in _forms(plain):
        try:
            if _same(to_plain_value(candidate), plain):
                return candidate
        except Misread:
            continue
    return f"{MARK} {json.dumps(plain, ensure_ascii=False)}"


def _forms(plain: Any) -> Iterator[Value]:
    if isinstance(plain, bool):
        yield plain
    elif isinstance(plain, int | float):
        if len(str(abs(plain))) <= DIGITS + 1:
            yield plain
    elif isinstance(plain, str):
        temporal = _TEMPORAL.fullmatch(plain)
        if temporal:
            text = temporal[1]
            yield from temporal_value("date and time" if "T" in text else "date" if "-" in text else "time", text)
        if plain.strip():
            yield plain
    yield json.dumps(plain, ensure_ascii=False)


def _same(one: Any, other: Any) -> bool:
    """Equal, and the truth is no number."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def to_plain_value(value: Value) -> Any:
    """The plain JSON that a cell means; raises Misread."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        text = number_text(value)
        return float(text) if "." in text else int(text)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return f'@"{value.isoformat()}"'
    if isinstance(value, dt.timedelta):
        raise Misread("wrong-kind", str(value), "date, time")
    text = value.strip()
    marked = _MARKED.match(text)
    if marked or text == "null" or text[:1] in ('"', "{", "["):
        try:
            return json.loads(text[marked.end() :] if marked else text)
        except (ValueError, RecursionError):
            raise Misread("bad-json", text) from None
    return text


def read_cases(sheet: Sheet, problems: Problems) -> tuple[TestCase, ...]:
    """The test cases of the sheet."""
    grid = grid_of(sheet, Heading.CASE, problems)
    if grid is None:
        return ()
    found: list[TestCase] = []
    for row in grid.body:
        name = sheet.text((row, grid.side))
        if not name and not grid.filled(row):
            continue
        if not name:
            problems.add(sheet.title, (row, grid.side), "case-unnamed")
        inputs = _together(grid, row, grid.of(Column.INPUT), problems)
        expected = _together(grid, row, grid.of(Column.OUTPUT), problems)
        found.append(TestCase(name=name, inputs=inputs if isinstance(inputs, dict) else {}, expected=expected))
    return tuple(found)


def _together(grid: Grid, row: int, columns: Sequence[int], problems: Problems) -> Any:
    """What the filled cells of the row say together; None when there is none."""
    whole: dict[str, Any] = {}
    for column in columns:
        at = (row, column)
        if at not in grid.sheet.cells:
            continue
        try:
            value = to_plain_value(grid.sheet.cells[at])
            _put(whole, ("", *_path(grid.text(Heading.LABEL, column))), value)
        except Misread as error:
            problems.misread(grid.sheet.title, at, error)
    return whole.get("")


def _path(heading: str) -> Path:
    return tuple(part.strip() for part in heading.split(".")) if heading else ()


def _put(whole: dict[str, Any], path: Path, value: Any) -> None:
    inner: Any = whole
    for step in path[:-1]:
        inner = inner.setdefault(step, {})
        if not isinstance(inner, dict):
            raise Misread("path-twice", ".".join(path[1:]))
    if path[-1] in inner:
        raise Misread("path-twice", ".".join(path[1:]))
    inner[path[-1]] = value
