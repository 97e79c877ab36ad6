"""The documents of the product, and what can be read out of them."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs" / "operations.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
# Written by the benchmark and by the proof, as reports.
REPORTS = {"performance.md", "proof.md"}
DOCUMENTS = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if path.name not in REPORTS)


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def rows(path: Path, heading: str) -> list[list[str]]:
    """The rows of the tables under a heading, a list of cells each, without heads."""
    section = re.split(r"^## ", text_of(path), flags=re.MULTILINE)
    chosen = next(part for part in section if part.startswith(heading))
    lines = [line for line in chosen.splitlines() if line.startswith("|")]
    kept = [
        line
        for n, line in enumerate(lines)
        if not set(line) <= set("|- :") and not (n + 1 < len(lines) and set(lines[n + 1]) <= set("|- :"))
    ]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in kept]


def slug(heading: str) -> str:
    """The anchor that a heading gets where the documents are read."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))
