"""DMN files of all versions to the metamodel, and what is refused."""

from dataclasses import replace

import pytest

from diaodu.dmn import document
from diaodu.dmn.model import (
    Aggregation,
    BusinessKnowledgeModel,
    Decision,
    DecisionService,
    DecisionTable,
    Definitions,
    FunctionDefinition,
    HitPolicy,
    Import,
    InformationItem,
    Input,
    InputData,
    ItemDefinition,
    Iterate,
    IteratorKind,
    List,
    LiteralExpression,
    Output,
    Relation,
    Rule,
)
from diaodu.dmn.read import read_definitions
from diaodu.dmn.read_errors import DmnReadError

V11 = "http://www.omg.org/spec/DMN/20151101/dmn.xsd"
V12 = "http://www.omg.org/spec/DMN/20180521/MODEL/"
V13 = "https://www.omg.org/spec/DMN/20191111/MODEL/"
V14 = "https://www.omg.org/spec/DMN/20211108/MODEL/"
V15 = "https://www.omg.org/spec/DMN/20230324/MODEL/"

TARIFF = """<?xml version="1.0" encoding="UTF-8"?>
<!-- 资费 -->
<definitions xmlns="{ns}" xmlns:x="urn:x" id="m" name="资费" namespace="urn:tariff" x:author="a">
  <inputData id="i1" name="客户级别"><variable name="客户级别" typeRef="string"/></inputData>
  <decision id="d1" name="折扣">
    <question>多少？</question>
    <variable id="v1" name="折扣" typeRef="number"/>
    <informationRequirement><requiredInput href="#i1"/></informationRequirement>
    <decisionTable id="t1" hitPolicy="COLLECT" aggregation="MAX" outputLabel="折扣">
      <input id="c1" label="级别"><inputExpression typeRef="string"><text>客户级别</text></inputExpression>
        <inputValues><text>"五星","四星"</text></inputValues></input>
      <output id="c2" typeRef="number"><defaultOutputEntry><text>1</text></defaultOutputEntry></output>
      <rule id="r1"><description>best</description>
        <inputEntry id="e1"><text><![CDATA["五星"]]></text></inputEntry>
        <outputEntry id="e2"><text>0.<!-- comment -->8</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>
"""


def model_of(body: str, *, attributes: str = "", namespace: str = V15) -> Definitions:
    xml = f'<definitions xmlns="{namespace}" name="m" namespace="urn:m" {attributes}>{body}</definitions>'
    return replace(read_definitions(xml.encode()), source=None)


def problems_of(xml: str | bytes) -> list[tuple[str, str, int]]:
    with pytest.raises(DmnReadError) as caught:
        read_definitions(xml if isinstance(xml, bytes) else xml.encode())
    assert caught.value.message_en != caught.value.message_zh
    return [(p.code, p.element, p.line) for p in caught.value.problems]


@pytest.mark.parametrize("namespace", [V11, V12, V13, V14, V15])
def test_a_table_of_every_version(namespace: str) -> None:
    xml = TARIFF.format(ns=namespace).encode()
    assert read_definitions(xml) == Definitions(
        id="m",
        name="资费",
        namespace="urn:tariff",
        input_data=(InputData(id="i1", name="客户级别", variable=InformationItem(name="客户级别", type_ref="string")),),
        decisions=(
            Decision(
                id="d1",
                name="折扣",
                variable=InformationItem(name="折扣", type_ref="number", id="v1"),
                question="多少？",
                required_inputs=("#i1",),
                expression=DecisionTable(
                    id="t1",
                    hit_policy=HitPolicy.COLLECT,
                    aggregation=Aggregation.MAX,
                    output_label="折扣",
                    inputs=(
                        Input(
                            id="c1",
                            label="级别",
                            expression=LiteralExpression(text="客户级别", type_ref="string"),
                            values='"五星","四星"',
                        ),
                    ),
                    outputs=(Output(id="c2", type_ref="number", default="1"),),
                    rules=(Rule(id="r1", description="best", inputs=('"五星"',), outputs=("0.8",)),),
                ),
            ),
        ),
        source=xml,
    )


def test_type_names_of_1_1_lose_their_prefixes_and_imports_get_names() -> None:
    model = model_of(
        '<import namespace="urn:base" locationURI="base.dmn" importType="http://www.omg.org/spec/DMN/20151101/dmn.xsd"/>'
        '<itemDefinition name="tLoan"><typeRef>feel:days and time duration</typeRef></itemDefinition>'
        '<inputData id="i" name="a"><variable name="a" typeRef="own:tLoan"/></inputData>'
        '<inputData id="j" name="b"><variable name="b" typeRef="base:tBase"/></inputData>',
        namespace=V11,
        attributes='xmlns:feel="http://www.omg.org/spec/FEEL/20140401" xmlns:own="urn:m" xmlns:base="urn:base" '
        'expressionLanguage="http://www.omg.org/spec/FEEL/20140401"',
    )
    assert model.imports == (Import(name="base", namespace="urn:base", location="base.dmn", import_type=V15),)
    assert model.item_definitions == (ItemDefinition(name="tLoan", type_ref="days and time duration"),)
    assert [each.variable.type_ref for each in model.input_data] == ["tLoan", "base.tBase"]
    assert model.expression_language is None


