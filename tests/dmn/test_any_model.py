"""Whatever a model says: it is refused with its problems, or every question to it is answered within the budget."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dmn import models
from tests.dmn.logic import decision, knowledge, service, var
from tests.dmn.logic import given as data

from diaodu.dmn.compile import compile_model
from diaodu.dmn.errors import DmnError
from diaodu.dmn.model import (
    Definitions,
    Expression,
    FunctionDefinition,
    ItemDefinition,
    LiteralExpression,
    Rule,
)
from diaodu.feel import Budget, FeelBudgetExceeded

FEEL = (
    *("1", '"a"', "x", "客户.级别", "Loan amount * 2", "[1, 2, 3]", "{a: 1, a.b: 2}", "f(x)", "g(1, 2)", "both(1).d0"),
    *(
        "f",
        "function(n) f(n)",
        "for i in [1..3] return f(i)",
        "x[item > 1]",
        "a.b + d0",
        "1 +",
        "if x then d0 else null",
    ),
    *("-", "> x", "not(1, 2)", "? in [1..5]", '"五星", "四星"', "", "null", "date(x)", "x instance of tLoan"),
)
VALUES = (None, 1, "a", [1, 2], {"级别": "五星", "amount": 3}, [{"amount": 1}], True)
TYPES = {"include.tLoan": "tLoans", "tLoan": "tLoan"}
LOAN = ItemDefinition(
    name="tLoan",
    components=(
        ItemDefinition(name="amount", type_ref="number", allowed_values="> 0"),
        ItemDefinition(name="next", type_ref="tLoan"),
    ),
)
LOANS = ItemDefinition(name="tLoans", type_ref="tLoan", is_collection=True, type_constraint="count(?) < 3")
feel = st.sampled_from(FEEL)
literals = st.builds(LiteralExpression, text=feel, type_ref=models.types)
logic: st.SearchStrategy[Expression] = st.recursive(literals | models.tables, models.boxes, max_leaves=8)


def sound(value: Any, text: str) -> Any:
    """The same with types that exist, and rules that say something."""
    if isinstance(value, tuple):
        return tuple(sound(each, text) for each in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {field.name: sound(getattr(value, field.name), text) for field in fields(value)}
    if "type_ref" in changed:
        changed["type_ref"] = TYPES.get(changed["type_ref"], changed["type_ref"])
    if isinstance(value, Rule):
        changed["inputs"] = tuple(FEEL[len(cell) % len(FEEL)] for cell in value.inputs)
        changed["outputs"] = (*value.outputs[1:], text)
    return replace(value, **changed)


@st.composite
def well_linked(draw: st.DrawFn) -> Definitions:
    def some() -> Any:
        return sound(draw(st.none() | logic), draw(feel))

    def function() -> FunctionDefinition:
        parameters = draw(st.sampled_from([(var("n"),), (var("客户", "tLoan"), var("n", "number")), ()]))
        return FunctionDefinition(parameters=parameters, body=some())

    types = st.sampled_from([None, "number", "string", "tLoan", "tLoans", "Any"])
    return Definitions(
        id="m",
        name="m",
        namespace="m",
        item_definitions=(LOAN, LOANS),
        input_data=(data("x", draw(types)), data("客户", draw(types)), data("Loan amount"), data("a.b")),
        decisions=(
            decision("d0", some(), inputs=("x", "客户"), knowledge=("f",), type_ref=draw(types)),
            decision("d1", some(), inputs=("x", "a.b"), decisions=("d0",), knowledge=("f", "g"), type_ref=draw(types)),
            decision("d2", some(), inputs=("Loan amount",), decisions=("d0", "d1"), knowledge=("both",)),
        ),
        knowledge_models=(
            knowledge("f", function(), needs=("g",), type_ref=draw(types)),
            knowledge("g", function(), needs=("f",)),
        ),
        services=(service("both", ("d0", "d1"), data=("x",), decisions=()), service("one", ("d1",), decisions=("d0",))),
    )


@settings(max_examples=60, deadline=None)
@given(well_linked(), st.dictionaries(st.sampled_from(["x", "客户", "Loan amount", "a.b"]), st.sampled_from(VALUES)))
def test_every_question_is_answered_within_the_budget(definitions: Definitions, inputs: dict[str, object]) -> None:
    built = compile_model(definitions)
    budget = Budget(milliseconds=1000, steps=2_000)
    for ask, name in (
        *((built.decide, each.name) for each in definitions.decisions),
        *((built.call, name) for name in ("f", "g", "both", "one")),
    ):
        try:
            first = ask(name, inputs, budget=budget, explain=True)
            again = ask(name, inputs, budget=budget)
        except FeelBudgetExceeded:
            continue
        assert [reason.code for reason in first.diagnostics] == [reason.code for reason in again.diagnostics]
        assert [each.rules for each in first.tables] == [each.rules for each in again.tables]


@settings(max_examples=40, deadline=None)
@given(models.definitions())
def test_a_model_that_links_nowhere_is_refused_with_all_its_problems(definitions: Definitions) -> None:
    refused = None
    try:
        compile_model(definitions)
    except DmnError as error:
        refused = error
    assert refused is None or all(each.element and each.message_en and each.message_zh for each in refused.problems)
