"""A clerk corrects what was ordered and sends it again: what does not read it stays."""

from tests.flows.operator import House, add

from diaodu.fulfilment import fallout_store as store
from diaodu.fulfilment.fallout_model import Standing
from diaodu.kernel import journal
from diaodu.ordering.revise import revise
from diaodu.planning.model import State

CLOSING = {"archive.billing", "archive.resource", "archive.sla", "notice.completed"}


def test_24_corrected_data_rerun_only_what_reads_them(house: House) -> None:
    house.client.fault(refuse={"kind": "olt.port"})
    order_id = house.order("C601", add("P2", 601, 速率=500))
    house.run(technicians=False)
    failed = house.effect(order_id, "olt.port")
    before = {e.kind: e.id for e in house.effects(order_id)}
    house.client.fault()

    with house.db.transaction(actor="clerk") as tx:
        journal.lock(tx, [order_id])
        revise(tx, order_id, (add("P2", 601, 速率=200),), made_by="clerk")
    house.run()

    assert house.order_state(order_id) == "completed"
    rerun = {e.kind for e in house.effects(order_id) if e.id not in before.values() and e.kind not in CLOSING}
    assert rerun == {"olt.port", "aaa.account", "test.broadband"}
    states = {e.id: e.state for e in house.effects(order_id)}
    assert states[failed.id] is State.WITHDRAWN
    assert [states[before[k]] for k in ("line.splice", "install.onu", "reserve.access")] == [State.CONFIRMED] * 3
    with house.db.transaction() as tx:
        [closed] = store.of_order(tx, order_id)
    assert (closed.state, closed.resolution) == (Standing.CLOSED, "withdrawn")
