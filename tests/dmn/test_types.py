"""Item definitions as types: what conforms, what is converted, and what becomes null with a reason."""

from decimal import Decimal

import pytest
from tests.dmn.logic import decision, definitions, function, given, imported, knowledge, model, service, text, var

from diaodu.dmn.errors import DmnError
from diaodu.dmn.model import ItemDefinition
from diaodu.feel import Date, DateTime, Time
from diaodu.feel.conversion import conforms
from diaodu.feel.runtime import Run
from diaodu.feel.types import Type

LEVEL = ItemDefinition(name="tLevel", type_ref="string", allowed_values='"五星", "四星"')
LEVELS = ItemDefinition(name="tLevels", type_ref="tLevel", is_collection=True)
SCORE = ItemDefinition(name="tScore", type_ref="number", allowed_values="[0..100]", type_constraint="!= 13")
PERSON = ItemDefinition(
    name="tPerson",
    components=(
        ItemDefinition(name="full name", type_ref="string"),
        ItemDefinition(name="level", type_ref="tLevel"),
        ItemDefinition(name="born", type_ref="date and time"),
        ItemDefinition(name="phones", type_ref="string", is_collection=True),
        ItemDefinition(
            name="home", components=(ItemDefinition(name="post-code", type_ref="string", allowed_values='? != ""'),)
        ),
    ),
)  # fmt: skip
TREE = ItemDefinition(
    name="tTree",
    components=(
        ItemDefinition(name="value", type_ref="number"),
        ItemDefinition(name="children", type_ref="tTree", is_collection=True),
    ),
)
NUMBERS = ItemDefinition(
    name="tNumbers", type_ref="number", is_collection=True, allowed_values="> 0", type_constraint="count(?) < 4"
)
TO_NUMBER = ItemDefinition(name="tToNumber", is_function=True, parameters=(var("n", "number"),), result="number")
ALIAS = ItemDefinition(name="tToNumber2", type_ref="tToNumber")
ITEMS = (LEVEL, LEVELS, SCORE, PERSON, TREE, NUMBERS, TO_NUMBER, ALIAS)


def read(type_ref: str, value: object, feel: str = "x") -> object:
    """What a decision reads of an input of that type."""
    built = model(given("x", type_ref), decision("d", feel, inputs=("x",)), items=ITEMS)
    return built.decide("d", {"x": value}).value


def gives(type_ref: str, feel: str) -> object:
    """What a decision of that type gives."""
    return model(decision("d", feel, type_ref=type_ref), items=ITEMS).decide("d", {}).value


@pytest.mark.parametrize(
    ("type_ref", "value", "expected"),
    [
        ("string", "a", "a"),
        ("string", 1, None),
        ("number", 1, Decimal(1)),
        ("number", True, None),
        ("boolean", True, True),
        ("Any", [1], [Decimal(1)]),
        ("string", ["a"], "a"),
        ("string", ["a", "b"], None),
        ("string", [1], None),
        ("string", [None], None),
        ("tLevel", "五星", "五星"),
        ("tLevel", "三星", None),
        ("tLevels", ["五星", "四星"], ["五星", "四星"]),
        ("tLevels", "五星", ["五星"]),
        ("tLevels", ["五星", None], ["五星", None]),
        ("tLevels", ["五星", "三星"], None),
        ("tLevels", [], []),
        ("tScore", 100, Decimal(100)),
        ("tScore", 101, None),
        ("tScore", 13, None),
        ("tNumbers", [1, 2, 3], [Decimal(1), Decimal(2), Decimal(3)]),
        ("tNumbers", [1, 2, 3, 4], None),
        ("tNumbers", [0], None),
        ("tNumbers", 5, [Decimal(5)]),
        ("context", {"a": 1}, {"a": 1}),
        ("list", "a", ["a"]),
        ("tLevel", None, None),
    ],
)
def test_inputs_are_converted_to_their_type(type_ref: str, value: object, expected: object) -> None:
    assert read(type_ref, value) == expected


