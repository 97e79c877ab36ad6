"""A small operator, and all of its workers driven by hand in one process until nothing moves."""

from collections.abc import Mapping
from typing import Any

from tests.simulators.wire import Client

from diaodu.app.small_operator import CITY_AREA, NAME, PERSON, RURAL_AREA, SYSTEMS, furnish, ports
from diaodu.app.technicians import report_of, work_once
from diaodu.app.wiring import area_worker, handlers
from diaodu.engine.worker import Worker
from diaodu.fulfilment import commands as fulfilment
from diaodu.fulfilment.send import Sender
from diaodu.kernel import journal
from diaodu.kernel.db import Database
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import ItemDraft, OrderDraft
from diaodu.planning import queries as planning
from diaodu.planning.model import Effect
from diaodu.provisioning import commands as provisioning
from diaodu.provisioning.model import Address
from diaodu.workforce import commands as workforce
from diaodu.workforce import queries as work_orders
from diaodu.workforce.model import EffectOutcome, WorkOrder, WorkReport

__all__ = ["CITY_AREA", "NAME", "PERSON", "RURAL_AREA", "SYSTEMS", "House", "add", "change", "furnish", "ports"]


class House:
    """The operator at work; each instance has equipment and numbers of its own at the simulated systems."""

    def __init__(self, db: Database, client: Client, port: int, tag: str) -> None:
        self.db, self.client, self.tag = db, client, tag
        self.olt, self.number = f"olt:OLT{tag}", f"0571-{tag}"
        with db.transaction() as tx:
            tx.run("update inventory.resource set code = replace(code, 'OLT', %s)", (f"OLT{tag}",))
            tx.run("update inventory.resource set code = replace(code, '0571-', %s)", (self.number,))
            provisioning.set_addresses(tx, {s: Address("127.0.0.1", port) for s in SYSTEMS})
        self.worker = Worker(db, handlers(), "worker")
        self.areas = area_worker(db, "areas")
        self.sender = Sender(db, "sender", SYSTEMS)

    def order(
        self, customer: str, *items: ItemDraft, key: str | None = None, at: str = "web", category: str | None = None
    ) -> int:
        """Capture an order; its id."""
        draft = OrderDraft(key, at, customer, items, category=category)
        with self.db.transaction() as tx:
            order_id = ordering.order_id_for(tx, source=at, key=key)
        with self.db.transaction(actor="web") as tx:
            return ordering.capture_orders(tx, [(order_id, draft)])[0].id

    def install(self, room: int, offering: str, **characteristics: Any) -> int:
        """A new installation of an offering at a room, for its customer, worked to its end; the order's id."""
        order_id = self.order(f"C{room}", add(offering, room, **characteristics))
        self.run()
        assert self.order_state(order_id) == "completed", self.items(order_id)
        return order_id

    def run(self, *, technicians: bool = True, send: bool = True) -> None:
        """Let everybody work until nothing moves."""
        while True:
            before = self._moved()
            self.worker.run_until_idle()
            self.areas.run_until_idle()
            if send:
                self.sender.run_until_idle()
            if technicians:
                work_once(self.db)
            if self._moved() == before:
                return

    def _moved(self) -> list[tuple[Any, ...]]:
        return self.q(
            "select (select count(*) from kernel.history), (select count(*) from engine.job),"
            " (select count(*) from engine.job where state = 0), (select count(*) from inventory.request where told)"
        )

    def retry(self, order_id: int, *only: int) -> None:
        """A dispatcher has what failed done again."""
        with self.db.transaction() as tx:
            fulfilment.retry_order(tx, order_id, "dispatcher", only)

    def claim(self, kind: str, order_id: int) -> WorkOrder:
        """The crew takes the open work order of a kind from its worklist."""
        found = self.q(
            "select w.id from workforce.work_order w join engine.human_task t on t.part = w.part and t.id = w.id"
            " where w.order_id = %s and w.kind = %s and t.state = 0",
            order_id, kind,
        )  # fmt: skip
        assert len(found) == 1, found
        with self.db.transaction() as tx:
            work_order = work_orders.work_orders(tx, [found[0][0]])[found[0][0]]
            assert workforce.claim_many(tx, [work_order], PERSON) == set()
        return work_order

    def report(self, work_order: WorkOrder, key: str, *outcomes: EffectOutcome) -> None:
        """The crew hands in its report, with the outcomes of an able crew unless told otherwise."""
        with self.db.transaction() as tx:
            told = WorkReport(work_order.id, key, outcomes) if outcomes else report_of(tx, work_order)
            workforce.report_many(tx, [told], PERSON)

    def q(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows of the committed state."""
        with self.db.transaction() as tx:
            return tx.rows(sql, params)

    def effects(self, order_id: int) -> list[Effect]:
        """The ledger of an order, oldest first."""
        with self.db.transaction() as tx:
            return planning.effects_of(tx, [order_id])[order_id]

    def effect(self, order_id: int, kind: str) -> Effect:
        """The only effect of a kind."""
        found = [e for e in self.effects(order_id) if e.kind == kind]
        assert len(found) == 1, (kind, found)
        return found[0]

    def items(self, order_id: int) -> dict[str, tuple[str, str | None]]:
        """State and reason of each item."""
        found = self.q(
            "select item_key, state, reason from ordering.order_item where order_id = %s order by id", order_id
        )
        return {key: (state, reason) for key, state, reason in found}

    def order_state(self, order_id: int) -> str:
        """The state as the edge shows it."""
        return str(self.q("select state from ordering.v_product_order where id = %s", order_id)[0][0])

    def history(self, order_id: int) -> list[Mapping[str, Any]]:
        """The rows of an order's history, oldest first."""
        with self.db.transaction() as tx:
            return journal.read(tx, order_id)

    def told(self, order_id: int, what: str) -> list[dict[str, Any]]:
        """The entries of one kind in an order's history."""
        return [e for row in self.history(order_id) for e in row["entries"] if e["t"] == what]

    def products(self, room: int) -> dict[str, int]:
        """The products of a room's customer that have not ended, by offering."""
        found = self.q("select offering, id from inventory.product where customer_id = %s and state = 2", room * 256)
        return dict(found)

    def resources(self, *states: int) -> list[str]:
        """The codes of the ports and the things in stock that are in one of the states."""
        return [
            r[0].replace(self.tag, "")
            for r in self.q(
                "select code from inventory.resource where state = any(%s) and spec in"
                " ('box_port', 'cvlan', 'number', 'onu', 'stb', 'ip', 'router') order by id",
                list(states),
            )
        ]

    def holds(self, element: str, kind: str, subject: str) -> dict[str, Any] | None:
        """What another system holds under a subject; None when there is no such record."""
        found = self.client.record(kind, subject, element)
        params: dict[str, Any] | None = found["result"]["params"] if found["status"] == "ok" else None
        return params


def add(offering: str, room: int, **characteristics: Any) -> ItemDraft:
    """An item that installs an offering at a room."""
    return ItemDraft("1", "add", offering, characteristics=characteristics, place={"id": str(room)})


def change(action: str, product: int, offering: str | None = None, **characteristics: Any) -> ItemDraft:
    """An item that modifies or deletes a product."""
    return ItemDraft("1", action, offering, product_id=str(product), characteristics=characteristics)
