"""An order that was sent back is mended by a new revision of the same items."""

import pytest
from tests.flows.operator import House, add, change

from diaodu.kernel import journal
from diaodu.ordering.errors import CharacteristicImpossible, ItemAmbiguous, OrderNotAmendable
from diaodu.ordering.model import ItemDraft
from diaodu.ordering.revise import revise
from diaodu.planning.model import State


def mend(house: House, order_id: int, *items: ItemDraft) -> int:
    with house.db.transaction(actor="web") as tx:
        journal.lock(tx, [order_id])
        return revise(tx, order_id, items, made_by="web").n


def refused(house: House) -> int:
    """An order that the audit sent back: the country has no 1000M."""
    order_id = house.order("C801", add("P2", 801, 速率=1000))
    house.run()
    assert house.items(order_id) == {"1": ("pending", "audit-refused")}
    return order_id


def revisions(house: House, order_id: int) -> list[tuple[int, str]]:
    return [
        (n, s) for n, s in house.q("select n, state from ordering.revision where order_id = %s order by n", order_id)
    ]


def test_a_mended_order_is_built_as_the_product_that_was_promised(house: House) -> None:
    order_id = refused(house)
    promised = house.q("select product_id from ordering.order_item")

    assert mend(house, order_id, add("P2", 801, 速率=500)) == 2
    assert house.items(order_id) == {"1": ("acknowledged", None)}
    house.run()

    assert house.items(order_id) == {"1": ("completed", None)}
    assert revisions(house, order_id) == [(1, "rejected"), (2, "accepted")]
    assert house.q("select id, characteristics->>'速率' from inventory.product") == [(promised[0][0], "500")]
    assert house.q("select count(*) from engine.incident") == [(0,)]


def test_a_mended_order_may_be_refused_again(house: House) -> None:
    order_id = refused(house)
    mend(house, order_id, add("P2", 801, 速率=1000))
    house.run()
    assert house.items(order_id) == {"1": ("pending", "audit-refused")}
    assert revisions(house, order_id) == [(1, "rejected"), (2, "rejected")]
    assert house.resources(1, 2) == []


def test_an_order_on_a_claimed_product_goes_on_when_it_is_sent_again(house: House) -> None:
    house.install(601, "LL")
    line = house.products(601)["LL"]
    first = house.order("C601", change("modify", line, "P7", 速率=20))
    house.run(technicians=False)
    second = house.order("C601", change("delete", line, "LL"))
    house.run()
    assert house.items(second) == {"1": ("pending", "inventory.product-claimed")}
    assert house.order_state(first) == "completed"

    mend(house, second, change("delete", line, "LL"))
    house.run()

    assert house.items(second) == {"1": ("completed", None)}
    assert house.resources(1, 2) == []
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") is None
    claims = [e.state for e in house.effects(second) if e.kind == "claim.product"]
    assert claims == [State.WITHDRAWN, State.CONFIRMED]
    assert house.q("select count(*) from engine.incident") == [(0,)]


@pytest.mark.parametrize(
    ("item", "refusal"),
    [
        (add("P1", 801), ItemAmbiguous),
        (ItemDraft("1", "delete", "P2", place={"id": "801"}), ItemAmbiguous),
        (add("P2", 801, 速率=501), CharacteristicImpossible),
    ],
)
def test_another_order_is_no_mended_one(house: House, item: ItemDraft, refusal: type[Exception]) -> None:
    order_id = refused(house)
    jobs = house.q("select count(*) from engine.job")

    with pytest.raises(refusal):
        mend(house, order_id, item)

    assert revisions(house, order_id) == [(1, "rejected")]
    assert house.items(order_id) == {"1": ("pending", "audit-refused")}
    assert house.q("select count(*) from engine.job") == jobs


def test_an_order_at_its_end_is_not_mended(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run()
    with pytest.raises(OrderNotAmendable) as ended:
        mend(house, order_id, add("P2", 601, 速率=500))
    assert ended.value.params["state"] == "completed"
    assert revisions(house, order_id) == [(1, "accepted")]
