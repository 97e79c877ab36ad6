"""What customers and clerks do: order, amend, cancel, agree, postpone, urge."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from diaodu.app.proof_change.world import CLERKS, World, one_of
from diaodu.fulfilment import cancel, hold, preaccept
from diaodu.fulfilment import park as parking
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering.holds import Cause
from diaodu.ordering.model import ItemDraft, OrderDraft
from diaodu.ordering.revise import revise
from diaodu.ordering.tmf import PRODUCT_ORDER, amended_items, render_order
from diaodu.ordering.tmf_cancel import CANCEL_PRODUCT_ORDER

ROOMS = (601, 602, 603, 801, 802)
MOST = 4  # orders of an episode
SPEEDS = (100, 200, 500, 1000)
_INSTALLED = """
select p.id, p.offering, c.code from inventory.product p join party.customer c on c.id = p.customer_id
 where p.state = 2 order by p.id
"""
Entry = dict[str, Any]


def capture(world: World, rng: Random) -> None:
    """A new order: of a room's customer, or about what one has."""
    if world.captured >= MOST:
        return
    installed = world.rows(_INSTALLED)
    if installed and rng.random() < 0.6:
        product, offering, customer = rng.choice(installed)
        item = _about(rng, product, offering)
    else:
        room = rng.choice(ROOMS)
        customer, item = f"C{room}", _new(rng, room)
    world.captured += 1
    draft = OrderDraft(None, "web", customer, (item,))
    with world.db.transaction(actor="web") as tx:
        order_id = ordering.order_id_for(tx, source="web", key=None)
    beforehand = item.action == "add" and rng.random() < 0.2
    with world.db.transaction(actor="web") as tx:
        if beforehand:
            preaccept.take(tx, order_id, draft, rng.choice((10, 60)))
        else:
            ordering.capture_orders(tx, [(order_id, draft)])


def agree(world: World, rng: Random) -> None:
    """预受理: the customer says yes."""
    asked = world.rows("select order_id from ordering.hold where cause = 'pre' and ended_at is null order by id")
    if (found := one_of(rng, asked)) is not None:
        with world.db.transaction(actor="counter") as tx:
            preaccept.accept(tx, found[0])


def park(world: World, rng: Random) -> None:
    """转待装, and back."""
    if (order_id := one_of(rng, world.orders())) is not None:
        with world.db.transaction(actor="dispatcher") as tx:
            if rng.random() < 0.6:
                parking.park(tx, order_id, by="dispatcher", reason="later")
            else:
                parking.unpark(tx, order_id, by="dispatcher")


def _new(rng: Random, room: int) -> ItemDraft:
    offering = rng.choice(("P1", "P1", "P2", "LL"))
    choices: Mapping[str, Entry] = {"P2": {"速率": rng.choice(SPEEDS)}, "LL": {"速率": 10, "终端型号": "AR18-20"}}
    wanted = choices.get(offering, {})
    return ItemDraft("1", "add", offering, characteristics=wanted, place={"id": str(room)})


def _about(rng: Random, product: int, offering: str) -> ItemDraft:
    if offering == "LL" and rng.random() < 0.7:
        speed = {"速率": rng.choice((20, 50, 100))}
        return ItemDraft("1", "modify", "P7", product_id=str(product), characteristics=speed)
    return ItemDraft("1", "delete", None, product_id=str(product))


def amend(world: World, rng: Random) -> None:
    """A clerk changes an order that was submitted: now and then on a basis or under a number that is too old."""
    order_id = one_of(rng, world.orders())
    if order_id is None:
        return
    clerk = rng.choice(CLERKS)
    with world.db.transaction(actor=clerk.name) as tx:
        entries = deepcopy(render_order(tx, order_id)["productOrderItem"])
        CHANGES[rng.choice(sorted(CHANGES))](entries, rng)
        patch: Entry = {"productOrderItem": entries}
        chance = rng.random()
        if chance < 0.1:
            _numbered(tx, order_id, patch, rng.randint(1, 9))
            return
        if chance < 0.3:
            patch["revision"] = rng.randint(1, 3)
        assert PRODUCT_ORDER.patch is not None
        PRODUCT_ORDER.patch.apply(tx, clerk, order_id, patch)


