"""追单: which amendment counts, which is refused, what survives it; a refusal writes nothing."""

from typing import Any

import pytest
from tests.contract.conftest import furnish

from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound, Rejected
from diaodu.ordering import commands, errors, queries
from diaodu.ordering.model import Item, ItemDraft, ItemState, Line, OrderDraft
from diaodu.ordering.revise import Revised, difference, entries, revise
from diaodu.ordering.tmf import amended_items

S = ItemState


def broadband(speed: int, key: str = "1", **changes: Any) -> ItemDraft:
    given: dict[str, Any] = {"characteristics": {"速率": speed}, "place": {"id": "601"}}
    return ItemDraft(key, "add", "P2", **given | changes)


def ordered(tx: Tx, *items: ItemDraft, accepted: bool = True) -> int:
    """An order in its first revision; accepted, as by the intake, and at work."""
    furnish(tx)
    order_id = commands.order_id_for(tx, source="web", key="k")
    commands.capture_orders(tx, [(order_id, OrderDraft("k", "web", "C1001", items or (broadband(200),)))])
    if accepted:
        decide(tx, order_id, 1, "accepted")
        commands.move_items(tx, [commands.Move(i, S.IN_PROGRESS) for i in items_of(tx, order_id).values()])
    return order_id


def decide(tx: Tx, order_id: int, n: int, state: str) -> None:
    commands.decide_revisions(tx, [(queries.revisions(tx, [(order_id, n)])[order_id, n], state)])


def items_of(tx: Tx, order_id: int) -> dict[str, Item]:
    return {i.key: i for i in queries.items_of(tx, [order_id])[order_id]}


def lines_of(tx: Tx, order_id: int, n: int) -> dict[str, Line]:
    found = queries.revision(tx, order_id, n)
    assert found is not None
    return {line.key: line for line in found.lines}


def known(tx: Tx, order_id: int) -> list[tuple[int, str]]:
    return [(e.n, e.state) for e in entries(tx, order_id)]


def everything(tx: Tx) -> list[tuple[Any, ...]]:
    """All that an amendment may write."""
    tables = ("ordering.revision", "ordering.order_item", "engine.job")
    return [row for table in tables for row in tx.rows(f"select t::text from {table} t order by 1")]


def refused(tx: Tx, order_id: int, *items: ItemDraft, by: str = "web", **given: Any) -> Rejected:
    """The refusal of an amendment, which leaves nothing behind."""
    before, told = everything(tx), len(tx.journal.entries.get(order_id, ()))
    with pytest.raises(Rejected) as refusal:
        revise(tx, order_id, items, made_by=by, **given)
    assert (everything(tx), len(tx.journal.entries.get(order_id, ()))) == (before, told)
    return refusal.value


def test_an_amendment_is_a_revision_with_an_intake_of_its_own(tx: Tx) -> None:
    order_id = ordered(tx)
    promised = items_of(tx, order_id)

    made = revise(tx, order_id, (broadband(500),), made_by="li", base=1, note="wants more")

    assert made == Revised(2, "intake")
    assert known(tx, order_id) == [(1, "accepted"), (2, "intake")]
    newest = entries(tx, order_id)[-1]
    assert (newest.made_by, newest.base, newest.note, newest.decided_at) == ("li", 1, "wants more", None)
    # The order goes on as it was until the revision is accepted.
    assert items_of(tx, order_id) == promised
    assert queries.to_be(tx, [order_id])[order_id].n == 1
    assert lines_of(tx, order_id, 2)["1"].characteristics["速率"] == 500
    assert lines_of(tx, order_id, 2)["1"].product_id == promised["1"].product_id
    assert tx.rows("select msg_key from engine.job order by id") == [("revision:1",), ("revision:2",)]


def test_the_same_again_has_the_same_answer(tx: Tx) -> None:
    order_id = ordered(tx)
    first = revise(tx, order_id, (broadband(500),), made_by="li")
    before = everything(tx)
    assert revise(tx, order_id, (broadband(500),), made_by="li") == first
    assert revise(tx, order_id, (broadband(500),), made_by="wang") == first
    assert everything(tx) == before