def test_a_date_becomes_its_midnight_in_greenwich_also_within_structures() -> None:
    midnight = DateTime(Date(2024, 2, 29), Time(0, 0))
    assert gives("date and time", 'date("2024-02-29")') == midnight
    assert gives("dateTime", '[date("2024-02-29")]') == midnight
    person = {
        "full name": "张三",
        "level": "五星",
        "born": Date(2024, 2, 29),
        "phones": ["1"],
        "home": {"post-code": "3"},
    }
    assert read("tPerson", person, "x.born") == midnight
    assert read("tPerson", person, "x.home.post-code + x.full name") == "3张三"


@pytest.mark.parametrize(
    "change",
    [
        {"full name": 5},
        {"level": "三星"},
        {"phones": "1"},
        {"home": {"post-code": ""}},
        {"home": {}},
    ],
)
def test_a_structure_with_one_wrong_entry_is_null(change: dict[str, object]) -> None:
    person: dict[str, object] = {
        "full name": "张三",
        "level": "五星",
        "born": None,
        "phones": [],
        "home": {"post-code": "3"},
        "more": 1,
    }
    assert read("tPerson", person, "x.more") == Decimal(1)
    assert read("tPerson", {**person, **change}) is None


def test_a_type_may_contain_itself() -> None:
    tree = {"value": 1, "children": [{"value": 2, "children": []}, {"value": 3, "children": []}]}
    assert read("tTree", tree, "sum(x.children.value)") == Decimal(5)
    tree["children"][1]["value"] = "3"  # type: ignore[index]  # a tree of plain values
    assert read("tTree", tree) is None


def test_results_are_converted_and_the_reason_of_a_null_names_the_type() -> None:
    assert gives("tLevels", '"五星"') == ["五星"]
    assert gives("number", "[1]") == Decimal(1)
    outcome = model(decision("d", '"三星"', type_ref="tLevel"), items=ITEMS).decide("d", {})
    assert outcome.value is None
    reason = outcome.diagnostics[0]
    assert (reason.code, reason.element, reason.message_en, reason.message_zh) == (
        "not-of-type",
        "d",
        '"三星" is not of type tLevel.',
        '"三星" 不属于类型 tLevel。',
    )


def test_the_type_of_the_variable_stands_over_that_of_the_expression() -> None:
    assert model(decision("d", text("1", "string"), type_ref="number")).decide("d", {}).value == Decimal(1)
    assert model(decision("d", text("1", "string"))).decide("d", {}).value is None


def test_functions_check_their_parameters_and_results() -> None:
    logic = function((var("level", "tLevel"), var("on", "date and time")), "level + string(on.year)", "string")
    built = model(
        knowledge("f", logic),
        knowledge("g", function((var("x"),), "x"), type_ref="number"),
        knowledge("h", function((var("x"),), "x"), type_ref="tToNumber2"),
        decision(
            "d",
            '[f("五星", date("2024-01-01")), f(["四星"], null), f("三星", null), g(1), g([2]), g("1"), h(3), h("3")]',
            knowledge=("f", "g", "h"),
        ),
        items=ITEMS,
    )
    assert built.decide("d", {}).value == ["五星2024", None, None, Decimal(1), Decimal(2), None, Decimal(3), None]
    codes = [reason.code for reason in built.decide("d", {}).diagnostics]
    assert codes == ["null-property", "operands", "not-of-type", "not-of-type", "not-of-type"]


def test_functions_are_values_of_the_type_of_a_function() -> None:
    built = model(
        given("x", "tToNumber"),
        knowledge("apply", function((var("f", "tToNumber"), var("n")), "f(n)")),
        knowledge("twice", function((var("n", "number"),), "2 * n"), type_ref="number"),
        knowledge("text", function((var("n", "number"),), "string(n)"), type_ref="string"),
        knowledge("two", function((var("a"), var("b")), "1")),
        decision("s", "10", type_ref="number"),
        decision(
            "d",
            "[apply(twice, 4), apply(text, 4), apply(two, 4), apply(abs, -4), apply(function(s: string) 1, 4), "
            "apply(function(n) n + 1, 4), twice instance of tToNumber, text instance of tToNumber, apply(x, 5)]",
            inputs=("x",),
            knowledge=("apply", "twice", "text", "two"),
        ),
        items=ITEMS,
    )
    own = model(decision("f", "function(n: number) n * 10")).decide("f", {}).value
    assert built.decide("d", {"x": own}).value == [
        Decimal(8), None, None, Decimal(4), None, Decimal(5), True, False, Decimal(50),
    ]  # fmt: skip


