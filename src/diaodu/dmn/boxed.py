"""Boxed expressions as syntax trees of FEEL, so that one evaluator executes all of DMN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from diaodu.dmn.errors import Problem, problem, text_problem
from diaodu.dmn.model import (
    Conditional,
    Context,
    DecisionTable,
    Expression,
    Filter,
    FunctionDefinition,
    InformationItem,
    Invocation,
    Iterate,
    IteratorKind,
    List,
    LiteralExpression,
    Relation,
)
from diaodu.dmn.table_tree import TableFault, parse_table
from diaodu.dmn.types import Types
from diaodu.feel import ast
from diaodu.feel.boundary import Quoted, Typed
from diaodu.feel.cursor import words_of
from diaodu.feel.errors import FeelSyntaxError, Source
from diaodu.feel.parser import parse_expression
from diaodu.feel.scope import Closure, Scope
from diaodu.feel.types import Type

Names = frozenset[str]
# The entry of a context that is its result; no name that can be written.
RESULT = ""


@dataclass(frozen=True, slots=True)
class Absent(ast.Node):
    """What cannot be evaluated: null, for the reason `code`."""

    code: str
    en: str = ""
    zh: str = ""


def absent(node: Absent, scope: Scope) -> Closure:
    at, code, en, zh = scope.place(node), node.code, node.en, node.zh
    return lambda frame: frame.run.null(at, code, en=en, zh=zh)


class Reader:
    """Reads the logic of one element; `element` is its id. What is no FEEL is added to `faults` and reads as null."""

    def __init__(self, element: str, types: Types, faults: list[Problem]) -> None:
        self._element = element
        self._types = types
        self._faults = faults
        self._kinds: dict[type, Callable[[Any, Names], ast.Node]] = {
            LiteralExpression: self._literal,
            Context: self._context,
            List: self._list,
            Relation: self._relation,
            Invocation: self._invocation,
            Conditional: self._conditional,
            Filter: self._filter,
            Iterate: self._iterate,
            DecisionTable: self._table,
        }

    def read(self, expression: Expression | None, names: Names, wanted: Type | None = None) -> ast.Node:
        """The tree of an expression in whose place `names` are known, as a value of the wanted type.

        What it is written for says the type; else it may say it itself.
        """
        if expression is None:
            return Absent(0, "no-logic")
        if isinstance(expression, FunctionDefinition):
            tree = self.function(expression, names, wanted)
            # Where a function stands, the type is often written that it gives.
            return tree if wanted is None or wanted.kind != "function" else Typed(0, tree, wanted)
        tree = self._kinds[type(expression)](expression, names)
        wanted = wanted or self._type(expression.type_ref)
        return tree if wanted is None else Typed(0, tree, wanted)

    def _type(self, type_ref: str | None) -> Type | None:
        return None if type_ref is None else self._types.declared(type_ref, self._element)

    def _literal(self, literal: LiteralExpression, names: Names) -> ast.Node:
        if literal.language is not None:
            self._faults.append(problem("language", self._element, literal.language))
            return Absent(0, "language", literal.language, literal.language)
        if not literal.text.strip():
            return Absent(0, "no-logic")
        try:
            return self._quoted(literal.text, names)
        except FeelSyntaxError as error:
            self._faults.append(text_problem(self._element, literal.text, error))
            broken = Absent(0, "bad-text", error.message_en, error.message_zh)
            return Quoted(0, broken, Source(literal.text, self._element))

    def _quoted(self, text: str, names: Names) -> ast.Node:
        return Quoted(0, parse_expression(text, names), Source(text, self._element))

    def _context(self, context: Context, names: Names) -> ast.Node:
        entries: list[tuple[str, ast.Node]] = []
        has_result = False
        for entry in context.entries:
            variable = entry.variable
            if variable is None:
                has_result = True
                entries.append((RESULT, self.read(entry.value, names)))
                continue
            known = names | self._introduced(variable, entry.value)
            # A function may call itself, and its name may have several words.
            seen = known if isinstance(entry.value, FunctionDefinition) else names
            value = self.read(entry.value, seen, self._type(variable.type_ref))
            entries.append((variable.name, value))
            names = known
        tree = ast.ContextOf(0, tuple(entries))
        return ast.Path(0, tree, RESULT) if has_result else tree

    def _introduced(self, variable: InformationItem, value: Expression | None) -> Names:
        return self._types.entry_names(variable.type_ref) | entry_names(value) | {variable.name}

    def _list(self, boxed: List, names: Names) -> ast.Node:
        return ast.ListOf(0, tuple(self.read(item, names) for item in boxed.items))

    def _relation(self, relation: Relation, names: Names) -> ast.Node:
        rows = [
            ast.ContextOf(
                0,
                tuple(
                    (column.name, self.read(cell, names, self._type(column.type_ref)))
                    for column, cell in zip_longest(relation.columns, row[: len(relation.columns)])
                ),
            )
            for row in relation.rows
        ]
        return ast.ListOf(0, tuple(rows))

    def _invocation(self, invocation: Invocation, names: Names) -> ast.Node:
        bindings = tuple(
            (binding.parameter.name, self.read(binding.value, names, self._type(binding.parameter.type_ref)))
            for binding in invocation.bindings
        )
        return ast.NamedCall(0, self.read(invocation.function, names), bindings)

    def function(self, function: FunctionDefinition, names: Names, wanted: Type | None = None) -> ast.Node:
        """A function; its declared type is that of the function or of what it gives."""
        parameters: list[tuple[str, ast.TypeRef | None]] = []
        for part in function.parameters:
            self._type(part.type_ref)
            parameters.append((part.name, None if part.type_ref is None else ast.TypeRef(part.type_ref)))
            names |= self._types.entry_names(part.type_ref) | {part.name}
        if function.kind != "FEEL":
            return ast.FunctionOf(0, tuple(parameters), ast.Literal(0, None), external=True)
        wanted = wanted or self._type(function.type_ref)
        result = wanted.result if wanted is not None and wanted.kind == "function" else wanted
        return ast.FunctionOf(0, tuple(parameters), self.read(function.body, names, result), external=False)

    def _conditional(self, boxed: Conditional, names: Names) -> ast.Node:
        parts = (boxed.condition, boxed.then, boxed.otherwise)
        return ast.If(0, *(self.read(part, names) for part in parts))

    def _filter(self, boxed: Filter, names: Names) -> ast.Node:
        source = self.read(boxed.source, names)
        return ast.Filter(0, source, self.read(boxed.match, names | entry_names(boxed.source) | {"item"}))

    def _iterate(self, boxed: Iterate, names: Names) -> ast.Node:
        bindings = (ast.Binding(0, boxed.variable, self.read(boxed.source, names), None),)
        body = self.read(boxed.body, names | entry_names(boxed.source) | {boxed.variable, "partial"})
        if boxed.kind is IteratorKind.FOR:
            return ast.For(0, bindings, body)
        return ast.Quantified(0, boxed.kind is IteratorKind.EVERY, bindings, body)

    def _table(self, table: DecisionTable, names: Names) -> ast.Node:
        found: list[TableFault] = []

        def read(text: str, type_ref: str | None) -> ast.Node:
            tree, wanted = self._quoted(text, names), self._type(type_ref)
            return tree if wanted is None else Typed(0, tree, wanted)

        tree = parse_table(table, frozenset(filter(_is_sayable, names)), read, found)
        for fault in found:
            if fault.error is None:
                self._faults.append(problem("rule-width", self._element, fault.rule))
            else:
                self._faults.append(text_problem(self._element, fault.text, fault.error))
        return tree


@lru_cache(4096)
def _is_sayable(name: str) -> bool:
    """Whether a name consists of words and signs of the language, so that a text can mention it."""
    try:
        return bool(words_of(name))
    except FeelSyntaxError:
        return False


def entry_names(expression: Expression | None) -> Names:
    """The names of the entries that the value of an expression will have, as far as its form shows."""
    if isinstance(expression, Context):
        own = {entry.variable.name for entry in expression.entries if entry.variable is not None}
        return frozenset(own).union(*(entry_names(entry.value) for entry in expression.entries))
    if isinstance(expression, Relation):
        return frozenset(column.name for column in expression.columns)
    if isinstance(expression, DecisionTable):
        return frozenset(output.name for output in expression.outputs if output.name)
    parts: tuple[Expression | None, ...] = ()
    if isinstance(expression, List):
        parts = expression.items
    elif isinstance(expression, (FunctionDefinition, Iterate)):
        parts = (expression.body,)
    elif isinstance(expression, Conditional):
        parts = (expression.then, expression.otherwise)
    elif isinstance(expression, Filter):
        parts = (expression.source,)
    return frozenset().union(*map(entry_names, parts))
