"""What a check of a table finds, with exact findings."""

from dataclasses import replace

import pytest
from tests.dmn.tables import table

from diaodu.dmn import check_rules
from diaodu.dmn.check import check_model, check_table
from diaodu.dmn.findings import Finding, Severity
from diaodu.dmn.model import (
    Aggregation,
    Context,
    ContextEntry,
    Decision,
    DecisionTable,
    Definitions,
    Expression,
    HitPolicy,
    InformationItem,
    InputData,
    ItemDefinition,
    LiteralExpression,
    Output,
)


def told(findings: list[Finding]) -> list[tuple[str, int | None, int | None, str]]:
    return [(f.code, f.rule, f.column, f.en) for f in findings]


def regions(decision_table: DecisionTable, code: str = "gap") -> list[tuple[str, ...]]:
    return [f.cells for f in check_table(decision_table) if f.code == code]


def test_a_complete_table_without_overlaps_has_no_findings() -> None:
    rows = ["< 10 | true -> 1", "[10..20] | true -> 2", "> 20 | true -> 3", "- | false -> 4"]
    assert check_table(table(rows, types=("number", "boolean")), ["x", "y"]) == []


def test_numbers_are_dense_and_a_gap_is_told_as_cells_in_both_languages() -> None:
    (found,) = check_table(table(["<= 10 -> 1", ">= 11 -> 2"], types=("number",)), element="d")
    assert found == Finding(
        "gap",
        Severity.WARNING,
        "d",
        None,
        None,
        "No rule matches x: (10..11).",
        "没有规则匹配：x: (10..11)。",
        (),
        ("(10..11)",),
    )


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("date", '@"2025-12-31"', '@"2026-01-01"'),
        ("date", 'date("2024-02-28")', 'date("2024-02-29")'),
        ("years and months duration", '@"P11M"', '@"P1Y"'),
    ],
)
def test_there_is_nothing_between_neighbours_of_a_counted_kind(kind: str, low: str, high: str) -> None:
    assert regions(table([f"<= {low} -> 1", f">= {high} -> 2"], types=(kind,))) == []


def test_dates_times_and_durations_have_gaps() -> None:
    assert regions(table(['< @"2026-01-01" -> 1', '> @"2026-01-01" -> 2'], types=("date",))) == [('@"2026-01-01"',)]
    day = table(['[@"00:00:00"..@"12:00:00") -> 1', '> @"12:00:00" -> 2'], types=("time",))
    assert regions(day) == [('@"12:00:00"',)]
    wait = table(['<= @"PT1H" -> 1', '> @"PT2H" -> 2'], types=("days and time duration",))
    assert regions(wait) == [('(@"PT1H"..@"PT2H"]',)]


def test_texts_have_always_others_unless_the_allowed_ones_are_listed() -> None:
    rows = ['"a" -> 1', '"b" -> 2']
    assert regions(table(rows, types=("string",))) == [('not("a", "b")',)]
    assert regions(table(rows, values='"a", "b"')) == []
    assert regions(table(rows, values='"a", "b", "五星"')) == [('"五星"',)]


def test_allowed_values_come_from_the_type_too() -> None:
    items = [
        ItemDefinition(name="Level", type_ref="Base"),
        ItemDefinition(name="Base", type_ref="number", allowed_values="[0..10)"),
    ]
    asked = table(["< 3 -> 1", "(3..12] -> 2"], types=("Level",))
    assert [f.cells for f in check_table(asked, items=items)] == [("3",)]


def test_gaps_of_several_columns_are_put_together() -> None:
    rows = ['< 10 | "a" -> 1', '>= 10 | "a" -> 2', '> 50 | "b" -> 3']
    asked = replace(table(rows), inputs=table(rows).inputs)
    asked = replace(asked, inputs=(asked.inputs[0], replace(asked.inputs[1], values='"a", "b"')))
    assert regions(asked) == [("<= 50", '"b"')]


def test_a_default_output_leaves_no_gap() -> None:
    assert regions(table(["< 10 -> 1"], outputs=(Output(default="0"),))) == []


