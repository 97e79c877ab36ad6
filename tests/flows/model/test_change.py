"""Every event at small orders, in every order of arrival, with crashes at commits; the invariants hold after each."""

import pytest

from diaodu.app.proof_change.episode import Finding, play, shorten, steps_of
from diaodu.app.proof_change.ground import Ground

EPISODES = 20  # of 50 events


@pytest.fixture(scope="module")
def ground(postgres_dsn: str) -> Ground:
    return Ground(postgres_dsn)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, EPISODES + 1))
def test_whatever_happens_all_is_whole_and_comes_to_its_end(ground: Ground, seed: int) -> None:
    # Systems that lose replies do so in real time: what such an episode comes to differs from run to run, so that these
    # belong to `diaodu proof --of change`.
    found = play(ground, seed, tuple(s for s in steps_of(seed) if s.event != "misbehave"))
    assert found is None, told(ground, found)


def told(ground: Ground, found: Finding) -> str:
    return "\n".join(shorten(ground, found, tries=20).lines())
