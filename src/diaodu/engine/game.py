"""The token game: pure moves over instances in memory; it knows no database and no clock of its own."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from diaodu.engine.board import Board, NodeError, backoff
from diaodu.engine.graph import GATEWAYS, Kind, Node
from diaodu.engine.instance import (
    CANCELLED,
    COMPLETED,
    EARLY_MAX,
    ENDED,
    READY,
    WITHDRAWN,
    Instance,
    Job,
    Token,
)
from diaodu.engine.ports import Activation, TaskSpec

# A token that moves this often without a wait runs in a circle.
STEPS_MAX = 10_000
ATTEMPTS_MAX = 5
TASK = "task"  # the message that ends a human task; its key is the task's id


class Runaway(Exception):
    """An instance that would never come to rest."""


@dataclass(slots=True)
class Pending:
    """A token that asks for its service or its decision; ``attempt`` counts from 1."""

    instance: Instance
    token: Token
    attempt: int


class Game:
    """The moves of one batch: what waits for a service is in ``calls``, for the driver in ``stages``, by token id."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.calls: dict[int, Pending] = {}
        self.stages: dict[int, tuple[Instance, Token]] = {}
        self._moving: deque[tuple[Instance, Token]] = deque()
        self._arrive: dict[Kind, Callable[[Instance, Token, Node], None]] = {
            Kind.TERMINATE: self._terminate,
            Kind.ERROR_END: self._error_end,
            Kind.SCRIPT: self._script,
            Kind.RULE: self._service,
            Kind.SERVICE: self._service,
            Kind.USER: self._user,
            Kind.MESSAGE: self._message,
            Kind.TIMER: self._timer,
            Kind.EXCLUSIVE: self._exclusive,
            Kind.PARALLEL: self._parallel,
            Kind.SUBPROCESS: self._subprocess,
            Kind.STAGE: self._stage,
        }

    # What wakes an instance ------------------------------------------------------------------------------------

    def start(self, instance: Instance) -> None:
        """Put the first token on the start event."""
        graph = instance.graph
        self.board.record(instance, "instance.started", process=graph.key, version=instance.version)
        self._put(instance, graph.entry, 0)

    def message(self, instance: Instance, name: str, key: str, variables: Mapping[str, Any]) -> bool:
        """Give a message to the first token that waits for it; False when none does."""
        for token in instance.tokens.values():
            for node, wanted, wanted_key in token.waits:
                if wanted == name and wanted_key == key:
                    self._catch(instance, token, node, variables)
                    return True
        return False

    def keep(self, instance: Instance, name: str, key: str, variables: Mapping[str, Any]) -> None:
        """Keep a message that came before its node."""
        instance.changed = True
        instance.early.append([name, key, dict(variables)])
        if len(instance.early) > EARLY_MAX:
            lost = instance.early.pop(0)
            self.board.record(instance, "message.dropped", name=lost[0], key=lost[1])

    def timer(self, instance: Instance, job: Job) -> None:
        """A timer is due; one whose token has left is nothing."""
        token = instance.tokens.get(job.token_id or 0)
        armed = next((t for t in token.timers if t[1] == job.id), None) if token else None
        if token is None or armed is None:
            return
        token.timers.remove(armed)
        self._catch(instance, token, armed[0], {})

    def again(self, instance: Instance, job: Job) -> None:
        """Try again what failed at a node: its service call, or the whole node."""
        token = instance.tokens.get(job.token_id or 0)
        if token is None or token.job != job.id:
            return
        if instance.node(token).kind is Kind.SERVICE and job.name == "call":
            self.calls[token.id] = Pending(instance, token, job.attempts + 1)
        else:
            self.board.close(instance, token, WITHDRAWN, "retried")
            self._moving.append((instance, token))

    def nudge(self, instance: Instance) -> None:
        """Let the driver look at every open stage."""
        for token in instance.tokens.values():
            if instance.node(token).kind is Kind.STAGE:
                self.stages[token.id] = (instance, token)

    def cancel(self, instance: Instance) -> None:
        """End an instance with everything that belongs to it."""
        self._empty(instance, 0, "cancelled")
        self._end(instance, CANCELLED)

    # What a service or the driver answered -----------------------------------------------------------------------

    def done(self, instance: Instance, token: Token, variables: Mapping[str, Any]) -> None:
        """The work of a token is finished."""
        self.board.merge(instance, variables)
        self._leave(instance, token)

    def wait(self, instance: Instance, token: Token, name: str, key: str) -> None:
        """The token waits at its node for a message, which may have come before."""
        self.board.mend(token)
        self._await(instance, token, token.node, name, key)

    def throw(self, instance: Instance, token: Token, code: str, message: str) -> None:
        """A BPMN error: caught by the nearest boundary event of that code around the token, else an incident."""
        at: Token | None = token
        while at is not None:
            for index in instance.node(at).boundary:
                event = instance.graph.nodes[index]
                if event.kind is Kind.ON_ERROR and event.error in ("", code):
                    self._interrupt(instance, at, index)
                    return
            at = instance.tokens.get(at.scope)
        self.board.fail(instance, token, "engine.uncaught-error", f"{code}: {message}", {"error": code})

    def retry(self, pending: Pending, reason: str, after: timedelta | None) -> None:
        """A passing fault: the call is tried again later, or needs a person after the last attempt."""
        instance, token, attempt = pending.instance, pending.token, pending.attempt
        if attempt >= ATTEMPTS_MAX:
            self.board.fail(instance, token, "engine.attempts-exhausted", reason, {"attempts": attempt})
        else:
            pause = after if after is not None else backoff(attempt, token.id)
            self.board.postpone(instance, token, READY, attempt, self.board.now + pause)

    def activate(self, instance: Instance, scope: Token, activation: Activation) -> None:
        """Start an inner activity of a stage; a key that is active already is left alone."""
        if any(t.key == activation.key for t in instance.inside(scope.id)):
            return
        index = instance.node(scope).activities.get(activation.kind)
        if index is None:
            self._stage_failed(instance, scope, f"no activity is drawn for '{activation.kind}'")
            return
        node = instance.graph.nodes[index]
        if node.kind is not Kind.USER:
            self._put(instance, index, scope.id, activation.key)
        elif activation.task is None:
            self._stage_failed(instance, scope, f"'{activation.key}' came without its task")
        else:
            token = self._add(instance, index, scope.id, activation.key)
            if self._open(instance, token, node):
                self._offer(instance, token, int(activation.key), activation.task, planned=True)

    def withdraw(self, instance: Instance, scope: Token, key: str) -> None:
        """Take an inner activity of a stage back."""
        for token in instance.inside(scope.id):
            if token.key == key:
                self._remove(instance, token, "withdrawn")

    def close_stage(self, instance: Instance, scope: Token) -> None:
        """A stage has reached its goal: what is still active in it ends, and its token goes on."""
        self._empty(instance, scope.id, "withdrawn")
        self._leave(instance, scope)

    # Moving ------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Move all tokens until each of them waits, calls or is gone."""
        while self._moving:
            instance, token = self._moving.popleft()
            if instance.tokens.get(token.id) is not token:
                continue
            instance.steps += 1
            if instance.steps > STEPS_MAX:
                raise Runaway(f"instance {instance.id} does not come to rest")
            node = instance.node(token)
            try:
                self._arrive.get(node.kind, self._pass)(instance, token, node)
            except NodeError as error:
                self.board.close(instance, token, WITHDRAWN, "failed")
                self.board.fail(instance, token, error.code, error.text, {})

    def _put(self, instance: Instance, node: int, scope: int, key: str | None = None, via: int = -1) -> None:
        self._moving.append((instance, self._add(instance, node, scope, key, via)))

    def _add(self, instance: Instance, node: int, scope: int, key: str | None, via: int = -1) -> Token:
        token = Token(self.board.new_id(instance.root_id), node, scope, key, via)
        instance.changed = True
        instance.tokens[token.id] = token
        return token

    def _leave(self, instance: Instance, token: Token) -> None:
        node = instance.node(token)
        self._close(instance, token, COMPLETED, None)
        if node.kind not in GATEWAYS:
            self.board.record(instance, "node.done", node=node.id)
        if not node.flows:
            del instance.tokens[token.id]
            self._scope_moved(instance, token.scope)
            return
        for flow in node.flows[1:]:
            self._put(instance, flow.target, token.scope, token.key, flow.index)
        self._go(instance, token, node.flows[0].target, node.flows[0].index)

    def _go(self, instance: Instance, token: Token, target: int, via: int) -> None:
        instance.changed = True
        token.node, token.via = target, via
        self._moving.append((instance, token))

    def _catch(self, instance: Instance, token: Token, index: int, variables: Mapping[str, Any]) -> None:
        """An event has come for a token: it ends the token's own node or fires a boundary event."""
        instance.changed = True
        self.board.merge(instance, variables)
        if index == token.node:
            self._leave(instance, token)
        elif instance.graph.nodes[index].interrupting:
            self._interrupt(instance, token, index)
        else:
            self._put(instance, index, token.scope)

    def _interrupt(self, instance: Instance, token: Token, boundary: int) -> None:
        self._empty(instance, token.id, "interrupted")
        self._close(instance, token, WITHDRAWN, "interrupted")
        self._go(instance, token, boundary, -1)

    def _scope_moved(self, instance: Instance, scope: int) -> None:
        holder = instance.tokens.get(scope)
        if holder is not None and instance.node(holder).kind is Kind.STAGE:
            self.stages[scope] = (instance, holder)
        elif not instance.inside(scope):
            if holder is not None:
                self._leave(instance, holder)
            else:
                self._end(instance, ENDED)

    def _end(self, instance: Instance, state: int) -> None:
        instance.changed, instance.state, instance.ended_at = True, state, self.board.now
        instance.early = []
        self.board.record(instance, "instance.ended" if state == ENDED else "instance.cancelled")

    def _empty(self, instance: Instance, scope: int, reason: str) -> None:
        for token in instance.inside(scope):
            self._remove(instance, token, reason)

    def _remove(self, instance: Instance, token: Token, reason: str) -> None:
        self._empty(instance, token.id, reason)
        self._close(instance, token, WITHDRAWN, reason)
        del instance.tokens[token.id]

    def _close(self, instance: Instance, token: Token, task_state: int, reason: str | None) -> None:
        self.calls.pop(token.id, None)
        self.stages.pop(token.id, None)
        self.board.close(instance, token, task_state, reason)

    def _await(self, instance: Instance, token: Token, node: int, name: str, key: str) -> None:
        instance.changed = True
        for position, (early_name, early_key, variables) in enumerate(instance.early):
            if early_name == name and early_key == key:
                del instance.early[position]
                self._catch(instance, token, node, variables)
                return
        token.waits.append([node, name, key])

    def _open(self, instance: Instance, token: Token, node: Node) -> bool:
        """Set up the boundary events of an activity; False when an early message has interrupted it at once."""
        for index in node.boundary:
            event = instance.graph.nodes[index]
            if event.kind is Kind.ON_TIMER:
                self.board.arm(instance, token, event)
            elif event.kind is Kind.ON_MESSAGE:
                self._await(instance, token, index, event.message, self.board.key(instance, event))
                if token.node != node.index:
                    return False
        return True

    def _offer(self, instance: Instance, token: Token, task_id: int, task: TaskSpec, *, planned: bool) -> None:
        token.waits.append([token.node, TASK, str(task_id)])
        self.board.offer(instance, token, task_id, task, planned=planned)

    def _stage_failed(self, instance: Instance, scope: Token, message: str) -> None:
        # The driver asks for the same again and again: one incident is enough.
        if scope.job is None:
            self.board.fail(instance, scope, "engine.plan-not-drawn", message, {})

    # Nodes -------------------------------------------------------------------------------------------------------

    def _pass(self, instance: Instance, token: Token, _node: Node) -> None:
        self._leave(instance, token)

    def _terminate(self, instance: Instance, token: Token, node: Node) -> None:
        self.board.record(instance, "node.done", node=node.id)
        self._empty(instance, token.scope, "terminated")
        self._scope_moved(instance, token.scope)

    def _error_end(self, instance: Instance, token: Token, node: Node) -> None:
        self.throw(instance, token, node.error, node.name)

    def _script(self, instance: Instance, token: Token, node: Node) -> None:
        assert node.script is not None
        self.done(instance, token, {node.result: self.board.value(instance, node.script)})

    def _service(self, instance: Instance, token: Token, node: Node) -> None:
        if self._open(instance, token, node):
            self.calls[token.id] = Pending(instance, token, 1)

    def _user(self, instance: Instance, token: Token, node: Node) -> None:
        if not self._open(instance, token, node):
            return
        pool, priority = self.board.number(instance, node.pool), self.board.number(instance, node.priority)
        task = TaskSpec(node.name, pool, priority, self.board.moment(instance, node.due))
        self._offer(instance, token, self.board.new_id(instance.root_id), task, planned=False)

    def _message(self, instance: Instance, token: Token, node: Node) -> None:
        if self._open(instance, token, node):
            self._await(instance, token, node.index, node.message, self.board.key(instance, node))

    def _timer(self, instance: Instance, token: Token, node: Node) -> None:
        instance.changed = True
        self.board.arm(instance, token, node)

    def _exclusive(self, instance: Instance, token: Token, node: Node) -> None:
        for flow in node.flows:
            if flow is node.default:
                continue
            if flow.condition is None or self.board.value(instance, flow.condition) is True:
                self._go(instance, token, flow.target, flow.index)
                return
        if node.default is not None:
            self._go(instance, token, node.default.target, node.default.index)
        elif node.flows:
            raise NodeError("engine.no-flow", f"no condition after '{node.id}' is true and there is no default")
        else:
            self._leave(instance, token)

    def _parallel(self, instance: Instance, token: Token, node: Node) -> None:
        arrived: dict[int, Token] = {}
        for other in instance.inside(token.scope):
            if other.node == node.index and other.key == token.key:
                arrived.setdefault(other.via, other)
        if len(arrived) < len(node.incoming):
            return  # one token has come on some flows: it waits for the others
        for other in arrived.values():
            if other is not token:
                del instance.tokens[other.id]
        self._leave(instance, token)

    def _subprocess(self, instance: Instance, token: Token, node: Node) -> None:
        if self._open(instance, token, node):
            self._put(instance, node.entry, token.id)

    def _stage(self, instance: Instance, token: Token, node: Node) -> None:
        if self._open(instance, token, node):
            self.stages[token.id] = (instance, token)
