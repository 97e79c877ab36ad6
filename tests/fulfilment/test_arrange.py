"""Which work orders people get, keep and lose, from the ledger and from who is at what."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.catalog.example import release

from diaodu.fulfilment.arrange import Arrangement, Standing, arrange, lines_of
from diaodu.planning.model import Effect, Op, State
from diaodu.workforce.model import Recall, RecallState, WorkOrder
from diaodu.workforce.queries import Desk

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ORDER, ONU, STB, PHONE, TEST = 100, 1, 2, 3, 4
GROUPS = {"1.1": "1", "1.2": "1", "2": "2"}


def effect(i: int, kind: str, work: str = "W4", **changed: Any) -> Effect:
    base: dict[str, Any] = {
        "order_id": ORDER, "revision": 1, "thing_id": i, "item_key": "1.1", "op": Op.DO, "of_id": None,
        "state": State.INTENT, "ready": True, "needs": (), "element": None, "priority": 5, "reads_hash": None,
        "params": {}, "undo": None,
    }  # fmt: skip
    return Effect(id=i, kind=kind, work=work, **(base | changed))


def desk(*effects: Effect, state: str | None = "offered", person: int | None = None, key: int = 9) -> Desk:
    return Desk(WorkOrder(key, ORDER, effects[0].work, lines_of(effects), 1, {}), state, person)


def found(*effects: Effect, desks: tuple[Desk, ...] = (), **more: Any) -> Arrangement:
    return arrange(Standing(release(), {e.id: e for e in effects}, GROUPS, **more), desks)


def offered(a: Arrangement) -> list[list[int]]:
    return [[e.id for e in es] for es in a.offered]


def dropped(a: Arrangement) -> dict[int, list[int]]:
    return {i: [line.effect for line in w.lines if line.dropped] for i, w in a.rewritten.items()}


ONU_E, STB_E = effect(ONU, "install.onu"), effect(STB, "install.stb", item_key="1.2")


def test_work_of_one_kind_and_item_is_one_work_order() -> None:
    other = effect(PHONE, "install.phone", item_key="2")
    assert offered(found(ONU_E, STB_E, other)) == [[ONU, STB], [PHONE]]


def test_work_waits_for_more_of_it_that_comes_by_itself_but_not_for_what_failed_or_is_to_be_begun_now() -> None:
    splice = effect(7, "line.splice", "W3", state=State.SENT)
    late = effect(STB, "install.stb", item_key="1.2", needs=(7,))
    assert offered(found(splice, ONU_E, late)) == []
    failed = effect(7, "line.splice", "W3", state=State.FAILED)
    assert offered(found(failed, ONU_E, late)) == [[ONU]]
    held = effect(7, "line.splice", "W3", held=True)
    assert offered(found(held, ONU_E, late)) == [[ONU]]
    # the old box is collected when the new one stands: both are W4, and the one must not wait for the other
    collect = effect(STB, "collect.router", op=Op.UNDO, needs=(ONU,))
    assert offered(found(ONU_E, collect)) == [[ONU]]


def test_what_is_taken_back_at_another_place_is_a_work_order_of_its_own() -> None:
    collect = effect(STB, "collect.onu", op=Op.UNDO)
    assert offered(found(ONU_E, collect, places={ONU: {"id": 602}, STB: {"id": 601}})) == [[ONU], [STB]]
    assert offered(found(ONU_E, collect, places={ONU: {"id": 601}, STB: {"id": 601}})) == [[ONU, STB]]


def test_new_work_joins_what_is_on_offer_and_not_what_somebody_is_at() -> None:
    a = found(ONU_E, STB_E, desks=(desk(ONU_E),))
    assert [line.effect for line in a.rewritten[9].carried] == [ONU, STB]
    assert offered(a) == []
    b = found(ONU_E, STB_E, desks=(desk(ONU_E, state="claimed", person=7),))
    assert (offered(b), b.rewritten) == ([[STB]], {})


def test_what_was_reported_is_carried_until_it_lands() -> None:
    assert offered(found(ONU_E, desks=(desk(ONU_E, state="done", person=7),))) == []


def test_what_is_withdrawn_or_settled_leaves_the_work_order_and_an_empty_one_is_taken_back() -> None:
    gone = effect(STB, "install.stb", state=State.WITHDRAWN)
    a = found(ONU_E, gone, desks=(desk(ONU_E, STB_E),))
    assert (dropped(a), a.withdrawn) == ({9: [STB]}, {})
    done = effect(ONU, "install.onu", state=State.CONFIRMED)
    b = found(done, gone, desks=(desk(ONU_E, STB_E, state="claimed", person=7),))
    assert (dropped(b), b.withdrawn) == ({9: [ONU, STB]}, {9: "settled"})


def test_unwanted_work_leaves_a_desk_as_its_kind_says() -> None:
    splice = effect(7, "line.splice", "W3")  # recall: ask
    at = desk(splice, state="claimed", person=7)
    a = found(splice, desks=(at,), unwanted=frozenset({7}))
    assert (a.asked, a.withdrawn, a.given_up) == ({9: frozenset({7})}, {}, set())
    agreed = found(splice, desks=(at,), unwanted=frozenset({7}), recalls=_recall(RecallState.WITHDRAWN))
    assert (agreed.withdrawn, agreed.given_up, agreed.asked) == ({9: "recalled"}, {7}, {})
    asked = found(splice, desks=(at,), unwanted=frozenset({7}), recalls=_recall(RecallState.ASKED))
    assert (asked.withdrawn, asked.given_up) == ({}, set())


def test_work_that_is_wanted_again_is_no_longer_asked_for() -> None:
    splice = effect(7, "line.splice", "W3")
    at = desk(splice, state="claimed", person=7)
    assert found(splice, desks=(at,), recalls=_recall(RecallState.ASKED)).wanted_again == {9}
    assert found(splice, desks=(at,), recalls=_recall(RecallState.WITHDRAWN)).wanted_again == set()


def test_held_lines_leave_what_is_on_offer_and_rest_with_their_work_order_when_all_are_held() -> None:
    held = effect(STB, "install.stb", item_key="1.2", held=True)
    a = found(ONU_E, held, desks=(desk(ONU_E, STB_E),))
    assert (dropped(a), a.suspended, offered(a)) == ({9: [STB]}, set(), [])
    b = found(held, desks=(desk(held),))
    assert (b.rewritten, b.suspended) == ({}, {9})
    c = found(STB_E, desks=(desk(STB_E, state="suspended", person=7),))
    assert (c.suspended, c.resumed) == (set(), {9})
    # whoever is at it keeps all of it: the rest of his work goes on
    d = found(ONU_E, held, desks=(desk(ONU_E, STB_E, state="claimed", person=7),))
    assert (d.rewritten, d.suspended) == ({}, set())


def _recall(state: RecallState) -> Mapping[int, Recall]:
    return {9: Recall(1, ORDER, 9, (7,), state, NOON, NOON)}
