"""Orders with work on worklists, written down directly, for tests of what people and dispatchers do with them."""

from datetime import datetime, timedelta
from typing import Any

from tests.catalog.example import document, load_rules

from diaodu.catalog import commands as catalog
from diaodu.kernel import journal
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.kernel.sets import to_json

ALICE, BOB = Principal(1, "alice", person_id=7), Principal(2, "bob", person_id=8)
DISPATCHER = Principal(3, "dispatcher")
POOL, CUSTOMER, PLACE = 5, 2560, {"id": 601, "name": "桂花城1幢1单元601", "unit": 1}


class Worklists:
    """What stands on the worklists of one transaction; effects are numbered from 1 in each order."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        load_rules(tx)
        self.release = catalog.publish(tx, name="test", document=document())

    def order(self, part: int = 1) -> int:
        """A new order."""
        made = self.tx.new_id(part)
        journal.create(self.tx, [made], "productOrder")
        return made

    def work(
        self,
        order: int,
        *effects: int,
        kind: str = "W4",
        state: int = 0,
        person: int | None = None,
        due: timedelta = timedelta(hours=8),
        place: dict[str, Any] = PLACE,
        customer: int | None = CUSTOMER,
    ) -> int:
        """A work order with its task; claimed when a person is named."""
        tx, part = self.tx, part_of(order)
        made = tx.new_id(part)
        tx.run(
            "insert into engine.human_task (part, id, root_id, instance_id, token_id, node, name, planned, pool,"
            " priority, state, assignee, due_at, created_at)"
            " values (%s, %s, %s, 1, 1, 'n', '上门', true, %s, 5, %s, %s, %s, %s)",
            (part, made, order, POOL, 1 if person else state, person, tx.now + due, tx.now),
        )
        tx.memo.clear()  # what was read before did not know this one
        lines = [{"effect": e, "kind": "install.onu", "item": "1.1", "params": {}} for e in effects]
        tx.run(
            "insert into workforce.work_order (part, id, order_id, kind, lines, release_id, place, created_at,"
            " customer_id) values (%s, %s, %s, %s, %s::jsonb, %s, %s::jsonb, %s, %s)",
            (part, made, order, kind, to_json(lines), self.release, to_json(place), tx.now, customer),
        )
        return made

    def task(self, work_order: int) -> tuple[int, datetime]:
        """State and limit of a task."""
        row = self.tx.row(
            "select state, due_at from engine.human_task where part = %s and id = %s", (part_of(work_order), work_order)
        )
        assert row is not None
        return row[0], row[1]

    def told(self, order: int, what: str) -> list[dict[str, Any]]:
        """The entries of one kind that this transaction writes into an order's history."""
        return [e for e in self.tx.journal.entries.get(order, ()) if e["t"] == what]

    def nudged(self, order: int) -> int:
        """How many times the stage was woken."""
        sql = "select count(*) from engine.job where part = %s and root_id = %s and kind = 'nudge'"
        row = self.tx.row(sql, (part_of(order), order))
        assert row is not None
        return int(row[0])
