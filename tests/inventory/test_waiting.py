"""The waiting list of an area, its figures, and reservations on trial."""

from datetime import timedelta

from tests.inventory.conftest import ASKED, Orders

from diaodu.inventory import waiting
from diaodu.inventory.commands import Trials
from diaodu.provisioning.design import NearestBox

AREA = 7
ROOM_A, ROOM_C = 601, 603


def test_the_list_shows_rank_place_and_what_is_missing(orders: Orders) -> None:
    orders.line(1, ROOM_C)
    orders.line(2, ROOM_C)
    orders.ask(3, "reserve", {"thing": 30, "want": "router", "wan_mbps": 1000})
    orders.line(4, ROOM_C, priority=1)
    orders.run()

    with orders.db.transaction() as tx:
        found = waiting.waiting_list(tx, AREA)

    assert [(w.rank, w.position, w.order_id, w.missing[0]["want"]) for w in found] == [
        (1, 1, 1, "access"), (2, 2, 2, "access"), (3, 1, 3, "router"),
    ]  # fmt: skip
    assert found[0].waits == ["box:20", "tree"]
    assert found[0].alternatives[0]["box"] == "BOX10"
    assert found[0].since == ASKED + timedelta(seconds=1000)


def test_figures_count_and_age_what_is_missing(orders: Orders) -> None:
    for order in (1, 2, 3):
        orders.line(order, ROOM_C)
    orders.ask(4, "reserve", {"thing": 40, "want": "router", "wan_mbps": 1000})
    orders.run()

    with orders.db.transaction(now=ASKED + timedelta(hours=2)) as tx:
        found = waiting.figures(tx, AREA)
        assert waiting.figures(tx, None) == found
        assert waiting.figures(tx, 8) == []

    assert [(f.want, f.why, f.orders, f.oldest, f.median_minutes) for f in found] == [
        ("access", "no-free-port", 2, ASKED + timedelta(seconds=1001), 103),
        ("router", "none-free", 1, ASKED + timedelta(seconds=1003), 103),
    ]


def test_a_trial_answers_as_the_worker_would_and_writes_nothing(orders: Orders) -> None:
    trials = Trials(NearestBox())
    line = {"thing": 0, "want": "access", "address": ROOM_C}
    with orders.db.transaction() as tx:
        before = trials(tx, AREA, [line])
    orders.line(1, ROOM_C)
    orders.line(2, ROOM_C)
    orders.run()
    rows = orders.rows("select id, state, holder from inventory.resource order by id")

    with orders.db.transaction() as tx:
        after = trials(tx, AREA, [line])

    assert (before.answer["status"], before.answer["lines"]["0"]["box"], before.ahead) == ("served", "BOX20", 0)
    assert (after.answer["status"], after.ahead) == ("waiting", 1)
    assert after.alternatives[0]["box"] == "BOX10"
    assert orders.rows("select id, state, holder from inventory.resource order by id") == rows
    assert orders.rows("select count(*) from inventory.request") == [(2,)]


def test_a_trial_leaves_to_those_who_wait_what_they_have_rank_for(orders: Orders) -> None:
    orders.line(1, ROOM_C)
    orders.ask(2, "reserve", {"thing": 20, "want": "access", "address": ROOM_C}, {"thing": 21, "want": "stb"})
    orders.run()
    with orders.db.transaction() as tx:
        tx.run("update inventory.resource set state = 0, holder = null where id in (2001, 2051)")
        tx.run("insert into inventory.resource (area, id, spec, code, state) values (7, 60, 'stb', 'S', 0)")
        trial = Trials(NearestBox())(tx, AREA, [{"thing": 0, "want": "access", "address": ROOM_C}])

    assert trial.answer["status"] == "waiting"
