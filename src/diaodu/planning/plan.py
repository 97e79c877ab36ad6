"""plan(as-is, in-flight, to-be): pure, computed from facts whenever they change.

Facts of the ledger are as-is where they are confirmed and opaque where they are in flight: only steps on the same
key, or ordered against it, wait for those; all others run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from diaodu.planning.model import OPEN, RELEASE, Effect, Op, Plan, SharedThings, State, Step, Wanted, by_age

Key = tuple[int, str]
__all__ = ["RELEASE", "current_facts", "plan"]


def plan(effects: Sequence[Effect], wanted: Sequence[Wanted], shared: SharedThings | None = None) -> Plan:
    """The steps that lead from the ledger ``effects`` to ``wanted``.

    A wanted effect is kept when it is confirmed and reads the same values, redone when it reads others, done when
    it is not there. A confirmed effect that is wanted no more is undone after everything that depends on it;
    effects of a shared thing only when its last user has gone.
    """
    shared = shared or SharedThings()
    facts = current_facts(effects)
    # A question to the inventory is no fact that somebody wants or not: it stays until it is answered.
    in_flight = {e.key: e for e in effects if e.state in OPEN and e.op is not Op.UNDO and e.kind != RELEASE}
    wanted_keys = {(w.thing_id, w.kind) for w in wanted}
    steps: list[Step] = []
    keep: list[int] = []
    for w in wanted:
        key = (w.thing_id, w.kind)
        if key in in_flight:
            keep.append(in_flight[key].id)
        elif key in facts and facts[key].reads_hash == w.reads_hash:
            keep.append(facts[key].id)
        else:
            steps.append(_do(w, facts.get(key)))
    removed = [f for key, f in facts.items() if key not in wanted_keys and f.undo and f.undo["kind"]]
    steps += _undo(removed, effects, shared)
    unwanted = [e.id for key, e in in_flight.items() if key not in wanted_keys and e.state is State.INTENT]
    return Plan(_ordered(steps, wanted, in_flight), tuple(keep), tuple(unwanted))


def current_facts(effects: Iterable[Effect]) -> dict[Key, Effect]:
    """The confirmed effect of each key; a redo stands for what it replaced."""
    facts: dict[Key, Effect] = {}
    for e in by_age(effects):
        if e.state is State.CONFIRMED and e.op is not Op.UNDO and e.kind != RELEASE:
            facts[e.key] = e
    return facts


def _do(w: Wanted, before: Effect | None) -> Step:
    return Step(
        op=Op.REDO if before else Op.DO,
        thing_id=w.thing_id,
        kind=w.kind,
        item_key=w.item_key,
        work=w.work,
        element=w.element,
        priority=w.priority,
        reads_hash=w.reads_hash,
        params=w.params,
        undo=w.undo,
        of_id=before.id if before else None,
        after=frozenset(),
        reason="changed" if before else "new",
    )


def _undo(removed: Sequence[Effect], effects: Sequence[Effect], shared: SharedThings) -> list[Step]:
    """Undo steps of the removed facts, those that depended on a fact before the fact itself.

    What its users leave is asked first, so that one plan (and one visit) covers all that is taken down.
    """
    begun = {e.of_id for e in effects if e.op is Op.UNDO and e.state is not State.WITHDRAWN}
    asked = {e.key for e in effects if e.kind == RELEASE}
    leaving = {f.thing_id for f in removed if f.thing_id in shared.users}
    if leaving - shared.answered:
        return [_release(t, removed, shared) for t in sorted(leaving - shared.answered) if (t, RELEASE) not in asked]
    steps = []
    for f in removed:
        if f.id in begun or f.thing_id in leaving - shared.last_user_gone:
            continue
        assert f.undo is not None
        dependents = frozenset((d.thing_id, d.undo["kind"], d.id) for d in removed if d.undo and _needs(d, f))
        steps.append(
            Step(
                op=Op.UNDO,
                thing_id=f.thing_id,
                kind=f.undo["kind"],
                item_key=f.item_key,
                work=f.undo["work"],
                element=f.element,
                priority=f.priority,
                reads_hash=None,
                params={**f.params, **_about(f)},
                undo=None,
                of_id=f.id,
                after=dependents,
                reason="removed",
            )
        )
    return steps


def _about(f: Effect) -> dict[str, Any]:
    """What an undo must know of the fact: the key it was done under, its kind, and the resources that it holds."""
    about: dict[str, Any] = {"of": f.params.get("key", str(f.id)), "of_kind": f.kind}
    if f.result and "resources" in f.result:
        about["resources"] = [r["id"] for r in f.result["resources"]]
    return about


def _needs(dependent: Effect, fact: Effect) -> bool:
    """Whether ``dependent`` was done on top of ``fact`` (so it must be undone before it)."""
    after = dependent.undo["after"] if dependent.undo else ()
    return fact.kind in after and fact.id != dependent.id


def _release(thing: int, removed: Sequence[Effect], shared: SharedThings) -> Step:
    """Ask the inventory whether the users that leave were the last ones."""
    first = next(f for f in removed if f.thing_id == thing)
    area = next((f.element for f in removed if f.thing_id == thing and (f.element or "").startswith("area:")), None)
    return Step(
        op=Op.DO,
        thing_id=thing,
        kind=RELEASE,
        item_key=first.item_key,
        work="release",
        element=area,
        priority=5,
        reads_hash=None,
        params={"thing": thing, "products": sorted(shared.users[thing])},
        undo=None,
        of_id=None,
        after=frozenset(),
        reason="last user?",
    )


def _ordered(steps: list[Step], wanted: Sequence[Wanted], in_flight: Mapping[Key, Effect]) -> tuple[Step, ...]:
    """Give each step what it waits for: steps and open effects of the kinds that it comes after, in its group."""
    stepped = {(s.thing_id, s.kind): s.key for s in steps}
    by_group: dict[tuple[str, str], list[Key]] = {}
    for w in wanted:
        by_group.setdefault((w.group, w.kind), []).append((w.thing_id, w.kind))
    first = {
        w.key: {k for kind in w.after for k in by_group.get((w.group, kind), ())} for w in wanted if w.key in stepped
    }
    keys = {s.key for s in steps}
    result = []
    for s in steps:
        before = first.get((s.thing_id, s.kind), set()) if s.op in (Op.DO, Op.REDO) else set()
        after = frozenset((s.after & keys) | {stepped[k] for k in before if k in stepped})
        needs = frozenset(in_flight[k].id for k in before if k in in_flight)
        result.append(replace(s, after=after, needs=needs))
    return tuple(result)
