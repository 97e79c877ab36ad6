"""A small exchange area with one PON port, and orders that ask its worker."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from diaodu.inventory import commands
from diaodu.inventory.ports import Answer, Wanted
from diaodu.inventory.worker import AreaWorker
from diaodu.kernel.db import Database, Tx
from diaodu.provisioning.design import NearestBox

AREA = 7
BUILDING, FAR = 500, 501
ASKED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
# Rooms: two behind box 10, one behind box 20 of the same building, one behind the far box 30, one without coverage.
ROOM_A, ROOM_B, ROOM_C, ROOM_FAR, ROOM_BARE = 601, 602, 603, 604, 605
NAME = "浙江省杭州市西湖区桂花城1幢1单元{}室"


def port_rows(box: int, *numbers: int) -> list[commands.NewResource]:
    """Ports of a box, each with its inner VLAN: ids box * 100 + n and + 50."""
    rows: list[commands.NewResource] = []
    for n in numbers:
        item = box * 100 + n
        rows.append((item, "box_port", f"BOX{box}/{n}", box, None, {"n": n, "length_m": 20, "loss_db": 0.2}))
        rows.append((item + 50, "cvlan", f"1001.{100 + n}/{box}", item, None, {"vlan": 100 + n}))
    return rows


def make_area(tx: Tx) -> None:
    """Box 10 with ports 1 and 2, box 20 out of reach of a drop cable with port 1, box 30 too far for the light."""
    tx.run("insert into organization.unit values (1, null, 'exchange', 'X', '测试局')")
    tx.run(
        "insert into inventory.area (id, code, name, city, unit_id, rural)"
        " values (7, 'T', '测试局', '杭州市', 1, false)"
    )
    for room, box in ((ROOM_A, 10), (ROOM_B, 10), (ROOM_C, 20), (ROOM_FAR, 30), (ROOM_BARE, None)):
        tx.run(
            "insert into inventory.address (id, area, level, name, full_name, box_id) values (%s, 7, 9, %s, %s, %s)",
            (room, str(room), NAME.format(room), box),
        )
    rows: list[commands.NewResource] = [
        (1, "olt", "OLT1", None, None, {}),
        (2, "pon", "OLT1/1/1/1", 1, None, {"tx_dbm": 3.0, "svlan": 1001}),
        (3, "splitter1", "SPL1", 2, None, {"ratio": 8, "loss_db": 10.7}),
        (4, "fibre", "F-FAR", 3, None, {"loss_db": 6.5, "length_m": 15000}),
        (10, "box", "BOX10", 3, BUILDING, {"ratio": 8, "loss_db": 10.7, "x": 0, "y": 0}),
        (20, "box", "BOX20", 3, BUILDING, {"ratio": 8, "loss_db": 10.7, "x": 90, "y": 0}),
        (30, "box", "BOX30", 4, FAR, {"ratio": 8, "loss_db": 10.7, "x": 0, "y": 0}),
        *port_rows(10, 1, 2),
        *port_rows(20, 1),
        *port_rows(30, 1),
        *((40 + n, "number", f"0571-8500000{n}", None, None, {}) for n in (1, 2)),
        (51, "router", "R10", None, None, {"model": "AR18-20", "wan_mbps": 10}),
        (52, "router", "R100", None, None, {"model": "AR28-31", "wan_mbps": 100}),
    ]
    commands.add_resources(tx, AREA, rows)


@dataclass
class Orders:
    """The order side: effects that are open, answers that were told."""

    db: Database
    worker: AreaWorker = field(init=False)
    open: dict[int, Wanted] = field(default_factory=dict)
    told: list[Answer] = field(default_factory=list)
    _next: int = 1000

    def __post_init__(self) -> None:
        self.worker = AreaWorker(self.db, [AREA], NearestBox(), self.pull, self.tell, owner="test")

    def ask(self, order: int, kind: str, *bodies: dict[str, Any], priority: int = 5, revision: int = 1) -> int:
        """Open effects of one order, a second after the ones before; returns the id of the first."""
        first = self._next
        for body in bodies:
            at = ASKED + timedelta(seconds=first)
            self.open[self._next] = Wanted(self._next, order, revision, kind, body, priority, at)
            self._next += 1
        return first

    def line(self, order: int, address: int, **more: Any) -> int:
        """Ask for an access line; the thing is the order's id * 10."""
        return self.ask(order, "reserve", {"thing": order * 10, "want": "access", "address": address}, **more)

    def pull(self, _tx: Tx, area: int, limit: int, _skip: Collection[int]) -> Sequence[Wanted]:
        assert area == AREA
        return sorted(self.open.values(), key=lambda w: (w.priority, w.id))[:limit]

    def tell(self, answers: Sequence[Answer]) -> None:
        self.told += answers
        for answer in answers:
            for effect in answer.effects:
                self.open.pop(effect, None)

    def answers(self) -> dict[int, list[str]]:
        """The answers told to each order, in order of time."""
        found: dict[int, list[str]] = {}
        for answer in self.told:
            found.setdefault(answer.order_id, []).append(answer.body["status"])
        return found

    def run(self) -> None:
        """Let the worker do all there is."""
        self.worker.run_until_idle()

    def build(self, *rows: commands.NewResource) -> None:
        """Take new resources into the area."""
        with self.db.transaction() as tx:
            commands.add_resources(tx, AREA, rows)

    def add_ports(self, box: int, *numbers: int) -> None:
        """New ports at a box."""
        self.build(*port_rows(box, *numbers))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the committed state."""
        with self.db.transaction() as tx:
            return tx.rows(query)


@pytest.fixture
def orders(db: Database) -> Orders:
    """Orders against the small area."""
    with db.transaction() as tx:
        make_area(tx)
    return Orders(db)
