"""待撤回: the question, the technician's answer, the dispatcher's word, the report that comes first."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from tests.workforce.desk import ALICE, BOB, DISPATCHER, Worklists

from diaodu.kernel.db import Tx
from diaodu.kernel.states import NotPossible
from diaodu.workforce import commands, queries, recalls
from diaodu.workforce.errors import NoRecall, NotYours, RecallNotDue
from diaodu.workforce.model import RECALL_TABLE, EffectOutcome, RecallEvent, RecallState, WorkReport


@pytest.fixture
def lists(tx: Tx) -> Worklists:
    return Worklists(tx)


def asked(lists: Worklists) -> tuple[int, int]:
    """Alice is at two effects; one of them is asked for back."""
    order = lists.order()
    work = lists.work(order, 1, 2, person=7)
    recalls.ask(lists.tx, [recalls.Question(order, work, frozenset({2}), 30)])
    return order, work


def later(tx: Tx, minutes: int) -> None:
    tx.now = tx.now + timedelta(minutes=minutes)


def test_the_technician_stops_and_the_stage_is_woken(lists: Worklists) -> None:
    order, work = asked(lists)
    found = recalls.answer(lists.tx, work, RecallEvent.STOPPED, ALICE)
    assert (found.state, found.answer, found.effects) == (RecallState.WITHDRAWN, "stopped", (2,))
    assert recalls.newest(lists.tx, [work])[work].state is RecallState.WITHDRAWN
    assert lists.nudged(order) == 1
    entries = lists.told(order, "recall.stopped")
    assert [(e["from"], e["to"], e["task"]) for e in entries] == [("asked", "withdrawn", work)]


def test_only_who_holds_the_work_answers(lists: Worklists) -> None:
    order, work = asked(lists)
    with pytest.raises(NotYours):
        recalls.answer(lists.tx, work, RecallEvent.STOPPED, BOB)
    with pytest.raises(NoRecall):
        recalls.answer(lists.tx, lists.work(order, 9, person=7), RecallEvent.STOPPED, ALICE)
    assert (recalls.newest(lists.tx, [work])[work].state, lists.nudged(order)) == (RecallState.ASKED, 0)


def test_the_dispatcher_decides_when_the_time_is_over_or_the_work_goes_on(lists: Worklists) -> None:
    _, silent = asked(lists)
    with pytest.raises(RecallNotDue):
        recalls.decide(lists.tx, silent, RecallEvent.WITHDRAW, DISPATCHER, minutes=60, note="")
    assert [r.overdue for r in recalls.open_page(lists.tx, None, 10)] == [False]
    _, busy = asked(lists)
    recalls.answer(lists.tx, busy, RecallEvent.GOING_ON, ALICE)
    waiting = recalls.decide(lists.tx, busy, RecallEvent.WAIT, DISPATCHER, minutes=60, note="nearly done")
    assert (waiting.state, waiting.due_at) == (RecallState.PROMISED, lists.tx.now + timedelta(minutes=60))
    later(lists.tx, 31)
    assert [(r.work_order_id, r.overdue) for r in recalls.open_page(lists.tx, None, 10)] == [
        (silent, True), (busy, False),
    ]  # fmt: skip
    gone = recalls.decide(lists.tx, silent, RecallEvent.WITHDRAW, DISPATCHER, minutes=60, note="offline")
    assert (gone.state, gone.decided_by) == (RecallState.WITHDRAWN, "dispatcher")
    with pytest.raises(NotPossible):
        recalls.answer(lists.tx, silent, RecallEvent.DONE, ALICE)


def test_more_that_is_wanted_no_more_widens_the_question(lists: Worklists) -> None:
    order, work = asked(lists)
    recalls.ask(lists.tx, [recalls.Question(order, work, frozenset({1}), 30)])
    found = recalls.newest(lists.tx, [work])[work]
    assert (found.effects, found.state) == ((1, 2), RecallState.ASKED)
    assert len(lists.told(order, "recall.asked")) == len(lists.told(order, "recall.widened")) == 1
    # and the same again is nothing
    recalls.ask(lists.tx, [recalls.Question(order, work, frozenset({1, 2}), 30)])
    assert len(lists.told(order, "recall.widened")) == 1


def test_a_report_ends_the_question_and_counts(lists: Worklists) -> None:
    order, work = asked(lists)
    done = tuple(EffectOutcome(i, ok=True, data={"终端串号": "SN-0001"}) for i in (1, 2))
    commands.report_many(lists.tx, [WorkReport(work, "r1", done)], 7)
    assert recalls.newest(lists.tx, [work])[work].state is RecallState.REPORTED
    assert [(e["id"], e.get("late")) for e in lists.told(order, "work.reported")] == [(work, None)]


def test_a_report_on_work_that_was_taken_away_is_kept_as_late_and_may_leave_out_what_was_dropped(
    lists: Worklists,
) -> None:
    order, work = asked(lists)
    w = queries.work_orders(lists.tx, [work])[work]
    commands.rewrite(lists.tx, [replace(w, lines=(w.lines[0], replace(w.lines[1], dropped=True)))])
    one = (EffectOutcome(1, ok=True, data={"终端串号": "SN-0001"}),)
    commands.report_many(lists.tx, [WorkReport(work, "r1", one)], 8)
    commands.report_many(lists.tx, [WorkReport(work, "r1", one)], 8)
    assert [(e["by"], e["late"]) for e in lists.told(order, "work.reported")] == [(8, True)]
    bodies = lists.tx.rows("select body from engine.job where root_id = %s and name = 'effect.report'", (order,))
    assert [(b["late"], [o["effect"] for o in b["outcomes"]]) for (b,) in bodies] == [(True, [1])]
    assert lists.task(work)[0] == 1


def test_every_state_of_a_recall_has_an_answer_to_every_event() -> None:
    final = {RecallState.WITHDRAWN, RecallState.REPORTED, RecallState.DROPPED}
    assert RECALL_TABLE.final == final
    for state, event in product(RecallState, RecallEvent):
        after = RECALL_TABLE.next(state, event)
        if state in final:
            assert after == (state if event in (RecallEvent.REPORT, RecallEvent.DROP) else None)
        else:
            assert after is not None
