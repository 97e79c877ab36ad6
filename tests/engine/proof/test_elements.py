"""Elements that meet: every interleaving, against the oracle."""

import pytest
from tests.engine.proof.elements import ALL
from tests.engine.proof.explore import explore


@pytest.mark.parametrize("name", ALL)
def test_every_interleaving_is_in_the_standard_and_none_is_missing(name: str) -> None:
    found = explore(ALL[name])
    assert found.ends
    assert found.states > 1
