"""DMN 1.1 to 1.5 XML to the metamodel; finds every problem at once and refuses with all of them."""

from diaodu.dmn.document import Element, M, current, graph_elements, identify, parse, plain_types
from diaodu.dmn.model import (
    BusinessKnowledgeModel,
    Decision,
    DecisionService,
    Definitions,
    Import,
    InformationItem,
    InputData,
    ItemDefinition,
)
from diaodu.dmn.namespaces import is_feel
from diaodu.dmn.read_boxed import BoxedReader
from diaodu.dmn.read_errors import DmnReadError


def read_definitions(xml: bytes) -> Definitions:
    """The model of a DMN file, types as plain names and `source` the file itself.

    Elements of the requirement graph without an id get one. Raises DmnReadError with all problems.
    """
    root = current(parse(xml))
    plain_types(root)
    identify(root)
    reader = _Reader(root)
    definitions = reader.definitions(root, xml)
    if reader.problems:
        raise DmnReadError(sorted(set(reader.problems), key=lambda p: (p.line, p.element, p.code, p.message_en)))
    return definitions


class _Reader(BoxedReader):
    def __init__(self, root: Element) -> None:
        language = root.get("expressionLanguage") or ""
        super().__init__(None if not language or is_feel(language) else language)

    def definitions(self, root: Element, xml: bytes) -> Definitions:
        self._double_ids(root)
        types = root.get("typeLanguage") or ""
        return Definitions(
            id=root.get("id"),
            name=root.get("name") or "",
            namespace=self.attribute(root, "namespace"),
            imports=tuple(self._import(e) for e in root.iterchildren(M + "import")),
            item_definitions=tuple(self._item(e) for e in root.iterchildren(M + "itemDefinition")),
            input_data=tuple(self._input_data(e) for e in root.iterchildren(M + "inputData")),
            decisions=tuple(self._decision(e) for e in root.iterchildren(M + "decision")),
            knowledge_models=tuple(self._knowledge(e) for e in root.iterchildren(M + "businessKnowledgeModel")),
            services=tuple(self._service(e) for e in root.iterchildren(M + "decisionService")),
            expression_language=self.language,
            type_language=None if not types or is_feel(types) else types,
            description=self.text(root, "description"),
            source=xml,
        )

    def _double_ids(self, root: Element) -> None:
        seen: set[str] = set()
        for element in graph_elements(root):
            if (found := element.get("id")) in seen:
                self.problem("double-id", element, found)
            seen.add(found)

    def _import(self, element: Element) -> Import:
        return Import(
            name=element.get("name") or "",
            namespace=self.attribute(element, "namespace"),
            location=element.get("locationURI"),
            import_type=element.get("importType") or "",
        )

    def _item(self, element: Element) -> ItemDefinition:
        function = element.find(M + "functionItem")
        type_ref = (self.text(element, "typeRef") or "").strip()
        return ItemDefinition(
            name=self.attribute(element, "name"),
            type_ref=type_ref or None,
            allowed_values=self.tests(element, "allowedValues"),
            type_constraint=self.tests(element, "typeConstraint"),
            is_collection=self.flag(element, "isCollection"),
            components=tuple(self._item(e) for e in element.iterchildren(M + "itemComponent")),
            is_function=function is not None,
            parameters=() if function is None else self.items(function, "parameters"),
            result=None if function is None else function.get("outputTypeRef"),
            id=element.get("id"),
        )

    def _variable(self, element: Element) -> InformationItem:
        """The variable of an element; it has the element's name where it is left out."""
        name = self.attribute(element, "name")
        found = element.find(M + "variable")
        if found is None:
            return InformationItem(name=name)
        return InformationItem(name=found.get("name") or name, type_ref=found.get("typeRef"), id=found.get("id"))

    def _input_data(self, element: Element) -> InputData:
        return InputData(id=element.get("id"), name=self.attribute(element, "name"), variable=self._variable(element))

    def _decision(self, element: Element) -> Decision:
        return Decision(
            id=element.get("id"),
            name=self.attribute(element, "name"),
            variable=self._variable(element),
            expression=self.inside(element),
            required_inputs=self._required(element, "informationRequirement", "requiredInput"),
            required_decisions=self._required(element, "informationRequirement", "requiredDecision"),
            required_knowledge=self._required(element, "knowledgeRequirement", "requiredKnowledge"),
            question=self.text(element, "question"),
            allowed_answers=self.text(element, "allowedAnswers"),
            description=self.text(element, "description"),
        )

    def _knowledge(self, element: Element) -> BusinessKnowledgeModel:
        logic = element.find(M + "encapsulatedLogic")
        return BusinessKnowledgeModel(
            id=element.get("id"),
            name=self.attribute(element, "name"),
            variable=self._variable(element),
            logic=None if logic is None else self.function(logic),
            required_knowledge=self._required(element, "knowledgeRequirement", "requiredKnowledge"),
        )

    def _service(self, element: Element) -> DecisionService:
        return DecisionService(
            id=element.get("id"),
            name=self.attribute(element, "name"),
            variable=self._variable(element),
            output_decisions=self._hrefs(element, "outputDecision"),
            encapsulated_decisions=self._hrefs(element, "encapsulatedDecision"),
            input_decisions=self._hrefs(element, "inputDecision"),
            input_data=self._hrefs(element, "inputData"),
        )

    def _required(self, element: Element, requirement: str, what: str) -> tuple[str, ...]:
        return tuple(href for e in element.iterchildren(M + requirement) for href in self._hrefs(e, what))

    def _hrefs(self, element: Element, name: str) -> tuple[str, ...]:
        return tuple(self.attribute(e, "href").strip() for e in element.iterchildren(M + name))
