"""Activities that are done several times: multi-instance and standard loops."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.engine.proof.diagram import Vars, value
from tests.engine.proof.things import pairs

if TYPE_CHECKING:
    from tests.engine.proof.oracle import Run


def enter(run: "Run", node: Vars, scope: int) -> str | None:
    """An activity that is done several times begins."""
    loop = node["loop"]
    items: Sequence[Any] = ()
    if loop["many"]:
        seen = run.seen(scope)
        items = [None] * value(loop["count"], seen) if loop["count"] else list(value(loop["items"], seen))
    i = run._open(node, scope, loop=(len(items), 0, 0, tuple(items)), vars=())
    return more(run, i)


def more(run: "Run", i: int) -> str | None:
    """Begin the turns that can begin; without any the activity is done."""
    node, loop = run._node(i), run._node(i)["loop"]
    total, begun, done, items = run.things[i].loop or (0, 0, 0, ())
    if loop["many"]:
        while items and not (loop["in_turn"] and run._inside(i)):
            named = {loop["item"]: items[0]} if loop["item"] else {}
            begun, items = begun + 1, items[1:]
            _turn(run, i, begun, named)
        active = len(run._inside(i))
        counts = {"nrOfInstances": total, "nrOfActiveInstances": active, "nrOfCompletedInstances": done}
        run._set(i, loop=(total, begun, done, items), vars=pairs(counts))
    else:
        run._set(i, vars=pairs({"loopCounter": begun}))
        asked = loop["before"] or begun > 0
        wanted = loop["while"] is None or not asked or value(loop["while"], run.seen(i)) is True
        if wanted and not (loop["most"] is not None and begun >= loop["most"]):
            run._set(i, loop=(total, begun + 1, done, items))
            _turn(run, i, begun + 1, {})
    if run._inside(i):
        return None
    scope = run.things.pop(i).scope
    return run._leave(node["id"], scope)


def _turn(run: "Run", i: int, number: int, named: Vars) -> None:
    name = run.things[i].at
    turn = run._add("turn:" + name, i, vars=pairs({"loopCounter": number, **named}))
    run._add("@" + name, turn)


def turned(run: "Run", turn: int) -> str | None:
    """One turn is over."""
    i = run.things.pop(turn).scope
    total, begun, done, items = run.things[i].loop or (0, 0, 0, ())
    run._set(i, loop=(total, begun, done + 1, items))
    until = run._node(i)["loop"].get("until")
    if until:
        active = len(run._inside(i))
        counts = {"nrOfInstances": total, "nrOfActiveInstances": active, "nrOfCompletedInstances": done + 1}
        if value(until, {**run.seen(i), **counts}) is True:
            run._clear(i)
            run._set(i, loop=(total, begun, done + 1, ()))
    return more(run, i)
