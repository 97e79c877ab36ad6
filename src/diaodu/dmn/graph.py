"""The requirement graph while it is evaluated: each element gives its value once per evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from diaodu.dmn.model import InformationItem
from diaodu.feel.conversion import coerce
from diaodu.feel.errors import Place, Refused
from diaodu.feel.runtime import Frame, Run
from diaodu.feel.scope import Closure
from diaodu.feel.types import ANY, Type
from diaodu.feel.values import Function, kind_of, lift

# The default of lookups; of no type that FEEL knows.
MISSING = object()
NO_CONTEXT: Mapping[str, object] = {}
Path = tuple[str, ...]
Node: TypeAlias = "InputNode | DecisionNode | FunctionNode"


class Play:
    """One evaluation of decisions: the inputs as they were given, and the values that are known already."""

    __slots__ = ("inputs", "run", "values")

    def __init__(self, run: Run, inputs: Mapping[str, object], values: dict[Node, object]) -> None:
        self.run = run
        self.inputs = inputs
        self.values = values


def converted(run: Run, at: Place, value: object, wanted: Type) -> object:
    """The value as one of the type, or null with a reason."""
    try:
        return coerce(value, wanted, run)
    except Refused as refused:
        return run.null(at, refused.code, **refused.values)


@dataclass(slots=True, eq=False)
class InputNode:
    """Input data; `keys` are the names by which its value may be given: as the root model calls it, and its own."""

    id: str
    name: str
    entries: frozenset[str]
    type: Type
    type_ref: str | None
    keys: tuple[str, ...]
    place: Place

    def value(self, play: Play) -> object:
        known = play.values.get(self, MISSING)
        if known is MISSING:
            known = play.values[self] = self._given(play)
        return known

    def _given(self, play: Play) -> object:
        for key in self.keys:
            if key in play.inputs:
                return converted(play.run, self.place, lift(play.inputs[key]), self.type)
        return play.run.null(self.place, "missing-input", name=self.name)


@dataclass(slots=True, eq=False)
class Needs:
    """What an element may read: functions that never change, and what is evaluated before it.

    Of imported models every element stands at a path that begins with the name of the import.
    """

    fixed: dict[str, object] = field(default_factory=dict)
    own: list[tuple[str, Node]] = field(default_factory=list)
    imported: list[tuple[Path, Node]] = field(default_factory=list)
    # All names that an expression may mention, those of entries as well.
    known: set[str] = field(default_factory=set)

    def add(self, path: Path, node: Node) -> None:
        self.known |= {*path, *node.entries}
        if len(path) > 1:
            self.imported.append((path, node))
        else:
            self.own.append((path[0], node))

    def settle(self) -> None:
        """Take the functions as they are, now that all are made."""
        self.fixed.update({name: node.function for name, node in self.own if isinstance(node, FunctionNode)})
        self.own = [(name, node) for name, node in self.own if name not in self.fixed]

    def names(self) -> set[str]:
        return {name for name, _ in self.own} | {path[0] for path, _ in self.imported} | self.fixed.keys()

    def values(self, play: Play) -> dict[str, object]:
        values = self.fixed.copy()
        for name, node in self.own:
            values[name] = node.value(play)
        for path, node in self.imported:
            _put(values, path, node.value(play))
        return values


def _put(values: dict[str, object], path: Path, value: object) -> None:
    for part in path[:-1]:
        found = values.setdefault(part, {})
        if not isinstance(found, dict):
            # A variable of that name hides the import.
            return
        values = found
    values[path[-1]] = value


@dataclass(slots=True, eq=False)
class DecisionNode:
    id: str
    name: str
    entries: frozenset[str]
    type: Type
    type_ref: str | None
    needs: Needs = field(default_factory=Needs)
    closure: Closure = field(init=False)
    requires: list[InputNode | DecisionNode] = field(default_factory=list)

    def value(self, play: Play) -> object:
        known = play.values.get(self, MISSING)
        if known is MISSING:
            known = self.closure(Frame(NO_CONTEXT, play.run, self.needs.values(play), None))
            play.values[self] = known
        return known


@dataclass(slots=True, eq=False)
class FunctionNode:
    """A business knowledge model or a decision service: the same function in every evaluation."""

    id: str
    name: str
    entries: frozenset[str]
    type: Type | None
    parameters: tuple[InformationItem, ...] = ()
    function: Function | None = None
    needs: Needs = field(default_factory=Needs)

    def value(self, _play: Play) -> object:
        return self.function


@dataclass(slots=True, eq=False)
class ServiceNode(FunctionNode):
    """A decision service; its parameters replace the values of the elements that it `takes`."""

    takes: list[InputNode | DecisionNode] = field(default_factory=list)
    gives: list[DecisionNode] = field(default_factory=list)
    result: Type = ANY

    def build(self) -> None:
        """Make the function, when parameters and results are known."""
        types = tuple(each.type for each in self.takes)
        self.parameters = tuple(InformationItem(name=each.name, type_ref=each.type_ref) for each in self.takes)
        self.function = Function(self.name, self.by_position, self.by_name, len(types), types, self.result)

    def by_position(self, run: object, arguments: Sequence[object]) -> object:
        assert isinstance(run, Run)
        if len(arguments) != len(self.takes):
            raise Refused("arguments", name=self.name, types=", ".join(map(kind_of, arguments)))
        given: dict[Node, object] = {}
        for each, value in zip(self.takes, arguments, strict=True):
            given[each] = coerce(lift(value), each.type, run)
        return coerce(self.play(Play(run, NO_CONTEXT, given)), self.result, run)

    def by_name(self, run: object, named: Mapping[str, object]) -> object:
        names = [each.name for each in self.takes]
        if len(named) != len(names) or set(named) != set(names):
            raise Refused("arguments", name=self.name, types=", ".join(named))
        return self.by_position(run, [named[name] for name in names])

    def play(self, play: Play) -> object:
        """The result of the output decisions: the value of a single one, or a context of several."""
        play.run.meter.enter()
        values = {node.name: node.value(play) for node in self.gives}
        play.run.meter.depth -= 1
        return next(iter(values.values())) if len(self.gives) == 1 else values


def required_inputs(node: DecisionNode) -> list[InputNode]:
    """The input data that a decision reads, directly or through other decisions."""
    found: dict[InputNode, None] = {}
    seen: set[DecisionNode] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for required in current.requires:
            if isinstance(required, InputNode):
                found[required] = None
            else:
                waiting.append(required)
    return list(found)
