"""From one version of a process to another: which element goes where, and what becomes of an instance. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from diaodu.engine.graph import Graph, Kind, Node, Trigger
from diaodu.engine.instance import PROCESS, Instance, Token

# What is done, where gateways and events only lead.
WORK = frozenset({Kind.SCRIPT, Kind.RULE, Kind.SERVICE, Kind.USER, Kind.SUBPROCESS, Kind.STAGE, Kind.ADHOC, Kind.CALL})
OPENED = frozenset({Trigger.MESSAGE, Trigger.SIGNAL, Trigger.TIMER})


@dataclass(frozen=True)
class Proposal:
    """A mapping element id -> element id; ``hints`` are proposed by name alone, ``missing`` have no counterpart."""

    mapping: Mapping[str, str]
    hints: Mapping[str, str]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What becomes of something that an instance holds.

    ``what`` is token.moved, task.kept, task.cancelled, timer.kept, timer.recomputed, timer.dropped, event.added,
    message.kept, message.changed, event.dropped; or what keeps the instance from migrating: no-place, or past (it has
    left behind what the new version inserts).
    """

    what: str
    node: str
    to: str = ""
    detail: str = ""


@dataclass
class Passage:
    """How one token goes over: its node, flow and what it waits for, by new indexes."""

    token: Token
    node: int
    via: int
    events: dict[int, int] = field(default_factory=dict)  # old event -> new event; what is not here is dropped
    changed: set[int] = field(default_factory=set)  # new events whose message is another one
    added: list[int] = field(default_factory=list)


@dataclass
class Report:
    """What a migration does to one instance; it is refused if there is ``no-place`` or ``past``."""

    passages: list[Passage] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def problems(self) -> list[Finding]:
        return [f for f in self.findings if f.what in ("no-place", "past")]


def propose(old: Graph, new: Graph) -> Proposal:
    """Map what has the same id and a compatible kind; what has not is proposed by its name, as a hint."""
    mapping, hints, missing = {}, {}, []
    named: dict[tuple[object, ...], list[str]] = {}
    for node in new.nodes[:-1]:
        named.setdefault((node.name, *_sort(node)), []).append(node.id)
    for node in old.nodes[:-1]:
        same = new.by_id.get(node.id)
        if same is not None and compatible(node, new.nodes[same]):
            mapping[node.id] = node.id
            continue
        alike = named.get((node.name, *_sort(node)), [])
        if len(alike) == 1:
            hints[node.id] = alike[0]
        else:
            missing.append(node.id)
    return Proposal(mapping, hints, tuple(missing))


def compatible(old: Node, new: Node) -> bool:
    """Whether what stands at a node of one version can stand at one of the other."""
    return _sort(old) == _sort(new)


def _sort(node: Node) -> tuple[object, ...]:
    return node.kind, node.trigger, None if node.loop is None else (node.loop.multi, node.loop.sequential)


def examine(
    instance: Instance, new: Graph, mapping: Mapping[str, str], *, recompute: bool, leave: Collection[str] = ()
) -> Report:
    """What becomes of an instance, but for the tokens that leave their nodes first; nothing is changed."""
    report, old = Report(), instance.graph
    indexes = _indexes(old, new, mapping)
    for token in instance.tokens.values():
        node = instance.node(token)
        if node.id in leave:
            report.findings.append(Finding("task.cancelled", node.id, detail=str(token.task or "")))
            continue
        target = indexes.get(node.index)
        obstacle = _obstacle(instance, token, new, indexes)
        if obstacle or target is None:
            detail = obstacle or "not mapped"
            if token.task is not None:
                detail += f"; task {token.task} is open there: finish it first, leave it with a note, or map it"
            report.findings.append(Finding("no-place", node.id, mapping.get(node.id, ""), detail))
            continue
        passage = Passage(token, target, -1)
        report.passages.append(passage)
        if new.nodes[target].id != node.id:
            report.findings.append(Finding("token.moved", node.id, new.nodes[target].id))
        if token.via >= 0 and token.id != PROCESS:
            _flow(passage, report, old, new, indexes)
        if token.task is not None:
            report.findings.append(Finding("task.kept", node.id, new.nodes[target].id, str(token.task)))
        _events(instance, passage, report, new, indexes, recompute=recompute)
    return report


def past(instance: Instance, new: Graph, mapping: Mapping[str, str]) -> list[Finding]:
    """The work that a version inserts where an instance has been already: it would never be done."""
    indexes = _indexes(instance.graph, new, mapping)
    inserted = [n for n in new.nodes[:-1] if n.kind in WORK and n.index not in indexes.values()]
    if not inserted:
        return []
    holders = {t.scope for t in instance.tokens.values()}
    ahead: set[int] = set()
    for token in instance.tokens.values():
        at = indexes.get(token.node)
        if token.id != PROCESS and at is not None:
            # What stands inside a scope that is open is reached from there; a plan may begin anything in its stage.
            inside = token.id not in holders or new.nodes[at].kind in (Kind.STAGE, Kind.ADHOC)
            _reach(new, at, ahead, inside=inside)
        elif token.id != PROCESS:  # it leaves its node first, the way that this version goes on
            following: set[int] = set()
            _reach(instance.graph, token.node, following, inside=True)
            for index in {indexes[i] for i in following if i in indexes}:
                ahead.add(index)
                _reach(new, index, ahead, inside=True)
    return [Finding("past", n.id, detail="already behind it") for n in inserted if n.index not in ahead]


