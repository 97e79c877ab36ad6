"""The plan while everything moves: it always arrives, takes the least number of steps, and never stands on air."""

from collections.abc import Mapping
from heapq import heappop, heappush
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.planning.world import Kind, Kinds, World, carry_out

from diaodu.planning.model import Op, Plan, State

NAMES = "abcdef"
MODES = ("in_place", "make_before_break", "break_first")


@st.composite
def graphs(draw: st.DrawFn, *, lasting: bool = True) -> Kinds:
    """Up to six kinds, each after some of those before it."""
    n = draw(st.integers(1, len(NAMES)))
    return {
        name: Kind(
            name,
            tuple(draw(st.lists(st.sampled_from(NAMES[:i]), unique=True, max_size=2))) if i else (),
            draw(st.sampled_from(MODES)),
            lasting and draw(st.integers(0, 5)) == 0,
        )
        for i, name in enumerate(NAMES[:n])
    }


def to_bes(kinds: Kinds) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(sorted(kinds)), st.sampled_from("012"))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_plan_carried_out_in_any_order_arrives_and_then_needs_no_plan(data: st.DataObject) -> None:
    kinds = data.draw(graphs())
    world = World(kinds)
    for _ in range(3):
        world.want(data.draw(to_bes(kinds)))
        carry_out(world, data.draw(st.lists(st.integers(0, 5), max_size=12)))
        assert world.open() == []
        assert world.wrong() == []
        again = world.look()
        assert (again.steps, again.withdraw, again.recall, again.waits) == ((), (), (), ())


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_plan_after_a_plan_is_empty_wherever_it_stands(data: st.DataObject) -> None:
    kinds = data.draw(graphs())
    world = World(kinds)
    for _ in range(data.draw(st.integers(1, 4))):
        world.want(data.draw(to_bes(kinds)))
        for _ in range(data.draw(st.integers(0, 6))):
            again = world.look()
            assert (again.steps, again.withdraw, again.waits) == ((), (), ())
            _something_happens(data, world)
            world.replan()


@settings(deadline=None, max_examples=250)
@given(st.data())
def test_whatever_happens_meanwhile_it_arrives_and_never_stands_on_air(data: st.DataObject) -> None:
    kinds = data.draw(graphs())
    world = World(kinds)
    world.want(data.draw(to_bes(kinds)))
    for _ in range(data.draw(st.integers(0, 25))):
        if data.draw(st.integers(0, 5)) == 0:
            world.want(data.draw(to_bes(kinds)))
        else:
            _something_happens(data, world)
            world.replan()
    world.busy.clear()
    for _ in range(100):
        world.replan()
        for e in [e for e in world.open() if e.state is State.FAILED]:
            world.end(e, State.INTENT)
        if moving := world.under_way():
            world.end(moving[0], State.CONFIRMED)
        elif ready := world.ready():
            world.begin(ready[0])
        else:
            break
    assert world.open() == []
    assert world.wrong() == []


def _something_happens(data: st.DataObject, world: World) -> None:
    """Something is begun, claimed, lands, fails, or is reported late."""
    moving = world.under_way()
    late = [e for e in world.ledger.values() if e.state is State.WITHDRAWN and e.op is not Op.UNDO and not e.needs]
    ready = world.ready()
    free = [e for e in ready if e.id not in world.busy]
    may = [*(["land"] * 2 if moving else ()), *(["begin"] * 2 if ready else ()), *(["claim"] if free else ())]
    may += [*(["fail", "return"] if moving else ()), *(["late"] if late else ())]
    if not may:
        return
    match data.draw(st.sampled_from(may)):
        case "begin":
            world.begin(data.draw(st.sampled_from(ready)))
        case "claim":
            world.claim(data.draw(st.sampled_from(free)))
        case "late":
            world.end(data.draw(st.sampled_from(late)), State.CONFIRMED)
        case what:
            states = {"land": State.CONFIRMED, "fail": State.FAILED, "return": State.INTENT}
            world.end(data.draw(st.sampled_from(moving)), states[what])


# The least number of steps, found by trying: a fact is what stands of a kind (none, old, new, or both).
Facts = tuple[str, ...]


