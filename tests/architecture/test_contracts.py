"""The walls between the rooms stand, and each of them catches what it is there for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What each contract must catch: module -> its source text, in a house where everything else is in order.
BREACHES = {
    "layers": {"catalog/queries.py": "from diaodu.ordering import queries\n"},
    "layers, siblings": {"ordering/queries.py": "from diaodu.planning import queries\n"},
    "layers, unknown room": {"garage/__init__.py": ""},
    "face": {"ordering/commands.py": "from diaodu.catalog import tables\n"},
    "face, of the wire": {"ordering/commands.py": "import diaodu.catalog.tmf\n"},
    "purity": {"catalog/model.py": "import psycopg\n"},
    "purity, by way of another module": {"catalog/model.py": "from diaodu.catalog import tables\n"},
    "purity, decomposition": {"decomposition/tree.py": "from diaodu.kernel import clock\n"},
    "purity, feel": {"feel/parser.py": "import psycopg\n"},
    "engine": {"engine/worker.py": "import fastapi\n"},
    "simulators": {"simulators/network.py": "from diaodu.kernel import errors\n"},
}


def lint_imports(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", *options]
    environment = {"PYTHONPATH": str(directory / "src"), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """An empty house with our contracts, in which all is well."""
    for room in (
        "app",
        "ordering",
        "planning",
        "decomposition",
        "catalog",
        "tmf",
        "engine",
        "feel",
        "simulators",
        "kernel",
    ):
        write(tmp_path, f"{room}/__init__.py", "")
    for module in ("__init__", "kernel/clock", "kernel/errors", "catalog/tmf", "ordering/queries", "planning/queries"):
        write(tmp_path, f"{module}.py", "")
    write(tmp_path, "kernel/db.py", "import psycopg\n")
    write(tmp_path, "catalog/tables.py", "from diaodu.kernel import db\n")
    write(tmp_path, "catalog/model.py", "from diaodu.kernel import errors\n")
    write(tmp_path, "catalog/queries.py", "from diaodu.catalog import model, tables\n")
    write(tmp_path, "app/wiring.py", "from diaodu.catalog import queries, tables, tmf\n")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "contracts.py", tmp_path / "tools")
    return tmp_path


def write(house: Path, name: str, text: str) -> None:
    path = house / "src" / "diaodu" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_every_contract_is_kept() -> None:
    done = lint_imports(ROOT, "--no-cache")
    assert done.returncode == 0, done.stdout


def test_a_house_in_order_passes(house: Path) -> None:
    done = lint_imports(house, "--no-cache")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_is_caught_by_its_contract(case: str, house: Path) -> None:
    for name, text in BREACHES[case].items():
        write(house, name, text)
    done = lint_imports(house, "--no-cache", "--contract", case.partition(",")[0])
    assert done.returncode == 1
    assert "1 broken" in done.stdout
