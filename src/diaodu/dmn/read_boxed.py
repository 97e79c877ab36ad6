"""The boxed expressions of DMN XML to the metamodel."""

from collections.abc import Callable
from typing import TypeVar

from diaodu.dmn.document import Element, M, local
from diaodu.dmn.model import (
    Aggregation,
    Binding,
    Conditional,
    Context,
    ContextEntry,
    DecisionTable,
    Expression,
    Filter,
    FunctionDefinition,
    HitPolicy,
    InformationItem,
    Input,
    Invocation,
    Iterate,
    IteratorKind,
    List,
    LiteralExpression,
    Output,
    Relation,
    Rule,
)
from diaodu.dmn.namespaces import is_feel
from diaodu.dmn.read_errors import ReadProblem, problem

_Choice = TypeVar("_Choice", HitPolicy, Aggregation)
FUNCTION_KINDS = ("FEEL", "Java", "PMML")


class BoxedReader:
    """Reads expressions and collects what is wrong; `language` is the model's own, None for FEEL."""

    def __init__(self, language: str | None) -> None:
        self.language = language
        self.problems: list[ReadProblem] = []
        self._boxes: dict[str, Callable[[Element], Expression]] = {
            M + "literalExpression": self.literal,
            M + "context": self._context,
            M + "list": self._list,
            M + "relation": self._relation,
            M + "invocation": self._invocation,
            M + "functionDefinition": self.function,
            M + "conditional": self._conditional,
            M + "filter": self._filter,
            M + "for": self._iterate,
            M + "some": self._iterate,
            M + "every": self._iterate,
            M + "decisionTable": self._table,
        }

    def problem(self, code: str, element: Element, what: object = "") -> None:
        place = element.get("id") or element.get("name") or f"<{local(element)}>"
        self.problems.append(problem(code, place, element.sourceline or 0, what))

    def attribute(self, element: Element, name: str) -> str:
        """An attribute that must be there and say something."""
        value: str = element.get(name) or ""
        if not value.strip():
            self.problem("missing-attribute", element, name)
        return value

    def flag(self, element: Element, name: str) -> bool:
        value = (element.get(name) or "false").strip()
        if value not in ("true", "false", "1", "0"):
            self.problem("bad-value", element, f'{name}="{value}"')
        return value in ("true", "1")

    def choice(self, element: Element, name: str, kind: type[_Choice]) -> _Choice | None:
        written = element.get(name)
        if written is None:
            return None
        try:
            return kind(written)
        except ValueError:
            self.problem("bad-value", element, f'{name}="{written}"')
            return None

    def text(self, element: Element, name: str) -> str | None:
        """The text of the child of that name, without comments; None when there is no such child."""
        found = element.find(M + name)
        if found is None:
            return None
        return "".join([found.text or "", *(child.tail or "" for child in found)])

    def tests(self, element: Element, name: str) -> str | None:
        """The unary tests of the child of that name."""
        found = element.find(M + name)
        return None if found is None else self.text(found, "text") or None

    def items(self, element: Element, name: str) -> tuple[InformationItem, ...]:
        return tuple(self._item_of(e) for e in element.iterchildren(M + name))

    def inside(self, element: Element) -> Expression | None:
        """The first expression in an element."""
        for child in element:
            if (read := self._boxes.get(child.tag)) is not None:
                return read(child)
        return None

    def function(self, element: Element) -> FunctionDefinition:
        kind = element.get("kind") or "FEEL"
        if kind not in FUNCTION_KINDS:
            self.problem("bad-value", element, f'kind="{kind}"')
        return FunctionDefinition(
            parameters=self.items(element, "formalParameter"),
            body=self.inside(element),
            kind=kind,
            **_common(element),
        )

    def literal(self, element: Element) -> LiteralExpression:
        language = element.get("expressionLanguage") or self.language
        if language is not None and is_feel(language):
            language = None
        return LiteralExpression(text=self.text(element, "text") or "", language=language, **_common(element))

    def _item_of(self, element: Element) -> InformationItem:
        return InformationItem(
            name=self.attribute(element, "name"), type_ref=element.get("typeRef"), id=element.get("id")
        )

    def _item_in(self, element: Element, name: str) -> InformationItem | None:
        found = element.find(M + name)
        return None if found is None else self._item_of(found)

    def _cells(self, element: Element) -> tuple[Expression | None, ...]:
        """The expressions in a list or a row; a literal without a text is an empty place."""
        found = (child for child in element if child.tag in self._boxes)
        return tuple(None if _is_empty(child) else self._boxes[child.tag](child) for child in found)

    def _child(self, element: Element, name: str) -> Expression | None:
        found = element.find(M + name)
        return None if found is None else self.inside(found)

    def _context(self, element: Element) -> Context:
        entries = (
            ContextEntry(variable=self._item_in(e, "variable"), value=self.inside(e))
            for e in element.iterchildren(M + "contextEntry")
        )
        return Context(entries=tuple(entries), **_common(element))

    def _list(self, element: Element) -> List:
        return List(items=self._cells(element), **_common(element))

    def _relation(self, element: Element) -> Relation:
        rows = tuple(self._cells(row) for row in element.iterchildren(M + "row"))
        return Relation(columns=self.items(element, "column"), rows=rows, **_common(element))

    def _invocation(self, element: Element) -> Invocation:
        bindings = []
        for each in element.iterchildren(M + "binding"):
            parameter = self._item_in(each, "parameter")
            if parameter is None:
                self.problem("missing", each, "parameter")
            else:
                bindings.append(Binding(parameter=parameter, value=self.inside(each)))
        return Invocation(function=self.inside(element), bindings=tuple(bindings), **_common(element))

    def _conditional(self, element: Element) -> Conditional:
        condition, then, otherwise = (self._child(element, name) for name in ("if", "then", "else"))
        return Conditional(condition=condition, then=then, otherwise=otherwise, **_common(element))

    def _filter(self, element: Element) -> Filter:
        return Filter(source=self._child(element, "in"), match=self._child(element, "match"), **_common(element))

    def _iterate(self, element: Element) -> Iterate:
        kind = IteratorKind(local(element))
        return Iterate(
            kind=kind,
            variable=self.attribute(element, "iteratorVariable"),
            source=self._child(element, "in"),
            body=self._child(element, "return" if kind is IteratorKind.FOR else "satisfies"),
            **_common(element),
        )

    def _table(self, element: Element) -> DecisionTable:
        return DecisionTable(
            inputs=tuple(self._input(e) for e in element.iterchildren(M + "input")),
            outputs=tuple(self._output(e) for e in element.iterchildren(M + "output")),
            rules=tuple(self._rule(e) for e in element.iterchildren(M + "rule")),
            hit_policy=self.choice(element, "hitPolicy", HitPolicy) or HitPolicy.UNIQUE,
            aggregation=self.choice(element, "aggregation", Aggregation),
            annotations=tuple(e.get("name") or "" for e in element.iterchildren(M + "annotation")),
            output_label=element.get("outputLabel"),
            **_common(element),
        )

    def _input(self, element: Element) -> Input:
        expression = element.find(M + "inputExpression")
        if expression is None:
            self.problem("missing", element, "inputExpression")
        return Input(
            expression=LiteralExpression(text="") if expression is None else self.literal(expression),
            label=element.get("label"),
            values=self.tests(element, "inputValues"),
            id=element.get("id"),
        )

    def _output(self, element: Element) -> Output:
        return Output(
            name=element.get("name"),
            label=element.get("label"),
            type_ref=element.get("typeRef"),
            values=self.tests(element, "outputValues"),
            default=self.tests(element, "defaultOutputEntry"),
            id=element.get("id"),
        )

    def _rule(self, element: Element) -> Rule:
        def cells(name: str) -> tuple[str, ...]:
            return tuple(self.text(e, "text") or "" for e in element.iterchildren(M + name))

        return Rule(
            inputs=cells("inputEntry"),
            outputs=cells("outputEntry"),
            annotations=cells("annotationEntry"),
            description=self.text(element, "description"),
            id=element.get("id"),
        )


def _common(element: Element) -> dict[str, str | None]:
    return {"id": element.get("id"), "type_ref": element.get("typeRef")}


def _is_empty(element: Element) -> bool:
    return bool(element.tag == M + "literalExpression" and element.find(M + "text") is None)
