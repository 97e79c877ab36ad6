"""Deploying processes and starting them, for every door that does it."""

from collections.abc import Sequence

from diaodu.engine import commands as engine
from diaodu.engine import queries
from diaodu.engine.model import Start
from diaodu.engine.ports import Handlers
from diaodu.kernel import journal, keys
from diaodu.kernel.db import Tx
from diaodu.process.errors import KeyReused
from diaodu.process.ports import Fit


def deploy(tx: Tx, sources: Sequence[bytes], handlers: Handlers, fit: Fit) -> list[engine.Definition]:
    """Deploy files that may call each other, all of them or none; the same bytes again are the same version.

    ProcessNotExecutable names every problem of every file; what ``fit`` refuses.
    """
    made = engine.deploy_together(tx, sources, handlers)
    fit(tx, {definition.key for definition in made})
    return made


def start(tx: Tx, asked: Start, key: str | None) -> bool:
    """Start an instance at its root; False: this key has done so before, with the same content.

    KeyReused, UnknownProcess, DefinitionSuspended.
    """
    content = keys.content_hash([asked.process, asked.business_key, asked.vars]).hex()
    mark = None if key is None else f"start:{content}"
    if journal.create(tx, [asked.root_id], "process"):
        engine.operate.startable(tx, asked.process)
        engine.signal(tx, [asked], mark)
        return True
    if mark is None or not queries.entered(tx, asked.root_id, mark):
        raise KeyReused(key=key, id=asked.root_id)
    return False
