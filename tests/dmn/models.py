"""Random models for tests: well-formed, not necessarily meaningful."""

from typing import Any

from hypothesis import strategies as st

from diaodu.dmn.model import (
    Aggregation,
    Binding,
    BusinessKnowledgeModel,
    Conditional,
    Context,
    ContextEntry,
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

LANGUAGES = (None, "urn:other", "urn:third")
_MARKS = st.sampled_from(["", "-", "< 5", '"五星"', " a\n+ b ", "x & <y>", "]]>", "\t1\r\n2"])
texts = _MARKS | st.text(alphabet="ab é客户.<&>\"'-\n", max_size=8)
names = st.sampled_from(["客户", "Loan amount", "级别", "a.b", "x"]) | st.text(
    alphabet="abc 户<&'", min_size=1, max_size=6
).filter(str.strip)
ids = st.none() | st.sampled_from([f"_{n}" for n in range(9)])
types = st.none() | st.sampled_from(["string", "number", "tLoan", "include.tLoan"])
hrefs = st.lists(st.sampled_from(["#_1", "#d-2", "urn:other#x"]), max_size=3).map(tuple)
items = st.builds(InformationItem, name=names, type_ref=types, id=ids)
literals = st.builds(LiteralExpression, text=texts, id=ids, type_ref=types, language=st.sampled_from(LANGUAGES))


def several(strategy: st.SearchStrategy, most: int = 3) -> st.SearchStrategy:
    return st.lists(strategy, max_size=most).map(tuple)


tables = st.builds(
    DecisionTable,
    inputs=several(st.builds(Input, expression=literals, label=st.none() | names, values=st.none() | names, id=ids)),
    outputs=several(
        st.builds(
            Output,
            name=st.none() | names,
            label=st.none() | names,
            type_ref=types,
            values=st.none() | names,
            default=st.none() | names,
            id=ids,
        )
    ),
    rules=several(
        st.builds(
            Rule,
            inputs=several(texts),
            outputs=several(texts),
            annotations=several(texts),
            description=st.none() | names,
            id=ids,
        )
    ),
    hit_policy=st.sampled_from(HitPolicy),
    aggregation=st.none() | st.sampled_from(Aggregation),
    annotations=several(names),
    output_label=st.none() | names,
    id=ids,
    type_ref=types,
)


def boxes(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    maybe = st.none() | inner
    common = {"id": ids, "type_ref": types}
    return st.one_of(
        st.builds(Context, entries=several(st.builds(ContextEntry, variable=st.none() | items, value=maybe)), **common),
        st.builds(List, items=several(maybe), **common),
        st.builds(Relation, columns=several(items), rows=several(several(maybe)), **common),
        st.builds(
            Invocation, function=maybe, bindings=several(st.builds(Binding, parameter=items, value=maybe)), **common
        ),
        functions(maybe),
        st.builds(Conditional, condition=maybe, then=maybe, otherwise=maybe, **common),
        st.builds(Filter, source=maybe, match=maybe, **common),
        st.builds(Iterate, kind=st.sampled_from(IteratorKind), variable=names, source=maybe, body=maybe, **common),
    )


def functions(body: st.SearchStrategy[Expression | None]) -> st.SearchStrategy[FunctionDefinition]:
    return st.builds(
        FunctionDefinition,
        parameters=several(items),
        body=body,
        kind=st.sampled_from(["FEEL", "Java", "PMML"]),
        id=ids,
        type_ref=types,
    )


expressions: st.SearchStrategy[Expression] = st.recursive(literals | tables, boxes, max_leaves=6)
item_definitions = st.recursive(
    st.builds(
        ItemDefinition,
        name=names,
        type_ref=types,
        allowed_values=st.none() | names,
        type_constraint=st.none() | names,
        is_collection=st.booleans(),
        id=ids,
    ),
    lambda inner: (
        st.builds(ItemDefinition, name=names, components=several(inner), is_collection=st.booleans(), id=ids)
        | st.builds(
            ItemDefinition, name=names, is_function=st.just(value=True), parameters=several(items), result=types
        )
    ),
    max_leaves=4,
)


@st.composite
def definitions(draw: st.DrawFn) -> Definitions:
    """A whole model, made by code."""
    own = iter(draw(st.permutations([f"e{n}" for n in range(16)])))

    def some(kind: type, **parts: st.SearchStrategy) -> tuple[Any, ...]:
        count = draw(st.integers(0, 3))
        return tuple(
            draw(st.builds(kind, id=st.just(next(own)), name=names, variable=items, **parts)) for _ in range(count)
        )

    imports = st.builds(
        Import, name=st.just("") | names, namespace=names, location=st.none() | names, import_type=texts
    )
    body = st.none() | expressions
    return Definitions(
        id=draw(ids),
        name=draw(names),
        namespace="urn:test",
        imports=draw(several(imports)),
        item_definitions=draw(several(item_definitions)),
        input_data=some(InputData),
        decisions=some(
            Decision,
            expression=body,
            required_inputs=hrefs,
            required_decisions=hrefs,
            required_knowledge=hrefs,
            question=st.none() | texts,
            allowed_answers=st.none() | texts,
            description=st.none() | texts,
        ),
        knowledge_models=some(BusinessKnowledgeModel, logic=st.none() | functions(body), required_knowledge=hrefs),
        services=some(
            DecisionService,
            output_decisions=hrefs,
            encapsulated_decisions=hrefs,
            input_decisions=hrefs,
            input_data=hrefs,
        ),
        expression_language=draw(st.sampled_from(LANGUAGES)),
        type_language=draw(st.none() | st.just("urn:types")),
        description=draw(st.none() | texts),
    )
