"""Arbitrary models of decision tables, and what a workbook makes of them."""

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
from diaodu.rules.model import TestCase

TYPES = st.sampled_from(
    [None, "string", "number", "boolean", "date", "time", "date and time", "dateTime", "feel:string", "t等级", "t未知"]
)
ANYTHING = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
WORDS = st.text(alphabet="五星四级ab1 -,，、；;\"“”'()（）非not<>=＞.?+*/@\\\n_x0", max_size=14)
LITERALS = st.one_of(
    st.sampled_from(
        [
            "-",
            "",
            "null",
            "true",
            "false",
            '"五星"',
            '"五星", "四星"',
            'not("五星", "四星")',
            '"a", "b,c"',
            '"-"',
            '"null"',
            '"true"',
            '"0571"',
            '"=1+1"',
            '"say \\"hi\\""',
            '"line\\none"',
            '"back\\\\slash"',
            "五星",
            "客户.级别",
            ">= 10",
            "=5",
            "1,000",
            "1, 2, 3",
            "[1..5]",
            "]1..5[",
            "not(1, 2)",
            "0.10",
            "-0",
            "007",
            "123456789012345",
            "1234567890123456",
            "123456789012345678901234567890",
            "0.000000000000000000000000000001",
            'date("2025-02-28")',
            'date("1899-12-31")',
            'date("1900-03-01")',
            'date("9999-12-31")',
            '@"2025-02-28"',
            'date and time("2025-02-28T00:00:00")',
            'date and time("2025-02-28T23:59:59")',
            'date and time("2025-02-28T23:59:59.123Z")',
            'time("10:00:00")',
            'time("00:00:00")',
            'time("23:59:59")',
            'time("10:00:00+08:00")',
            'duration("PT36H")',
            'duration("P1Y2M")',
            "FEEL: x",
            "JSON: 1",
            "#N/A",
            "if a then 1\nelse 2 // 说明，“甲”",
            "_x0041_",
        ]
    ),
    st.integers(-(10**16), 10**16).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(lambda d: format(d, "f")),
    st.dates().map(lambda d: f'date("{d.isoformat()}")'),
    st.datetimes().map(lambda d: f'date and time("{d.replace(microsecond=0).isoformat()}")'),
    st.times().map(lambda t: f'time("{t.replace(microsecond=0).isoformat()}")'),
    ANYTHING,
    WORDS,
    WORDS.map(lambda w: '"' + w.replace("\\", "\\\\").replace('"', '\\"') + '"'),
)
NAMES = st.text(alphabet="客户级别订单ab 1.+'", min_size=1, max_size=8).map(str.strip).filter(bool)
OPTIONAL = st.none() | LITERALS.map(str.strip).map(lambda text: text or None)
LABELS = st.none() | ANYTHING.map(str.strip).map(lambda text: text or None)
ITEMS = (
    ItemDefinition(name="t等级", type_ref="string", allowed_values='"五星", "四星"'),
    ItemDefinition(name="t表", is_collection=True, components=(ItemDefinition(name="甲", type_ref="number"),)),
)


@st.composite
def tables(draw: st.DrawFn) -> DecisionTable:
    """A table of any hit policy."""
    inputs = draw(
        st.lists(
            st.builds(
                Input,
                expression=st.builds(
                    LiteralExpression, text=st.one_of(NAMES, LITERALS).filter(str.strip), type_ref=TYPES
                ),
                label=LABELS,
                values=OPTIONAL,
            ),
            max_size=3,
        )
    )
    outputs = draw(
        st.lists(
            st.builds(Output, name=NAMES, label=LABELS, type_ref=TYPES, values=OPTIONAL, default=OPTIONAL),
            min_size=1,
            max_size=3,
        )
    )
    remarks = draw(st.lists(ANYTHING, max_size=2))
    rules = draw(
        st.lists(
            st.builds(
                Rule,
                inputs=st.tuples(*[LITERALS] * len(inputs)),
                outputs=st.tuples(*[LITERALS] * len(outputs)),
                annotations=st.tuples(*[ANYTHING] * len(remarks)),
                description=LABELS,
            ),
            max_size=4,
        )
    )
    policy = draw(st.sampled_from(HitPolicy))
    return DecisionTable(
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        rules=tuple(rules),
        hit_policy=policy,
        aggregation=draw(st.none() | st.sampled_from(Aggregation)) if policy is HitPolicy.COLLECT else None,
        annotations=tuple(remarks),
        output_label=draw(LABELS),
        type_ref=draw(st.sampled_from([None, None, "t等级"])),
    )


