"""Decision tables: every hit policy with exact results, and what is told when there is none."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.dmn.tables import compiled, evaluate, run_of, table, tree

from diaodu.dmn.explain import FailedCell, TableTrace
from diaodu.dmn.model import Aggregation, HitPolicy, Output
from diaodu.feel.values import Range

AGES = ["<18 -> 1", "[18..65] -> 2", ">=60 -> 3"]


def test_a_unique_table_gives_the_output_of_its_one_match() -> None:
    value, record, reasons = evaluate(table(AGES), x=17)
    assert (value, record.rules, reasons) == (Decimal(1), (1,), [])


def test_a_unique_table_with_two_matches_is_null_and_names_both() -> None:
    value, record, reasons = evaluate(table(AGES), x=60)
    assert (value, record.rules) == (None, (2, 3))
    assert [(r.code, r.message_en, r.element) for r in reasons] == [
        ("several-rules", "Rules 2, 3 match, but only one may.", "d")
    ]


def test_no_match_is_null_with_a_reason() -> None:
    value, record, reasons = evaluate(table(["<18 -> 1"]), x=18)
    assert (value, record.rules, [r.code for r in reasons]) == (None, (), ["no-rule"])


@pytest.mark.parametrize(
    ("policy", "value", "rules"),
    [
        (HitPolicy.FIRST, Decimal(2), (2,)),
        (HitPolicy.PRIORITY, Decimal(3), (3,)),
        (HitPolicy.RULE_ORDER, [Decimal(2), Decimal(3)], (2, 3)),
        (HitPolicy.OUTPUT_ORDER, [Decimal(3), Decimal(2)], (3, 2)),
        (HitPolicy.COLLECT, [Decimal(2), Decimal(3)], (2, 3)),
    ],
)
def test_what_two_matches_give(policy: HitPolicy, value: object, rules: tuple[int, ...]) -> None:
    found, record, reasons = evaluate(table(AGES, policy, ranked="3, 2, 1"), x=62)
    assert (found, record.rules, reasons) == (value, rules, [])


@pytest.mark.parametrize(
    ("how", "value"),
    [(Aggregation.SUM, 5), (Aggregation.COUNT, 2), (Aggregation.MIN, 2), (Aggregation.MAX, 3)],
)
def test_aggregations(how: Aggregation, value: int) -> None:
    found, record, _ = evaluate(table(AGES, HitPolicy.COLLECT, aggregation=how), x=62)
    assert (found, record.rules) == (Decimal(value), (2, 3))


@pytest.mark.parametrize(
    ("how", "value"),
    [(None, []), (Aggregation.COUNT, Decimal(0)), (Aggregation.SUM, None), (Aggregation.MIN, None)],
)
def test_collecting_nothing(how: Aggregation | None, value: object) -> None:
    assert evaluate(table(["<18 -> 1"], HitPolicy.COLLECT, aggregation=how), x=20)[0] == value


def test_min_and_max_are_of_whatever_has_an_order() -> None:
    rows = ['- -> @"2026-03-01"', '- -> @"2025-12-31"']
    found, _, _ = evaluate(table(rows, HitPolicy.COLLECT, aggregation=Aggregation.MIN), x=1)
    assert str(found) == "2025-12-31"
    found, _, _ = evaluate(table(['- -> "b"', '- -> "五"'], HitPolicy.COLLECT, aggregation=Aggregation.MAX), x=1)
    assert found == "五"


@pytest.mark.parametrize("how", [Aggregation.SUM, Aggregation.MAX])
def test_what_cannot_be_aggregated_is_null_with_a_reason(how: Aggregation) -> None:
    value, _, reasons = evaluate(table(["- -> 1", '- -> "a"'], HitPolicy.COLLECT, aggregation=how), x=1)
    assert (value, [r.code for r in reasons]) == (None, ["aggregation"])


def test_any_gives_what_all_agree_on() -> None:
    value, record, _ = evaluate(table(['<10 -> "a"', '<20 -> "a"'], HitPolicy.ANY), x=5)
    assert (value, record.rules) == ("a", (1, 2))


def test_any_is_null_when_matches_differ() -> None:
    value, record, reasons = evaluate(table(['<10 -> "a"', '<20 -> "b"'], HitPolicy.ANY), x=5)
    assert (value, record.rules, [r.code for r in reasons]) == (None, (1, 2), ["any-differs"])


def test_several_outputs_are_a_context_and_a_policy_sees_them_all() -> None:
    rows = ['- -> "low" | 2', '- -> "high" | 1', '- -> "high" | 2']
    outputs = (Output(name="p", values='"high", "low"'), Output(name="q", values="2, 1"))
    value, record, _ = evaluate(table(rows, HitPolicy.OUTPUT_ORDER, outputs=outputs), x=1)
    assert value == [
        {"p": "high", "q": Decimal(2)},
        {"p": "high", "q": Decimal(1)},
        {"p": "low", "q": Decimal(2)},
    ]
    assert record.rules == (3, 2, 1)
    assert evaluate(table(rows, HitPolicy.PRIORITY, outputs=outputs), x=1)[0] == {"p": "high", "q": Decimal(2)}


def test_defaults_stand_in_when_nothing_matches() -> None:
    outputs = (Output(name="p", default='"none"'), Output(name="q"))
    found = evaluate(table(['<1 -> "a" | 1'], outputs=outputs), x=2)
    assert (found[0], found[1].rules, found[2]) == ({"p": "none", "q": None}, (), [])


def test_an_input_that_is_not_allowed_is_null_with_a_reason() -> None:
    rows = ['"a" -> 1', "- -> 2"]
    asked = table(rows, HitPolicy.FIRST, values='"a", "b"')
    assert evaluate(asked, x="b")[0] == Decimal(2)
    value, record, reasons = evaluate(asked, x="c")
    assert (value, record.rules) == (None, ())
    assert [r.message_en for r in reasons] == ["c is not an allowed value of input 1."]


def test_an_output_that_is_not_allowed_is_null_with_a_reason() -> None:
    value, _, reasons = evaluate(table(["- -> x + 1"], ranked="1, 2"), x=5)
    assert (value, [r.message_en for r in reasons]) == (None, ["6 is not an allowed value of output p."])


@pytest.mark.parametrize(
    ("cell", "given", "value"),
    [
        ("-", None, True),
        ("", 5, True),
        ("null", None, True),
        ("null", 5, None),
        ("true", None, None),
        ("true", True, True),
        ("not(true)", False, True),
        ('"a", "b"', "b", True),
        ('not("a", "b")', "c", True),
        ('not("a", "b")', "b", None),
        ('["a", "b"]', "b", True),
        ("< 10, > 20", 15, None),
        ("(1..3]", 1, None),
        ("(1..3]", 3, True),
        ("-5", -5, True),
        ("[-5..-1]", -3, True),
        ('@"2026-01-01"', dt.date(2026, 1, 1), True),
        ('< date("2026-01-01")', dt.date(2025, 12, 31), True),
        ('[duration("P1D")..duration("P3D"))', dt.timedelta(days=3), None),
        ('>= @"2026-01-01T10:00:00Z"', dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC), True),
        ("5", "5", None),
        ("? > y", 3, True),
        ("y", 2, True),
        ("[1..y]", 3, None),
        ("not(y)", 2, None),
        ("count(?) > 1", [1, 2], True),
        ("list contains(?, 2)", [1, 2], True),
        ("[1, 2]", [1, 2], True),
        ("1", [1, 2], None),
    ],
)
def test_cells(cell: str, given: object, value: object) -> None:
    assert evaluate(table([f"{cell} -> true"]), x=given, y=2)[0] is value


def test_columns_are_all_needed_and_names_of_several_words_are_known() -> None:
    asked = table(["monthly fee | >= 客户 等级 -> 客户 等级 * 10"])
    closure = compiled(asked, ["monthly fee", "客户 等级"])
    assert run_of(closure, {"x": 30, "y": 5, "monthly fee": 30, "客户 等级": 5})[0] == Decimal(50)
    assert run_of(closure, {"x": 30, "y": 4, "monthly fee": 30, "客户 等级": 5})[0] is None


def test_faults_of_texts_name_their_cell_and_the_rest_is_read() -> None:
    node, faults = tree(table(["<10 -> 1 +", "(1.. -> 2", "3 -> 4"], ranked="1,, 2"))
    assert [(f.part, f.rule, f.column, f.text) for f in faults] == [
        ("cell", 2, 1, "(1.."),
        ("output", 1, 1, "1 +"),
        ("output values", None, 1, "1,, 2"),
    ]
    assert len(node.cells) == 3


def test_a_rule_with_too_few_cells_is_a_fault() -> None:
    asked = table(["1 | 2 -> 3"])
    rule = replace(asked.rules[0], inputs=("1",))
    _, faults = tree(replace(asked, rules=(rule,)))
    assert [(f.part, f.rule, f.column, f.error) for f in faults] == [("cell", 1, 2, None)]


def test_the_trace_tells_each_rules_first_failing_cell() -> None:
    asked = table(['"a" | <10 -> 1', '"a" | >y - 1 -> 2', "- | - -> 3"], HitPolicy.FIRST)
    value, trace, _ = evaluate(asked, explains=True, x="a", y=Decimal("12.5"))
    assert isinstance(trace, TableTrace)
    assert (value, trace.rules) == (Decimal(2), (2,))
    assert [(r.number, r.matched, r.gave, r.failed) for r in trace.traces] == [
        (1, False, False, FailedCell(2, "<10", Decimal("12.5"))),
        (2, True, True, None),
        (3, True, False, None),
    ]
    assert trace.document() == {
        "table": "",
        "element": "d",
        "hitPolicy": "FIRST",
        "inputs": [
            {"label": "x", "expression": "x", "value": "a"},
            {"label": "y", "expression": "y", "value": 12.5},
        ],
        "rules": [
            {
                "number": 1,
                "id": None,
                "matched": False,
                "gave": False,
                "failed": {"column": 2, "cell": "<10", "value": 12.5},
            },
            {"number": 2, "id": None, "matched": True, "gave": True},
            {"number": 3, "id": None, "matched": True, "gave": False},
        ],
        "gave": [2],
        "result": 2,
    }


def test_what_a_trace_holds_is_plain_json() -> None:
    big = Decimal("0.1234567890123456789012345678901234")
    trace = evaluate(table(["- -> x"]), explains=True, x=[big, dt.date(2026, 1, 2), {"a": None}])[1]
    assert trace.document()["result"] == [str(big), "2026-01-02", {"a": None}]
    trace = evaluate(
        table(["- -> x"]), explains=True, x=Range(Decimal(1), Decimal(2), start_included=True, end_included=False)
    )[1]
    assert trace.document()["result"] == "[1..2)"
