"""What is deployed, as it is shown: versions, their elements, and their sources with a diagram."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from diaodu.engine.definition import compiled
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound

_COLUMNS = "id, key, version, name, encode(digest, 'hex'), deployed_at, suspended_at, suspended_by"


@dataclass(frozen=True)
class DefinitionView:
    """One version of a process; ``digest`` is the SHA-256 of its source, in hex."""

    id: int
    key: str
    version: int
    name: str
    digest: str
    deployed_at: datetime
    suspended_at: datetime | None
    suspended_by: str | None


@dataclass(frozen=True)
class ElementView:
    """A node of a diagram; ``scope`` is the id of the subprocess around it, empty in the process itself."""

    id: str
    name: str
    element: str  # as BPMN calls it
    scope: str


def definitions(tx: Tx, key: str | None = None, *, before: int | None = None, limit: int) -> list[DefinitionView]:
    """The versions of all processes or of one, deployed before that with the id ``before``; the newest first."""
    rows = tx.rows(
        f"select {_COLUMNS} from engine.definition where (%s::text is null or key = %s)"
        " and (%s::int8 is null or id < %s) order by id desc limit %s",
        (key, key, before, before, limit),
    )
    return [DefinitionView(*row) for row in rows]


def get_definition(tx: Tx, key: str, version: int | None = None) -> tuple[DefinitionView, bytes]:
    """A version of a process, else its newest, and its source byte by byte as it was deployed; NotFound."""
    row = tx.row(
        f"select bpmn, {_COLUMNS} from engine.definition where key = %s and (%s::int4 is null or version = %s)"
        " order by version desc limit 1",
        (key, version, version),
    )
    if row is None:
        raise NotFound(entity="process", id=key if version is None else f"{key}:{version}")
    return DefinitionView(*row[1:]), bytes(row[0])


def elements(bpmn: bytes, key: str) -> Sequence[ElementView]:
    """The nodes of a deployed process in the order of the file."""
    nodes = compiled(bpmn, key).nodes
    return [ElementView(n.id, n.name, n.element, nodes[n.scope].id if n.scope >= 0 else "") for n in nodes[:-1]]
