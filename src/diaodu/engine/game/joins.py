"""The inclusive join (BPMN 2.0, 13.4.3): it opens when no token is left that may still come on an empty flow."""

from collections.abc import Mapping, Sequence

from diaodu.engine.graph import Node
from diaodu.engine.instance import Instance, Token


def ready(instance: Instance) -> Token | None:
    """A token at an inclusive gateway that need not wait any longer.

    It waits for a token elsewhere in its scope that may reach one of the gateway's flows on which none has come, on a
    path that does not visit the gateway, unless that token may as well reach a flow on which one has come.
    """
    for token in instance.tokens.values():
        reach = instance.graph.joins.get(token.node)
        if reach is not None and token.job is None and _opens(instance, token, reach):
            return token
    return None


def _opens(instance: Instance, token: Token, reach: Mapping[int, frozenset[int]]) -> bool:
    peers = [t for t in instance.inside(token.scope) if t.key == token.key]
    full = {t.via for t in peers if t.node == token.node}
    return all(not (r := reach[t.node]) - full or r & full for t in peers if t.node != token.node)


def reaches(nodes: Sequence[Node], gateway: Node) -> dict[int, frozenset[int]]:
    """For each node the flows of a gateway by which a token there may come, without visiting the gateway before.

    From an activity a token may also go by the events at its border.
    """
    before: dict[int, list[int]] = {n.index: [] for n in nodes}
    found: dict[int, set[int]] = {n.index: set() for n in nodes}
    for node in nodes:
        if node.index != gateway.index:
            for flow in node.flows:
                before[flow.target].append(node.index)
            for event in node.boundary:
                before[event].append(node.index)
    for source in nodes:
        for flow in source.flows:
            if flow.target == gateway.index and source.index != gateway.index:
                _spread(source.index, flow.index, before, found)
    return {index: frozenset(flows) for index, flows in found.items()}


def _spread(start: int, flow: int, before: Mapping[int, Sequence[int]], found: dict[int, set[int]]) -> None:
    stack = [start]
    while stack:
        index = stack.pop()
        if flow not in found[index]:
            found[index].add(flow)
            stack += before[index]
