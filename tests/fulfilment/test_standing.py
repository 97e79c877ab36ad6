"""The state of an item is a function of its situation."""

from dataclasses import replace

import pytest

from diaodu.fulfilment.standing import Situation, standing
from diaodu.ordering.holds import Cause, Hold
from diaodu.ordering.model import FINAL, Action, Item, ItemState
from diaodu.planning.model import Effect, Op, State

S = ItemState
ITEM = Item(1, 2, "1", None, Action.ADD, "P2", 3, S.ACKNOWLEDGED, None)


def effect(state: State, kind: str = "olt.port") -> Effect:
    return Effect(
        id=9, order_id=2, revision=1, thing_id=5, kind=kind, item_key="1", op=Op.DO, of_id=None, state=state,
        ready=True, needs=(), work="W1", element=None, priority=3, reads_hash=None, params={}, undo=None,
    )  # fmt: skip


def hold(cause: Cause, reason: str | None = None) -> Hold:
    return Hold(2, "1", cause, reason)


def at(state: ItemState) -> Situation:
    return Situation(replace(ITEM, state=state))


@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_has_ended_stays(state: ItemState) -> None:
    held = replace(at(state), holds=[hold(Cause.SUSPENDED)], wanted=False, effects=[effect(State.FAILED)])
    assert standing(held)[0] is state


def test_in_intake_an_item_is_acknowledged_or_waits_for_the_counter() -> None:
    assert standing(at(S.ACKNOWLEDGED)) == (S.ACKNOWLEDGED, None)
    assert standing(replace(at(S.PENDING), refused="audit-refused")) == (S.PENDING, "audit-refused")
    assert standing(at(S.HELD)) == (S.ACKNOWLEDGED, None)


def test_once_begun_it_is_at_work_then_closing() -> None:
    begun = replace(at(S.ACKNOWLEDGED), begun=True)
    assert standing(begun) == (S.IN_PROGRESS, None)
    assert standing(replace(begun, closing=True)) == (S.CLOSING, None)


@pytest.mark.parametrize(
    ("holds", "found"),
    [
        ([hold(Cause.NO_RESOURCE)], (S.HELD, "no-resource")),
        ([hold(Cause.FALLOUT, "aaa.account")], (S.HELD, "fallout:olt.port")),
        ([hold(Cause.CUSTOMER, "moves later"), hold(Cause.FALLOUT)], (S.PENDING, "customer:moves later")),
        ([hold(Cause.RETURNED, "bad-address"), hold(Cause.SUSPENDED)], (S.HELD, "suspended")),
        ([hold(Cause.PRE)], (S.PENDING, "pre")),
    ],
)
def test_the_first_cause_that_holds_is_told(holds: list[Hold], found: tuple[ItemState, str]) -> None:
    failed = replace(at(S.IN_PROGRESS), begun=True, effects=[effect(State.FAILED)])
    assert standing(replace(failed, holds=holds)) == found


def test_what_is_taken_back_is_cancelled_when_nothing_of_it_is_left() -> None:
    gone = replace(at(S.IN_PROGRESS), begun=True, wanted=False, holds=[hold(Cause.CUSTOMER)])
    assert standing(gone) == (S.CANCELLING, None)
    undoing = replace(gone, item=replace(ITEM, state=S.CANCELLING), effects=[effect(State.SENT, "olt.port.remove")])
    assert standing(undoing) == (S.CANCELLING, None)
    failed = replace(undoing, effects=[effect(State.FAILED, "olt.port.remove")])
    assert standing(failed) == (S.CANCELLING, "undo-failed:olt.port.remove")
    done = replace(undoing, effects=[effect(State.CONFIRMED), effect(State.UNDONE)])
    assert standing(done) == (S.CANCELLED, None)
    assert standing(replace(done, parts_left=True)) == (S.CANCELLING, None)


def test_while_the_customer_is_asked_nothing_moves_an_item_but_the_answer() -> None:
    asked = replace(at(S.ASSESSING), begun=True, holds=[hold(Cause.FALLOUT)])
    assert standing(asked)[0] is S.ASSESSING
    assert standing(replace(asked, assessed=True))[0] is S.HELD
    assert standing(replace(asked, assessed=True, holds=[])) == (S.IN_PROGRESS, None)
