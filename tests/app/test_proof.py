"""The record of proofs, and how a proof goes on where the last one ended."""

from pathlib import Path

import pytest
from rich.console import Console

from diaodu.app import proof_feel
from diaodu.app.proof_feel import prove_feel
from diaodu.app.proof_record import CHANGE, FEEL, KILLS, add_row, next_seed


def test_a_line_goes_into_its_own_table(tmp_path: Path) -> None:
    record = tmp_path / "docs" / "proof.md"
    add_row(record, KILLS, ("today", "5..9", 100, 25, 0, 0))
    add_row(record, FEEL, ("today", "1..3", 30, 0, 0, 0))
    add_row(record, FEEL, ("later", "4..4", 10, 0, 0, 0))
    lines = record.read_text(encoding="utf-8").splitlines()
    feel, kills = lines.index(FEEL), lines.index(KILLS)
    assert [line for line in lines[feel:kills] if line.startswith("|")][2:] == [
        "| today | 1..3 | 30 | 0 | 0 | 0 |",
        "| later | 4..4 | 10 | 0 | 0 | 0 |",
    ]
    assert [line for line in lines[kills : lines.index(CHANGE)] if line.startswith("|")][2:] == [
        "| today | 5..9 | 100 | 25 | 0 | 0 |"
    ]
    assert (next_seed(record, FEEL), next_seed(record, KILLS)) == (5, 10)


def test_a_proof_of_feel_goes_on_with_the_next_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "proof.md"
    monkeypatch.setattr(proof_feel, "INPUTS", 20)
    assert prove_feel(0, record, Console(quiet=True)) is True
    assert prove_feel(0, record, Console(quiet=True)) is True
    rows = [line.split(" | ")[1:] for line in record.read_text(encoding="utf-8").splitlines() if "| 20 |" in line]
    assert rows == [["1..1", "20", "0", "0", "0 |"], ["2..2", "20", "0", "0", "0 |"]]
    assert next_seed(record, FEEL) == 3


def test_a_fault_fails_the_proof_and_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "proof.md"
    monkeypatch.setattr(proof_feel, "INPUTS", 3)
    monkeypatch.setattr(proof_feel, "PATIENCE_S", -1)
    assert prove_feel(0, record, Console(quiet=True), seed=8) is False
    assert "| 8..8 | 3 | 0 | 3 | 0 |" in record.read_text(encoding="utf-8")
