"""The plan is written down: a race with the sender, and trees that keep what did not change."""

from dataclasses import replace

from tests.flows.operator import House, add

from diaodu.fulfilment.decompose import tree_of
from diaodu.fulfilment.orders import OrderFacts, load_orders
from diaodu.fulfilment.replan import plan_of, replan
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.ordering.model import Revision
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, State


def waiting_order(house: House) -> int:
    """An order whose commands are ready, and nobody has sent one."""
    order_id = house.order("C601", add("P2", 601, 速率=200))
    house.run(send=False, technicians=False)
    assert house.effect(order_id, "olt.port").state is State.INTENT
    return order_id


def looked_at(tx: Tx, order_id: int) -> OrderFacts:
    """The order, locked, with its ledger in memory."""
    journal.lock(tx, [order_id])
    effects.ledger(tx, [order_id])
    return load_orders(tx, [order_id])[order_id]


def sent_meanwhile(house: House, effect: Effect) -> None:
    with house.db.transaction() as sender:
        sender.run(
            "update planning.effect set state = 'sent', attempts = 1 where part = %s and order_id = %s and id = %s",
            (part_of(effect.order_id), effect.order_id, effect.id),
        )


def with_speed(tx: Tx, order: OrderFacts, speed: int) -> OrderFacts:
    lines = tuple(replace(x, characteristics={**x.characteristics, "速率": speed}) for x in order.revision.lines)
    changed = replace(order, revision=replace(order.revision, lines=lines))
    tree = tree_of(changed, lambda: tx.new_id(part_of(order.id)), [order.revision])
    return replace(changed, revision=replace(changed.revision, tree=tree))


def test_what_a_sender_took_in_the_meantime_is_planned_around(house: House) -> None:
    order_id = waiting_order(house)
    port, account = house.effect(order_id, "olt.port"), house.effect(order_id, "aaa.account")
    with house.db.transaction() as tx:
        order = looked_at(tx, order_id)
        sent_meanwhile(house, port)
        replan(tx, [with_speed(tx, order, 500)])

    found = {e.id: e for e in house.effects(order_id)}
    assert found[port.id].state is State.SENT
    assert found[account.id].state is State.WITHDRAWN
    assert [e.id for e in found.values() if e.kind == "olt.port"] == [port.id]
    new = [e for e in found.values() if e.kind == "aaa.account" and e.state is State.INTENT]
    assert [(e.thing_id, e.ready) for e in new] == [(account.thing_id, True)]
    config = house.effect(order_id, "itms.config")
    assert {port.id, new[0].id} <= set(config.needs)


def test_nothing_is_sent_that_was_withdrawn_first(house: House) -> None:
    order_id = waiting_order(house)
    with house.db.transaction() as tx:
        order = looked_at(tx, order_id)
        replan(tx, [replace(order, revision=replace(order.revision, lines=(), tree=None))])
    house.sender.run_until_idle()
    states = {e.kind: e.state for e in house.effects(order_id)}
    assert (states["olt.port"], states["aaa.account"]) == (State.WITHDRAWN, State.WITHDRAWN)
    assert states["free.access"] is State.INTENT
    assert house.client.record("olt.port", "BOX10/1", house.olt)["status"] != "ok"


def test_a_plan_that_was_written_down_is_empty(house: House) -> None:
    order_id = waiting_order(house)
    with house.db.transaction() as tx:
        order = looked_at(tx, order_id)
        assert plan_of(tx, order).steps == ()
        changed = with_speed(tx, order, 500)
        assert {s.reason for s in plan_of(tx, changed).steps} == {"new"}
        replan(tx, [changed])
        again = plan_of(tx, changed)
        assert (again.steps, again.withdraw, again.waits) == ((), (), ())


def test_the_history_says_why_an_effect_is_there_and_on_what_it_stands(house: House) -> None:
    order_id = waiting_order(house)
    added = {e["kind"]: e for e in house.told(order_id, "effect.added")}
    ids = {kind: e["id"] for kind, e in added.items()}
    assert (added["olt.port"]["reason"], added["olt.port"]["revision"]) == ("new", 1)
    assert added["olt.port"]["needs"] == [ids["reserve.access"]]


def test_what_did_not_change_is_copied_and_what_did_keeps_its_things(house: House) -> None:
    two = (add("P2", 601, 速率=200), replace(add("P2", 602, 速率=200), key="2"))
    order_id = house.order("C601", *two)
    house.run(send=False, technicians=False)
    with house.db.transaction() as tx:
        order = looked_at(tx, order_id)
        before = order.revision
        lines = tuple(
            replace(x, characteristics={**x.characteristics, "速率": 500}) if x.key == "2" else x for x in before.lines
        )
        changed = replace(order, revision=replace(before, n=2, lines=lines))
        tree = tree_of(changed, lambda: 1 // 0, [before])  # nothing new is made
    was = {n.thing_id: n for n in before.tree or ()}
    assert {n.thing_id for n in tree} == set(was)
    assert all(n is was[n.thing_id] for n in tree if n.item_key == "1")
    speeds = {n.item_key: n.characteristics["速率"] for n in tree if n.spec == "service/internet"}
    assert speeds == {"1": 200, "2": 500}


def test_another_release_breaks_everything_down_again(house: House) -> None:
    order_id = waiting_order(house)
    with house.db.transaction() as tx:
        order = looked_at(tx, order_id)
        before: Revision = replace(order.revision, release_id=order.revision.release_id + 1)
        tree = tree_of(order, lambda: 1 // 0, [before])
    was = {n.thing_id: n for n in before.tree or ()}
    assert {n.thing_id for n in tree} == set(was)
    assert not any(n is was[n.thing_id] for n in tree)
