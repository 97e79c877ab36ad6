"""Workers die after each statement and each commit; the case comes to the same end as if none had."""

import random
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.engine.proof import stand
from tests.engine.proof.explore import Case, budget, possible
from tests.engine.proof.fragile import Crash, Fragile
from tests.engine.proof.generator import generate
from tests.engine.proof.patterns import ALL
from tests.engine.proof.stand import InMemory, OnTables, Stand, Stimulus

from diaodu.engine.model import Start

STEPS_MAX = 12
RANDOM, RANDOM_SIZE, RANDOM_STEPS = 50, 4, 5


@pytest.fixture(scope="module")
def fragile(postgres_dsn: str, _template: str) -> Iterator[Fragile]:
    """One database for all: each case is a root of its own."""
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute(f"create database proof_of_crashes template {_template}".encode())
    database = Fragile(make_conninfo(postgres_dsn, dbname="proof_of_crashes"))
    yield database
    database.close()


def schedule(case: Case, seed: int, steps: int = STEPS_MAX) -> list[tuple[Stimulus, int]]:
    """What happens, and to which of the tokens for which it may be meant: found by playing in memory."""
    rng, left = random.Random(seed), budget(case)
    played: list[tuple[Stimulus, int]] = []
    engine = InMemory()
    engine.deploy(*case.files)
    stand.begin(engine, case.process, case.vars)
    while len(played) < steps:
        picture = engine.picture()
        stimuli = [s for s in possible(case, stand.observed(picture), left) if stand.targets(picture, s[0])]
        if not stimuli:
            break
        stimulus, left = rng.choice(stimuli)
        position = rng.randrange(len(stand.targets(picture, stimulus)))
        played.append((stimulus, position))
        _put(engine, stimulus, position)
        engine.work()
    return played


def _put(engine: Stand, stimulus: Stimulus, position: int) -> None:
    picture = engine.picture()
    stand.prepare(engine, picture, stimulus, stand.targets(picture, stimulus)[position])


def _seen(engine: Stand) -> tuple[object, ...]:
    picture = engine.picture()
    assert not stand.litter(picture)
    return stand.observed(picture), sorted(engine.done()), len(picture.tasks), len(picture.jobs)


def in_memory(case: Case, played: list[tuple[Stimulus, int]]) -> list[tuple[object, ...]]:
    """What is seen after each step, without a database and without a crash."""
    engine = InMemory()
    engine.deploy(*case.files)
    stand.begin(engine, case.process, case.vars)
    found = [_seen(engine)]
    for stimulus, position in played:
        _put(engine, stimulus, position)
        engine.work()
        found.append(_seen(engine))
    return found


def with_crashes(case: Case, played: list[tuple[Stimulus, int]], db: Fragile) -> tuple[list[tuple[object, ...]], int]:
    """The same on PostgreSQL, each worker dying one statement later than the one before; and how many died."""
    engine = OnTables(db)
    engine.deploy(*case.files)
    engine.hand_in(Start(engine.root, case.process, stand.KEY, case.vars))
    deaths = _work(engine, db)
    found = [_seen(engine)]
    for stimulus, position in played:
        _put(engine, stimulus, position)
        deaths += _work(engine, db)
        found.append(_seen(engine))
    return found, deaths


def _work(engine: OnTables, db: Fragile) -> int:
    deaths = 0
    while True:
        db.left = deaths
        try:
            engine.work()
        except Crash:
            deaths += 1
        else:
            return deaths
        finally:
            db.left = None


@pytest.mark.parametrize("number", ALL)
def test_a_crash_at_every_commit_changes_nothing_for_a_pattern(fragile: Fragile, number: int) -> None:
    played = schedule(ALL[number], number)
    found, deaths = with_crashes(ALL[number], played, fragile)
    assert found == in_memory(ALL[number], played)
    assert deaths > 5 * len(played)


def test_a_crash_at_every_commit_changes_nothing_for_random_processes(fragile: Fragile) -> None:
    for seed in range(RANDOM):
        case = generate(random.Random(seed).randrange, RANDOM_SIZE)
        played = schedule(case, seed, RANDOM_STEPS)
        found, deaths = with_crashes(case, played, fragile)
        assert found == in_memory(case, played), f"seed {seed}: {played}"
        assert deaths > 5 * len(played)
