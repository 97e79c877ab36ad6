"""Boxed expressions: what each kind gives, which names it knows, and what it says when it cannot."""

from decimal import Decimal

import pytest
from tests.dmn.logic import decision, function, knowledge, model, text, value, var

from diaodu.dmn.model import (
    Binding,
    Conditional,
    Context,
    ContextEntry,
    DecisionTable,
    Expression,
    Filter,
    FunctionDefinition,
    HitPolicy,
    Input,
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

ONE, TWO, THREE = Decimal(1), Decimal(2), Decimal(3)


def context(result: Expression | str | None = None, **entries: Expression | str | None) -> Context:
    """A boxed context; underscores of the names are spaces."""
    made = [
        ContextEntry(variable=var(name.replace("_", " ")), value=text(each) if isinstance(each, str) else each)
        for name, each in entries.items()
    ]
    if result is not None:
        made.append(ContextEntry(variable=None, value=text(result) if isinstance(result, str) else result))
    return Context(entries=tuple(made))


def table(*rules: tuple[str, str], of: str, output: Output | None = None) -> DecisionTable:
    return DecisionTable(
        inputs=(Input(expression=text(of)),),
        outputs=(output or Output(),),
        rules=tuple(Rule(inputs=(test,), outputs=(result,)) for test, result in rules),
        hit_policy=HitPolicy.FIRST,
    )


def test_later_entries_of_a_context_know_earlier_ones_and_the_result_is_the_value() -> None:
    entries = {"net_price": "10", "tax": "net price * 0.2"}
    assert value(context(**entries)) == {"net price": Decimal(10), "tax": Decimal("2.0")}
    assert value(context("net price + tax", **entries)) == Decimal("12.0")
    assert value(context(a="b", b="1")) == {"a": None, "b": ONE}


def test_entries_hide_inputs_only_after_they_are_defined() -> None:
    assert value(context(x="x + 1", y="x"), {"x": 1}) == {"x": TWO, "y": TWO}


def test_entries_are_converted_to_their_types() -> None:
    boxed = Context(
        entries=(
            ContextEntry(variable=var("a", "number"), value=text('"1"')),
            ContextEntry(variable=var("b", "string"), value=text('["1"]')),
        )
    )
    assert value(boxed) == {"a": None, "b": "1"}


def test_an_entry_given_twice_makes_the_context_null() -> None:
    entry = ContextEntry(variable=var("a"), value=text("1"))
    assert value(Context(entries=(entry, entry))) is None


def test_functions_of_a_context_may_call_themselves_and_have_names_of_several_words() -> None:
    logic = function((var("how many", "number"),), "if how many = 0 then 0 else 2 + sum up(how many - 1)")
    assert value(context("sum up(3)", sum_up=logic)) == Decimal(6)
    written = "function(n) if n = 0 then 0 else 2 + total of(n - 1)"
    assert value(context("total of(3)", total_of=written)) == Decimal(6)


def test_names_of_nested_contexts_with_signs_are_read_in_paths() -> None:
    inner = Context(entries=(ContextEntry(variable=var("pre-tax"), value=text("5")),))
    outer = Context(
        entries=(
            ContextEntry(variable=var("price"), value=inner),
            ContextEntry(variable=None, value=text("price.pre-tax - 1")),
        )
    )
    assert value(outer) == Decimal(4)
    built = model(decision("price", inner), decision("d", "price.pre-tax", decisions=("price",)))
    assert built.decide("d", {}).value == Decimal(5)


def test_lists_and_relations() -> None:
    assert value(List(items=(text("1"), None, text('"a"')))) == [ONE, None, "a"]
    relation = Relation(
        columns=(var("name", "string"), var("unit-price", "number")),
        rows=((text('"a"'), text("1")), (text('"b"'), text('"2"')), (text("x"),)),
    )
    assert value(relation, {"x": "c"}) == [
        {"name": "a", "unit-price": ONE},
        {"name": "b", "unit-price": None},
        {"name": "c", "unit-price": None},
    ]
    assert value(context('sum(r[name = "a"].unit-price)', r=relation), {"x": "c"}) == ONE


def test_invocations_pass_arguments_by_name_with_their_types() -> None:
    def call(**arguments: str) -> object:
        bindings = tuple(
            Binding(parameter=var(name.replace("_", " ")), value=text(each)) for name, each in arguments.items()
        )
        built = model(
            knowledge("minus one", function((var("first one", "number"), var("other", "number")), "first one - other")),
            decision("d", Invocation(function=text("minus one"), bindings=bindings), knowledge=("minus one",)),
        )
        return built.decide("d", {}).value

    assert call(other="1", first_one="3") == TWO
    assert call(first_one="3") is None
    assert call(first_one="3", other='"1"') is None
    assert call(first_one="3", other="1", third="1") is None


def test_invocations_of_built_in_functions_and_of_functions_that_are_values() -> None:
    names = (("string", '"abc"'), ("start position", "2"))
    bindings = tuple(Binding(parameter=var(name), value=text(each)) for name, each in names)
    assert value(Invocation(function=text("substring"), bindings=bindings)) == "bc"
    made = Invocation(function=function((var("a"),), "a + 1"), bindings=(Binding(parameter=var("a"), value=text("1")),))
    assert value(made) == TWO
    assert value(Invocation(function=text("5"), bindings=())) is None
    assert value(Invocation(function=None, bindings=())) is None


def test_conditionals() -> None:
    def choose(condition: str) -> object:
        return value(Conditional(condition=text(condition), then=text("1"), otherwise=text("2")), {"x": 5})

    assert [choose("x > 4"), choose("x > 5"), choose("null"), choose('"a"')] == [ONE, TWO, TWO, TWO]
    assert value(Conditional(condition=text("true"), then=None, otherwise=text("2"))) is None


def test_filters_know_the_item_and_its_entries() -> None:
    source = List(items=tuple(context(net_price=str(n), kind='"a"') for n in (1, 2, 3)))
    assert value(context("r[1].net price", r=Filter(source=source, match=text("net price > 1")))) == TWO
    assert value(Filter(source=text("[1, 2, 3]"), match=text("item >= 2"))) == [TWO, THREE]
    assert value(Filter(source=text("[1, 2, 3]"), match=text("-1"))) == THREE
    assert value(Filter(source=text("[]"), match=text("item > 1"))) == []
    assert value(Filter(source=text("[1, 2]"), match=text('"no boolean"'))) is None
    assert value(Filter(source=text("null"), match=text("true"))) is None


@pytest.mark.parametrize(
    ("kind", "source", "body", "expected"),
    [
        (IteratorKind.FOR, "[1, 2]", "each one * 2", [TWO, Decimal(4)]),
        (IteratorKind.FOR, "1..3", "each one + sum(partial)", None),
        (IteratorKind.FOR, "[1, 2, 3]", "each one + count(partial)", [ONE, THREE, Decimal(5)]),
        (IteratorKind.FOR, "[]", "each one", []),
        (IteratorKind.FOR, "[1..3]", "each one", [ONE, TWO, THREE]),
        (IteratorKind.FOR, "null", "each one", None),
        (IteratorKind.SOME, "[1, 2]", "each one > 1", True),
        (IteratorKind.SOME, "[1, null]", "each one > 1", None),
        (IteratorKind.SOME, "[]", "true", False),
        (IteratorKind.EVERY, "[1, 2]", "each one > 0", True),
        (IteratorKind.EVERY, "[1, null, -1]", "each one > 0", False),
        (IteratorKind.EVERY, "[]", "false", True),
        (IteratorKind.EVERY, "[1]", '"no boolean"', None),
    ],
)
def test_iterators(kind: IteratorKind, source: str, body: str, expected: object) -> None:
    assert value(Iterate(kind=kind, variable="each one", source=text(source), body=text(body))) == expected


def test_tables_within_contexts_and_functions_read_the_names_around_them() -> None:
    rates = table(("< limit", "0.1"), ("-", "0.2"), of="net price")
    assert value(context("net price * rate", limit="100", net_price="x", rate=rates), {"x": 50}) == Decimal("5.0")
    built = model(
        knowledge("rate of", function((var("net price"), var("limit")), rates)),
        decision("d", "[rate of(1, 2), rate of(limit: 2, net price: 3)]", knowledge=("rate of",)),
    )
    outcome = built.decide("d", {})
    assert outcome.value == [Decimal("0.1"), Decimal("0.2")]
    assert [(each.element, each.rules) for each in outcome.tables] == [("rate of", (1,)), ("rate of", (2,))]


def test_tables_of_several_columns_give_contexts_whose_names_can_be_read() -> None:
    outputs = (Output(name="pre-tax", type_ref="number"), Output(name="text", type_ref="string"))
    boxed = DecisionTable(inputs=(), outputs=outputs, rules=(Rule(inputs=(), outputs=("5", "5")),))
    built = model(decision("t", boxed), decision("d", "t.pre-tax", decisions=("t",)))
    assert built.decide("t", {}).value == {"pre-tax": Decimal(5), "text": None}
    assert built.decide("d", {}).value == Decimal(5)


def test_a_text_in_another_language_is_null_with_a_reason() -> None:
    built = model(decision("d", LiteralExpression(text="1 + 1", language="urn:js")))
    outcome = built.decide("d", {})
    assert (outcome.value, [reason.code for reason in outcome.diagnostics]) == (None, ["language"])
    assert outcome.diagnostics[0].message_zh == "不能执行 urn:js 表达式。"
    assert [fault.code for fault in built.faults] == ["language"]


def test_functions_of_other_languages_are_functions_whose_calls_are_null() -> None:
    java = FunctionDefinition(parameters=(var("a"),), body=context(**{"class": '"java.lang.Math"'}), kind="Java")
    built = model(
        knowledge("cos", java),
        decision("d", "[cos(1), cos instance of function<number>->number]", knowledge=("cos",)),
    )
    outcome = built.decide("d", {})
    assert outcome.value == [None, True]
    assert [reason.code for reason in outcome.diagnostics] == ["external"]
    assert built.call("cos", {"a": 1}).value is None


def test_reasons_name_the_text_of_the_function_where_a_null_came_out() -> None:
    built = model(
        knowledge("f", function((var("a"),), "a +\n b")),
        decision("d", "1 + f(2)", knowledge=("f",)),
    )
    reasons = built.decide("d", {}).diagnostics
    assert [(each.code, each.element, each.text, each.line, each.column) for each in reasons] == [
        ("unknown-name", "f", "a +\n b", 2, 2),
        ("operands", "f", "a +\n b", 1, 3),
        ("operands", "d", "1 + f(2)", 1, 3),
    ]


def test_entries_of_the_type_of_a_name_are_read_with_their_signs() -> None:
    item = ItemDefinition(name="t", components=(ItemDefinition(name="a-b"), ItemDefinition(name="total in stock")))
    built = model(
        decision("source", "{a-b: 1, total in stock: 2}", type_ref="t"),
        decision("d", "source.a-b + source.total in stock", decisions=("source",)),
        items=(item,),
    )
    assert built.decide("d", {}).value == THREE


def test_names_that_no_text_can_mention_harm_no_other_name() -> None:
    inputs = {"客户（新）": 1, "rate %": 2, "x": 3}
    assert value(context("x", b="x"), inputs) == THREE
    assert value(table(("-", "x"), of="x"), inputs) == THREE


def test_an_explanation_tells_of_each_evaluated_table_once() -> None:
    built = model(
        knowledge("rate of", function((var("n"),), table(("> x", "1"), ("-", "2"), of="n"))),
        decision("d", table(("< rate of(5)", '"a"'), ("< rate of(1)", '"b"'), of="2"), knowledge=("rate of",)),
    )
    plain, explained = built.decide("d", {}), built.decide("d", {}, explain=True)
    assert plain.value == explained.value
    assert [(each.element, each.rules) for each in explained.tables] == [
        (each.element, each.rules) for each in plain.tables
    ]
    assert explained.diagnostics == plain.diagnostics
