"""资源设计: what the tree needs of the areas is asked for; all or none, through each area's queue of requests.

The wish is an effect in state intent; the area's worker takes it, and its answer comes back as a report. A revision
that replaces another one keeps what the other was given, and has the requests taken back that ask for something else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from diaodu.catalog.model import Performer
from diaodu.engine.ports import Call, Decision, Done, Message, Signal, Wait
from diaodu.fulfilment.intake import replaced
from diaodu.fulfilment.orders import OrderFacts, load_intake, load_revisions, record_decisions
from diaodu.fulfilment.wanted import CLAIM, CLAIM_UNDO, claims, wanted_effects
from diaodu.kernel.db import Tx
from diaodu.ordering import queries as revisions
from diaodu.ordering.model import Action
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import OPEN, TAKE_BACK, Effect, Op, State, Step, by_age
from diaodu.planning.plan import plan

WISH = "reserve"  # the kind of work
Facts = tuple[Mapping[int, OrderFacts], Mapping[int, list[Effect]]]


@dataclass(frozen=True)
class Asked:
    """What is asked of the areas now, and whether an answer is awaited."""

    steps: Sequence[Step]
    waiting: bool


class Design:
    """The service ``fulfilment.design``: waits for the message ``design`` of its revision."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Facts:
        """The revisions that the calls are about, and the ledgers of their orders."""
        orders = load_intake(tx, calls)
        return orders, effects.ledger(tx, orders)

    def decide(self, call: Call, facts: Facts) -> Decision:
        """What to claim and to reserve."""
        order = facts[0][call.root_id]
        if waits := replaced(order):
            return waits
        asked = ask(order, facts[1][order.id])
        outcome = Wait("design", str(order.revision.n)) if asked.waiting else Done({"design": "served"})
        return Decision(outcome, asked)

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Facts) -> None:
        """Write the wishes down."""
        _write(tx, [(facts[0][call.root_id], d.writes) for call, d in decided if d.writes is not None])
        record_decisions(tx, facts[0].values())


def ask(order: OrderFacts, known: Sequence[Effect]) -> Asked:
    """What a revision in intake still has to ask of the areas, given what was asked before; pure."""
    lines = order.lines()
    needed = [
        w
        for w in wanted_effects(order, {}, only=Performer.AREA)
        if w.kind != CLAIM and lines[w.item_key].held.get(w.kind) != w.reads_hash
    ]
    claimed = _claimed(order)
    hashes = {w.key: w.reads_hash for w in needed} | {(c.thing_id, c.kind): None for c in claimed}
    waiting = [e for e in _wishes(order, known) if e.state in OPEN]
    taken_back = {i for e in known if e.kind == TAKE_BACK and e.state in OPEN for i in e.params["wishes"]}
    requests: dict[tuple[int, str | None], list[Effect]] = {}
    for e in waiting:
        requests.setdefault((e.revision, e.element), []).append(e)
    # An area serves a request whole: one wish too many, and all of it is asked for anew.
    other = [r for r in requests.values() if any(hashes.get(e.key, e) != e.reads_hash for e in r)]
    if other or taken_back:
        return Asked([_take_back(r) for r in other if not taken_back.issuperset(e.id for e in r)], waiting=True)
    asked = [e for e in known if e.work == WISH and e.op is not Op.UNDO and (e.state in OPEN or _is_true(e))]
    have = {e.key: e.reads_hash for e in by_age(asked)}
    steps = [c for c in claimed if (c.thing_id, c.kind) not in have]
    if any(w.key not in have or have[w.key] != w.reads_hash for w in needed):
        found = plan(known, [*needed, *claims(order, known)]).steps
        wishes = (s for s in found if s.work == WISH and s.op is not Op.UNDO)
        steps += [replace(s, after=frozenset(), needs=frozenset()) for s in wishes]
    return Asked(steps, waiting=bool(steps or waiting))


def answers(tx: Tx, changed: Iterable[Effect], refusals: Mapping[int, str]) -> list[Signal]:
    """What the intakes of locked orders hear when wishes have landed: served, refused, or nothing yet.

    ``refusals`` are the codes by effect. What the taken back requests left open is asked for anew.
    """
    told: dict[int, list[Effect]] = {}
    for e in changed:
        if e.work == WISH or e.kind == TAKE_BACK:
            told.setdefault(e.order_id, []).append(e)
    states = revisions.states_of_revisions(tx, told)
    named = {i: n for i in told if (n := revisions.intake_of(states[i])) is not None}
    signals: list[Signal] = []
    written: list[tuple[OrderFacts, Asked]] = []
    for order in load_revisions(tx, named).values():
        if order.revision.tree is None:
            continue  # its design is still to come
        found, key = effects.ledger(tx, [order.id])[order.id], str(order.revision.n)
        wishes = _wishes(order, found)
        code = next((refusals[e.id] for e in wishes if e.id in refusals), None)
        if code is not None:
            signals.append(Message(order.id, "design", key, {"design": "refused", "reason": code}))
        elif _is_open(wishes) and not any(e.kind == TAKE_BACK for e in told[order.id]):
            continue
        else:
            asked = Asked((), waiting=False) if all(map(_is_true, wishes)) else ask(order, found)
            written.append((order, asked))
            if not asked.waiting:
                signals.append(Message(order.id, "design", key, {"design": "served"}))
    _write(tx, written)
    return signals


def _write(tx: Tx, asked: Sequence[tuple[OrderFacts, Asked]]) -> None:
    made: list[Effect] = []
    for order, found in asked:
        made += ledger.add_steps(tx, order_id=order.id, revision=order.revision.n, steps=found.steps)
    ledger.add(tx, made)


def _wishes(order: OrderFacts, known: Iterable[Effect]) -> list[Effect]:
    """What was asked for since the last accepted revision."""
    return [e for e in known if e.work == WISH and e.op is not Op.UNDO and e.revision > order.accepted]


def _is_open(found: Iterable[Effect]) -> bool:
    return any(e.state in OPEN for e in found)


def _is_true(e: Effect) -> bool:
    return e.state is State.CONFIRMED


def _claimed(order: OrderFacts) -> list[Step]:
    """One claim for each product that exists: one order at a time changes a product."""
    return [
        Step(
            op=Op.DO,
            thing_id=line.product_id,
            kind=CLAIM,
            item_key=line.key,
            work=WISH,
            element=f"area:{line.address['area']}",
            priority=5,
            reads_hash=None,
            params={"claim": line.product_id},
            undo=CLAIM_UNDO,
            of_id=None,
            after=frozenset(),
            reason="claim",
        )
        for line in order.revision.lines
        if line.action is not Action.ADD and line.wanted
    ]


def _take_back(request: Sequence[Effect]) -> Step:
    """Have the area forget a request; one that it has served is given back."""
    first = min(request, key=lambda e: e.id)
    return Step(
        op=Op.DO,
        thing_id=first.thing_id,
        kind=TAKE_BACK,
        item_key=first.item_key,
        work="withdraw",
        element=first.element,
        priority=first.priority,
        reads_hash=None,
        params={"request": first.id, "wishes": [e.id for e in request]},
        undo=None,
        of_id=None,
        after=frozenset(),
        reason="withdrawn wish",
    )
