"""Scopes: subprocesses, event subprocesses, plan-driven stages and ad-hoc subprocesses."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from diaodu.engine.game import events, tasks
from diaodu.engine.graph import ACTIVITIES, Kind, Node
from diaodu.engine.instance import PROCESS, Instance, Token
from diaodu.engine.model import Activation, Advance

if TYPE_CHECKING:
    from diaodu.engine.game.moves import Game


def _process(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    if events.open_all(game, instance, token, node.handlers):
        game.put(instance, token.via, PROCESS)


def _subprocess(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    if events.open_all(game, instance, token, node.handlers):
        game.put(instance, node.entries[0], token.id)


def moved(game: "Game", instance: Instance, holder: Token) -> None:
    """A token in a scope has ended."""
    node = instance.node(holder)
    if node.kind is Kind.STAGE:
        game.stages[holder.id] = (instance, holder)
    elif node.kind is Kind.ADHOC:
        _next(game, instance, holder, node)
    elif not instance.inside(holder.id):
        game.complete(instance, holder, {})


# Ad-hoc: what has no incoming flow is enabled at once ----------------------------------------------------------


def _adhoc(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    token.loop = {"left": list(node.entries)}
    _next(game, instance, token, node)


def _next(game: "Game", instance: Instance, holder: Token, node: Node) -> None:
    """Enable what is left: one after the other, or all; without any the subprocess is done."""
    if holder.loop is None:
        return  # it is in an incident, and begins anew when that is mended
    left, inside = holder.loop["left"], bool(instance.inside(holder.id))
    now = ([] if inside else left[:1]) if node.sequential else left
    if now:
        holder.loop = {"left": left[len(now) :]}
        for index in now:
            game.put(instance, index, holder.id)
    elif not inside:
        game.complete(instance, holder, {})


def completed_adhoc(game: "Game", instance: Instance, token: Token, node: Node) -> bool:
    """Ask the completion condition of the ad-hoc subprocess around an activity that is done.

    True when that has ended all that was left in it, this token too.
    """
    scope = instance.graph.nodes[node.scope]
    if scope.kind is not Kind.ADHOC or scope.completion is None or node.kind not in ACTIVITIES:
        return False
    holder = instance.tokens[token.scope]
    if game.board.value(instance, holder, scope.completion) is not True:
        return False
    holder.loop = {"left": []}
    if not scope.cancel:
        return False
    game.board.leave(instance, node)
    game.drop(instance, token)
    game.empty(instance, holder.id, "completed")
    game.complete(instance, holder, {})
    return True


# Plan-driven stages: a driver says what runs --------------------------------------------------------------------


def _stage(game: "Game", instance: Instance, token: Token, _node: Node) -> None:
    game.stages[token.id] = (instance, token)


def nudge(game: "Game", instance: Instance) -> None:
    """Let the driver look at every open stage."""
    for token in instance.tokens.values():
        if instance.node(token).kind is Kind.STAGE:
            game.stages[token.id] = (instance, token)


def advance(game: "Game", instance: Instance, scope: Token, wanted: Advance) -> None:
    """Do what the driver wants."""
    withdrawn = set(wanted.withdraw)
    for token in instance.inside(scope.id) if withdrawn else ():
        if token.key in withdrawn:
            game.remove(instance, token, wanted.reasons.get(token.key, "withdrawn"))
    active = {t.key for t in instance.inside(scope.id)}
    for activation in wanted.activate:
        if activation.key not in active:  # what is active already is left alone
            active.add(activation.key)
            _activate(game, instance, scope, activation)
    if wanted.done:
        game.empty(instance, scope.id, "withdrawn")
        game.complete(instance, scope, {})


def _activate(game: "Game", instance: Instance, scope: Token, activation: Activation) -> None:
    index = instance.node(scope).activities.get(activation.kind)
    if index is None:
        _not_drawn(game, instance, scope, f"no activity is drawn for '{activation.kind}'")
        return
    node = instance.graph.nodes[index]
    if node.kind is not Kind.USER:
        game.put(instance, index, scope.id, activation.key)
    elif activation.task is None:
        _not_drawn(game, instance, scope, f"'{activation.key}' came without its task")
    else:
        token = game.add(instance, index, scope.id, activation.key)
        if events.open_all(game, instance, token, node.boundary):
            tasks.offer(game, instance, token, int(activation.key), activation.task, planned=True)


def _not_drawn(game: "Game", instance: Instance, scope: Token, message: str) -> None:
    # The driver asks for the same again and again: one incident is enough.
    if scope.job is None:
        game.board.fail(instance, scope, "engine.plan-not-drawn", message, {})


ENTER: dict[Kind, Callable[..., Any]] = {
    Kind.PROCESS: _process,
    Kind.SUBPROCESS: _subprocess,
    Kind.STAGE: _stage,
    Kind.ADHOC: _adhoc,
}
