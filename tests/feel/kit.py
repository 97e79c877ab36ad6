"""Reads the literal-expression cases of the public DMN kit: decisions become FEEL text, inputs and results values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from lxml import etree

from diaodu.feel import Date, DateTime, FeelError, Time, compile_expression
from diaodu.feel.temporal_text import date_of, date_time_of, duration_of, time_of
from diaodu.feel.values import equal

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@dataclass(frozen=True)
class Case:
    folder: str
    case_id: str
    text: str
    expected: object
    actual: object

    @property
    def passed(self) -> bool:
        return same(self.actual, self.expected)


class Unsupported(Exception):
    """A kind of decision logic that is not a literal expression."""


def cases(folder: Path) -> Iterator[Case]:
    """All cases of a folder that can be said in literal expressions."""
    models = {path.name: Model(etree.parse(str(path)).getroot()) for path in folder.glob("*.dmn")}
    for path in sorted(folder.glob("*.xml")):
        root = etree.parse(str(path)).getroot()
        model = models[str(root.findtext("{*}modelName"))]
        for case in root.iterfind("{*}testCase"):
            if case.get("type") in ("decisionService", "bkm"):
                continue
            inputs = {str(node.get("name")): value_of(node) for node in case.iterfind("{*}inputNode")}
            for result in case.iterfind("{*}resultNode"):
                name, expected = str(result.get("name")), result.find("{*}expected")
                try:
                    text = model.text(name)
                    actual = model.evaluate(name, inputs)
                except (Unsupported, KeyError):
                    continue
                value = None if expected is None else value_of(expected)
                yield Case(folder.name, f"{case.get('id')}:{name}", text, value, actual)


class Model:
    def __init__(self, root: etree._Element) -> None:
        self.by_name = {str(node.get("name")): node for node in root if node.get("name")}
        self.by_id = {str(node.get("id")): str(node.get("name")) for node in root if node.get("id")}

    def text(self, name: str) -> str:
        node = self.by_name[name]
        if etree.QName(node).localname == "businessKnowledgeModel":
            logic = node.find("{*}encapsulatedLogic")
            if logic is None:
                raise Unsupported
            return boxed(logic, function=True)
        found = [child for child in node.iterfind("{*}*") if etree.QName(child).localname in BOXED]
        if not found:
            raise Unsupported
        return boxed(found[0])

    def evaluate(self, name: str, inputs: dict[str, object], depth: int = 0) -> object:
        node = self.by_name[name]
        context: dict[str, object] = {}
        if depth > 20:
            raise Unsupported
        for required in node.iterfind(".//{*}*[@href]"):
            other = self.by_id[str(required.get("href")).lstrip("#")]
            if other == name:
                continue
            if etree.QName(self.by_name[other]).localname == "inputData" or other in inputs:
                context[other] = inputs.get(other)
            else:
                context[other] = self.evaluate(other, inputs, depth + 1)
        try:
            return compile_expression(self.text(name), list(context)).evaluate(context, now=NOW)
        except FeelError:
            return None


BOXED = ("literalExpression", "context", "list", "functionDefinition")


def boxed(node: etree._Element, *, function: bool = False) -> str:
    """The FEEL text of boxed logic."""
    kind = etree.QName(node).localname
    if function or kind == "functionDefinition":
        if node.get("kind", "FEEL") != "FEEL":
            raise Unsupported
        names = ", ".join(str(part.get("name")) for part in node.iterfind("{*}formalParameter"))
        body = [child for child in node.iterfind("{*}*") if etree.QName(child).localname in BOXED]
        if not body:
            raise Unsupported
        return f"function({names}) {boxed(body[0])}"
    if kind == "literalExpression":
        return node.findtext("{*}text") or "null"
    parts = [child for child in node.iterfind("{*}*") if etree.QName(child).localname in (*BOXED, "contextEntry")]
    if kind == "list":
        return "[" + ", ".join(boxed(part) + "\n" for part in parts) + "]"
    entries, result = [], ""
    for part in parts:
        variable = part.find("{*}variable")
        logic = [child for child in part.iterfind("{*}*") if etree.QName(child).localname in BOXED]
        if not logic:
            raise Unsupported
        entries.append(f"{'result' if variable is None else variable.get('name')}: {boxed(logic[0])}\n")
        result = ".result" if variable is None else ""
    return "{" + ", ".join(entries) + "}" + result


def value_of(node: etree._Element) -> object:
    """The value of an input or expected node."""
    items = node.find("{*}list")
    if items is not None:
        return None if items.get(NIL) == "true" else [value_of(item) for item in items.iterfind("{*}item")]
    components = node.findall("{*}component")
    if components:
        return {str(part.get("name")): value_of(part) for part in components}
    value = node.find("{*}value")
    if value is None or value.get(NIL) == "true":
        return None
    text, kind = value.text or "", str(value.get(TYPE, "string")).rpartition(":")[2]
    if kind in ("decimal", "double", "integer", "int", "long", "float"):
        return Decimal(text)
    if kind == "boolean":
        return text == "true"
    readers = {"date": date_of, "time": time_of, "dateTime": date_time_of, "duration": duration_of}
    return readers[kind](text) if kind in readers else text


def same(actual: object, expected: object) -> bool:
    if isinstance(expected, Decimal) and isinstance(actual, Decimal):
        return abs(actual - expected) <= Decimal("1e-8") * max(Decimal(1), abs(expected))
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(same, actual, expected))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(same(actual[key], expected[key]) for key in expected)
    if isinstance(expected, (Date, Time, DateTime)):
        return str(actual) == str(expected)
    return equal(actual, expected) is True
