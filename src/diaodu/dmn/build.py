"""The metamodel to DMN 1.5 XML, as a tree that says all of the model and nothing else."""

from collections.abc import Iterable
from typing import Any

from lxml import etree

from diaodu.dmn.document import Element, M
from diaodu.dmn.model import (
    BusinessKnowledgeModel,
    Conditional,
    Context,
    Decision,
    DecisionService,
    DecisionTable,
    Definitions,
    Expression,
    Filter,
    FunctionDefinition,
    HitPolicy,
    Import,
    InformationItem,
    Input,
    InputData,
    Invocation,
    ItemDefinition,
    Iterate,
    IteratorKind,
    List,
    LiteralExpression,
    Output,
    Relation,
    Rule,
)
from diaodu.dmn.namespaces import FEEL, MODEL

_NSMAP: Any = {None: MODEL}  # the library's stubs know no default namespace


def build(definitions: Definitions) -> Element:
    """The whole model. ValueError where a text holds characters that XML has no place for."""
    builder = _Builder(definitions.expression_language)
    root = etree.Element(M + "definitions", nsmap=_NSMAP)
    _attributes(
        root,
        id=definitions.id,
        name=definitions.name,
        namespace=definitions.namespace,
        expressionLanguage=definitions.expression_language,
        typeLanguage=definitions.type_language,
    )
    parts = [_text("description", definitions.description)]
    parts += [_import(each) for each in definitions.imports]
    parts += [_item("itemDefinition", each) for each in definitions.item_definitions]
    parts += [_input_data(each) for each in definitions.input_data]
    parts += [builder.decision(each) for each in definitions.decisions]
    parts += [builder.knowledge(each) for each in definitions.knowledge_models]
    parts += [_service(each) for each in definitions.services]
    root.extend(part for part in parts if part is not None)
    return root


def _element(tag: str, children: Iterable[Element | None] = (), **attributes: str | None) -> Element:
    element = etree.Element(M + tag, nsmap=_NSMAP)
    _attributes(element, **attributes)
    element.extend(child for child in children if child is not None)
    return element


def _attributes(element: Element, **attributes: str | None) -> None:
    for name, value in attributes.items():
        if value is not None:
            element.set(name, value)


def _text(tag: str, text: str | None) -> Element | None:
    if text is None:
        return None
    element = _element(tag)
    element.text = text
    return element


def _tests(tag: str, text: str | None) -> Element | None:
    return None if text is None else _element(tag, [_text("text", text)])


def _information(tag: str, item: InformationItem) -> Element:
    return _element(tag, id=item.id, name=item.name, typeRef=item.type_ref)


def _references(tag: str, hrefs: Iterable[str], within: str | None = None) -> list[Element]:
    found = [_element(tag, href=href) for href in hrefs]
    return found if within is None else [_element(within, [each]) for each in found]


def _import(each: Import) -> Element:
    return _element(
        "import", name=each.name, namespace=each.namespace, locationURI=each.location, importType=each.import_type
    )


def _item(tag: str, item: ItemDefinition) -> Element:
    function = None
    if item.is_function:
        parameters = [_information("parameters", each) for each in item.parameters]
        function = _element("functionItem", parameters, outputTypeRef=item.result)
    parts = [
        _text("typeRef", item.type_ref),
        _tests("allowedValues", item.allowed_values),
        _tests("typeConstraint", item.type_constraint),
        *(_item("itemComponent", each) for each in item.components),
        function,
    ]
    return _element(tag, parts, id=item.id, name=item.name, isCollection="true" if item.is_collection else None)


def _input_data(data: InputData) -> Element:
    return _element("inputData", [_information("variable", data.variable)], id=data.id, name=data.name)


def _service(service: DecisionService) -> Element:
    parts = [
        _information("variable", service.variable),
        *_references("outputDecision", service.output_decisions),
        *_references("encapsulatedDecision", service.encapsulated_decisions),
        *_references("inputDecision", service.input_decisions),
        *_references("inputData", service.input_data),
    ]
    return _element("decisionService", parts, id=service.id, name=service.name)


def _input(column: Input, expression: Element) -> Element:
    return _element("input", [expression, _tests("inputValues", column.values)], id=column.id, label=column.label)


def _output(column: Output) -> Element:
    parts = [_tests("outputValues", column.values), _tests("defaultOutputEntry", column.default)]
    return _element("output", parts, id=column.id, name=column.name, label=column.label, typeRef=column.type_ref)


def _rule(rule: Rule) -> Element:
    parts = [
        _text("description", rule.description),
        *(_tests("inputEntry", text) for text in rule.inputs),
        *(_tests("outputEntry", text) for text in rule.outputs),
        *(_tests("annotationEntry", text) for text in rule.annotations),
    ]
    return _element("rule", parts, id=rule.id)


