"""撤单: each test is a statement about cancellation, with workers and systems at work."""

from dataclasses import replace
from typing import Any

import pytest
from tests.flows.cancelling import ask, look, says, shown, task, whole, work_until
from tests.flows.operator import PERSON, House, add

from diaodu.catalog import commands as catalog
from diaodu.fulfilment.errors import NothingAwaited
from diaodu.ordering.cancel import CancelState, Why
from diaodu.planning.model import Op, State
from diaodu.workforce import commands as workforce
from diaodu.workforce import queries as work_orders
from diaodu.workforce.model import EffectOutcome

DONE, CANCELLED = ("completed", None), ("cancelled", None)
WORK = ("W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8")


def steps(house: House, order_id: int) -> list[tuple[str, str, str]]:
    """What was done and undone outside, wishes to areas aside."""
    return sorted((e.op, e.kind, e.state) for e in house.effects(order_id) if e.work in WORK)


def test_13_before_anything_was_done_all_is_set_free_without_a_call(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False, send=False)
    assert house.resources(1) != []

    task_id, new = ask(house, order_id)
    house.run(send=False)

    assert new
    assert house.items(order_id) == dict.fromkeys(("1", "1.1", "1.2", "1.3"), CANCELLED)
    assert house.order_state(order_id) == "cancelled"
    assert task(house, task_id).state is CancelState.DONE
    assert {state for _, _, state in steps(house, order_id)} == {State.WITHDRAWN}
    assert house.resources(0, 1, 2, 4) == house.resources(0)
    states = house.q("select distinct t.state from engine.human_task t where t.root_id = %s", order_id)
    assert states == [(4,)]
    assert house.q("select state from engine.instance where root_id = %s order by id", order_id)[-1] == (2,)
    whole(house)


def test_13_in_intake_nothing_is_left_behind(house: House) -> None:
    house.install(801, "P2")
    waits = house.order("C802", add("P2", 802))
    house.run()
    assert house.items(waits) == {"1": ("held", "no-resource")}

    ask(house, waits)
    house.run()

    assert house.items(waits) == {"1": CANCELLED}
    whole(house)


def test_14_past_the_hard_point_the_item_stays_and_its_removal_is_offered(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False)
    work_until(house, order_id, "W3", "W4")
    test = house.claim("W5", order_id)
    broadband = next(line.effect for line in test.lines if line.kind == "test.broadband")
    others = [line.effect for line in test.lines if line.kind != "test.broadband"]
    house.report(
        test, "w5", EffectOutcome(broadband, ok=True, data={"光功率": -20, "测速": 200}),
        *(EffectOutcome(i, ok=False, reason="no signal") for i in others),
    )  # fmt: skip
    house.run(technicians=False)
    assert house.q("select ponr from ordering.order_item where order_id = %s order by id", order_id) == [
        ("none",), ("hard",), ("soft",), ("soft",),
    ]  # fmt: skip

    before = look(house, order_id)
    task_id, _ = ask(house, order_id)
    house.run(technicians=False)
    assert house.items(order_id)["1.2"][0] == "assessingCancellation"
    says(house, task_id, agreed=True)
    house.run()

    assert {j.key: (j.verdict, j.why) for j in task(house, task_id).judged} == {
        "1.1": ("denied", Why.PONR), "1.2": ("consent", None), "1.3": ("consent", None), "1": ("denied", Why.PONR),
    }  # fmt: skip
    assert before.removal is not None
    assert [(i["action"], i["product"]["id"]) for i in before.removal["productOrderItem"]] == [
        ("delete", str(house.q("select product_id from ordering.order_item where order_id = %s and item_key = '1'",
                               order_id)[0][0]))
    ]  # fmt: skip
    assert house.items(order_id) == {"1": DONE, "1.1": DONE, "1.2": CANCELLED, "1.3": CANCELLED}
    assert house.order_state(order_id) == "completed"
    assert sorted(house.products(601)) == ["P1", "P1-BB"]
    assert house.resources(2) == ["BOX10/1", "10.101", "ONU71"]
    whole(house)


def test_15_other_items_stay_cancellable(house: House) -> None:
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False)

    found = look(house, order_id, "1.2")
    ask(house, order_id, "1.2")
    house.run()

    assert [(i["id"], i["verdict"]) for i in found.item] == [("1.2", "cancel")]
    assert {u["kind"] for u in found.undone} == {"iptv.account", "reserve.stb"}
    assert {n["kind"] for n in found.never_begun} >= {"install.stb", "test.iptv"}
    assert house.items(order_id) == {"1": DONE, "1.1": DONE, "1.2": CANCELLED, "1.3": DONE}
    assert house.resources(2) == ["BOX10/1", "10.101", "0571-87000001", "ONU71"]
    loid = f"LD{house.effect(order_id, 'olt.port').thing_id}"
    assert house.holds("iptv:zj", "iptv.account", f"tv{loid}") is None
    assert house.holds("aaa:zj", "aaa.account", f"zj{loid}") is not None
    whole(house)


def test_15_a_declared_rule_binds_the_items_of_a_bundle(house: House) -> None:
    bundle = {
        "id": "P1",
        "name": {"zh": "融合套餐", "en": "Fusion bundle"},
        "members": ["P1-BB", "P1-TV", "P1-TEL"],
        "actions": ["add", "delete"],
        "cancel_together": True,
    }
    with house.db.transaction() as tx:
        catalog.put_entry(tx, "offerings", "P1", bundle)
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False)

    ask(house, order_id, "1.2")
    house.run()

    assert set(house.items(order_id).values()) == {CANCELLED}
    whole(house)


