"""Compiles the logic of linked models: knowledge models to functions, decisions to closures."""

from __future__ import annotations

from dataclasses import replace

from diaodu.dmn.boxed import Absent, Reader, absent
from diaodu.dmn.errors import Problem
from diaodu.dmn.graph import NO_CONTEXT, DecisionNode, FunctionNode, Play, ServiceNode
from diaodu.dmn.link import Linker, Unit
from diaodu.dmn.model import BusinessKnowledgeModel, Decision
from diaodu.dmn.table import compile_table
from diaodu.dmn.table_tree import TableOf
from diaodu.feel.builtins import BUILTINS
from diaodu.feel.compile import RULES, scope_of
from diaodu.feel.errors import Source
from diaodu.feel.runtime import Frame, Run
from diaodu.feel.scope import Language, Rules, Scope
from diaodu.feel.values import Function

DMN_RULES: Rules = {**RULES, TableOf: compile_table, Absent: absent}


def assemble(linker: Linker) -> None:
    """Give every node what it evaluates; what is wrong is added to the linker's problems and faults."""
    # Functions know each other through the values of their frames, which are filled when all are made.
    frames: list[tuple[FunctionNode, dict[str, object]]] = []
    for unit in linker.units.values():
        for key, node in unit.nodes.items():
            element = unit.elements[key]
            if isinstance(node, ServiceNode):
                node.build()
            elif isinstance(node, FunctionNode) and isinstance(element, BusinessKnowledgeModel):
                frames.append((node, _knowledge(unit, node, element, linker.faults)))
    nothing = Play(Run.start(), NO_CONTEXT, {})
    for function, values in frames:
        function.needs.settle()
        values.update(function.needs.values(nothing))
    for unit in linker.units.values():
        for key, node in unit.nodes.items():
            element = unit.elements[key]
            if isinstance(node, DecisionNode) and isinstance(element, Decision):
                _decision(unit, node, element, linker.faults)


def _scope(unit: Unit, node: DecisionNode | FunctionNode) -> Scope:
    language = Language(DMN_RULES, BUILTINS, unit.types.named)
    return scope_of(Source("", node.id), language, node.needs.names())


def _knowledge(
    unit: Unit, node: FunctionNode, element: BusinessKnowledgeModel, faults: list[Problem]
) -> dict[str, object]:
    """Make the function of a knowledge model; gives the values of the frame in which it stands."""
    values: dict[str, object] = {}
    if element.logic is not None:
        node.parameters = element.logic.parameters
        reader = Reader(node.id, unit.types, faults)
        tree = reader.function(element.logic, frozenset(node.needs.known), node.type)
        made = _scope(unit, node).compile(tree)(Frame(NO_CONTEXT, Run.start(), values, None))
        assert isinstance(made, Function)
        node.function = replace(made, name=node.name)
    return values


def _decision(unit: Unit, node: DecisionNode, element: Decision, faults: list[Problem]) -> None:
    reader = Reader(node.id, unit.types, faults)
    tree = reader.read(element.expression, frozenset(node.needs.known), node.type if node.type_ref else None)
    node.closure = _scope(unit, node).compile(tree)
    node.needs.settle()
