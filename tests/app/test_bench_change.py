"""The benchmark of amendments: every amendment is accepted, and the goals are about the largest order."""

from diaodu.app.bench.change import Sized, document, is_met, measure, table_of
from diaodu.kernel.clock import wall_clock


def test_a_small_order_is_captured_amended_and_told() -> None:
    found = measure(lambda _: None, (16,), 2)
    assert [(s.lines, len(s.amended)) for s in found] == [(16, 2)]
    assert {"audit", "decompose", "design", "accept"} <= found[0].stages.keys()
    assert table_of(found).row_count == 1
    assert document(found, wall_clock())["figures"][0]["lines"] == 16


def test_the_goals_are_about_the_largest_order() -> None:
    small = Sized(500, 1, 1, {"decompose": 9.0}, [1.0], {"decompose": 9.0})
    large = Sized(2000, 1, 1, {"decompose": 2.0}, [5.0, 5.0], {"decompose": 2.0})
    assert is_met([small, large])
    assert not is_met([small])
