"""One episode: a sequence of events with crashes, checked after each; then everything is led to its end."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from random import Random

from diaodu.app.invariants import check_all
from diaodu.app.proof_change.events import EVENTS
from diaodu.app.proof_change.ground import Died, Ground, Site
from diaodu.app.proof_change.quiet import lead_to_the_end
from diaodu.app.proof_change.world import World
from diaodu.kernel.errors import Rejected

LENGTH = 50
CRASHES = 0.12  # of the events are not lived through
COMMITS = 4  # at one of the next so many commits


@dataclass(frozen=True)
class Step:
    """An event, the number that its chances follow from, and at which commit somebody dies (negative: just after)."""

    event: str
    seed: int
    dies_at: int | None = None

    def __str__(self) -> str:
        return f"{self.event}:{self.seed}" + ("" if self.dies_at is None else f"!{self.dies_at}")


@dataclass(frozen=True)
class Finding:
    """What is wrong, and the shortest sequence known that leads to it."""

    seed: int
    steps: tuple[Step, ...]
    violations: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"seed {self.seed}: {' '.join(map(str, self.steps))}"
        yield from (f"  {v}" for v in self.violations)


def steps_of(seed: int, length: int = LENGTH) -> tuple[Step, ...]:
    """The events of an episode."""
    rng = Random(seed)
    names = list(EVENTS)
    weights = [EVENTS[name][0] for name in names]
    begun = rng.choice((["capture", "capture"], ["install", "capture"], ["install", "capture", "capture"]))
    chosen = begun + rng.choices(names, weights, k=length - len(begun))
    return tuple(
        Step(name, rng.randrange(1_000_000), _death(rng) if rng.random() < CRASHES else None) for name in chosen
    )


def _death(rng: Random) -> int:
    commit = rng.randint(1, COMMITS)
    return commit if rng.random() < 0.5 else -commit


def play(ground: Ground, seed: int, steps: Sequence[Step], *, to_the_end: bool = True) -> Finding | None:
    """Let it all happen; what is found first, with the steps up to there."""
    with ground.clone() as site, closing(World(site)) as world:
        for n, step in enumerate(steps, 1):
            if violations := _happen(world, step):
                return Finding(seed, tuple(steps[:n]), tuple(violations))
        if to_the_end and (violations := _end(world, seed)):
            return Finding(seed, tuple(steps), tuple(violations))
    return None


def _happen(world: World, step: Step) -> list[str]:
    if step.dies_at is not None:
        world.db.fuse, world.db.after = abs(step.dies_at) - 1, step.dies_at < 0
    try:
        EVENTS[step.event][1](world, Random(step.seed))
    except Died:
        world.crew.replace()
    except Rejected:
        pass
    except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
        return [f"{step}: {traceback.format_exc()}"]
    world.db.fuse = None
    return broken(world.site)


def _end(world: World, seed: int) -> list[str]:
    try:
        left = lead_to_the_end(world, Random(seed))
    except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
        return [f"at the end: {traceback.format_exc()}"]
    return left + broken(world.site, network=True)


# What a worker gave up for a reason that nobody foresaw.
_BUGS = """
select n.root_id, n.node, n.code, n.message from engine.incident n
 where starts_with(n.code, 'engine.') and n.code <> 'engine.worker-died' or n.code = 'inventory.request-failed'
"""


def broken(site: Site, *, network: bool = False) -> list[str]:
    """The invariants that do not hold; the network is compared when nothing is under way."""
    found = [f"{c.name}: {v}" for c in check_all(site.reader, network=network) for v in c.violations]
    return found + [f"order {root}: {node} failed with {code}: {text}" for root, node, code, text in site.rows(_BUGS)]


def shorten(ground: Ground, found: Finding, tries: int = 60) -> Finding:
    """Leave out what is not needed for it: halves, quarters, single events."""
    best, size = found, max(1, len(found.steps) // 2)
    while tries > 0:
        at = 0
        while at < len(best.steps) and tries > 0:
            tries -= 1
            fewer = best.steps[:at] + best.steps[at + size :]
            again = play(ground, found.seed, fewer)
            if again is not None and _alike(again, found):
                best = again
            else:
                at += size
        if size == 1:
            break
        size //= 2
    return best


def _alike(a: Finding, b: Finding) -> bool:
    return a.violations[0].partition(":")[0] == b.violations[0].partition(":")[0]
