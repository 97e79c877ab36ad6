"""Systems that cannot be asked, systems that do things twice, and answers that come after their time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fulfilment import sending
from tests.fulfilment.sending import SYSTEMS
from tests.simulators.silent import Silent
from tests.simulators.wire import Client, Simulator

from diaodu.fulfilment.send import Sender
from diaodu.kernel.db import Database
from diaodu.kernel.errors import NotFound
from diaodu.provisioning import commands as provisioning

QUICK_S = 0.1


@pytest.fixture
def client(db: Database, tmp_path: Path) -> Iterator[Client]:
    with Simulator(tmp_path / "state") as simulator:
        sending.wire_up(db, simulator.ready["port"])
        yield simulator.connect()


@pytest.fixture
def sender(db: Database, client: Client) -> Iterator[Sender]:
    sender = Sender(db, "sender", SYSTEMS, answer_s=QUICK_S)
    yield sender
    sender.close()


def manner(db: Database, *, queryable: bool, idempotent: bool) -> None:
    with db.transaction() as tx:
        provisioning.set_manner(tx, "olt", queryable=queryable, idempotent=idempotent)


def told(db: Database, effect_id: int) -> list[tuple[str, str | None]]:
    """State and cause of each report on an effect."""
    return [(o["state"], (o.get("cause") or {}).get("code")) for o in sending.outcomes(db)[effect_id]]


UNKNOWN = ("failed", "provisioning.outcome-unknown")


def test_who_cannot_be_asked_and_does_things_twice_is_told_once(db: Database, client: Client, sender: Sender) -> None:
    manner(db, queryable=False, idempotent=False)
    client.fault("olt", drop=1.0)
    effect = sending.port_intent(db)

    for _ in range(3):
        sender.run_until_idle()
        sending.land(db)
        sending.make_due(db)

    assert told(db, effect) == [UNKNOWN]
    assert sending.states(db, [effect]) == ["failed"]
    client.fault("olt")
    assert sending.times(client, effect) == 1


def test_after_a_crash_nothing_is_sent_blind(db: Database, client: Client, sender: Sender) -> None:
    manner(db, queryable=False, idempotent=False)
    effect = sending.port_intent(db)
    with db.transaction() as tx:
        tx.run("update planning.effect set state = 'sent', attempts = 1, sent_at = now(), due_at = now() + '1 hour'")

    sender.run_until_idle()

    assert told(db, effect) == [UNKNOWN]
    assert sending.times(client, effect) == 0


def test_who_does_nothing_twice_is_told_again_under_the_same_key(db: Database, client: Client, sender: Sender) -> None:
    manner(db, queryable=False, idempotent=True)
    client.fault("olt", drop=1.0)
    effect = sending.port_intent(db)
    sender.run_until_idle()
    sending.land(db)
    assert told(db, effect) == [("unknown", None)]

    client.fault("olt")
    sending.make_due(db)
    sender.run_until_idle()

    assert told(db, effect)[-1] == ("confirmed", None)
    assert sending.times(client, effect) == 1


def test_who_does_things_twice_is_not_sent_to_again_when_it_stays_silent(
    db: Database, client: Client, sender: Sender
) -> None:
    manner(db, queryable=True, idempotent=False)
    client.fault("olt", drop=1.0)
    effect = sending.port_intent(db)
    with db.transaction() as tx:
        tx.run("update planning.effect set attempts = 10")
    while sending.states(db, [effect]) != ["failed"]:
        sender.run_until_idle()
        sending.land(db)
        sending.make_due(db)
    assert told(db, effect)[-1] == UNKNOWN


@pytest.mark.parametrize("queryable", [True, False])
def test_an_answer_after_its_time_is_adopted(db: Database, *, queryable: bool) -> None:
    silent = Silent()
    sending.wire_up(db, silent.port)
    manner(db, queryable=queryable, idempotent=False)
    sender = Sender(db, "sender", ("olt",), answer_s=QUICK_S)
    effect = sending.port_intent(db)
    while not sending.outcomes(db).get(effect):
        sender.round()
    assert told(db, effect) == [("unknown", None) if queryable else UNKNOWN]

    silent.answer()
    while len(told(db, effect)) == 1:
        sender.round()
    sending.land(db)

    assert told(db, effect) == [("unknown", None) if queryable else UNKNOWN, ("confirmed", None)]
    assert sending.states(db, [effect]) == ["confirmed"]
    sender.close()
    silent.close()


def test_the_manner_of_a_system_is_told_of_one_that_there_is(db: Database, client: Client) -> None:
    with pytest.raises(NotFound), db.transaction() as tx:
        provisioning.set_manner(tx, "nobody", queryable=False, idempotent=False)
    with db.transaction() as tx:
        assert tx.rows("select count(*) from provisioning.element where not queryable") == [(0,)]
