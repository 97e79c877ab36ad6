"""The sender against real simulators over TCP: whatever gets lost, each effect is carried out once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fulfilment import sending
from tests.fulfilment.sending import OLT, SYSTEMS
from tests.simulators.wire import Client, Simulator, command

from diaodu.fulfilment.send import Sender
from diaodu.kernel import journal, leases
from diaodu.kernel.db import Database
from diaodu.planning import commands as ledger
from diaodu.planning.model import Op


@pytest.fixture
def client(db: Database, tmp_path: Path) -> Iterator[Client]:
    with Simulator(tmp_path / "state") as simulator:
        sending.wire_up(db, simulator.ready["port"])
        yield simulator.connect()


@pytest.fixture
def sender(db: Database, client: Client) -> Iterator[Sender]:
    sender = Sender(db, "sender", SYSTEMS, answer_s=0.3)
    yield sender
    sender.close()


def report(db: Database, effect_id: int) -> dict[str, Any]:
    """The last report on an effect."""
    return sending.outcomes(db)[effect_id][-1]


def test_all_systems_are_served_and_each_order_gets_one_report_a_round(
    db: Database, client: Client, sender: Sender
) -> None:
    with db.transaction() as tx:
        made = [e for n in range(4) for e in sending.broadband(tx, n)]
    sender.run_until_idle()
    told = sending.outcomes(db)
    assert {i: [o["state"] for o in of] for i, of in told.items()} == {e.id: ["confirmed"] for e in made}
    assert told[made[0].id][0]["result"] == {"subject": "1/1/0", "version": 1, "replaced": None}
    assert {r["key"] for r in client.records()} == {str(e.id) for e in made}
    assert client.record("aaa.account", "zjLOID0", "aaa:zj")["result"]["params"] == {"loid": "LOID0", "speed": 300}
    with db.transaction() as tx:
        jobs = tx.rows("select root_id, count(*) from engine.job group by 1")
    assert sorted(jobs) == sorted((i, 1) for i in {e.order_id for e in made})
    sending.land(db)
    assert set(sending.states(db, [e.id for e in made])) == {"confirmed"}


def test_only_what_is_ready_due_and_of_its_systems_is_sent(db: Database, client: Client, sender: Sender) -> None:
    with db.transaction() as tx:
        o = sending.order(tx)
        waiting = sending.effect(tx, o, "olt.port", OLT, ready=False, params={"subject": "a"})
        area = sending.effect(tx, o, "reserve.access", "area:1")
        later = sending.effect(tx, o, "olt.port", OLT, params={"subject": "b"})
        ledger.add(tx, [waiting, area, later])
        tx.run("update planning.effect set due_at = now() + interval '1 hour' where id = %s", (later.id,))
    sender.run_until_idle()
    assert sending.states(db, [waiting.id, area.id, later.id]) == ["intent"] * 3
    assert sending.outcomes(db) == {}
    assert client.records() == []


def test_a_withdrawn_effect_is_not_sent(db: Database, client: Client, sender: Sender) -> None:
    effect = sending.port_intent(db)
    with db.transaction() as tx:
        tx.run("update planning.effect set state = 'withdrawn' where id = %s", (effect,))
    sender.run_until_idle()
    assert client.records() == []


def test_an_effect_that_is_being_changed_is_left_for_later(db: Database, client: Client, sender: Sender) -> None:
    effect = sending.port_intent(db)
    with db.transaction() as tx:
        tx.run("update planning.effect set state = 'withdrawn' where id = %s", (effect,))
        sender.round()  # neither waits for the other
    sender.run_until_idle()
    assert sending.states(db, [effect]) == ["withdrawn"]
    assert client.records() == []


def test_a_lost_reply_is_asked_for_and_adopted(db: Database, client: Client, sender: Sender) -> None:
    client.fault("olt", drop=1.0)
    effect = sending.port_intent(db)
    sender.run_until_idle()
    sending.land(db)
    assert sending.states(db, [effect]) == ["unknown"]
    client.fault("olt")
    sending.make_due(db)
    sender.run_until_idle()
    assert report(db, effect)["state"] == "confirmed"
    assert report(db, effect)["result"] == {"subject": "1/1/1:7", "version": 1, "replaced": None}
    assert sending.times(client, effect) == 1


def test_a_lost_command_is_sent_again_under_its_key(db: Database, client: Client, sender: Sender) -> None:
    client.fault("olt", lost=0.5, seed=4)
    effects = [sending.port_intent(db, f"p{n}") for n in range(12)]
    for _ in range(3):
        sender.run_until_idle()
        sending.land(db)
        sending.make_due(db)
    client.fault("olt")
    while set(sending.states(db, effects)) != {"confirmed"}:
        sender.run_until_idle()
        sending.land(db)
        sending.make_due(db)
    assert [sending.times(client, e) for e in effects] == [1] * 12
    with db.transaction() as tx:
        assert tx.rows("select max(attempts) > 1 from planning.effect") == [(True,)]


def test_doubled_and_reordered_replies_change_nothing(db: Database, client: Client, sender: Sender) -> None:
    client.fault(double=0.5, reorder=0.5, seed=2)
    with db.transaction() as tx:
        made = [e for n in range(6) for e in sending.broadband(tx, n)]
    sender.run_until_idle()
    told = sending.outcomes(db)
    assert {i: [o["state"] for o in of] for i, of in told.items()} == {e.id: ["confirmed"] for e in made}


def test_a_slow_system_does_not_hold_up_the_others(db: Database, client: Client) -> None:
    sender = Sender(db, "sender", SYSTEMS, answer_s=5)
    client.fault("aaa", delay_ms=600)
    with db.transaction() as tx:
        made = sending.broadband(tx, 1)
    for _ in range(3):
        sender.round()
    assert set(sending.outcomes(db)) == {e.id for e in made if e.kind != "aaa.account"}
    sender.run_until_idle()
    assert set(sending.outcomes(db)) == {e.id for e in made}
    sender.close()


def test_a_refusal_is_a_failure_with_its_cause(db: Database, client: Client, sender: Sender) -> None:
    client.fault("olt", refuse={"subject": "bad"})
    bad, good = sending.port_intent(db, "bad"), sending.port_intent(db, "good")
    sender.run_until_idle()
    sending.land(db)
    assert sending.states(db, [bad, good]) == ["failed", "confirmed"]
    assert report(db, bad)["cause"] == {
        "code": "equipment-failure",
        "zh": "设备故障，拒绝执行",
        "en": "equipment failure, command refused",
    }


def test_an_effect_that_cannot_be_told_fails_alone(db: Database, client: Client, sender: Sender) -> None:
    good = sending.port_intent(db)
    with db.transaction() as tx:
        undo = sending.effect(tx, sending.order(tx), "olt.port.remove", OLT, op=Op.UNDO, params={"of": "1"})
        ledger.add(tx, [undo])
    sender.run_until_idle()
    assert report(db, undo.id)["cause"]["code"] == "provisioning.not-sendable"
    assert report(db, good)["state"] == "confirmed"


def test_a_system_that_is_down_gets_its_work_when_it_is_back(db: Database, tmp_path: Path) -> None:
    with Simulator(tmp_path / "state") as simulator:
        port = simulator.ready["port"]
        sending.wire_up(db, port)
    sender = Sender(db, "sender", SYSTEMS, answer_s=0.3)
    effect = sending.port_intent(db)
    sender.run_until_idle()
    sending.land(db)
    assert sending.states(db, [effect]) == ["intent"]
    assert report(db, effect)["due"] > report(db, effect)["at"]
    with Simulator(tmp_path / "state", "--port", str(port)) as simulator:
        sending.make_due(db)
        while sending.states(db, [effect]) != ["confirmed"]:
            sender.run_until_idle()
            sending.land(db)
        assert sending.times(simulator.connect(), effect) == 1
    sender.close()


def test_a_connection_that_breaks_after_the_sending_makes_it_unknown(
    db: Database, client: Client, sender: Sender
) -> None:
    client.fault("olt", down=True)
    effect = sending.port_intent(db)
    sender.run_until_idle()
    assert report(db, effect)["state"] == "unknown"


@pytest.mark.parametrize("fault", ["down", "drop"])
def test_after_twelve_attempts_a_person_must_look(db: Database, client: Client, fault: str) -> None:
    sender = Sender(db, "sender", SYSTEMS, answer_s=0.05)
    client.fault("olt", **{fault: True if fault == "down" else 1.0})
    effect = sending.port_intent(db)
    with db.transaction() as tx:
        tx.run("update planning.effect set attempts = 9")
    while sending.states(db, [effect]) != ["failed"]:
        sender.run_until_idle()
        sending.land(db)
        sending.make_due(db)
    assert report(db, effect)["attempts"] == 12
    assert report(db, effect)["cause"] == {
        "code": "provisioning.unreachable",
        "zh": "olt:ZJHZ-01 连续 12 次无法连通。",
        "en": "olt:ZJHZ-01 could not be reached in 12 attempts.",
    }
    sender.close()


@pytest.mark.parametrize("arrived", [True, False])
def test_a_new_sender_asks_about_what_was_left_sent(db: Database, client: Client, *, arrived: bool) -> None:
    effect = sending.port_intent(db)
    with db.transaction() as tx:
        tx.run("update planning.effect set state = 'sent', attempts = 1, sent_at = now(), due_at = now() + '1 hour'")
    if arrived:
        told = command("do", str(effect), OLT, "olt.port", "1/1/1:7", loid="L1/1/1:7", speed=200)
        assert client.ask(told)["status"] == "ok"
    sender = Sender(db, "sender", SYSTEMS)
    sender.run_until_idle()
    assert [o["state"] for o in sending.outcomes(db)[effect]] == ["confirmed" if arrived else "intent"]
    assert sending.times(client, effect) == int(arrived)
    sending.land(db)
    sending.make_due(db)
    sender.run_until_idle()
    assert report(db, effect)["state"] == "confirmed"
    assert sending.times(client, effect) == 1
    sender.close()


def test_a_report_that_has_not_landed_is_not_asked_for_again(db: Database, client: Client, sender: Sender) -> None:
    client.fault("olt", drop=1.0)
    effect = sending.port_intent(db)
    sender.run_until_idle()
    sending.land(db)
    sending.make_due(db)
    sender.run_until_idle()
    sender.run_until_idle()
    assert [o["state"] for o in sending.outcomes(db)[effect]] == ["unknown", "unknown"]


def test_a_system_has_one_sender(db: Database, client: Client, sender: Sender) -> None:
    sender.round()
    effect = sending.port_intent(db)
    other = Sender(db, "other", SYSTEMS)
    other.run_until_idle()
    assert sending.states(db, [effect]) == ["intent"]
    sender.close()
    other = Sender(db, "other", SYSTEMS)
    other.run_until_idle()
    assert report(db, effect)["state"] == "confirmed"
    other.close()
    assert {t.was_clean for t in leases.take(db, "third", ["element:olt"], 1)} == {True}


def undo_of(db: Database, effect_id: int, subject: str) -> int:
    """A ready undo of a fact of the same order, as the plan makes it."""
    with db.transaction() as tx:
        order_id = tx.rows("select order_id from planning.effect where id = %s", (effect_id,))[0][0]
        params = {"subject": subject, "of": str(effect_id), "of_kind": "olt.port"}
        undo = sending.effect(tx, order_id, "olt.port.remove", OLT, op=Op.UNDO, of_id=effect_id, params=params)
        journal.lock(tx, [order_id])
        ledger.add(tx, [undo])
    return undo.id


def test_the_undo_of_a_do_removes_its_record(db: Database, client: Client, sender: Sender) -> None:
    effect = sending.port_intent(db, "p")
    sender.run_until_idle()
    sending.land(db)
    undo = undo_of(db, effect, "p")
    sender.run_until_idle()
    sending.land(db)
    assert sending.states(db, [effect, undo]) == ["undone", "confirmed"]
    assert client.records() == []
    assert report(db, undo)["result"] == {"removed": str(effect)}


def test_the_undo_of_a_modification_removes_the_thing_and_does_not_restore_it(
    db: Database, client: Client, sender: Sender
) -> None:
    first = sending.port_intent(db, "p")
    sender.run_until_idle()
    sending.land(db)
    with db.transaction() as tx:
        order_id = tx.rows("select order_id from planning.effect where id = %s", (first,))[0][0]
        params = {"subject": "p", "loid": "Lp", "speed": 500}
        redo = sending.effect(tx, order_id, "olt.port", OLT, op=Op.REDO, of_id=first, params=params)
        journal.lock(tx, [order_id])
        ledger.add(tx, [redo])
    sender.run_until_idle()
    sending.land(db)
    assert [(r["key"], r["version"], r["params"]["speed"]) for r in client.records()] == [(str(redo.id), 2, 500)]
    undo = undo_of(db, redo.id, "p")
    sender.run_until_idle()
    sending.land(db)
    assert sending.states(db, [redo.id, undo]) == ["undone", "confirmed"]
    assert client.records() == []
