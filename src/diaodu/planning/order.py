"""What waits for what: the order of a plan."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter

from diaodu.planning.asis import AsIs
from diaodu.planning.choose import Built, Choice, Chosen, Goals, can_be_undone
from diaodu.planning.model import TAKE_BACK, WISH, Effect, State, Step, StepKey, Waits, Wanted


@dataclass(frozen=True)
class Work:
    """All that a plan consists of."""

    known: AsIs
    goals: Goals
    built: Built
    chosen: Chosen
    undos: Mapping[int, Choice]  # by the fact that they take back
    forgotten: tuple[Step, ...]  # requests that areas are to forget


@dataclass
class _First:
    """What comes before something: steps of the plan and effects of the ledger."""

    steps: set[StepKey] = field(default_factory=set)
    effects: set[int] = field(default_factory=set)

    def add(self, x: Choice | None) -> None:
        if isinstance(x, Step):
            self.steps.add(x.key)
        elif x is not None:
            self.effects.add(x.id)


Node = tuple[Choice, _First]


def in_order(work: Work) -> tuple[tuple[Step, ...], tuple[Waits, ...]]:
    """The steps, each after those that it waits for; and the intents that wait for other things than before."""
    known = work.known
    opaque = [e for e in known.under_way() if known.opaque(e)]
    going = {g.fact.id: g for gs in known.going.values() for g in gs}
    flying = Built.of(opaque, work.built.group_of)
    leaving = Built.of((g.fact for g in going.values()), work.built.group_of)
    nodes: list[Node] = [(s, _First()) for s in (*work.chosen.released, *work.forgotten)]
    nodes += [(c, _before_doing(work, work.goals.by_key[k])) for k, c in work.chosen.choices.items()]
    for i, undo in work.undos.items():
        fact = work.chosen.obsolete[i]
        first = _before_undoing(work, fact)
        for e in (*flying.on(fact), *(going[g.id].undo for g in leaving.on(fact))):
            first.add(e)
        nodes.append((undo, first))
    _last_of_all(work, nodes, [*opaque, *(g.undo for g in going.values())])
    steps = [replace(x, after=frozenset(b.steps), needs=frozenset(b.effects)) for x, b in nodes if isinstance(x, Step)]
    waits = [w for x, b in nodes if isinstance(x, Effect) and (w := _waits(known, x, b))]
    return _sorted(steps), tuple(waits)


def _before_doing(work: Work, w: Wanted) -> _First:
    """What it comes after; what goes first in its own place; and what an area must have forgotten."""
    first = _First()
    for kind in w.after:
        for below in work.goals.by_kind.get((w.group, kind), ()):
            first.add(work.chosen.choices[below.key])
    for f in work.known.standing.get(w.key, ()):
        if f.id in work.chosen.broken:
            first.add(work.undos[f.id])
    for going in work.known.going.get(w.key, ()):
        first.add(going.undo)
    if w.work == WISH:
        asked: list[Choice] = [*work.forgotten, *(e for e in work.known.questions if e.kind == TAKE_BACK)]
        for question in asked:
            if question.element == w.element:
                first.add(question)
    return first


def _before_undoing(work: Work, f: Effect) -> _First:
    """What was built on it; what is under way in its own place; and, if it is replaced, what changes over."""
    first = _First()
    for g in work.built.on(f):
        # What stays, but is done anew, stands on it until then.
        anew = work.chosen.choices.get(g.key) if f.key not in work.goals.by_key and can_be_undone(g) else None
        first.add(work.undos.get(g.id) or anew)
    under_way = work.known.open.get(f.key)
    if under_way and work.known.opaque(under_way):
        first.add(under_way)
    if f.key in work.goals.by_key and f.id not in work.chosen.broken:
        first.add(work.chosen.choices[f.key])
        for w in work.goals.dependents.get((work.built.group_of(f), f.kind), ()):
            first.add(work.chosen.choices[w.key])
    return first


def _last_of_all(work: Work, nodes: Sequence[Node], under_way: Iterable[Effect]) -> None:
    """What is last (a claim) is given up when nothing else of its item is left to do."""
    last = {id(work.undos[i]) for i, f in work.chosen.obsolete.items() if f.undo and f.undo.get("last")}
    if not last:
        return
    others: dict[str | None, list[Choice]] = {}
    for x in (*(x for x, _ in nodes), *under_way, *work.known.questions):
        if id(x) not in last:
            others.setdefault(x.item_key, []).append(x)
    for x, first in nodes:
        if id(x) in last:
            for other in others.get(x.item_key, ()):
                first.add(other)


def _waits(known: AsIs, e: Effect, first: _First) -> Waits | None:
    """Something new to wait for, unless it is out of our hands or waits for the same already."""
    if e.state is State.CONFIRMED or known.opaque(e):
        return None
    if not first.steps and set(e.needs) - known.confirmed == first.effects - known.confirmed:
        return None
    return Waits(e.id, frozenset(first.steps), frozenset(first.effects))


def _sorted(steps: Sequence[Step]) -> tuple[Step, ...]:
    by_key = {s.key: s for s in steps}
    return tuple(by_key[key] for key in TopologicalSorter({s.key: s.after for s in steps}).static_order())
