"""Short forms of models for tests."""

from collections.abc import Mapping

from diaodu.dmn.compile import Model, compile_model
from diaodu.dmn.model import (
    BusinessKnowledgeModel,
    Decision,
    DecisionService,
    Definitions,
    Expression,
    FunctionDefinition,
    Import,
    InformationItem,
    InputData,
    ItemDefinition,
    LiteralExpression,
)

DMN = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def text(feel: str, type_ref: str | None = None) -> LiteralExpression:
    return LiteralExpression(text=feel, type_ref=type_ref)


def var(name: str, type_ref: str | None = None) -> InformationItem:
    return InformationItem(name=name, type_ref=type_ref)


def given(name: str, type_ref: str | None = None) -> InputData:
    return InputData(id=name, name=name, variable=var(name, type_ref))


def decision(
    name: str,
    logic: Expression | str | None,
    *,
    inputs: tuple[str, ...] = (),
    decisions: tuple[str, ...] = (),
    knowledge: tuple[str, ...] = (),
    type_ref: str | None = None,
) -> Decision:
    """A decision whose id is its name; requirements are hrefs, or names of this model."""
    return Decision(
        id=name,
        name=name,
        variable=var(name, type_ref),
        expression=text(logic) if isinstance(logic, str) else logic,
        required_inputs=tuple(map(href, inputs)),
        required_decisions=tuple(map(href, decisions)),
        required_knowledge=tuple(map(href, knowledge)),
    )


def function(
    parameters: tuple[InformationItem, ...], body: Expression | str | None, type_ref: str | None = None
) -> FunctionDefinition:
    return FunctionDefinition(
        parameters=parameters, body=text(body) if isinstance(body, str) else body, type_ref=type_ref
    )


def knowledge(
    name: str, logic: FunctionDefinition | None, *, needs: tuple[str, ...] = (), type_ref: str | None = None
) -> BusinessKnowledgeModel:
    return BusinessKnowledgeModel(
        id=name,
        name=name,
        variable=var(name, type_ref),
        logic=logic,
        required_knowledge=tuple(map(href, needs)),
    )


def service(
    name: str,
    outputs: tuple[str, ...],
    *,
    data: tuple[str, ...] = (),
    decisions: tuple[str, ...] = (),
    type_ref: str | None = None,
) -> DecisionService:
    return DecisionService(
        id=name,
        name=name,
        variable=var(name, type_ref),
        output_decisions=tuple(map(href, outputs)),
        input_data=tuple(map(href, data)),
        input_decisions=tuple(map(href, decisions)),
    )


def href(name: str) -> str:
    return name if "#" in name else f"#{name}"


def imported(name: str, namespace: str) -> Import:
    return Import(name=name, namespace=namespace, import_type=DMN)


def definitions(
    *elements: Decision | InputData | BusinessKnowledgeModel | DecisionService,
    items: tuple[ItemDefinition, ...] = (),
    imports: tuple[Import, ...] = (),
    namespace: str = "root",
) -> Definitions:
    return Definitions(
        id=namespace,
        name=namespace,
        namespace=namespace,
        imports=imports,
        item_definitions=items,
        input_data=tuple(each for each in elements if isinstance(each, InputData)),
        decisions=tuple(each for each in elements if isinstance(each, Decision)),
        knowledge_models=tuple(each for each in elements if isinstance(each, BusinessKnowledgeModel)),
        services=tuple(each for each in elements if isinstance(each, DecisionService)),
    )


def model(
    *elements: Decision | InputData | BusinessKnowledgeModel | DecisionService,
    items: tuple[ItemDefinition, ...] = (),
    imports: tuple[Import, ...] = (),
    others: Mapping[str, Definitions] | None = None,
) -> Model:
    return compile_model(definitions(*elements, items=items, imports=imports), others)


def value(logic: Expression | str, inputs: Mapping[str, object] | None = None, type_ref: str | None = None) -> object:
    """What a single decision gives that reads these inputs."""
    inputs = inputs or {}
    built = model(*map(given, inputs), decision("d", logic, inputs=tuple(inputs), type_ref=type_ref))
    return built.decide("d", inputs).value
