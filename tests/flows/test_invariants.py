"""The invariants are whole after real work, and each of them finds what it is there for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.flows.operator import SYSTEMS, House, add, change
from tests.simulators.wire import Simulator, command

from diaodu.app.invariants import check_all
from diaodu.fulfilment import fallout_commands as fallout
from diaodu.fulfilment.fallout_model import Evidence
from diaodu.provisioning import commands as provisioning
from diaodu.provisioning.model import Address

TWO_INTAKES = """
update ordering.revision set state = 'intake';
insert into ordering.revision (part, order_id, n, state, release_id, document, created_at)
select part, order_id, 2, 'intake', release_id, document, created_at from ordering.revision
"""
MOVED_AFTER_ITS_END = """
update kernel.history set entries = entries || '[
 {"t": "item.state", "id": 0, "key": "x", "from": "inProgress", "to": "completed"},
 {"t": "item.state", "id": 0, "key": "x", "from": "completed", "to": "held"}]' where seq = 1
"""
WHOLE: dict[str, list[str]] = {}


def found(house: House) -> dict[str, list[str]]:
    return {c.name: c.violations for c in check_all(house.db) if c.violations}


@pytest.fixture
def own(house: House, tmp_path: Path) -> Iterator[House]:
    """The small operator with systems that nobody else uses."""
    with Simulator(tmp_path) as simulator:
        address = Address("127.0.0.1", simulator.ready["port"])
        with house.db.transaction() as tx:
            provisioning.set_addresses(tx, dict.fromkeys(SYSTEMS, address))
        shared, house.client = house.client, simulator.connect()
        yield house
        house.client = shared


def test_all_is_whole_from_capture_to_removal_at_every_step(own: House) -> None:
    own.order("C601", add("P1", 601))
    assert found(own) == WHOLE
    own.run(technicians=False)
    assert found(own) == WHOLE
    own.run()
    assert found(own) == WHOLE
    own.order("C601", change("delete", own.products(601)["P1"]))
    own.run()
    assert own.products(601) == {}
    assert found(own) == WHOLE


@pytest.mark.parametrize(
    ("invariant", "damage"),
    [
        ("I1", "update planning.effect set state = 'lost' where kind = 'olt.port'"),
        ("I2", "update ordering.order_item set state = 'inProgress'"),
        ("I3", "update inventory.resource set state = 0 where spec = 'box_port' and state = 2"),
        ("I3", "update inventory.resource set state = 1 where spec = 'number' and state = 2"),
        ("I3", "update inventory.resource set holder = 77 where spec = 'stb' and state = 2"),
        ("I4", TWO_INTAKES),
        ("I5", "update planning.effect set state = 'intent' where kind = 'olt.port'"),
        ("I5", "update planning.effect set sent_at = created_at - interval '1 hour' where kind = 'itms.config'"),
        ("I6", "update planning.effect set params = params || '{\"subject\": \"other\"}' where kind = 'olt.port'"),
        ("I6", "delete from planning.effect where kind = 'olt.port'"),
        ("I7", MOVED_AFTER_ITS_END),
        ("I9", "update ordering.order_item set state = 'held' where item_key = '1.1'"),
        ("I10", "update planning.effect set state = 'undone' where kind = 'notice.completed'"),
        ("I10", "update kernel.history set actor = 'somebody else' where seq = 2"),
    ],
)
def test_damage_is_found(own: House, invariant: str, damage: str) -> None:
    own.install(601, "P1")
    assert found(own) == WHOLE
    with own.db.transaction() as tx:
        for statement in damage.split(";"):
            tx.run(statement)
    assert invariant in found(own)


def test_a_failure_that_nobody_has_is_found(own: House) -> None:
    own.client.fault(refuse={"kind": "aaa.account"})
    order_id = own.order("C601", add("P2", 601))
    own.run()
    assert found(own) == WHOLE
    with own.db.transaction() as tx:
        tx.run("delete from fulfilment.fallout")
    effect = own.effect(order_id, "aaa.account").id
    assert found(own)["I2"] == [f"order {order_id}: effect {effect} (aaa.account) failed, and nobody has it"]


def test_what_was_done_by_hand_is_there_under_whatever_key(own: House) -> None:
    own.client.fault(refuse={"kind": "aaa.account"})
    order_id = own.order("C601", add("P2", 601))
    own.run()
    own.client.fault()
    effect = own.effect(order_id, "aaa.account")
    with own.db.transaction() as tx:
        fallout.done_by_hand(tx, effect.id, "noc", Evidence("手工开户"), {})
    own.run()
    subject = effect.params["subject"]
    assert found(own)["I6"] == [
        f"aaa:zj aaa.account {subject}: effect {effect.id} of {order_id} is confirmed, but it is not there"
    ]

    own.client.ask(command("do", "by-hand-1", "aaa:zj", "aaa.account", subject, loid=effect.params["loid"], speed=300))
    assert found(own) == WHOLE


def test_a_record_at_a_system_that_nobody_intended_is_found(own: House) -> None:
    own.install(602, "P2")
    made = own.client.ask(command("do", "777", "iptv:zj", "iptv.account", "tvX", stb="S", package_4k=False))
    assert made["status"] == "ok", made
    assert found(own) == {"I6": ["iptv:zj iptv.account tvX: written by 777, of which there is no intent"]}
