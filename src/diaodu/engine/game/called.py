"""Call activities: another process as an instance of the same root."""

from typing import TYPE_CHECKING

from diaodu.engine.board import NodeError, plain, visible
from diaodu.engine.game import events
from diaodu.engine.graph import Node
from diaodu.engine.instance import ENDED, Instance, Token

if TYPE_CHECKING:
    from diaodu.engine.game.moves import Game

# Calls within calls.
DEPTH_MAX = 32


def enter(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    """Start the called process: the newest version, or the one that is pinned.

    Its variables are the mapped ones, or without a mapping all that the token sees.
    """
    key = str(game.board.value(instance, token, node.called))
    processes = game.world.processes
    process = processes.newest(key) if node.version is None else processes.version(key, node.version)
    if process is None:
        version = "" if node.version is None else f" in version {node.version}"
        raise NodeError("engine.unknown-process", f"no process '{key}'{version} is deployed")
    if process.suspended and node.version is None:
        raise NodeError("engine.definition-suspended", f"process '{key}' is suspended")
    if _depth(game, instance) >= DEPTH_MAX:
        raise NodeError("engine.too-deep", f"{DEPTH_MAX} calls stand within each other")
    local = token.vars or {}
    variables = {name: local[name] for name, _ in node.inputs} if node.inputs else dict(visible(instance, token))
    caller = (instance.id, token.id)
    root, entry = instance.root_id, process.graph.entry
    events.begin(game, process, root, instance.business_key, plain(variables), entry=entry, caller=caller)


def returned(game: "Game", caller: Instance, child: Instance) -> None:
    """A called instance has ended: its variables come back by the mapping, or without one all of them."""
    token = caller.tokens.get(child.parent_token or 0)
    if token is None:
        return
    if child.state == ENDED:
        game.complete(caller, token, child.vars)
    else:
        game.board.fail(caller, token, "engine.called-cancelled", f"instance {child.id} was cancelled", {})


def interrupt(game: "Game", instance: Instance, token: Token) -> None:
    """The call activity is taken back, and with it what it has called."""
    child = game.world.called(instance, token)
    if child is not None:
        game.cancel(child, back=False)


def _depth(game: "Game", instance: Instance) -> int:
    depth, at = 0, instance
    while (caller := game.world.caller(at)) is not None:
        at, depth = caller[0], depth + 1
    return depth
