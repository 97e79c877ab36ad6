"""Find the SQL in source files: the texts that Python hands to the database, and the statements of ``.sql`` files."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# What begins like this is a statement; English sentences do not.
_SQL = re.compile(
    r"\s*\(?\s*(?:select\s[\s\S]*|with\s+(?:recursive\s+)?\w+\s*(?:\([^)]*\)\s*)?as\s*\(|insert\s+into\s+\S+\s*(?:\(|select|values|$)"
    r"|update\s+\S+\s+(?:\w+\s+)?set\s|delete\s+from\s|merge\s+into\s|create\s+(?:table|unique|index|view|trigger"
    r"|extension|or\s+replace)\s|alter\s+table\s|truncate\s|drop\s+table\s)"
)
_EXCUSE = re.compile(r"(?:#|--)\s*sql:\s*\S.{7,}")
_SETS = {"insert": 2, "update": 2, "delete": 2}  # the argument with the columns, or with the keys


@dataclass(frozen=True)
class Found:
    """A statement, with a NUL where Python fills something in; or rows for ``target`` that name ``columns``."""

    text: str
    line: int
    function: str = ""
    excused: bool = False
    target: str = ""
    columns: frozenset[str] | None = None


@dataclass
class Module:
    """What the names of a module stand for, as far as they are written down."""

    texts: dict[str, str] = field(default_factory=dict)
    columns: dict[str, frozenset[str]] = field(default_factory=dict)


def sql_file(path: Path) -> list[Found]:
    """The statements of a ``.sql`` file; what excuses one stands before it or in it."""
    found, line = [], 1
    for statement in _statements(path.read_text(encoding="utf-8")):
        if re.sub(r"--[^\n]*", "", statement).strip():
            found.append(Found(statement, line, excused=bool(_EXCUSE.search(statement))))
        line += statement.count("\n")
    return found


def _statements(text: str) -> Iterator[str]:
    start, quote, at = 0, "", 0
    while at < len(text):
        if quote:
            quote = "" if text[at] == quote else quote
        elif text.startswith("--", at):
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
            continue
        elif text[at] in "'\"":
            quote = text[at]
        elif text[at] == ";":
            yield text[start:at]
            start = at + 1
        at += 1
    yield text[start:]


def sql_texts(path: Path) -> list[Found]:
    """The statements of a Python module."""
    source = path.read_text(encoding="utf-8")
    tree, lines = ast.parse(source), source.splitlines()
    module = _names(tree)
    finder = _Finder(module, lines)
    finder.visit(tree)
    return finder.found


def _names(tree: ast.Module) -> Module:
    module = Module()
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
            if (text := _text(value, module)) is not None:
                module.texts[name] = text
            elif (columns := _columns(value, module)) is not None:
                module.columns[name] = columns
    return module


def _text(node: ast.expr, module: Module) -> str | None:
    """The text that an expression gives, NUL for what is not known; None if it gives none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_piece(value, module) for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left, module), _text(node.right, module)
        return None if left is None and right is None else (left or "\0") + (right or "\0")
    return module.texts.get(node.id) if isinstance(node, ast.Name) else None


def _piece(node: ast.expr, module: Module) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    value = node.value if isinstance(node, ast.FormattedValue) else node
    return module.texts.get(value.id, "\0") if isinstance(value, ast.Name) else "\0"


def _columns(node: ast.expr, module: Module) -> frozenset[str] | None:
    """The keys of a dictionary that is written down."""
    if isinstance(node, ast.Name):
        return module.columns.get(node.id)
    if not isinstance(node, ast.Dict):
        return None
    found: set[str] = set()
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant):
            found.add(str(key.value))
        elif key is None and (inner := _columns(value, module)) is not None:
            found |= inner
        else:
            return None
    return frozenset(found)


class _Finder(ast.NodeVisitor):
    """Walks through a module."""

    def __init__(self, module: Module, lines: list[str]) -> None:
        self.module, self.lines, self.function = module, lines, ""
        self.found: list[Found] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer, self.function = self.function, self.function or node.name
        self.generic_visit(node)
        self.function = outer

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # else it is a docstring
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "sets":
            self._rows(node, called.attr)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        self._look(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._look(node)
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.visit(value.value)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if _text(node, self.module) is None:
            self.generic_visit(node)
        else:
            self._look(node)

    def _look(self, node: ast.expr) -> None:
        text = _text(node, self.module)
        if text is not None and _SQL.match(text):
            self.found.append(Found(text, node.lineno, self.function, self._excused(node)))

    def _rows(self, node: ast.Call, verb: str) -> None:
        if verb not in _SETS or len(node.args) <= _SETS[verb]:
            return
        table = _text(node.args[1], self.module)
        conflict = next((_text(k.value, self.module) for k in node.keywords if k.arg == "on_conflict"), None)
        columns = _columns(node.args[_SETS[verb]], self.module)
        if table is not None and "\0" not in table:
            excused = self._excused(node)
            self.found.append(Found(conflict or "", node.lineno, self.function, excused, table, columns))

    def _excused(self, node: ast.expr) -> bool:
        last = node.end_lineno or node.lineno
        return any(_EXCUSE.search(line) for line in self.lines[max(0, node.lineno - 2) : last])
