"""Which work orders people get, keep and lose: a function of the ledger and of who is at what; pure.

A work order carries effects of one kind of work, one top-level item and one place. What is settled or withdrawn
leaves it; what waits for the customer or for us leaves it or rests with it; what is wanted no more leaves the hands of
whoever is at it as the kind of effect says: at once, after a question (待撤回), or never.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from diaodu.catalog.model import Performer, Release
from diaodu.planning.model import Effect, State
from diaodu.workforce.model import Recall, RecallState, WorkLine, WorkOrder
from diaodu.workforce.queries import Desk

_SETTLED = frozenset({State.CONFIRMED, State.UNDONE})
# An undo is no effect kind of the catalogue: whoever takes down what he wanted back is asked, like anybody.
_ASK = "ask"
_Key = tuple[str, str, Any]
_ENDED_RECALLS = (RecallState.WITHDRAWN, RecallState.REPORTED, RecallState.DROPPED)


@dataclass(frozen=True)
class Standing:
    """What the work orders of one order follow from."""

    release: Release
    effects: Mapping[int, Effect]
    groups: Mapping[str, str]  # item -> its top-level item
    unwanted: frozenset[int] = frozenset()  # effects that somebody is at and the plan wants no more
    recalls: Mapping[int, Recall] = field(default_factory=dict)  # the newest of each task
    places: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)  # of people's effects: where it is to be done


@dataclass
class Arrangement:
    """What becomes of the work orders of one order."""

    rewritten: dict[int, WorkOrder] = field(default_factory=dict)
    withdrawn: dict[int, str] = field(default_factory=dict)  # work order -> why
    suspended: set[int] = field(default_factory=set)
    resumed: set[int] = field(default_factory=set)
    asked: dict[int, frozenset[int]] = field(default_factory=dict)  # work order -> effects to ask about
    wanted_again: set[int] = field(default_factory=set)  # work orders whose recall is pointless now
    given_up: set[int] = field(default_factory=set)  # effects that nobody is at any more: to be withdrawn
    offered: list[list[Effect]] = field(default_factory=list)  # each a new work order


def arrange(s: Standing, desks: Sequence[Desk]) -> Arrangement:
    """What becomes of the open work orders, and which new ones there are."""
    found = Arrangement()
    for desk in desks:
        if desk.state != "done":  # what was reported lands; until then it is carried
            _look(s, desk, found)
    open_orders = [found.rewritten.get(d.work_order.id, d.work_order) for d in desks]
    carried = {line.effect for w in open_orders for line in w.carried}
    takes_more = {
        (_group(s, w.lines[0].item), w.kind, w.place.get("id")): w
        for d, w in zip(desks, open_orders, strict=True)
        if d.state in (None, "offered") and w.id not in found.withdrawn.keys() | found.suspended
    }
    for key, ready in _ready(s, carried).items():
        if (w := takes_more.get(key)) is not None:
            found.rewritten[w.id] = replace(w, lines=(*_without(w.lines, ready), *lines_of(ready)))
        else:
            found.offered.append(ready)
    return found


def lines_of(effects: Iterable[Effect]) -> tuple[WorkLine, ...]:
    """What a work order says of effects that it carries."""
    return tuple(WorkLine(e.id, e.kind, e.item_key, e.params) for e in effects)


def _without(lines: Iterable[WorkLine], effects: Collection[Effect]) -> tuple[WorkLine, ...]:
    ids = {e.id for e in effects}
    return tuple(line for line in lines if line.effect not in ids)


def _group(s: Standing, item: str | None) -> str:
    return s.groups.get(item or "", "")


def _look(s: Standing, desk: Desk, found: Arrangement) -> None:
    """What becomes of one work order."""
    w = desk.work_order
    live = [s.effects[line.effect] for line in w.carried if s.effects[line.effect].state is State.INTENT]
    unwanted = {e.id for e in live if e.id in s.unwanted}
    dropped = {line.effect for line in w.carried} - {e.id for e in live}
    dropped |= _recalled(s, desk, [e for e in live if e.id in unwanted], found)
    found.given_up |= dropped & unwanted
    left = [e for e in live if e.id not in dropped]
    held = {e.id for e in left if e.held}
    if held and len(held) < len(left) and not desk.busy:
        dropped |= held  # it is offered anew when its item goes on
        left = [e for e in left if e.id not in held]
        held = set()
    if not left:
        found.withdrawn[w.id] = "recalled" if dropped & unwanted else "settled"
    elif held and len(held) == len(left):
        found.suspended.add(w.id)
    elif desk.state == "suspended":
        found.resumed.add(w.id)
    if dropped:
        lines = tuple(replace(line, dropped=True) if line.effect in dropped else line for line in w.lines)
        found.rewritten[w.id] = replace(w, lines=lines)


def _recalled(s: Standing, desk: Desk, unwanted: Sequence[Effect], found: Arrangement) -> set[int]:
    """Which of the unwanted effects leave the hands of whoever is at them now; the others are asked about or stay."""
    w, recall = desk.work_order, s.recalls.get(desk.work_order.id)
    if not desk.busy:
        return {e.id for e in unwanted}
    if not unwanted:
        if recall is not None and recall.state not in _ENDED_RECALLS:
            found.wanted_again.add(w.id)
        return set()
    rules = {e.id: s.release.effects[e.kind].recall if e.kind in s.release.effects else _ASK for e in unwanted}
    agreed = recall.effects if recall is not None and recall.state is RecallState.WITHDRAWN else ()
    gone = {i for i, rule in rules.items() if rule == "at_once" or i in agreed}
    if to_ask := frozenset(i for i, rule in rules.items() if rule == _ASK and i not in gone):
        found.asked[w.id] = to_ask
    return gone


def _ready(s: Standing, carried: Collection[int]) -> dict[_Key, list[Effect]]:
    """By top-level item, kind of work and place what can be begun, unless more of it comes soon by itself."""
    waiting: dict[_Key, list[Effect]] = {}
    for e in s.effects.values():
        people = s.release.work[e.work].performer is Performer.PEOPLE
        if people and e.state is State.INTENT and not e.held and e.id not in carried:
            key = _group(s, e.item_key), e.work, s.places.get(e.id, {}).get("id")
            waiting.setdefault(key, []).append(e)
    found = {}
    for key, effects in waiting.items():
        ready = {e.id for e in effects if not _open_needs(s, e)}
        if ready and not any(_comes(s, e, ready, set()) for e in effects if e.id not in ready):
            found[key] = [e for e in effects if e.id in ready]
    return found


def _open_needs(s: Standing, e: Effect) -> list[Effect]:
    return [s.effects[i] for i in e.needs if s.effects[i].state not in _SETTLED]


def _comes(s: Standing, e: Effect, begun: Collection[int], seen: set[int]) -> bool:
    """Whether an effect becomes ready by itself: nothing that it waits for failed, is on hold or is to be begun now."""
    for need in _open_needs(s, e):
        if need.id in begun or need.held or need.state in (State.FAILED, State.WITHDRAWN):
            return False
        if need.id not in seen:
            seen.add(need.id)
            if not _comes(s, need, begun, seen):
                return False
    return True
