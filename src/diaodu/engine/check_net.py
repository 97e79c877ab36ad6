"""The control flow of one scope as a small net of places and steps; what is surely sound is taken out of it.

A place is a sequence flow (its index) or the entry of a node (``-1 - index``). Data is left out: a choice may go any
way, a timer, a message or an error may come at any time. So the net can do all that the process can do, and more.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations

from diaodu.engine.graph import Graph, Kind, Node, Trigger

Places = frozenset[int]
_NOTHING: Places = frozenset()
# A node that may choose among more flows than these has too many choices to try.
CHOICE_MAX = 8
# How much is done to make a net smaller: every place of a step that is looked at counts as one.
REDUCTION_MAX = 1_000_000


class Join(Enum):
    """Which of its places a step waits for."""

    EACH = 0  # for one: every token passes alone
    ALL = 1
    ANY = 2  # for those that may still come


@dataclass(slots=True)
class Step:
    """What one node does: takes from ``ins``, gives one of ``gives``, or some of ``choice``.

    ``spawns`` are added while its token stays; ``clears`` takes all tokens of the scope away. ``merge`` is the id of
    the node where flows meet unsynchronised, if two tokens at once would matter there.
    """

    id: str
    join: Join
    ins: set[int] = field(default_factory=set)
    gives: set[Places] = field(default_factory=set)
    choice: Places = _NOTHING
    spawns: set[Places] = field(default_factory=set)
    clears: bool = False
    merge: str = ""

    @property
    def plain(self) -> bool:
        """It only hands one token on."""
        return (
            self.join is Join.EACH
            and not (self.choice or self.spawns or self.clears)
            and len(self.gives) == 1
            and len(next(iter(self.gives))) == 1
        )

    @property
    def sink(self) -> bool:
        """It only takes a token away."""
        return (
            self.join is Join.EACH
            and self.gives == {_NOTHING}
            and not (self.choice or self.spawns or self.clears or self.merge)
        )

    def outs(self) -> set[int]:
        """All places where it may put a token."""
        return set().union(*self.gives, *self.spawns, self.choice)

    def options(self) -> Iterator[Places]:
        """All that it may give; OverflowError when there are too many choices."""
        yield from self.gives
        if len(self.choice) > CHOICE_MAX:
            raise OverflowError(len(self.choice))
        for count in range(1, len(self.choice) + 1):
            yield from (frozenset(some) for some in combinations(sorted(self.choice), count))


@dataclass(slots=True)
class Net:
    """The steps by node, the step that takes from each place, and with which places a run may begin."""

    steps: dict[int, Step]
    takers: dict[int, int]
    starts: list[Places]


def inside(graph: Graph) -> dict[int, list[Node]]:
    """The nodes that tokens visit, by scope."""
    found: dict[int, list[Node]] = {}
    for node in graph.nodes:
        if node.kind not in (Kind.BOUNDARY, Kind.EVENT_SUBPROCESS, Kind.PROCESS):
            found.setdefault(node.scope, []).append(node)
    return found


def net_of(graph: Graph, scope: int, nodes: Iterable[Node], ending: Mapping[int, bool]) -> Net:
    """The net of the ``nodes`` directly inside ``scope``; ``ending`` says which scopes inside it may end."""
    net = Net({}, {}, [])
    for node in nodes:
        step = _step(graph, node, ends=ending.get(node.index, True))
        net.steps[node.index] = step
        net.takers |= dict.fromkeys(step.ins, node.index)
    for begin in _begins(graph.nodes[scope], nodes):
        for index in begin:
            net.steps[index].ins.add(-1 - index)
            net.takers[-1 - index] = index
        net.starts.append(frozenset(-1 - index for index in begin))
    return net


def _step(graph: Graph, node: Node, *, ends: bool) -> Step:
    ways = len(node.incoming)
    join = {Kind.PARALLEL: Join.ALL, Kind.INCLUSIVE: Join.ANY}.get(node.kind, Join.EACH) if ways > 1 else Join.EACH
    step = Step(node.id, join, set(node.incoming), clears=node.kind in (Kind.TERMINATE, Kind.ERROR))
    if join is Join.EACH and ways > 1 and node.flows:
        step.merge = node.id
    if ends:
        step.gives, step.choice = _gives(node)
    for index in node.boundary:
        event = graph.nodes[index]
        gives, choice = _gives(event)
        if event.interrupting:
            step.gives |= gives
            step.choice |= choice
        else:
            step.spawns |= gives | {frozenset({place}) for place in choice}
    return step


def _gives(node: Node) -> tuple[set[Places], Places]:
    flows = frozenset(f.index for f in node.flows)
    if not flows:
        return {_NOTHING}, _NOTHING
    if node.kind in (Kind.EXCLUSIVE, Kind.EVENTS):
        return {frozenset({place}) for place in flows}, _NOTHING
    if len(flows) > 1 and (node.choosing or node.kind is Kind.INCLUSIVE):
        return set(), flows
    return {flows}, _NOTHING


def _begins(holder: Node, nodes: Iterable[Node]) -> Iterator[tuple[int, ...]]:
    """The nodes that get a token when a run of the scope begins, one tuple for each way to begin."""
    if holder.kind in (Kind.PROCESS, Kind.EVENT_SUBPROCESS):
        yield from ((n.index,) for n in nodes if n.kind is Kind.START)
    elif holder.kind is Kind.STAGE:
        yield from ((index,) for index in sorted(set(holder.activities.values())))
    elif holder.entries:
        yield holder.entries
    else:
        yield tuple(n.index for n in nodes if not n.incoming)


def escapes(graph: Graph, scope: int) -> bool:
    """Whether an event subprocess may interrupt the scope, and so end it."""
    starts = [graph.nodes[index] for index in graph.nodes[scope].handlers]
    return any(s.interrupting or s.trigger is Trigger.ERROR for s in starts)


def reduced(net: Net) -> Net:
    """The same net without what cannot go wrong: sequences, blocks that open and close with like gateways, loops."""
    givers = {place: index for index, step in net.steps.items() for place in step.outs()}
    todo = deque(net.steps)
    waiting = set(todo)
    left = REDUCTION_MAX
    while todo and left > 0:
        index = todo.popleft()
        waiting.discard(index)
        if index not in net.steps:
            continue
        left -= 1 + len(net.steps[index].ins) + len(net.steps[index].outs())
        for other in _simplify(net, givers, index):
            if other in net.steps and other not in waiting:
                waiting.add(other)
                todo.append(other)
    return net


def _simplify(net: Net, givers: dict[int, int], index: int) -> set[int]:
    """One look at a step; answers with the steps that are worth another look."""
    step = net.steps[index]
    again = _twins(net, index) | _sinks(net, index)
    if len(step.choice) == 1:
        step.gives.add(step.choice)
        step.choice = _NOTHING
        again.add(index)
    if len(step.ins) == 1:
        step.join, step.merge = Join.EACH, ""
    again |= _fuse(net, givers, index)
    if again or step.sink:
        again |= {givers[place] for place in step.ins if place in givers}
    return again - {index} if index not in net.steps else again


def _twins(net: Net, index: int) -> set[int]:
    """Places between the same two steps that are always marked alike, or never together where each passes alone."""
    step, again = net.steps[index], set()
    if step.spawns:
        return set()
    by_taker: dict[int, set[int]] = {}
    for place in step.outs():
        by_taker.setdefault(net.takers[place], set()).add(place)
    for taker, group in by_taker.items():
        if taker == index:
            again |= _self_loop(net, index, group)
        elif len(group) > 1 and _alike(net.steps[taker].join, step, group):
            first = min(group)
            step.gives = {give - group | {first} if give & group else give for give in step.gives}
            step.choice = step.choice - group | {first} if step.choice & group else step.choice
            net.steps[taker].ins -= group - {first}
            again |= {index, taker}
    return again


def _alike(join: Join, step: Step, group: set[int]) -> bool:
    if join is Join.ANY:
        return True
    if join is Join.ALL:
        return not step.choice & group and all(not give & group or give >= group for give in step.gives)
    return len(step.choice & group) <= 1 and all(len(give & group) <= 1 for give in step.gives)


def _self_loop(net: Net, index: int, group: Iterable[int]) -> set[int]:
    """A choice to do the same again changes nothing, if there is another one."""
    step = net.steps[index]
    again = set()
    for place in group:
        alone = frozenset({place})
        in_others = place in step.choice or any(place in give for give in step.gives if give != alone)
        if step.join is Join.EACH and alone in step.gives and len(step.gives) > 1 and not in_others:
            step.gives.discard(alone)
            step.ins.discard(place)
            again.add(index)
    return again


def _sinks(net: Net, index: int) -> set[int]:
    """A token that is taken away need not be put there."""
    step = net.steps[index]
    lost = frozenset(p for p in step.outs() if net.takers[p] != index and net.steps[net.takers[p]].sink)
    if not lost:
        return set()
    for place in lost:
        sink = net.steps[net.takers[place]]
        sink.ins.discard(place)
        if not sink.ins:
            del net.steps[net.takers[place]]
    step.gives = {give - lost for give in step.gives}
    step.spawns = {spawn - lost for spawn in step.spawns} - {_NOTHING}
    if step.choice & lost:
        step.choice -= lost
        step.gives.add(_NOTHING)
    return {index}


def _fuse(net: Net, givers: dict[int, int], index: int) -> set[int]:
    """A step that only hands on becomes one with its follower."""
    step = net.steps[index]
    if not step.plain or not step.ins:
        return set()
    (place,) = next(iter(step.gives))
    after = net.takers[place]
    follower = net.steps[after]
    if after == index or (follower.join is not Join.EACH and len(step.ins) > 1):
        return set()
    if step.merge and len(follower.ins) > 1 and not follower.merge:
        return set()
    follower.ins.discard(place)
    follower.ins |= step.ins
    follower.merge = follower.merge or step.merge
    net.takers |= dict.fromkeys(step.ins, after)
    del net.steps[index]
    return {after} | {givers[p] for p in step.ins if p in givers}
