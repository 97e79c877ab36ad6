"""What a document points to is there: links, anchors, files, names in files, tables, make targets, rooms."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.documents import DOCUMENTS, GLOSSARY, ROOT, relative, slug, text_of

PACKAGE = ROOT / "src" / "diaodu"
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FILE = re.compile(r"`([\w./-]+\.(?:py|yaml|bpmn|toml|sql|md))`")
NAME_IN_FILE = re.compile(r"`([\w/]+\.py)` `(\w+)`")
TARGET = re.compile(r"(?:^|`)make ([a-z]+)", re.MULTILINE)
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
SCHEMAS = re.findall(r"^create schema (\w+)", "".join(p.read_text() for p in PACKAGE.rglob("*.sql")), re.MULTILINE)
# What users write themselves, or what the documents only speak of.
NOT_OURS = {
    "diaodu.toml",
    "commands.py",
    "errors.py",
    "model.py",
    "ports.py",
    "order.json",
    "psycopg.sql",
    ".py",
    ".sql",
}
ROOMS = sorted(path for path in PACKAGE.iterdir() if (path / "__init__.py").is_file())

everywhere = pytest.mark.parametrize("document", DOCUMENTS, ids=relative)


def place(name: str, document: Path) -> Path | None:
    """A file that a document names: from the root, below the package, beside the document, or alone in the examples."""
    places = [ROOT / name, PACKAGE / name, document.parent / name, *ROOT.glob(f"examples/*/*/{name}")]
    return next((p for p in places if p.is_file()), None)


def anchors(document: Path) -> set[str]:
    return {slug(h) for h in re.findall(r"^#+ (.+)$", text_of(document), re.MULTILINE)}


def broken_links(document: Path) -> Iterator[str]:
    for link in LINK.findall(text_of(document)):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if target.name in ("performance.md", "proof.md"):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@everywhere
def test_links_lead_somewhere(document: Path) -> None:
    assert list(broken_links(document)) == []


@everywhere
def test_files_are_there(document: Path) -> None:
    named = set(FILE.findall(text_of(document))) - NOT_OURS
    assert [name for name in sorted(named) if place(name, document) is None] == []


@everywhere
def test_names_stand_in_their_files(document: Path) -> None:
    missing = []
    for file, name in NAME_IN_FILE.findall(text_of(document)):
        path = place(file, document)
        tree = ast.parse(path.read_text(encoding="utf-8")) if path else ast.Module([], [])
        defined = {
            n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        if name not in defined:
            missing.append(f"{file} {name}")
    assert missing == []


@everywhere
def test_tables_exist(document: Path) -> None:
    sql = "".join(p.read_text(encoding="utf-8") for p in PACKAGE.rglob("*.sql"))
    tables = set(re.findall(r"^create (?:table|view) (\w+\.\w+)", sql, re.MULTILINE))
    named = set(re.findall(rf"(?:`|from )((?:{'|'.join(SCHEMAS)})\.\w+)(?=`| )", text_of(document)))
    codes = set(re.findall(r"`(\w+\.[\w-]+)`", text_of(ROOT / "docs" / "errors.md")))
    assert sorted(named - tables - codes) == []


@everywhere
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert sorted(set(TARGET.findall(text_of(document))) - targets) == []


def test_every_make_target_is_told_to_developers() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert sorted(targets - set(TARGET.findall(text_of(ROOT / "CONTRIBUTING.md")))) == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_the_words_of_a_room_stand_in_the_glossary(room: Path) -> None:
    docstring = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    known = {term for row in text_of(GLOSSARY).splitlines() if row.startswith("|") for term in CHINESE.findall(row)}
    assert [term for term in CHINESE.findall(docstring.split("\n")[0]) if term not in known] == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_is_told_to_developers(room: Path) -> None:
    assert f"`{room.name}`" in text_of(ROOT / "CONTRIBUTING.md")


def test_the_architecture_decisions_are_listed_and_numbered() -> None:
    pages = sorted(p.name for p in (ROOT / "docs" / "adr").glob("0*.md"))
    listed = re.findall(r"\]\((0\d{3}-[\w-]+\.md)\)", text_of(ROOT / "docs" / "adr" / "README.md"))
    assert listed == pages
    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))


@everywhere
def test_lines_can_be_read(document: Path) -> None:
    """Prose is wrapped; tables, code and diagrams are as wide as they are."""
    text = re.sub(r"^```.*?^```", "", text_of(document), flags=re.MULTILINE | re.DOTALL)
    long = [line for line in text.splitlines() if len(line) > 140 and not line.startswith("|")]
    assert long == []
