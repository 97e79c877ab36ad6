"""What can be said about the FEEL expressions of a graph before their variables are known."""

from collections.abc import Iterator

from diaodu.engine.errors import Problem
from diaodu.engine.graph import Graph, Node
from diaodu.feel import Expression, ast
from diaodu.feel.builtins import BUILTINS


def feel(graph: Graph) -> Iterator[Problem]:
    """Calls of functions that do not exist: a variable is data and never a function, so they always give null."""
    for node in graph.nodes:
        for expression in _expressions(node):
            for name in sorted(_called(expression.tree) & expression.names):
                yield Problem(node.id, "unknown-function", name)


def _expressions(node: Node) -> Iterator[Expression]:
    found = [node.script, node.key, node.pool, node.priority, node.due, node.completion, node.called]
    found += [f.condition for f in node.flows]
    found += [expression for _, expression in (*node.inputs, *node.outputs)]
    if node.timer is not None:
        found.append(node.timer.value)
    if node.loop is not None:
        loop = node.loop
        found += [loop.cardinality, loop.collection, loop.value, loop.completion, loop.condition]
    yield from (e for e in found if isinstance(e, Expression))


def _called(tree: ast.Node) -> set[str]:
    names: set[str] = set()
    todo = [tree]
    while todo:
        at = todo.pop()
        if isinstance(at, ast.Call | ast.NamedCall) and isinstance(at.function, ast.Name):
            names.add(at.function.name)
        todo += ast.children(at)
    return names - BUILTINS.keys()
