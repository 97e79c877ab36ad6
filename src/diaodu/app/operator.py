"""Publishing an operator's directory: its catalogue and its processes."""

from pathlib import Path
from typing import Any

import yaml

from diaodu.app.wiring import handlers
from diaodu.catalog import commands as catalog
from diaodu.engine import commands as engine
from diaodu.kernel.db import Database


def read_catalogue(directory: Path) -> dict[str, Any]:
    """The catalogue document of an operator: its YAML files, merged section by section."""
    document: dict[str, Any] = {}
    for path in sorted((directory / "catalogue").glob("*.yaml")):
        document |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def publish(db: Database, directory: Path) -> int:
    """Publish the catalogue and deploy the processes; returns the release id.

    The same directory again changes nothing. BadCatalogue and the engine's refusals name every problem.
    """
    document = read_catalogue(directory)
    with db.transaction(actor="publish") as tx:
        release_id = catalog.publish(tx, name=directory.name, document=document)
        for path in sorted((directory / "processes").glob("*.bpmn")):
            engine.deploy(tx, path.read_bytes(), handlers())
    return release_id