def test_what_differs_in_nothing_makes_no_revision(tx: Tx) -> None:
    order_id = ordered(tx)
    before = everything(tx)
    as_it_is = ItemDraft("1", "add", "P2")
    assert revise(tx, order_id, (as_it_is,), made_by="li") == Revised(1, "accepted")
    assert everything(tx) == before


def test_who_did_not_see_the_newest_is_told_who_made_it(tx: Tx) -> None:
    order_id = ordered(tx)
    revise(tx, order_id, (broadband(500),), made_by="li", base=1)

    late = refused(tx, order_id, broadband(1000), by="wang", base=1)
    unseen = refused(tx, order_id, broadband(1000), by="wang")

    at = tx.now.isoformat(timespec="seconds")
    assert isinstance(late, errors.RevisionTaken)
    assert late.params == unseen.params == {"id": order_id, "n": 2, "by": "li", "at": at, "state": "intake"}
    assert revise(tx, order_id, (broadband(1000),), made_by="wang", base=2) == Revised(3, "intake")
    assert known(tx, order_id) == [(1, "accepted"), (2, "replaced"), (3, "intake")]


def test_one_replaces_what_one_made_oneself(tx: Tx) -> None:
    order_id = ordered(tx)
    revise(tx, order_id, (broadband(500),), made_by="li")
    assert revise(tx, order_id, (broadband(1000),), made_by="li") == Revised(3, "intake")
    assert known(tx, order_id) == [(1, "accepted"), (2, "replaced"), (3, "intake")]


def test_a_base_that_is_not_there_is_refused(tx: Tx) -> None:
    order_id = ordered(tx)
    assert isinstance(refused(tx, order_id, broadband(500), base=4), NotFound)


def test_a_smaller_number_is_kept_as_stale_and_changes_nothing(tx: Tx) -> None:
    order_id = ordered(tx)
    assert revise(tx, order_id, (broadband(1000),), made_by="crm", number=5) == Revised(5, "intake")
    items = items_of(tx, order_id)

    late = revise(tx, order_id, (broadband(500),), made_by="crm", number=3)

    assert late == Revised(3, "stale")
    assert known(tx, order_id) == [(1, "accepted"), (3, "stale"), (5, "intake")]
    assert items_of(tx, order_id) == items
    told = [e for e in tx.journal.entries[order_id] if e["t"] == "revision.stale"]
    assert [(e["n"], e["newest"], e["items"][0]["characteristics"]) for e in told] == [(3, 5, {"速率": 500})]
    # The same again is told the same; another content under a number that is taken is refused.
    assert revise(tx, order_id, (broadband(500),), made_by="crm", number=3) == late
    assert isinstance(refused(tx, order_id, broadband(200), by="crm", number=3), errors.RevisionTaken)


def test_items_are_known_by_their_products_or_their_ids(tx: Tx) -> None:
    order_id = ordered(tx, broadband(200), broadband(100, "2"))
    first, second = (items_of(tx, order_id)[key].product_id for key in ("1", "2"))

    by_product = broadband(500, "other", product_id=str(first))
    revise(tx, order_id, (by_product, broadband(100, "2")), made_by="li")
    assert {k: line.characteristics["速率"] for k, line in lines_of(tx, order_id, 2).items()} == {"1": 500, "2": 100}

    two_at_once = broadband(500, "1", product_id=str(second))
    another = ItemDraft("1", "add", "LL", place={"id": "601"})
    for item in (two_at_once, another):
        assert isinstance(refused(tx, order_id, item, by="li"), errors.ItemAmbiguous)


