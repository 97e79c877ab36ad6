"""Calls that get lost, answers that come late: each test is a statement about other systems, at work with them."""

from collections.abc import Sequence

import pytest
from tests.flows.operator import SYSTEMS, House, add
from tests.fulfilment import sending
from tests.simulators.silent import Silent

from diaodu.fulfilment import fallout_commands as commands
from diaodu.fulfilment import fallout_store as store
from diaodu.fulfilment.fallout_model import Evidence, Record
from diaodu.fulfilment.flight import Flight
from diaodu.fulfilment.send import Sender
from diaodu.planning.model import State
from diaodu.provisioning import commands as provisioning
from diaodu.provisioning.model import Address

AAA = "aaa:zj"


def restart(house: House, answer_s: float = 5.0) -> None:
    """The sender is gone without a word; its leases run out, another one begins."""
    with house.db.transaction() as tx:
        tx.run("update kernel.lease set until = %s where starts_with(name, 'element:')", (tx.now,))
    house.sender = Sender(house.db, "another sender", SYSTEMS, answer_s=answer_s)


def failures(house: House, order_id: int) -> list[Record]:
    with house.db.transaction() as tx:
        return store.search(tx, store.Search(order_id=order_id), 100)


def is_unknown(house: House, order_id: int) -> bool:
    return any(e.kind == "aaa.account" and e.state is State.UNKNOWN for e in house.effects(order_id))


def make_due(house: House) -> None:
    """All back-off is over."""
    sending.make_due(house.db)


def carried_out(house: House, order_id: int) -> dict[str, int]:
    """How often each command of an order was carried out by its system."""
    sent = [e for e in house.effects(order_id) if e.element and not e.element.startswith("area:")]
    return {e.kind: sending.times(house.client, e.id, e.element or "") for e in sent}


ONCE = dict.fromkeys(
    ("olt.port", "aaa.account", "itms.config", "archive.billing", "archive.sla", "notice.completed"), 1
)


def test_33_an_intent_that_was_not_sent_is_sent_once_after_a_restart(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(send=False, technicians=False)
    assert house.effect(order_id, "aaa.account").state is State.INTENT

    restart(house)
    house.run()

    assert house.order_state(order_id) == "completed"
    assert carried_out(house, order_id) == ONCE


class _Dies(Exception):
    pass


def test_33_death_between_the_mark_and_the_wire_sends_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(send=False, technicians=False)

    def die(flights: Sequence[Flight], _now: float) -> None:
        if flights:
            raise _Dies

    monkeypatch.setattr(house.sender, "_launch", die)
    with pytest.raises(_Dies):
        house.sender.run_until_idle()
    assert house.effect(order_id, "aaa.account").state is State.SENT
    assert sending.times(house.client, house.effect(order_id, "aaa.account").id, AAA) == 0

    restart(house)
    while house.order_state(order_id) != "completed":
        house.run()
        make_due(house)

    assert carried_out(house, order_id) == ONCE


def test_34_what_was_lost_is_asked_about_before_it_is_sent_again(house: House) -> None:
    house.client.fault("aaa", drop=1.0)
    restart(house, answer_s=0.2)
    order_id = house.order("C601", add("P2", 601))
    while not is_unknown(house, order_id):
        house.run(technicians=False)
    house.client.fault("aaa")

    while house.order_state(order_id) != "completed":
        house.run()
        make_due(house)

    assert carried_out(house, order_id) == ONCE


@pytest.mark.parametrize("done", [True, False])
def test_34_a_person_decides_where_nobody_can_be_asked(house: House, *, done: bool) -> None:
    with house.db.transaction() as tx:
        provisioning.set_manner(tx, "aaa", queryable=False, idempotent=False)
    house.client.fault("aaa", **({"drop": 1.0} if done else {"lost": 1.0}))
    restart(house, answer_s=0.2)
    order_id = house.order("C601", add("P2", 601))
    while not failures(house, order_id):
        house.run(technicians=False)
    for _ in range(3):
        make_due(house)
        house.run(technicians=False)
    effect = house.effect(order_id, "aaa.account")
    [record] = failures(house, order_id)
    assert (record.cause, effect.state) == ("provisioning.outcome-unknown", State.FAILED)
    house.client.fault("aaa")
    assert sending.times(house.client, effect.id, AAA) == int(done)

    with house.db.transaction() as tx:
        if done:
            commands.done_by_hand(tx, record.id, "noc", Evidence("AAA 控制台可见账号"), {})
        else:
            commands.retry(tx, record.id, "noc", "AAA 无此账号")
    while house.order_state(order_id) != "completed":
        house.run()
        make_due(house)

    assert sending.times(house.client, effect.id, AAA) == 1


def test_35_an_answer_that_comes_after_its_time_is_adopted(house: House) -> None:
    silent = Silent()
    with house.db.transaction() as tx:
        provisioning.set_addresses(tx, {"aaa": Address("127.0.0.1", silent.port)})
    restart(house, answer_s=0.2)
    order_id = house.order("C601", add("P2", 601))
    while not is_unknown(house, order_id):
        house.run()

    silent.answer()
    while house.order_state(order_id) != "completed":
        house.run()
        silent.answer()

    assert house.effect(order_id, "aaa.account").state is State.CONFIRMED
    moves = [(e["from"], e["to"]) for e in house.told(order_id, "effect.state") if e["kind"] == "aaa.account"]
    assert moves[-1] == ("unknown", "confirmed")
    house.sender.close()
    silent.close()
