"""Operations on many instances: never without a preview, in every partition, each instance once."""

from typing import Any

import pytest
from tests.engine.kit import Bench, Service, bpmn, services

from diaodu.engine import bulk, operate
from diaodu.engine.bulk import Preview
from diaodu.engine.errors import BadFilter, PreviewStale, PreviewUnknown, ReasonNeeded, UnknownOperation
from diaodu.engine.filters import Filter
from diaodu.engine.model import BusinessError, Start
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import NotFound

TASK = bpmn('<startEvent id="s"/><userTask id="a" diaodu:pool="1"/><task id="b"/>', "s -> a\na -> b")
P = Filter(process="p")


@pytest.fixture
def bench(db: Database) -> Bench:
    bench = Bench(db)
    bench.deploy(TASK)
    return bench


def start(bench: Bench, count: int, process: str = "p") -> list[int]:
    roots = [bench.root(n % bench.db.parts) for n in range(count)]
    for root in roots:
        bench.signal(Start(root, process, f"k{root}", {}))
    bench.work()
    return roots


def preview(bench: Bench, verb: str, chosen: Filter = P, by: str = "boss", **arguments: Any) -> Preview:
    with bench.db.transaction(actor=by) as tx:
        return bulk.preview(tx, verb, chosen, arguments, by=by, reason="why")


def confirm(bench: Bench, token: str, by: str = "boss") -> int:
    with bench.db.transaction(actor=by) as tx:
        return bulk.confirm(tx, token, by)


def do(bench: Bench, verb: str, chosen: Filter = P, **arguments: Any) -> bulk.Progress:
    made = confirm(bench, preview(bench, verb, chosen, **arguments).token)
    bench.work()
    with bench.db.transaction() as tx:
        return bulk.progress(tx, made)


def states(bench: Bench) -> set[int]:
    return {r[0] for r in bench.rows("select state from engine.instance")}


def test_a_preview_counts_and_does_nothing(bench: Bench) -> None:
    start(bench, 25)
    ids = [r[0] for r in bench.rows("select id from engine.instance order by id")]
    found = preview(bench, "suspend")
    bench.work()
    assert (found.count, found.first, states(bench)) == (25, tuple(ids[:20]), {0})


def test_what_is_confirmed_is_done_in_every_partition_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    start(bench, 40)
    found = preview(bench, "suspend")
    made = confirm(bench, found.token)
    assert confirm(bench, found.token) == made
    bench.work()
    with bench.db.transaction() as tx:
        assert bulk.progress(tx, made) == bulk.Progress(made, "suspend", 40, 40, 0, (), ended=True)
    assert states(bench) == {3}
    entries = bench.rows("select entries from kernel.history")
    assert sum(e["t"] == "instance.suspended" and e["by"] == "boss" for row in entries for e in row[0]) == 40
    bench.work()
    assert (
        sum(e["t"] == "instance.suspended" for row in bench.rows("select entries from kernel.history") for e in row[0])
        == 40
    )


def test_what_was_begun_is_gone_on_with(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 1)
    start(bench, 48)
    made = confirm(bench, preview(bench, "cancel").token)
    assert bulk.run(bench.db, "first", range(bench.db.parts), frozenset()) == 16
    with bench.db.transaction() as tx:
        assert bulk.progress(tx, made).done == 16
    bench.work()
    with bench.db.transaction() as tx:
        assert (bulk.progress(tx, made).done, bulk.progress(tx, made).ended) == (48, True)
    assert states(bench) == {2}


def test_each_verb_does_what_its_single_form_does(db: Database) -> None:
    service = Service(lambda _: BusinessError("B", "no"))
    bench = Bench(db, services(work=service))
    bench.deploy(TASK)
    bench.deploy(bpmn('<startEvent id="s"/><serviceTask id="w" diaodu:type="work"/>', "s -> w", key="q"))
    start(bench, 3)
    start(bench, 2, "q")
    assert do(bench, "set_variables", variables={"x": 1}).done == 3
    assert bench.rows("select vars from engine.instance where vars <> '{}'") == [({"x": 1},)] * 3
    assert do(bench, "jump", Filter(process="p", node="a"), target="a").done == 3
    assert bench.rows("select count(*) from engine.human_task where state = 4") == [(3,)]
    assert do(bench, "skip", Filter(process="p", node="a")).done == 3
    assert do(bench, "skip", Filter(process="p", node="a")).found == 0
    service.answer = Service().answer
    assert do(bench, "retry", Filter(incident="engine.uncaught-error")).done == 2
    assert (states(bench), bench.incidents()) == ({1}, [])


def test_instances_migrate_together_and_those_without_a_place_stay(bench: Bench) -> None:
    old = start(bench, 4)
    bench.deploy(bpmn('<startEvent id="s"/><userTask id="b" diaodu:pool="1"/>', "s -> b"))
    refused = do(bench, "migrate", Filter(process="p", version=1), version=2, mapping={"s": "s"})
    assert (refused.done, refused.refused, {code for _, code in refused.refusals}) == (0, 4, {"engine.no-place"})
    done = do(bench, "migrate", Filter(process="p", version=1), version=2, mapping={"s": "s", "a": "b"})
    assert (done.done, {tuple(bench.at_nodes(r)) for r in old}) == (4, {("b",)})


