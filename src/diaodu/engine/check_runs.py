"""All runs of a net: what may stand still, what can never be passed, what may happen twice."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

from diaodu.engine.check_net import Join, Net, Places, Step

# How much of a process is looked at before the search is given up: every token of every state that is reached.
WORK_MAX = 100_000
# A place with this many tokens has "many": one token taken leaves one or many.
MANY = 2
TRACE_MAX = 12

Marking = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Runs:
    """What was found, by element id, each with the run that leads there; ``complete`` if nothing was left out."""

    left: int  # of the work that was allowed
    complete: bool = True
    ends: bool = False  # a run comes to its end
    stuck: dict[str, str] = field(default_factory=dict)  # joins that may wait for ever
    doubled: dict[str, str] = field(default_factory=dict)  # nodes that two tokens may pass where one is meant
    never: dict[str, str] = field(default_factory=dict)  # joins that no run passes


@dataclass(slots=True)
class _Came:
    """How a marking was reached first; ``loose`` if on the way a place had many tokens."""

    before: Marking | None
    by: str
    loose: bool


class _Search:
    def __init__(self, net: Net, work: int) -> None:
        self.net, self.runs = net, Runs(work)
        self.came: dict[Marking, _Came] = {}
        self.todo: deque[Marking] = deque()
        self.passed: set[int] = set()
        self.marked: dict[int, Marking] = {}  # a place, and the first marking that had it
        self.reach: dict[int, dict[int, Places]] = {}
        self.options: dict[int, list[Places]] = {}

    def run(self) -> Runs:
        """Look at all markings that can be reached."""
        try:
            for start in self.net.starts:
                self._reached(_marking(dict.fromkeys(start, 1)), None, "", loose=False)
            while self.todo:
                self._explore(self.todo.popleft())
        except OverflowError:
            self.runs.complete = False
        if self.runs.complete:
            self._never()
        return self.runs

    def _never(self) -> None:
        for index, step in self.net.steps.items():
            came = [self.marked[p] for p in step.ins if p in self.marked]
            if step.join is not Join.EACH and index not in self.passed and came:
                self.runs.never[step.id] = self._trace(came[0])
                self.runs.stuck.pop(step.id, None)

    def _reached(self, marking: Marking, before: Marking | None, by: str, *, loose: bool) -> None:
        self._spend(1 + len(marking))
        if marking in self.came:
            return
        self.came[marking] = _Came(before, by, loose)
        for place, _ in marking:
            self.marked.setdefault(place, marking)
        if not marking:
            self.runs.ends = True
            return
        self.todo.append(marking)
        if not loose:
            self._doubled(marking)

    def _spend(self, work: int) -> None:
        self.runs.left -= work
        if self.runs.left < 0:
            raise OverflowError

    def _doubled(self, marking: Marking) -> None:
        tokens: dict[int, int] = {}
        for place, count in marking:
            taker = self.net.takers[place]
            tokens[taker] = tokens.get(taker, 0) + count
        for index, count in tokens.items():
            step = self.net.steps[index]
            if count > 1 and step.merge and step.merge not in self.runs.doubled:
                self.runs.doubled[step.merge] = self._trace(marking)

    def _explore(self, marking: Marking) -> None:
        held = dict(marking)
        loose = self.came[marking].loose or any(count >= MANY for count in held.values())
        moved = False
        for index, taken in self._ready(held):
            moved = True
            self.passed.add(index)
            step = self.net.steps[index]
            for rest in _without(held, taken):
                for give in self._options(index):
                    after = {} if step.clears else _with(rest, give)
                    self._reached(_marking(after), marking, self._name(step, give), loose=loose)
            for spawn in step.spawns:
                again = any(p in held for p in spawn)
                self._reached(_marking(_with(held, spawn)), marking, self._name(step, spawn), loose=loose or again)
        if not moved and not loose:
            for place in held:
                step = self.net.steps[self.net.takers[place]]
                self.runs.stuck.setdefault(step.id, self._trace(marking))

    def _ready(self, held: dict[int, int]) -> Iterator[tuple[int, list[int]]]:
        seen = set()
        for place in held:
            index = self.net.takers[place]
            step = self.net.steps[index]
            if step.join is Join.EACH:
                yield index, [place]
            elif index not in seen:
                seen.add(index)
                here = [p for p in step.ins if p in held]
                if len(here) == len(step.ins) or (step.join is Join.ANY and not self._awaited(index, step, held)):
                    yield index, here

    def _awaited(self, index: int, step: Step, held: dict[int, int]) -> bool:
        """Whether a token may still come to a place that has none, and not to one that has."""
        reach = self.reach.get(index)
        if reach is None:
            reach = self.reach[index] = self._reaching(index, step)
        for place in held:
            ahead = reach.get(place)
            if ahead and place not in step.ins and not any(p in held for p in ahead):
                return True
        return False

    def _reaching(self, index: int, step: Step) -> dict[int, Places]:
        """For each place, which places of the step a token there may come to without passing the step."""
        self._spend(len(self.net.steps))
        givers: dict[int, list[int]] = {}
        for other, giver in self.net.steps.items():
            for place in giver.outs():
                givers.setdefault(place, []).append(other)
        found: dict[int, set[int]] = {}
        for goal in step.ins:
            todo, seen = [goal], {goal}
            while todo:
                place = todo.pop()
                found.setdefault(place, set()).add(goal)
                self._spend(1)
                for other in givers.get(place, ()):
                    more = () if other == index else self.net.steps[other].ins - seen
                    seen.update(more)
                    todo += more
        return {place: frozenset(goals) for place, goals in found.items()}

    def _options(self, index: int) -> list[Places]:
        if index not in self.options:
            self.options[index] = list(self.net.steps[index].options())
        return self.options[index]

    def _name(self, step: Step, give: Places) -> str:
        if len(step.gives) + len(step.choice) + len(step.spawns) == 1:
            return step.id
        return f"{step.id} ({', '.join(sorted(self.net.steps[self.net.takers[p]].id for p in give))})"

    def _trace(self, marking: Marking) -> str:
        """The choices that lead to a marking, the last ones."""
        names: list[str] = []
        at: Marking | None = marking
        while at is not None:
            came = self.came[at]
            names.append(came.by)
            at = came.before
        shown = [name for name in reversed(names) if name]
        return " → ".join(["…"] * (len(shown) > TRACE_MAX) + shown[-TRACE_MAX:])


def runs_of(net: Net, work: int = WORK_MAX) -> Runs:
    """What may happen in a net; when ``work`` is used up, what was found until then."""
    return _Search(net, work).run()


def _marking(held: dict[int, int]) -> Marking:
    return tuple(sorted(held.items()))


def _without(held: dict[int, int], taken: list[int]) -> Iterator[dict[int, int]]:
    many = [p for p in taken if held[p] >= MANY]
    rest = {p: count for p, count in held.items() if p not in taken}
    for counts in product((1, MANY), repeat=len(many)):
        yield {**rest, **dict(zip(many, counts, strict=True))}


def _with(held: dict[int, int], given: Places) -> dict[int, int]:
    return {**held, **{p: min(held.get(p, 0) + 1, MANY) for p in given}}
