"""Writes by people and construction: new resources, the end of quarantines; and reservations on trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from diaodu.inventory.alternatives import alternatives
from diaodu.inventory.gather import FIRST_RANK, gather
from diaodu.inventory.model import TREE, ResourceState
from diaodu.inventory.ports import Designer, Wanted
from diaodu.inventory.requests import Request, grouped
from diaodu.inventory.reserve import decide, keys_of
from diaodu.inventory.serve import Trees, lock_area
from diaodu.kernel import sets
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound

RESOURCE_COLUMNS: Mapping[str, str] = {
    "area": "int4", "id": "int8", "spec": "text", "code": "text", "state": "int2",
    "up_id": "int8", "place_id": "int8", "attrs": "jsonb",
}  # fmt: skip


_MONTH = timedelta(days=30)
# Whoever waited longer than this was not served at once.
_AT_ONCE = timedelta(minutes=1)
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


def end_quarantines(tx: Tx, area: int) -> int:
    """Set free what has rested long enough; returns how many."""
    lock_area(tx, area)
    return tx.run(
        "update inventory.resource set state = 0, until = null where area = %s and state = 4 and until <= %s",
        (area, tx.now),
    )


@dataclass(frozen=True)
class Trial:
    """What a reservation would be answered now, what is free instead, and how many wait before it for the same.

    ``per_day`` is how many orders that had to wait were served in the area, on an average day of the last month.
    """

    answer: Mapping[str, Any]
    alternatives: Sequence[Mapping[str, Any]]
    ahead: int
    per_day: float


class Trials:
    """Tries reservations out: decided as the area's worker would, after all who have rank; nothing is written."""

    def __init__(self, designer: Designer) -> None:
        self._designer, self._trees = designer, Trees()

    def __call__(
        self, tx: Tx, area: int, lines: Sequence[Mapping[str, Any]], behind: Sequence[Sequence[Mapping[str, Any]]] = ()
    ) -> Trial:
        """The trial of one order's lines (bodies of ``Wanted``) in one area, ``behind`` others; NotFound."""
        row = tx.row("select topology from inventory.area where id = %s", (area,))
        if row is None:
            raise NotFound(entity="area", id=area)
        net, _ = self._trees.of(tx, area, row[0])
        *others, request = [_tried(tx, n, body) for n, body in enumerate([*behind, lines])]
        supply, waiting = gather(tx, area, net, self._designer, fresh=[*others, request], woken=(), after=FIRST_RANK)
        for earlier in [*waiting, *others]:
            decide(earlier, supply, self._designer)
        answer = decide(request, supply, self._designer).answer
        missing = {m["effect"] for m in answer.get("missing", ())}
        short = [line for line in request.lines() if line.effect in missing]
        ahead = tx.row(
            "select count(*) from inventory.request where area = %s and state = 0 and waits && %s::text[]",
            (area, sorted(keys_of(request, supply.addresses, net, self._designer))),
        )
        assert ahead is not None
        found = alternatives(tx, area, net, self._designer, lines=short, addresses=supply.addresses)
        return Trial(answer, found, ahead[0], _pace(tx, area) if missing else 0.0)


def _tried(tx: Tx, n: int, lines: Sequence[Mapping[str, Any]]) -> Request:
    # Each of them is an order of its own, so that one does not keep the claims of another.
    return grouped([Wanted(i, -n, 1, "reserve", body, 9, tx.now) for i, body in enumerate(lines)])[0]


def _pace(tx: Tx, area: int) -> float:
    row = tx.row(
        "select count(*) from inventory.request where area = %s and kind = 'reserve' and state = 1"
        " and served_at > %s and served_at > asked_at + %s",
        (area, tx.now - _MONTH, _AT_ONCE),
    )
    assert row is not None
    return float(row[0]) / _MONTH.days
