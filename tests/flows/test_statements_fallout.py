"""What fails, who has it, how it goes on: each test is a statement about 异常, with workers and systems at work."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.flows.operator import SYSTEMS, House, add, change
from tests.simulators.wire import command

from diaodu.catalog import commands as catalog
from diaodu.catalog.model import Handling
from diaodu.engine import commands as engine
from diaodu.fulfilment import fallout_bulk as bulk
from diaodu.fulfilment import fallout_commands as commands
from diaodu.fulfilment import fallout_store as store
from diaodu.fulfilment import flight, send
from diaodu.fulfilment.errors import BulkEmpty, BulkUnknown, EvidenceMissing, FalloutTaken, NotByHand
from diaodu.fulfilment.fallout_model import Evidence, Record, Standing
from diaodu.kernel.db import Tx
from diaodu.kernel.states import NotPossible
from diaodu.planning.model import State
from diaodu.provisioning import commands as provisioning
from diaodu.provisioning.model import Address
from diaodu.workforce.errors import FormInvalid
from diaodu.workforce.model import EffectOutcome

REFUSED = "equipment-failure"
BROKEN = {"kind": "aaa.account"}
NOBODY = 1  # a port on which nobody listens


def failures(house: House, order_id: int | None = None) -> list[Record]:
    """What needs somebody, of one order or of all."""
    with house.db.transaction() as tx:
        return store.search(tx, store.Search(order_id=order_id), 1_000)


def does(house: House, what: Callable[[Tx], Any], by: str = "dispatcher") -> Any:
    with house.db.transaction(actor=by) as tx:
        return what(tx)


def worklist(house: House, role: str) -> int:
    """The worklist of a role of the whole city."""
    pool: int = house.q("insert into organization.pool (unit_id, role) values (1, %s) returning id", role)[0][0]
    return pool


def move(house: House, system: str, port: int) -> None:
    """A system listens elsewhere; the sender is begun anew, which knows it at once."""
    with house.db.transaction() as tx:
        provisioning.set_addresses(tx, {system: Address("127.0.0.1", port)})
    house.sender.close()
    house.sender = send.Sender(house.db, "sender", SYSTEMS)


class Later:
    """The operator's clock, moved by hand."""

    def __init__(self, house: House) -> None:
        self._house, self._at = house, datetime.now(UTC)
        house.db.clock = lambda: self._at

    def by(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)


def test_21_a_business_error_stops_only_what_depends_on_it(house: House) -> None:
    pool = worklist(house, "noc")
    house.client.fault(refuse=BROKEN)
    order_id = house.order("C601", add("P1", 601))

    house.run()

    states = {e.kind: e.state for e in house.effects(order_id)}
    assert states["aaa.account"] is State.FAILED
    assert [states[k] for k in ("olt.port", "iptv.account", "ims.user", "install.onu")] == [State.CONFIRMED] * 4
    assert (states["itms.config"], states["test.voice"]) == (State.INTENT, State.INTENT)
    assert house.items(order_id) == {
        "1": ("inProgress", None), "1.1": ("held", "fallout:aaa.account"),
        "1.2": ("inProgress", None), "1.3": ("inProgress", None),
    }  # fmt: skip
    [record] = failures(house, order_id)
    assert (record.kind, record.item_key, record.cause, record.cause_class) == (
        "aaa.account", "1.1", REFUSED, "technical",
    )  # fmt: skip
    assert (record.state, record.pool, record.element, record.attempts) == (Standing.OPEN, pool, "aaa:zj", 1)
    assert record.due_at == record.failed_at + timedelta(minutes=120)
    assert record.told == {"zh": "设备故障", "en": "equipment failure"} or record.told["zh"]


