"""Which facts an expression reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from diaodu.feel import ast


@dataclass(slots=True)
class Reads:
    """`paths` are dotted paths into the context; `maybe` those that may be entries of a filtered item instead."""

    paths: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)


def reads_of(node: ast.Node, builtins: Collection[str]) -> Reads:
    """All paths that evaluating the tree may read from the context."""
    reads = Reads()
    _Walk(reads, builtins).visit(node, frozenset(), None)
    return reads


class _Walk:
    def __init__(self, reads: Reads, builtins: Collection[str]) -> None:
        self.reads = reads
        self.builtins = builtins

    def visit(self, node: ast.Node, bound: frozenset[str], filtered: str | None) -> None:
        """`bound` are names of the text itself; `filtered` is the path of the list around, None outside of filters."""
        path = path_of(node)
        if path is not None:
            self._read(path, bound, filtered)
        elif isinstance(node, ast.Filter):
            self._filter(node, bound, filtered)
        elif isinstance(node, (ast.For, ast.Quantified)):
            self._loop(node, bound, filtered)
        elif isinstance(node, ast.FunctionOf):
            self.visit(node.body, bound | {name for name, _ in node.parameters}, filtered)
        elif isinstance(node, ast.ContextOf):
            for name, value in node.entries:
                own = {name} if isinstance(value, ast.FunctionOf) else set()
                self.visit(value, bound | own, filtered)
                bound |= {name}
        elif isinstance(node, (ast.Call, ast.NamedCall)):
            self._call(node, bound, filtered)
        else:
            for child in ast.children(node):
                self.visit(child, bound, filtered)

    def _read(self, path: tuple[str, ...], bound: frozenset[str], filtered: str | None) -> None:
        if path[0] in bound:
            return
        dotted = ".".join(path)
        if filtered is None:
            self.reads.paths.add(dotted)
            return
        if path[0] == "item":
            path = path[1:]
        else:
            self.reads.paths.add(dotted)
            self.reads.maybe.add(dotted)
        if filtered and path:
            self.reads.paths.add(".".join((filtered, *path)))

    def _filter(self, node: ast.Filter, bound: frozenset[str], filtered: str | None) -> None:
        self.visit(node.source, bound, filtered)
        source = path_of(node.source)
        known = source is not None and source[0] not in bound and filtered is None
        self.visit(node.condition, bound, ".".join(source) if known and source else "")

    def _loop(self, node: ast.For | ast.Quantified, bound: frozenset[str], filtered: str | None) -> None:
        for binding in node.bindings:
            self.visit(binding.source, bound, filtered)
            if binding.end is not None:
                self.visit(binding.end, bound, filtered)
            bound |= {binding.name}
        if isinstance(node, ast.For):
            self.visit(node.body, bound | {"partial"}, filtered)
        else:
            self.visit(node.condition, bound, filtered)

    def _call(self, node: ast.Call | ast.NamedCall, bound: frozenset[str], filtered: str | None) -> None:
        if not (isinstance(node.function, ast.Name) and node.function.name in self.builtins):
            self.visit(node.function, bound, filtered)
        for argument in node.arguments:
            self.visit(argument[1] if isinstance(argument, tuple) else argument, bound, filtered)


def path_of(node: ast.Node) -> tuple[str, ...] | None:
    """The names of a plain path such as `a.b.c`."""
    if isinstance(node, ast.Name):
        return (node.name,)
    if isinstance(node, ast.Path):
        source = path_of(node.source)
        return None if source is None else (*source, node.name)
    return None
