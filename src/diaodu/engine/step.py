"""One batch: the due jobs of a set of orders in one partition, folded and written in one transaction."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from diaodu.engine import store
from diaodu.engine.board import Board, plain, visible
from diaodu.engine.definition import Definitions
from diaodu.engine.external import BUILT_IN
from diaodu.engine.game import Game, Pending, Runaway, World
from diaodu.engine.graph import Kind, Node
from diaodu.engine.instance import FAILED, Incident, Instance, Job, Token
from diaodu.engine.model import (
    BusinessError,
    Call,
    Decision,
    Done,
    Inbound,
    Message,
    Outcome,
    Question,
    Retry,
    Scope,
    Signal,
    Start,
)
from diaodu.engine.ports import Handlers, ServiceHandler
from diaodu.engine.signals import signal_of
from diaodu.engine.store import Store, Tables
from diaodu.kernel.db import Tx

ROUNDS_MAX = 1_000
log = structlog.get_logger(__name__)


def step(
    tx: Tx,
    part: int,
    roots: Sequence[int],
    handlers: Handlers,
    definitions: Definitions,
    *,
    each: int = store.JOBS_EACH,
) -> int:
    """Run the due jobs of these roots until every token waits; returns the number of jobs."""
    return fold(Tables(tx, part, definitions), tx, roots, handlers, each)


def fold(tables: Store, tx: Tx, roots: Sequence[int], handlers: Handlers, each: int) -> int:
    """The same on any store; ``tx`` is what the handlers get."""
    locked = tables.lock(roots)
    jobs = tables.claim(roots, each)
    if not jobs:
        return 0
    batch = Batch(tables, tx, handlers, locked, tables.load({j.root_id for j in jobs}))
    batch.run([j for j in jobs if j.root_id in locked])
    for job in jobs:
        if job.root_id not in locked:
            batch.orphan(job)
    tables.write(jobs, list(batch.world.all()), batch.board.changes)
    return len(jobs)


class Batch:
    """Folds jobs over the instances of their roots, asking the handlers set-wise."""

    def __init__(
        self,
        tables: Store,
        tx: Tx,
        handlers: Handlers,
        locked: Collection[int],
        instances: dict[int, list[Instance]],
    ) -> None:
        self.tx, self.handlers, self.locked = tx, handlers, locked
        self.world = World(tables.processes, instances)
        self.board = Board(tables.now, tables.new_id, None if handlers.facts is None else self._facts)
        self.game = Game(self.board, self.world)
        self.facts: Mapping[int, Mapping[str, Any]] | None = None

    def run(self, jobs: Sequence[Job]) -> None:
        """Fold the jobs in rounds: of one root in id order, over many roots at a time."""
        waiting: dict[int, deque[Job]] = {}
        for job in jobs:
            waiting.setdefault(job.root_id, deque()).append(job)
        while waiting:
            inbound: dict[str, list[Job]] = {}
            for queue in waiting.values():
                job = queue.popleft()
                if job.kind != "inbound":
                    self._wake(job)
                    continue
                # Reports of one kind that follow each other are one set for their handler.
                same = inbound.setdefault(job.name, [])
                same.append(job)
                while queue and queue[0].kind == "inbound" and queue[0].name == job.name:
                    same.append(queue.popleft())
            for name, reports in inbound.items():
                self._inbound(name, reports)
            self._settle()
            waiting = {root: queue for root, queue in waiting.items() if queue}

    def orphan(self, job: Job) -> None:
        """A job whose root does not exist."""
        self._refuse(job, "engine.no-root", f"there is no root {job.root_id}")

    # Jobs --------------------------------------------------------------------------------------------------------

    def _wake(self, job: Job) -> None:
        if job.kind in ("timer", "retry"):
            self.game.take(job)
        elif (signal := signal_of(job)) is not None:
            self._signal(signal)
        else:
            self._refuse(job, "engine.unknown-job", f"'{job.kind}' is no kind of job")

    def _inbound(self, name: str, jobs: list[Job]) -> None:
        handler = self.handlers.inbound.get(name)
        if handler is None:
            for job in jobs:
                self._refuse(job, "engine.no-handler", f"nothing handles reports named '{name}'")
            return
        reports = [Inbound(j.id, j.root_id, j.name, j.body, j.attempts + 1, j.created_at) for j in jobs]
        signals = handler.run(self.tx, reports)
        self.facts = None
        for signal in signals:
            self._answered(signal)

    def _refuse(self, job: Job, code: str, message: str) -> None:
        changes, root = self.board.changes, job.root_id
        changes.tries[job.id] = (FAILED, job.attempts, job.due_at)
        incident = self.board.new_id(root)
        changes.incidents.append(Incident(incident, root, job.instance_id, job.name, job.id, code, message, {}))
        if root in self.locked:
            changes.passed.pop(root, None)
            changes.entries.append(
                (root, {"t": "incident.opened", "incident": incident, "node": job.name, "code": code})
            )

    def _answered(self, signal: Signal) -> None:
        """A signal of a handler: no job has made its variables plain."""
        self._signal(replace(signal, vars=plain(signal.vars)) if isinstance(signal, Start) else signal)

    def _signal(self, signal: Signal) -> None:
        # What is to wait for a message may be called first, on its way to its node.
        if isinstance(signal, Message) and not self.game.awaits(signal):
            self._settle()
        self.game.take(signal)

    # Services, decisions, drivers, calendars -----------------------------------------------------------------------

    def _settle(self) -> None:
        game = self.game
        game.settle()
        for _ in range(ROUNDS_MAX):
            if game.dues:
                self._time()
            elif game.calls:
                self._call()
            elif game.stages:
                self._drive()
            else:
                return
            game.settle()
        raise Runaway(f"the batch does not come to rest in {ROUNDS_MAX} rounds")

    def _time(self) -> None:
        dues, self.game.dues = self.game.dues, []
        if self.handlers.calendar is None:
            raise Runaway("a timer counts working time, but no calendar is plugged in")
        moments = self.handlers.calendar.due(self.tx, [d.timer for d in dues])
        for due, moment in zip(dues, moments, strict=True):
            self.game.armed(due, moment)

    def _call(self) -> None:
        pending, self.game.calls = self.game.calls, {}
        by_type: dict[tuple[Kind, str], list[Pending]] = {}
        for call in pending.values():
            node = call.instance.node(call.token)
            by_type.setdefault((node.kind, node.type), []).append(call)
        for (kind, service), calls in by_type.items():
            live = [c for c in calls if c.instance.tokens.get(c.token.id) is c.token]
            if kind is Kind.RULE:
                self._ask(live)
                continue
            handler = self.handlers.services.get(service) or BUILT_IN.get(service)
            if handler is not None:
                self._serve(handler, live)
                continue
            for call in live:
                message = f"no service '{service}' is bound"
                self.board.fail(call.instance, call.token, "engine.no-handler", message, {}, what="call")

    def _serve(self, handler: ServiceHandler, pending: list[Pending]) -> None:
        calls = [_asked(p) for p in pending]
        facts = handler.load(self.tx, calls)
        outcomes: list[Outcome] = []
        decided: list[tuple[Call, Decision]] = []
        for call in calls:
            decision = _decide(handler, call, facts)
            if isinstance(decision, Retry):
                outcomes.append(decision)
                continue
            decided.append((call, decision))
            outcomes.append(decision.outcome)
        handler.apply(self.tx, decided, facts)
        self.facts = None
        for _, decision in decided:
            for signal in decision.signals:
                self._answered(signal)
        for asked, outcome in zip(pending, outcomes, strict=True):
            self.game.answer(asked, outcome)

    def _ask(self, pending: list[Pending]) -> None:
        nodes = [p.instance.node(p.token) for p in pending]
        if self.handlers.decisions is None:
            for asked, node in zip(pending, nodes, strict=True):
                self.board.fail(asked.instance, asked.token, "engine.no-handler", f"nothing decides '{node.type}'", {})
            return
        questions = [
            Question(p.instance.root_id, node.type, dict(visible(p.instance, p.token)))
            for p, node in zip(pending, nodes, strict=True)
        ]
        answers = self.handlers.decisions.decide(self.tx, questions)
        for asked, node, answer in zip(pending, nodes, answers, strict=True):
            self.game.answer(asked, answer if isinstance(answer, BusinessError) else _decided(node, answer))

    def _drive(self) -> None:
        stages, self.game.stages = self.game.stages, {}
        if self.handlers.driver is None:
            raise Runaway("a plan-driven stage is open, but no driver is plugged in")
        advances = self.handlers.driver.advance(self.tx, [_scope(i, t) for i, t in stages.values()])
        self.facts = None
        for instance, token in stages.values():
            advance = advances.get(token.id)
            if advance is not None:
                self.game.advance(instance, token, advance)

    def _facts(self, instance: Instance) -> Mapping[str, Any]:
        """The facts of an instance's root, read once for the batch."""
        if self.facts is None:
            assert self.handlers.facts is not None
            self.facts = self.handlers.facts.facts(self.tx, sorted(self.world.instances))
        return self.facts.get(instance.root_id, {})


