"""The record of proofs: one document with a table for each kind, to which every run adds a line."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path


class Proof(StrEnum):
    """What is to be proved."""

    ALL, KILLS, FEEL, CHANGE = "all", "kills", "feel", "change"


KILLS, FEEL = "## Under `kill -9`", "## FEEL under random input"
CHANGE = "## Change in flight"
_DOCUMENT = f"""# Proof

Each line is a run of `diaodu proof`.

{FEEL}

Pieces of the language, any text, real expressions with faults, and syntax trees: read, written, read again, and
evaluated. None may end in an exception that is not FEEL's own, take twice its budget, or come back as another tree.

| UTC | seeds | inputs | crashes | too slow | other trees |
|---|---|---|---|---|---|

{KILLS}

Rounds of orders during which workers, senders, the web process and the simulators were killed at random; at the end
every order must be completed and every invariant hold.

| UTC | seeds | orders | kills | not completed | violations |
|---|---|---|---|---|---|

{CHANGE}

Episodes in which everything that may happen to small orders happens in any order: amendments, cancellations, holds,
reports in time, late and twice, returns, recalls, failures, systems that lose and refuse, time, and processes that die
at a commit. The invariants are checked after each event; at the end every order must come to its end, and the ledger
must be what the systems hold.

| UTC | seeds | episodes | events | findings |
|---|---|---|---|---|
"""


def add_row(record: Path, heading: str, cells: Sequence[object]) -> None:
    """Add a line to the table below the heading; the document is made when it is not there."""
    lines, end = _table(record, heading)
    lines.insert(end, "| " + " | ".join(map(str, cells)) + " |")
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text("\n".join(lines) + "\n", encoding="utf-8")


def next_seed(record: Path, heading: str) -> int:
    """One more than the last seed that the table tells of."""
    lines, end = _table(record, heading)
    seeds = lines[end - 1].split("|")[2].strip()
    return int(seeds.rpartition("..")[2]) + 1 if seeds[:1].isdigit() else 1


def _table(record: Path, heading: str) -> tuple[list[str], int]:
    """The lines of the document, and where the table below the heading ends."""
    text = record.read_text(encoding="utf-8") if record.exists() else _DOCUMENT
    lines = text.splitlines()
    rows = [n for n in range(lines.index(heading), len(lines)) if lines[n].startswith("|")]
    last = next(n for n in rows if n + 1 not in rows)
    return lines, last + 1
