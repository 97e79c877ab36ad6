"""Random processes that are sound by their structure: every block has one way in and one way out."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.engine.proof.draw import (
    Box,
    adhoc,
    border,
    catch,
    end,
    file,
    gate,
    many,
    receive,
    script,
    service,
    start,
    sub,
    task,
    throw,
    user,
)
from tests.engine.proof.explore import Case

Pick = Callable[[int], int]
WAYS = [{"x": 0}, {"x": 1}]


@dataclass
class _Part:
    """A drawn piece of a scope: how it is entered and left."""

    boxes: list[Box]
    arrows: list[str]
    first: str
    last: str


@dataclass
class _Maker:
    pick: Pick
    size: int  # how many blocks may still be drawn
    made: int = 0
    outcomes: dict[str, list[dict[str, int] | str]] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    signals: dict[str, int] = field(default_factory=dict)

    def name(self, kind: str) -> str:
        self.made += 1
        return f"{kind}{self.made}"

    def one(self, box: Box) -> _Part:
        return _Part([box], [], box.id, box.id)

    def block(self, depth: int) -> _Part:
        self.size -= 1
        if depth == 0 or self.size <= 0:
            return self.leaf()
        kinds = [self.leaf, self.chain, self.choice, self.both, self.several, self.loop, self.inner, self.instances]
        kinds += [self.race, self.free, self.both, self.inner]
        kind = kinds[self.pick(len(kinds))]
        return kind() if kind in (self.leaf, self.race, self.free) else kind(depth - 1)  # type: ignore[operator]  # leaves have no depth

    def leaf(self) -> _Part:
        name = self.name("n")
        boxes = [
            lambda: user(name),
            lambda: service(name),
            lambda: user(name),
            lambda: task(name),
            lambda: script(name, "y + 1", "y"),
            lambda: catch(name, "timer"),
            lambda: receive(name, self.message()),
            lambda: catch(name, "signal:" + self.signal()),
            lambda: throw(name, "signal:" + self.signal()),
        ]
        return self.one(boxes[self.pick(len(boxes))]())

    def message(self) -> str:
        name = f"m{self.pick(2)}"
        self.messages[name] = self.messages.get(name, 0) + 1
        return name

    def signal(self) -> str:
        self.signals["o"] = 1
        return "o"

    def chain(self, depth: int) -> _Part:
        return self.join(self.block(depth), self.block(depth))

    def join(self, one: _Part, two: _Part) -> _Part:
        link = f"{one.last} -> {two.first}"
        return _Part(one.boxes + two.boxes, [*one.arrows, *two.arrows, link], one.first, two.last)

    def decide(self) -> _Part:
        """Somebody says what ``x`` is."""
        name = self.name("w")
        self.outcomes[name] = [*WAYS]
        return self.one(user(name))

    def split(self, kind: str, one: _Part, two: _Part, conditions: tuple[str, str]) -> _Part:
        split, merge = self.name("g"), self.name("g")
        arrows = [f"{split} -> {p.first}{c}" for p, c in zip((one, two), conditions, strict=True)]
        arrows += [f"{p.last} -> {merge}" for p in (one, two)]
        boxes = [gate(kind, split), *one.boxes, *two.boxes, gate(kind, merge)]
        return _Part(boxes, [*one.arrows, *two.arrows, *arrows], split, merge)

    def choice(self, depth: int) -> _Part:
        found = self.split("xor", self.block(depth), self.block(depth), (" if x = 1", " else"))
        return self.join(self.decide(), found)

    def several(self, depth: int) -> _Part:
        found = self.split("or", self.block(depth), self.block(depth), (" if x = 1", " if x < 2"))
        return self.join(self.decide(), found)

    def both(self, depth: int) -> _Part:
        return self.split("and", self.block(depth), self.block(depth), ("", ""))

    def loop(self, depth: int) -> _Part:
        merge, split = self.name("g"), self.name("g")
        body = self.join(self.block(depth), self.decide())
        arrows = [*body.arrows, f"{merge} -> {body.first}", f"{body.last} -> {split}", f"{split} -> {merge} if x = 1"]
        after = self.name("n")
        arrows.append(f"{split} -> {after} else")
        return _Part([gate("xor", merge), *body.boxes, gate("xor", split), task(after)], arrows, merge, after)

    def race(self) -> _Part:
        split, merge = self.name("g"), self.name("g")
        waits = [catch(self.name("n"), "message:" + self.message()), catch(self.name("n"), "timer")]
        arrows = [f"{split} -> {w.id}" for w in waits] + [f"{w.id} -> {merge}" for w in waits]
        return _Part([gate("events", split), *waits, gate("xor", merge)], arrows, split, merge)

    def free(self) -> _Part:
        """An ad-hoc subprocess, perhaps done when somebody says so."""
        inner = [self.decide().first, self.name("n")]
        until = ["", "x = 1"][self.pick(2)]
        rest = ["true", "false"][self.pick(2)]
        boxes = [user(name) for name in inner]
        return self.one(adhoc(self.name("p"), boxes, until=until, cancelRemainingInstances=rest))

    def scope(self, depth: int, loop: str = "") -> Box:
        body, name = self.block(depth), self.name("p")
        first, last = self.name("n"), self.name("n")
        stop = "terminate" if self.pick(4) == 0 else ""
        boxes, arrows = (
            [start(first), *body.boxes, end(last, stop)],
            [f"{first} -> {body.first}", f"{body.last} -> {last}"],
        )
        if not loop and self.pick(3) == 0:
            boxes.append(self.handler())
        return sub(name, boxes, "; ".join([*body.arrows, *arrows]), loop)

    def handler(self) -> Box:
        """An event subprocess."""
        first, last, inner = self.name("n"), self.name("n"), self.name("n")
        on = ["message:" + self.message(), "timer"][self.pick(2)]
        boxes = [start(first, on, stops=self.pick(2) == 0), user(inner), end(last)]
        return sub(self.name("h"), boxes, f"{first} -> {inner}; {inner} -> {last}", by_event=True)

    def inner(self, depth: int) -> _Part:
        """A subprocess, with something at its border."""
        box = self.scope(depth)
        kind = self.pick(5)
        if kind == 0:
            return self.one(box)
        edge, merge = self.name("n"), self.name("g")
        if kind == 1:
            return _Part(
                [box, border(edge, box.id, ["timer", "message:" + self.message()][self.pick(2)], stops=False)],
                [],
                box.id,
                box.id,
            )
        if kind == 2:
            for inner in box.boxes:
                if inner.tag == "serviceTask":
                    self.outcomes[inner.id] = [{}, "BAD"]
        on = ["error:BAD", "timer", "message:" + self.message()][kind - 2]
        boxes = [box, border(edge, box.id, on), gate("xor", merge)]
        return _Part(boxes, [f"{box.id} -> {merge}", f"{edge} -> {merge}"], box.id, merge)

    def instances(self, depth: int) -> _Part:
        until = ["", "nrOfCompletedInstances >= 1", "nrOfCompletedInstances >= 2"][self.pick(3)]
        loop = many(["2", "3"][self.pick(2)], until=until, in_turn=self.pick(2) == 0)
        kind = self.pick(3)
        name = self.name("n")
        return self.one([user(name, loop), service(name, loop)][kind] if kind < 2 else self.scope(min(depth, 1), loop))


def generate(pick: Pick, size: int = 7) -> Case:
    """A random case; ``pick(n)`` chooses a number below n."""
    maker = _Maker(pick, size)
    body = maker.join(maker.block(3), maker.block(2))
    arrows = "; ".join([*body.arrows, f"s -> {body.first}", f"{body.last} -> e"])
    made = file([start("s"), *body.boxes, end("e")], arrows)
    budget = {name: min(count, 2) for name, count in maker.messages.items()}
    return Case("random", [made], {"x": 0, "y": 0}, maker.outcomes, budget, maker.signals)
