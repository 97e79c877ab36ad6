"""Whatever is typed, the answer is a value, a syntax error or a spent budget, and it comes soon.

A hundred times as many inputs are tried by `diaodu proof --of feel`.
"""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diaodu.app import proof_feel
from diaodu.app.proof_feel import PATIENCE_S, PIECES, Found, any_text, examine_seed, mutated, real_expressions, survive

KINDS = (proof_feel.pieces, any_text, mutated, proof_feel.trees, proof_feel.tests)


def survives(text: str) -> None:
    found = Found()
    survive(text, found)
    assert found == Found()


@settings(max_examples=1500, deadline=2000 * PATIENCE_S)
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_pieces_of_the_language(pieces: list[str]) -> None:
    survives(" ".join(pieces))


@settings(max_examples=1000, deadline=2000 * PATIENCE_S)
@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    survives(text)


@settings(max_examples=1000, deadline=2000 * PATIENCE_S)
@given(st.randoms(use_true_random=False))
def test_real_expressions_with_faults(rng: Random) -> None:
    survives(mutated(rng))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_inputs_of_a_seed(kind: proof_feel.Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof_feel, "KINDS", (kind,))
    found = Found()
    examine_seed(2026, 1100, found)
    assert found == Found(inputs=1100)


def test_the_same_seed_makes_the_same_inputs() -> None:
    for kind in KINDS:
        assert [kind(Random(7)) for _ in range(3)] == [kind(Random(7)) for _ in range(3)]


def test_real_expressions_are_those_of_the_demonstration() -> None:
    assert 'audit = "passed"' in real_expressions()
    assert len(real_expressions()) > 50


def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_tree: object, _names: object) -> str:
        return "1"

    monkeypatch.setattr(proof_feel, "to_text", broken)
    found = Found()
    survive("a + 1", found)
    assert found.changed == ["'a + 1': '1'"]

    def crashing(_rng: Random) -> str:
        raise KeyError

    monkeypatch.setattr(proof_feel, "KINDS", (crashing,))
    monkeypatch.setattr(proof_feel, "PATIENCE_S", -1)
    found = Found()
    examine_seed(1, 2, found)
    assert (found.inputs, len(found.crashes), len(found.slow), found.whole) == (2, 2, 2, False)
