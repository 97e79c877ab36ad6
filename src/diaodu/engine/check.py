"""What a graph must satisfy before it may run: reachable, ending, bound; and what about it is at least doubtful."""

from collections.abc import Collection, Iterable, Iterator

from diaodu.engine import check_net, check_runs
from diaodu.engine.check_feel import feel
from diaodu.engine.errors import Problem
from diaodu.engine.graph import SCOPES, Flow, Graph, Kind, Node, Trigger
from diaodu.engine.model import EXTERNAL
from diaodu.engine.ports import Handlers

_DRIVEN = (Kind.STAGE, Kind.ADHOC)
_CHOICES = (Kind.EXCLUSIVE, Kind.INCLUSIVE)


def check(graph: Graph, handlers: Handlers, *, execution: bool) -> list[Problem]:
    """All errors of the structure and its bindings; ``execution`` demands exactly one plan-driven stage."""
    problems = [*_bindings(graph, handlers), *_flows(graph), *_stages(graph, handlers, execution=execution)]
    problems += [*_unreachable(graph), *_dead(graph)]
    # What cannot be reached or left stands in the way of the runs: one mistake, one error.
    return problems or [p for p in _runs(graph) if not p.warning]


def warnings(graph: Graph, handlers: Handlers, known: Collection[str]) -> list[Problem]:
    """What is doubtful in a graph that passed ``check``; ``known`` are the processes that may be called.

    A call of another one is an error, unless the handlers are lenient.
    """
    found = [*(p for p in _runs(graph) if p.warning), *_choices(graph), *_uncaught(graph), *feel(graph)]
    found += unknown_calls(graph, known, "not-deployed" if handlers.lenient else "unknown-process")
    if handlers.lenient:
        found += _unnamed(graph, handlers)
    return sorted(set(found), key=lambda p: (p.element, p.code, p.what))


def unknown_calls(graph: Graph, known: Collection[str], code: str = "unknown-process") -> list[Problem]:
    """The call activities that name a process which is none of ``known``."""
    calls = [(n.id, n.called) for n in graph.nodes if n.kind is Kind.CALL]
    named = [(node, called) for node, called in calls if isinstance(called, str)]
    return [Problem(node, code, called) for node, called in named if called not in {*known, graph.key}]


def _bindings(graph: Graph, handlers: Handlers) -> Iterator[Problem]:
    for node in graph.nodes:
        by_itself = handlers.lenient and node.type == node.id
        bound = by_itself or node.type == EXTERNAL or node.type in handlers.services
        if node.kind is Kind.SERVICE and node.type and not bound:
            yield Problem(node.id, "unbound-type", node.type)
        if node.kind is Kind.RULE and handlers.decisions is None and not by_itself:
            yield Problem(node.id, "no-decisions", node.type)
        if node.timer is not None and node.timer.calendar and handlers.calendar is None:
            yield Problem(node.id, "no-calendar", node.timer.calendar)


def _unnamed(graph: Graph, handlers: Handlers) -> Iterator[Problem]:
    for node in graph.nodes:
        if node.kind in (Kind.SERVICE, Kind.RULE) and node.type == node.id and node.type not in handlers.services:
            yield Problem(node.id, "unnamed-type" if node.kind is Kind.SERVICE else "unnamed-decision")


