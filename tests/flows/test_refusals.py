"""What is refused at the door leaves nothing behind."""

from typing import Any

import pytest
from tests.flows.operator import PERSON, House, add, change

from diaodu.catalog.errors import UnknownOffering
from diaodu.fulfilment.commands import retry_order
from diaodu.inventory.errors import AddressNotCovered, AddressUnknown
from diaodu.kernel.access import Principal
from diaodu.kernel.errors import NotFound, Rejected
from diaodu.ordering import errors
from diaodu.ordering.model import ItemDraft
from diaodu.party.errors import CustomerUnknown
from diaodu.workforce import commands as workforce
from diaodu.workforce.errors import FormInvalid, NotYours, PersonNeeded, ReportIncomplete
from diaodu.workforce.model import EffectOutcome

TABLES = (
    "kernel.root", "kernel.history", "ordering.product_order", "ordering.order_item", "ordering.revision",
    "engine.job", "engine.instance", "planning.effect", "workforce.work_order", "inventory.request",
)  # fmt: skip


def rows(house: House) -> dict[str, int]:
    return {table: house.q(f"select count(*) from {table}")[0][0] for table in TABLES}


def somewhere(place: dict[str, Any]) -> ItemDraft:
    return ItemDraft("1", "add", "P2", place=place)


@pytest.mark.parametrize(
    ("customer", "items", "refusal"),
    [
        ("C601", (), errors.OrderEmpty),
        ("C601", (add("P2", 601), add("P2", 602)), errors.ItemKeyRepeated),
        ("C601", (add("P9", 601),), UnknownOffering),
        ("C601", (add("P7", 601),), errors.ActionNotOffered),
        ("C601", (add("P2", 601, 速率=250),), errors.CharacteristicImpossible),
        ("C601", (add("P2", 601, 颜色="红"),), errors.CharacteristicUnknown),
        ("C601", (ItemDraft("1", "add", "P2"),), errors.AddressMissing),
        ("C601", (ItemDraft("1", "add", "P2", quantity=3, place={"id": "601"}),), errors.QuantityNotPossible),
        ("C601", (change("delete", 77),), errors.ProductMissing),
        ("C601", (somewhere({"id": "999"}),), AddressUnknown),
        ("C601", (somewhere({"name": "浙江省杭州市"}),), AddressUnknown),
        ("C601", (somewhere({"id": "605"}),), AddressNotCovered),
        ("nobody", (add("P2", 601),), CustomerUnknown),
        ("", (add("P2", 601),), errors.CustomerMissing),
    ],
)
def test_a_refused_order_writes_nothing(
    house: House, customer: str, items: tuple[ItemDraft, ...], refusal: type[Rejected]
) -> None:
    with house.db.transaction() as tx:
        tx.run("insert into inventory.address (id, area, level, name, full_name) values (605, 7, 9, '605', '605室')")
    before = rows(house)

    with pytest.raises(refusal) as refused:
        house.order(customer, *items)

    assert type(refused.value) is refusal
    assert rows(house) == before == dict.fromkeys(TABLES, 0)


def test_the_product_of_another_customer_is_not_there(house: House) -> None:
    house.install(601, "LL")
    before = rows(house)

    with pytest.raises(errors.ProductMissing):
        house.order("C602", change("delete", house.products(601)["LL"]))

    assert rows(house) == before


def test_a_product_that_has_ended_cannot_be_ordered_on(house: House) -> None:
    house.install(601, "LL")
    line = house.products(601)["LL"]
    house.order("C601", change("delete", line))
    house.run()
    before = rows(house)

    with pytest.raises(errors.ProductMissing):
        house.order("C601", change("modify", line, "P7", 速率=20))

    assert rows(house) == before


def test_work_is_claimed_by_one_person(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    work_order = house.claim("W3", order_id)
    before = rows(house)

    for principal, refusal in (
        (Principal(1, "crm"), PersonNeeded),
        (Principal(2, "colleague", person_id=71), NotYours),
    ):
        with pytest.raises(refusal) as refused, house.db.transaction() as tx:
            workforce.claim(tx, work_order.id, principal)
        if refusal is NotYours:
            assert refused.value.params == {"id": work_order.id, "state": "claimed"}
    with pytest.raises(NotFound), house.db.transaction() as tx:
        workforce.claim(tx, 256 * 99, Principal(2, "colleague", person_id=71))

    assert rows(house) == before
    assert house.q("select assignee from engine.human_task where id = %s", work_order.id) == [(PERSON,)]


def test_a_report_that_is_not_valid_changes_nothing(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    work_order = house.claim("W3", order_id)
    effect = work_order.lines[0].effect
    before = rows(house)

    with pytest.raises(FormInvalid):
        house.report(work_order, "r1", EffectOutcome(effect, ok=True, data={"损耗": 29}))
    with pytest.raises(ReportIncomplete):
        house.report(work_order, "r1", EffectOutcome(effect + 256, ok=True, data={"损耗": 3}))

    assert rows(house) == before
    assert house.q("select state from engine.human_task where id = %s", work_order.id) == [(1,)]


def test_what_is_not_there_is_not_done_again(house: House) -> None:
    with pytest.raises(NotFound), house.db.transaction() as tx:
        retry_order(tx, 256, "dispatcher")
    assert rows(house) == dict.fromkeys(TABLES, 0)
