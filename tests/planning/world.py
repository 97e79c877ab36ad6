"""A ledger that lives: plans are carried out, things fail, and the customer changes his mind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from diaodu.planning.asis import Key, standing_facts
from diaodu.planning.model import OPEN, Effect, Op, Plan, State, Step, StepKey, Wanted
from diaodu.planning.plan import plan


@dataclass(frozen=True)
class Kind:
    """A kind of effect: what it comes after, how it changes, and whether it can be taken back."""

    name: str
    after: tuple[str, ...] = ()
    on_change: str = "in_place"
    lasting: bool = False

    def wanted(self, reads: str) -> Wanted:
        """The effect that reads this; it is about another subject when it does not change in place."""
        subject = "s" if self.on_change == "in_place" else f"s{reads}"
        undo = {"kind": None if self.lasting else f"un{self.name}", "work": "U", "after": list(self.after)}
        return Wanted(
            1, self.name, "1", "1", "W", "sys:1", 5, reads, {"subject": subject, "reads": reads}, undo, self.after,
            self.on_change,
        )  # fmt: skip


Kinds = Mapping[str, Kind]
ToBe = Mapping[str, str]


def wishes(kinds: Kinds, to_be: ToBe) -> list[Wanted]:
    """What is wanted, in catalogue order."""
    return [k.wanted(to_be[k.name]) for k in kinds.values() if k.name in to_be]


@dataclass
class World:
    """One order; every change of its ledger is checked against what is true outside."""

    kinds: Kinds
    to_be: ToBe = field(default_factory=dict)
    ledger: dict[int, Effect] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)
    done: int = 0  # steps that were asked for
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    def want(self, to_be: ToBe) -> Plan:
        """Plan for another to-be."""
        self.to_be = to_be
        return self.replan()

    def replan(self) -> Plan:
        """Write down what has to be done now."""
        found = self.look()
        ids = {s.key: next(self._ids) for s in found.steps}
        for i in found.withdraw:
            assert self.ledger[i].state in (State.INTENT, State.FAILED)
            self._set(self.ledger[i], State.WITHDRAWN)
        for w in found.waits:
            needs = tuple(sorted({*(ids[k] for k in w.after), *w.needs}))
            self.ledger[w.effect] = replace(self.ledger[w.effect], needs=needs)
        for s in found.steps:
            self._add(s, ids)
        self.done += len(found.steps)
        self.settle()
        return found

    def look(self) -> Plan:
        """The plan as of now."""
        return plan(list(self.ledger.values()), wishes(self.kinds, self.to_be), busy=frozenset(self.busy))

    def _add(self, s: Step, ids: Mapping[StepKey, int]) -> None:
        needs = tuple(sorted({*(ids[k] for k in s.after), *s.needs}))
        self.ledger[ids[s.key]] = Effect(
            id=ids[s.key], order_id=1, revision=1, thing_id=s.thing_id, kind=s.kind, item_key=s.item_key, op=s.op,
            of_id=s.of_id, state=State.INTENT, ready=not needs, needs=needs, work=s.work, element=s.element,
            priority=s.priority, reads_hash=s.reads_hash, params=s.params, undo=s.undo,
        )  # fmt: skip

    def _set(self, e: Effect, state: State) -> None:
        self.ledger[e.id] = replace(self.ledger[e.id], state=state)

    def settle(self) -> None:
        """What waited for what is confirmed may begin."""
        confirmed = {i for i, e in self.ledger.items() if e.state is State.CONFIRMED}
        for e in [e for e in self.ledger.values() if e.state is State.INTENT]:
            self.ledger[e.id] = replace(e, ready=confirmed.issuperset(e.needs))

    def ready(self) -> list[Effect]:
        """What may begin."""
        return [e for e in self.ledger.values() if e.state is State.INTENT and e.ready]

    def under_way(self) -> list[Effect]:
        """What was begun and has not ended."""
        return [e for e in self.ledger.values() if e.state is State.SENT]

    def open(self) -> list[Effect]:
        """What keeps the order going."""
        return [e for e in self.ledger.values() if e.state in OPEN]

    def standing(self) -> dict[Key, list[Effect]]:
        """What is true."""
        return standing_facts(self.ledger.values())

    def claim(self, e: Effect) -> None:
        """Somebody is at something: from now on it is out of our hands."""
        self.check(e)
        self.busy.add(e.id)

    def begin(self, e: Effect) -> None:
        """Send something; nothing may stand on air."""
        if e.id not in self.busy:
            self.check(e)
        self.busy.discard(e.id)
        self._set(e, State.SENT)

    def end(self, e: Effect, state: State) -> None:
        """What was begun is confirmed, has failed, or was never done."""
        self._set(e, state)
        if e.op is Op.UNDO and state is State.CONFIRMED:
            assert e.of_id is not None
            self._set(self.ledger[e.of_id], State.UNDONE)
        self.settle()

    def check(self, e: Effect) -> None:
        """I5: what it is done on is there; what it takes away carries nothing any more."""
        facts = self.standing()
        if e.op is not Op.UNDO:
            missing = [k for k in self.kinds[e.kind].after if k in self.to_be and not facts.get((1, k))]
            assert not missing, f"{e.kind} is done without {missing}"
            return
        assert e.of_id is not None
        gone = self.ledger[e.of_id]
        others = [f for f in facts.get(gone.key, ()) if f.id != gone.id]
        for g in (f for fs in facts.values() for f in fs):
            if gone.kind in self.kinds[g.kind].after and not self.kinds[g.kind].lasting:
                kept = self.to_be.get(g.kind) == g.reads_hash
                there = kept and (gone.kind not in self.to_be or others)
                assert there, f"{gone.kind} is taken from under {g.kind}"
        if not others:
            at = [*self.under_way(), *(self.ledger[i] for i in self.busy)]
            begun = [u.kind for u in at if u.op is not Op.UNDO and gone.kind in self.kinds[u.kind].after]
            assert not begun, f"{gone.kind} is taken away while {begun} is done"

    def wrong(self) -> list[tuple[str, str | None]]:
        """What stands and should not, or should and does not."""
        facts = {(e.kind, e.reads_hash) for es in self.standing().values() for e in es}
        lasting = {(k, h) for k, h in facts if self.kinds[k].lasting}
        return sorted((facts ^ set(self.to_be.items())) - (lasting - set(self.to_be.items())), key=str)


def carry_out(world: World, pick: Sequence[int] = ()) -> None:
    """Do everything that the plan holds, in an order that ``pick`` chooses."""
    picks = iter(pick)
    while ready := world.ready():
        e = ready[next(picks, 0) % len(ready)]
        world.begin(e)
        world.end(e, State.CONFIRMED)
