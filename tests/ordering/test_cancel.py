"""The verdict of a cancellation on each item."""

from dataclasses import replace

import pytest

from diaodu.ordering.cancel import Why, judge
from diaodu.ordering.model import Action, Item, ItemState

S = ItemState


def item(key: str, state: ItemState = S.IN_PROGRESS, ponr: str = "none") -> Item:
    parent = key.rpartition(".")[0] or None
    return Item(len(key), 2, key, parent, Action.ADD, "P", 3, state, None, ponr)


BUNDLE = [item("1"), item("1.1"), item("1.2")]


def verdicts(items: list[Item], *chosen: str, together: tuple[str, ...] = ()) -> dict[str, tuple[str, str | None]]:
    return {j.key: (j.verdict, j.why) for j in judge(items, chosen, together).values()}


def test_a_whole_order_is_judged_item_by_item() -> None:
    items = [*BUNDLE, item("2", S.COMPLETED), item("3", S.CANCELLED), item("4", ponr="hard"), item("5", ponr="soft")]
    assert verdicts(items) == {
        "1": ("cancel", None), "1.1": ("cancel", None), "1.2": ("cancel", None), "2": ("denied", Why.COMPLETED),
        "3": ("ended", None), "4": ("denied", Why.PONR), "5": ("consent", None),
    }  # fmt: skip


def test_a_bundle_stays_while_a_part_of_it_stays() -> None:
    assert verdicts(BUNDLE, "1.2") == {"1.2": ("cancel", None)}
    past = [BUNDLE[0], replace(BUNDLE[1], ponr="hard"), BUNDLE[2]]
    assert verdicts(past) == {"1": ("denied", Why.PONR), "1.1": ("denied", Why.PONR), "1.2": ("cancel", None)}


def test_a_bundle_goes_with_the_last_of_its_parts() -> None:
    left = [BUNDLE[0], replace(BUNDLE[1], state=S.CANCELLED), BUNDLE[2]]
    assert verdicts(left, "1.2") == {"1": ("cancel", None), "1.2": ("cancel", None)}
    assert set(verdicts(BUNDLE, "1")) == {"1", "1.1", "1.2"}


def test_a_declared_rule_binds_the_parts() -> None:
    assert set(verdicts(BUNDLE, "1.2", together=("1",))) == {"1", "1.1", "1.2"}
    past = [BUNDLE[0], replace(BUNDLE[1], ponr="hard"), BUNDLE[2]]
    assert verdicts(past, "1.2", together=("1",))["1.2"] == ("denied", Why.BOUND)


@pytest.mark.parametrize("state", [S.CLOSING, S.HELD])
def test_once_the_archives_have_begun_nothing_is_cancelled(state: ItemState) -> None:
    found = judge([item("1", state)], (), (), closing=("1",))
    assert (found["1"].verdict, found["1"].why) == ("denied", Why.PONR)
