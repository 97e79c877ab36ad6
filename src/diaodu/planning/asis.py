"""As-is: what stands according to the ledger, and what is under way."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from diaodu.planning.model import AREA, OPEN, QUESTIONS, TAKE_BACK, WISH, Effect, Op, State, by_age

Key = tuple[int, str]


@dataclass(frozen=True)
class Going:
    """A fact that will be gone, with its undo that is under way."""

    fact: Effect
    undo: Effect


@dataclass(frozen=True)
class AsIs:
    """The ledger of an order, sorted out."""

    standing: Mapping[Key, tuple[Effect, ...]]  # what is true, by key, oldest first
    going: Mapping[Key, tuple[Going, ...]]  # what is just being taken back, and cannot be stopped
    open: Mapping[Key, Effect]  # what is under way on each key
    surplus: tuple[Effect, ...]  # and what else is: the last one asked for counts
    undoing: Mapping[int, Effect]  # fact -> its undo, which can still be stopped
    questions: tuple[Effect, ...]  # not answered yet
    confirmed: frozenset[int]
    busy: frozenset[int]

    def opaque(self, e: Effect) -> bool:
        """Whether an open effect is out of our hands: sent, with an area, or somebody is at it."""
        return e.state in (State.SENT, State.UNKNOWN) or e.id in self.busy or _asked(e)

    def under_way(self) -> Iterator[Effect]:
        """All that is open and no undo."""
        yield from self.open.values()
        yield from self.surplus

    def without(self, effects: Collection[int]) -> "AsIs":
        """As it is once an area has forgotten these wishes."""
        standing = {k: tuple(f for f in fs if f.id not in effects) for k, fs in self.standing.items()}
        return replace(
            self,
            standing={k: fs for k, fs in standing.items() if fs},
            open={k: e for k, e in self.open.items() if e.id not in effects},
            surplus=tuple(e for e in self.surplus if e.id not in effects),
        )


def as_is(effects: Iterable[Effect], busy: frozenset[int] = frozenset()) -> AsIs:
    """Sort a ledger out; ``busy`` are the effects that somebody is at."""
    known = by_age(effects)
    sorted_out = AsIs({}, {}, {}, (), {}, (), frozenset(e.id for e in known if e.state is State.CONFIRMED), busy)
    under_way: dict[Key, list[Effect]] = {}
    undoing: dict[int, Effect] = {}
    for e in known:
        if e.state in OPEN and e.kind not in QUESTIONS:
            if e.op is Op.UNDO and e.of_id is not None:
                undoing[e.of_id] = e
            else:
                under_way.setdefault(e.key, []).append(e)
    leading = {k: max(es, key=sorted_out.opaque) for k, es in under_way.items()}
    standing: dict[Key, tuple[Effect, ...]] = {}
    going: dict[Key, tuple[Going, ...]] = {}
    for key, facts in standing_facts(known).items():
        leaving = {f.id for f in facts if f.id in undoing and sorted_out.opaque(undoing[f.id])}
        if leaving:
            going[key] = tuple(Going(f, undoing.pop(f.id)) for f in facts if f.id in leaving)
        if left := tuple(f for f in facts if f.id not in leaving):
            standing[key] = left
    found = replace(
        sorted_out,
        standing=standing,
        going=going,
        open=leading,
        surplus=tuple(e for k, es in under_way.items() for e in es if e is not leading[k]),
        undoing=undoing,
        questions=tuple(e for e in known if e.kind in QUESTIONS and e.state in OPEN),
    )
    return found.without({i for e in found.questions if e.kind == TAKE_BACK for i in e.params["wishes"]})


def standing_facts(effects: Iterable[Effect]) -> dict[Key, list[Effect]]:
    """The confirmed facts of each key, oldest first, without those whose place a newer one has taken."""
    facts: dict[Key, list[Effect]] = {}
    replaced: dict[int, int] = {}
    for e in by_age(effects):
        if e.op is Op.REDO and e.of_id is not None and e.state in (State.CONFIRMED, State.UNDONE):
            replaced[e.of_id] = e.id
        if e.state is State.CONFIRMED and e.op is not Op.UNDO and e.kind not in QUESTIONS:
            facts[e.key] = [*(f for f in facts.get(e.key, ()) if not same_place(f, e)), e]
    return {k: left for k, fs in facts.items() if (left := [f for f in fs if f.id not in replaced])}


def current_facts(effects: Iterable[Effect]) -> dict[Key, Effect]:
    """The newest fact of each key."""
    return {key: facts[-1] for key, facts in standing_facts(effects).items()}


def same_place(a: Effect, b: Effect) -> bool:
    """Whether two facts of one key are about the same subject, so that taking one back takes back both."""
    if (subject := a.params.get("subject")) is not None:
        return (a.element, subject) == (b.element, b.params.get("subject"))
    return (a.element, _bare(a), _resources(a)) == (b.element, _bare(b), _resources(b))


def _bare(e: Effect) -> Mapping[str, object]:
    return {name: value for name, value in e.params.items() if name != "key"}


def _resources(e: Effect) -> Sequence[object]:
    return [r["id"] for r in (e.result or {}).get("resources", ())]


def _asked(e: Effect) -> bool:
    return e.state is State.INTENT and e.ready and (e.element or "").startswith(AREA)


def asked_wishes(known: AsIs) -> dict[tuple[int, str], list[Effect]]:
    """The wishes that an area was asked for and has not answered, by revision and element: its requests."""
    found: dict[tuple[int, str], list[Effect]] = {}
    for e in known.under_way():
        if e.work == WISH and (e.state is State.SENT or _asked(e)):
            found.setdefault((e.revision, e.element or ""), []).append(e)
    return found