def test_22_a_technical_error_is_tried_again_then_somebody_has_it_with_a_deadline(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight, "ATTEMPTS", 1)
    pool, later = worklist(house, "noc"), Later(house)
    monkeypatch.setattr(send, "REST_MAX_S", 0.0)
    [(aaa,)] = house.q("select port from provisioning.element where name = 'aaa'")
    move(house, "aaa", NOBODY)
    order_id = house.order("C601", add("P2", 601))
    pauses: list[float] = []
    while not failures(house, order_id):
        house.run()
        [record] = does(house, lambda tx: store.of_order(tx, order_id))
        if record.state is Standing.WAITING:
            assert record.due_at is not None
            assert house.items(order_id) == {"1": ("inProgress", None)}
            if len(pauses) < record.attempts:
                pauses.append((record.due_at - record.failed_at).total_seconds())
        later.by(30)

    # Three retries, each after 60 s doubled, spread over the upper half.
    assert len(pauses) == 3
    assert all(60 * 2**n / 2 <= pause <= 60 * 2**n for n, pause in enumerate(pauses))
    [record] = failures(house, order_id)
    assert (record.cause, record.attempts, record.pool) == ("provisioning.unreachable", 4, pool)
    assert record.due_at == record.failed_at + timedelta(minutes=120)
    assert house.items(order_id) == {"1": ("held", "fallout:aaa.account")}
    assert house.q("select cause from ordering.hold where order_id = %s and ended_at is null", order_id) == [
        ("fallout",)
    ]

    move(house, "aaa", aaa)
    does(house, lambda tx: commands.retry(tx, record.id, "dispatcher"))
    house.run()

    assert house.order_state(order_id) == "completed"
    [closed] = does(house, lambda tx: store.of_order(tx, order_id))
    assert (closed.state, closed.resolution) == (Standing.CLOSED, "confirmed")
    moves = [(e["from"], e["to"]) for e in house.told(order_id, "fallout.state")]
    assert moves[-2:] == [("open", "waiting"), ("waiting", "closed")]


def broken_orders(house: House, rooms: tuple[int, ...]) -> list[int]:
    house.client.fault(refuse=BROKEN)
    orders = [house.order(f"C{room}", add("P2", room)) for room in rooms]
    house.run()
    assert [r.cause for r in failures(house)] == [REFUSED] * len(rooms)
    return orders


TERMS = bulk.Terms(REFUSED, "aaa:zj", "AAA is back", per_second=100, stop_share=0.5, stop_least=1)


def test_23_what_failed_for_one_cause_goes_on_by_one_action(house: House) -> None:
    orders = broken_orders(house, (601, 602, 603))
    with house.db.transaction() as tx:
        [same] = store.same_causes(tx, None)
    assert (same.cause, same.element, same.count) == (REFUSED, "aaa:zj", 3)
    mine = failures(house, orders[0])[0]
    does(house, lambda tx: commands.claim(tx, mine.id, "clerk"))
    house.client.fault()

    seen = does(house, lambda tx: bulk.preview(tx, TERMS, "dispatcher"))
    house.run()
    assert (seen.count, sorted(int(f["order"]) for f in seen.first)) == (2, sorted(orders[1:]))
    assert [house.order_state(o) for o in orders] == ["held"] * 3
    with pytest.raises(BulkUnknown):
        does(house, lambda tx: bulk.confirm(tx, seen.id, "0" * 64, "dispatcher"))
    with pytest.raises(BulkUnknown):
        does(house, lambda tx: bulk.confirm(tx, seen.id, seen.digest, "somebody"))

    does(house, lambda tx: bulk.confirm(tx, seen.id, seen.digest, "dispatcher"))
    does(house, lambda tx: bulk.confirm(tx, seen.id, seen.digest, "dispatcher"))
    while does(house, lambda tx: bulk.progress(tx, seen.id)).state == "running":
        house.run()
    house.run()

    done = does(house, lambda tx: bulk.progress(tx, seen.id))
    assert (done.state, done.found, done.resumed, done.mended, done.failed) == ("ended", 2, 2, 2, 0)
    assert [house.order_state(o) for o in orders] == ["held", "completed", "completed"]
    assert [e["by"] for e in house.told(orders[1], "fallout.state") if e.get("bulk")] == ["dispatcher"]
    with pytest.raises(BulkEmpty):
        does(house, lambda tx: bulk.preview(tx, TERMS, "dispatcher"))


