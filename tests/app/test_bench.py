import pytest

from diaodu.app.bench import limit, report
from diaodu.app.bench.limit import Rate
from diaodu.app.bench.meter import Written, per_order
from diaodu.app.bench.suite import Counts, measure
from diaodu.kernel.clock import wall_clock


def test_rows_per_order_are_the_difference_of_two_looks_and_the_busiest_table_comes_first() -> None:
    before = {"a.x": Written(10, 4, 2, 1)}
    after = {"a.x": Written(14, 4, 2, 1), "a.y": Written(0, 20, 10, 4)}
    found = per_order(before, after, 4)
    assert found == {"a.y": Written(0, 5, 2.5, 1), "a.x": Written(1, 0, 0, 0)}
    assert list(found) == ["a.y", "a.x"]
    assert found["a.y"].total == 6


def test_the_limit_is_one_over_the_time_of_all_rows_each_at_its_rate() -> None:
    # 10 rows at the median of 1,000/s, 2 updates at 200/s, and 1 insert of a table not measured at the mean of inserts
    rates = [Rate("a.x", "insert", [900, 1000, 5000]), Rate("a.x", "update", [200]), Rate("a.x", "delete", [50])]
    rows = {"a.x": Written(insert=10, update=2, hot=2), "a.rare": Written(insert=1)}
    assert limit.orders_per_second(rows, rates) == pytest.approx(1 / (0.010 + 0.010 + 0.001))


def test_a_partition_is_written_at_the_rate_of_its_table() -> None:
    rates = [Rate("kernel.history", kind, [100]) for kind in ("insert", "update", "delete")]
    assert limit.orders_per_second({"kernel.history_rest": Written(insert=4)}, rates) == pytest.approx(25)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_whole_benchmark_in_small() -> None:
    told: list[str] = []
    counts = Counts({1: 16, 2: 16}, reps=1, in_flight=8, older=200, pairs=1, pair_orders=16)
    figures = measure(counts, told.append)
    assert [(r.workers, r.orders > 0) for r in figures.runs] == [(1, True), (2, True)]
    # Every order is the same bundle: what it writes once is exact.
    assert {t: figures.rows[t].insert for t in ("kernel.root", "ordering.order_item", "engine.human_task")} == {
        "kernel.root": 1,
        "ordering.order_item": 4,
        "engine.human_task": 3,
    }
    # The simulators and the load may use less than a tick of the processor's clock for so few orders.
    assert all(r.cpu_ms[who] > 0 for r in figures.runs for who in ("python", "postgres"))
    assert all(r.cpu_ms[who] >= 0 for r in figures.runs for who in ("driver", "simulators"))
    assert [(p.connections, 0 < p.ratio < 1) for p in figures.limits] == [(1, True), (2, True)]
    assert "224 older orders" in told  # 32 real ones, six clones of each
    document = report.document(figures, wall_clock())
    assert [g["goal"] for g in document["goals"]] == [name for name, *_ in report.goals(figures)]
    assert len(document["goals"]) == 5
