"""Which names and types are known where, at compile time; and the table of how each kind of node is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from diaodu.feel import ast
from diaodu.feel.errors import Place, Source
from diaodu.feel.runtime import Frame
from diaodu.feel.types import Named, Type, no_types, resolve
from diaodu.feel.values import Function

Closure = Callable[[Frame], object]
Rules = Mapping[type[ast.Node], Callable[[Any, "Scope"], Closure]]


@dataclass(frozen=True, slots=True)
class Language:
    """How nodes are compiled, and what is known everywhere: functions, and the types that users define."""

    rules: Rules
    builtins: Mapping[str, Function]
    types: Named = no_types


class Scope:
    """One scope of the text; each has one frame at run time. The outermost has no names: its frame is the context."""

    __slots__ = ("is_filter", "language", "names", "outer", "source")

    def __init__(
        self,
        language: Language,
        source: Source,
        names: set[str] | None = None,
        outer: Scope | None = None,
        *,
        is_filter: bool = False,
    ) -> None:
        self.language = language
        self.source = source
        self.names = names if names is not None else set()
        self.outer = outer
        self.is_filter = is_filter

    def compile(self, node: ast.Node) -> Closure:
        return self.language.rules[type(node)](node, self)

    def inner(self, *names: str) -> Scope:
        """A scope within this one in which these names are known."""
        return Scope(self.language, self.source, set(names), self)

    def filter(self) -> Scope:
        """The scope of a filter's condition, where the entries of the item are names."""
        return Scope(self.language, self.source, None, self, is_filter=True)

    def reading(self, source: Source) -> Scope:
        """The same scope while nodes of another text are compiled."""
        return Scope(self.language, source, self.names, self.outer, is_filter=self.is_filter)

    def place(self, node: ast.Node) -> Place:
        """Where the node stands, for diagnostics."""
        return Place(self.source, node.at)

    def type_of(self, ref: ast.TypeRef) -> Type | None:
        """The type that is written, or None when it is not known here."""
        return resolve(ref, self.language.types)