def test_item_definitions_with_constraints_components_and_functions() -> None:
    model = model_of(
        '<itemDefinition name="tStars" isCollection="true"><typeRef>number</typeRef>'
        "<allowedValues><text>[1..5]</text></allowedValues>"
        "<typeConstraint><text>count(?) &lt; 3</text></typeConstraint></itemDefinition>"
        '<itemDefinition name="tPair"><itemComponent id="c" name="a"><typeRef>string</typeRef></itemComponent>'
        '<itemComponent name="b"><itemComponent name="c"/></itemComponent></itemDefinition>'
        '<itemDefinition name="tFn"><functionItem outputTypeRef="number"><parameters name="n" typeRef="number"/>'
        "</functionItem></itemDefinition>"
    )
    assert model.item_definitions == (
        ItemDefinition(
            name="tStars",
            type_ref="number",
            is_collection=True,
            allowed_values="[1..5]",
            type_constraint="count(?) < 3",
        ),
        ItemDefinition(
            name="tPair",
            components=(
                ItemDefinition(name="a", id="c", type_ref="string"),
                ItemDefinition(name="b", components=(ItemDefinition(name="c"),)),
            ),
        ),
        ItemDefinition(
            name="tFn", is_function=True, parameters=(InformationItem(name="n", type_ref="number"),), result="number"
        ),
    )


def test_knowledge_models_and_services() -> None:
    model = model_of(
        '<businessKnowledgeModel id="k" name="f"><encapsulatedLogic kind="Java"><formalParameter name="n"/>'
        "<literalExpression><text>n + 1</text></literalExpression></encapsulatedLogic>"
        '<knowledgeRequirement><requiredKnowledge href=" urn:o#g "/></knowledgeRequirement></businessKnowledgeModel>'
        '<decisionService id="s" name="计费"><outputDecision href="#d"/><encapsulatedDecision href="#e"/>'
        '<inputDecision href="#f"/><inputData href="#i"/></decisionService>'
    )
    n = InformationItem(name="n")
    assert model.knowledge_models == (
        BusinessKnowledgeModel(
            id="k",
            name="f",
            variable=InformationItem(name="f"),
            logic=FunctionDefinition(parameters=(n,), kind="Java", body=LiteralExpression(text="n + 1")),
            required_knowledge=("urn:o#g",),
        ),
    )
    assert model.services == (
        DecisionService(
            id="s",
            name="计费",
            variable=InformationItem(name="计费"),
            output_decisions=("#d",),
            encapsulated_decisions=("#e",),
            input_decisions=("#f",),
            input_data=("#i",),
        ),
    )


def expression_of(xml: str, **options: str) -> object:
    return model_of(f'<decision name="d">{xml}</decision>', **options).decisions[0].expression


def test_boxes_with_empty_places() -> None:
    one = "<literalExpression><text>1</text></literalExpression>"
    assert expression_of(f"<list>{one}<literalExpression/></list>") == List(items=(LiteralExpression(text="1"), None))
    assert expression_of(f'<relation><column name="a"/><row>{one}</row><row/></relation>') == Relation(
        columns=(InformationItem(name="a"),), rows=((LiteralExpression(text="1"),), ())
    )
    assert expression_of(f'<every iteratorVariable="x"><in>{one}</in><satisfies/></every>') == Iterate(
        kind=IteratorKind.EVERY, variable="x", source=LiteralExpression(text="1"), body=None
    )
    assert expression_of("<literalExpression/>") == LiteralExpression(text="")
    assert expression_of("") is None


def test_the_language_of_a_text_is_its_own_else_the_models() -> None:
    def language(own: str, models: str) -> str | None:
        box = f"<literalExpression {own}><text>1</text></literalExpression>"
        found = expression_of(box, attributes=models)
        assert isinstance(found, LiteralExpression)
        return found.language

    assert language("", "") is None
    assert language('expressionLanguage="urn:js"', "") == "urn:js"
    assert language("", 'expressionLanguage="urn:js"') == "urn:js"
    feel = 'expressionLanguage="https://www.omg.org/spec/DMN/20191111/FEEL/"'
    assert language(feel, 'expressionLanguage="urn:js"') is None
    assert language('expressionLanguage="feel"', "") is None


def test_elements_without_an_id_get_one_that_is_free() -> None:
    model = model_of('<decision name="a"/><decision id="_decision-1" name="b"/><decision name="c"/>')
    assert [each.id for each in model.decisions] == ["_decision-2", "_decision-1", "_decision-3"]


def test_every_problem_is_told_at_once() -> None:
    xml = f"""<definitions xmlns="{V15}" name="m">
      <decision id="d"><variable name="x"/>
        <informationRequirement id="q"><requiredInput/></informationRequirement>
        <decisionTable hitPolicy="BEST"><input id="c"/></decisionTable></decision>
      <decision id="d" name="b"><invocation><binding/></invocation></decision>
      <itemDefinition name="t" isCollection="maybe"/>
    </definitions>"""
    assert problems_of(xml) == [
        ("missing-attribute", "m", 1),
        ("missing-attribute", "d", 2),
        ("missing-attribute", "<requiredInput>", 3),
        ("bad-value", "<decisionTable>", 4),
        ("missing", "c", 4),
        ("missing", "<binding>", 5),
        ("double-id", "d", 5),
        ("bad-value", "t", 6),
    ]


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ("", "xml"),
        ("<definitions", "xml"),
        ("<definitions/>", "not-dmn"),
        ('<model xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/"/>', "not-dmn"),
        ('<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "not-dmn"),
        (f'<!DOCTYPE definitions><definitions xmlns="{V15}"/>', "doctype"),
        (
            f'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><definitions xmlns="{V15}">&e;</definitions>',
            "doctype",
        ),
        (f'<definitions xmlns="{V15}">' + "<list>" * 150 + "</list>" * 150 + "</definitions>", "too-deep"),
        ("<a>" * 5000, "xml"),
    ],
)
def test_what_is_no_model_is_refused(xml: str, code: str) -> None:
    assert [found for found, _, _ in problems_of(xml)] == [code]


def test_a_file_that_is_too_large_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_BYTES", 10)
    assert problems_of(b"<not even xml") == [("too-large", "definitions", 0)]
