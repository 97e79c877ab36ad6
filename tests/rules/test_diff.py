import json
from dataclasses import replace
from itertools import permutations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rules.models import models

from diaodu.dmn.model import (
    Aggregation,
    Decision,
    DecisionTable,
    Definitions,
    HitPolicy,
    InformationItem,
    Input,
    InputData,
    LiteralExpression,
    Output,
    Rule,
)
from diaodu.rules.alignment import align, staying
from diaodu.rules.diff import Difference, PartChange, RuleChange, TableDiff, diff_tables
from diaodu.rules.diff_words import render
from diaodu.rules.model import TestCase


def rule(*cells: str, id_: str | None = None, note: str = "") -> Rule:
    return Rule(inputs=cells[:-1], outputs=cells[-1:], annotations=(note,), id=id_)


TABLE = DecisionTable(
    inputs=(
        Input(expression=LiteralExpression(text="级别", type_ref="string"), label="客户级别"),
        Input(expression=LiteralExpression(text="金额", type_ref="number")),
    ),
    outputs=(Output(name="时限", type_ref="number"),),
    rules=(
        rule('"五星"', ">= 100", "24"),
        rule('"五星"', "< 100", "36"),
        rule('"四星"', "-", "48"),
        rule("-", "-", "72"),
    ),
    hit_policy=HitPolicy.FIRST,
    annotations=("依据",),
)


def model(table: DecisionTable, *more: Decision) -> Definitions:
    decision = Decision(id="d", name="订单时限", variable=InformationItem(name="订单时限"), expression=table)
    return Definitions(id="m", name="订单时限", namespace="urn:t", decisions=(decision, *more))


def literal(name: str, text: str) -> Decision:
    return Decision(id=name, name=name, variable=InformationItem(name=name), expression=LiteralExpression(text=text))


def of(new: DecisionTable, old: DecisionTable = TABLE) -> TableDiff:
    (table,) = diff_tables(model(old), model(new)).tables
    return table


def test_ids_and_spaces_and_blank_tests_are_no_differences() -> None:
    rules = tuple(
        replace(r, id=f"r{n}", inputs=tuple("" if t == "-" else f" {t} " for t in r.inputs))
        for n, r in enumerate(TABLE.rules)
    )
    new = replace(model(replace(TABLE, rules=rules, id="t")), id="other", source=b"<x/>")

    diff = diff_tables(model(TABLE), new)

    assert not diff
    assert render(diff, "zh") == "两个版本没有差别"
    assert render(diff, "en") == "The two versions do not differ."


def test_a_changed_cell_is_told_with_its_column() -> None:
    rules = (TABLE.rules[0], rule('"五星"', "< 100", "30", note="新规"), *TABLE.rules[2:])

    assert of(replace(TABLE, rules=rules)).rules == (
        RuleChange("changed", 2, 2, (Difference("output", "36", "30"), Difference("依据", None, "新规"))),
    )


def test_an_inserted_rule_leaves_the_others_the_same() -> None:
    rules = (TABLE.rules[0], rule('"三星"', "-", "60"), *TABLE.rules[1:])

    assert of(replace(TABLE, rules=rules)).rules == (
        RuleChange(
            "added",
            None,
            2,
            (Difference("级别", None, '"三星"'), Difference("金额", None, "-"), Difference("output", None, "60")),
        ),
    )


def test_a_removed_rule_and_a_changed_one_beside_it_are_told_apart() -> None:
    rules = (rule('"五星"', ">= 200", "24"), *TABLE.rules[2:])

    found = of(replace(TABLE, rules=rules)).rules

    assert [(r.change, r.old, r.new) for r in found] == [("removed", 2, None), ("changed", 1, 1)]
    assert found[1].cells == (Difference("金额", ">= 100", ">= 200"),)


def test_a_moved_rule_is_one_move() -> None:
    rules = (TABLE.rules[3], *TABLE.rules[:3])

    assert of(replace(TABLE, rules=rules)).rules == (RuleChange("moved", 4, 1),)


def test_a_rule_with_the_same_id_is_the_same_also_when_it_moved_and_changed() -> None:
    old = replace(TABLE, rules=tuple(replace(r, id=f"r{n}") for n, r in enumerate(TABLE.rules)))
    rules = (rule('"一星"', "> 7", "1", id_="r3"), *old.rules[:3])

    (found,) = of(replace(old, rules=rules), old).rules

    assert (found.change, found.old, found.new) == ("moved", 4, 1)
    assert [cell.new for cell in found.cells] == ['"一星"', "> 7", "1"]


