"""Name the test directories of the rooms that differ from the last commit (or from the revision given).

    python tools/touched.py [REVISION]

The rooms that import a touched room are not named: `make check` runs everything.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ALWAYS = "tests/architecture"


def changed_files(revision: str) -> list[str]:
    """Paths that differ from the revision, and new ones that git does not know yet."""
    git = shutil.which("git") or "git"
    commands = (["diff", "--name-only", revision], ["ls-files", "--others", "--exclude-standard"])
    return [
        line
        for command in commands
        for line in subprocess.run([git, *command], capture_output=True, text=True, check=True).stdout.splitlines()
    ]


def test_directories(files: list[str]) -> list[str]:
    """The directories under tests/ that belong to changed files; a change of the ground touches the kernel's."""
    rooms = {ALWAYS}
    for parts in (Path(file).parts for file in files):
        match parts:
            case ("src", "diaodu", room, _, *_) | ("tests", room, _, *_):
                rooms.add(f"tests/{room}")
            case ("tests", "conftest.py") | ("pyproject.toml",):
                rooms.add("tests/kernel")
            case ("examples", *_):
                rooms.add("tests/flows")
    return sorted(room for room in rooms if Path(room).is_dir() and any(Path(room).rglob("test_*.py")))


if __name__ == "__main__":
    print(*test_directories(changed_files(sys.argv[1] if len(sys.argv) > 1 else "HEAD")))