def test_a_token_is_asked_for_and_ones_own_and_fresh(bench: Bench) -> None:
    start(bench, 2)
    token = preview(bench, "cancel").token
    for wrong, by in (("x", "boss"), (token, "other")):
        with pytest.raises(PreviewUnknown):
            confirm(bench, wrong, by)
    start(bench, 1)
    with pytest.raises(PreviewStale):
        confirm(bench, token)
    bench.later(hours=2)
    with pytest.raises(PreviewUnknown):
        confirm(bench, token)
    bench.work()
    assert states(bench) == {0}
    with bench.db.transaction() as tx, pytest.raises(NotFound):
        bulk.progress(tx, 5)


def test_a_filter_chooses(bench: Bench) -> None:
    roots = start(bench, 3)
    bench.later(hours=1)
    start(bench, 1)
    key = Filter(business_key=f"k{roots[0]}")
    ids = [r[0] for r in bench.rows("select id from engine.instance order by id")]
    counts = [
        preview(bench, "cancel", chosen).count
        for chosen in (
            key,
            Filter(started_before=bench.at),
            Filter(ids=ids[:2]),
            Filter(state="ended"),
            Filter(version=1),
        )
    ]
    assert counts == [1, 3, 2, 0, 4]


def test_incidents_are_resolved_and_retried_together_also_those_without_an_instance(bench: Bench) -> None:
    # given: starts of a process that is not there, and a service that fails at its token
    start(bench, 3, "nobody")
    start(bench, 1, "other")
    bench.handlers = services(work=Service(lambda _: BusinessError("B", "no")))
    bench.deploy(bpmn('<startEvent id="s"/><serviceTask id="w" diaodu:type="work"/>', "s -> w", key="q"))
    start(bench, 2, "q")
    ids = {i.node: i.id for i in bench.incidents()}
    # when: those of one node are looked at, then resolved
    seen = preview(bench, "resolve_incident", Filter(node="nobody"))
    assert (seen.count, len(bench.incidents())) == (3, 6)
    told = do(bench, "resolve_incident", Filter(node="nobody"))
    assert (told.done, told.refused) == (3, 0)
    assert sorted(i.node for i in bench.incidents()) == ["other", "w", "w"]
    # then: what holds a token is refused, by the incident's own id, and stays as it was
    told = do(bench, "resolve_incident", Filter(process="q", ids=[ids["w"]]))
    assert (told.done, told.refused, told.refusals) == (0, 1, ((ids["w"], "engine.incident-holds-token"),))
    # and: all that an error brought about run again
    bench.handlers = services(work=Service())
    assert do(bench, "retry_incident", Filter(incident="engine.uncaught-error", state="active")).done == 2
    assert [i.node for i in bench.incidents()] == ["other"]
    assert bench.rows("select state from engine.instance") == [(1,), (1,)]


def test_incidents_are_chosen_by_time_and_by_their_instance(bench: Bench) -> None:
    bench.handlers = services(work=Service(lambda _: BusinessError("B", "no")))
    bench.deploy(bpmn('<startEvent id="s"/><serviceTask id="w" diaodu:type="work"/>', "s -> w", key="q"))
    first, _ = start(bench, 2, "q")
    bench.later(hours=1)
    start(bench, 1, "q")
    filters = [
        Filter(started_before=bench.at), Filter(started_after=bench.at), Filter(version=1), Filter(version=2),
        Filter(process="p"), Filter(business_key=f"k{first}"), Filter(node="w"), Filter(node="s"),
        Filter(state="ended"), Filter(incident="odd"), Filter(),
    ]  # fmt: skip
    assert [preview(bench, "retry_incident", f).count for f in filters] == [2, 0, 3, 0, 0, 1, 3, 0, 0, 0, 3]


def test_an_instance_that_fails_stops_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = start(bench, 5)[2]
    suspend = operate.suspend

    def broken(tx: Tx, instance: int, by: str, reason: str) -> None:
        suspend(tx, instance, by, reason)
        if instance == bench.instance(bad).id:
            tx.run("select 1 / 0")

    monkeypatch.setattr(operate, "suspend", broken)
    told = do(bench, "suspend")
    assert (told.done, told.refused, told.refusals) == (4, 1, ((bench.instance(bad).id, "engine.not-done"),))
    assert bench.state(bad) == "active"


@pytest.mark.parametrize(
    ("verb", "chosen", "arguments"),
    [("explode", P, {}), ("jump", P, {}), ("skip", P, {}), ("migrate", P, {"version": 2}),
     ("migrate", P, {"version": 2, "mapping": {"a": 1}}), ("cancel", P, {"odd": 1}),
     ("retry", Filter(node="a"), {}), ("cancel", Filter(state="odd"), {}),
     ("resolve_incident", Filter(state="odd"), {}), ("retry_incident", Filter(), {"odd": 1})],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(verb: str, chosen: Filter, arguments: dict[str, Any], bench: Bench) -> None:
    with pytest.raises((UnknownOperation, BadFilter)):
        preview(bench, verb, chosen, **arguments)


def test_a_bulk_operation_has_a_reason(bench: Bench) -> None:
    with bench.db.transaction() as tx, pytest.raises(ReasonNeeded):
        bulk.preview(tx, "cancel", P, {}, by="boss", reason="")
