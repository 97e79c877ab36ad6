"""追单: each test is a statement about orders that change under way, with workers and systems at work."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from tests.flows.operator import SYSTEMS, House, add, change
from tests.fulfilment import sending

from diaodu.app.technicians import report_of
from diaodu.fulfilment.send import Sender
from diaodu.kernel import journal
from diaodu.ordering import queries
from diaodu.ordering.errors import OrderNotAmendable, RevisionTaken
from diaodu.ordering.model import ItemDraft
from diaodu.ordering.revise import Revised, entries, revise
from diaodu.ordering.tmf import amended_items
from diaodu.planning.model import Effect, Op, State
from diaodu.workforce.model import EffectOutcome

CLOSING = {"archive.billing", "archive.resource", "archive.sla", "notice.completed"}


def amend(house: House, order_id: int, *items: ItemDraft, by: str = "clerk", **given: Any) -> Revised:
    with house.db.transaction(actor=by) as tx:
        journal.lock(tx, [order_id])
        return revise(tx, order_id, items, made_by=by, **given)


def bundle(speed: int, *, room: int = 601, tv: str | None = "1.2", note: str | None = None) -> ItemDraft:
    """P1 with its parts; ``tv`` is the id of its IPTV item, None leaves it out."""
    extra = {"note": [{"text": note}]} if note else {}
    parts = [
        ItemDraft("1.1", "add", "P1-BB", characteristics={"速率": speed}, extra=extra),
        ItemDraft("1.3", "add", "P1-TEL"),
    ]
    parts += [ItemDraft(tv, "add", "P1-TV")] if tv else []
    return replace(add("P1", room), children=tuple(parts))


def revisions(house: House, order_id: int) -> list[tuple[int, str]]:
    with house.db.transaction() as tx:
        return [(e.n, e.state) for e in entries(tx, order_id)]


def since(house: House, order_id: int, before: list[Effect]) -> dict[str, list[str]]:
    """What the plan added: kinds by operation; closing effects aside."""
    known = {e.id for e in before}
    new = [e for e in house.effects(order_id) if e.id not in known and e.kind not in CLOSING]
    return {op: sorted(e.kind for e in new if e.op == op) for op in {e.op for e in new}}


def states(house: House, order_id: int) -> dict[int, State]:
    return {e.id: e.state for e in house.effects(order_id)}


def work(house: House, order_id: int) -> list[tuple[Any, ...]]:
    """The work orders of an order, with what has become of them."""
    return house.q(
        "select w.kind, t.state from workforce.work_order w join engine.human_task t on t.part = w.part and t.id = w.id"
        " where w.order_id = %s order by w.id", order_id,
    )  # fmt: skip


@contextmanager
def silent(house: House, system: str) -> Iterator[None]:
    """A system does what it is told and says nothing, until the end of the block."""
    house.client.fault(system, drop=1.0)
    house.sender.close()
    house.sender = Sender(house.db, "impatient", SYSTEMS, answer_s=0.2)
    yield
    house.client.fault(system)


def run(house: House, *, send: bool = True) -> None:
    """Everybody but the technicians works until nothing moves and every system has answered."""
    house.run(technicians=False, send=send)
    while send and house.q("select 1 from planning.effect where state in ('sent', 'unknown') and element !~ '^area:'"):
        sending.make_due(house.db)
        house.run(technicians=False)


def finish(house: House, order_id: int) -> None:
    """Everybody works until the order is completed; all back-off is over."""
    while house.order_state(order_id) != "completed":
        before = len(house.history(order_id))
        sending.make_due(house.db)
        house.run()
        assert len(house.history(order_id)) > before, (house.items(order_id), house.effects(order_id))


def test_01_only_what_reads_the_bandwidth_is_done_anew(house: House) -> None:
    order_id = house.order("C601", bundle(200))
    run(house)
    before, offered = house.effects(order_id), work(house, order_id)
    held = house.resources(1)
    assert held == ["BOX10/1", "10.101", "0571-87000001", "ONU71", "STB71"]

    assert amend(house, order_id, bundle(500)) == Revised(2, "intake")
    run(house)

    assert since(house, order_id, before) == {"redo": ["aaa.account", "olt.port"], "do": ["test.broadband"]}
    withdrawn = [e.kind for e in before if states(house, order_id)[e.id] is State.WITHDRAWN]
    assert withdrawn == ["test.broadband"]
    assert (house.resources(1), work(house, order_id)) == (held, offered)
    port = house.holds(f"{house.olt}1", "olt.port", "BOX10/1")
    assert port is not None
    assert port["speed"] == 500

    finish(house, order_id)
    assert house.resources(2) == held


def test_01_an_appointment_stays_what_it_is(house: House) -> None:
    window = {"startDateTime": "2031-03-04T09:00:00Z", "endDateTime": "2031-03-04T11:00:00Z"}
    asked = {"appointment": {"validFor": window}}
    order_id = house.order("C601", replace(add("P2", 601, 速率=200), extra=asked))
    run(house)
    house.report(house.claim("W3", order_id), "spliced")
    run(house)
    appointments = "select id, status, start_at, end_at from workforce.appointment"
    booked, offered = house.q(appointments), work(house, order_id)
    assert (len(booked), offered) == (1, [("W3", 3), ("W4", 0)])

    amend(house, order_id, replace(add("P2", 601, 速率=500), extra=asked))
    run(house)

    assert (house.q(appointments), work(house, order_id)) == (booked, offered)
    finish(house, order_id)


def test_02_what_was_sent_is_left_alone_until_its_answer_is_there(house: House) -> None:
    with silent(house, "aaa"):
        order_id = house.order("C601", add("P2", 601, 速率=200))
        while house.effects(order_id) == [] or house.effect(order_id, "aaa.account").state is not State.UNKNOWN:
            house.run(technicians=False)
        sent = house.effect(order_id, "aaa.account")

        amend(house, order_id, add("P2", 601, 速率=500))
        house.run(technicians=False)
        house.report(house.claim("W3", order_id), "spliced")
        house.run(technicians=False)

        assert revisions(house, order_id) == [(1, "accepted"), (2, "accepted")]
        still = house.effect(order_id, "aaa.account")
        assert (still.id, still.state in (State.SENT, State.UNKNOWN)) == (sent.id, True)
        assert house.effect(order_id, "line.splice").state is State.CONFIRMED
        assert [e.state for e in house.effects(order_id) if e.kind == "olt.port"] == [State.CONFIRMED] * 2
    finish(house, order_id)

    accounts = [(e.op, e.state) for e in house.effects(order_id) if e.kind == "aaa.account"]
    assert accounts == [(Op.DO, State.CONFIRMED), (Op.REDO, State.CONFIRMED)]
    account = house.holds("aaa:zj", "aaa.account", str(sent.params["subject"]))
    assert account is not None
    assert account["speed"] == 500


def test_03_what_is_added_leaves_alone_what_is_finished(house: House) -> None:
    order_id = house.order("C601", bundle(200))
    run(house, send=False)
    amend(house, order_id, bundle(200, tv=None))
    run(house)
    for kind in ("W3", "W4"):
        house.report(house.claim(kind, order_id), kind)
        house.run(technicians=False)
    tests = house.claim("W5", order_id)
    voice = house.effect(order_id, "test.voice")
    with house.db.transaction() as tx:
        good = [o for o in report_of(tx, tests).outcomes if o.effect_id != voice.id]
    house.report(tests, "tested", *good, EffectOutcome(voice.id, ok=False, reason="no tone"))
    run(house)
    before = house.effects(order_id)
    finished = [e for e in before if e.item_key == "1.1" and e.state is State.CONFIRMED]
    assert "test.broadband" in [e.kind for e in finished]

    amend(house, order_id, bundle(200, tv="tv"))
    run(house)

    assert since(house, order_id, before) == {"do": ["install.stb", "iptv.account", "reserve.stb", "test.iptv"]}
    assert {states(house, order_id)[e.id] for e in finished} == {State.CONFIRMED}
    assert [w for w in work(house, order_id) if w[1] == 0] == [("W4", 0)]


def test_04_what_is_taken_out_is_undone_after_what_stands_on_it(house: House) -> None:
    order_id = house.order("C601", bundle(200))
    run(house)
    before = house.effects(order_id)
    account = house.effect(order_id, "iptv.account")
    assert account.state is State.CONFIRMED

    amend(house, order_id, bundle(200, tv=None))
    house.run()

    assert since(house, order_id, before) == {"undo": ["free.stb", "iptv.account.remove"]}
    ledger = {e.kind: e for e in house.effects(order_id) if e.op is Op.UNDO}
    assert ledger["iptv.account.remove"].id in ledger["free.stb"].needs
    assert ledger["iptv.account.remove"].of_id == account.id
    assert house.holds("iptv:zj", "iptv.account", str(account.params["subject"])) is None
    assert house.items(order_id) == {
        "1": ("completed", None), "1.1": ("completed", None), "1.2": ("cancelled", None), "1.3": ("completed", None),
    }  # fmt: skip
    assert house.order_state(order_id) == "completed"
    assert "STB71" in house.resources(0)
    assert sorted(house.products(601)) == ["P1", "P1-BB", "P1-TEL"]


def test_05_a_note_redoes_nothing(house: House) -> None:
    order_id = house.order("C601", bundle(200))
    run(house)
    before, offered = house.effects(order_id), work(house, order_id)

    assert amend(house, order_id, bundle(200, note="mind the dog")) == Revised(2, "intake")
    run(house)

    assert revisions(house, order_id) == [(1, "accepted"), (2, "accepted")]
    assert (house.effects(order_id), work(house, order_id)) == (before, offered)
    finish(house, order_id)


def test_06_a_newer_revision_waits_for_the_undo_of_the_one_before(house: House) -> None:
    order_id = house.order("C601", bundle(200))
    run(house)
    with silent(house, "iptv"):
        amend(house, order_id, bundle(500, tv=None))
        house.run(technicians=False)
        undo = house.effect(order_id, "iptv.account.remove")
        assert undo.state in (State.SENT, State.UNKNOWN)

        assert amend(house, order_id, bundle(1000, tv=None)) == Revised(3, "intake")
        house.run(technicians=False)

        assert revisions(house, order_id) == [(1, "accepted"), (2, "accepted"), (3, "accepted")]
        assert house.effect(order_id, "iptv.account.remove").id == undo.id
        assert house.effect(order_id, "free.stb").state is State.INTENT
    finish(house, order_id)

    tests = [(e.revision, e.state) for e in house.effects(order_id) if e.kind == "test.broadband"]
    assert tests == [(1, State.WITHDRAWN), (2, State.WITHDRAWN), (3, State.CONFIRMED)]
    assert [e.state for e in house.effects(order_id) if e.op is Op.UNDO] == [State.CONFIRMED] * 2
    assert house.items(order_id)["1.2"] == ("cancelled", None)
    port = house.holds(f"{house.olt}1", "olt.port", "BOX10/1")
    assert port is not None
    assert port["speed"] == 1000


def test_07_what_arrives_after_a_newer_one_is_stale(house: House) -> None:
    order_id = house.order("C601", add("P2", 601, 速率=200))
    run(house)
    assert amend(house, order_id, add("P2", 601, 速率=500), number=3) == Revised(3, "intake")
    run(house)
    before = house.effects(order_id)

    assert amend(house, order_id, add("P2", 601, 速率=1000), number=2) == Revised(2, "stale")
    run(house)

    assert house.effects(order_id) == before
    assert revisions(house, order_id) == [(1, "accepted"), (2, "stale"), (3, "accepted")]
    finish(house, order_id)
    assert house.q("select characteristics->>'速率' from inventory.product") == [("500",)]


def test_08_one_of_two_clerks_wins_and_the_other_is_told_who(house: House) -> None:
    order_id = house.order("C601", add("P2", 601, 速率=200))
    run(house)
    together = threading.Barrier(2)
    told: dict[str, Revised | RevisionTaken] = {}

    def submit(clerk: str, speed: int) -> None:
        together.wait()
        try:
            told[clerk] = amend(house, order_id, add("P2", 601, 速率=speed), by=clerk, base=1)
        except RevisionTaken as refusal:
            told[clerk] = refusal

    with ThreadPoolExecutor() as clerks:
        list(clerks.map(submit, ("li", "wang"), (500, 1000)))

    [winner] = [name for name, answer in told.items() if answer == Revised(2, "intake")]
    [refusal] = [answer for answer in told.values() if isinstance(answer, RevisionTaken)]
    assert (refusal.params["n"], refusal.params["by"]) == (2, winner)
    assert revisions(house, order_id) == [(1, "accepted"), (2, "intake")]
    house.run()
    speed = {"li": "500", "wang": "1000"}[winner]
    assert house.q("select characteristics->>'速率' from inventory.product") == [(speed,)]


def test_09_what_was_found_out_survives_unless_the_customer_changed_it(house: House) -> None:
    house.install(601, "LL", 速率=10, 终端型号="AR18-20")
    line = house.products(601)["LL"]
    order_id = house.order("C601", change("modify", line, "P7", 速率=20))
    run(house, send=False)

    def sent(speed: int, router: dict[str, Any]) -> tuple[ItemDraft, ...]:
        values = [{"name": "速率", "value": speed}, {"name": "终端型号"} | router]
        product = {"id": str(line), "productCharacteristic": values}
        item = {"id": "1", "action": "modify", "productOffering": {"id": "P7"}, "product": product}
        return amended_items({"productOrderItem": [item]})

    def router(n: int) -> str:
        with house.db.transaction() as tx:
            found = queries.revision(tx, order_id, n)
        assert found is not None
        return str(found.lines[0].characteristics["终端型号"])

    amend(house, order_id, *sent(50, {"value": ""}))
    run(house, send=False)
    amend(house, order_id, *sent(50, {"value": "AR46-20", "changed": True}))
    house.run()

    assert (router(1), router(2), router(3)) == ("AR28-31", "AR28-31", "AR46-20")
    assert house.order_state(order_id) == "completed"
    assert house.q("select characteristics from inventory.product where id = %s", line) == [
        ({"速率": 50, "终端型号": "AR46-20"},)
    ]
    assert house.resources(1) == []
    assert "AR46-20-7" in house.resources(2)


def test_10_what_the_audit_refuses_leaves_the_order_as_it_was(house: House) -> None:
    order_id = house.order("C801", add("P2", 801, 速率=500))
    run(house)
    before, offered, items = house.effects(order_id), work(house, order_id), house.items(order_id)

    amend(house, order_id, add("P2", 801, 速率=1000))
    run(house)

    assert revisions(house, order_id) == [(1, "accepted"), (2, "rejected")]
    assert (house.effects(order_id), work(house, order_id), house.items(order_id)) == (before, offered, items)
    finish(house, order_id)
    assert house.q("select characteristics->>'速率' from inventory.product") == [("500",)]


def test_10_what_an_area_refuses_leaves_the_order_as_it_was(house: House) -> None:
    house.install(601, "LL")
    line = house.products(601)["LL"]
    other = house.order("C601", change("modify", line, "P7", 速率=20))
    run(house)
    order_id = house.order("C601", add("P2", 601, 速率=200))
    run(house)
    before, held = house.effects(order_id), house.resources(1)

    amend(house, order_id, add("P2", 601, 速率=500), replace(change("delete", line, "LL"), key="2"))
    run(house)

    assert revisions(house, order_id) == [(1, "accepted"), (2, "rejected")]
    assert house.items(order_id) == {"1": ("inProgress", None), "2": ("cancelled", None)}
    assert house.effects(order_id)[: len(before)] == before
    assert house.resources(1) == held
    house.run()
    assert (house.order_state(order_id), house.order_state(other)) == ("completed", "completed")
    assert house.q("select characteristics->>'速率' from inventory.product where offering = 'P2'") == [("200",)]


def test_11_what_cannot_be_amended_is_refused_and_is_no_new_order(house: House) -> None:
    order_id = house.install(601, "P2", 速率=200)
    count = "select (select count(*) from ordering.product_order), (select count(*) from kernel.root)"
    before, told = house.q(count), house.history(order_id)

    with pytest.raises(OrderNotAmendable) as refusal:
        amend(house, order_id, add("P2", 601, 速率=500))

    assert refusal.value.params == {"id": order_id, "state": "completed"}
    house.run()
    assert (house.q(count), house.history(order_id)) == (before, told)
    assert revisions(house, order_id) == [(1, "accepted")]


def test_12_a_move_to_another_exchange_makes_before_it_breaks(house: House) -> None:
    order_id = house.order("C601", add("P2", 601, 速率=200))
    run(house)
    house.report(house.claim("W3", order_id), "spliced")
    run(house)
    old = house.resources(1)
    assert old == ["BOX10/1", "10.101", "ONU71"]
    before = house.effects(order_id)

    amend(house, order_id, add("P2", 801, 速率=200))
    run(house)

    # Both hold until the new service is confirmed.
    new = ["BOX80/1", "80.101", "ONU81"]
    assert sorted(house.resources(1)) == sorted([*old, *new])
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") is not None
    assert house.holds(f"{house.olt}2", "olt.port", "BOX80/1") is not None

    finish(house, order_id)

    assert (house.resources(1), sorted(house.resources(2))) == ([], sorted(new))
    assert house.holds(f"{house.olt}1", "olt.port", "BOX10/1") is None
    assert since(house, order_id, before)["undo"] == ["free.access", "free.onu", "line.unsplice", "olt.port.remove"]
    tested = [e for e in house.effects(order_id) if e.kind == "test.broadband" and e.state is State.CONFIRMED]
    ledger = {e.kind: e for e in house.effects(order_id) if e.op is Op.UNDO}
    assert len(tested) == 1
    assert tested[0].id in ledger["olt.port.remove"].needs
    assert ledger["olt.port.remove"].id in ledger["free.access"].needs
    assert house.q("select distinct area from inventory.product where offering = 'P2'") == [(8,)]