def test_instance_of_knows_the_types_of_the_model_and_of_its_imports() -> None:
    types = definitions(
        items=(LEVEL, ItemDefinition(name="tBox", components=(var_item("l", "tLevel"),))), namespace="t"
    )
    built = model(
        decision(
            "d",
            '["五星" instance of base types.tLevel, "三星" instance of base types.tLevel, {l: "四星"} instance of '
            'base types.tBox, {l: 1} instance of base types.tBox, null instance of tOwn, ["五星"] instance of '
            'list<tOwn>, 1 instance of tNowhere, (function(x: tOwn) x)("三星")]',
        ),
        items=(ItemDefinition(name="tOwn", type_ref="base types.tLevel"),),
        imports=(imported("base types", "t"),),
        others={"t": types},
    )  # fmt: skip
    assert built.decide("d", {}).value == [True, False, True, False, False, True, None, None]


def var_item(name: str, type_ref: str) -> ItemDefinition:
    return ItemDefinition(name=name, type_ref=type_ref)


def test_services_check_what_they_take_and_give() -> None:
    built = model(
        given("x", "tScore"),
        decision("d1", "x + 1", inputs=("x",)),
        decision("d2", "string(x)", inputs=("x",)),
        service("number", ("d1",), data=("x",), type_ref="tScore"),
        service("both", ("d1", "d2"), data=("x",), type_ref="tBoth"),
        decision("d", "[number(1), number(100), number(101), both(1).d2]", knowledge=("number", "both")),
        items=(*ITEMS, ItemDefinition(name="tBoth", components=(var_item("d1", "number"), var_item("d2", "string")))),
    )
    assert built.decide("d", {}).value == [Decimal(2), None, None, "1"]
    assert built.call("number", {"x": 100}).value is None
    assert built.call("number", {"x": 99}).value == Decimal(100)


def test_unknown_types_and_types_made_of_themselves_refuse_the_model() -> None:
    a, b = var_item("tA", "tB"), var_item("tB", "tA")
    with pytest.raises(DmnError) as error:
        model(decision("d", "1", type_ref="tNo"), items=(a, b, var_item("tC", "nowhere.t")))
    assert sorted((each.code, each.element) for each in error.value.problems) == [
        ("type-cycle", "tB"),
        ("unknown-type", "d"),
        ("unknown-type", "tC"),
    ]


def test_a_constraint_that_is_no_feel_is_a_fault_and_constrains_nothing() -> None:
    built = model(
        given("x", "t"),
        decision("d", "x", inputs=("x",)),
        items=(ItemDefinition(name="t", type_ref="number", allowed_values="<"),),
    )
    assert [fault.code for fault in built.faults] == ["bad-text"]
    assert built.decide("d", {"x": 5}).value == Decimal(5)


def test_types_in_plain_texts_can_be_given_too() -> None:
    short = Type("string", "tShort")
    short.constraint = lambda _run, text: len(str(text)) < 3
    assert conforms("ab", short, Run.start()) is True
    assert conforms("abc", short, Run.start()) is False
    assert conforms(None, short, Run.start()) is False


def test_names_of_entries_are_known_also_of_types_that_contain_each_other() -> None:
    order = ItemDefinition(name="tOrder", components=(var_item("sub-order", "tOrder"), var_item("item-list", "tItems")))
    item = ItemDefinition(name="tItem", components=(var_item("of-order", "tOrder"), var_item("unit-price", "number")))
    built = model(
        given("o", "tOrder"),
        given("i", "tItem"),
        decision("d", "o.item-list[1].unit-price", inputs=("o",)),
        decision("e", "i.of-order.item-list.unit-price", inputs=("i",)),
        items=(order, item, ItemDefinition(name="tItems", type_ref="tItem", is_collection=True)),
    )
    inner = {"sub-order": None, "item-list": [{"of-order": None, "unit-price": 3}]}
    assert built.decide("d", {"o": inner}).value == Decimal(3)
    assert built.decide("e", {"i": {"of-order": inner, "unit-price": 1}}).value == [Decimal(3)]