def test_overlaps_name_both_rules_and_what_they_share() -> None:
    rows = ["[1..5] | - -> 1", "[5..9] | true -> 2", ">= 7 | false -> 3"]
    found = [f for f in check_table(table(rows)) if f.code == "overlap"]
    assert [(f.rule, f.rules, f.cells, f.en) for f in found] == [
        (2, (1, 2), ("5", "true"), "Rules 1, 2 both match x: 5; y: true.")
    ]


def test_two_rules_may_overlap_in_null_alone() -> None:
    assert regions(table(["null -> 1", "null, 5 -> 2", "not(5) -> 3"], types=("number",)), "overlap") == [
        ("null",),
        ("null",),
        ("null",),
    ]


def test_any_minds_only_different_results() -> None:
    rows = ['< 10 -> "a"', '< 20 -> "a" ', '[5..6] -> "b"', "6 -> x"]
    found = [(f.code, f.rules, f.severity.value) for f in check_table(table(rows, HitPolicy.ANY)) if f.code != "gap"]
    assert found == [
        ("differs", (1, 3), "error"),
        ("may-differ", (1, 4), "warning"),
        ("differs", (2, 3), "error"),
        ("may-differ", (2, 4), "warning"),
        ("may-differ", (3, 4), "warning"),
    ]


def test_rules_that_others_hide_together() -> None:
    rows = ["< 10 -> 1", "> 10 -> 2", "[5..20] -> 3", "[11..12] -> 4"]
    found = check_table(table(rows, HitPolicy.FIRST))
    assert [(f.code, f.rule) for f in found] == [("shadowed", 4)]


def test_a_priority_hides_by_rank_and_not_by_place() -> None:
    rows = ['[5..6] -> "low"', '- -> "high"']
    found = check_table(table(rows, HitPolicy.PRIORITY, ranked='"high", "low"'))
    assert [(f.code, f.rule) for f in found] == [("shadowed", 1)]
    assert check_table(table(rows, HitPolicy.PRIORITY, ranked='"low", "high"')) == []


def test_equal_rules_are_told_whatever_the_policy() -> None:
    found = check_table(table(["- -> 1", "- -> 1", "- -> 2"], HitPolicy.COLLECT))
    assert told(found) == [("duplicate", 2, None, "Rules 1, 2 are the same.")]


def test_constants_of_the_wrong_kind_and_values_that_are_not_allowed() -> None:
    rows = ['5 -> "a"', '"c" -> 1', "< 3 -> 2", '"a", "d" -> 3', "- -> 4"]
    found = check_table(table(rows, HitPolicy.FIRST, types=("string",), values='"a", "b"', ranked="1, 2, 3"))
    assert told(found) == [
        ("cell-kind", 1, 1, "5 is no string."),
        ("not-allowed", 2, 1, '"c" is not among the allowed values "a", "b".'),
        ("cell-kind", 3, 1, "3 is no string."),
        ("not-allowed", 4, 1, '"d" is not among the allowed values "a", "b".'),
        ("not-allowed", 1, 2, '"a" is not among the allowed values 1, 2, 3.'),
        ("not-allowed", 5, 2, "4 is not among the allowed values 1, 2, 3."),
    ]


def test_an_output_of_the_wrong_kind() -> None:
    found = check_table(table(["- -> true"], outputs=(Output(type_ref="date"),)))
    assert told(found) == [("output-kind", 1, 2, "true is no date.")]


def test_a_cell_that_nothing_passes() -> None:
    found = check_table(table(["(5..5) -> 1", "- -> 2"], HitPolicy.FIRST, types=("number",)))
    assert told(found)[0] == ("never", 1, 1, "No value passes the cell (5..5).")


def test_texts_that_are_no_feel_are_told_all_at_once_with_their_cell() -> None:
    found = check_table(table(["1.. -> 1", "2 -> 1 +"]), ["x"])
    assert [(f.code, f.rule, f.column) for f in found] == [("text", 1, 1), ("text", 2, 2)]
    assert found[0].zh.startswith("第 1 行第 1 个输入单元格：")


def test_unknown_names() -> None:
    found = check_table(table(["< limit -> x + fee", "> count([1]) -> y"], HitPolicy.FIRST), ["x", "y"])
    assert [(f.rule, f.column, f.en) for f in found if f.code == "unknown-name"] == [
        (1, 1, "limit is not known here."),
        (1, 2, "fee is not known here."),
    ]


