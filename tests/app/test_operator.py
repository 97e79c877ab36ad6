"""Publishing an operator: the example's files, and what is refused."""

import shutil
from pathlib import Path

import pytest
from lxml import etree

from diaodu.app.installation import example_operator
from diaodu.app.operator import publish
from diaodu.catalog.errors import WorkNotDrawn
from diaodu.kernel.db import Database

DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


def test_publishing_again_changes_nothing(db: Database) -> None:
    first = publish(db, example_operator())
    again = publish(db, example_operator())
    assert first == again
    with db.transaction() as tx:
        assert tx.rows("select key, version from engine.definition order by key") == [("execution", 1), ("intake", 1)]


def test_a_process_that_lacks_a_kind_of_work_is_refused_and_nothing_is_kept(db: Database, tmp_path: Path) -> None:
    directory = tmp_path / "operator"
    shutil.copytree(example_operator(), directory)
    drawn = directory / "processes" / "execution.bpmn"
    text = drawn.read_text(encoding="utf-8")
    drawn.write_text(text.replace('diaodu:kind="W7"', 'diaodu:kind="W70"'), encoding="utf-8")

    with pytest.raises(WorkNotDrawn) as refused:
        publish(db, directory)

    assert refused.value.params == {"process": "execution", "kinds": "W7"}
    with db.transaction() as tx:
        assert tx.row("select count(*) from catalog.release") == (0,)
        assert tx.row("select count(*) from engine.definition") == (0,)


@pytest.mark.parametrize("name", ["intake", "execution"])
def test_every_element_of_the_example_processes_has_its_place_in_the_diagram(name: str) -> None:
    tree = etree.parse(example_operator() / "processes" / f"{name}.bpmn")
    shown = {e.get("bpmnElement") for e in tree.iter(f"{DI}BPMNShape", f"{DI}BPMNEdge") if len(e)}
    process = tree.find(f"{MODEL}process")
    assert process is not None
    parts = {"incoming", "outgoing", "conditionExpression", "errorEventDefinition"}
    drawn = {e.get("id") for e in process.iterdescendants() if etree.QName(e).localname not in parts}
    assert drawn == shown