def _asked(pending: Pending) -> Call:
    instance, token = pending.instance, pending.token
    node = instance.node(token)
    return Call(
        instance.root_id,
        instance.id,
        token.id,
        node.id,
        node.type,
        node.settings,
        dict(visible(instance, token)),
        token.key,
        pending.attempt,
    )


def _decided(node: Node, answer: Any) -> Outcome:
    """The variables that a decision sets: the one that the task names, else one for each output."""
    if node.result:
        return Done({node.result: answer})
    if isinstance(answer, Mapping):
        return Done(answer)
    return BusinessError("no-outputs", f"'{node.type}' has one output: name the variable for it in diaodu:result")


def _decide(handler: ServiceHandler, call: Call, facts: Any) -> Decision | Retry:
    try:
        return handler.decide(call, facts)
    except Exception as error:
        # The fault of one call must not be the batch's.
        log.exception("engine.decide-failed", node=call.node, type=call.type, root=call.root_id)
        return Retry(f"{type(error).__name__}: {error}")


def _scope(instance: Instance, token: Token) -> Scope:
    node, graph = instance.node(token), instance.graph
    return Scope(
        instance.root_id,
        instance.id,
        token.id,
        node.id,
        dict(visible(instance, token)),
        {kind: graph.nodes[index].id for kind, index in node.activities.items()},
        frozenset(t.key for t in instance.inside(token.id) if t.key is not None),
    )