def test_23_it_goes_at_its_pace_and_stops_when_too_many_fail_again(house: House) -> None:
    later = Later(house)
    orders = broken_orders(house, (601, 602, 603))
    slowly = bulk.Terms(REFUSED, None, "try", per_second=1, stop_share=0.5, stop_least=2)
    seen = does(house, lambda tx: bulk.preview(tx, slowly, "dispatcher"))
    does(house, lambda tx: bulk.confirm(tx, seen.id, seen.digest, "dispatcher"))

    house.run()
    first = does(house, lambda tx: bulk.progress(tx, seen.id))
    later.by(1)
    house.run()
    second = does(house, lambda tx: bulk.progress(tx, seen.id))

    assert (first.state, first.resumed, first.failed) == ("running", 1, 1)
    assert (second.state, second.resumed, second.stopped_by) == ("stopped", 2, bulk.TOO_MANY)
    later.by(60)
    house.run()
    assert sorted(r.attempts for r in failures(house)) == [1, 2, 2]
    assert {house.order_state(o) for o in orders} == {"held"}


def test_23_a_worker_that_dies_in_it_loses_and_doubles_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = broken_orders(house, (601, 602, 603))
    house.client.fault()
    seen = does(house, lambda tx: bulk.preview(tx, TERMS, "dispatcher"))
    does(house, lambda tx: bulk.confirm(tx, seen.id, seen.digest, "dispatcher"))

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(store, "move", die)
        with pytest.raises(SystemExit):
            house.run()
    assert does(house, lambda tx: bulk.progress(tx, seen.id)).resumed == 0
    while does(house, lambda tx: bulk.progress(tx, seen.id)).state == "running":
        house.run()
    house.run()

    assert does(house, lambda tx: bulk.progress(tx, seen.id)).mended == 3
    assert [house.order_state(o) for o in orders] == ["completed"] * 3
    resumed = [[e for e in house.told(o, "fallout.state") if e.get("bulk") == seen.id] for o in orders]
    assert [len(entries) for entries in resumed] == [1, 1, 1]


def test_25_done_by_hand_needs_evidence_and_an_undo_knows_of_it(house: House) -> None:
    house.client.fault(refuse=BROKEN)
    order_id = house.order("C601", add("P2", 601))
    house.run()
    [record] = failures(house, order_id)
    with pytest.raises(EvidenceMissing):
        does(house, lambda tx: commands.done_by_hand(tx, record.id, "noc", Evidence("  "), {}))
    assert house.effect(order_id, "aaa.account").state is State.FAILED

    house.client.fault()
    params = {k: v for k, v in house.effect(order_id, "aaa.account").params.items() if v is not None}
    subject = params.pop("subject")
    by_hand = command("do", "by-hand-1", "aaa:zj", "aaa.account", subject, **params)
    assert house.client.ask(by_hand)["status"] == "ok"
    evidence = Evidence("AAA 控制台手工开户", ("photo-17",))
    does(house, lambda tx: commands.done_by_hand(tx, record.id, "noc", evidence, {}))
    house.run()

    effect = house.effect(order_id, "aaa.account")
    assert effect.state is State.CONFIRMED
    assert effect.result is not None
    shown = effect.result["by_hand"]
    assert (shown["by"], shown["text"], shown["attachments"]) == ("noc", "AAA 控制台手工开户", ["photo-17"])
    assert house.order_state(order_id) == "completed"
    [closed] = does(house, lambda tx: store.of_order(tx, order_id))
    assert (closed.state, closed.resolution, closed.assignee) == (Standing.CLOSED, "by-hand", "noc")

    removal = house.order("C601", change("delete", house.products(601)["P2"]))
    house.run()
    assert house.order_state(removal) == "completed"
    assert house.holds("aaa:zj", "aaa.account", subject) is None