def test_columns_and_hit_policy() -> None:
    inputs = (
        TABLE.inputs[1],
        replace(TABLE.inputs[0], values='"五星", "四星"'),
        Input(expression=LiteralExpression(text="区域")),
    )
    rules = tuple(replace(r, inputs=(r.inputs[1], r.inputs[0], "-")) for r in TABLE.rules)
    rules = (replace(rules[0], inputs=(*rules[0].inputs[:2], '"城区"')), *rules[1:])
    new = replace(
        TABLE,
        inputs=inputs,
        rules=rules,
        hit_policy=HitPolicy.COLLECT,
        aggregation=Aggregation.SUM,
        annotations=("说明",),
    )

    found = of(new)

    assert found.properties == (Difference("hit policy", "F", "C+"),)
    assert found.columns == (
        PartChange("removed", "remark", "依据"),
        PartChange("changed", "input", "级别", (Difference("values", None, '"五星", "四星"'),)),
        PartChange("added", "input", "区域"),
        PartChange("added", "remark", "说明"),
        PartChange("moved", "input", "级别"),
    )
    assert found.rules == (RuleChange("changed", 1, 1, (Difference("区域", "-", '"城区"'),)),)


def test_decisions_inputs_and_test_cases() -> None:
    old = model(TABLE, literal("折扣", "0.9"), literal("旧", "1"))
    new = replace(
        model(TABLE, literal("折扣", "0.8"), literal("新", "1")),
        input_data=(InputData(id="i", name="级别", variable=InformationItem(name="级别")),),
    )
    same = TestCase(name="同", inputs={}, expected=1)
    before = (same, TestCase(name="改", inputs={"级别": "五星", "旧": 1}, expected=24))
    after = (TestCase(name="改", inputs={"级别": "四星"}, expected=48), same)

    diff = diff_tables(old, new, before, after)

    assert [(p.change, p.kind, p.name) for p in diff.parts] == [
        ("removed", "decision", "旧"),
        ("added", "input data", "级别"),
        ("changed", "decision", "折扣"),
        ("added", "decision", "新"),
    ]
    assert diff.tests == (
        PartChange(
            "changed",
            "test",
            "改",
            (Difference("级别", "五星", "四星"), Difference("旧", 1, None), Difference("expected", 24, 48)),
        ),
    )
    assert json.loads(json.dumps(diff.to_json()))["tests"][0]["differences"][2] == {
        "what": "expected",
        "old": 24,
        "new": 48,
    }


def test_the_differences_in_words() -> None:
    rules = (rule('"五星"', ">= 200", "24"), *TABLE.rules[1:3])
    new = model(replace(TABLE, rules=rules, hit_policy=HitPolicy.UNIQUE), literal("折扣", "0.8"))

    diff = diff_tables(model(TABLE), new)

    assert render(diff, "zh").splitlines() == [
        "决策表 订单时限",
        "  命中策略：F → U",
        "  删除 规则 4",
        "    级别：- → 无",
        "    金额：- → 无",
        "    结果：72 → 无",
        "  修改 规则 1",
        "    金额：>= 100 → >= 200",
        "新增 决策 折扣",
    ]
    assert render(diff, "en").splitlines()[5:8] == [
        "    result: 72 → nothing",
        "  changed rule 1",
        "    金额: >= 100 → >= 200",
    ]


def test_the_most_rows_stay_where_they_are() -> None:
    for order in permutations(range(5)):
        pairs = list(enumerate(order))
        longest = max(
            sum(chosen >> n & 1 for n in range(5))
            for chosen in range(32)
            if (kept := [order[n] for n in range(5) if chosen >> n & 1]) == sorted(kept)
        )
        assert len(staying(pairs)) == longest


ROWS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=8)


@settings(deadline=None)
@given(ROWS, ROWS)
def test_each_row_has_one_partner_at_most_and_an_equal_one_first(
    old: list[tuple[str, str]], new: list[tuple[str, str]]
) -> None:
    pairs = align(old, new, ([None] * len(old), [None] * len(new)))

    assert len({left for left, _ in pairs}) == len({right for _, right in pairs}) == len(pairs)
    equal = sum(min(old.count(row), new.count(row)) for row in set(old))
    assert sum(old[left] == new[right] for left, right in pairs) == equal


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(models(), models())
def test_any_two_models_can_be_compared_and_one_with_itself_is_the_same(old: Definitions, new: Definitions) -> None:
    assert not diff_tables(old, old)
    diff = diff_tables(old, new)
    assert json.dumps(diff.to_json())
    assert render(diff, "zh")
    assert render(diff, "en")
