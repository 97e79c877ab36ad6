"""A decision table as plain JSON and as a DMN model: one decision, one table, one input data per name it reads.

The JSON of a table::

    {"hitPolicy": "UNIQUE", "aggregation": "SUM"?, "data": [{"name", "type"?}]?,
     "inputs": [{"expression", "label"?, "type"?, "values"?, "id"?}],
     "outputs": [{"name"?, "label"?, "type"?, "values"?, "default"?, "id"?}],
     "annotations": [name, …]?,
     "rules": [{"when": [test, …], "then": [expression, …], "note"?, "annotations"?: […], "id"?}]}

Cells are FEEL as DMN writes it. Without ``data`` the input data are the names that the cells and expressions read.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lxml import etree

from diaodu import feel
from diaodu.dmn.document import parse
from diaodu.dmn.model import (
    Aggregation,
    Decision,
    DecisionTable,
    Definitions,
    HitPolicy,
    InformationItem,
    Input,
    InputData,
    LiteralExpression,
    Output,
    Rule,
)
from diaodu.dmn.read import read_definitions
from diaodu.dmn.read_errors import DmnReadError
from diaodu.dmn.write import write_definitions
from diaodu.rules.errors import Unreadable
from diaodu.rules.shape import Shape

NAMESPACE = "urn:diaodu:rules"
# A table beyond this is data; checking it would take minutes.
ROWS_MAX = 10_000
COLUMNS_MAX = 100


def read(xml: bytes) -> Definitions:
    """The model of a DMN file of any version; Unreadable names every problem."""
    try:
        return read_definitions(xml)
    except DmnReadError as error:
        raise Unreadable(problems=error.message_en, problems_zh=error.message_zh) from error


def write(definitions: Definitions) -> bytes:
    """The model as DMN 1.5 in UTF-8; Unreadable when it could not be read again."""
    try:
        document = write_definitions(definitions)
    except ValueError as error:
        raise Unreadable(
            problems=f"a text cannot stand in XML: {error}", problems_zh=f"文本不能写入 XML：{error}"
        ) from error
    read(document)
    # A file that came as DMN 1.5 is kept as it was but for its encoding: it is also shown within JSON.
    tree = parse(document).getroottree()
    encoding = (tree.docinfo.encoding or "UTF-8").upper()
    if encoding in ("UTF-8", "ASCII", "US-ASCII"):
        return document
    return bytes(etree.tostring(tree, encoding="UTF-8", xml_declaration=True))


def answering(definitions: Definitions, key: str) -> Decision | None:
    """The decision that a key answers with: the one of that name, else the only one."""
    named = [d for d in definitions.decisions if d.name == key]
    candidates = named or list(definitions.decisions)
    return candidates[0] if len(candidates) == 1 else None


def empty(key: str, name: str) -> Definitions:
    """A model with one decision and nothing in it yet."""
    decision = Decision(id="decision", name=key, variable=InformationItem(name=key), expression=None)
    return Definitions(id="definitions", name=name, namespace=f"{NAMESPACE}:{key}", decisions=(decision,))


def to_table(definitions: Definitions, key: str) -> dict[str, Any] | None:
    """The JSON of a model that is one table; None for any other, which only DMN can tell."""
    decision = answering(definitions, key)
    others = (*definitions.knowledge_models, *definitions.services, *definitions.imports, *definitions.decisions[1:])
    if others or decision is None or not isinstance(decision.expression, DecisionTable):
        return None
    table = decision.expression
    return _present(
        {
            "hitPolicy": table.hit_policy.value,
            "aggregation": table.aggregation and table.aggregation.value,
            "data": [_present({"name": d.name, "type": d.variable.type_ref}) for d in definitions.input_data],
            "inputs": [_input_json(i) for i in table.inputs],
            "outputs": [_output_json(o) for o in table.outputs],
            "annotations": list(table.annotations) or None,
            "rules": [_rule_json(r) for r in table.rules],
        }
    )


def _input_json(column: Input) -> dict[str, Any]:
    expression = column.expression
    return _present(
        {
            "id": column.id,
            "label": column.label,
            "expression": expression.text,
            "type": expression.type_ref,
            "values": column.values,
        }
    )


def _output_json(column: Output) -> dict[str, Any]:
    return _present(
        {
            "id": column.id,
            "name": column.name,
            "label": column.label,
            "type": column.type_ref,
            "values": column.values,
            "default": column.default,
        }
    )


def _rule_json(rule: Rule) -> dict[str, Any]:
    return _present(
        {
            "id": rule.id,
            "when": list(rule.inputs),
            "then": list(rule.outputs),
            "note": rule.description,
            "annotations": list(rule.annotations) or None,
        }
    )


def _present(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}


def with_table(base: Definitions, key: str, document: Any) -> Definitions:
    """The model with its table replaced by the one of the JSON; whatever else it holds stays.

    Columns and rules with the id of an old one are that one, changed. Unreadable names every problem of the JSON.
    """
    shape = Shape(document)
    decision = answering(base, key) or empty(key, key).decisions[0]
    old = decision.expression if isinstance(decision.expression, DecisionTable) else None
    table = _table(shape, old or DecisionTable(inputs=(), outputs=(), rules=(), id="table"))
    declared = shape.objects("data", most=COLUMNS_MAX) if shape.given("data") else None
    names = (
        [(n, None) for n in _names_read(table)]
        if declared is None
        else [(d.text("name", required=True) or "", d.text("type")) for d in declared]
    )
    shape.done()
    data = _input_data(base, names, {i.expression.text: i.expression.type_ref for i in table.inputs})
    decision = replace(decision, expression=table, required_inputs=tuple(f"#{d.id}" for d in data))
    return replace(base, input_data=data, decisions=(decision,))


def _table(shape: Shape, old: DecisionTable) -> DecisionTable:
    old_inputs = {i.id: i for i in old.inputs if i.id}
    inputs = [_input(s, old_inputs) for s in shape.objects("inputs", most=COLUMNS_MAX)]
    outputs = [
        Output(
            name=s.text("name"),
            label=s.text("label"),
            type_ref=s.text("type"),
            values=s.text("values"),
            default=s.text("default"),
            id=s.text("id"),
        )
        for s in shape.objects("outputs", least=1, most=COLUMNS_MAX)
    ]
    annotations = shape.texts("annotations")
    rules = [
        Rule(
            inputs=s.texts("when", exactly=len(inputs)),
            outputs=s.texts("then", exactly=len(outputs)),
            annotations=s.texts("annotations", exactly=len(annotations))
            if s.given("annotations")
            else ("",) * len(annotations),
            description=s.text("note"),
            id=s.text("id"),
        )
        for s in shape.objects("rules", most=ROWS_MAX)
    ]
    return replace(
        old,
        hit_policy=HitPolicy(shape.choice("hitPolicy", [p.value for p in HitPolicy], default=HitPolicy.UNIQUE.value)),
        aggregation=_aggregation(shape),
        inputs=tuple(replace(c, id=i) for c, i in zip(inputs, _ids("input", inputs, old), strict=True)),
        outputs=tuple(replace(c, id=i) for c, i in zip(outputs, _ids("output", outputs, old), strict=True)),
        rules=tuple(replace(r, id=i) for r, i in zip(rules, _ids("rule", rules, old), strict=True)),
        annotations=annotations,
    )


def _aggregation(shape: Shape) -> Aggregation | None:
    if not shape.given("aggregation"):
        return None
    return Aggregation(shape.choice("aggregation", [a.value for a in Aggregation], default=Aggregation.SUM.value))


def _input(shape: Shape, old: Mapping[str, Input]) -> Input:
    known = old.get(shape.text("id") or "")
    expression = known.expression if known else LiteralExpression(text="")
    written = shape.text("expression", required=True) or ""
    return Input(
        expression=replace(expression, text=written, type_ref=shape.text("type")),
        label=shape.text("label"),
        values=shape.text("values"),
        id=shape.text("id"),
    )


def _ids(kind: str, parts: Sequence[Input | Output | Rule], old: DecisionTable) -> Iterator[str]:
    """Their own ids; a part without one, or a copy, is named by what it says, so that it is the same when it moves."""
    taken = {part.id for part in (*parts, *old.inputs, *old.outputs, *old.rules) if part.id}
    given: set[str] = set()
    for part in parts:
        if part.id and part.id not in given:
            given.add(part.id)
            yield part.id
            continue
        stem = f"{kind}_{hashlib.sha256(repr(part).encode()).hexdigest()[:8]}"
        made = next(i for i in _numbered(stem) if i not in taken)
        taken.add(made)
        yield made


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    n = 2
    while True:
        yield f"{stem}_{n}"
        n += 1


def _names_read(table: DecisionTable) -> list[str]:
    """The names that the texts of a table read, in the order in which they stand."""
    texts = [i.expression.text for i in table.inputs]
    texts += [cell for rule in table.rules for cell in rule.outputs]
    texts += [o.default for o in table.outputs if o.default]
    found: dict[str, None] = {}
    for text in texts:
        found.update(dict.fromkeys(_names_of(text)))
    for rule in table.rules:
        for cell in rule.inputs:
            found.update(dict.fromkeys(_names_of_tests(cell)))
    return list(found)


def _names_of(text: str) -> Iterable[str]:
    try:
        return sorted(feel.compile_expression(text).names)
    except feel.FeelSyntaxError:
        return ()  # the check of the model tells where


def _names_of_tests(text: str) -> Iterable[str]:
    try:
        return sorted(feel.compile_unary_tests(text).names)
    except feel.FeelSyntaxError:
        return ()  # the check of the model tells where


def _input_data(
    base: Definitions, names: Sequence[tuple[str, str | None]], columns: Mapping[str, str | None]
) -> tuple[InputData, ...]:
    old = {d.name: d for d in base.input_data}
    taken = {d.id for d in base.input_data} | {d.id for d in base.decisions}
    made = []
    for name, kind in dict(names).items():
        known = old.get(name)
        if known is None:
            free = next(i for i in _numbered("data") if i not in taken)
            taken.add(free)
            known = InputData(id=free, name=name, variable=InformationItem(name=name, type_ref=columns.get(name)))
        made.append(known if kind is None else replace(known, variable=replace(known.variable, type_ref=kind)))
    return tuple(made)
