"""The load driver: captures orders set-wise, works on the work orders, and notices which orders are complete."""

import uuid
from typing import NoReturn

from diaodu.app.technicians import work_once
from diaodu.kernel.db import Database
from diaodu.kernel.errors import Rejected
from diaodu.kernel.ids import part_of
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import ItemDraft, OrderDraft

OFFERING = "P1"
# Homes of the first area come first: the last villages of the second one are too far for the light.
_HOMES = """
select code, address_id from party.customer where category = 'residential' order by area, id offset %s limit %s
"""
_COMPLETE = """
select order_id from ordering.order_item
 where part = %s and order_id = any(%s::int8[]) group by order_id having bool_and(state = 'completed')
"""
_STATES = """
select state, reason, count(*) from ordering.order_item where order_id = any(%s::int8[]) group by 1, 2 order by 3 desc
"""


class Stuck(Rejected):
    """503: orders that should be archived are not."""

    code, status = "app.bench-stuck", 503
    en = "No order was archived for {seconds:.0f} s. Items of the {open} open orders: {states}. Incidents: {incidents}"
    zh = "{seconds:.0f} 秒内没有订单归档。{open} 个未完成订单的订单项：{states}。异常：{incidents}"


class Load:
    """Keeps ``in_flight`` orders under way, one for each of the customers from number ``first`` on."""

    def __init__(self, db: Database, *, first: int, most: int, in_flight: int) -> None:
        self._db, self._in_flight = db, in_flight
        with db.transaction() as tx:
            self._homes = tx.rows(_HOMES, (first, most))
        self._run = uuid.uuid4().hex[:8]
        self._open: dict[int, set[int]] = {}
        self.captured = self.completed = 0

    @property
    def open(self) -> int:
        """Orders under way."""
        return self.captured - self.completed

    def fill(self) -> None:
        """Capture as many orders as are missing, in one transaction a partition, once an eighth is missing."""
        left = len(self._homes) - self.captured
        missing = min(self._in_flight - self.open, left)
        if missing == 0 or missing < min(self._in_flight // 8, left):
            return
        drafts = [self._draft(n) for n in range(self.captured, self.captured + missing)]
        with self._db.transaction(actor="bench") as tx:
            ids = [ordering.order_id_for(tx, source="bench", key=d.external_id) for d in drafts]
        batches: dict[int, list[tuple[int, OrderDraft]]] = {}
        for order_id, draft in zip(ids, drafts, strict=True):
            batches.setdefault(part_of(order_id), []).append((order_id, draft))
        for part, captures in batches.items():
            with self._db.transaction(actor="bench") as tx:
                ordering.capture_orders(tx, captures)
            self._open.setdefault(part, set()).update(i for i, _ in captures)
        self.captured += missing

    def work(self) -> int:
        """Claim and report what is on the worklists."""
        return work_once(self._db)

    def look(self) -> int:
        """Count what has been archived since the last look."""
        found = 0
        with self._db.transaction() as tx:
            for part, ids in self._open.items():
                done = {r[0] for r in tx.rows(_COMPLETE, (part, list(ids)))}
                ids.difference_update(done)
                found += len(done)
        self.completed += found
        return found

    def refuse_to_wait(self, seconds: float) -> NoReturn:
        """Raise Stuck, with what the open orders wait for."""
        with self._db.transaction() as tx:
            states = tx.rows(_STATES, ([i for ids in self._open.values() for i in ids],))
            incidents = tx.rows("select node, code, message from engine.incident where resolved_at is null limit 3")
        raise Stuck(seconds=seconds, open=self.open, states=states, incidents=incidents)

    def _draft(self, n: int) -> OrderDraft:
        customer, address = self._homes[n]
        item = ItemDraft(key="1", action="add", offering_id=OFFERING, place={"id": str(address)})
        return OrderDraft(external_id=f"{self._run}-{n}", source="bench", customer_ref=customer, items=(item,))