def expressions() -> st.SearchStrategy:
    """Any boxed expression."""
    variable = st.builds(InformationItem, name=NAMES, type_ref=TYPES)
    leaf = st.one_of(st.builds(LiteralExpression, text=LITERALS, type_ref=TYPES), tables())

    def boxed(inner: st.SearchStrategy) -> st.SearchStrategy:
        some = st.none() | inner
        many = st.lists(some, max_size=2).map(tuple)
        return st.one_of(
            st.builds(
                Context,
                entries=st.lists(st.builds(ContextEntry, variable=st.none() | variable, value=some), max_size=2).map(
                    tuple
                ),
                type_ref=TYPES,
            ),
            st.builds(List, items=many),
            st.builds(
                Relation, columns=st.lists(variable, max_size=2).map(tuple), rows=st.lists(many, max_size=2).map(tuple)
            ),
            st.builds(
                Invocation,
                function=some,
                bindings=st.lists(st.builds(Binding, parameter=variable, value=some), max_size=2).map(tuple),
            ),
            st.builds(
                FunctionDefinition,
                parameters=st.lists(variable, max_size=2).map(tuple),
                body=some,
                kind=st.sampled_from(["FEEL", "Java"]),
            ),
            st.builds(Conditional, condition=some, then=some, otherwise=some),
            st.builds(Filter, source=some, match=some),
            st.builds(Iterate, kind=st.sampled_from(IteratorKind), variable=NAMES, source=some, body=some),
        )

    return st.recursive(leaf, boxed, max_leaves=4)


@st.composite
def models(draw: st.DrawFn) -> Definitions:
    """A model with all that a model may hold."""
    names = draw(st.lists(NAMES, min_size=5, max_size=5, unique=True))
    expression = draw(expressions())
    service = DecisionService(
        id="s1",
        name=names[3],
        variable=InformationItem(name=names[3]),
        output_decisions=("#d1",),
        input_data=("#i1",),
        encapsulated_decisions=("urn:elsewhere#d",),
    )
    return Definitions(
        id="m",
        name=draw(NAMES),
        namespace="urn:test",
        imports=draw(st.sampled_from([(), (Import(name="别处", namespace="urn:elsewhere", import_type="dmn"),)])),
        item_definitions=draw(st.sampled_from([(), ITEMS])),
        input_data=(InputData(id="i1", name=names[0], variable=InformationItem(name=names[0], type_ref=draw(TYPES))),),
        decisions=(
            Decision(
                id="d1",
                name=names[1],
                variable=InformationItem(name=names[1], type_ref=draw(TYPES)),
                expression=expression,
                required_inputs=("#i1",),
                required_knowledge=("#b1",),
                description=draw(LABELS),
            ),
            Decision(id="d2", name=names[4], variable=InformationItem(name=names[4]), expression=draw(tables())),
        ),
        knowledge_models=(
            BusinessKnowledgeModel(
                id="b1",
                name=names[2],
                variable=InformationItem(name=names[2]),
                logic=draw(
                    st.none() | st.builds(FunctionDefinition, parameters=st.just(()), body=st.none() | expressions())
                ),
            ),
        ),
        services=(service,),
        description=draw(LABELS),
    )


PLAIN = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        ANYTHING,
        st.sampled_from(
            [
                "true",
                "null",
                "1",
                '@"2025-02-28"',
                '@"2025-02-28T10:00:00"',
                '@"10:00:00"',
                '@"PT1H"',
                "@1.5",
                "@@x",
                "JSON: 1",
            ]
        ),
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["客户", "a.b", "", " ", "级别", "x"]), inner, max_size=2)
    ),
    max_leaves=5,
)
CASES = st.lists(
    st.builds(
        TestCase,
        name=ANYTHING.map(str.strip).filter(bool),
        inputs=st.dictionaries(st.sampled_from(["客户", "a.b", "订单 金额", "级别"]), PLAIN, max_size=3),
        expected=PLAIN,
    ),
    max_size=3,
).map(tuple)
