"""Requirement graphs: what an element sees, services, imports, and the functions that a model offers."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from tests.dmn.logic import decision, definitions, function, given, imported, knowledge, model, service, var

from diaodu.dmn.compile import Model, Outcome, compile_model
from diaodu.dmn.errors import DmnError
from diaodu.dmn.model import ItemDefinition
from diaodu.feel import Budget, FeelBudgetExceeded, compile_expression


def codes(outcome: Outcome) -> list[str]:
    return [reason.code for reason in outcome.diagnostics]


def problems(error: pytest.ExceptionInfo[DmnError]) -> list[tuple[str, str]]:
    return [(each.code, each.element) for each in error.value.problems]


def test_a_decision_reads_inputs_and_decisions_that_it_requires() -> None:
    built = model(
        given("数量", "number"),
        given("单价", "number"),
        decision("金额", "数量 * 单价", inputs=("数量", "单价")),
        decision("折后", "金额 * 0.9", decisions=("金额",)),
    )
    assert built.decide("折后", {"数量": 3, "单价": 10}).value == Decimal("27.0")


def test_only_what_is_required_is_visible() -> None:
    built = model(given("a"), given("b"), decision("d", "b", inputs=("a",)))
    outcome = built.decide("d", {"a": 1, "b": 2})
    assert outcome.value is None
    assert codes(outcome) == ["unknown-name"]
    assert (outcome.diagnostics[0].element, outcome.diagnostics[0].text) == ("d", "b")


def test_a_decision_is_evaluated_once_per_evaluation() -> None:
    # 2 ** 40 evaluations of the first one would not end within the budget.
    chain = [decision("d0", "1")]
    for number in range(1, 41):
        before = f"d{number - 1}"
        chain.append(decision(f"d{number}", f"{before} + x{number}", decisions=(before, f"x{number}")))
        chain.append(decision(f"x{number}", f"{before} - {before} + 1", decisions=(before,)))
    assert model(*chain).decide("d40", {}).value == Decimal(41)


def test_names_with_signs_and_keywords_are_read_whole() -> None:
    built = model(
        given("Pre-bureau risk / category"),
        given("客户's 级别"),
        given("a.b"),
        decision(
            "d",
            "[Pre-bureau risk / category, 客户's 级别, a.b]",
            inputs=("Pre-bureau risk / category", "客户's 级别", "a.b"),
        ),
    )
    inputs = {"Pre-bureau risk / category": "LOW", "客户's 级别": "五星", "a.b": True}
    assert built.decide("d", inputs).value == ["LOW", "五星", True]


def test_an_input_that_is_missing_is_null_with_a_reason() -> None:
    outcome = model(given("a"), decision("d", "a = null", inputs=("a",))).decide("d", {})
    assert outcome.value is True
    assert codes(outcome) == ["missing-input"]


def test_an_input_of_another_type_is_null_with_a_reason() -> None:
    built = model(given("a", "number"), decision("d", "a", inputs=("a",)))
    assert built.decide("d", {"a": 5}).value == Decimal(5)
    outcome = built.decide("d", {"a": "5"})
    assert (outcome.value, codes(outcome)) == (None, ["not-of-type"])
    assert outcome.diagnostics[0].element == "a"


def test_a_decision_without_logic_is_null() -> None:
    outcome = model(decision("d", None)).decide("d", {})
    assert (outcome.value, codes(outcome)) == (None, ["no-logic"])


def test_a_text_that_is_no_feel_is_null_and_a_fault_and_harms_no_other_decision() -> None:
    built = model(decision("bad", "1 +"), decision("good", "1 + 1"))
    assert [(fault.code, fault.element) for fault in built.faults] == [("bad-text", "bad")]
    assert codes(built.decide("bad", {})) == ["bad-text"]
    assert built.decide("good", {}).value == Decimal(2)


def test_knowledge_models_are_functions_and_may_call_themselves_and_each_other() -> None:
    built = model(
        knowledge("fact", function((var("n", "number"),), "if n <= 1 then 1 else n * fact(n - 1)")),
        knowledge("is even", function((var("n"),), "if n = 0 then true else is odd(n - 1)"), needs=("is odd",)),
        knowledge("is odd", function((var("n"),), "if n = 0 then false else is even(n - 1)"), needs=("is even",)),
        decision("d", "[fact(5), is even(6), is odd(n: 6)]", knowledge=("fact", "is even", "is odd")),
    )
    assert built.decide("d", {}).value == [Decimal(120), True, False]
    assert built.call("fact", {"n": 4}).value == Decimal(24)


def test_knowledge_that_is_not_required_is_not_visible() -> None:
    built = model(knowledge("f", function((), "1")), decision("d", "f()"))
    assert built.decide("d", {}).value is None


def test_endless_recursion_ends_by_the_budget() -> None:
    built = model(knowledge("f", function((var("n"),), "f(n + 1)")), decision("d", "f(0)", knowledge=("f",)))
    with pytest.raises(FeelBudgetExceeded) as stopped:
        built.decide("d", {})
    assert stopped.value.code == "depth"


def test_all_decisions_share_one_budget() -> None:
    parts = [decision(f"d{n}", "count(for i in 1..1000 return i)") for n in range(10)]
    names = tuple(part.name for part in parts)
    built = model(*parts, decision("all", " + ".join(names), decisions=names))
    assert built.decide("all", {}).value == Decimal(10_000)
    with pytest.raises(FeelBudgetExceeded) as stopped:
        built.decide("all", {}, budget=Budget(steps=5_000))
    assert stopped.value.code == "steps"


def service_model() -> Model:
    return model(
        given("x", "number"),
        decision("base", "1", type_ref="number"),
        decision("sum", "x + base", inputs=("x",), decisions=("base",)),
        decision("text", "string(sum)", decisions=("sum",)),
        service("one", ("sum",), data=("x",), decisions=("base",)),
        service("both", ("sum", "text"), data=("x",)),
        decision("calls", '[one(10, 100), one(base: 1, x: 2), both(5), one(1), one("a", 1)]',
                 knowledge=("one", "both")),
    )  # fmt: skip


def test_a_service_is_a_function_of_input_data_and_then_input_decisions() -> None:
    outcome = service_model().decide("calls", {"x": 1000})
    assert outcome.value == [
        Decimal(110),
        Decimal(3),
        {"sum": Decimal(6), "text": "6"},
        None,
        None,
    ]
    assert codes(outcome) == ["arguments", "not-of-type"]


def test_a_service_can_be_called_from_outside() -> None:
    built = service_model()
    assert built.call("one", {"x": 1, "base": 5}).value == Decimal(6)
    assert built.call("both", {"x": 1}).value == {"sum": Decimal(2), "text": "2"}
    assert built.inputs("one") == (var("x", "number"), var("base", "number"))
    missing = built.call("one", {"x": 1})
    assert (missing.value, codes(missing)) == (None, ["missing-input", "operands"])


def test_inputs_of_a_service_do_not_change_what_is_outside() -> None:
    built = model(
        given("x"),
        decision("inner", "x", inputs=("x",)),
        service("s", ("inner",), data=("x",)),
        decision("d", "[s(1), inner, x]", inputs=("x",), decisions=("inner",), knowledge=("s",)),
    )
    assert built.decide("d", {"x": 2}).value == [Decimal(1), Decimal(2), Decimal(2)]


def test_imports_are_contexts_and_may_be_nested() -> None:
    ground = definitions(
        given("Person name", "string"),
        decision("Greet the Person", '"Hello, " + Person name', inputs=("Person name",)),
        knowledge("twice", function((var("s"),), "s + s")),
        namespace="ground",
    )
    middle = definitions(
        decision("greeting", 'base.Greet the Person + "!"', decisions=("ground#Greet the Person",)),
        imports=(imported("base", "ground"),),
        namespace="middle",
    )
    built = model(
        decision("d", "Model B.greeting + base one.twice(base one.Greet the Person)",
                 decisions=("middle#greeting", "ground#Greet the Person"), knowledge=("ground#twice",)),
        imports=(imported("Model B", "middle"), imported("base one", "ground")),
        others={"ground": ground, "middle": middle},
    )  # fmt: skip
    expected = "Hello, A!Hello, AHello, A"
    assert built.decide("d", {"Person name": "A"}).value == expected
    assert built.decide("d", {"base one.Person name": "A", "Person name": "B"}).value == expected
    assert built.decide("d", {"ground#Person name": "A"}).value == expected
    assert built.decide("Model B.greeting", {"Person name": "Z"}).value == "Hello, Z!"


def test_the_namespace_of_the_model_itself_may_be_written() -> None:
    built = model(given("a"), decision("d", "a", inputs=("root#a",)))
    assert built.decide("d", {"a": "x"}).value == "x"


def test_everything_wrong_with_a_graph_is_told_at_once_in_both_languages() -> None:
    with pytest.raises(DmnError) as error:
        model(
            given("a", "tUnknown"),
            decision("b", "1", decisions=("c",)),
            decision("c", "1", decisions=("b",)),
            decision("e", "1", inputs=("nowhere",), knowledge=("b",), decisions=("other#x",)),
            imports=(imported("other", "other"),),
        )
    assert sorted(problems(error)) == [
        ("cycle", "b"),
        ("unknown-import", "other"),
        ("unknown-reference", "e"),
        ("unknown-reference", "e"),
        ("unknown-type", "a"),
        ("wrong-kind", "e"),
    ]
    told = {each.code: (each.message_en, each.message_zh) for each in error.value.problems}
    assert told["cycle"] == ("It requires itself: b → c → b.", "循环依赖：b → c → b。")


def test_an_import_that_is_no_model_is_no_problem_until_it_is_read() -> None:
    other = imported("pmml", "urn:pmml")
    built = compile_model(
        definitions(decision("d", "1"), imports=(type(other)(name="pmml", namespace="urn:pmml", import_type="urn:p"),))
    )
    assert built.decide("d", {}).value == Decimal(1)


def test_a_name_that_the_model_does_not_have_is_refused() -> None:
    built = model(decision("d", "1"), knowledge("f", function((), "1")))
    for attempt in (lambda: built.decide("f", {}), lambda: built.call("d", {}), lambda: built.inputs("x")):
        with pytest.raises(DmnError) as error:
            attempt()
        assert error.value.code == "unknown-name"


def test_a_decision_as_a_function_shares_the_budget_and_tells_its_calls() -> None:
    built = model(
        given("b", "number"),
        given("unused"),
        given("a", "number"),
        decision("first", "a", inputs=("a",)),
        decision("d", "first - b", inputs=("b",), decisions=("first",), type_ref="number"),
    )
    calls: list[tuple[Mapping[str, object], Outcome]] = []
    price = built.function("d", lambda inputs, outcome: calls.append((inputs, outcome)))
    assert [each.name for each in built.inputs("d")] == ["b", "a"]
    assert compile_expression("价(1, 10) + 价(a: 5, b: 2)").evaluate({"价": price}) == Decimal(12)
    assert [(inputs, outcome.value) for inputs, outcome in calls] == [
        ({"b": Decimal(1), "a": Decimal(10)}, Decimal(9)),
        ({"b": Decimal(2), "a": Decimal(5)}, Decimal(3)),
    ]
    found, reasons = compile_expression('价("x", 1)').evaluate_with_diagnostics({"价": price})
    assert (found, [reason.code for reason in reasons]) == (None, ["not-of-type", "operands"])
    with pytest.raises(FeelBudgetExceeded):
        compile_expression("for i in 1..10000 return 价(i, i)").evaluate({"价": price}, Budget(steps=1000))


def test_models_may_import_each_other_and_without_a_name() -> None:
    item = ItemDefinition(name="tOdd", type_ref="number", allowed_values="odd(?)")
    one = definitions(
        given("x", "tOdd"),
        decision("from one", "from two + 1", decisions=("two#from two",)),
        items=(item,),
        imports=(imported("", "two"), imported("", "root")),
        namespace="one",
    )
    two = definitions(
        decision("from two", "x * 2", inputs=("one#x",), type_ref="number"),
        imports=(imported("", "one"),),
        namespace="two",
    )
    built = model(
        decision("d", "[from one, from two]", decisions=("one#from one", "two#from two"), type_ref="list"),
        decision("e", "2", type_ref="tOdd"),
        imports=(imported("", "one"), imported("", "two")),
        others={"one": one, "two": two},
    )
    assert built.decide("d", {"x": 3}).value == [Decimal(7), Decimal(6)]
    assert built.decide("d", {"x": 4}).value == [None, None]
    assert built.decide("e", {}).value is None


def test_a_model_may_be_used_by_several_threads_at_once() -> None:
    built = model(
        given("n", "number"),
        knowledge("fact", function((var("n"),), "if n <= 1 then 1 else n * fact(n - 1)")),
        decision("d", "fact(n) / fact(n - 1)", inputs=("n",), knowledge=("fact",)),
    )
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda n: built.decide("d", {"n": n}, budget=Budget(milliseconds=5000)).value, [*range(2, 22)] * 5)
        )
    assert found == [Decimal(n) for n in range(2, 22)] * 5
