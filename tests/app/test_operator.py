"""Publishing an operator: the example's files, and what is refused."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from lxml import etree
from tests.contract.conftest import FakePolicy
from tests.contract.server import serving
from typer.testing import CliRunner

from diaodu.app.asgi import create_app
from diaodu.app.cli import app
from diaodu.app.installation import example_operator
from diaodu.app.operator import publish, read_catalogue
from diaodu.catalog import commands as catalog
from diaodu.catalog.errors import WorkNotDrawn
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Database

POLICY = FakePolicy({"designer": Principal(1, "designer", frozenset({"process-design:write"}))})
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


def test_no_version_of_a_process_may_lack_the_work_of_a_release_now_or_later(db: Database, tmp_path: Path) -> None:
    publish(db, example_operator())
    whole = (example_operator() / "processes" / "execution.bpmn").read_text(encoding="utf-8")
    lacking = tmp_path / "execution.bpmn"
    lacking.write_text(whole.replace('diaodu:kind="W7"', 'diaodu:kind="W77"'), encoding="utf-8")
    words = ["process", "deploy", str(lacking), "--database-url", db.dsn, "--language", "en"]

    refused = CliRunner().invoke(app, words)

    assert refused.exit_code == 1
    assert "these kinds of work of the catalogue: W7." in refused.stderr
    with serving(create_app(db, POLICY), "designer") as http:
        xml = {"Content-Type": "application/xml"}
        reply = http.post("/diaodu-api/process/v1/definition", content=lacking.read_bytes(), headers=xml)
        assert (reply.status_code, reply.json()["code"]) == (400, "catalog.work-not-drawn")
    assert versions(db) == [("execution", 1), ("intake", 1)]
    # given: from tomorrow on W8 is called W88, and the process draws both
    document = read_catalogue(example_operator())
    later = orjson.loads(orjson.dumps(document).replace(b'"W8"', b'"W88"'))
    both = whole.replace('diaodu:kind="W8"', 'diaodu:kind="W8 W88"')
    lacking.write_text(both, encoding="utf-8")
    assert CliRunner().invoke(app, words).exit_code == 0
    with db.transaction() as tx:
        catalog.publish(tx, name="later", document=later, effective_at=tx.now + timedelta(days=1))
    # then: neither of the two may go
    for kind in ("W8", "W88"):
        lacking.write_text(both.replace('"W8 W88"', f'"{kind}"'), encoding="utf-8")
        assert CliRunner().invoke(app, words).exit_code == 1
    assert versions(db) == [("execution", 1), ("intake", 1), ("execution", 2)]


def versions(db: Database) -> list[tuple[Any, ...]]:
    with db.transaction() as tx:
        return tx.rows("select key, version from engine.definition order by id")
