"""What a person does to a running instance: skip a node, move a token, end the instance, answer for a worker."""

from typing import TYPE_CHECKING

from diaodu.engine.game import events, kept, loops, migrating
from diaodu.engine.graph import GATEWAYS, Graph, Kind, Node
from diaodu.engine.instance import PROCESS, WITHDRAWN, Instance, Token
from diaodu.engine.model import (
    EXTERNAL,
    AddInstance,
    Answer,
    BusinessError,
    Cancel,
    Done,
    Migrate,
    Move,
    RemoveInstance,
    Signal,
)

if TYPE_CHECKING:
    from diaodu.engine.game.moves import Game


def take(game: "Game", asked: Signal) -> None:
    """Let what a person or an external worker asked for act."""
    match asked:
        case AddInstance() | RemoveInstance() if kept.turns(game, asked):
            return
        case AddInstance(root, token_id, item):
            loops.add(game, game.world.token(root, token_id), item)
        case RemoveInstance(root, token_id):
            loops.remove(game, game.world.token(root, token_id))
        case Cancel():
            cancel(game, asked)
        case Move():
            move(game, asked)
        case Migrate():
            migrating.migrate(game, asked)
        case Answer():
            answer(game, asked)


def obstacle(instance: Instance, token: Token, target: str) -> str | None:
    """Why a token cannot be moved to a node, or (an empty ``target``) past its own one; None if it can."""
    node = instance.node(token)
    if token.id == PROCESS or node.kind is Kind.EVENT_SUBPROCESS:
        return "scope"
    if node.kind is Kind.STAGE or any(instance.node(t).kind is Kind.STAGE for t in instance.around(token)):
        return "stage"
    if not target:
        return "gateway" if node.kind in GATEWAYS else None
    if token.turn >= 0:
        return "turn"
    found = instance.graph.by_id.get(target)
    return "unknown" if found is None else _target(instance.graph.nodes[found], node)


def _target(target: Node, node: Node) -> str | None:
    if target.scope != node.scope:
        return "elsewhere"
    if target.kind in (Kind.BOUNDARY, Kind.EVENT_SUBPROCESS, Kind.PROCESS):
        return "no-place"
    joins = target.kind in (Kind.PARALLEL, Kind.INCLUSIVE) and len(target.incoming) > 1
    return "join" if joins else None


def move(game: "Game", asked: Move) -> None:
    """Skip the node of a token, or let the token go on elsewhere; nothing but a record if it has left."""
    instance = game.world.find(asked.root_id, asked.instance_id)
    token = instance.tokens.get(asked.token_id) if instance else None
    if instance is None:
        return
    if token is None or instance.node(token).id != asked.node or obstacle(instance, token, asked.target):
        game.board.record(instance, "move.late", node=asked.node, by=asked.by)
        return
    said = {"by": asked.by, "reason": asked.reason}
    if asked.target:
        game.board.record(instance, "token.moved", node=asked.node, to=asked.target, **said)
    else:
        game.board.record(instance, "node.skipped", node=asked.node, **said)
    # A failed timer job is no longer anybody's.
    game.board.changes.mended |= {job for _, job in token.timers if job}
    game.empty(instance, token.id, "skipped")
    game.close(instance, token, WITHDRAWN, "skipped")
    if asked.target:
        game.go(instance, token, instance.graph.by_id[asked.target], -1)
    elif token.turn >= 0:
        game.guarded(instance, token, "leave", lambda _g, i, t, n: loops.turned(game, i, t, n))
    else:
        token.vars = token.loop = None
        game.guarded(instance, token, "leave", game.way_out)


def cancel(game: "Game", asked: Cancel) -> None:
    """End the instances of a process of a root, or one instance."""
    for instance in game.world.alive(asked.root_id):
        meant = instance.graph.key == asked.process if asked.instance_id is None else instance.id == asked.instance_id
        if meant and instance in game.world.alive(asked.root_id):
            if asked.by:
                game.board.record(instance, "cancel.asked", by=asked.by, reason=asked.reason)
            game.cancel(instance)


def answer(game: "Game", said: Answer) -> None:
    """What an external worker said for a task; nothing if its token has left."""
    key = str(said.task_id)
    for instance in game.world.active(said.root_id):
        for token in instance.tokens.values():
            if any(name == EXTERNAL and k == key for _, name, k in token.waits):
                _answer(game, instance, token, said)
                return
    kept.answer(game, said)


def _answer(game: "Game", instance: Instance, token: Token, said: Answer) -> None:
    instance.changed = True
    match said.outcome:
        case Done(variables):
            game.complete(instance, token, variables)
        case BusinessError(code, message):
            events.throw_error(game, instance, token, code, message)
        case failed:
            detail = {"task": said.task_id, "attempts": failed.attempts}
            game.board.fail(instance, token, "engine.external-failed", failed.reason, detail, what="call")


def writes(graph: Graph, node: str, effects: frozenset[str]) -> bool:
    """Whether the work of a node writes effects, so that nobody may pass it over."""
    found = graph.by_id.get(node)
    return found is not None and graph.nodes[found].kind is Kind.SERVICE and graph.nodes[found].type in effects
