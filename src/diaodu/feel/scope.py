"""Which names are known where, at compile time; and the table of how each kind of node is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from diaodu.feel import ast
from diaodu.feel.runtime import Frame
from diaodu.feel.values import Function

Closure = Callable[[Frame], object]
Rules = Mapping[type[ast.Node], Callable[[Any, "Scope"], Closure]]


class Scope:
    """One scope of the text; each has one frame at run time. The outermost has no names: its frame is the context."""

    __slots__ = ("builtins", "is_filter", "names", "outer", "rules")

    def __init__(
        self,
        rules: Rules,
        builtins: Mapping[str, Function],
        names: set[str] | None = None,
        outer: Scope | None = None,
        *,
        is_filter: bool = False,
    ) -> None:
        self.rules = rules
        self.builtins = builtins
        self.names = names if names is not None else set()
        self.outer = outer
        self.is_filter = is_filter

    def compile(self, node: ast.Node) -> Closure:
        return self.rules[type(node)](node, self)

    def inner(self, *names: str) -> Scope:
        """A scope within this one in which these names are known."""
        return Scope(self.rules, self.builtins, set(names), self)

    def filter(self) -> Scope:
        """The scope of a filter's condition, where the entries of the item are names."""
        return Scope(self.rules, self.builtins, None, self, is_filter=True)
