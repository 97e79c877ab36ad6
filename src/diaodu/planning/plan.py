"""plan(as-is, in-flight, to-be): pure, computed from facts whenever they change.

Facts of the ledger are as-is where they are confirmed and opaque where they are under way: only steps on the same key,
or ordered against it, wait for those; all others run. An intent that was not begun is kept when it is what would be
asked for now, else withdrawn.
"""

from collections.abc import Iterable, Mapping, Sequence

from diaodu.planning import steps
from diaodu.planning.asis import AsIs, as_is, asked_wishes, current_facts
from diaodu.planning.choose import Built, Chosen, Goals, choose
from diaodu.planning.model import RELEASE, Effect, Plan, SharedThings, State, Step, Wanted
from diaodu.planning.order import Work, in_order

__all__ = ["RELEASE", "current_facts", "plan"]


def plan(
    effects: Sequence[Effect],
    wanted: Sequence[Wanted],
    shared: SharedThings | None = None,
    busy: frozenset[int] = frozenset(),
    groups: Mapping[str, str] | None = None,
) -> Plan:
    """The steps that lead from the ledger ``effects`` to ``wanted``.

    A wanted effect is kept when it is confirmed and reads the same values; else it is done, or done anew in place,
    beside the old one (which goes when all that depends on it has changed over) or after the old one has gone with
    all that was built on it. A fact that is wanted no more is undone after everything that depends on it; those of a
    shared thing only when its last user has gone. ``busy`` are effects that somebody is at; ``groups`` are the
    top-level items by item key.
    """
    belongs = groups or {}

    def group_of(e: Effect) -> str:
        return belongs.get(e.item_key or "", e.item_key or "")

    goals = Goals.of(wanted)
    known, forgotten = _take_back(as_is(effects, busy), goals)
    built = Built.of((f for facts in known.standing.values() for f in facts), group_of)
    chosen = choose(known, goals, built, shared or SharedThings())
    undos = _undos(known, chosen, goals)
    done, waits = in_order(Work(known, goals, built, chosen, undos, tuple(forgotten)))
    kept = {c.id for c in chosen.choices.values() if isinstance(c, Effect)}
    kept |= {u.id for u in undos.values() if isinstance(u, Effect)}
    unwanted = [e for e in _stoppable(known) if e.id not in kept]
    return Plan(
        steps=done,
        keep=tuple(c.id for c in chosen.choices.values() if isinstance(c, Effect)),
        withdraw=tuple(e.id for e in unwanted if not known.opaque(e)),
        recall=tuple(sorted(_recalled(known, goals))),
        waits=waits,
    )


def _take_back(known: AsIs, goals: Goals) -> tuple[AsIs, list[Step]]:
    """An area serves a request whole: one wish in it that is wanted no more, and all of it is taken back.

    What is wanted of it all the same is asked for anew.
    """
    found: list[Step] = []
    for request in asked_wishes(known).values():
        if any(e.key not in goals.by_key or goals.by_key[e.key].reads_hash != e.reads_hash for e in request):
            found.append(steps.taken_back(request))
            known = known.without({e.id for e in request})
    return known, found


def _undos(known: AsIs, chosen: Chosen, goals: Goals) -> dict[int, Effect | Step]:
    """What takes each obsolete fact back: the undo that was asked for already, or a step."""
    return {
        i: known.undoing.get(i) or steps.undone(f, _why_undone(f, chosen, goals)) for i, f in chosen.obsolete.items()
    }


def _why_undone(f: Effect, chosen: Chosen, goals: Goals) -> str:
    if f.id in chosen.broken:
        return "broken"
    if f.key in goals.by_key:
        return "switched"
    return "late" if (f.result or {}).get("late") else "removed"


def _stoppable(known: AsIs) -> Iterable[Effect]:
    return (*known.under_way(), *known.undoing.values())


def _recalled(known: AsIs, goals: Goals) -> Iterable[int]:
    """What somebody is at although it is wanted no more, or not as it is."""
    for e in known.under_way():
        w = goals.by_key.get(e.key)
        if _held_by_somebody(e, known) and (w is None or w.reads_hash != e.reads_hash):
            yield e.id
    for going in (g for gs in known.going.values() for g in gs):
        if _held_by_somebody(going.undo, known) and going.fact.key in goals.by_key:
            yield going.undo.id


def _held_by_somebody(e: Effect, known: AsIs) -> bool:
    return e.id in known.busy and e.state is State.INTENT
