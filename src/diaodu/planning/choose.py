"""What each wanted effect becomes: a fact that stands, what is under way, or a step; and which facts are in the way."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from diaodu.planning import steps
from diaodu.planning.asis import AsIs, Key
from diaodu.planning.model import RELEASE, Effect, Op, SharedThings, State, Step, Wanted

GroupOf = Callable[[Effect], str]
Choice = Effect | Step


@dataclass(frozen=True)
class Goals:
    """What is wanted, by key; and by group and kind, for what comes after what."""

    by_key: Mapping[Key, Wanted]
    by_kind: Mapping[tuple[str, str], Sequence[Wanted]]
    dependents: Mapping[tuple[str, str], Sequence[Wanted]]

    @staticmethod
    def of(wanted: Iterable[Wanted]) -> "Goals":
        """The goals that a to-be sets."""
        by_key = {w.key: w for w in wanted}
        by_kind: dict[tuple[str, str], list[Wanted]] = {}
        dependents: dict[tuple[str, str], list[Wanted]] = {}
        for w in by_key.values():
            by_kind.setdefault((w.group, w.kind), []).append(w)
            for below in w.after:
                dependents.setdefault((w.group, below), []).append(w)
        return Goals(by_key, by_kind, dependents)


@dataclass(frozen=True)
class Built:
    """Which facts were done on top of which: by group and the kind below."""

    group_of: GroupOf
    above: Mapping[tuple[str, str], Sequence[Effect]]

    @staticmethod
    def of(effects: Iterable[Effect], group_of: GroupOf) -> "Built":
        """Sort effects by the kinds that they were done on top of."""
        above: dict[tuple[str, str], list[Effect]] = {}
        for e in effects:
            for below in e.undo["after"] if e.undo else ():
                above.setdefault((group_of(e), below), []).append(e)
        return Built(group_of, above)

    def on(self, fact: Effect) -> Sequence[Effect]:
        """What was done on top of a fact."""
        return [e for e in self.above.get((self.group_of(fact), fact.kind), ()) if e.id != fact.id]


@dataclass(frozen=True)
class Chosen:
    """The decision about every wanted effect and every fact that stands."""

    choices: Mapping[Key, Choice]
    broken: frozenset[int]  # facts that go before what takes their place is done
    obsolete: Mapping[int, Effect] = field(default_factory=dict)  # facts that are to be taken back
    released: tuple[Step, ...] = ()  # what has to be asked before they are


def can_be_undone(f: Effect) -> bool:
    """Whether a fact can be taken back at all."""
    return bool(f.undo and f.undo["kind"])


def choose(known: AsIs, goals: Goals, built: Built, shared: SharedThings) -> Chosen:
    """Decide about everything."""
    broken = _broken(known, goals, built)
    choices = {key: _choice(w, known, broken) for key, w in goals.by_key.items()}
    in_the_way = [
        f
        for key, facts in known.standing.items()
        for f in facts
        if can_be_undone(f) and (key not in goals.by_key or _in_the_way(f, goals.by_key[key], known, choices, broken))
    ]
    return _shared(known, Chosen(choices, broken, {f.id: f for f in in_the_way}), goals, shared)


def _choice(w: Wanted, known: AsIs, broken: frozenset[int]) -> Choice:
    under_way = known.open.get(w.key)
    if under_way and known.opaque(under_way):
        return under_way
    if right := _right(w, known, broken):
        return right
    step = _step(w, known.standing.get(w.key, ()), broken)
    return under_way if under_way and _is(under_way, step) else step


def _right(w: Wanted, known: AsIs, broken: frozenset[int] = frozenset()) -> Effect | None:
    facts = reversed(known.standing.get(w.key, ()))
    return next((f for f in facts if f.reads_hash == w.reads_hash and f.id not in broken), None)


def _step(w: Wanted, standing: Sequence[Effect], broken: frozenset[int]) -> Step:
    if not standing:
        return steps.done(w, None, "new")
    before = standing[-1]
    if before.id in broken:
        return steps.done(w, None, "broken" if before.reads_hash == w.reads_hash else "changed")
    return steps.done(w, before if _in_place(w, before) else None, "changed")


def _in_place(w: Wanted, before: Effect) -> bool:
    """Whether the new takes the place of the old: a modification of the same subject, or there is no way back."""
    same = (w.element, w.params.get("subject")) == (before.element, before.params.get("subject"))
    return (w.on_change == "in_place" and same) or not can_be_undone(before)


def _is(under_way: Effect, step: Step) -> bool:
    """Whether what was asked for and not begun is what would be asked for now."""
    asked = (under_way.op, under_way.of_id, under_way.reads_hash, under_way.element, under_way.params)
    return asked == (step.op, step.of_id, step.reads_hash, step.element, step.params)


def _broken(known: AsIs, goals: Goals, built: Built) -> frozenset[int]:
    """Facts that go before their successors come, and all that was built on them and can be taken back."""
    queue = [
        f
        for key, w in goals.by_key.items()
        if w.on_change == "break_first" and not _right(w, known) and not _is_opaque(known, key)
        for f in known.standing.get(key, ())
        if can_be_undone(f)
    ]
    broken: set[int] = set()
    while queue:
        f = queue.pop()
        if f.id not in broken:
            broken.add(f.id)
            queue += [g for g in built.on(f) if can_be_undone(g) and g.key in goals.by_key]
    return frozenset(broken)


def _is_opaque(known: AsIs, key: Key) -> bool:
    return key in known.open and known.opaque(known.open[key])


def _in_the_way(f: Effect, w: Wanted, known: AsIs, choices: Mapping[Key, Choice], broken: frozenset[int]) -> bool:
    """Whether a fact of a wanted key is to be taken back: something else stands, or comes, in its place."""
    choice = choices[w.key]
    if f.id in broken:
        return True
    if isinstance(choice, Effect):
        if choice.state is State.CONFIRMED:
            return choice.id != f.id
        if f.reads_hash == w.reads_hash:
            return False
        if known.opaque(choice) and choice.reads_hash != w.reads_hash:
            return f.id in known.undoing  # what follows is decided when it has landed
    return not (choice.op is Op.REDO and choice.of_id == f.id)


def _shared(known: AsIs, chosen: Chosen, goals: Goals, shared: SharedThings) -> Chosen:
    """What several products use goes when the last of them has gone; whether it has is asked first.

    Until it is known nothing that is wanted no more is begun to be taken down, so that one plan (and one visit)
    covers all of it.
    """
    removed = [f for f in chosen.obsolete.values() if f.key not in goals.by_key]
    leaving = {f.thing_id for f in removed if f.thing_id in shared.users}
    unknown = leaving - shared.answered
    if unknown:
        asked = {e.thing_id for e in known.questions if e.kind == RELEASE}
        questions = [
            steps.released(t, [f for f in removed if f.thing_id == t], shared) for t in sorted(unknown - asked)
        ]
        obsolete = {i: f for i, f in chosen.obsolete.items() if f.key in goals.by_key or i in known.undoing}
        return Chosen(chosen.choices, chosen.broken, obsolete, tuple(questions))
    stays = leaving - shared.last_user_gone
    obsolete = {i: f for i, f in chosen.obsolete.items() if f.key in goals.by_key or f.thing_id not in stays}
    return Chosen(chosen.choices, chosen.broken, obsolete)
