"""Installing an operator: its organisation and network, catalogue and processes, and the services in use."""

from pathlib import Path
from typing import Any

import yaml

from diaodu.app.demo.bring_up import bring_up, simulators
from diaodu.app.demo.live import load_live_services
from diaodu.app.demo.load import Progress, load_operator
from diaodu.app.wiring import handlers
from diaodu.catalog import commands as catalog
from diaodu.dmn.read import read_definitions
from diaodu.engine import commands as engine
from diaodu.kernel.db import Database, Tx
from diaodu.rules import commands as rules
from diaodu.rules.model import TestCase

# The rest of the customers have no service yet: they are the ones who order.
SERVED_SHARE = 0.85


def read_catalogue(directory: Path) -> dict[str, Any]:
    """The catalogue document of an operator: its YAML files, merged section by section."""
    document: dict[str, Any] = {}
    for path in sorted((directory / "catalogue").glob("*.yaml")):
        document |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def publish(db: Database, directory: Path) -> int:
    """Publish the catalogue and deploy the processes; returns the release id.

    The same directory again changes nothing. BadCatalogue, WorkNotDrawn and the engine's refusals name every problem.
    """
    document = read_catalogue(directory)
    with db.transaction(actor="publish") as tx:
        load_decisions(tx, directory / "rules")
        files = [path.read_bytes() for path in sorted((directory / "processes").glob("*.bpmn"))]
        deployed = engine.deploy_together(tx, files, handlers())
        release = catalog.publish_once(tx, name=directory.name, document=document)
        # Only now: a kind of work may come or go in both at once.
        catalog.check_processes(tx, {definition.key for definition in deployed})
        return release


def load_decisions(tx: Tx, directory: Path) -> None:
    """Publish each ``<key>.dmn`` with the test cases of ``<key>.tests.yaml`` beside it."""
    for path in sorted(directory.glob("*.dmn")):
        cases = path.with_suffix(".tests.yaml")
        tests = yaml.safe_load(cases.read_text(encoding="utf-8")) if cases.exists() else []
        rules.load(tx, path.stem, read_definitions(path.read_bytes()), [TestCase(**case) for case in tests])


def install(
    db: Database,
    directory: Path,
    *,
    network: Path,
    seed: int | None = None,
    share: float = SERVED_SHARE,
    progress: Progress = lambda _what, _rows: None,
) -> int:
    """Load the operator of ``directory``, publish its catalogue and give ``share`` of its customers their services.

    ``network`` is where the simulated systems keep their state: they are told of the services too. Doing it again
    changes nothing. Returns the release id.
    """
    load_operator(db, directory, seed=seed, progress=progress)
    release_id = publish(db, directory)
    effects = load_live_services(db, share, progress)
    if effects:
        network.mkdir(parents=True, exist_ok=True)
        with simulators(network) as address:
            progress("network records", bring_up(effects, address))
    return release_id
