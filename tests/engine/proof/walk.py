"""Walks through the oracle's states."""

from collections.abc import Iterable, Sequence
from typing import Any

from tests.engine.proof.diagram import Diagram, Vars
from tests.engine.proof.oracle import Run
from tests.engine.proof.things import pairs


def begin(diagram: Diagram, process: str, variables: Vars) -> Run:
    """A run of a process, its first token not yet moved."""
    run = Run(diagram, {})
    i = run._open(diagram.nodes[process], 0, vars=pairs(variables))
    run._add("@" + run._entry(process), i)
    return run


def follow(steps: Iterable[tuple[str | None, Run]], done: Sequence[str]) -> list[Run]:
    """The states at rest to which exactly these nodes lead, completed in this order."""
    return [run for run, left in _explore(steps, done) if left == len(done)]


def rest(steps: Iterable[tuple[str | None, Run]]) -> list[Run]:
    """All states at rest to which any order leads."""
    return [run for run, _ in _explore(steps, None)]


def _explore(steps: Iterable[tuple[str | None, Run]], done: Sequence[str] | None) -> list[tuple[Run, int]]:
    found: dict[Any, tuple[Run, int]] = {}
    been = set()
    stack = [(label, run, 0) for label, run in steps]
    while stack:
        label, run, at = stack.pop()
        if done is not None and label is not None:
            if at == len(done) or done[at] != label:
                continue
            at += 1
        key = (run.key(), at)
        if key in been:
            continue
        been.add(key)
        following = list(run.moves())
        stack += [(label, run, at) for label, run in following]
        if not following:
            found[key] = (run, at)
    return list(found.values())
