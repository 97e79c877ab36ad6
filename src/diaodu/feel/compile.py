"""Syntax tree to closure: one rule per kind of node."""

from __future__ import annotations

from collections.abc import Collection

from diaodu.feel import ast, boundary, calls, loops, names, operators
from diaodu.feel.boundary import Quoted, Typed
from diaodu.feel.builtins import BUILTINS
from diaodu.feel.errors import Source
from diaodu.feel.scope import Language, Rules, Scope

RULES: Rules = {
    ast.Literal: operators.literal,
    ast.Name: names.name,
    ast.Path: names.path,
    ast.Filter: names.filtered,
    ast.Negation: operators.negation,
    ast.Arithmetic: operators.arithmetic,
    ast.Comparison: operators.comparison,
    ast.Junction: operators.junction,
    ast.Between: operators.between,
    ast.Test: operators.test,
    ast.In: operators.contained,
    ast.RangeOf: operators.range_literal,
    ast.If: operators.choice,
    ast.InstanceOf: operators.instance_of,
    ast.ListOf: operators.list_literal,
    ast.For: loops.for_loop,
    ast.Quantified: loops.quantified,
    ast.ContextOf: loops.context,
    ast.FunctionOf: calls.function,
    ast.Call: calls.call,
    ast.NamedCall: calls.named_call,
    Quoted: boundary.quoted,
    Typed: boundary.typed,
}


LANGUAGE = Language(RULES, BUILTINS)


def scope_of(source: Source, language: Language = LANGUAGE, names: Collection[str] = ()) -> Scope:
    """The scope of a whole text; `names` are bound in the frame it is run in rather than looked up in the context."""
    scope = Scope(language, source)
    return scope.inner(*names) if names else scope
