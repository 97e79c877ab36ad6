"""A small operator, and all of its workers driven by hand in one process until nothing moves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.simulators.wire import Client

from diaodu.app.operator import publish
from diaodu.app.technicians import report_of, work_once
from diaodu.app.wiring import area_worker, handlers
from diaodu.engine.worker import Worker
from diaodu.fulfilment import commands as fulfilment
from diaodu.fulfilment.send import Sender
from diaodu.inventory import commands as inventory
from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import ItemDraft, OrderDraft
from diaodu.planning import queries as planning
from diaodu.planning.model import Effect
from diaodu.provisioning import commands as provisioning
from diaodu.provisioning.model import Address
from diaodu.workforce import commands as workforce
from diaodu.workforce import queries as work_orders
from diaodu.workforce.model import EffectOutcome, WorkOrder, WorkReport

EXAMPLE = Path(__file__).parents[2] / "examples/zhejiang"
SYSTEMS = ("olt", "aaa", "ims", "iptv", "itms", "billing", "sla", "sms")
CITY_AREA, RURAL_AREA = 7, 8
# Rooms: 601 to 604 are behind box BOX10 in the city; 801 to 803 behind the one port of BOX80 in the country.
NAME = "浙江省杭州市西湖区桂花城1幢1单元{}室"
CITY_ROOMS, RURAL_ROOMS = (601, 602, 603, 604), (801, 802, 803)
CREWS = ("line", "install", "test")
PERSON = 70  # of the line crew in the city


def furnish(db: Database) -> None:
    """Two exchanges with crews, a few boxes and things in stock, seven customers, the demonstration catalogue."""
    with db.transaction() as tx:
        tx.run("insert into organization.unit values (1, null, 'city', 'HZ', '杭州分公司')")
        _exchange(tx, CITY_AREA, "西湖局", CITY_ROOMS, rural=False)
        _exchange(tx, RURAL_AREA, "桐庐局", RURAL_ROOMS, rural=True)
        inventory.add_resources(tx, CITY_AREA, [*_tree(10, 1), *ports(10, 1, 2, 3, 4), *_stock(CITY_AREA)])
        inventory.add_resources(tx, RURAL_AREA, [*_tree(80, 2), *ports(80, 1), *_stock(RURAL_AREA)])
        for room in (*CITY_ROOMS, *RURAL_ROOMS):
            _customer(tx, room)
    publish(db, EXAMPLE)


def _exchange(tx: Tx, area: int, name: str, rooms: tuple[int, ...], *, rural: bool) -> None:
    tx.run("insert into organization.unit values (%s, 1, 'exchange', %s, %s)", (area, f"X{area}", name))
    for n, role in enumerate(CREWS, area * 10):
        tx.run("insert into organization.unit values (%s, %s, 'crew', %s, %s)", (n, area, f"X{area}-{role}", role))
        tx.run("insert into organization.post values (%s, %s, %s, %s)", (n, n, role, role))
        tx.run("insert into organization.person values (%s, %s, %s, null)", (n, f"{role}{area}", f"{role} {area}"))
        tx.run("insert into organization.holding values (%s, %s)", (n, n))
        tx.run("insert into organization.pool (unit_id, role) values (%s, %s)", (n, role))
    tx.run(
        "insert into inventory.area (id, code, name, city, unit_id, rural) values (%s, %s, %s, '杭州市', %s, %s)",
        (area, f"A{area}", name, area, rural),
    )
    for room in rooms:
        tx.run(
            "insert into inventory.address (id, area, level, name, full_name, box_id) values (%s, %s, 9, %s, %s, %s)",
            (room, area, str(room), NAME.format(room), 10 if area == CITY_AREA else 80),
        )


def _tree(box: int, n: int) -> list[inventory.NewResource]:
    """An OLT with one PON port, a splitter and a box of eight."""
    first = 10_000 * n
    return [
        (first, "olt", f"OLT{n}", None, None, {}),
        (first + 1, "pon", f"OLT{n}/1/1/1", first, None, {"tx_dbm": 3.0, "svlan": 1000 + n}),
        (first + 2, "splitter1", f"SPL{n}", first + 1, None, {"ratio": 8, "loss_db": 10.7}),
        (box, "box", f"BOX{box}", first + 2, 500 + n, {"ratio": 8, "loss_db": 10.7, "x": 0, "y": 0}),
    ]


def ports(box: int, *numbers: int) -> list[inventory.NewResource]:
    """Ports of a box, each with its inner VLAN: ids box * 100 + n and + 50."""
    rows: list[inventory.NewResource] = []
    for n in numbers:
        item = box * 100 + n
        rows.append((item, "box_port", f"BOX{box}/{n}", box, None, {"n": n, "length_m": 20, "loss_db": 0.2}))
        rows.append((item + 50, "cvlan", f"{box}.{100 + n}", item, None, {"vlan": 100 + n}))
    return rows


def _stock(area: int) -> list[inventory.NewResource]:
    first = area * 100_000
    rows: list[inventory.NewResource] = []
    for n in range(1, 4):
        rows += [
            (first + n, "number", f"0571-8{area}00000{n}", None, None, {}),
            (first + 10 + n, "onu", f"ONU{area}{n}", None, None, {"pots": 2}),
            (first + 20 + n, "stb", f"STB{area}{n}", None, None, {}),
            (first + 30 + n, "ip", f"203.0.{area}.{n}", None, None, {}),
        ]
    models = (("AR18-20", 10), ("AR28-31", 100), ("AR46-20", 1000))
    for n, (model, rate) in enumerate(models, 1):
        rows.append((first + 40 + n, "router", f"{model}-{area}", None, None, {"model": model, "wan_mbps": rate}))
    return rows


def _customer(tx: Tx, room: int) -> None:
    """The customer C<room>, of star level 3; that of room 604 is on the blacklist."""
    area = CITY_AREA if room in CITY_ROOMS else RURAL_AREA
    status = "blacklisted" if room == 604 else "active"
    tx.run(
        "insert into party.customer (id, code, name, category, level, status, phone, address_id, area, created_at)"
        " values (%s, %s, '王小明', 'household', '3', %s, %s, %s, %s, %s)",
        (room * 256, f"C{room}", status, f"13857100{room}", room, area, tx.now),
    )
    tx.run("insert into party.account values (%s, %s, %s, 'active', %s)", (room * 256, room * 256, f"A{room}", tx.now))


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
