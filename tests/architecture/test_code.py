"""Small files, rooms that say what they are, excuses that say why."""

import ast
from pathlib import Path

import pytest
from tools import reasons, size, touched

ROOT = Path(__file__).parents[2]
CODE = ("src", "tests", "tools")
SOURCES = sorted(path for root in CODE for path in (ROOT / root).rglob("*.py"))
ROOMS = sorted(path for path in (ROOT / "src" / "diaodu").iterdir() if path.is_dir() and any(path.glob("*.py")))


def test_files_and_functions_are_small_and_well_named() -> None:
    assert [breach for path in SOURCES for breach in size.breaches(path)] == []


def test_every_excuse_names_its_rule_and_its_reason() -> None:
    assert [breach for path in SOURCES for breach in reasons.breaches(path)] == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_every_room_says_what_it_is_with_its_chinese_term(room: Path) -> None:
    module = room / "__init__.py"
    assert module.exists()
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    assert any("\u4e00" <= character <= "\u9fff" for character in docstring)


def test_size_finds_a_long_function_a_long_file_and_an_empty_name(tmp_path: Path) -> None:
    path = tmp_path / "utils.py"
    path.write_text("def f():\n" + "    x = 1\n" * 50 + "y = 1\n" * 400)
    assert [breach.removeprefix(str(path)) for breach in size.breaches(path)] == [
        ": a file named 'utils' says nothing; name it after what it holds",
        ": 451 lines, at most 400",
        ":1: f has 51 lines, at most 50",
    ]


@pytest.mark.parametrize(
    ("comment", "breaches"),
    [
        ("noqa", 1),
        ("noqa: E501", 1),
        ("noqa: E501 - a table reads better in one line", 0),
        ("type: ignore", 1),
        ("type: ignore[misc]", 1),
        ("type: ignore[misc]  # the library is untyped", 0),
        ("nothing to excuse", 0),
    ],
)
def test_an_excuse_needs_a_reason(comment: str, breaches: int, tmp_path: Path) -> None:
    path = tmp_path / "excuse.py"
    path.write_text(f"x = 1  # {comment}\n")
    assert len(list(reasons.breaches(path))) == breaches


def test_a_changed_room_names_its_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    files = ["src/diaodu/kernel/db.py", "README.md", "src/diaodu/no_such_room/model.py"]
    assert touched.test_directories(files) == ["tests/architecture", "tests/kernel"]


def test_the_check_ends_with_a_failure_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "base.py").write_text("")
    assert size.main([str(tmp_path)]) == 1
    assert "base" in capsys.readouterr().out
