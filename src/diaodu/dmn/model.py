"""The metamodel of DMN 1.5 as far as it is executed; names are the standard's.

Expressions are FEEL texts as they are written. What is not modelled here (diagrams, knowledge sources, extensions)
stays in ``Definitions.source`` and is written back as it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class HitPolicy(StrEnum):
    """Which of the rules that match give the result (DMN 1.5, 8.2.11)."""

    UNIQUE = "UNIQUE"
    FIRST = "FIRST"
    PRIORITY = "PRIORITY"
    ANY = "ANY"
    COLLECT = "COLLECT"
    RULE_ORDER = "RULE ORDER"
    OUTPUT_ORDER = "OUTPUT ORDER"


class Aggregation(StrEnum):
    """What a collecting table makes of its results."""

    SUM = "SUM"
    COUNT = "COUNT"
    MIN = "MIN"
    MAX = "MAX"


class IteratorKind(StrEnum):
    """The boxed iterators."""

    FOR = "for"
    SOME = "some"
    EVERY = "every"


@dataclass(frozen=True, kw_only=True)
class LiteralExpression:
    """A FEEL text; ``language`` is the URI of another language, which cannot be executed."""

    text: str
    id: str | None = None
    type_ref: str | None = None
    language: str | None = None


@dataclass(frozen=True, kw_only=True)
class InformationItem:
    """A name with its type: a variable, a parameter, a column."""

    name: str
    type_ref: str | None = None
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ContextEntry:
    """An entry of a boxed context; the one without a variable is the result of the context."""

    variable: InformationItem | None
    value: "Expression | None"


@dataclass(frozen=True, kw_only=True)
class Context:
    entries: tuple[ContextEntry, ...]
    id: str | None = None
    type_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class List:
    items: "tuple[Expression | None, ...]"
    id: str | None = None
    type_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A list of contexts, written as a table."""

    columns: tuple[InformationItem, ...]
    rows: "tuple[tuple[Expression | None, ...], ...]"
    id: str | None = None
    type_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A parameter and what is passed for it."""

    parameter: InformationItem
    value: "Expression | None"


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """A call with named parameters."""

    function: "Expression | None"
    bindings: tuple[Binding, ...]
    id: str | None = None
    type_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class FunctionDefinition:
    """A function; ``kind`` is FEEL, Java or PMML, of which only FEEL is executed."""

    parameters: tuple[InformationItem, ...]
    body: "Expression | None"
    kind: str = "FEEL"
    id: str | None = None
    type_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class Conditional:
    condition: "Expression | None"
    then: "Expression | None"
    otherwise: "Expression | None"
    id: str | None = None
    type_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class Filter:
    source: "Expression | None"
    match: "Expression | None"
    id: str | None = None
    type_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class Iterate:
    """A boxed for, some or every."""

    kind: IteratorKind
    variable: str
    source: "Expression | None"
    body: "Expression | None"
    id: str | None = None
    type_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class Input:
    """A column of conditions; ``values`` are the unary tests of what may come in."""

    expression: LiteralExpression
    label: str | None = None
    values: str | None = None
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Output:
    """A column of results; ``name`` is needed when there are several; ``values`` are in order of priority."""

    name: str | None = None
    label: str | None = None
    type_ref: str | None = None
    values: str | None = None
    default: str | None = None
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A row: unary tests per input, expressions per output, remarks per annotation column."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    annotations: tuple[str, ...] = ()
    description: str | None = None
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class DecisionTable:
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    hit_policy: HitPolicy = HitPolicy.UNIQUE
    aggregation: Aggregation | None = None
    annotations: tuple[str, ...] = ()  # the names of the annotation columns
    output_label: str | None = None
    id: str | None = None
    type_ref: str | None = None


Expression: TypeAlias = (
    LiteralExpression
    | Context
    | List
    | Relation
    | Invocation
    | FunctionDefinition
    | Conditional
    | Filter
    | Iterate
    | DecisionTable
)


@dataclass(frozen=True, kw_only=True)
class ItemDefinition:
    """A type; with ``components`` a structure, with ``parameters`` or ``result`` a function."""

    name: str
    type_ref: str | None = None
    allowed_values: str | None = None  # tests of each item of a collection
    type_constraint: str | None = None  # tests of the value as a whole
    is_collection: bool = False
    components: "tuple[ItemDefinition, ...]" = ()
    is_function: bool = False
    parameters: tuple[InformationItem, ...] = ()
    result: str | None = None
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Import:
    """Another model whose elements are read as entries of ``name``."""

    name: str
    namespace: str
    location: str | None = None
    import_type: str = ""


@dataclass(frozen=True, kw_only=True)
class InputData:
    id: str
    name: str
    variable: InformationItem


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision; requirements are hrefs (``#id`` or ``namespace#id``) as they are written."""

    id: str
    name: str
    variable: InformationItem
    expression: Expression | None
    required_inputs: tuple[str, ...] = ()
    required_decisions: tuple[str, ...] = ()
    required_knowledge: tuple[str, ...] = ()
    question: str | None = None
    allowed_answers: str | None = None
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class BusinessKnowledgeModel:
    """A function of the model."""

    id: str
    name: str
    variable: InformationItem
    logic: FunctionDefinition | None
    required_knowledge: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DecisionService:
    """A part of the requirement graph that can be called like a function; members are hrefs."""

    id: str
    name: str
    variable: InformationItem
    output_decisions: tuple[str, ...] = ()
    encapsulated_decisions: tuple[str, ...] = ()
    input_decisions: tuple[str, ...] = ()
    input_data: tuple[str, ...] = ()


Element: TypeAlias = InputData | Decision | BusinessKnowledgeModel | DecisionService


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """A model; ``source`` is the XML that it was read from, whose foreign parts are written back."""

    id: str | None
    name: str
    namespace: str
    imports: tuple[Import, ...] = ()
    item_definitions: tuple[ItemDefinition, ...] = ()
    input_data: tuple[InputData, ...] = ()
    decisions: tuple[Decision, ...] = ()
    knowledge_models: tuple[BusinessKnowledgeModel, ...] = ()
    services: tuple[DecisionService, ...] = ()
    expression_language: str | None = None
    type_language: str | None = None
    description: str | None = None
    source: bytes | None = None

    def elements(self) -> Iterator[Element]:
        """All elements of the requirement graph."""
        yield from self.input_data
        yield from self.decisions
        yield from self.knowledge_models
        yield from self.services
