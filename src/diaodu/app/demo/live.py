"""The living services of the demonstration operator, made by the same rules as those of new orders.

Each customer's order is checked, decomposed, designed by its area and archived there through the area's own queue;
only the work of people and systems is taken as done.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from diaodu.app.demo.load import Progress
from diaodu.catalog import queries as catalog
from diaodu.catalog.model import Performer, Release
from diaodu.fulfilment.archives import closing_params
from diaodu.fulfilment.decompose import tree_of
from diaodu.fulfilment.orders import OrderFacts
from diaodu.fulfilment.wanted import design_of, wanted_effects
from diaodu.inventory import queries as inventory
from diaodu.inventory.ports import Answer
from diaodu.inventory.ports import Wanted as Request
from diaodu.inventory.worker import AreaWorker
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.ids import PART_BITS
from diaodu.ordering.check import check_lines
from diaodu.ordering.model import ItemDraft, OrderDraft, Revision
from diaodu.party import queries as party
from diaodu.planning.model import Effect, Op, State, Wanted
from diaodu.provisioning.design import NearestBox

# What customers have: most homes the bundle, others broadband alone; companies a leased line whose old router
# has a 10M port (the case of a speed-up that the terminal cannot follow).
RESIDENTIAL = ("P1", "P1", "P2")
_ROUTER = {"速率": 10, "终端型号": "AR18-20"}


@dataclass
class _Order:
    facts: OrderFacts
    area: int
    effects: list[Effect] = field(default_factory=list)


def load_live_services(db: Database, share: float, progress: Progress) -> list[Effect]:
    """Give the first ``share`` of each area's customers their services; returns the effects of network systems.

    Everything is numbered in order, so that the same operator always has the same products. Doing it again does
    nothing and returns [].
    """
    with db.transaction(actor="load") as tx:
        if tx.row("select 1 from inventory.product limit 1"):
            return []
        release = catalog.current_release(tx)
        numbers = (n << PART_BITS for n in count(1))
        customers = [c for area in inventory.area_ids(tx) for c in _customers(tx, area, share)]
        place_of = inventory.covered_places(tx, [c["place"] for c in customers])
        orders = [
            _order(_Wish(c, RESIDENTIAL[n % len(RESIDENTIAL)], place_of(c["place"])), release, numbers, tx.now)
            for n, c in enumerate(customers)
        ]
    _ask_areas(db, _reservations(orders, numbers))
    for order in orders:
        order.effects += _settled(order, numbers)
    _ask_areas(db, [_archive(order, next(numbers)) for order in orders])
    progress("inventory.product", sum(len(o.facts.revision.lines) for o in orders))
    systems = {w.id for w in release.work.values() if w.performer is Performer.SYSTEM}
    return [e for o in orders for e in o.effects if e.work in systems]


def _customers(tx: Tx, area: int, share: float) -> list[dict[str, Any]]:
    found = party.customers_in(tx, area, limit=1_000_000)
    kept = found[: int(len(found) * share)]
    facts = party.customers_by_ref(tx, [c.code for c in kept])
    return [{**facts[c.code], "place": {"id": str(c.address_id)}} for c in kept]


@dataclass(frozen=True)
class _Wish:
    customer: Mapping[str, Any]
    home: str
    address: Mapping[str, Any]


def _order(wish: _Wish, release: Release, numbers: Iterator[int], now: datetime) -> _Order:
    order_id = next(numbers)
    business = wish.customer["category"] == "business"
    item = ItemDraft("1", "add", "LL" if business else wish.home, characteristics=_ROUTER if business else {})
    lines = check_lines(
        OrderDraft(None, "load", wish.customer["code"], (item,)),
        release,
        address_of=lambda _: wish.address,
        installed={},
        new_id=lambda: next(numbers),
    )
    customer = {k: v for k, v in wish.customer.items() if k != "place"}
    revision = Revision(order_id, 1, "accepted", release.id, customer, now.isoformat(), lines, None, {}, [])
    tree = tree_of(OrderFacts(order_id, revision, release, ()), lambda: next(numbers))
    return _Order(OrderFacts(order_id, replace(revision, tree=tree), release, ()), lines[0].address["area"])


def _reservations(orders: Sequence[_Order], numbers: Iterator[int]) -> list[tuple[_Order, Effect]]:
    asked = []
    for order in orders:
        for w in wanted_effects(order.facts, {}, only=Performer.AREA):
            effect = _effect(order, w, next(numbers), State.INTENT)
            order.effects.append(effect)
            asked.append((order, effect))
    return asked


def _settled(order: _Order, numbers: Iterator[int]) -> list[Effect]:
    """All other effects, confirmed as the rules want them on the resources that the area chose."""
    wanted = wanted_effects(order.facts, design_of(order.effects, order.facts))
    known = {e.key for e in order.effects}
    return [_effect(order, w, next(numbers), State.CONFIRMED) for w in wanted if (w.thing_id, w.kind) not in known]


def _archive(order: _Order, effect_id: int) -> tuple[_Order, Effect]:
    group = order.facts.groups()[0]
    params = closing_params("archive.resource", order.facts, order.effects, group)
    top = order.facts.lines()[group].product_id
    element = f"area:{order.area}"
    wanted = Wanted(top, "archive.resource", group, group, "archive-resource", element, 5, "", params, None, ())
    return order, _effect(order, wanted, effect_id, State.INTENT)


def _effect(order: _Order, w: Wanted, effect_id: int, state: State) -> Effect:
    return Effect(
        id=effect_id, order_id=order.facts.id, revision=1, thing_id=w.thing_id, kind=w.kind, item_key=w.item_key,
        op=Op.DO, of_id=None, state=state, ready=True, needs=(), work=w.work, element=w.element, priority=w.priority,
        reads_hash=w.reads_hash, params=w.params, undo=w.undo,
    )  # fmt: skip


def _ask_areas(db: Database, asked: Sequence[tuple[_Order, Effect]]) -> None:
    """Let the areas serve the effects; a served reservation's result lands on its effect."""
    waiting: dict[int, list[tuple[_Order, Effect]]] = {}
    for order, effect in asked:
        waiting.setdefault(order.area, []).append((order, effect))
    orders = {order.facts.id: order for order, _ in asked}

    def pull(tx: Tx, area: int, limit: int, _skip: Collection[int]) -> list[Request]:
        taken, rest = _whole_orders(waiting.get(area, []), limit)
        waiting[area] = rest
        return [_request(tx, effect) for _, effect in taken]

    def tell(answers: Sequence[Answer]) -> None:
        for a in answers:
            _land(orders[a.order_id], a)

    AreaWorker(db, sorted(waiting), NearestBox(), pull, tell, owner="load").run_until_idle()


def _whole_orders(waiting: list[tuple[_Order, Effect]], limit: int) -> tuple[list[Any], list[Any]]:
    end = min(limit, len(waiting))
    while end < len(waiting) and waiting[end][0] is waiting[end - 1][0]:
        end += 1
    return waiting[:end], waiting[end:]


def _request(tx: Tx, e: Effect) -> Request:
    kind = "archive" if e.work == "archive-resource" else "reserve"
    return Request(e.id, e.order_id, 1, kind, {"thing": e.thing_id, **e.params}, e.priority, tx.now)


def _land(order: _Order, answer: Answer) -> None:
    if answer.kind != "reserve" or answer.body["status"] != "served":
        return
    lines = answer.body["lines"]
    order.effects = [
        Effect(**(vars(e) | {"state": State.CONFIRMED, "result": lines[str(e.id)]})) if str(e.id) in lines else e
        for e in order.effects
    ]
