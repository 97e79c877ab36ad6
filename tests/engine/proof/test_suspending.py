"""What comes for a suspended instance does the same when it is resumed as it would have done at once."""

import random
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.proof import stand
from tests.engine.proof.explore import budget, possible
from tests.engine.proof.generator import generate
from tests.engine.proof.stand import InMemory

from diaodu.engine.instance import ACTIVE, KEPT, READY, SUSPENDED

STEPS = 15
SEEDS = st.integers(0, 2**32 - 1)


def set_all(engine: InMemory, before: int, after: int) -> None:
    """Suspend or resume all instances of the root, as the command does in the tables."""
    rows = engine.memory.instances
    rows |= {i: replace(row, state=after) for i, row in rows.items() if row.state == before}


def resume(engine: InMemory) -> None:
    set_all(engine, SUSPENDED, ACTIVE)
    jobs = engine.memory.jobs
    jobs |= {i: replace(job, state=READY) for i, job in jobs.items() if job.state == KEPT}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(SEEDS)
def test_what_is_kept_does_what_it_would_have_done(seed: int) -> None:
    rng = random.Random(seed)
    case = generate(rng.randrange)
    runs = InMemory()
    runs.deploy(*case.files)
    stand.begin(runs, case.process, case.vars)
    left, pauses = budget(case), runs.branch()
    for _ in range(STEPS):
        picture = runs.picture()
        chosen = [
            (stimulus, number, after)
            for stimulus, after in possible(case, stand.observed(picture), left)
            for number in range(len(stand.targets(picture, stimulus)))
        ]
        if not chosen:
            break
        stimulus, number, left = rng.choice(chosen)
        before = pauses.picture()
        set_all(pauses, ACTIVE, SUSPENDED)
        for engine, at in ((runs, picture), (pauses, before)):
            stand.prepare(engine, at, stimulus, stand.targets(at, stimulus)[number])
            engine.work()
        cancelled = stimulus[0] == "cancel"
        held = pauses.picture()
        assert cancelled or [v.tokens for v in held.instances] == [v.tokens for v in before.instances]
        resume(pauses)
        pauses.work()
        assert stand.observed(pauses.picture()) == stand.observed(runs.picture())
        assert stand.litter(pauses.picture()) == []
        assert not [job for job in pauses.memory.jobs.values() if job.state == KEPT]
