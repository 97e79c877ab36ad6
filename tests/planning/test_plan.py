"""plan(): from any facts to anything wanted, with nothing done twice and undoing in reverse."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from diaodu.planning.model import Effect, Op, Plan, SharedThings, State, Step, Wanted
from diaodu.planning.plan import RELEASE, current_facts, plan

# A kind comes after some of the kinds before it; every third one cannot be taken back.
KINDS = tuple("abcdefgh")
AFTER = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": (), "f": ("d", "e"), "g": ("a", "f"), "h": ("g",)}
LASTING = frozenset("ch")
_ids = count(1000)


def wanted(kind: str, reads: str = "0", thing: int = 1) -> Wanted:
    undo = {"kind": None if kind in LASTING else f"un{kind}", "work": "U", "after": list(AFTER[kind]), "of": "x"}
    return Wanted(thing, kind, "1", "1", "W", "sys:1", 5, reads, {"reads": reads}, undo, AFTER[kind])


def effect_of(step: Step, state: State) -> Effect:
    return Effect(
        id=next(_ids), order_id=1, revision=1, thing_id=step.thing_id, kind=step.kind, item_key=step.item_key,
        op=step.op, of_id=step.of_id, state=state, ready=True, needs=(), work=step.work, element=step.element,
        priority=step.priority, reads_hash=step.reads_hash, params=step.params, undo=step.undo,
    )  # fmt: skip


def sequence(steps: Sequence[Step]) -> list[Step]:
    """The steps in an order that respects what each waits for; fails when they wait for each other."""
    done: list[Step] = []
    left = list(steps)
    while left:
        keys = {s.key for s in left}
        free = [s for s in left if not s.after & keys]
        assert free, f"these wait for each other: {sorted(keys)}"
        done += free
        left = [s for s in left if s not in free]
    return done


def carried_out(facts: Sequence[Effect], result: Plan, *, steps: int | None = None) -> list[Effect]:
    """The ledger after the first ``steps`` steps (all unless told) were confirmed; the others are sent."""
    ledger = {e.id: e for e in facts}
    for n, step in enumerate(sequence(result.steps)):
        landed = steps is None or n < steps
        made = effect_of(step, State.CONFIRMED if landed else State.SENT)
        ledger[made.id] = made
        if landed and step.op is Op.UNDO:
            assert step.of_id is not None
            ledger[step.of_id] = replace(ledger[step.of_id], state=State.UNDONE)
    return list(ledger.values())


WISHES = st.dictionaries(st.sampled_from(KINDS), st.sampled_from("012"))


def wishes(of: dict[str, str]) -> list[Wanted]:
    return [wanted(kind, reads) for kind, reads in sorted(of.items())]


@settings(deadline=None)  # a loaded machine is no fault of the plan
@given(WISHES)
def test_what_a_plan_has_reached_needs_no_plan(first: dict[str, str]) -> None:
    result = plan([], wishes(first))
    assert sorted(s.kind for s in result.steps) == sorted(first)
    assert {s.op for s in result.steps} <= {Op.DO}
    facts = carried_out([], result)
    assert plan(facts, wishes(first)) == Plan(
        (), keep=tuple(e.id for w in wishes(first) for e in facts if e.kind == w.kind)
    )


@settings(deadline=None)  # a loaded machine is no fault of the plan
@given(WISHES, WISHES)
def test_a_change_does_only_what_differs_and_then_needs_no_plan(first: dict[str, str], second: dict[str, str]) -> None:
    facts = carried_out([], plan([], wishes(first)))
    result = plan(facts, wishes(second))

    steps = {s.kind: s for s in result.steps}
    assert len(steps) == len(result.steps)
    same = {k for k in second if first.get(k) == second[k]}
    removed = set(first) - set(second) - LASTING
    assert {k for k, s in steps.items() if s.op is Op.DO} == set(second) - set(first)
    assert {k for k, s in steps.items() if s.op is Op.REDO} == (set(second) & set(first)) - same
    assert {k.removeprefix("un") for k, s in steps.items() if s.op is Op.UNDO} == removed
    assert set(result.keep) == {e.id for e in facts if e.kind in same}
    by_id = {e.id: e for e in facts}
    assert all(by_id[s.of_id].kind == s.kind.removeprefix("un") for s in result.steps if s.of_id is not None)

    after = carried_out(facts, result)
    again = plan(after, wishes(second))
    assert again.steps == ()
    assert {(e.kind, e.reads_hash) for e in current_facts(after).values() if e.kind in second} == set(second.items())


@settings(deadline=None)  # a loaded machine is no fault of the plan
@given(WISHES)
def test_what_is_taken_back_goes_in_the_reverse_of_how_it_was_done(first: dict[str, str]) -> None:
    doing = plan([], wishes(first))
    facts = carried_out([], doing)
    undoing = {s.kind: s for s in plan(facts, []).steps}

    for step in doing.steps:
        for _, below, _ in step.after:
            if f"un{step.kind}" in undoing and f"un{below}" in undoing:
                assert undoing[f"un{step.kind}"].key in undoing[f"un{below}"].after
    sequence(list(undoing.values()))


@settings(deadline=None)  # a loaded machine is no fault of the plan
@given(WISHES, WISHES, st.integers(0, 8))
def test_what_is_in_flight_is_left_alone(first: dict[str, str], second: dict[str, str], landed: int) -> None:
    facts = carried_out([], plan([], wishes(first)), steps=landed)
    in_flight = {e.kind: e for e in facts if e.state is State.SENT}
    result = plan(facts, wishes(second))

    assert not {s.kind for s in result.steps} & set(in_flight)
    assert {e.id for k, e in in_flight.items() if k in second} <= set(result.keep)
    assert result.withdraw == ()
    for s in result.steps:
        if s.op is Op.DO:
            waits = {
                k for k in AFTER[s.kind] if k in second and (k in in_flight or any(x.kind == k for x in result.steps))
            }
            assert {k for _, k, _ in s.after} | {k for k, e in in_flight.items() if e.id in s.needs} == waits


@settings(deadline=None)  # a loaded machine is no fault of the plan
@given(WISHES)
def test_an_intent_that_nobody_wants_any_more_is_withdrawn(first: dict[str, str]) -> None:
    facts = [effect_of(s, State.INTENT) for s in plan([], wishes(first)).steps]
    result = plan(facts, [])
    assert (result.steps, set(result.withdraw)) == ((), {e.id for e in facts})


def test_an_undo_that_runs_is_not_begun_again() -> None:
    facts = carried_out([], plan([], [wanted("a"), wanted("b")]))
    undoing = carried_out(facts, plan(facts, []), steps=0)
    assert [e.kind for e in undoing if e.op is Op.UNDO] == ["unb", "una"]
    assert plan(undoing, []).steps == ()


def test_an_undo_names_the_key_that_it_takes_back_and_its_resources() -> None:
    fact = replace(
        effect_of(plan([], [wanted("a")]).steps[0], State.CONFIRMED), id=7, result={"resources": [{"id": 3}, {"id": 4}]}
    )
    assert plan([fact], []).steps[0].params == {"reads": "0", "of": "7", "of_kind": "a", "resources": [3, 4]}
    inherited = replace(fact, op=Op.INHERITED, params={"reads": "0", "key": "99"})
    assert plan([inherited], []).steps[0].params["of"] == "99"


def test_a_newer_fact_stands_for_the_one_that_it_replaced() -> None:
    old = effect_of(plan([], [wanted("a", "0")]).steps[0], State.CONFIRMED)
    new = effect_of(plan([old], [wanted("a", "1")]).steps[0], State.CONFIRMED)
    inherited = replace(old, id=new.id + 1, op=Op.INHERITED)
    assert (new.op, new.of_id) == (Op.REDO, old.id)
    assert current_facts([inherited, new, old]) == {(1, "a"): new}


def test_a_shared_thing_is_asked_about_before_anything_is_taken_down() -> None:
    facts = [
        *carried_out([], plan([], [wanted("a", thing=5), wanted("e", thing=6)])),
    ]
    leaving = {5: frozenset({51, 52})}

    asking = plan(facts, [], SharedThings(leaving)).steps
    assert [(s.kind, s.thing_id, s.params) for s in asking] == [(RELEASE, 5, {"thing": 5, "products": [51, 52]})]

    asked = [*facts, effect_of(asking[0], State.INTENT)]
    assert plan(asked, [], SharedThings(leaving)) == Plan()
    others = plan(asked, [], SharedThings(leaving, answered=frozenset({5}))).steps
    assert [(s.kind, s.thing_id) for s in others] == [("une", 6)]
    last = plan(asked, [], SharedThings(leaving, frozenset({5}), last_user_gone=frozenset({5}))).steps
    assert [(s.kind, s.thing_id) for s in last] == [("una", 5), ("une", 6)]
