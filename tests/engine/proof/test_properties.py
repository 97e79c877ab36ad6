"""Random sound processes: in the standard whatever happens, in batches as one by one, and told by their history."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.proof import stand
from tests.engine.proof.explore import Case, Left, budget, explore, fingerprint, possible
from tests.engine.proof.generator import Pick, generate
from tests.engine.proof.stand import InMemory, Stimulus

from diaodu.engine.instance import CANCELLED, ENDED

STEPS_MAX = 15
# What a seed draws is too far from it to be made smaller; a failure names it.
SEEDS = st.integers(0, 2**32 - 1)
QUICK = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def started(case: Case) -> InMemory:
    engine = InMemory()
    engine.deploy(*case.files)
    stand.begin(engine, case.process, case.vars)
    return engine


def together(case: Case, engine: InMemory, left: Left, pick: Pick) -> tuple[list[tuple[Stimulus, int]], Left]:
    """Some things that happen before the engine gets to work; a later one may come too late."""
    chosen: list[tuple[Stimulus, int]] = []
    picture = engine.picture()
    for _ in range(1 + pick(3)):
        used = {target for _, target in chosen} - {0}
        open_to = [
            (stimulus, target, after)
            for stimulus, after in possible(case, stand.observed(picture), left)
            for target in stand.targets(picture, stimulus)
            if target not in used
        ]
        if open_to:
            stimulus, target, left = open_to[pick(len(open_to))]
            chosen.append((stimulus, target))
    return chosen, left


@settings(QUICK, max_examples=80)
@given(SEEDS)
def test_a_random_process_does_what_the_standard_says(seed: int) -> None:
    explore(generate(random.Random(seed).randrange), limit=100)


@pytest.mark.slow
def test_many_random_processes_do_what_the_standard_says() -> None:
    for seed in range(100):
        explore(generate(random.Random(seed).randrange, 9), limit=300)


@QUICK
@given(SEEDS)
def test_a_batch_of_n_is_n_batches_of_one(seed: int) -> None:
    pick = random.Random(seed).randrange
    case = generate(pick)
    engine, left = started(case), budget(case)
    for _ in range(STEPS_MAX):
        chosen, left = together(case, engine, left, pick)
        if not chosen:
            break
        single = engine.branch()
        for at, each in ((engine, 64), (single, 1)):
            picture = at.picture()
            for stimulus, target in chosen:
                stand.prepare(at, picture, stimulus, target)
            at.work(each)
        assert fingerprint(engine, engine.picture()) == fingerprint(single, single.picture())
        assert engine.done() == single.done()
        assert not stand.litter(engine.picture())


@QUICK
@given(SEEDS)
def test_the_history_told_from_its_start_is_the_live_state(seed: int) -> None:
    pick = random.Random(seed).randrange
    case = generate(pick)
    engine, left = started(case), budget(case)
    for _ in range(STEPS_MAX):
        picture = engine.picture()
        told = folded(engine.entries(), picture.instances[0].graph)
        assert told == {
            "active": {v.id for v in picture.instances if v.state == 0},
            "tasks": Counter(node for _, _, node, state in picture.tasks if state < stand.OPEN_TASK),
            "incidents": len(picture.incidents),
        }
        chosen, left = together(case, engine, left, pick)
        for stimulus, target in chosen:
            stand.prepare(engine, picture, stimulus, target)
        engine.work()


def folded(entries: list[dict[str, Any]], graph: Any) -> dict[str, Any]:
    """The active instances, open tasks by node and open incidents, from nothing but the history."""
    loops = {n.id for n in graph.nodes if n.loop is not None}
    active: set[int] = set()
    tasks: Counter[str] = Counter()
    offered: dict[int, str] = {}
    incidents = 0
    for entry in entries:
        match entry["t"]:
            case "instance.started":
                active.add(entry["instance"])
            case "instance.ended" | "instance.cancelled":
                active.remove(entry["instance"])
            case "task.offered":
                offered[entry["task"]] = entry["node"]
                tasks[entry["node"]] += 1
            case "task.withdrawn":
                tasks[offered[entry["task"]]] -= 1
            case "turn.done" if entry["node"] in offered.values():
                tasks[entry["node"]] -= 1
            case "node.done" if entry["node"] in offered.values() and entry["node"] not in loops:
                tasks[entry["node"]] -= 1
            case "incident.opened":
                incidents += 1
    return {"active": active, "tasks": +tasks, "incidents": incidents}


@pytest.mark.parametrize("seed", range(5))
def test_a_cancelled_case_leaves_nothing_behind(seed: int) -> None:
    rng = random.Random(seed)
    case = generate(rng.randrange)
    engine = started(case)
    stand.prepare(engine, engine.picture(), ("cancel", case.process), 0)
    engine.work()
    assert all(view.state in (ENDED, CANCELLED) for view in engine.picture().instances)
    assert (engine.memory.jobs, stand.litter(engine.picture())) == ({}, [])
