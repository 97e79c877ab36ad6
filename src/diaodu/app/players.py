"""Who stands in for the world around a process that is only played: services, decisions, drivers, calendars."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from diaodu.engine.board import plain
from diaodu.engine.graph import Graph, Kind, Node, Trigger
from diaodu.engine.ports import (
    Activation,
    Advance,
    BusinessError,
    Call,
    Decision,
    Done,
    Handlers,
    Outcome,
    Question,
    Retry,
    Scope,
    ServiceHandler,
    TaskSpec,
    Wait,
    WorkingTime,
)
from diaodu.engine.times import due_at
from diaodu.feel import Expression
from diaodu.kernel.db import Tx

WORK = "play.work"  # the message that ends work which was not done at once
ERROR_CODE = "played"  # thrown where every code is caught
ERRORS, RETRIES, LATER = 0.25, 0.1, 0.4  # how often work fails for good, for a moment, or takes its time
PAUSE = timedelta(minutes=1)

Results = Mapping[str, Mapping[str, Expression]]


@dataclass(frozen=True)
class Given:
    """What the work at an element gives: its variables, each an expression over those that the element sees."""

    results: Results

    def at(self, element: str, variables: Mapping[str, Any], now: datetime | None = None) -> dict[str, Any]:
        """The variables that an element gives; none unless it was told otherwise."""
        wanted = self.results.get(element, {})
        return dict(plain({name: value.evaluate(variables, now=now) for name, value in wanted.items()}))


class EveryService(dict[str, ServiceHandler]):
    """One player for every type of service."""

    def __init__(self, player: ServiceHandler) -> None:
        super().__init__()
        self.player = player

    def __contains__(self, _type: object) -> bool:
        return True

    def get(self, _type: str, _default: Any = None) -> ServiceHandler:
        return self.player


@dataclass
class Worker:
    """Does the work of every service, in the end: at once or later, now and then with a fault on the way."""

    rng: Random
    given: Given
    graphs: Sequence[Graph]

    def load(self, _tx: Tx, _calls: Sequence[Call]) -> None:
        return None

    def decide(self, call: Call, _facts: Any) -> Decision:
        return Decision(self._outcome(call))

    def apply(self, _tx: Tx, _decided: Sequence[tuple[Call, Decision]], _facts: Any) -> None:
        return None

    def _outcome(self, call: Call) -> Outcome:
        graph = next(g for g in self.graphs if call.node in g.by_id)
        node = graph.nodes[graph.by_id[call.node]]
        chance = self.rng.random()
        done = Done(self.given.at(call.node, call.vars))
        if node.element.endswith("Event"):
            return done
        codes = sorted(set(_caught(graph, node)))
        if codes and chance < ERRORS:
            return BusinessError(self.rng.choice(codes), "played")
        if chance < ERRORS + RETRIES:
            return Retry("played", PAUSE) if call.attempt == 1 else done
        return Wait(WORK, str(call.token_id)) if chance > 1 - LATER else done


def _caught(graph: Graph, node: Node) -> Iterator[str]:
    """The error codes that something around a node would catch."""
    at = node
    while True:
        for index in (*at.boundary, *at.handlers):
            event = graph.nodes[index]
            if event.trigger is Trigger.ERROR:
                yield event.event or ERROR_CODE
        if at.kind is Kind.PROCESS:
            return
        at = graph.nodes[at.scope]


@dataclass(frozen=True)
class Decider:
    """Answers every decision with what was told for it, by the decision's name or the element's id."""

    given: Given

    def decide(self, tx: Tx, questions: Sequence[Question]) -> Sequence[Any]:
        return [self.given.at(q.decision, q.vars, tx.now) for q in questions]


@dataclass
class Driver:
    """Has every kind of work of a plan-driven stage done once."""

    begun: set[int] = field(default_factory=set)

    def advance(self, tx: Tx, scopes: Sequence[Scope]) -> Mapping[int, Advance]:
        return {scope.token_id: self._one(tx, scope) for scope in scopes}

    def _one(self, tx: Tx, scope: Scope) -> Advance:
        if scope.token_id in self.begun:
            return Advance(done=not scope.active)
        self.begun.add(scope.token_id)
        task = TaskSpec("", 0, 50, tx.now + timedelta(days=1))
        activated = [Activation(kind, str(tx.new_id(0)), task) for kind in scope.activities]
        return Advance(activate=activated, done=not activated)


class AlwaysOpen:
    """A calendar without a closed hour."""

    def due(self, _tx: Tx, timers: Sequence[WorkingTime]) -> Sequence[datetime]:
        return [due_at(t.duration, t.start) for t in timers]


def players(rng: Random, given: Given, graphs: Sequence[Graph]) -> Handlers:
    """Handlers for processes that are only played."""
    return Handlers(
        services=EveryService(Worker(rng, given, graphs)),
        inbound={},
        driver=Driver(),
        decisions=Decider(given),
        calendar=AlwaysOpen(),
        lenient=True,
    )
