"""What is different between two versions: columns and rules of the tables, other parts of the model, test cases."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, TypeVar

from diaodu.dmn.model import DecisionTable, Definitions
from diaodu.rules.alignment import Cells, align, staying
from diaodu.rules.canonical import canonical, without_ids
from diaodu.rules.excel.outline import Line, line_of
from diaodu.rules.excel.words import policy_words
from diaodu.rules.model import TestCase

Kind: TypeAlias = Literal["added", "removed", "changed", "moved"]


@dataclass(frozen=True)
class Difference:
    """A property or a cell, by its name; None = it is not there."""

    what: str
    old: Any
    new: Any


@dataclass(frozen=True)
class PartChange:
    """Something with a name that has come, gone or changed; ``kind`` says what it is (input, decision, test …)."""

    change: Kind
    kind: str
    name: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class RuleChange:
    """A rule by its number, from 1, in the old and the new table; a moved one may have changed as well."""

    change: Kind
    old: int | None
    new: int | None
    cells: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class TableDiff:
    """The differences of one table; ``name`` is that of its decision or function."""

    name: str
    properties: tuple[Difference, ...]
    columns: tuple[PartChange, ...]
    rules: tuple[RuleChange, ...]


@dataclass(frozen=True)
class Diff:
    """The differences of two models and of their test cases."""

    parts: tuple[PartChange, ...]
    tables: tuple[TableDiff, ...]
    tests: tuple[PartChange, ...]

    def __bool__(self) -> bool:
        return bool(self.parts or self.tables or self.tests)

    def to_json(self) -> dict[str, Any]:
        """The differences as plain JSON."""
        return {
            "parts": [_part_json(part) for part in self.parts],
            "tables": [
                {
                    "name": table.name,
                    "properties": [vars(each) for each in table.properties],
                    "columns": [_part_json(column) for column in table.columns],
                    "rules": [{**vars(rule), "cells": [vars(cell) for cell in rule.cells]} for rule in table.rules],
                }
                for table in self.tables
            ],
            "tests": [_part_json(test) for test in self.tests],
        }


def _part_json(part: PartChange) -> dict[str, Any]:
    return {**vars(part), "differences": [vars(each) for each in part.differences]}


def diff_tables(
    old: Definitions, new: Definitions, old_tests: Iterable[TestCase] = (), new_tests: Iterable[TestCase] = ()
) -> Diff:
    """What the new version says otherwise than the old one; ids and the order of the parts do not count."""
    before, after = _tables(old), _tables(new)
    found = [_table(place, before[place], table) for place, table in after.items() if place in before]
    return Diff(
        parts=_named(_texts(old), _texts(new), _text_differences),
        tables=tuple(table for table in found if table.properties or table.columns or table.rules),
        tests=_named(_tests(old_tests), _tests(new_tests), _test_differences),
    )


_KINDS = {
    "imports": "import",
    "item_definitions": "type",
    "input_data": "input data",
    "decisions": "decision",
    "knowledge_models": "function",
    "services": "service",
}
Key: TypeAlias = tuple[str, str]
T = TypeVar("T")


def _texts(definitions: Definitions) -> dict[Key, str]:
    """The parts of the model by kind and name, each as text; tables are told apart."""
    root = canonical(definitions)
    head = replace(root, imports=(), item_definitions=(), input_data=(), decisions=(), knowledge_models=(), services=())
    texts = {("model", ""): _text(line_of("model", head, lambda _: ""))}
    for field, kind in _KINDS.items():
        for part in getattr(root, field):
            texts[kind, part.name] = _text(line_of(field, part, lambda _: ""))
    return texts


def _text(line: Line, level: int = 0) -> str:
    words = [line.part, line.name, line.type and f"({line.type})", line.text]
    own = "  " * level + " ".join(filter(None, words))
    return "\n".join([own, *(_text(below, level + 1) for below in line.below)])


def _text_differences(old: str, new: str) -> tuple[Difference, ...]:
    return (Difference("text", old, new),) if old != new else ()


def _tables(definitions: Definitions) -> dict[str, DecisionTable]:
    """The tables by the name of their decision or function, further ones of it numbered."""
    tables: dict[str, DecisionTable] = {}

    def keep(owner: str) -> Callable[[DecisionTable], str]:
        def keep_table(table: DecisionTable) -> str:
            place, number = owner, 1
            while place in tables:
                number += 1
                place = f"{owner} ({number})"
            tables[place] = table
            return place

        return keep_table

    for decision in definitions.decisions:
        line_of("decisions", decision, keep(decision.name))
    for function in definitions.knowledge_models:
        line_of("knowledge_models", function, keep(function.name))
    return tables


def _tests(tests: Iterable[TestCase]) -> dict[Key, TestCase]:
    return {("test", test.name): test for test in tests}


def _test_differences(old: TestCase, new: TestCase) -> tuple[Difference, ...]:
    names = dict.fromkeys((*old.inputs, *new.inputs))
    pairs = [(name, old.inputs.get(name), new.inputs.get(name)) for name in names]
    pairs.append(("expected", old.expected, new.expected))
    return tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])


def _named(
    old: Mapping[Key, T], new: Mapping[Key, T], differences: Callable[[T, T], tuple[Difference, ...]]
) -> tuple[PartChange, ...]:
    """What has come, gone or changed under its kind and name."""
    changes = [PartChange("removed", *key) for key in old if key not in new]
    for key, part in new.items():
        if key not in old:
            changes.append(PartChange("added", *key))
        elif found := differences(old[key], part):
            changes.append(PartChange("changed", *key, found))
    return tuple(changes)


def _table(place: str, old: DecisionTable, new: DecisionTable) -> TableDiff:
    ids = [rule.id for rule in old.rules], [rule.id for rule in new.rules]
    old, new = without_ids(old, {}), without_ids(new, {})
    properties = (
        ("hit policy", policy_letter(old), policy_letter(new)),
        ("result label", old.output_label, new.output_label),
        ("type", old.type_ref, new.type_ref),
    )
    before, after = _columns(old), _columns(new)
    return TableDiff(
        name=place,
        properties=tuple(Difference(*each) for each in properties if each[1] != each[2]),
        columns=_column_changes(before, after),
        rules=_rule_changes(_rows(old, before, after), _rows(new, after, before), ids),
    )


def policy_letter(table: DecisionTable) -> str:
    """The hit policy as it is written in the corner of a table: ``U``, ``C+`` …"""
    return policy_words(table.hit_policy, table.aggregation).split(" ")[0]


def _columns(table: DecisionTable) -> dict[Key, dict[str, Any]]:
    """The columns in order, by kind and by what makes them the same column, with their other properties."""
    columns: dict[Key, dict[str, Any]] = {}

    def add(kind: str, key: str, **properties: Any) -> None:
        found, number = key, 1
        while (kind, found) in columns:
            number += 1
            found = f"{key} ({number})"
        columns[kind, found] = properties

    for column in table.inputs:
        expression = column.expression
        add("input", expression.text, label=column.label, type=expression.type_ref, values=column.values)
    for output in table.outputs:
        # A single result has one place, whatever it is called.
        key = "" if len(table.outputs) == 1 else output.name or output.label or ""
        add(
            "output",
            key,
            name=output.name,
            label=output.label,
            type=output.type_ref,
            values=output.values,
            default=output.default,
        )
    for name in table.annotations:
        add("remark", name)
    return columns


def _column_changes(old: Mapping[Key, dict[str, Any]], new: Mapping[Key, dict[str, Any]]) -> tuple[PartChange, ...]:
    def differences(old: dict[str, Any], new: dict[str, Any]) -> tuple[Difference, ...]:
        return tuple(Difference(name, old[name], new[name]) for name in new if old[name] != new[name])

    places = {key: number for number, key in enumerate(old)}
    pairs = [(places[key], number) for number, key in enumerate(new) if key in places]
    stay = {right for _, right in staying(pairs)}
    keys = list(new)
    moved = tuple(PartChange("moved", *keys[right]) for _, right in pairs if right not in stay)
    return _named(old, new, differences) + moved


@dataclass(frozen=True)
class _Rows:
    """The rules by column: what both tables have decides which rule is which, the rest is only compared."""

    shared: list[Cells]
    cells: list[dict[Key, str | None]]


def _rows(table: DecisionTable, own: Mapping[Key, Any], other: Mapping[Key, Any]) -> _Rows:
    shared = sorted(set(own) & set(other))
    rows = []
    for rule in table.rules:
        remarks = (*rule.annotations, *[""] * (len(table.annotations) - len(rule.annotations)))
        row: dict[Key, str | None] = dict(zip(own, (*rule.inputs, *rule.outputs, *remarks), strict=True))
        row["note", ""] = rule.description
        rows.append(row)
    return _Rows([tuple(row[key] for key in (*shared, ("note", ""))) for row in rows], rows)


def _rule_changes(old: _Rows, new: _Rows, ids: tuple[list[str | None], list[str | None]]) -> tuple[RuleChange, ...]:
    pairs = align(old.shared, new.shared, ids)
    stay = set(staying(pairs))
    lefts = {left for left, _ in pairs}
    changes = [RuleChange("removed", n + 1, None, _cells(row, {})) for n, row in enumerate(old.cells) if n not in lefts]
    by_new = {right: left for left, right in pairs}
    for n, row in enumerate(new.cells):
        left = by_new.get(n)
        if left is None:
            changes.append(RuleChange("added", None, n + 1, _cells({}, row)))
            continue
        cells = _cells(old.cells[left], row)
        if (left, n) not in stay:
            changes.append(RuleChange("moved", left + 1, n + 1, cells))
        elif cells:
            changes.append(RuleChange("changed", left + 1, n + 1, cells))
    return tuple(changes)


def _cells(old: Mapping[Key, str | None], new: Mapping[Key, str | None]) -> tuple[Difference, ...]:
    """The cells that differ; a test that is not there lets everything pass."""
    found = []
    for key in dict.fromkeys((*old, *new)):
        nothing = "-" if key[0] == "input" and old and new else None
        before, after = old.get(key) or nothing, new.get(key) or nothing
        if before != after:
            found.append(Difference(key[1] or key[0], before, after))
    return tuple(found)
