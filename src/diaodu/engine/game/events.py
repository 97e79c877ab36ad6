"""Events: what a token or a scope waits for, and what is thrown and caught."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from diaodu.engine.board import NodeError, plain
from diaodu.engine.errors import UnknownProcess
from diaodu.engine.game import kept
from diaodu.engine.game.world import Due
from diaodu.engine.graph import Kind, Node, Process, Trigger
from diaodu.engine.instance import EARLY_MAX, PROCESS, WITHDRAWN, Instance, Job, Token
from diaodu.engine.model import TTL_DEFAULT, TTL_MAX, Broadcast, Message, Start, WorkingTime
from diaodu.engine.times import cycle_of, is_duration, next_of

if TYPE_CHECKING:
    from diaodu.engine.game.moves import Game

Vars = Mapping[str, Any]

# Starting -----------------------------------------------------------------------------------------------------


def start(game: "Game", asked: Start) -> None:
    """Start an instance of the newest version."""
    process = game.world.processes.newest(asked.process)
    if process is None:
        raise UnknownProcess(process=asked.process)
    entry = process.graph.by_id.get(asked.node, -1) if asked.node else process.graph.entry
    node = process.graph.nodes[entry]
    if node.kind is not Kind.START or node.scope != -1:
        raise UnknownProcess(process=f"{asked.process} {asked.node}")
    if process.suspended:
        kept.until_resumed(game, asked)
        return
    begin(game, process, asked.root_id, asked.business_key, dict(asked.vars), entry=entry)


def begin(
    game: "Game",
    process: Process,
    root: int,
    business_key: str,
    variables: dict[str, Any],
    *,
    entry: int,
    caller: tuple[int, int] | None = None,
) -> None:
    """Start an instance of a version at one of its start events; ``caller`` is the instance and token that call it.

    The variables, plain JSON, are the instance's own from now on.
    """
    instance = Instance(
        game.board.new_id(root),
        root,
        process.id,
        process.version,
        process.graph,
        business_key,
        variables,
        game.board.now,
        parent_id=caller[0] if caller else None,
        parent_token=caller[1] if caller else None,
        new=True,
        changed=True,
    )
    game.world.instances.setdefault(root, []).append(instance)
    game.board.record(instance, "instance.started", process=process.graph.key, version=process.version)
    if process.graph.nodes[-1].handlers:
        game.put_process(instance, entry)
    else:
        game.put(instance, entry, PROCESS)


# Waiting ------------------------------------------------------------------------------------------------------


def open_all(game: "Game", instance: Instance, token: Token, indexes: Sequence[int]) -> bool:
    """Let a token wait for several events; False when an early message has ended its waiting at once."""
    return all(_open(game, instance, token, instance.graph.nodes[index]) for index in indexes)


def _open(game: "Game", instance: Instance, token: Token, event: Node) -> bool:
    instance.changed = True
    match event.trigger:
        case Trigger.MESSAGE:
            key = game.board.key(instance, token, event)
            return listen(game, instance, token, event.index, (event.event, key))
        case Trigger.SIGNAL:
            token.waits.append([event.index, event.event, None])
        case Trigger.TIMER:
            _arm(game, instance, token, event)
    return True


def listen(game: "Game", instance: Instance, token: Token, index: int, message: tuple[str, str]) -> bool:
    """Let a token wait for a message (name, key), which may have come before; False when that has ended its waiting."""
    event = instance.graph.nodes[index]
    while (found := _early(game, instance.root_id, *message)) is not None:
        catch(game, instance, token, index, found)
        if index == token.node or event.interrupting:
            return False
    token.waits.append([index, *message])
    return True


def _early(game: "Game", root: int, name: str, key: str) -> Vars | None:
    """An early message of the root, whichever of its instances has kept it."""
    for instance in game.world.instances[root]:
        if not instance.early:
            continue
        _expire(game, instance)
        for position, (early_name, early_key, variables, _) in enumerate(instance.early):
            if early_name == name and early_key == key:
                del instance.early[position]
                instance.changed = True
                found: Vars = variables
                return found
    return None


def _arm(game: "Game", instance: Instance, token: Token, event: Node) -> None:
    timer, board = event.timer, game.board
    assert timer is not None
    if not timer.cycle and not timer.calendar:
        board.arm(instance, token, event, board.moment(instance, token, timer.value), {})
        return
    text = str(board.value(instance, token, timer.value))
    if timer.calendar:
        if not is_duration(text):
            raise NodeError("engine.no-moment", f"{text!r} is not a duration, which working time needs")
        armed = [event.index, 0]
        token.timers.append(armed)
        asked = WorkingTime(instance.root_id, timer.calendar, board.now, text)
        game.dues.append(Due(instance, token, armed, asked))
        return
    try:
        cycle = cycle_of(text, board.now)
    except (ValueError, OverflowError):
        raise NodeError("engine.no-moment", f"{text!r} is not a cycle") from None
    board.arm(instance, token, event, cycle.first, {"left": cycle.left, "every": cycle.every})


# What has happened --------------------------------------------------------------------------------------------


def timer(game: "Game", job: Job) -> None:
    """A timer is due; one whose token has left is nothing."""
    instance = game.world.find(job.root_id, job.instance_id)
    token = instance.tokens.get(job.token_id or 0) if instance else None
    armed = next((t for t in token.timers if t[1] == job.id), None) if token else None
    if instance is None or token is None or armed is None:
        kept.job(game, job)
        return
    token.timers.remove(armed)
    instance.changed = True
    event = instance.graph.nodes[armed[0]]
    if "every" in job.body and not event.interrupting:
        every = job.body["every"]
        if (again := next_of(every, job.due_at, job.body["left"], game.board.now)) is not None:
            game.board.arm(instance, token, event, again[0], {"left": again[1], "every": every})
    catch(game, instance, token, event.index, {})


def message(game: "Game", sent: Message) -> None:
    """Deliver a message, keep it for whom may come to wait for it, or start what it starts."""
    if _delivered(game, sent):
        return
    # What is to wait for it may still be moving.
    game.settle()
    if _delivered(game, sent) or kept.message(game, sent, waiting=True):
        return
    for instance in game.world.active(sent.root_id):
        if sent.name in instance.graph.messages:
            _keep(game, instance, sent)
            return
    if kept.message(game, sent, waiting=False):
        return
    meant = [p for p in game.world.processes.all_newest() if (Trigger.MESSAGE, sent.name) in p.graph.opening]
    ready = [p for p in meant if not p.suspended]
    for process in ready:
        entry = process.graph.opening[Trigger.MESSAGE, sent.name]
        begin(game, process, sent.root_id, sent.key, plain(sent.vars), entry=entry)
    if meant and not ready:
        kept.until_resumed(game, sent)


def waiting(game: "Game", sent: Message) -> tuple[Instance, Token, int] | None:
    """The first token that waits for a message, and with which of its nodes."""
    for instance in game.world.active(sent.root_id):
        for token in instance.tokens.values():
            for index, name, key in token.waits:
                if name == sent.name and key == sent.key:
                    return instance, token, index
    return None


def _delivered(game: "Game", sent: Message) -> bool:
    found = waiting(game, sent)
    if found is not None:
        catch(game, *found, sent.vars)
    return found is not None


def _keep(game: "Game", instance: Instance, sent: Message) -> None:
    ttl = min(TTL_DEFAULT if sent.ttl is None else sent.ttl, TTL_MAX)
    if ttl.total_seconds() <= 0:
        return
    _expire(game, instance)
    instance.changed = True
    until = (sent.sent_at or game.board.now) + ttl
    if until <= game.board.now:
        game.board.record(instance, "message.expired", name=sent.name, key=sent.key)
        return
    instance.early.append([sent.name, sent.key, dict(sent.vars), until.isoformat()])
    if len(instance.early) > EARLY_MAX:
        lost = instance.early.pop(0)
        game.board.record(instance, "message.dropped", name=lost[0], key=lost[1])


def _expire(game: "Game", instance: Instance) -> None:
    """Drop the early messages whose time is over; each is recorded."""
    for entry in [e for e in instance.early if e[3] and datetime.fromisoformat(e[3]) <= game.board.now]:
        instance.early.remove(entry)
        instance.changed = True
        game.board.record(instance, "message.expired", name=entry[0], key=entry[1])


def forget(game: "Game", instance: Instance) -> None:
    """An instance ends: its early messages go to another one that may come to wait for them, or with it."""
    _expire(game, instance)
    early, instance.early = instance.early, []
    for entry in early:
        for other in game.world.alive(instance.root_id):
            if other is not instance and entry[0] in other.graph.messages:
                other.early.append(entry)
                other.changed = True
                break


def broadcast(game: "Game", thrown: Broadcast) -> None:
    """A signal moves all that wait for it in the root, and starts what it starts."""
    root, board = thrown.root_id, game.board
    found = [
        (instance, token, index)
        for instance in game.world.active(root)
        for token in instance.tokens.values()
        for index, name, key in token.waits
        if key is None and name == thrown.name and thrown.instance_id in (None, instance.id)
    ]
    kept.signal(game, thrown)
    for instance, token, index in found:
        # What another one has interrupted does not wait any more.
        if instance.tokens.get(token.id) is token and [index, thrown.name, None] in token.waits:
            catch(game, instance, token, index, thrown.vars)
    if not thrown.beyond:
        return
    board.changes.broadcasts.append((board.new_id(root), root, thrown.name, plain(thrown.vars)))
    for process in game.world.processes.all_newest():
        entry = process.graph.opening.get((Trigger.SIGNAL, thrown.name))
        if entry is not None and not process.suspended:
            begin(game, process, root, "", plain(thrown.vars), entry=entry)


def catch(game: "Game", instance: Instance, token: Token, index: int, results: Vars) -> None:
    """An event has come for a token: it ends its waiting, fires at its border, or starts an event subprocess."""
    instance.changed = True
    event, at = instance.graph.nodes[index], instance.node(token)
    if index == token.node:
        game.complete(instance, token, results)
    elif at.kind is Kind.EVENTS:
        game.board.close(instance, token, WITHDRAWN, None)
        token.via = next(f.index for f in at.flows if f.target == index)
        token.node = index
        game.complete(instance, token, results)
    elif event.kind is Kind.START:
        game.guarded(instance, token, "enter", lambda *_: _trigger(game, instance, token, event, results))
    else:
        game.guarded(instance, token, "enter", lambda *_: _border(game, instance, token, event, results))


def _border(game: "Game", instance: Instance, token: Token, event: Node, results: Vars) -> None:
    game.brought(instance, token.scope, event, results)
    if event.interrupting:
        game.empty(instance, token.id, "interrupted")
        game.close(instance, token, WITHDRAWN, "interrupted")
        game.go(instance, token, event.index, -1)
    else:
        game.put(instance, event.index, token.scope)


def _trigger(game: "Game", instance: Instance, holder: Token, event: Node, results: Vars) -> None:
    """Start an event subprocess in the scope that ``holder`` holds."""
    game.brought(instance, holder.id, event, results)
    if event.interrupting:
        game.empty(instance, holder.id, "interrupted")
        nodes = instance.graph.nodes
        for armed in [t for t in holder.timers if nodes[t[0]].kind is Kind.START]:
            holder.timers.remove(armed)
            game.board.changes.cancel(armed[1])
        holder.waits = [w for w in holder.waits if nodes[w[0]].kind is not Kind.START]
    inner = game.add(instance, event.scope, holder.id)
    inner.vars = dict.fromkeys(instance.node(inner).own) or None
    if open_all(game, instance, inner, instance.node(inner).handlers):
        game.put(instance, event.index, inner.id)


# Throwing -----------------------------------------------------------------------------------------------------


def throw_error(game: "Game", instance: Instance, token: Token, code: str, message: str) -> None:
    """A BPMN error: caught by the nearest event of that code around the token, else an incident."""
    found = _catcher(game, instance, token, Trigger.ERROR, code)
    if found is not None:
        catch(game, *found, {})
        return
    again = "call" if instance.node(token).kind is Kind.SERVICE else "enter"
    game.board.fail(instance, token, "engine.uncaught-error", f"{code}: {message}", {"error": code}, what=again)


def _catcher(
    game: "Game", instance: Instance, token: Token, trigger: Trigger, code: str
) -> tuple[Instance, Token, int] | None:
    """Where an error or escalation is caught: at the border of an activity or by an event subprocess, inside out."""
    at: Token = token
    while True:
        node = instance.node(at)
        if at.turn < 0:
            if (index := _match(instance, node.boundary, trigger, code)) is not None:
                return instance, at, index
            scope = instance.graph.nodes[node.scope]
            # What goes wrong in an event subprocess is not for its neighbours.
            if node.kind is not Kind.EVENT_SUBPROCESS:
                index = _match(instance, scope.handlers, trigger, code)
                if index is not None:
                    return instance, instance.tokens[at.scope], index
        if at.scope != PROCESS:
            at = instance.tokens[at.scope]
        elif (caller := game.world.caller(instance)) is not None:
            instance, at = caller
        else:
            return None


def _match(instance: Instance, indexes: Sequence[int], trigger: Trigger, code: str) -> int | None:
    """The event of that code, else the one that catches all."""
    events = [instance.graph.nodes[i] for i in indexes]
    for wanted in (code, ""):
        for event in events:
            if event.trigger is trigger and event.event == wanted:
                return event.index
    return None


def _error(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    throw_error(game, instance, token, node.event, node.name)


def _signal(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    broadcast(game, Broadcast(instance.root_id, node.event, token.vars or {}))
    _go_on(game, instance, token, node)


def _escalation(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    found = _catcher(game, instance, token, Trigger.ESCALATION, node.event)
    if found is not None:
        catch(game, *found, token.vars or {})
    else:
        game.board.record(instance, "escalation.uncaught", node=node.id, code=node.event)
    _go_on(game, instance, token, node)


def _go_on(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    # What was thrown may have interrupted it.
    if instance.tokens.get(token.id) is token and token.node == node.index:
        game.complete(instance, token, {})


def _terminate(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    game.board.leave(instance, node)
    game.empty(instance, token.scope, "terminated")
    game.scope_moved(instance, token.scope)


def _catch(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    _open(game, instance, token, node)


ENTER: dict[Kind, Callable[..., Any]] = {
    Kind.TERMINATE: _terminate,
    Kind.ERROR: _error,
    Kind.SIGNAL: _signal,
    Kind.ESCALATION: _escalation,
    Kind.CATCH: _catch,
}
