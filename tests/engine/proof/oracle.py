"""A small token game, written from chapter 13 of BPMN 2.0 alone: every order of inner moves, one small step at a time.

It shares nothing with the engine. A ``Run`` is a bag of things: tokens on sequence flows, activities that are open, and
scopes. ``moves`` are the steps that may happen by themselves, each with the node that it completes (or None); what
comes from outside is ``work``, ``fire``, ``send`` and ``shout``. A run without moves is at rest.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.engine.proof import oracle_joins as joins
from tests.engine.proof import oracle_loops as loops
from tests.engine.proof.diagram import SCOPES, WORK, Diagram, Vars, value
from tests.engine.proof.things import PLAIN, Observed, Pairs, Thing, pairs


@dataclass
class Run:
    """A state of the oracle."""

    of: Diagram
    things: dict[int, Thing]
    early: tuple[str, ...] = ()
    struck: tuple[tuple[int, str], ...] = ()  # whom a signal is about to reach, by which event
    made: int = 0
    last: Pairs = ()  # the variables of a run that has ended

    # The state -------------------------------------------------------------------------------------------------

    def key(self) -> Any:
        """Equal for equal states, whatever the things are called."""
        inner: dict[int, list[int]] = {}
        for i, thing in self.things.items():
            inner.setdefault(thing.scope, []).append(i)
        struck = Counter(i for i, _ in self.struck)

        def tree(i: int) -> Any:
            thing = self.things[i]
            data = (
                repr((thing.at, sorted(thing.timers), *thing[3:], struck[i]))
                if thing[2:] != PLAIN or struck
                else thing.at
            )
            return (data, tuple(sorted(map(tree, inner.get(i, ())))) if i in inner else ())

        return (tuple(sorted(map(tree, inner.get(0, ())))), self.early, self.last)

    def observed(self) -> Observed:
        """What an outsider sees."""
        root = next((t for t in self.things.values() if t.scope == 0), None)
        waits: list[tuple[str, str]] = []
        for i, thing in self.things.items():
            if thing.at in self.of.flows:
                waits.append(("join", self.of.flows[thing.at]["target"]))
            elif self._works(thing):
                waits.append(("work", thing.at))
            waits += [(e["event"][0], e["id"]) for e in self._listening(i)]
        return Observed(root is None, tuple(sorted(waits)), self.last if root is None else root.vars or ())

    def _copy(self) -> "Run":
        return Run(self.of, dict(self.things), self.early, self.struck, self.made, self.last)

    def _add(self, at: str, scope: int, **more: Any) -> int:
        self.made += 1
        self.things[self.made] = Thing(at, scope, **more)
        return self.made

    def _set(self, i: int, **more: Any) -> None:
        self.things[i] = self.things[i]._replace(**more)

    def _inside(self, scope: int) -> list[int]:
        return [i for i, t in self.things.items() if t.scope == scope]

    def _kill(self, i: int) -> None:
        for inner in self._inside(i):
            self._kill(inner)
        del self.things[i]

    def _clear(self, scope: int) -> None:
        for inner in self._inside(scope):
            self._kill(inner)

    def _in_turn(self, scope: int) -> bool:
        return scope != 0 and self.things[scope].at.startswith("turn:")

    def _works(self, thing: Thing) -> bool:
        return thing.loop is None and thing.at in self.of.nodes and self.of.nodes[thing.at]["tag"] in WORK

    def seen(self, i: int) -> Vars:
        """The variables that a thing sees."""
        thing = self.things.get(i)
        if thing is None:
            return {}
        around = {} if thing.at in self.of.nodes and self._node(i)["tag"] == "process" else self.seen(thing.scope)
        return {**around, **dict(thing.vars or ())}

    def _assign(self, i: int, found: Vars) -> None:
        for name, given in found.items():
            at = i
            while (
                name not in dict(self.things[at].vars or ())
                and self.of.nodes.get(self.things[at].at, {}).get("tag") != "process"
            ):
                at = self.things[at].scope
            self._set(at, vars=pairs({**dict(self.things[at].vars or ()), name: given}))

    def _node(self, i: int) -> Vars:
        return self.of.nodes[self.things[i].at]

    # What comes from outside -------------------------------------------------------------------------------------

    def work(self, node: str, outcome: Vars | str) -> Iterator[tuple[str | None, "Run"]]:
        """The work at a node is done, with these variables, or fails with an error code."""
        for i, thing in self.things.items():
            if thing.at == node and self._works(thing):
                run = self._copy()
                if isinstance(outcome, str):
                    run._throw(i, "error", outcome)
                    yield None, run
                else:
                    scope = thing.scope
                    del run.things[i]
                    run._assign(scope, outcome)
                    yield run._leave(node, scope), run

    def fire(self, event: str) -> Iterator[tuple[str | None, "Run"]]:
        """A timer is due."""
        for i, thing in self.things.items():
            if event in thing.timers:
                run = self._copy()
                yield run._deliver(i, event), run

    def send(self, name: str) -> Iterator[tuple[str | None, "Run"]]:
        """A message comes: for one of those that wait for it, else it is kept."""
        found = False
        for i, event in self._waiting("message", name):
            found, run = True, self._copy()
            yield run._deliver(i, event), run
        if not found:
            yield None, replace(self._copy(), early=tuple(sorted((*self.early, name))))

    def shout(self, name: str) -> Iterator[tuple[str | None, "Run"]]:
        """A signal comes: for all that wait for it."""
        yield None, replace(self._copy(), struck=tuple(self._waiting("signal", name)))

    def more(self, node: str) -> Iterator[tuple[str | None, "Run"]]:
        """One more instance of a multi-instance activity that runs."""
        for i, thing in self.things.items():
            if thing.at == node and thing.loop is not None:
                run = self._copy()
                total, begun, done, items = thing.loop
                run._set(i, loop=(total + 1, begun, done, (*items, None)))
                yield loops.more(run, i), run

    def fewer(self, node: str) -> Iterator[tuple[str | None, "Run"]]:
        """One running instance of a multi-instance activity is taken back."""
        for i, thing in self.things.items():
            if thing.at == "turn:" + node:
                run = self._copy()
                run._clear(i)
                total, begun, done, items = run.things[thing.scope].loop or (0, 0, 0, ())
                run._set(thing.scope, loop=(total - 1, begun, done - 1, items))
                yield loops.turned(run, i), run

    def cancel(self) -> Iterator[tuple[str | None, "Run"]]:
        """The whole case is cancelled."""
        yield None, replace(self._copy(), things={}, last=self.observed().vars)

    def _waiting(self, kind: str, name: str) -> list[tuple[int, str]]:
        return [
            (i, e["id"])
            for i in self.things
            for e in self._listening(i)
            if e["event"][0] == kind and e["event"][1] == name
        ]

    def _listening(self, i: int) -> list[Vars]:
        """The timer, message and signal events that a thing waits for."""
        thing = self.things[i]
        if thing.at not in self.of.nodes:
            return []
        node = self._node(i)
        found = [] if self._in_turn(thing.scope) else self.of.border(thing.at)
        if thing.loop is None:
            if node["tag"] in ("intermediateCatchEvent", "receiveTask"):
                found = [*found, node]
            elif node["tag"] == "eventBasedGateway":
                found = [self.of.nodes[self.of.flows[f]["target"]] for f in node["out"]]
            elif node["tag"] in SCOPES and thing.open:
                found = [*found, *self.of.handlers(thing.at)]
        return [e for e in found if e["event"][0] in ("message", "signal") or e["id"] in thing.timers]

    # What happens by itself --------------------------------------------------------------------------------------

    def moves(self) -> Iterator[tuple[str | None, "Run"]]:
        """Every next step: the node that it completes, and the state after it."""
        if self.struck:
            for pair in self.struck:
                run = replace(self._copy(), struck=tuple(p for p in self.struck if p != pair))
                there = pair[0] in run.things and any(e["id"] == pair[1] for e in run._listening(pair[0]))
                yield (run._deliver(*pair) if there else None), run
            return
        for i, thing in self.things.items():
            target = thing.at[1:] if thing.at[0] == "@" else self.of.flows.get(thing.at, {}).get("target")
            if target is None:
                yield from self._inner(i, thing)
            elif self.of.nodes[target]["tag"] not in joins.JOINS:
                run = self._copy()
                del run.things[i]
                yield run._arrive(target, thing.scope), run
        yield from joins.ready(self)
        for name in set(self.early):
            for i, event in self._waiting("message", name):
                run = self._copy()
                left = list(self.early)
                left.remove(name)
                run.early = tuple(left)
                yield run._deliver(i, event), run

    def _inner(self, i: int, thing: Thing) -> Iterator[tuple[str | None, "Run"]]:
        """A scope without tokens is done, and so is a throw."""
        run = self._copy()
        if thing.at.startswith("throw:"):
            del run.things[i]
            yield run._leave(thing.at[6:], thing.scope), run
        elif self._inside(i) or thing.loop is not None:
            return
        elif thing.at.startswith("turn:"):
            yield loops.turned(run, i), run
        elif thing.left:
            for node in thing.left:
                run = self._copy()
                run._set(i, left=tuple(n for n in thing.left if n != node))
                run._add("@" + node, i)
                yield None, run
        elif self._node(i)["tag"] in SCOPES:
            yield run._done(i), run

    def _done(self, i: int) -> str | None:
        """A scope is done."""
        node, thing = self._node(i), self.things.pop(i)
        if node["tag"] != "process":
            return self._leave(node["id"], thing.scope)
        if thing.scope == 0:
            self.last = thing.vars or ()
            return None
        call = self.things.pop(thing.scope)
        self._assign(call.scope, dict(thing.vars or ()))
        return self._leave(call.at, call.scope)

    # Nodes -------------------------------------------------------------------------------------------------------

    def _arrive(self, name: str, scope: int) -> str | None:
        """A token comes to a node; answers with the node if that completes it."""
        node = self.of.nodes[name]
        tag, (kind, event, _) = node["tag"], node["event"]
        if node["loop"] is not None and not self._in_turn(scope):
            return loops.enter(self, node, scope)
        if tag == "exclusiveGateway":
            self._add(joins.exclusive(self, node, scope), scope)
            return None
        if tag == "scriptTask":
            self._assign(scope, {node["result"]: value(node["script"], self.seen(scope))})
        elif tag in SCOPES or tag == "callActivity":
            self._enter(node, scope)
            return None
        elif tag in WORK or (tag in ("receiveTask", "eventBasedGateway", "intermediateCatchEvent") and kind != "link"):
            self._open(node, scope)
            return None
        elif kind == "terminate":
            self._clear(scope)
            return name
        elif kind in ("error", "escalation", "signal") and tag in ("endEvent", "intermediateThrowEvent"):
            i = self._add("throw:" + name, scope)
            if kind == "signal":
                self.struck = tuple(self._waiting("signal", str(event)))
            else:
                self._throw(i, kind, str(event))
            return None
        if kind == "link" and tag == "intermediateThrowEvent":
            catch = (n for n in self.of.inside(node["scope"]) if n["event"] == node["event"] and n["id"] != name)
            self._add("@" + next(n["id"] for n in catch if n["tag"] == "intermediateCatchEvent"), scope)
        return self._leave(name, scope)

    def _open(self, node: Vars, scope: int, **more: Any) -> int:
        """Open an activity or a wait, with the timers that it starts."""
        found = [] if self._in_turn(scope) else self.of.border(node["id"])
        found = [*found, node, *self.of.handlers(node["id"])]
        if node["tag"] == "eventBasedGateway":
            found += [self.of.nodes[self.of.flows[f]["target"]] for f in node["out"]]
        timers = frozenset(e["id"] for e in found if e["event"][0] == "timer" and e["tag"] != "eventBasedGateway")
        return self._add(node["id"], scope, timers=timers, **more)

    def _enter(self, node: Vars, scope: int) -> None:
        i = self._open(node, scope)
        if node["tag"] == "callActivity":
            process = self.of.nodes[node["called"]]
            i = self._open(process, i, vars=pairs(self.seen(scope)))
            node = process
        if node["tag"] == "adHocSubProcess":
            entries = [
                n["id"] for n in self.of.inside(node["id"]) if not n["in"] and not n["host"] and not n["by_event"]
            ]
            if node["one_by_one"]:
                self._set(i, left=tuple(entries))
                return
        else:
            entries = [self._entry(node["id"])]
        for entry in entries:
            self._add("@" + entry, i)

    def _entry(self, scope: str) -> str:
        return str(next(s["id"] for s in self.of.starts(scope) if s["event"][0] == "none"))

    def _leave(self, name: str, scope: int) -> str | None:
        """A node is done: tokens go out by its flows."""
        if self._in_turn(scope):
            return None
        node, around = self.of.nodes[name], self.of.nodes.get(self.things[scope].at, {})
        for flow in joins.chosen(self, node, scope):
            self._add(flow, scope)
        if around.get("until") and not name.startswith("@") and value(around["until"], self.seen(scope)) is True:
            self._set(scope, left=())
            if around["rest"]:
                self._clear(scope)
        return name

    # Events ------------------------------------------------------------------------------------------------------

    def _deliver(self, i: int, name: str) -> str | None:
        """An event happens for a thing that waits for it."""
        thing, event = self.things[i], self.of.nodes[name]
        if event["host"] == thing.at:
            if event["stops"]:
                self._kill(i)
            elif not event["event"][2]:
                self._set(i, timers=thing.timers - {name})
            self._add("@" + name, thing.scope)
            return None
        if event["tag"] != "startEvent":
            del self.things[i]
            return self._leave(name, thing.scope)
        if event["stops"]:
            self._clear(i)
            gone = frozenset(e["id"] for e in self.of.handlers(thing.at))
            self._set(i, open=False, timers=thing.timers - gone)
        elif not event["event"][2]:
            self._set(i, timers=thing.timers - {name})
        inner = self._open(self.of.nodes[event["scope"]], i)
        self._add("@" + name, inner)
        return None

    def _throw(self, i: int, kind: str, code: str) -> None:
        """An error or escalation goes up to the nearest that catches it; what escalates goes on if it still is."""
        at = i
        while at:
            thing = self.things[at]
            name = thing.at.removeprefix("throw:")
            found = [] if self._in_turn(thing.scope) else self.of.border(name)
            around = self.things.get(thing.scope)
            by_event = name in self.of.nodes and self.of.nodes[name]["by_event"]
            handlers = [] if around is None or by_event or not around.open else self.of.handlers(around.at)
            for holder, events in ((at, found), (thing.scope, handlers)):
                for wanted in (code, None):
                    for event in events:
                        if event["event"][:2] == (kind, wanted):
                            self._deliver(holder, event["id"])
                            return
            at = thing.scope
        assert kind == "escalation", f"nobody catches {code}"
