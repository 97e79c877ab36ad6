"""What is deployed is kept byte by byte as a version; every door of deployment refuses the same."""

from collections.abc import Callable

import pytest
from tests.engine.kit import Service, bpmn, flows

from diaodu.engine import commands, queries
from diaodu.engine.errors import ProcessNotExecutable
from diaodu.engine.ports import Handlers
from diaodu.kernel.db import Tx

BOUND = Handlers({"check": Service()}, {})
START = '<startEvent id="s"/>'


def test_a_source_is_kept_byte_by_byte_and_versioned_when_it_changes(tx: Tx) -> None:
    inner = flows("i -> u")
    one = bpmn(
        START + '<subProcess id="b"><extensionElements><other:x y="1"/></extensionElements>'
        f'<startEvent id="i"/><userTask id="u" diaodu:pool="= pool" other:z="1"/>{inner}</subProcess>',
        "s -> b",
    )
    two = one.replace(b'y="1"', b'y="2"')
    first, same, second = (commands.deploy(tx, source, BOUND) for source in (one, one, two))
    assert (first, same.version, second.version) == (same, 1, 2)
    assert [queries.get_definition(tx, first.key, n)[1] for n in (1, 2)] == [one, two]


def test_a_refused_process_leaves_nothing_behind(tx: Tx) -> None:
    with pytest.raises(ProcessNotExecutable):
        commands.deploy(tx, bpmn('<startEvent id="s"/><complexGateway id="g"/>', "s -> g"), BOUND)
    assert tx.rows("select * from engine.definition") == []


@pytest.mark.parametrize("how", [commands.deploy, commands.deploy_all])
def test_no_door_takes_a_call_of_a_process_that_nobody_deployed(how: Callable[..., object], tx: Tx) -> None:
    source = bpmn(f'{START}<callActivity id="c" calledElement="missing"/>', "s -> c")
    with pytest.raises(ProcessNotExecutable) as refused:
        how(tx, source, BOUND)
    assert [(p.element, p.code, p.what) for p in refused.value.problems] == [("c", "unknown-process", "missing")]
    assert tx.rows("select * from engine.definition") == []
    commands.deploy(tx, bpmn(START, key="missing"), BOUND)
    how(tx, source, BOUND)
    assert tx.rows("select key from engine.definition order by id") == [("missing",), ("p",)]


@pytest.mark.parametrize(
    "source",
    [
        lambda name: bpmn(START, key=name),
        lambda name: bpmn(f'<startEvent id="{name}"/>'),
        lambda name: bpmn(f'{START}<serviceTask id="a" diaodu:topic="{name}"/>', "s -> a"),
        lambda name: bpmn(START, extra=f'<signal id="long" name="{name}"/>'),
    ],
)
def test_names_are_as_long_as_tables_can_be_searched_by(source: Callable[[str], bytes], tx: Tx) -> None:
    with pytest.raises(ProcessNotExecutable) as refused:
        commands.deploy(tx, source("n" * 201), BOUND)
    assert {(p.code, p.what) for p in refused.value.problems} == {("too-long", "200")}
    assert commands.deploy(tx, source("n" * 200), BOUND).version == 1


def test_files_of_one_call_do_not_hold_the_same_process(tx: Tx) -> None:
    with pytest.raises(ProcessNotExecutable) as refused:
        commands.deploy_together(tx, [bpmn(START), bpmn(f'{START}<task id="t"/>', "s -> t")], BOUND)
    assert [(p.element, p.code) for p in refused.value.problems] == [("p", "double-id")]
    assert tx.rows("select * from engine.definition") == []


def test_a_file_whose_expressions_are_in_another_language_is_refused(tx: Tx) -> None:
    xpath, dmn = "http://www.w3.org/1999/XPath", "https://www.omg.org/spec/DMN/20191111/FEEL/"

    def named(language: str) -> bytes:
        return bpmn(START).replace(b"<definitions ", f'<definitions id="f" expressionLanguage="{language}" '.encode())

    with pytest.raises(ProcessNotExecutable) as refused:
        commands.deploy(tx, named(xpath), BOUND)
    told = [(p.element, p.code, p.what) for p in refused.value.problems]
    assert told == [("f", "unsupported-attribute", f'expressionLanguage="{xpath}"')]
    assert [commands.deploy(tx, named(language), BOUND).version for language in (dmn, "")] == [1, 2]