def test_16_past_the_soft_point_there_is_a_fee_and_the_customer_is_asked_first(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    work_until(house, order_id, "W3", "W4")

    task_id, _ = ask(house, order_id)
    house.run(technicians=False)

    assert house.items(order_id) == {"1": ("assessingCancellation", "consent")}
    assert house.order_state(order_id) == "assessingCancellation"
    assert [e for e in house.effects(order_id) if e.op is Op.UNDO] == []
    asked = shown(house, task_id)
    assert (asked["state"], asked["cancellationFee"]["price"]) == ("acknowledged", {"unit": "CNY", "value": 50.0})

    says(house, task_id, agreed=True)
    says(house, task_id, agreed=True)
    assert house.order_state(order_id) == "pendingCancellation"
    house.run()

    assert house.items(order_id) == {"1": CANCELLED}
    bill = house.holds("billing:zj", "fee.cancellation", f"{order_id}.{task_id}")
    assert bill is not None
    assert bill["amount"] == 5000
    assert house.holds("sms:zj", "notice.cancelled", f"{order_id}.{task_id}") is not None
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") is None
    assert house.resources(2) == []
    whole(house)


def test_16_without_consent_the_order_goes_on(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    work_until(house, order_id, "W3", "W4")
    task_id, _ = ask(house, order_id)
    house.run(technicians=False)

    says(house, task_id, agreed=False)
    assert house.items(order_id) == {"1": ("inProgress", None)}
    house.run()

    assert house.items(order_id) == {"1": DONE}
    assert task(house, task_id).state is CancelState.DONE
    assert [e.kind for e in house.effects(order_id) if e.kind == "fee.cancellation" or e.op is Op.UNDO] == []
    with pytest.raises(NothingAwaited):
        says(house, task_id, agreed=True)
    whole(house)


@pytest.mark.parametrize("first", ["cancel", "report"])
def test_17_cancellation_and_the_last_completion_race_and_one_of_them_wins(house: House, first: str) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    work_until(house, order_id, "W3", "W4")
    last = house.claim("W5", order_id)
    if first == "report":
        house.report(last, "w5")
        task_id, _ = ask(house, order_id)
    else:
        task_id, _ = ask(house, order_id)
        house.run(technicians=False)
        says(house, task_id, agreed=True)
        house.report(last, "w5")
    house.run()

    judged = {j.key: j.verdict for j in task(house, task_id).judged}
    if first == "report":
        assert (house.items(order_id), judged) == ({"1": DONE}, {"1": "denied"})
        assert sorted(house.products(601)) == ["P2"]
    else:
        assert (house.items(order_id), judged) == ({"1": CANCELLED}, {"1": "consent"})
        assert house.products(601) == {}
        assert house.holds("aaa:zj", "aaa.account", f"zjLD{house.effect(order_id, 'olt.port').thing_id}") is None
        assert house.resources(2) == []
    whole(house)


def test_18_an_undo_that_fails_leaves_the_order_uncancelled_with_a_list(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    house.client.fault(refuse={"kind": "aaa.account"})

    task_id, _ = ask(house, order_id)
    house.run()

    assert house.items(order_id) == {"1": ("pendingCancellation", "undo-failed:aaa.account.remove")}
    found = shown(house, task_id)
    assert found["state"] == "terminatedWithError"
    assert "aaa.account" in [r["kind"] for r in found["remainingEffect"]]

    house.client.fault()
    house.retry(order_id)
    house.run()

    assert house.items(order_id) == {"1": CANCELLED}
    assert shown(house, task_id)["state"] == "done"
    whole(house)


def test_19_the_second_request_has_the_answer_of_the_first(house: House) -> None:
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)

    first = ask(house, order_id)
    again = ask(house, order_id)
    house.run()
    later = ask(house, order_id, "1")

    assert (first[1], again, later) == (True, (first[0], False), (first[0], False))
    assert house.q("select count(*) from ordering.cancel_task") == [(1,)]
    assert house.q("select count(*) from ordering.revision where order_id = %s", order_id) == [(2,)]


def test_20_each_item_follows_its_own_rule(house: House) -> None:
    order_id = house.order("C601", add("P2", 601), replace(add("LL", 601, 速率=10), key="2"))
    house.run(technicians=False)
    work_until_item(house, order_id, "1")

    task_id, _ = ask(house, order_id)
    house.run(technicians=False)
    house.run()

    judged: dict[str, Any] = {j.key: j.verdict for j in task(house, task_id).judged}
    assert judged == {"1": "denied", "2": "cancel"}
    assert house.items(order_id) == {"1": DONE, "2": CANCELLED}
    assert house.order_state(order_id) == "completed"
    whole(house)


def work_until_item(house: House, order_id: int, item: str) -> None:
    """The crews do all the work of one item."""
    for kind in ("W3", "W4", "W5"):
        found = house.q(
            "select w.id from workforce.work_order w join engine.human_task t on t.part = w.part and t.id = w.id"
            " where w.order_id = %s and w.kind = %s and t.state = 0 and w.lines->0->>'item' = %s",
            order_id, kind, item,
        )  # fmt: skip
        with house.db.transaction() as tx:
            work_order = work_orders.work_orders(tx, [found[0][0]])[found[0][0]]
            assert workforce.claim_many(tx, [work_order], PERSON) == set()
        house.report(work_order, f"{kind}.{item}")
        house.run(technicians=False)