def _numbered(tx: Tx, order_id: int, patch: Entry, number: int) -> None:
    journal.lock(tx, [order_id])
    revise(tx, order_id, amended_items(patch), made_by="partner", number=number)


def _drop(entries: list[Entry], rng: Random) -> None:
    top = rng.choice(entries)
    parts = top.get("productOrderItem")
    if parts and rng.random() < 0.8:
        parts.remove(rng.choice(parts))
    elif len(entries) > 1:
        entries.remove(top)


def _more(entries: list[Entry], rng: Random) -> None:
    place = next((e["product"]["place"] for e in entries if e.get("product", {}).get("place")), None)
    if place is not None and len(entries) < 3:
        offering = {"id": rng.choice(("P2", "LL"))}
        number = f"x{rng.randint(1, 9)}"
        entries.append({"id": number, "action": "add", "productOffering": offering, "product": {"place": place}})


def _faster(entries: list[Entry], rng: Random) -> None:
    for entry in _all(entries):
        for c in entry.get("product", {}).get("productCharacteristic", ()):
            if c["name"] == "速率":
                c["value"] = rng.choice(SPEEDS)


def _elsewhere(entries: list[Entry], rng: Random) -> None:
    room = rng.choice(ROOMS)
    for entry in _all(entries):
        for place in entry.get("product", {}).get("place", ()):
            place.clear()
            place.update({"id": str(room), "role": "installation"})


def _same(entries: list[Entry], rng: Random) -> None:
    """The same again."""


CHANGES = {"drop": _drop, "more": _more, "faster": _faster, "elsewhere": _elsewhere, "same": _same}


def _all(entries: Sequence[Entry]) -> list[Entry]:
    return [e for entry in entries for e in (entry, *_all(entry.get("productOrderItem", ())))]


def ask_to_cancel(world: World, rng: Random) -> None:
    """撤单 of an order, or of some of its items."""
    order_id = one_of(rng, world.orders())
    if order_id is None:
        return
    keys = [r[0] for r in world.rows("select item_key from ordering.order_item where order_id = %s order by id",
                                     order_id)]  # fmt: skip
    chosen = rng.sample(keys, rng.randint(1, len(keys))) if rng.random() < 0.5 else []
    document = {"productOrder": {"id": str(order_id)}, "productOrderItem": [{"id": key} for key in chosen]}
    create, clerk = CANCEL_PRODUCT_ORDER.create, rng.choice(CLERKS)
    assert create is not None
    with world.db.transaction(actor=clerk.name) as tx:
        task_id, task = create.identify(tx, clerk, document, None)
    with world.db.transaction(actor=clerk.name) as tx:
        create.capture(tx, clerk, task_id, task)


def say(world: World, rng: Random) -> None:
    """The customer says yes or no to the fee."""
    asked = world.rows("select id from ordering.cancel_task where state = 'acknowledged' order by id")
    if (found := one_of(rng, asked)) is not None:
        with world.db.transaction(actor="customer") as tx:
            cancel.answer(tx, found[0], agreed=rng.random() < 0.7, by="customer")


def pause(world: World, rng: Random) -> None:
    """缓装 or 挂起, of an order or of an item, with or without an end."""
    order_id = one_of(rng, world.orders())
    if order_id is None:
        return
    keys = world.rows("select item_key from ordering.order_item where order_id = %s order by id", order_id)
    items = () if rng.random() < 0.5 else rng.choice(keys)
    cause = rng.choice((Cause.CUSTOMER, Cause.SUSPENDED))
    said = hold.Pause(cause, tuple(items), "reason")
    with world.db.transaction(actor="counter") as tx:
        until = tx.now + timedelta(hours=rng.randint(1, 72)) if rng.random() < 0.5 else None
        hold.pause(tx, order_id, replace(said, until=until))


def resume(world: World, rng: Random) -> None:
    """It goes on."""
    order_id = one_of(rng, world.orders())
    if order_id is not None:
        with world.db.transaction(actor="counter") as tx:
            hold.resume(tx, order_id, rng.choice((Cause.CUSTOMER, Cause.SUSPENDED)))


def urge(world: World, rng: Random) -> None:
    """催单."""
    order_id = one_of(rng, world.orders())
    if order_id is not None:
        with world.db.transaction(actor="counter") as tx:
            hold.urge(tx, order_id, by="counter")