def _flows(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes:
        if node.incoming and node.kind in (Kind.START, Kind.BOUNDARY):
            yield Problem(node.id, "into-start")
        if node.kind is Kind.EVENTS and len(node.flows) < 2:
            yield Problem(node.id, "lonely-event", str(len(node.flows)))
        for flow in node.flows:
            target = f"{node.id} -> {graph.nodes[flow.target].id}"
            if flow.condition is not None and not _may_choose(node):
                yield Problem(node.id, "stray-condition", target)
            elif node.kind is Kind.EXCLUSIVE and _open(node, flow) and len(node.flows) > 1:
                yield Problem(node.id, "no-condition", target)


def _may_choose(node: Node) -> bool:
    return node.kind in _CHOICES or node.choosing


def _open(node: Node, flow: Flow) -> bool:
    """Whether a flow has no condition and is not the default."""
    return flow.condition is None and (node.default is None or node.default.index != flow.index)


def _stages(graph: Graph, handlers: Handlers, *, execution: bool) -> Iterator[Problem]:
    stages = [n for n in graph.nodes if n.kind is Kind.STAGE]
    if len(stages) > 1 or (execution and not stages):
        yield Problem(graph.key, "stage-count", str(len(stages)))
    if handlers.driver is None:
        yield from (Problem(n.id, "no-driver") for n in stages)


def _choices(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes:
        conditions = [f.condition for f in node.flows]
        sure = any(c is None or c.text.strip() == "true" for c in conditions)
        if node.default is None and conditions and not sure and _may_choose(node):
            yield Problem(node.id, "no-default")


def _uncaught(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes:
        if node.kind is Kind.ERROR and not any(_catches(graph, at, node.event) for at in _around(graph, node)):
            yield Problem(node.id, "uncaught-error", node.event)


def _around(graph: Graph, node: Node) -> Iterator[Node]:
    """The scopes around a node, from the inside out; the process is the last."""
    scope = node.scope
    while True:
        holder = graph.nodes[scope]
        yield holder
        if scope == -1 or holder.kind is Kind.PROCESS:
            return
        scope = holder.scope


def _catches(graph: Graph, holder: Node, code: str) -> bool:
    events = [graph.nodes[index] for index in (*holder.boundary, *holder.handlers)]
    return any(e.trigger is Trigger.ERROR and e.event in ("", code) for e in events)


def _interrupted(graph: Graph, node: Node) -> bool:
    """Whether something around a node may end it from outside."""
    for holder in _around(graph, node):
        events = [graph.nodes[index] for index in (*holder.boundary, *holder.handlers)]
        if holder.kind in _DRIVEN or any(e.interrupting for e in events):
            return True
    return False


def _next(node: Node, inside: Iterable[Node]) -> list[int]:
    after = [f.target for f in node.flows] + list(node.boundary) + list(node.handlers) + list(node.entries)
    if node.kind is Kind.START and node.scope != -1:
        after.append(node.scope)  # an event subprocess is reached by its start
    if node.kind in _DRIVEN or (node.kind is Kind.SUBPROCESS and not node.entries):
        after += [n.index for n in inside if not n.incoming]
    return after


def _unreachable(graph: Graph) -> list[Problem]:
    roots = [n for n in graph.nodes if n.kind is Kind.PROCESS or (n.scope == -1 and n.kind is Kind.START)]
    if len(roots) < 2:
        return []  # without a start that was told
    inside = check_net.inside(graph)
    ahead = {n.index: _next(n, inside.get(n.index, ())) for n in graph.nodes}
    seen = _closure([n.index for n in roots], ahead)
    return [Problem(n.id, "unreachable") for n in graph.nodes if n.index not in seen]


def _dead(graph: Graph) -> list[Problem]:
    behind: dict[int, list[int]] = {n.index: [] for n in graph.nodes}
    for node in graph.nodes:
        for after in [f.target for f in node.flows] + list(node.boundary):
            behind[after].append(node.index)
    # A node that nothing leaves ends its token, whatever it is.
    seen = _closure([n.index for n in graph.nodes if not n.flows], behind)
    return [Problem(n.id, "dead") for n in graph.nodes if n.index not in seen and not _interrupted(graph, n)]


def _closure(start: Iterable[int], edges: dict[int, list[int]]) -> set[int]:
    seen: set[int] = set()
    stack = list(start)
    while stack:
        index = stack.pop()
        if index not in seen:
            seen.add(index)
            stack += edges[index]
    return seen


def _runs(graph: Graph) -> Iterator[Problem]:
    """What may happen in each scope, the inner ones first."""
    ending: dict[int, bool] = {}
    inside = check_net.inside(graph)
    scopes = [n.index for n in graph.nodes if n.kind in SCOPES and n.kind is not Kind.PROCESS]
    left = check_runs.WORK_MAX
    for scope in [*reversed(scopes), -1]:
        holder = graph.nodes[scope]
        net = check_net.reduced(check_net.net_of(graph, scope, inside.get(scope, []), ending))
        runs = check_runs.runs_of(net, left)
        left = max(runs.left, 0)
        escapes = check_net.escapes(graph, scope) or holder.kind in _DRIVEN
        ending[scope] = runs.ends or escapes or not runs.complete
        yield from (Problem(join, "never-joins", run) for join, run in runs.never.items())
        yield from (Problem(join, "may-deadlock", run) for join, run in runs.stuck.items())
        yield from (Problem(node, "may-run-twice", run) for node, run in runs.doubled.items())
        if not runs.complete:
            yield Problem(holder.id if scope != -1 else graph.key, "not-searched", str(check_runs.WORK_MAX))
        elif not (ending[scope] or runs.never or any(e.interrupting for e in _hangs(graph, holder))):
            yield Problem(holder.id if scope != -1 else graph.key, "never-ends")


def _hangs(graph: Graph, holder: Node) -> list[Node]:
    return [graph.nodes[index] for index in holder.boundary]
