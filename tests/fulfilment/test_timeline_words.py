"""Whatever is written into a history is told to people in both languages, or said to be silent."""

import ast
from collections.abc import Iterator
from pathlib import Path

import diaodu
from diaodu.fulfilment.timeline import DESCRIBED
from diaodu.fulfilment.timeline_words import SILENT, WORDS
from diaodu.ordering.model import RevisionState
from diaodu.workforce.model import RecallEvent

SOURCE = Path(diaodu.__file__).parent
WRITERS = {"record", "_record", "_entry", "_write", "_label"}  # they are given the name of what happened
# Names that are made of a state or an event.
MADE = {"f'revision.{r.state}'": RevisionState, "f'revision.{state}'": RevisionState, "f'recall.{event}'": RecallEvent}


def names(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from names(node.body)
        yield from names(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        made = ast.unparse(node)
        noun = made[2:].partition(".")[0]
        yield from (f"{noun}.{state}" for state in MADE[made])


def written() -> set[str]:
    """The kinds of entries that any module of the product writes into a history."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        if {"app", "simulators", "feel", "rules"} & set(path.relative_to(SOURCE).parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                values = [v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "t"]
            elif isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                values = [a for a in node.args if called in WRITERS]
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_NAMES":
                values = []
            elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_NAMES":
                values = node.value.values if isinstance(node.value, ast.Dict) else []
            else:
                continue
            found |= {n for v in values for n in names(v) if "." in n and " " not in n}
    return found


def test_every_kind_of_entry_is_described_or_silent() -> None:
    known = DESCRIBED.keys() | WORDS.keys() | SILENT
    kinds = written()
    assert {
        "item.state",
        "recall.widened",
        "task.suspended",
        "visit.left",
        "revision.stale",
        "effect.released",
    } <= kinds
    assert sorted(kinds - known) == []


def test_nothing_is_described_that_nobody_writes() -> None:
    assert sorted((WORDS.keys() | SILENT) - written()) == []


def test_words_are_there_in_both_languages() -> None:
    assert not WORDS.keys() & (SILENT | DESCRIBED.keys())
    for kind, (zh, en) in WORDS.items():
        assert zh != en, kind
        assert any("一" <= c <= "鿿" for c in zh), kind
        assert not any("一" <= c <= "鿿" for c in en), kind
