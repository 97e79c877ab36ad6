"""Models, compiled once and evaluated often: decisions, decision services and knowledge models by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from diaodu.dmn.assemble import assemble
from diaodu.dmn.errors import DmnError, Problem, problem
from diaodu.dmn.explain import FiredTable
from diaodu.dmn.graph import (
    DecisionNode,
    FunctionNode,
    InputNode,
    Node,
    Play,
    ServiceNode,
    converted,
    required_inputs,
)
from diaodu.dmn.link import Linker
from diaodu.dmn.model import Definitions, InformationItem
from diaodu.feel.budget import Budget
from diaodu.feel.errors import Diagnostic, FeelBudgetExceeded, Place, Refused, Source
from diaodu.feel.runtime import Run
from diaodu.feel.types import Type
from diaodu.feel.values import Function, kind_of, lift


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an evaluation gave: the value, why nulls came out, and which rules of which tables gave results."""

    value: object
    diagnostics: tuple[Diagnostic, ...]
    tables: tuple[FiredTable, ...]


OnCall = Callable[[Mapping[str, object], Outcome], None]


def compile_model(definitions: Definitions, imported: Mapping[str, Definitions] | None = None) -> Model:
    """The model ready for evaluation; `imported` are models by namespace, for its imports and theirs.

    Raises DmnError with all problems of the graph and the types. A text that is no FEEL refuses nothing: it is among
    the `faults` of the model, and null with a reason when it is evaluated.
    """
    linker = Linker(definitions, imported or {})
    if not linker.problems:
        assemble(linker)
    if linker.problems:
        raise DmnError(dict.fromkeys(linker.problems))
    return Model(linker)


class Model:
    """A compiled model; safe to use from several threads. Elements of imported models are named `import.name`."""

    def __init__(self, linker: Linker) -> None:
        self.definitions = linker.root.definitions
        self.faults: tuple[Problem, ...] = tuple(dict.fromkeys(linker.faults))
        self._nodes: dict[str, Node] = {}
        self._order: dict[Node, int] = {}
        for unit in linker.units.values():
            for key, node in unit.nodes.items():
                self._order[node] = len(self._order)
                for own in (node.name, unit.elements[key].name):
                    self._nodes.setdefault(".".join((*unit.path, own)), node)
        self._inputs: dict[str, tuple[InputNode, ...]] = {
            name: tuple(sorted(required_inputs(node), key=self._order.__getitem__))
            for name, node in self._nodes.items()
            if isinstance(node, DecisionNode)
        }

        self._functions = {
            name: _Signature(node, tuple(each.keys[0] for each in inputs), tuple(each.type for each in inputs))
            for name, inputs in self._inputs.items()
            if isinstance(node := self._nodes[name], DecisionNode)
        }

    def decide(
        self,
        name: str,
        inputs: Mapping[str, object],
        *,
        budget: Budget | None = None,
        now: datetime | None = None,
        explain: bool = False,
    ) -> Outcome:
        """The outcome of a decision; with `explain` its tables tell why each rule matched or not.

        Inputs that it does not read are not looked at. Raises DmnError for an unknown name, FeelBudgetExceeded.
        """
        node = self._nodes.get(name)
        if not isinstance(node, DecisionNode):
            raise DmnError([problem("unknown-name", name, name)])
        run = Run.start(budget, now, [])
        run.explains = explain
        return _outcome(run, lambda: node.value(Play(run, inputs, {})))

    def call(
        self,
        name: str,
        arguments: Mapping[str, object],
        *,
        budget: Budget | None = None,
        now: datetime | None = None,
        explain: bool = False,
    ) -> Outcome:
        """The outcome of a decision service or a knowledge model; an argument that is not given is null.

        Several output decisions give a context. Raises DmnError for an unknown name, FeelBudgetExceeded.
        """
        node = self._nodes.get(name)
        if not isinstance(node, FunctionNode):
            raise DmnError([problem("unknown-name", name, name)])
        run = Run.start(budget, now, [])
        run.explains = explain
        return _outcome(run, lambda: _called(node, run, arguments))

    def function(self, name: str, on_call: OnCall | None = None) -> Function:
        """A decision as a function of FEEL, whose parameters are the `inputs` of the decision.

        It spends the budget of the evaluation that calls it; `on_call` is told every call's inputs and outcome.
        """
        known = self._functions.get(name)
        if known is None:
            raise DmnError([problem("unknown-name", name, name)])
        asked = _Asked(known.node, known.names, on_call)
        return Function(name, asked.by_position, asked.by_name, len(known.names), known.types, known.node.type)

    def inputs(self, name: str) -> tuple[InformationItem, ...]:
        """What has to be given: the input data of a decision in the order of the document, or parameters."""
        node = self._nodes.get(name)
        if isinstance(node, FunctionNode):
            return node.parameters
        if name not in self._inputs:
            raise DmnError([problem("unknown-name", name, name)])
        return tuple(
            InformationItem(name=each.keys[0], type_ref=each.type_ref, id=each.id) for each in self._inputs[name]
        )


@dataclass(frozen=True, slots=True)
class _Signature:
    """What is the same for all functions of a decision."""

    node: DecisionNode
    names: tuple[str, ...]
    types: tuple[Type | None, ...]


@dataclass(slots=True)
class _Asked:
    """A decision that is called as a function; made for every order, so it is kept light."""

    node: DecisionNode
    names: tuple[str, ...]
    on_call: OnCall | None

    def by_position(self, run: object, arguments: Sequence[object]) -> object:
        assert isinstance(run, Run)
        if len(arguments) != len(self.names):
            raise Refused("arguments", name=self.node.name, types=", ".join(map(kind_of, arguments)))
        given = dict(zip(self.names, arguments, strict=True))
        inner = Run(run.meter, run.now, [])
        inner.explains = run.explains
        inner.meter.enter()
        outcome = _outcome(inner, lambda: self.node.value(Play(inner, given, {})))
        inner.meter.depth -= 1
        run.join(inner)
        if self.on_call is not None:
            self.on_call(given, outcome)
        return outcome.value

    def by_name(self, run: object, named: Mapping[str, object]) -> object:
        if len(named) != len(self.names) or set(named) != set(self.names):
            raise Refused("arguments", name=self.node.name, types=", ".join(named))
        return self.by_position(run, [named[each] for each in self.names])


def _outcome(run: Run, evaluate: Callable[[], object]) -> Outcome:
    try:
        value = evaluate()
    except RecursionError:
        raise FeelBudgetExceeded("depth") from None
    return Outcome(value, tuple(run.reasons or ()), tuple(each for each in run.records if isinstance(each, FiredTable)))


def _called(node: FunctionNode, run: Run, arguments: Mapping[str, object]) -> object:
    at = Place(Source("", node.id), 0)

    def argument(name: str) -> object:
        return lift(arguments[name]) if name in arguments else run.null(at, "missing-input", name=name)

    if isinstance(node, ServiceNode):
        # Input data are looked up as they are needed; of input decisions no logic is evaluated.
        given: dict[Node, object] = {}
        for each in node.takes:
            if isinstance(each, DecisionNode):
                given[each] = converted(run, at, argument(each.name), each.type)
        return converted(run, at, node.play(Play(run, arguments, given)), node.result)
    if node.function is None:
        return run.null(at, "no-logic")
    try:
        return node.function.by_position(run, [argument(each.name) for each in node.parameters])
    except Refused as refused:
        return run.null(at, refused.code, **refused.values)
