"""A table's JSON and its DMN model: one is the other."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.example import KEY, TABLE, limits, rules, table

from diaodu.dmn.model import Aggregation, BusinessKnowledgeModel, DecisionTable, HitPolicy, InformationItem
from diaodu.dmn.write import write_definitions
from diaodu.rules.document import answering, empty, read, to_table, with_table, write
from diaodu.rules.errors import Unreadable


def without_ids(document: Any) -> Any:
    if isinstance(document, list):
        return [without_ids(v) for v in document]
    return {k: without_ids(v) for k, v in document.items() if k != "id"} if isinstance(document, dict) else document


def shown(definitions: Any) -> dict[str, Any]:
    found = to_table(definitions, KEY)
    assert found is not None
    return found


def test_a_table_comes_back_as_it_was_given_with_its_input_data() -> None:
    expected = {**TABLE, "data": [{"name": "级别", "type": "string"}, {"name": "农村", "type": "boolean"}]}
    assert without_ids(shown(limits())) == expected


def test_a_table_is_the_same_after_dmn_xml() -> None:
    document = shown(limits(annotations=["依据"], rules=[{**r, "annotations": ["文件"]} for r in TABLE["rules"]]))
    again = read(write_definitions(with_table(empty(KEY, KEY), KEY, document)))
    assert shown(again) == document


def test_the_model_has_one_decision_that_requires_its_data() -> None:
    decision = answering(limits(), KEY)
    assert decision is not None
    assert isinstance(decision.expression, DecisionTable)
    assert decision.expression.hit_policy is HitPolicy.UNIQUE
    assert decision.required_inputs == ("#data", "#data_2")
    assert [(d.id, d.name, d.variable.type_ref) for d in limits().input_data] == [
        ("data", "级别", "string"),
        ("data_2", "农村", "boolean"),
    ]


def test_the_data_are_the_names_that_any_text_reads() -> None:
    made = limits(
        inputs=[{"expression": "客户.级别", "type": "string"}, {"expression": "数量 * 2", "type": "number"}],
        rules=[{"when": ['"五星"', "> 下限"], "then": ["单价 * 数量"]}],
    )
    assert [(d.name, d.variable.type_ref) for d in made.input_data] == [
        ("客户", None), ("数量", None), ("单价", None), ("下限", None),
    ]  # fmt: skip


def test_declared_data_are_taken_as_they_are() -> None:
    made = limits(
        data=[{"name": "Customer Level", "type": "string"}], inputs=[{"expression": "Customer Level"}], rules=[]
    )
    assert [(d.name, d.variable.type_ref) for d in made.input_data] == [("Customer Level", "string")]


def test_a_rule_keeps_its_id_when_it_moves_and_a_new_one_gets_one_of_its_own() -> None:
    before = shown(limits())
    first, second, third, fourth = before["rules"]
    new = {"when": ['"三星"', "-"], "then": ["60"]}
    after = shown(with_table(limits(), KEY, {**before, "rules": [new, second, first, fourth, third]}))
    assert [r["id"] for r in after["rules"]][1:] == [second["id"], first["id"], fourth["id"], third["id"]]
    assert after["rules"][0]["id"] not in {r["id"] for r in before["rules"]}


def test_equal_new_rules_get_ids_of_their_own() -> None:
    ids = [r["id"] for r in shown(limits(rules=rules(("-", "-", "1"), ("-", "-", "1"))))["rules"]]
    assert len(set(ids)) == 2


def test_a_copied_rule_is_another_one() -> None:
    row = {"id": "r", "when": ["-", "-"], "then": ["1"]}
    first, second = shown(limits(rules=[row, row]))["rules"]
    assert first["id"] == "r"
    assert second["id"].startswith("rule_")


def test_what_a_table_cannot_say_stays_when_it_is_changed() -> None:
    xml = write_definitions(limits()).replace(
        b"<decision ", b"<extensionElements><x:own xmlns:x='urn:own'/></extensionElements><decision ", 1
    )
    base = read(xml)
    changed = with_table(base, KEY, {**shown(base), "hitPolicy": "FIRST"})
    assert b"urn:own" in write_definitions(changed)
    assert shown(read(write_definitions(changed)))["hitPolicy"] == "FIRST"


def test_a_model_of_several_decisions_is_no_table() -> None:
    model = limits()
    function = BusinessKnowledgeModel(id="f", name="f", variable=InformationItem(name="f"), logic=None)
    assert to_table(replace(model, knowledge_models=(function,)), KEY) is None
    assert to_table(empty(KEY, KEY), KEY) is None


def test_the_decision_of_the_key_answers_else_the_only_one() -> None:
    model = limits()
    named = model.decisions[0]
    other = replace(named, id="other", name="别的")
    both = replace(model, decisions=(other, named))
    assert answering(both, KEY) is named
    assert answering(both, "没有") is None
    assert answering(model, "没有") is named


def test_an_aggregation_is_kept() -> None:
    made = limits(hitPolicy="COLLECT", aggregation="SUM")
    assert isinstance(expression := made.decisions[0].expression, DecisionTable)
    assert (expression.hit_policy, expression.aggregation) == (HitPolicy.COLLECT, Aggregation.SUM)


@pytest.mark.parametrize(
    ("document", "problems"),
    [
        ([], "$: expected an object; outputs: expected a list of 1 to 100 objects"),
        (table(hitPolicy="BEST"), "hitPolicy: expected UNIQUE | FIRST | PRIORITY | ANY | COLLECT | RULE ORDER | OUT"),
        (table(outputs=[]), "outputs: expected a list of 1 to 100 objects; rules[0].then: expected a list of 0 texts"),
        (
            table(rules=[{"when": ["-"], "then": [1]}]),
            "rules[0].when: expected a list of 2 texts; rules[0].then: expected a list of 1 texts",
        ),
        (table(inputs=[{"expression": 1}], rules=[]), "inputs[0].expression: expected a text"),
        (table(data=[{}]), "data[0].name: expected a text"),
    ],
)
def test_every_problem_of_a_table_is_told_with_its_place(document: Any, problems: str) -> None:
    with pytest.raises(Unreadable) as refused:
        with_table(empty(KEY, KEY), KEY, document)
    assert refused.value.params["problems"].startswith(problems)


def test_xml_that_is_no_dmn_is_refused_in_both_languages() -> None:
    with pytest.raises(Unreadable) as refused:
        read(b"<a/>")
    assert "is no DMN model" in refused.value.message("en")
    assert "不是 DMN" in refused.value.message("zh")


NAMES = ["hitPolicy", "aggregation", "data", "inputs", "outputs", "annotations", "rules", "when", "then", "id", "name",
         "expression", "type", "values", "default", "note", "label"]  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["UNIQUE", "SUM", "-", "a", "级别", "", "\ud800", "1 +"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON) | JSON, st.booleans())
def test_any_json_is_a_table_that_can_be_kept_or_is_refused(document: Any, based: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    given_table = {**TABLE, **document} if based and isinstance(document, dict) else document
    try:
        made = with_table(empty(KEY, KEY), KEY, given_table)
        assert to_table(read(write(made)), KEY) is not None
    except Unreadable:
        pass
