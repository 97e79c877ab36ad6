"""How tokens move, whatever they stand at: entering, completing, leaving, closing scopes, coming to rest."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from diaodu.engine.board import Board, NodeError, assign, backoff, plain
from diaodu.engine.game import called, events, gateways, interventions, joins, kept, loops, scopes, tasks
from diaodu.engine.game.world import Due, Pending, World
from diaodu.engine.graph import GATEWAYS, Flow, Kind, Node, Trigger
from diaodu.engine.instance import (
    CANCELLED,
    COMPLETED,
    ENDED,
    PROCESS,
    READY,
    WITHDRAWN,
    Instance,
    Job,
    Token,
)
from diaodu.engine.model import (
    Advance,
    Broadcast,
    BusinessError,
    Done,
    Message,
    Nudge,
    Outcome,
    Retry,
    Signal,
    Start,
    Wait,
)

# A token that moves this often without a wait runs in a circle.
STEPS_MAX = 25_000
ATTEMPTS_MAX = 5

Stimulus = Signal | Job
Enter = Callable[["Game", Instance, Token, Node], None]

_ENTER: Mapping[Kind, Enter] = {
    **tasks.ENTER,
    **gateways.ENTER,
    **events.ENTER,
    **scopes.ENTER,
    Kind.CALL: called.enter,
}


class Runaway(Exception):
    """An instance that would never come to rest."""


class Game:
    """The moves of one batch; see the package."""

    def __init__(self, board: Board, world: World) -> None:
        self.board, self.world = board, world
        self.calls: dict[int, Pending] = {}
        self.stages: dict[int, tuple[Instance, Token]] = {}
        self.dues: list[Due] = []
        self._moving: deque[tuple[Instance, Token]] = deque()
        self._returned: deque[tuple[Instance, Instance]] = deque()  # caller, called
        self._joining: dict[int, Instance] = {}  # tokens have moved where an inclusive join may wait for them

    def take(self, stimulus: Stimulus) -> None:
        """Let a stimulus act; ``settle`` moves what it has set in motion."""
        match stimulus:
            case Job(kind="timer"):
                events.timer(self, stimulus)
            case Job():
                self._again(stimulus)
            case Start():
                events.start(self, stimulus)
            case Message():
                events.message(self, stimulus)
            case Broadcast():
                events.broadcast(self, stimulus)
            case Nudge(root):
                for instance in self.world.active(root):
                    scopes.nudge(self, instance)
            case _:
                interventions.take(self, stimulus)

    def awaits(self, message: Message) -> bool:
        """Whether a token waits for a message now; if not, one may once it has been answered."""
        return events.waiting(self, message) is not None

    def settle(self) -> None:
        """Move all tokens until each of them waits, asks or is gone."""
        while True:
            if self._moving:
                instance, token = self._moving.popleft()
                if instance.tokens.get(token.id) is token:
                    self.guarded(instance, token, "enter", self._enter)
            elif self._returned:
                called.returned(self, *self._returned.popleft())
            elif self._joining:
                _, instance = self._joining.popitem()
                if (found := joins.ready(instance)) is not None:
                    self.guarded(instance, found, "leave", gateways.join)
            else:
                return

    # What the outside answered -----------------------------------------------------------------------------------

    def answer(self, asked: Pending, outcome: Outcome) -> None:
        """What a service or a decision said; nothing if a neighbour's error has closed the scope of the token."""
        instance, token = asked.instance, asked.token
        if instance.tokens.get(token.id) is not token:
            return
        match outcome:
            case Done():
                self.complete(instance, token, outcome.vars)
            case Wait(name, key):
                self.board.mend(token)
                instance.changed = True
                if [token.node, name, key] not in token.waits:
                    events.listen(self, instance, token, token.node, (name, key))
            case BusinessError(code, message):
                events.throw_error(self, instance, token, code, message)
            case Retry(reason, after):
                if asked.attempt >= ATTEMPTS_MAX:
                    detail = {"attempts": asked.attempt}
                    self.board.fail(instance, token, "engine.attempts-exhausted", reason, detail, what="call")
                else:
                    pause = after if after is not None else backoff(asked.attempt, token.id)
                    self.board.postpone(instance, token, READY, asked.attempt, self.board.now + pause)

    def advance(self, instance: Instance, scope: Token, advance: Advance) -> None:
        """What the driver of a stage wants next."""
        if instance.tokens.get(scope.id) is scope:
            scopes.advance(self, instance, scope, advance)

    def armed(self, due: Due, moment: datetime) -> None:
        """What the calendar said; nothing if the token no longer waits."""
        if due.armed in due.token.timers:
            due.token.timers.remove(due.armed)
            node = due.instance.graph.nodes[due.armed[0]]
            self.board.arm(due.instance, due.token, node, moment, {})

    # Moving ------------------------------------------------------------------------------------------------------

    def guarded(self, instance: Instance, token: Token, what: str, move: Enter) -> None:
        """Do a move; if the node cannot be executed, it is an incident, and ``what`` is done again when mended."""
        instance.steps += 1
        if instance.steps > STEPS_MAX:
            raise Runaway(f"instance {instance.id} does not come to rest")
        try:
            move(self, instance, token, instance.node(token))
        except NodeError as error:
            self.close(instance, token, WITHDRAWN, "failed")
            self.board.fail(instance, token, error.code, error.text, {}, what=what)

    def put(self, instance: Instance, node: int, scope: int, key: str | None = None, via: int = -1) -> Token:
        """A new token that enters a node."""
        token = self.add(instance, node, scope, key, via)
        self._moving.append((instance, token))
        return token

    def add(self, instance: Instance, node: int, scope: int, key: str | None = None, via: int = -1) -> Token:
        """A new token that stands at a node already."""
        token = Token(self.board.new_id(instance.root_id), node, scope, key, via)
        instance.tokens[token.id] = token
        self.stir(instance)
        return token

    def put_process(self, instance: Instance, entry: int) -> None:
        """The token of a process with event subprocesses, which starts it at ``entry``."""
        token = Token(PROCESS, len(instance.graph.nodes) - 1, -1, via=entry)
        instance.tokens[PROCESS] = token
        self._moving.append((instance, token))

    def go(self, instance: Instance, token: Token, target: int, via: int) -> None:
        """Move a token to another node."""
        token.node, token.via, token.vars, token.loop = target, via, None, None
        self.stir(instance)
        self._moving.append((instance, token))

    def stir(self, instance: Instance) -> None:
        """Tokens have moved."""
        instance.changed = True
        if instance.graph.joins:
            self._joining[instance.id] = instance

    def _enter(self, _game: "Game", instance: Instance, token: Token, node: Node) -> None:
        if token.turn < 0:
            if node.boundary and not events.open_all(self, instance, token, node.boundary):
                return  # an early message has interrupted it at once
            if node.loop is not None:
                loops.enter(self, instance, token, node)
                return
        if node.own:
            token.vars = {**dict.fromkeys(node.own), **(token.vars or {})}
        for name, expression in node.inputs:
            local = token.vars if token.vars is not None else {}
            token.vars = local | plain({name: self.board.value(instance, token, expression)})
        _ENTER[node.kind](self, instance, token, node)

    def complete(self, instance: Instance, token: Token, results: Mapping[str, Any]) -> None:
        """The work of a token at its node is done: its results go to the scopes around it, and it leaves."""
        if (way := instance.graph.nodes[token.node].straight) is not None and token.free:
            self._pass(instance, token, way, results)
            return
        self.close(instance, token, COMPLETED, None)
        if results:
            self._store(instance, token, plain(results))
        self.guarded(instance, token, "leave", _leave)

    def _pass(self, instance: Instance, token: Token, way: Flow, results: Mapping[str, Any]) -> None:
        """The same for most tokens at most nodes: all that closing, storing and leaving come to there."""
        self.calls.pop(token.id, None)
        self.stages.pop(token.id, None)
        if results:
            assign(instance, token, plain(results))
        instance.steps += 1
        self.board.leave(instance, instance.graph.nodes[token.node])
        self.go(instance, token, way.target, way.index)

    def brought(self, instance: Instance, scope: int, event: Node, results: Mapping[str, Any]) -> None:
        """Store what an event brought into a scope, of which no token ends with it."""
        seen = Token(-1, event.index, scope, vars=plain(results))
        found = seen.vars or {}
        if event.outputs:
            found = plain({n: self.board.value(instance, seen, e) for n, e in event.outputs})
        if found:
            assign(instance, seen, found)

    def flow(self, instance: Instance, token: Token, flows: tuple[Flow, ...]) -> None:
        """Send a token out by these flows: itself by the first, new ones by the others; without any it ends."""
        node = instance.node(token)
        if node.kind not in GATEWAYS:
            self.board.leave(instance, node)
        if not flows:
            self.drop(instance, token)
            self.scope_moved(instance, token.scope)
            return
        self.go(instance, token, flows[0].target, flows[0].index)
        for flow in flows[1:]:
            self.put(instance, flow.target, token.scope, token.key, flow.index)

    def way_out(self, _game: "Game", instance: Instance, token: Token, node: Node) -> None:
        """Leave a node by the flows that its conditions choose."""
        flows = gateways.chosen(self, instance, token, node) if node.choosing else node.flows
        # Outside of any subprocess nothing has a condition to end by.
        if node.scope < 0 or not scopes.completed_adhoc(self, instance, token, node):
            self.flow(instance, token, flows)

    def scope_moved(self, instance: Instance, scope: int) -> None:
        """A token in a scope has ended: so does the scope, if it was the last one."""
        holder = instance.tokens.get(scope)
        if holder is not None and scope != PROCESS:
            scopes.moved(self, instance, holder)
        elif not any(t.scope == PROCESS for t in instance.tokens.values()):
            self.end(instance, ENDED)

    def end(self, instance: Instance, state: int, *, back: bool = True) -> None:
        """End an instance, and go on (``back``) where it was called."""
        if (process := instance.tokens.get(PROCESS)) is not None:
            self.close(instance, process, COMPLETED, None)
            self.drop(instance, process)
        events.forget(self, instance)
        instance.changed, instance.state, instance.ended_at = True, state, self.board.now
        self.board.record(instance, "instance.ended" if state == ENDED else "instance.cancelled")
        if back and (caller := self.world.caller(instance)) is not None:
            self._returned.append((caller[0], instance))

    def cancel(self, instance: Instance, *, back: bool = True) -> None:
        """End an instance with everything that belongs to it."""
        self.empty(instance, PROCESS, "cancelled")
        self.end(instance, CANCELLED, back=back)

    def empty(self, instance: Instance, scope: int, reason: str) -> None:
        """Take back all tokens in a scope."""
        for token in instance.inside(scope):
            self.remove(instance, token, reason)

    def remove(self, instance: Instance, token: Token, reason: str) -> None:
        """Take back a token with all that is in it."""
        self.empty(instance, token.id, reason)
        self.close(instance, token, WITHDRAWN, reason)
        self.drop(instance, token)

    def drop(self, instance: Instance, token: Token) -> None:
        """A token is gone."""
        del instance.tokens[token.id]
        self.stir(instance)

    def close(self, instance: Instance, token: Token, task_state: int, reason: str | None) -> None:
        """Take back what a token holds and asks for at its node."""
        self.calls.pop(token.id, None)
        self.stages.pop(token.id, None)
        if task_state == WITHDRAWN and instance.node(token).kind is Kind.CALL:
            called.interrupt(self, instance, token)
        self.board.close(instance, token, task_state, reason)

    def _store(self, instance: Instance, token: Token, results: dict[str, Any]) -> None:
        node = instance.node(token)
        if node.outputs or (token.turn >= 0 and node.loop is not None and node.loop.output):
            # They stay here until the mapping has chosen among them.
            token.vars = {**(token.vars or {}), **results}
        elif token.vars is None:
            assign(instance, token, results)
        else:
            # Its own variables (mapped ones, those of its turn) are the innermost scope, and end with it.
            assign(instance, token, {name: value for name, value in results.items() if name not in token.vars})

    def _again(self, job: Job) -> None:
        """Try again what failed at a node: its service call, its leaving, or the whole node."""
        instance = self.world.find(job.root_id, job.instance_id)
        token = instance.tokens.get(job.token_id or 0) if instance else None
        if instance is None or token is None or token.job != job.id:
            kept.job(self, job)
            return
        if job.name == "leave":
            move = gateways.join if instance.node(token).kind in GATEWAYS else _leave
            self.board.mend(token)
            self.guarded(instance, token, "leave", move)
        elif job.name == "call" and instance.node(token).kind is Kind.SERVICE:
            self.calls[token.id] = Pending(instance, token, job.attempts + 1)
        else:
            self.empty(instance, token.id, "retried")
            self.close(instance, token, WITHDRAWN, "retried")
            self._moving.append((instance, token))


def _leave(game: Game, instance: Instance, token: Token, node: Node) -> None:
    """The token's own work is done and taken back; what is left are the mapping of its results and its way out."""
    if node.outputs and not _mapped_before(token, node):
        found = plain({name: game.board.value(instance, token, e) for name, e in node.outputs})
        if token.turn < 0 or node.loop is None or not node.loop.output:
            assign(instance, token, found)
        else:
            token.vars = {**(token.vars or {}), **found}
    if token.turn >= 0:
        loops.turned(game, instance, token, node)
    else:
        game.way_out(game, instance, token, node)


def _mapped_before(token: Token, node: Node) -> bool:
    """Each turn has mapped its results for the whole; an event at a border or of an event subprocess when it came."""
    if node.kind is Kind.BOUNDARY or (node.kind is Kind.START and node.scope >= 0 and node.trigger is not Trigger.NONE):
        return True
    return node.loop is not None and token.turn < 0
