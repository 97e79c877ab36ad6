"""One batch: the due jobs of a set of orders in one partition, folded and written in one transaction."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import structlog

from diaodu.engine import store
from diaodu.engine.board import Board
from diaodu.engine.definition import Definitions, Loaded
from diaodu.engine.errors import UnknownProcess
from diaodu.engine.game import Game, Pending, Runaway
from diaodu.engine.graph import Kind, Node
from diaodu.engine.instance import ACTIVE, FAILED, Incident, Instance, Job
from diaodu.engine.ports import (
    BusinessError,
    Call,
    Cancel,
    Decision,
    Done,
    Handlers,
    Inbound,
    Message,
    Nudge,
    Outcome,
    Question,
    Retry,
    Scope,
    ServiceHandler,
    Signal,
    Start,
    Wait,
)
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of

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
    locked = journal.lock(tx, roots)
    jobs = store.claim(tx, part, roots, each)
    if not jobs:
        return 0
    batch = _Batch(tx, handlers, definitions, store.load(tx, part, {j.root_id for j in jobs}, definitions))
    batch.run([j for j in jobs if j.root_id in locked])
    for job in jobs:
        if job.root_id not in locked:
            batch.orphan(job)
    instances = [i for of_root in batch.instances.values() for i in of_root]
    store.write(tx, part, jobs, instances, batch.board.changes)
    return len(jobs)


class _Batch:
    def __init__(
        self, tx: Tx, handlers: Handlers, definitions: Definitions, instances: dict[int, list[Instance]]
    ) -> None:
        self.tx, self.handlers, self.definitions, self.instances = tx, handlers, definitions, instances
        self.board = Board(tx.now, lambda root: tx.new_id(part_of(root)), self._context)
        self.game = Game(self.board)
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
        body = job.body
        match job.kind:
            case "start":
                self._signal(Start(job.root_id, job.name, body["key"], body["vars"]))
            case "message":
                self._signal(Message(job.root_id, job.name, body["key"], body["vars"]))
            case "nudge":
                self._signal(Nudge(job.root_id))
            case "cancel":
                self._signal(Cancel(job.root_id, job.name))
            case "timer" | "retry":
                instance = next((i for i in self._active(job.root_id) if i.id == job.instance_id), None)
                if instance is not None:
                    (self.game.timer if job.kind == "timer" else self.game.again)(instance, job)
            case _:
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
            self._signal(signal)

    def _refuse(self, job: Job, code: str, message: str) -> None:
        changes, root = self.board.changes, job.root_id
        changes.tries[job.id] = (FAILED, job.attempts, job.due_at)
        incident = self.board.new_id(root)
        changes.incidents.append(Incident(incident, root, job.instance_id, job.name, job.id, code, message, {}))
        if root in self.tx.journal.locked:
            changes.entries.append(
                (root, {"t": "incident.opened", "incident": incident, "node": job.name, "code": code})
            )

    # Signals -----------------------------------------------------------------------------------------------------

    def _active(self, root: int) -> list[Instance]:
        return [i for i in self.instances.get(root, []) if i.state == ACTIVE]

    def _signal(self, signal: Signal) -> None:
        match signal:
            case Start():
                definition = self.definitions.newest(self.tx).get(signal.process)
                if definition is None:
                    raise UnknownProcess(process=signal.process)
                self._start(definition, signal.root_id, signal.business_key, signal.vars)
            case Message():
                self._message(signal)
            case Nudge():
                for instance in self._active(signal.root_id):
                    self.game.nudge(instance)
            case Cancel():
                for instance in self._active(signal.root_id):
                    if instance.graph.key == signal.process:
                        self.game.cancel(instance)

    def _start(self, definition: Loaded, root: int, business_key: str, variables: Mapping[str, Any]) -> None:
        instance = Instance(
            self.board.new_id(root),
            root,
            definition.id,
            definition.version,
            definition.graph,
            business_key,
            {},
            self.tx.now,
            new=True,
        )
        self.board.merge(instance, variables)
        self.instances.setdefault(root, []).append(instance)
        self.game.start(instance)

    def _message(self, message: Message) -> None:
        # What is to wait for it may still be moving, or be called first, on its way to its node.
        if self._delivered(message):
            return
        self._settle()
        if self._delivered(message):
            return
        for instance in self._active(message.root_id):
            if message.name in instance.graph.messages:
                self.game.keep(instance, message.name, message.key, message.vars)
                return
        for definition in self.definitions.newest(self.tx).values():
            if definition.graph.opening == message.name:
                self._start(definition, message.root_id, message.key, message.vars)

    def _delivered(self, message: Message) -> bool:
        active = self._active(message.root_id)
        return any(self.game.message(i, message.name, message.key, message.vars) for i in active)

    # Services and drivers ----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        game = self.game
        game.settle()
        for _ in range(ROUNDS_MAX):
            if game.calls:
                self._call()
            elif game.stages:
                self._drive()
            else:
                return
            game.settle()
        raise Runaway(f"the batch does not come to rest in {ROUNDS_MAX} rounds")

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
            handler = self.handlers.services.get(service)
            if handler is not None:
                self._serve(handler, live)
                continue
            for call in live:
                self.board.fail(call.instance, call.token, "engine.no-handler", f"no service '{service}' is bound", {})

    def _serve(self, handler: ServiceHandler, pending: list[Pending]) -> None:
        calls = [_asked(p) for p in pending]
        facts = handler.load(self.tx, calls)
        outcomes: list[Outcome] = []
        decided: list[tuple[Call, Decision]] = []
        for call in calls:
            decision = _decide(handler, call, facts)
            if isinstance(decision, Decision):
                decided.append((call, decision))
            outcomes.append(decision.outcome if isinstance(decision, Decision) else decision)
        handler.apply(self.tx, decided, facts)
        self.facts = None
        for _, decision in decided:
            for signal in decision.signals:
                self._signal(signal)
        for asked, outcome in zip(pending, outcomes, strict=True):
            # A neighbour's error may have closed the scope.
            if asked.instance.tokens.get(asked.token.id) is asked.token:
                self._answered(asked, outcome)

    def _ask(self, pending: list[Pending]) -> None:
        nodes = [p.instance.node(p.token) for p in pending]
        if self.handlers.decisions is None:
            for asked, node in zip(pending, nodes, strict=True):
                self.board.fail(asked.instance, asked.token, "engine.no-handler", f"nothing decides '{node.type}'", {})
            return
        questions = [
            Question(p.instance.root_id, node.type, dict(p.instance.vars))
            for p, node in zip(pending, nodes, strict=True)
        ]
        answers = self.handlers.decisions.decide(self.tx, questions)
        for asked, node, answer in zip(pending, nodes, answers, strict=True):
            # A neighbour's error may have closed the scope.
            if asked.instance.tokens.get(asked.token.id) is not asked.token:
                continue
            self._answered(asked, answer if isinstance(answer, BusinessError) else _decided(node, answer))

    def _answered(self, asked: Pending, outcome: Outcome) -> None:
        instance, token = asked.instance, asked.token
        match outcome:
            case Done(variables):
                self.game.done(instance, token, variables)
            case Wait(name, key):
                self.game.wait(instance, token, name, key)
            case BusinessError(code, message):
                self.game.throw(instance, token, code, message)
            case Retry(reason, after):
                self.game.retry(asked, reason, after)

    def _drive(self) -> None:
        stages, self.game.stages = self.game.stages, {}
        if self.handlers.driver is None:
            raise Runaway("a plan-driven stage is open, but no driver is plugged in")
        advances = self.handlers.driver.advance(self.tx, [_scope(i, t) for i, t in stages.values()])
        self.facts = None
        for instance, token in stages.values():
            advance = advances.get(token.id)
            if advance is None:
                continue
            for key in advance.withdraw:
                self.game.withdraw(instance, token, key)
            for activation in advance.activate:
                self.game.activate(instance, token, activation)
            if advance.done:
                self.game.close_stage(instance, token)

    def _context(self, instance: Instance, names: Collection[str]) -> Mapping[str, Any]:
        """The variables; where they do not give all the names, with the facts of the root."""
        if self.handlers.facts is None or instance.vars.keys() >= set(names):
            return instance.vars
        if self.facts is None:
            self.facts = self.handlers.facts.facts(self.tx, sorted(self.instances))
        return {**self.facts.get(instance.root_id, {}), **instance.vars}


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
        dict(instance.vars),
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


def _scope(instance: Instance, token: Any) -> Scope:
    node, graph = instance.node(token), instance.graph
    return Scope(
        instance.root_id,
        instance.id,
        token.id,
        node.id,
        dict(instance.vars),
        {kind: graph.nodes[index].id for kind, index in node.activities.items()},
        frozenset(t.key for t in instance.inside(token.id) if t.key is not None),
    )