def least(kinds: Kinds, as_is: Mapping[str, str], to_be: Mapping[str, str]) -> int:
    """The length of the shortest way; every step obeys the order of the catalogue."""
    names = sorted(kinds)
    start: Facts = tuple("" if n not in as_is else "n" if to_be.get(n) == as_is[n] else "o" for n in names)
    goal: Facts = tuple("n" if n in to_be else "" for n in names)
    queue, best = [(0, start)], {start: 0}
    while queue:
        so_far, at = heappop(queue)
        if at == goal:
            return so_far
        for after in _moves(kinds, names, dict(zip(names, at, strict=True)), to_be):
            if so_far + 1 < best.get(after, 99):
                best[after] = so_far + 1
                heappush(queue, (so_far + 1, after))
    raise AssertionError("there is no way")


def _moves(kinds: Kinds, names: list[str], at: dict[str, str], to_be: Mapping[str, str]) -> list[Facts]:
    found = []

    def go(n: str, what: str) -> None:
        found.append(tuple((at | {n: what})[m] for m in names))

    for n in names:
        kind, above = kinds[n], [m for m in names if n in kinds[m].after]
        grounded = all("n" in at[b] for b in kind.after if b in to_be)
        if n in to_be and "n" not in at[n] and grounded:
            if not at[n] or kind.on_change == "in_place":
                go(n, "n")
            elif kind.on_change == "make_before_break":
                go(n, "on")
        if at[n] == "o" and n not in to_be and all(at[m] in ("", "n") and (not at[m] or m in to_be) for m in above):
            go(n, "")
        if "o" in at[n] and n in to_be and kind.on_change == "break_first" and not any(at[m] for m in above):
            go(n, "")
        if at[n] == "on" and all("o" not in at[m] for m in above):
            go(n, "n")
        # What stands on something that is broken has to go, whether it is wanted or not.
        if (
            at[n] in ("n", "o")
            and n in to_be
            and _stands_on_broken(kinds, at, to_be, n)
            and not any(at[m] for m in above)
        ):
            go(n, "")
    return found


def _stands_on_broken(kinds: Kinds, at: Mapping[str, str], to_be: Mapping[str, str], n: str) -> bool:
    return any(
        (at[b] == "o" and b in to_be and kinds[b].on_change == "break_first") or _stands_on_broken(kinds, at, to_be, b)
        for b in kinds[n].after
        if b in to_be
    )


def steps_of(kinds: Kinds, as_is: Mapping[str, str], to_be: Mapping[str, str]) -> Plan:
    world = World(kinds)
    world.want(as_is)
    carry_out(world)
    found = world.want(to_be)
    carry_out(world)
    assert world.wrong() == []
    return found


def forests(n: int) -> list[Any]:
    return list(product(*[[None, *range(i)] for i in range(n)]))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_plan_is_longer_than_it_must_be_on_every_small_tree(n: int) -> None:
    checked = 0
    for parents in forests(n):
        for modes in product(MODES, repeat=n):
            kinds = {
                NAMES[i]: Kind(NAMES[i], () if p is None else (NAMES[p],), modes[i]) for i, p in enumerate(parents)
            }
            for was in product((False, True), repeat=n):
                for becomes in product(("", "0", "1"), repeat=n):
                    as_is = {NAMES[i]: "0" for i in range(n) if was[i]}
                    to_be = {NAMES[i]: h for i, h in enumerate(becomes) if h}
                    found = steps_of(kinds, as_is, to_be)
                    assert len(found.steps) == least(kinds, as_is, to_be), (kinds, as_is, to_be)
                    checked += 1
    assert checked == {1: 3 * 2 * 3, 2: 2 * 9 * 4 * 9, 3: 6 * 27 * 8 * 27}[n]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_plan_is_longer_than_it_must_be_on_larger_ones(data: st.DataObject) -> None:
    kinds = data.draw(graphs(lasting=False))
    as_is = dict.fromkeys(data.draw(st.sets(st.sampled_from(sorted(kinds)))), "0")
    to_be = data.draw(st.dictionaries(st.sampled_from(sorted(kinds)), st.sampled_from("01")))
    assert len(steps_of(kinds, as_is, to_be).steps) == least(kinds, as_is, to_be)