class _Builder:
    """Builds what holds expressions; `language` is the one of texts that do not name theirs, None for FEEL."""

    def __init__(self, language: str | None) -> None:
        self._language = language

    def decision(self, decision: Decision) -> Element:
        parts = [
            _text("description", decision.description),
            _text("question", decision.question),
            _text("allowedAnswers", decision.allowed_answers),
            _information("variable", decision.variable),
            *_references("requiredInput", decision.required_inputs, "informationRequirement"),
            *_references("requiredDecision", decision.required_decisions, "informationRequirement"),
            *_references("requiredKnowledge", decision.required_knowledge, "knowledgeRequirement"),
            self._box(decision.expression),
        ]
        return _element("decision", parts, id=decision.id, name=decision.name)

    def knowledge(self, knowledge: BusinessKnowledgeModel) -> Element:
        parts = [
            _information("variable", knowledge.variable),
            None if knowledge.logic is None else self._function(knowledge.logic, "encapsulatedLogic"),
            *_references("requiredKnowledge", knowledge.required_knowledge, "knowledgeRequirement"),
        ]
        return _element("businessKnowledgeModel", parts, id=knowledge.id, name=knowledge.name)

    def _box(self, expression: Expression | None) -> Element | None:
        match expression:
            case None:
                return None
            case LiteralExpression():
                return self._literal("literalExpression", expression)
            case FunctionDefinition():
                return self._function(expression, "functionDefinition")
            case DecisionTable():
                return self._table(expression)
            case Iterate():
                return self._iterate(expression)
            case _:
                tag, parts = self._plain(expression)
                return _element(tag, parts, id=expression.id, typeRef=expression.type_ref)

    def _plain(
        self, box: Context | List | Relation | Invocation | Conditional | Filter
    ) -> tuple[str, list[Element | None]]:
        """The tag and the children of a box that has no attributes of its own."""
        match box:
            case Context():
                return "context", [self._named("contextEntry", "variable", e.variable, e.value) for e in box.entries]
            case List():
                return "list", [self._cell(each) for each in box.items]
            case Relation():
                columns = [_information("column", each) for each in box.columns]
                return "relation", [*columns, *(_element("row", map(self._cell, row)) for row in box.rows)]
            case Invocation():
                bindings = [self._named("binding", "parameter", e.parameter, e.value) for e in box.bindings]
                return "invocation", [self._box(box.function), *bindings]
            case Conditional():
                parts = {"if": box.condition, "then": box.then, "else": box.otherwise}
                return "conditional", [_element(tag, [self._box(part)]) for tag, part in parts.items()]
            case Filter():
                return "filter", [_element("in", [self._box(box.source)]), _element("match", [self._box(box.match)])]

    def _named(self, tag: str, item: str, name: InformationItem | None, value: Expression | None) -> Element:
        return _element(tag, [None if name is None else _information(item, name), self._box(value)])

    def _cell(self, expression: Expression | None) -> Element:
        """An expression that keeps its place: where there is none stands a literal without a text."""
        return _element("literalExpression") if expression is None else self._box(expression)

    def _literal(self, tag: str, literal: LiteralExpression) -> Element:
        language = (literal.language or FEEL) if literal.language != self._language else None
        return _element(
            tag, [_text("text", literal.text)], id=literal.id, typeRef=literal.type_ref, expressionLanguage=language
        )

    def _function(self, function: FunctionDefinition, tag: str) -> Element:
        parts = [*(_information("formalParameter", each) for each in function.parameters), self._box(function.body)]
        kind = None if function.kind == "FEEL" else function.kind
        return _element(tag, parts, id=function.id, typeRef=function.type_ref, kind=kind)

    def _iterate(self, box: Iterate) -> Element:
        result = "return" if box.kind is IteratorKind.FOR else "satisfies"
        parts = [_element("in", [self._box(box.source)]), _element(result, [self._box(box.body)])]
        return _element(box.kind.value, parts, id=box.id, typeRef=box.type_ref, iteratorVariable=box.variable)

    def _table(self, table: DecisionTable) -> Element:
        parts = [
            *(_input(each, self._literal("inputExpression", each.expression)) for each in table.inputs),
            *(_output(each) for each in table.outputs),
            *(_element("annotation", name=name) for name in table.annotations),
            *(_rule(each) for each in table.rules),
        ]
        return _element(
            "decisionTable",
            parts,
            id=table.id,
            typeRef=table.type_ref,
            hitPolicy=None if table.hit_policy is HitPolicy.UNIQUE else table.hit_policy.value,
            aggregation=None if table.aggregation is None else table.aggregation.value,
            outputLabel=table.output_label,
        )
