"""Which joins open and which flows are taken: chapter 13.4 of the standard."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.engine.proof.diagram import Vars, value

if TYPE_CHECKING:
    from tests.engine.proof.oracle import Run

JOINS = ("parallelGateway", "inclusiveGateway")


def ready(run: "Run") -> Iterator[tuple[str | None, "Run"]]:
    """The joins that may open now, and the states after it."""
    come: dict[tuple[int, str], dict[str, int]] = {}
    for i, thing in run.things.items():
        target = run.of.flows.get(thing.at, {}).get("target")
        if target is not None and run.of.nodes[target]["tag"] in JOINS:
            come.setdefault((thing.scope, target), {})[thing.at] = i
    for (scope, gateway), tokens in come.items():
        node = run.of.nodes[gateway]
        parallel = node["tag"] == "parallelGateway"
        if (len(tokens) == len(node["in"])) if parallel else _includes(run, scope, gateway, set(tokens)):
            after = run._copy()
            for i in tokens.values():
                del after.things[i]
            for flow in node["out"] if parallel else chosen(run, node, scope):
                after._add(flow, scope)
            yield None, after


def _includes(run: "Run", scope: int, gateway: str, full: set[str]) -> bool:
    """Every token that may reach an empty flow may reach a full one as well (both without the gateway)."""
    for i in run._inside(scope):
        at = run.things[i].at
        if run.of.flows.get(at, {}).get("target") == gateway:
            continue
        found = _reach(run, at, gateway)
        if found - full and not found & full:
            return False
    return True


def _reach(run: "Run", at: str, gateway: str) -> set[str]:
    found: set[str] = set()
    start = run.of.flows[at]["target"] if at in run.of.flows else at.removeprefix("@").removeprefix("throw:")
    stack, been = [start], set[str]()
    while stack:
        node = stack.pop()
        if node in been or node == gateway:
            continue
        been.add(node)
        stack += [b["id"] for b in run.of.border(node)]
        for flow in run.of.nodes[node]["out"]:
            target = run.of.flows[flow]["target"]
            if target == gateway:
                found.add(flow)
            stack.append(target)
    return found


def exclusive(run: "Run", node: Vars, scope: int) -> str:
    """The flow that an exclusive gateway takes."""
    for flow in node["out"]:
        condition = run.of.flows[flow]["condition"]
        if flow != node["default"] and (condition is None or value(condition, run.seen(scope)) is True):
            return str(flow)
    return str(node["default"])


def chosen(run: "Run", node: Vars, scope: int) -> list[str]:
    """The flows that any other node takes."""
    flows = [f for f in node["out"] if f != node["default"]]
    conditions = {f: run.of.flows[f]["condition"] for f in flows}
    true = [f for f, c in conditions.items() if c is None or value(c, run.seen(scope)) is True]
    if node["default"] and not any(conditions[f] is not None for f in true):
        true.append(node["default"])
    return true
