"""The history of nodes: what is left in one go is one entry, and is told as one for each node, in order."""

from tests.engine.kit import Bench, bpmn

from diaodu.engine.model import told
from diaodu.kernel import journal
from diaodu.kernel.db import Database

LINE = bpmn(
    '<startEvent id="s"/><manualTask id="a"/><userTask id="u" diaodu:pool="1"/><manualTask id="b"/><endEvent id="e"/>',
    "s -> a\na -> u\nu -> b\nb -> e",
)


def test_nodes_left_in_one_go_are_one_entry(db: Database) -> None:
    bench = Bench(db)
    bench.deploy(LINE)
    root = bench.start()
    with bench.db.transaction() as tx:
        (row,) = journal.read(tx, root)
    instance = bench.instance(root).id
    assert [(e["t"], e.get("nodes")) for e in row["entries"]] == [
        ("instance.started", None), ("node.done", ["s", "a"]), ("task.offered", None),
    ]  # fmt: skip
    assert [(e["t"], e["instance"], e.get("node")) for e in told(row["entries"])] == [
        ("instance.started", instance, None), ("node.done", instance, "s"), ("node.done", instance, "a"),
        ("task.offered", instance, "u"),
    ]  # fmt: skip


def test_entries_of_the_release_before_are_told_as_they_are() -> None:
    entries = [{"t": "node.done", "instance": 1, "node": "a"}, {"t": "instance.ended", "instance": 1}]
    assert list(told(entries)) == entries
