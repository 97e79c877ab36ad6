"""Nodes that no text yields but that put texts together: a tree out of another text, and a value of a declared type."""

from __future__ import annotations

from dataclasses import dataclass

from diaodu.feel import ast
from diaodu.feel.conversion import coerce
from diaodu.feel.errors import Refused, Source
from diaodu.feel.runtime import Frame
from diaodu.feel.scope import Closure, Scope
from diaodu.feel.types import Type


@dataclass(frozen=True, slots=True)
class Quoted(ast.Node):
    """A tree that was read from a text of its own, to which its positions refer."""

    tree: ast.Node
    source: Source


@dataclass(frozen=True, slots=True)
class Typed(ast.Node):
    """A value that is converted to a type; null with a reason when it is not of it."""

    value: ast.Node
    type: Type


def quoted(node: Quoted, scope: Scope) -> Closure:
    return scope.reading(node.source).compile(node.tree)


def typed(node: Typed, scope: Scope) -> Closure:
    value, wanted, at = scope.compile(node.value), node.type, scope.place(node)
    if wanted.kind == "Any" and wanted.constraint is None:
        return value

    def run(frame: Frame) -> object:
        try:
            return coerce(value(frame), wanted, frame.run)
        except Refused as refused:
            return frame.run.null(at, refused.code, **refused.values)

    return run


def bare(node: ast.Node) -> ast.Node:
    """What the node is without its wrappings."""
    while isinstance(node, (Quoted, Typed)):
        node = node.tree if isinstance(node, Quoted) else node.value
    return node
