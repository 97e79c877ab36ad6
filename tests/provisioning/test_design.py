"""The choice of an access line, on a tree made by hand: losses in dB, powers in dBm."""

import pytest

from diaodu.inventory.model import Connectivity, FreePort, Node
from diaodu.inventory.ports import Design, Shortfall
from diaodu.provisioning.design import NearestBox

PLACE = 500


def tree(*, feeder_db: float = 1.0, ratio: int = 8) -> Connectivity:
    """Three boxes of one building at 0 m, 20 m and 100 m behind one PON port with 3 dBm; box 30 has a lossy fibre."""
    nodes = [
        Node(1, "olt", "OLT1", None, None, {}),
        Node(2, "pon", "OLT1/1/1/1", 1, None, {"tx_dbm": 3.0, "svlan": 1001}),
        Node(3, "odf", "ODF1", 2, None, {"loss_db": 0.5}),
        Node(4, "fibre", "F1", 3, None, {"loss_db": feeder_db, "length_m": 2000}),
        Node(5, "splitter1", "SPL1", 4, None, {"ratio": 8, "loss_db": 10.7}),
    ]
    for box, x, fibre_db in ((10, 0, 0.3), (20, 20, 0.3), (30, 100, 0.3)):
        nodes += [
            Node(box + 1, "splitter1_port", f"SPL1/{box}", 5, None, {"loss_db": 0.2}),
            Node(box + 2, "fibre", f"F{box}", box + 1, None, {"loss_db": fibre_db, "length_m": 100}),
            Node(box, "box", f"BOX{box}", box + 2, PLACE, {"ratio": ratio, "loss_db": 10.7, "x": x, "y": 0}),
        ]
    return Connectivity({n.id: n for n in nodes})


def port(number: int, *, box: int = 10, loss_db: float = 0.2) -> FreePort:
    item = box * 100 + number
    return FreePort(item, box, f"BOX{box}/{number}", number, 30.0, loss_db, item + 50, f"V{item}", 100 + number)


def chosen(net: Connectivity, *free: FreePort) -> int:
    by_box: dict[int, list[FreePort]] = {}
    for one in free:
        by_box.setdefault(one.box_id, []).append(one)
    design = NearestBox().choose(net, 10, by_box)
    assert isinstance(design, Design)
    return design.port.id


def test_the_nearest_box_comes_before_less_loss() -> None:
    assert chosen(tree(), port(1, box=20, loss_db=0.0), port(2, box=10, loss_db=1.0)) == 1002


def test_in_one_box_the_least_loss_comes_before_the_lowest_number() -> None:
    assert chosen(tree(), port(1, loss_db=0.3), port(2, loss_db=0.2)) == 1002


def test_among_equals_the_lowest_port_number_is_chosen() -> None:
    assert chosen(tree(), port(3), port(2), port(4)) == 1002


def test_a_full_box_is_replaced_by_the_next_within_reach() -> None:
    assert list(NearestBox().candidates(tree(), 10)) == [10, 20]
    assert chosen(tree(), port(5, box=20), port(1, box=30)) == 2005


def test_a_box_beyond_the_reach_of_a_drop_cable_is_no_candidate() -> None:
    assert NearestBox().choose(tree(), 10, {30: [port(1, box=30)]}) == Shortfall("no-free-port", {"box": "BOX10"})


def test_the_facts_name_the_path_the_vlans_and_the_budget() -> None:
    design = NearestBox().choose(tree(), 10, {20: [port(5, box=20)]})
    assert isinstance(design, Design)
    facts = design.facts
    # 0.2 drop + 20 m * 0.0004 + 10.7 box + 0.3 + 0.2 + 10.7 splitter + 1.0 feeder + 0.5 ODF
    assert (facts["loss_db"], facts["rx_dbm"], facts["split"]) == (23.61, -20.61, 64)
    assert (facts["olt"], facts["pon"], facts["svlan"], facts["cvlan"]) == ("OLT1", "OLT1/1/1/1", 1001, 105)
    assert [(s["spec"], s["code"]) for s in facts["path"]] == [
        ("box_port", "BOX20/5"),
        ("box", "BOX20"),
        ("fibre", "F20"),
        ("splitter1_port", "SPL1/20"),
        ("splitter1", "SPL1"),
        ("fibre", "F1"),
        ("odf", "ODF1"),
        ("pon", "OLT1/1/1/1"),
        ("olt", "OLT1"),
    ]
    assert facts["path"][0]["length_m"] == 50.0
    assert facts["explain"]["zh"] == (
        "BOX20 距离 20 米,5 号端口;上联 OLT1/1/1/1,分光比 1:64,发光 3 dBm,总衰耗 23.61 dB,"
        "预计收光 -20.61 dBm(要求不低于 -25 dBm)"
    )
    assert facts["explain"]["en"] == (
        "BOX20 at 20 m, port 5; fed by OLT1/1/1/1, split 1:64, sent 3 dBm, lost 23.61 dB,"
        " expected -20.61 dBm (at least -25 dBm)"
    )


@pytest.mark.parametrize(("feeder_db", "fits"), [(5.4, True), (5.41, False)])
def test_the_optical_budget_holds_down_to_minus_25_dbm(feeder_db: float, fits: bool) -> None:  # noqa: FBT001 - a case of the table
    design = NearestBox().choose(tree(feeder_db=feeder_db), 10, {10: [port(1)]})
    if fits:
        assert isinstance(design, Design)
        assert design.facts["rx_dbm"] == -25.0
    else:
        assert design == Shortfall("optical-budget", {"box": "BOX10", "rx_dbm": -25.01, "least_dbm": -25.0})


def test_more_than_64_users_behind_one_pon_port_are_refused() -> None:
    # Three boxes 1:8 below a splitter 1:8 are 24 users; three 1:16 are 48 users, but each path splits 1:128.
    assert NearestBox().choose(tree(ratio=16), 10, {10: [port(1)]}) == Shortfall(
        "split-limit", {"box": "BOX10", "limit": 64}
    )


def test_the_users_of_all_boxes_of_a_pon_port_count() -> None:
    net = tree()
    extra = [Node(900 + n, "box", f"EXTRA{n}", 4, 501, {"ratio": 8, "loss_db": 1.0, "x": 0, "y": 0}) for n in range(6)]
    crowded = Connectivity({**net.nodes, **{n.id: n for n in extra}})
    assert (net.ports_below(2), crowded.ports_below(2)) == (24, 72)
    assert NearestBox().choose(crowded, 10, {10: [port(1)]}) == Shortfall("split-limit", {"box": "BOX10", "limit": 64})
