"""The proof of change in flight: its sequences follow from seeds, its record says where it goes on."""

from pathlib import Path

import pytest
from rich.console import Console

from diaodu.app.proof_change import prove
from diaodu.app.proof_change.episode import Finding, Step, steps_of
from diaodu.app.proof_record import CHANGE, next_seed


class _NoGround:
    def __init__(self, dsn: str) -> None:
        self.dsn = dsn


def test_a_seed_gives_the_same_events_again() -> None:
    assert steps_of(7) == steps_of(7)
    assert steps_of(7) != steps_of(8)
    assert len(steps_of(7)) == 50
    assert {s.event for s in steps_of(7)[:1]} <= {"capture", "install"}


def test_a_proof_goes_on_with_the_next_seed_and_a_finding_fails_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "proof.md"
    found = Finding(2, (Step("capture", 5), Step("amend", 6, -1)), ("I3: something",))
    monkeypatch.setattr(prove, "Ground", _NoGround)
    monkeypatch.setattr(prove, "play", lambda _ground, seed, _steps: found if seed == 2 else None)
    monkeypatch.setattr(prove, "shorten", lambda _ground, finding: finding)

    assert prove.prove_change(0, record, Console(quiet=True)) is True
    assert prove.prove_change(0, record, Console(quiet=True)) is False

    rows = [line.split(" | ")[1:] for line in record.read_text(encoding="utf-8").splitlines() if " | 50 | " in line]
    assert rows == [["1..1", "1", "50", "0 |"], ["2..2", "1", "50", "1 |"]]
    assert next_seed(record, CHANGE) == 3
    assert list(found.lines()) == ["seed 2: capture:5 amend:6!-1", "  I3: something"]