def test_items_come_and_go_and_keep_what_they_are(tx: Tx) -> None:
    order_id = ordered(tx)
    known_before = items_of(tx, order_id)["1"]

    revise(tx, order_id, (broadband(100, "2"),), made_by="li")

    lines = lines_of(tx, order_id, 2)
    assert {k: (line.wanted, line.product_id == known_before.product_id) for k, line in lines.items()} == {
        "2": (True, False), "1": (False, True),
    }  # fmt: skip
    assert {k: i.state for k, i in items_of(tx, order_id).items()} == {"1": S.IN_PROGRESS, "2": S.ACKNOWLEDGED}


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ({"name": "公网IP", "value": None}, True),
        ({"name": "公网IP", "value": ""}, True),
        ({"name": "公网IP", "value": None, "changed": True}, False),
        ({"name": "公网IP", "value": False}, False),
    ],
)
def test_what_was_found_out_survives_an_empty_field(tx: Tx, entry: dict[str, Any], left: object) -> None:
    order_id = ordered(tx, broadband(200, characteristics={"速率": 200, "公网IP": True}))
    product = {"productCharacteristic": [{"name": "速率", "value": 500}, entry]}
    document = {"id": "1", "action": "add", "product": product}

    revise(tx, order_id, amended_items({"productOrderItem": [document]}), made_by="li")

    assert lines_of(tx, order_id, 2)["1"].characteristics["公网IP"] is left


def test_only_a_note_differs_and_nothing_that_is_planned_from(tx: Tx) -> None:
    order_id = ordered(tx)
    noted = broadband(200, extra={"note": [{"text": "mind the dog"}]})
    revise(tx, order_id, (noted,), made_by="li")
    before, after = (tuple(lines_of(tx, order_id, n).values()) for n in (1, 2))
    found = difference(before, after)
    assert {name: keys for name, keys in vars(found).items() if keys} == {"described": {"1"}}


@pytest.mark.parametrize("state", [S.COMPLETED, S.CANCELLED, S.CANCELLING])
def test_an_order_that_has_ended_is_not_amended(tx: Tx, state: ItemState) -> None:
    order_id = ordered(tx)
    tx.run("update ordering.order_item set state = %s", (state,))
    tx.memo.clear()
    assert isinstance(refused(tx, order_id, broadband(500)), errors.OrderNotAmendable)


def test_an_order_that_is_being_closed_takes_nothing_more(tx: Tx) -> None:
    order_id = ordered(tx, broadband(200), broadband(100, "2"))
    tx.run("update ordering.order_item set state = 'closing' where item_key = '1'")
    tx.memo.clear()
    assert isinstance(refused(tx, order_id, broadband(200), broadband(500, "2")), errors.OrderNotAmendable)


@pytest.mark.parametrize(("ponr", "sent"), [("hard", [broadband(500)]), ("hard", []), ("soft", [])])
def test_what_has_passed_its_point_of_no_return_stays(tx: Tx, ponr: str, sent: list[ItemDraft]) -> None:
    order_id = ordered(tx)
    commands.pass_points(tx, [(items_of(tx, order_id)["1"], ponr)])
    refusal = refused(tx, order_id, *sent, broadband(100, "2"))
    assert isinstance(refusal, errors.ItemNotAmendable)
    assert refusal.params == {"item": "1", "state": S.IN_PROGRESS, "ponr": ponr}


@pytest.mark.parametrize(("ponr", "speed"), [("hard", 200), ("soft", 500)])
def test_beside_it_or_before_the_hard_one_there_is_change(tx: Tx, ponr: str, speed: int) -> None:
    order_id = ordered(tx)
    commands.pass_points(tx, [(items_of(tx, order_id)["1"], ponr)])
    made = revise(tx, order_id, (broadband(speed), broadband(100, "2")), made_by="li")
    assert made == Revised(2, "intake")


def test_what_the_audit_sent_back_is_mended(tx: Tx) -> None:
    order_id = ordered(tx, accepted=False)
    decide(tx, order_id, 1, "rejected")
    commands.move_items(tx, [commands.Move(items_of(tx, order_id)["1"], S.PENDING, "audit-refused")])

    # Even the same again: what was missing may be there now.
    assert revise(tx, order_id, (broadband(200),), made_by="li") == Revised(2, "intake")

    assert [i.state for i in items_of(tx, order_id).values()] == [S.ACKNOWLEDGED]
    assert queries.to_be(tx, [order_id])[order_id].n == 2


def test_an_order_that_is_not_there_is_not_found(tx: Tx) -> None:
    furnish(tx)
    nobody = tx.new_id(0)
    journal.lock(tx, [nobody])
    with pytest.raises(NotFound):
        revise(tx, nobody, (broadband(200),), made_by="li")
