"""What a graph must satisfy before it may run: reachable, ending, bound."""

from collections.abc import Iterable, Iterator

from diaodu.engine.errors import Problem
from diaodu.engine.graph import BOUNDARY, Graph, Kind, Node
from diaodu.engine.ports import Handlers


def check(graph: Graph, handlers: Handlers, *, execution: bool) -> list[Problem]:
    """All problems of the structure and its bindings; ``execution`` demands exactly one plan-driven stage."""
    problems = [*_bindings(graph, handlers), *_flows(graph), *_stages(graph, handlers, execution=execution)]
    if graph.entry >= 0:
        problems += _unreachable(graph)
    return [*problems, *_dead(graph)]


def _bindings(graph: Graph, handlers: Handlers) -> Iterator[Problem]:
    for node in graph.nodes:
        if node.kind is Kind.SERVICE and node.type and node.type not in handlers.services:
            yield Problem(node.id, "unbound-type", node.type)
        if node.kind is Kind.RULE and handlers.decisions is None:
            yield Problem(node.id, "no-decisions", node.type)


def _flows(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes:
        if node.incoming and (node.kind is Kind.START or node.kind in BOUNDARY):
            yield Problem(node.id, "into-start")
        for flow in node.flows:
            target = graph.nodes[flow.target].id
            if node.kind is not Kind.EXCLUSIVE:
                if flow.condition is not None:
                    yield Problem(node.id, "stray-condition", f"{node.id} -> {target}")
            elif flow.condition is None and flow is not node.default and len(node.flows) > 1:
                yield Problem(node.id, "no-condition", f"{node.id} -> {target}")


def _stages(graph: Graph, handlers: Handlers, *, execution: bool) -> Iterator[Problem]:
    stages = [n for n in graph.nodes if n.kind is Kind.STAGE]
    if len(stages) > 1 or (execution and not stages):
        yield Problem(graph.key, "stage-count", str(len(stages)))
    if handlers.driver is None:
        yield from (Problem(n.id, "no-driver") for n in stages)


def _next(node: Node) -> list[int]:
    after = [f.target for f in node.flows] + list(node.boundary)
    if node.kind is Kind.SUBPROCESS and node.entry >= 0:
        after.append(node.entry)
    return after


def _unreachable(graph: Graph) -> list[Problem]:
    # The entries of a stage are reached by the driver; one without a kind was reported as such.
    inside = [n.index for n in graph.nodes if n.scope >= 0 and graph.nodes[n.scope].kind is Kind.STAGE]
    entries = [i for i in inside if not graph.nodes[i].incoming and graph.nodes[i].kind not in BOUNDARY]
    ahead = {n.index: _next(n) for n in graph.nodes}
    seen = _closure([graph.entry, *entries], ahead)
    return [Problem(n.id, "unreachable") for n in graph.nodes if n.index not in seen]


def _dead(graph: Graph) -> list[Problem]:
    behind: dict[int, list[int]] = {n.index: [] for n in graph.nodes}
    for node in graph.nodes:
        for after in [f.target for f in node.flows] + list(node.boundary):
            behind[after].append(node.index)
    # A node that nothing leaves ends its token, whatever it is.
    seen = _closure([n.index for n in graph.nodes if not n.flows], behind)
    return [Problem(n.id, "dead") for n in graph.nodes if n.index not in seen]


def _closure(start: Iterable[int], edges: dict[int, list[int]]) -> set[int]:
    seen: set[int] = set()
    stack = list(start)
    while stack:
        index = stack.pop()
        if index not in seen:
            seen.add(index)
            stack += edges[index]
    return seen
