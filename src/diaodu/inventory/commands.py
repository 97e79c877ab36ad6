"""Writes by people and construction: new resources, faulty ports, the end of quarantines."""

from collections.abc import Mapping, Sequence
from typing import Any

from diaodu.inventory.model import TREE, ResourceState
from diaodu.inventory.serve import lock_area
from diaodu.kernel import sets
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound

RESOURCE_COLUMNS: Mapping[str, str] = {
    "area": "int4", "id": "int8", "spec": "text", "code": "text", "state": "int2",
    "up_id": "int8", "place_id": "int8", "attrs": "jsonb",
}  # fmt: skip


# id, spec, code, up_id, place_id, attrs.
NewResource = tuple[int, str, str, int | None, int | None, Mapping[str, Any]]


def add_resources(tx: Tx, area: int, rows: Sequence[NewResource]) -> None:
    """Take new resources into stock, free; open requests are tried again."""
    lock_area(tx, area)
    free = int(ResourceState.FREE)
    sets.insert(
        tx, "inventory.resource", RESOURCE_COLUMNS,
        [(area, item, spec, code, free, up, place, attrs) for item, spec, code, up, place, attrs in rows],
    )  # fmt: skip
    if any(row[1] in TREE for row in rows):
        tx.run("update inventory.area set topology = topology + 1 where id = %s", (area,))


def mark_faulty(tx: Tx, area: int, resource_id: int) -> int | None:
    """Take a bad resource out of use; returns the thing that held it and now needs another. NotFound."""
    lock_area(tx, area)
    row = tx.row("select holder from inventory.resource where area = %s and id = %s", (area, resource_id))
    if row is None:
        raise NotFound(entity="resource", id=resource_id)
    tx.run(
        "update inventory.resource set state = %s, holder = null, order_id = null where area = %s and id = %s",
        (int(ResourceState.FAULTY), area, resource_id),
    )
    holder: int | None = row[0]
    return holder


def end_quarantines(tx: Tx, area: int) -> int:
    """Set free what has rested long enough; returns how many."""
    lock_area(tx, area)
    return tx.run(
        "update inventory.resource set state = 0, until = null where area = %s and state = 4 and until <= %s",
        (area, tx.now),
    )
