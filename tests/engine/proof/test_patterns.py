"""The workflow patterns: every interleaving, against the oracle."""

import re
from pathlib import Path

import pytest
from tests.engine.proof.explore import explore
from tests.engine.proof.patterns import ALL, CLASSIC, FURTHER, MISSING

DOCS = Path(__file__).parents[3] / "docs" / "patterns.md"


@pytest.mark.parametrize("number", ALL)
def test_every_interleaving_of_a_pattern_is_in_the_standard_and_none_is_missing(number: int) -> None:
    found = explore(ALL[number])
    assert found.ends
    assert found.states > 1


def test_each_pattern_is_drawn_or_has_a_reason_and_the_manual_says_so() -> None:
    assert set(CLASSIC) == set(range(1, 21))
    assert set(FURTHER) | set(MISSING) == set(range(21, 44))
    rows = dict(re.findall(r"^\| (\d+) \| .* \| (yes|no|partly) \|$", DOCS.read_text(), re.MULTILINE))
    assert {int(n): is_drawn != "no" for n, is_drawn in rows.items()} == {n: n in ALL for n in range(1, 44)}
    assert {int(n) for n, is_drawn in rows.items() if is_drawn == "partly"} == {n for n in ALL if ALL[n].narrow}
