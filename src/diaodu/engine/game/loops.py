"""Activities that are done several times: multi-instance and standard loops.

One token stands for the activity and holds its boundary events; in its scope stands a token for each running turn.
``holder.loop``: ``total`` instances in all, ``next`` the number of turns begun, ``done``, ``items`` that are still to
come of a sequential one, ``out`` the results as pairs of turn and value.
"""

from typing import TYPE_CHECKING, Any

from diaodu.engine.board import NodeError, assign, plain
from diaodu.engine.graph import Loop, Node
from diaodu.engine.instance import COMPLETED, Instance, Token

if TYPE_CHECKING:
    from diaodu.engine.game.moves import Game

# Instances of one multi-instance activity.
INSTANCES_MAX = 1_000


def enter(game: "Game", instance: Instance, holder: Token, node: Node) -> None:
    """The activity begins."""
    loop = node.loop
    assert loop is not None
    items = _items(game, instance, holder, loop) if loop.multi else None
    holder.loop = {"total": 0 if items is None else len(items), "next": 0, "done": 0, "items": items or [], "out": []}
    holder.vars = {}
    _next(game, instance, holder, node, loop)


def _items(game: "Game", instance: Instance, holder: Token, loop: Loop) -> list[Any]:
    if loop.cardinality is not None:
        count = game.board.number(instance, holder, loop.cardinality)
        items = [None] * count
    else:
        assert loop.collection is not None
        found = plain({"items": game.board.value(instance, holder, loop.collection)})["items"]
        if not isinstance(found, list):
            raise NodeError("engine.no-collection", f"{found!r} is not a list")
        items, count = found, len(found)
    if not 0 <= count <= INSTANCES_MAX:
        raise NodeError("engine.too-many-instances", f"{count} instances, at most {INSTANCES_MAX}")
    return items


def _next(game: "Game", instance: Instance, holder: Token, node: Node, loop: Loop) -> None:
    """Begin what can begin; without anything left or running the activity is done."""
    state = _state(holder)
    running = len(instance.inside(holder.id))
    if loop.multi:
        while state["items"] and not (loop.sequential and running):
            item = state["items"].pop(0)
            _turn(game, instance, holder, node, {loop.element: item} if loop.element else {})
            running += 1
        _count(instance, holder)
    elif not running and _once_more(game, instance, holder, loop):
        _turn(game, instance, holder, node, {})
        return
    if not running:
        _finish(game, instance, holder, loop)


def _once_more(game: "Game", instance: Instance, holder: Token, loop: Loop) -> bool:
    """Whether a standard loop takes another turn."""
    turns = _state(holder)["next"]
    holder.vars = {"loopCounter": turns}
    if loop.most is not None and turns >= loop.most:
        return False
    if loop.condition is None or (turns == 0 and not loop.before):
        return True
    return game.board.value(instance, holder, loop.condition) is True


def _turn(game: "Game", instance: Instance, holder: Token, node: Node, variables: dict[str, Any]) -> None:
    state = _state(holder)
    turn = state["next"]
    state["next"] = turn + 1
    token = game.put(instance, node.index, holder.id, holder.key)
    token.turn, token.vars = turn, {"loopCounter": turn + 1, **_given(node), **variables}


def _given(node: Node) -> dict[str, None]:
    """The variable that a turn gives as its value is the turn's own: turns at the same time must not share it."""
    value = node.loop.value if node.loop else None
    return {value.text: None} if value is not None and value.names == {value.text} else {}


def turned(game: "Game", instance: Instance, token: Token, node: Node) -> None:
    """One turn is done: keep what it gave, and see whether another one follows."""
    loop, holder = node.loop, instance.tokens[token.scope]
    assert loop is not None
    state = _state(holder)
    if loop.output:
        given = None if loop.value is None else plain({"": game.board.value(instance, token, loop.value)})[""]
        state["out"].append([token.turn, given])
    state["done"] += 1
    game.board.record(instance, "turn.done", node=node.id, turn=token.turn + 1)
    game.drop(instance, token)
    game.guarded(instance, holder, "enter", lambda *_: _after(game, instance, holder, node, loop))


def _after(game: "Game", instance: Instance, holder: Token, node: Node, loop: Loop) -> None:
    if loop.multi:
        _count(instance, holder)
    if loop.completion is not None and game.board.value(instance, holder, loop.completion) is True:
        game.empty(instance, holder.id, "completed")
        _finish(game, instance, holder, loop)
    else:
        _next(game, instance, holder, node, loop)


def _finish(game: "Game", instance: Instance, holder: Token, loop: Loop) -> None:
    out = sorted(_state(holder)["out"], key=lambda pair: pair[0])
    if loop.output:
        assign(instance, holder, {loop.output: [value for _, value in out]})
    holder.vars = holder.loop = None
    game.close(instance, holder, COMPLETED, None)
    game.guarded(instance, holder, "leave", game.way_out)


def add(game: "Game", found: tuple[Instance, Token] | None, item: Any) -> None:
    """One more instance of a running multi-instance activity; nothing if it has ended."""
    node = found[0].node(found[1]) if found else None
    if found is None or node is None or node.loop is None or not node.loop.multi or found[1].loop is None:
        return
    instance, holder = found
    state = _state(holder)
    if state["total"] >= INSTANCES_MAX:
        game.board.record(instance, "loop.full", node=node.id, total=state["total"])
        return
    state["total"] += 1
    state["items"].append(plain({"": item})[""])
    instance.changed = True
    game.board.record(instance, "loop.added", node=node.id, total=state["total"])
    _next(game, instance, holder, node, node.loop)


def remove(game: "Game", found: tuple[Instance, Token] | None) -> None:
    """Take back a running instance of a multi-instance activity; nothing if it has ended."""
    node = found[0].node(found[1]) if found else None
    if found is None or node is None or node.loop is None or not node.loop.multi or found[1].turn < 0:
        return
    instance, token = found
    holder, loop = instance.tokens[token.scope], node.loop
    _state(holder)["total"] -= 1
    game.board.record(instance, "loop.removed", node=node.id, turn=token.turn + 1)
    game.remove(instance, token, "removed")
    game.guarded(instance, holder, "enter", lambda *_: _after(game, instance, holder, node, loop))


def _count(instance: Instance, holder: Token) -> None:
    state = _state(holder)
    holder.vars = {
        "nrOfInstances": state["total"],
        "nrOfActiveInstances": len(instance.inside(holder.id)),
        "nrOfCompletedInstances": state["done"],
    }


def _state(holder: Token) -> dict[str, Any]:
    assert holder.loop is not None
    return holder.loop