def _reach(graph: Graph, start: int, seen: set[int], *, inside: bool) -> None:
    """Add all nodes that a token may come to from a node, with those in the scopes on its way."""
    ahead = [(start, inside)]
    while ahead:
        index, into = ahead.pop()
        node = graph.nodes[index]
        following = {f.target for f in node.flows} | set(node.boundary)
        if into:
            following |= {n.index for n in graph.nodes[:-1] if n.scope == index}
        new = following - seen
        seen |= new
        ahead += [(i, True) for i in new]


def _indexes(old: Graph, new: Graph, mapping: Mapping[str, str]) -> dict[int, int]:
    found = {len(old.nodes) - 1: len(new.nodes) - 1}
    for source, target in mapping.items():
        if source in old.by_id and target in new.by_id:
            found[old.by_id[source]] = new.by_id[target]
    return found


def _obstacle(instance: Instance, token: Token, new: Graph, indexes: Mapping[int, int]) -> str:
    target = indexes.get(token.node)
    if target is None:
        return "not mapped"
    node = new.nodes[target]
    if not compatible(instance.node(token), node):
        return "of another kind"
    if token.id == PROCESS:
        return ""
    holder = instance.tokens.get(token.scope)
    if holder is None or holder.id == PROCESS:
        inside = node.scope < 0
    elif token.turn >= 0:
        inside = indexes.get(holder.node) == target
    else:
        inside = node.scope == indexes.get(holder.node)
    return "" if inside else "in another scope"


def _flow(passage: Passage, report: Report, old: Graph, new: Graph, indexes: Mapping[int, int]) -> None:
    """The flow by which a token came counts where others are waited for."""
    token, target = passage.token, new.nodes[passage.node]
    source, order = next(
        (n.index, [f.index for f in n.flows if f.target == token.node].index(token.via))
        for n in old.nodes
        if any(f.index == token.via for f in n.flows)
    )
    mapped = indexes.get(source)
    same = [] if mapped is None else [f.index for f in new.nodes[mapped].flows if f.target == target.index]
    if order < len(same):
        passage.via = same[order]
    elif target.kind in (Kind.PARALLEL, Kind.INCLUSIVE) and len(target.incoming) > 1:
        report.findings.append(Finding("no-place", old.nodes[token.node].id, target.id, "no such flow into the join"))


def _events(
    instance: Instance,
    passage: Passage,
    report: Report,
    new: Graph,
    indexes: Mapping[int, int],
    *,
    recompute: bool,
) -> None:
    token, old = passage.token, instance.graph
    expected = set(_expected(new, new.nodes[passage.node], token))
    held = {e for e, _ in token.timers} | {w[0] for w in token.waits}
    for index in sorted(held):
        event, target = old.nodes[index], indexes.get(index)
        timer = any(e == index for e, _ in token.timers)
        kind = "timer" if timer else "event"
        if index != token.node and (target is None or target not in expected):
            report.findings.append(Finding(f"{kind}.dropped", event.id))
            continue
        assert target is not None
        passage.events[index] = target
        if timer:
            report.findings.append(
                Finding("timer.recomputed" if recompute else "timer.kept", event.id, new.nodes[target].id)
            )
        elif event.trigger in OPENED and _other_message(event, new.nodes[target]):
            passage.changed.add(target)
            report.findings.append(Finding("message.changed", event.id, new.nodes[target].id, new.nodes[target].event))
        elif event.trigger is Trigger.MESSAGE:
            report.findings.append(Finding("message.kept", event.id, new.nodes[target].id))
    # An incident has taken everything back: what is tried again opens all events anew. What was open and fired is over.
    if token.job is not None and not held:
        return
    known = {indexes[e] for e in _expected(old, old.nodes[token.node], token) if e in indexes}
    if _interrupted(instance, token):
        return
    for index in sorted(expected - known - {passage.node}):
        passage.added.append(index)
        report.findings.append(Finding("event.added", old.nodes[token.node].id, new.nodes[index].id))


def _expected(graph: Graph, node: Node, token: Token) -> Iterable[int]:
    """The events that a token at a node waits for beside the node itself."""
    found = [] if token.turn >= 0 else list(node.boundary)
    if node.loop is None or token.turn >= 0:
        found += node.handlers
    if node.kind is Kind.EVENTS:
        found += [f.target for f in node.flows]
    return [i for i in found if graph.nodes[i].trigger in OPENED]


def _interrupted(instance: Instance, token: Token) -> bool:
    """Whether an event subprocess has put an end to the rest of the scope that a token holds."""
    inside = [t for t in instance.inside(token.id) if instance.node(t).kind is Kind.EVENT_SUBPROCESS]
    starts = [instance.graph.nodes[instance.node(t).entries[0]] for t in inside]
    return any(s.interrupting for s in starts)


def _other_message(old: Node, new: Node) -> bool:
    return (old.event, _text(old)) != (new.event, _text(new))


def _text(node: Node) -> str:
    return node.key if isinstance(node.key, str) else node.key.text
