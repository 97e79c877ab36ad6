"""Tasks: service, send, business rule, script, user and manual ones."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from diaodu.engine.board import NodeError
from diaodu.engine.game.world import Pending
from diaodu.engine.graph import Kind, Node
from diaodu.engine.instance import Instance, Token
from diaodu.engine.model import TaskSpec
from diaodu.feel import to_python

if TYPE_CHECKING:
    from diaodu.engine.game.moves import Game

TASK = "task"  # the message that ends a human task; its key is the task's id


def _pass(game: "Game", instance: Instance, token: Token, _node: Node) -> None:
    game.complete(instance, token, {})


def _script(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    assert node.script is not None
    value = game.board.value(instance, token, node.script)
    if node.result:
        game.complete(instance, token, {node.result: value})
    elif isinstance(found := to_python(value), Mapping):
        game.complete(instance, token, found)
    else:
        raise NodeError("engine.no-context", f"'{node.id}' gives no context: name the variable in diaodu:result")


def _call(game: "Game", _instance: Instance, token: Token, _node: Node) -> None:
    game.calls[token.id] = Pending(_instance, token, 1)


def _user(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    board = game.board
    pool, priority = board.number(instance, token, node.pool), board.number(instance, token, node.priority)
    task = TaskSpec(node.name, pool, priority, board.moment(instance, token, node.due))
    offer(game, instance, token, board.new_id(instance.root_id), task, planned=False)


def offer(game: "Game", instance: Instance, token: Token, task_id: int, task: TaskSpec, *, planned: bool) -> None:
    """Put the task of a token on its worklist; the token waits for its end."""
    token.waits.append([token.node, TASK, str(task_id)])
    game.board.offer(instance, token, task_id, task, planned=planned)


ENTER: dict[Kind, Callable[..., Any]] = {
    Kind.PASS: _pass,
    Kind.START: _pass,
    Kind.END: _pass,
    Kind.BOUNDARY: _pass,
    Kind.SCRIPT: _script,
    Kind.RULE: _call,
    Kind.SERVICE: _call,
    Kind.USER: _user,
}
