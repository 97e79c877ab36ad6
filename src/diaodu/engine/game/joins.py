"""The inclusive join (BPMN 2.0, 13.4.3): it opens when no token is left that may still come on an empty flow."""

from collections.abc import Iterator, Mapping, Sequence

from diaodu.engine.graph import Kind, Node
from diaodu.engine.instance import Instance, Token

_NONE: frozenset[int] = frozenset()


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
    return all(not (r := reach.get(t.node, _NONE)) - full or r & full for t in peers if t.node != token.node)


def joins_of(nodes: Sequence[Node]) -> Mapping[int, Mapping[int, frozenset[int]]]:
    """The inclusive joins among nodes; most processes have none, and every move asks for that."""
    return _Joins(nodes) or {}


class _Joins(Mapping[int, Mapping[int, frozenset[int]]]):
    """For each inclusive join: by which of its flows a token at a node may come, without visiting the join before.

    From an activity a token may also go by the events at its border. A join is looked at when a token first stands
    at it: a large diagram may have many.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._found: dict[int, Mapping[int, frozenset[int]] | None] = {
            n.index: None for n in nodes if n.kind is Kind.INCLUSIVE and len(n.incoming) > 1
        }

    def __getitem__(self, index: int) -> Mapping[int, frozenset[int]]:
        found = self._found[index]
        if found is None:
            found = self._found[index] = self._reach(index)
        return found

    def __iter__(self) -> Iterator[int]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def _reach(self, gateway: int) -> Mapping[int, frozenset[int]]:
        before: dict[int, list[int]] = {}
        last: list[tuple[int, int]] = []
        for node in self._nodes:
            if node.index == gateway:
                continue
            for flow in node.flows:
                before.setdefault(flow.target, []).append(node.index)
                if flow.target == gateway:
                    last.append((node.index, flow.index))
            for event in node.boundary:
                before.setdefault(event, []).append(node.index)
        found: dict[int, set[int]] = {}
        for start, flow_index in last:
            stack = [start]
            while stack:
                index = stack.pop()
                if flow_index not in found.setdefault(index, set()):
                    found[index].add(flow_index)
                    stack += before.get(index, ())
        return {index: frozenset(flows) for index, flows in found.items()}