def test_what_only_the_evaluation_knows_is_said_and_is_neither_gap_nor_overlap_for_certain() -> None:
    found = check_table(table(["< y -> 1", "> 5 -> 2", "> 7 -> 3"], types=("number",)))
    assert [(f.code, f.rule, f.cells) for f in found] == [("unchecked-cell", 1, ()), ("overlap", 3, ("> 7",))]


def test_columns_of_lists_are_not_checked_and_that_is_said() -> None:
    items = [ItemDefinition(name="Numbers", type_ref="number", is_collection=True)]
    found = check_table(table(["[1, 2] -> 1"], types=("Numbers",)), items=items)
    assert [(f.code, f.column) for f in found] == [("unchecked-column", 1)]


def test_the_form_of_outputs() -> None:
    asked = table(["- -> 1 | 2 | 3"], HitPolicy.PRIORITY, outputs=(Output(name="a"), Output(name="a"), Output()))
    assert told(check_table(asked)) == [
        ("same-names", None, 3, "Two outputs are named a."),
        ("no-names", None, 4, "Several outputs need a name each."),
        ("no-ranks", None, None, "PRIORITY needs the output values in order."),
    ]
    summed = table(["- -> 1 | 2"], HitPolicy.COLLECT, aggregation=Aggregation.SUM)
    assert [f.code for f in check_table(summed)] == ["many-outputs"]


def test_many_gaps_are_cut_off_with_a_word() -> None:
    asked = table([f"{n} | {n} -> 1" for n in range(60)], types=("number", "number"))
    found = check_table(asked)
    assert [f.code for f in found].count("gap") == 50
    assert found[-1].code == "more-gaps"


@pytest.mark.parametrize(
    ("policy", "what"),
    [(HitPolicy.UNIQUE, ["gaps", "overlaps"]), (HitPolicy.FIRST, ["gaps", "rules that never match"])],
)
def test_a_search_that_would_take_too_long_says_so(
    monkeypatch: pytest.MonkeyPatch, policy: HitPolicy, what: list[str]
) -> None:
    monkeypatch.setattr(check_rules, "MAX_STEPS", 1)
    found = check_table(table(["1 | 1 -> 1", "2 | - -> 2"], policy))
    assert told(found) == [
        ("too-large", None, None, f"The table is too large for this check ({each}); it was stopped after 1 steps.")
        for each in what
    ]


def model(expression: Expression) -> Definitions:
    decision = Decision(
        id="d",
        name="费用",
        variable=InformationItem(name="费用"),
        expression=expression,
        required_inputs=("#i",),
    )
    given = InputData(id="i", name="x", variable=InformationItem(name="x", type_ref="number"))
    return Definitions(id="m", name="m", namespace="urn:m", input_data=(given,), decisions=(decision,))


def test_a_model_is_checked_with_its_tables_wherever_they_stand() -> None:
    inner = table(["< limit -> y", ">= 5 -> nobody"], types=("number",))
    boxed = Context(
        entries=(
            ContextEntry(variable=InformationItem(name="limit"), value=LiteralExpression(text="x + 1")),
            ContextEntry(variable=InformationItem(name="y"), value=LiteralExpression(text="limit + ghost")),
            ContextEntry(variable=None, value=inner),
        )
    )
    assert [(f.code, f.element, f.rule, f.column) for f in check_model(model(boxed))] == [
        ("unknown-name", "d", None, None),
        ("unknown-name", "d", 2, 2),
        ("unchecked-cell", "d", 1, 1),
    ]


def test_a_fault_of_a_table_is_told_once_and_one_of_another_text_too() -> None:
    assert [(f.code, f.rule) for f in check_model(model(table(["< -> 1"])))] == [("text", 1)]
    assert [f.code for f in check_model(model(LiteralExpression(text="x +")))] == ["model"]


def test_a_broken_graph_is_told() -> None:
    broken = replace(model(LiteralExpression(text="x")), input_data=())
    assert [(f.code, f.severity.value) for f in check_model(broken)] == [("model", "error")]
