"""Check that functions and files stay small and that no file has a name that says nothing.

python tools/size.py src tests tools
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FUNCTION_MAX = 50  # lines: what one screen shows
FILE_MAX = 400  # lines: what one head holds
EMPTY_NAMES = {"base", "helpers", "manager", "service", "utils"}


def breaches(path: Path) -> Iterator[str]:
    """What is too long or badly named in one Python file, a line each."""
    if path.stem in EMPTY_NAMES:
        yield f"{path}: a file named {path.stem!r} says nothing; name it after what it holds"
    text = path.read_text(encoding="utf-8")
    if (lines := len(text.splitlines())) > FILE_MAX:
        yield f"{path}: {lines} lines, at most {FILE_MAX}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_MAX:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_MAX}"


def main(roots: list[str]) -> int:
    """Print every breach below the roots; the exit status is 1 if there is one."""
    found = [breach for root in roots for path in sorted(Path(root).rglob("*.py")) for breach in breaches(path)]
    print("\n".join(found) or "size: all files and functions are small")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
