"""Gateways: exclusive, parallel, inclusive and event-based ones, and the choice among conditional flows."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from diaodu.engine.board import NodeError
from diaodu.engine.game import events
from diaodu.engine.graph import Flow, Kind, Node
from diaodu.engine.instance import COMPLETED, Instance, Token

if TYPE_CHECKING:
    from diaodu.engine.game.moves import Game


def chosen(game: "Game", instance: Instance, token: Token, node: Node) -> tuple[Flow, ...]:
    """The flows that a token takes: those without a condition and those whose condition is true, else the default."""
    free = tuple(f for f in node.flows if f.condition is None and f is not node.default)
    true = tuple(
        f
        for f in node.flows
        if f.condition is not None and f is not node.default and game.board.value(instance, token, f.condition) is True
    )
    if not true and node.default is not None:
        true = (node.default,)
    if not free and not true:
        raise _no_flow(node)
    return tuple(f for f in node.flows if f in free or f in true)


def _exclusive(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    for flow in node.flows:
        if flow is node.default:
            continue
        if flow.condition is None or game.board.value(instance, token, flow.condition) is True:
            _out(game, instance, token, (flow,))
            return
    if node.default is not None:
        _out(game, instance, token, (node.default,))
    elif node.flows:
        raise _no_flow(node)
    else:
        _out(game, instance, token, ())


def _parallel(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    arrived = _arrived(instance, token)
    if len(arrived) < len(node.incoming):
        return  # one token has come on some flows: it waits for the others
    _consume(game, instance, arrived, token)
    _out(game, instance, token, node.flows)


def _inclusive(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    # With several flows it waits until no token is left that may still come: see ``joins``.
    if len(node.incoming) <= 1:
        join(game, instance, token, node)


def join(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    """Open an inclusive gateway: one token of each flow on which any has come goes on as one."""
    flows = chosen(game, instance, token, node) if node.choosing else node.flows
    _consume(game, instance, _arrived(instance, token), token)
    _out(game, instance, token, flows)


def _events(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    events.open_all(game, instance, token, [flow.target for flow in node.flows])


def _arrived(instance: Instance, token: Token) -> dict[int, Token]:
    """One token of each flow by which tokens have come to the gateway of ``token``, itself among them."""
    arrived = {token.via: token}
    for other in instance.inside(token.scope):
        if other.node == token.node and other.key == token.key:
            arrived.setdefault(other.via, other)
    return arrived


def _consume(game: "Game", instance: Instance, arrived: dict[int, Token], kept: Token) -> None:
    for other in arrived.values():
        if other is not kept:
            game.drop(instance, other)


def _out(game: "Game", instance: Instance, token: Token, flows: tuple[Flow, ...]) -> None:
    game.close(instance, token, COMPLETED, None)
    game.flow(instance, token, flows)


def _no_flow(node: Node) -> NodeError:
    return NodeError("engine.no-flow", f"no condition after '{node.id}' is true and there is no default")


ENTER: dict[Kind, Callable[..., Any]] = {
    Kind.EXCLUSIVE: _exclusive,
    Kind.PARALLEL: _parallel,
    Kind.INCLUSIVE: _inclusive,
    Kind.EVENTS: _events,
}
