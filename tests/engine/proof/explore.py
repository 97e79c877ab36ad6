"""Every interleaving of what comes from outside, on the engine in memory and on the oracle side by side."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from tests.engine.proof import stand, walk
from tests.engine.proof.diagram import Diagram, Vars, read
from tests.engine.proof.oracle import Run
from tests.engine.proof.stand import InMemory, Picture, Stimulus
from tests.engine.proof.things import Observed

# A case of more states than this is too large to be explored.
STATES_MAX = 20_000
_ID = re.compile(rb"\d{12,}")


@dataclass(frozen=True)
class Case:
    """A process, and what may happen to it from outside.

    ``outcomes`` are the ways in which the work at a node may end (variables, or an error code; once without any if it
    is not named), ``messages`` and ``signals`` how often each may come. With ``narrow`` the engine may leave out some
    of what the standard allows.
    """

    name: str
    files: Sequence[bytes]
    vars: Vars = field(default_factory=dict)
    outcomes: Mapping[str, Sequence[Vars | str]] = field(default_factory=dict)
    messages: Mapping[str, int] = field(default_factory=dict)
    signals: Mapping[str, int] = field(default_factory=dict)
    more: Mapping[str, int] = field(default_factory=dict)  # instances to be added to a multi-instance activity
    fewer: Mapping[str, int] = field(default_factory=dict)  # and to be taken back
    cancel: bool = False
    narrow: bool = False
    process: str = "p"


@dataclass
class Found:
    """What an exploration has seen; ``ends`` are the states in which nothing is left to happen."""

    states: int = 0
    steps: int = 0
    ends: set[Observed] = field(default_factory=set)
    paths: dict[Observed, tuple[Stimulus, ...]] = field(default_factory=dict)  # a way to each end
    done: set[tuple[str, ...]] = field(default_factory=set)  # the nodes that a way to an end completed, sorted


Left = tuple[tuple[str, str, int], ...]  # messages and signals that may still come


def explore(case: Case, limit: int | None = None) -> Found:
    """Walk through all states, or ``limit`` of them; AssertionError with the way where engine and oracle differ."""
    diagram, found = read(*case.files), Found()
    first = _begin(case)
    runs = walk.follow([(None, walk.begin(diagram, case.process, case.vars))], first.done())
    assert runs, f"{case.name}: the start completes {first.done()}"
    stack: list[tuple[InMemory, list[Run], Left, tuple[Stimulus, ...], tuple[str, ...]]]
    stack = [(first, runs, budget(case), (), ())]
    been: set[Any] = set()
    while stack:
        engine, runs, left, path, done = stack.pop()
        picture = engine.picture()
        seen = stand.observed(picture)
        runs = [r for r in runs if r.observed() == seen]
        here = f"{case.name} after {list(path)}"
        assert runs, f"{here}: the engine shows {seen}"
        assert not (litter := stand.litter(picture)), f"{here}: {litter}"
        assert not picture.incidents, f"{here}: {picture.incidents}"
        key = (fingerprint(engine, picture), frozenset(r.key() for r in runs), left)
        if key in been:
            continue
        been.add(key)
        found.states += 1
        if found.states == limit:
            return found
        assert found.states <= STATES_MAX, f"{case.name} has more than {STATES_MAX} states"
        stimuli = list(possible(case, seen, left))
        if not stimuli:
            found.ends.add(seen)
            found.paths.setdefault(seen, path)
            found.done.add(tuple(sorted(done)))
        for stimulus, rest in stimuli:
            for target in stand.targets(picture, stimulus):
                after, completed = act(engine, picture, stimulus, target)
                found.steps += 1
                steps = (step for run in runs for step in answers(run, stimulus))
                following = walk.follow(steps, completed)
                assert following, f"{here}: {stimulus} completes {completed}"
                stack.append((after, following, rest, (*path, stimulus), (*done, *completed)))
    _complete(case, diagram, found)
    return found


def _begin(case: Case) -> InMemory:
    engine = InMemory()
    engine.deploy(*case.files)
    stand.begin(engine, case.process, case.vars)
    return engine


def _complete(case: Case, diagram: Diagram, found: Found) -> None:
    """Nothing that the standard allows is missing, unless it leaves the order of inner moves open."""
    ends, is_open = oracle_ends(case, diagram)
    assert found.ends <= ends, f"{case.name}: {found.ends - ends} is not in the standard"
    if not case.narrow and not is_open:
        assert found.ends == ends, f"{case.name}: {ends - found.ends} is never reached"


def oracle_ends(case: Case, diagram: Diagram) -> tuple[set[Observed], bool]:
    """The states in which nothing is left to happen, by the oracle alone; and whether inner moves make a difference."""
    begun = walk.rest([(None, walk.begin(diagram, case.process, case.vars))])
    ends, been, is_open = set(), set(), len(begun) > 1
    stack = [(run, budget(case)) for run in begun]
    while stack:
        run, left = stack.pop()
        key = (run.key(), left)
        if key in been:
            continue
        been.add(key)
        assert len(been) <= STATES_MAX, f"{case.name} has more than {STATES_MAX} states"
        seen = run.observed()
        stimuli = list(possible(case, seen, left))
        if not stimuli:
            ends.add(seen)
        for stimulus, rest in stimuli:
            ways = [walk.rest([step]) for step in answers(run, stimulus)]
            # Of several that wait for a message one gets it; which of equal tasks is done is chosen from outside.
            is_open |= any(len(way) > 1 for way in ways) or (stimulus[0] == "message" and len(ways) > 1)
            stack += [(following, rest) for way in ways for following in way]
    return ends, is_open


def budget(case: Case) -> Left:
    """What may come without anybody waiting for it."""
    counts = {"message": case.messages, "signal": case.signals, "more": case.more, "fewer": case.fewer}
    named = [(kind, name, count) for kind, of_kind in counts.items() for name, count in of_kind.items()]
    return tuple(sorted(named + [("cancel", case.process, 1)] * case.cancel))


def possible(case: Case, seen: Observed, left: Left) -> Iterator[tuple[Stimulus, Left]]:
    """What may happen next, and what may still come after it."""
    if seen.ended:
        return
    for kind, name in sorted(set(seen.waits)):
        if kind == "work":
            for outcome in case.outcomes.get(name, [{}]):
                yield ("work", name, outcome), left
        elif kind == "timer":
            yield ("timer", name), left
    for entry in left:
        kind, name, count = entry
        fewer = [(kind, name, count - 1)] if count > 1 else []
        yield (kind, name), tuple(sorted([e for e in left if e is not entry] + fewer))


def answers(run: Run, stimulus: Stimulus) -> Iterator[tuple[str | None, Run]]:
    """What the oracle makes of a stimulus."""
    match stimulus:
        case ("work", node, outcome):
            return run.work(node, outcome)
        case ("timer", event):
            return run.fire(event)
        case ("message", name):
            return run.send(name)
        case ("signal", name):
            return run.shout(name)
        case ("more", node):
            return run.more(node)
        case ("fewer", node):
            return run.fewer(node)
    return run.cancel()


def act(engine: InMemory, picture: Picture, stimulus: Stimulus, target: int) -> tuple[InMemory, list[str]]:
    """The engine after a stimulus, and the nodes that it completed."""
    after = engine.branch()
    after.memory.history = ()
    stand.prepare(after, picture, stimulus, target)
    after.work()
    return after, after.done()


def fingerprint(engine: InMemory, picture: Picture) -> bytes:
    """The same for states that differ only in the names of things, in what is over, and in due times."""
    memory = engine.memory
    names: dict[bytes, bytes] = {}
    active = [v for v in picture.instances if v.state == 0]
    text = orjson.dumps(
        [
            [
                (v.id, v.graph.key, [t.dump() for t in v.tokens], v.early, v.vars, v.parent, v.parent_token)
                for v in active
            ],
            [(j.id, j.token_id, j.kind, j.name, j.state, j.attempts, j.body) for j in memory.jobs.values()],
            [(t.id, t.token_id) for t in memory.tasks.values() if t.state < stand.OPEN_TASK],
        ]
    )
    # The ids are given out in order, so that equal states have them in an equal order.
    return _ID.sub(lambda found: names.setdefault(found[0], b"#%d" % len(names)), text)
