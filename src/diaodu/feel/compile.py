"""Syntax tree to closure: one rule per kind of node."""

from __future__ import annotations

from diaodu.feel import ast, calls, loops, names, operators
from diaodu.feel.builtins import BUILTINS
from diaodu.feel.scope import Closure, Rules, Scope

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
}


def compile_tree(node: ast.Node, *names: str) -> Closure:
    """The closure of a tree; `names` are bound in the frame it is run in rather than looked up in the context."""
    scope = Scope(RULES, BUILTINS)
    return (scope.inner(*names) if names else scope).compile(node)
