"""Models to DMN 1.5: what was made comes back, what was read keeps its foreign parts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.dmn.models import definitions
from tests.dmn.test_read import TARIFF, V11, V12, V15

from diaodu.dmn.model import (
    Decision,
    DecisionTable,
    Definitions,
    HitPolicy,
    InformationItem,
    InputData,
    List,
    LiteralExpression,
    Rule,
)
from diaodu.dmn.read import read_definitions
from diaodu.dmn.read_errors import DmnReadError
from diaodu.dmn.write import write_definitions

KIT = sorted((Path(__file__).parents[2].parent / "shared" / "dmn-tck").rglob("*.dmn"))
FOREIGN = Path(__file__).with_name("foreign.dmn")
X = "{urn:x}"


def canonical(xml: bytes) -> bytes:
    return etree.tostring(etree.fromstring(xml), method="c14n")


def bare(model: Definitions) -> Definitions:
    return replace(model, source=None)


def changed(xml: bytes, **parts: Any) -> str:
    """The file of a model of which some parts were replaced; it reads as exactly that."""
    model = replace(read_definitions(xml), **parts)
    written = write_definitions(model)
    assert bare(read_definitions(written)) == bare(model)
    return written.decode()


def with_rules(model: Definitions, rules: tuple[Rule, ...]) -> tuple[Decision, ...]:
    decision = model.decisions[0]
    assert isinstance(decision.expression, DecisionTable)
    return (replace(decision, expression=replace(decision.expression, rules=rules)), *model.decisions[1:])


@settings(max_examples=60, deadline=None)
@given(definitions())
def test_a_model_made_by_code_comes_back(model: Definitions) -> None:
    assert bare(read_definitions(write_definitions(model))) == model


@settings(max_examples=60, deadline=None)
@given(definitions(), definitions())
def test_any_model_may_become_any_other(before: Definitions, after: Definitions) -> None:
    written = write_definitions(replace(after, source=write_definitions(before)))
    assert bare(read_definitions(written)) == after


def test_an_unchanged_file_comes_back_as_it_is() -> None:
    xml = FOREIGN.read_bytes()
    assert write_definitions(read_definitions(xml)) == xml


def test_only_the_changed_part_of_a_file_changes() -> None:
    xml = FOREIGN.read_bytes()
    model = read_definitions(xml)
    table = model.decisions[0].expression
    assert isinstance(table, DecisionTable)
    rule = replace(table.rules[1], outputs=("0.85",))
    written = changed(xml, decisions=with_rules(model, (table.rules[0], rule)))
    assert canonical(written.encode()) == canonical(xml.replace(b"<text> 0.9 </text>", b"<text>0.85</text>"))


def test_a_new_rule_stands_among_the_others_and_foreign_parts_stay() -> None:
    xml = FOREIGN.read_bytes()
    model = read_definitions(xml)
    table = model.decisions[0].expression
    assert isinstance(table, DecisionTable)
    new = Rule(id="r0", inputs=('"三星"',), outputs=("1",), annotations=("new",))
    written = changed(xml, decisions=with_rules(model, (new, *reversed(table.rules))))
    order = [written.index(f' id="{name}">') for name in ("r0", "r2", "r1")]
    assert order == sorted(order)
    for part in ('x:colour="red"', "<x:note>mine</x:note>", "<!-- between rules -->", 'id="e1"'):
        assert written.count(part) == 1, part


def test_other_logic_keeps_what_stands_around_it() -> None:
    xml = FOREIGN.read_bytes()
    model = read_definitions(xml)
    decision = replace(model.decisions[0], expression=LiteralExpression(text="1"), required_knowledge=("#k9",))
    root = etree.fromstring(changed(xml, decisions=(decision, *model.decisions[1:])).encode())
    first = root.find(f"{{{V15}}}decision")
    assert first is not None
    assert [etree.QName(child).localname for child in first.iterchildren(etree.Element)] == [
        "description",
        "extensionElements",
        "question",
        "variable",
        "informationRequirement",
        "knowledgeRequirement",
        "authorityRequirement",
        "decisionMaker",
        "literalExpression",
    ]


def test_what_is_removed_leaves_no_shape_behind() -> None:
    xml = FOREIGN.read_bytes()
    assert b'dmnElementRef="i1"' in xml
    written = changed(xml, input_data=())
    assert 'dmnElementRef="i1"' not in written
    assert 'dmnElementRef="d1"' in written
    assert 'dmnElementRef="ks"' in written


def test_what_was_said_by_default_is_written_when_it_changes() -> None:
    xml = f'<definitions xmlns="{V15}" name="m" namespace="urn:m"><decision id="d" name="a"/></definitions>'.encode()
    assert "<variable" not in changed(xml, name="other")
    decision = read_definitions(xml).decisions[0]
    typed = replace(decision, variable=InformationItem(name="a", type_ref="number"))
    assert '<variable name="a" typeRef="number"/>' in changed(xml, decisions=(typed,))


def test_items_of_different_kinds_change_places() -> None:
    one, inner = LiteralExpression(text="1"), List(items=())
    variable = InformationItem(name="d")
    model = Definitions(
        id="m",
        name="m",
        namespace="urn:m",
        input_data=(InputData(id="i", name="i", variable=InformationItem(name="i")),),
        decisions=(Decision(id="d", name="d", variable=variable, expression=List(items=(one, inner))),),
    )
    swapped = replace(model.decisions[0], expression=List(items=(inner, one)))
    changed(write_definitions(model), decisions=(swapped,))


@pytest.mark.parametrize("namespace", [V11, V12])
def test_an_older_file_is_written_as_1_5(namespace: str) -> None:
    xml = TARIFF.format(ns=namespace).encode()
    model = read_definitions(xml)
    written = write_definitions(model)
    assert canonical(written) == canonical(TARIFF.format(ns=V15).encode())
    assert "<!-- 资费 -->".encode() in written
    assert bare(read_definitions(written)) == bare(model)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_written_again(data: st.DataObject) -> None:
    xml = FOREIGN.read_bytes()
    start = data.draw(st.integers(0, len(xml)))
    part = data.draw(st.sampled_from([b"", b"<", b'"', b" id=''", b"m:list", b"\x00", b"&e;", b"\xe5"]))
    damaged = xml[:start] + part + xml[start + data.draw(st.integers(0, 40)) :]
    try:
        model = read_definitions(damaged)
    except DmnReadError:
        model = None
    if model is not None:
        changed(damaged, name="changed", decisions=(), input_data=model.input_data[:1])


def test_a_text_that_xml_cannot_hold_is_refused() -> None:
    model = Definitions(id=None, name="\x00", namespace="urn:m")
    with pytest.raises(ValueError, match="XML compatible"):
        write_definitions(model)


def foreign(root: etree._Element) -> list[tuple[str, ...]]:
    """Everything in a file that is not of the model's namespace, and what stays unread there."""
    kept = ("authorityRequirement", "knowledgeSource", "extensionElements", "textAnnotation", "association", "group")
    return sorted(
        (element.tag, *map(str, sorted(element.attrib.items())))
        for element in root.iter(etree.Element)
        if etree.QName(element).namespace != V15 or etree.QName(element).localname in kept
    )


@pytest.mark.skipif(not KIT, reason="the DMN kit does not lie beside the repository")
def test_files_of_the_kit_keep_their_foreign_parts() -> None:
    for path in KIT:
        xml = path.read_bytes()
        model = read_definitions(xml)
        assert write_definitions(model) == xml
        assert bare(read_definitions(write_definitions(bare(model)))) == bare(model)
        decisions = tuple(
            replace(each, expression=LiteralExpression(text="1"), description="changed") for each in model.decisions
        )
        written = changed(xml, decisions=decisions, name="changed")
        assert foreign(etree.fromstring(written.encode())) == foreign(etree.fromstring(xml)), path


def test_a_changed_hit_policy_is_an_attribute() -> None:
    xml = FOREIGN.read_bytes()
    model = read_definitions(xml)
    table = model.decisions[0].expression
    assert isinstance(table, DecisionTable)
    decision = replace(model.decisions[0], expression=replace(table, hit_policy=HitPolicy.FIRST))
    written = changed(xml, decisions=(decision, *model.decisions[1:]))
    assert canonical(written.encode()) == canonical(xml.replace(b'hitPolicy="UNIQUE"', b'hitPolicy="FIRST"'))