def test_25_what_is_done_by_hand_fits_its_form(house: House) -> None:
    house.client.fault(refuse={"kind": "olt.port"})
    order_id = house.order("C601", add("P2", 601))
    house.run(technicians=False)
    splice = house.claim("W3", order_id)
    house.report(splice, "r1", EffectOutcome(splice.lines[0].effect, ok=False, reason="光缆中断"))
    house.run(technicians=False)
    [record] = [r for r in failures(house, order_id) if r.kind == "line.splice"]
    assert (record.cause, record.told["zh"]) == ("work.failed", "光缆中断")

    with pytest.raises(FormInvalid):
        does(house, lambda tx: commands.done_by_hand(tx, record.id, "line", Evidence("代维已接"), {"损耗": 99}))
    assert failures(house, order_id)[-1].state is Standing.OPEN

    does(house, lambda tx: commands.done_by_hand(tx, record.id, "line", Evidence("代维已接"), {"损耗": 3}))
    house.run(technicians=False)
    result = house.effect(order_id, "line.splice").result
    assert result is not None
    assert (result["损耗"], result["by_hand"]["text"]) == (3, "代维已接")


def test_what_somebody_has_taken_is_theirs(house: House) -> None:
    house.client.fault(refuse=BROKEN)
    order_id = house.order("C601", add("P2", 601))
    house.run()
    [record] = failures(house, order_id)

    does(house, lambda tx: commands.claim(tx, record.id, "zhang"))
    with pytest.raises(FalloutTaken):
        does(house, lambda tx: commands.retry(tx, record.id, "li"))
    assert failures(house, order_id)[0].assignee == "zhang"
    does(house, lambda tx: commands.give_back(tx, record.id, "zhang"))
    with pytest.raises(NotPossible):
        does(house, lambda tx: commands.give_back(tx, record.id, "zhang"))

    house.client.fault()
    does(house, lambda tx: commands.retry(tx, record.id, "li", "AAA 已恢复"))
    house.run()
    assert house.order_state(order_id) == "completed"
    with pytest.raises(NotPossible):
        does(house, lambda tx: commands.retry(tx, record.id, "li"))


def test_what_the_policy_advises_stands_with_the_failure(house: House) -> None:
    with house.db.transaction() as tx:
        text = '{动作: "undo", 延迟: 0, 角色: "line", 时限: 30}'
        catalog.put_entry(tx, "policies", "fallout", text)
    house.client.fault(refuse=BROKEN)
    order_id = house.order("C601", add("P2", 601))
    house.run()
    [record] = failures(house, order_id)
    assert (record.advice, record.state) == (Handling.UNDO, Standing.OPEN)
    assert record.due_at == record.failed_at + timedelta(minutes=30)


def test_what_waits_goes_on_by_itself(house: House) -> None:
    later = Later(house)
    house.client.fault(refuse=BROKEN)
    order_id = house.order("C601", add("P2", 601))
    house.run()
    [record] = failures(house, order_id)
    house.client.fault()

    with house.db.transaction() as tx:
        until = tx.now + timedelta(hours=2)
        commands.wait(tx, record.id, "noc", until, "割接窗口")
    house.run()
    assert house.effect(order_id, "aaa.account").state is State.INTENT
    assert house.order_state(order_id) == "inProgress"

    later.by(7_201)
    house.run()
    assert house.order_state(order_id) == "completed"


def test_an_incident_of_the_engine_has_an_owner_too(house: House) -> None:
    pool = worklist(house, "noc")
    order_id = house.order("C601", add("P2", 601))
    house.run()
    with house.db.transaction() as tx:
        engine.enqueue(tx, [engine.Enqueue(order_id, "no.such.report")])
    later = Later(house)
    while not failures(house, order_id):
        house.run()
        later.by(60)

    [record] = failures(house, order_id)
    assert (record.subject, record.pool, record.state, record.kind) == (
        "incident", pool, Standing.OPEN, "no.such.report",
    )  # fmt: skip
    with pytest.raises(NotByHand):
        does(house, lambda tx: commands.done_by_hand(tx, record.id, "noc", Evidence("x"), {}))
    does(house, lambda tx: engine.operate.resolve_incident(tx, record.id, "noc", "错发"))
    house.run()

    assert failures(house, order_id) == []
    [closed] = does(house, lambda tx: store.of_order(tx, order_id))
    assert (closed.state, closed.resolution) == (Standing.CLOSED, "resolved")
