"""Links models: hrefs to elements, imports to models, names to what they mean in each place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from diaodu.dmn.boxed import entry_names
from diaodu.dmn.errors import Problem, problem
from diaodu.dmn.graph import DecisionNode, FunctionNode, InputNode, Node, Path, ServiceNode
from diaodu.dmn.model import BusinessKnowledgeModel, Decision, DecisionService, Definitions, Element, InputData
from diaodu.dmn.types import Types
from diaodu.feel.errors import Place, Source
from diaodu.feel.types import ANY


@dataclass(slots=True, eq=False)
class Unit:
    """One model among those that are compiled together; `path` are the imports that lead to it from the root."""

    definitions: Definitions
    types: Types
    path: Path
    imports: list[tuple[str, Unit]] = field(default_factory=list)
    elements: dict[str, Element] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)

    def path_to(self, other: Unit) -> Path | None:
        """The names of imports that lead from here to another model; None when it is not imported."""
        waiting: list[tuple[Unit, Path]] = [(self, ())]
        seen = [self]
        for unit, path in waiting:
            if unit is other:
                return path
            for name, imported in unit.imports:
                if imported not in seen:
                    seen.append(imported)
                    waiting.append((imported, (*path, name) if name else path))
        return None


class Linker:
    """Puts together a model and those it imports; all that is wrong is collected in `problems` and `faults`."""

    def __init__(self, definitions: Definitions, imported: Mapping[str, Definitions]) -> None:
        self.problems: list[Problem] = []
        self.faults: list[Problem] = []
        self._imported = imported
        self.units: dict[str, Unit] = {}
        self.root = self._unit(definitions, ())
        self._load()
        for unit in self.units.values():
            unit.types.imported += [(name, other.types) for name, other in unit.imports]
        for unit in self.units.values():
            unit.types.resolve_all()
        for unit in self.units.values():
            self._make(unit)
        for unit in self.units.values():
            self._connect(unit)
        self._refuse_cycles()

    def _unit(self, definitions: Definitions, path: Path) -> Unit:
        unit = Unit(definitions, Types(definitions, self.problems, self.faults), path)
        unit.elements = {element.id: element for element in definitions.elements()}
        self.units[definitions.namespace] = unit
        return unit

    def _load(self) -> None:
        """All models that are imported, near ones first."""
        waiting = [self.root]
        for unit in waiting:
            for each in unit.definitions.imports:
                other = self.units.get(each.namespace)
                if other is None and each.namespace in self._imported:
                    path = (*unit.path, each.name) if each.name else unit.path
                    other = self._unit(self._imported[each.namespace], path)
                    waiting.append(other)
                if other is not None:
                    unit.imports.append((each.name, other))
                elif "/DMN/" in each.import_type:
                    self.problems.append(problem("unknown-import", each.name, each.namespace))

    def _make(self, unit: Unit) -> None:
        """A node per element, so that all are there before they are connected."""
        for element in unit.elements.values():
            name, key = element.variable.name or element.name, element.id
            type_ref = element.variable.type_ref
            entries = unit.types.entry_names(type_ref) | _entries(element)
            declared = None if type_ref is None else unit.types.declared(type_ref, key)
            if isinstance(element, (InputData, Decision)):
                wanted = declared or ANY
                if isinstance(element, Decision):
                    unit.nodes[key] = DecisionNode(key, name, entries, wanted, type_ref)
                else:
                    namespaced = f"{unit.definitions.namespace}#{name}"
                    keys = tuple(dict.fromkeys((".".join((*unit.path, name)), namespaced, name, element.name)))
                    place = Place(Source("", key), 0)
                    unit.nodes[key] = InputNode(key, name, entries, wanted, type_ref, keys, place)
            elif isinstance(element, DecisionService):
                unit.nodes[key] = ServiceNode(key, name, entries, declared)
            else:
                unit.nodes[key] = FunctionNode(key, name, entries, declared)

    def _connect(self, unit: Unit) -> None:
        """What each element requires."""
        for key, node in unit.nodes.items():
            element = unit.elements[key]
            if isinstance(node, DecisionNode) and isinstance(element, Decision):
                for href in (*element.required_inputs, *element.required_decisions):
                    required = self._need(unit, node, href, InputNode, DecisionNode)
                    if isinstance(required, (InputNode, DecisionNode)):
                        node.requires.append(required)
                self._need_all(unit, node, element.required_knowledge)
            elif isinstance(node, ServiceNode) and isinstance(element, DecisionService):
                self._service(unit, node, element)
            elif isinstance(node, FunctionNode) and isinstance(element, BusinessKnowledgeModel):
                self._need_all(unit, node, element.required_knowledge)
                # It may call itself, also without saying so.
                node.needs.add((node.name,), node)

    def _need_all(self, unit: Unit, node: DecisionNode | FunctionNode, hrefs: tuple[str, ...]) -> None:
        for href in hrefs:
            self._need(unit, node, href, FunctionNode)

    def _need(self, unit: Unit, node: DecisionNode | FunctionNode, href: str, *kinds: type[Node]) -> Node | None:
        """The element that an href names, after noting by which path it is read."""
        found = self._found(unit, node.id, href, *kinds)
        if found is None:
            return None
        other, required = found
        path = unit.path_to(other)
        if path is None:
            self.problems.append(problem("not-imported", node.id, href))
            return None
        node.needs.add((*path, required.name), required)
        return required

    def _found(self, unit: Unit, owner: str, href: str, *kinds: type[Node]) -> tuple[Unit, Node] | None:
        namespace, _, key = href.rpartition("#")
        other = unit if not namespace else self.units.get(namespace)
        node = None if other is None else other.nodes.get(key)
        if other is None or node is None:
            self.problems.append(problem("unknown-reference", owner, href))
            return None
        if not isinstance(node, kinds):
            self.problems.append(problem("wrong-kind", owner, href))
            return None
        return other, node

    def _service(self, unit: Unit, node: ServiceNode, element: DecisionService) -> None:
        for href in (*element.input_data, *element.input_decisions):
            found = self._found(unit, element.id, href, InputNode, DecisionNode)
            if found is not None and isinstance(found[1], (InputNode, DecisionNode)):
                node.takes.append(found[1])
        for href in element.output_decisions:
            found = self._found(unit, element.id, href, DecisionNode)
            if found is not None and isinstance(found[1], DecisionNode):
                node.gives.append(found[1])
        for href in element.encapsulated_decisions:
            self._found(unit, element.id, href, DecisionNode)
        # A service is declared to be of the type of a function, or of what it gives.
        declared = node.type or ANY
        node.result = (declared.result or ANY) if declared.kind == "function" else declared

    def _refuse_cycles(self) -> None:
        graph = {
            node: [each for each in node.requires if isinstance(each, DecisionNode)]
            for unit in self.units.values()
            for node in unit.nodes.values()
            if isinstance(node, DecisionNode)
        }
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            # Each one requires the one before it.
            cycle = list(reversed(error.args[1]))
            self.problems.append(problem("cycle", cycle[0].id, " → ".join(each.name for each in cycle)))


def _entries(element: Element) -> frozenset[str]:
    if isinstance(element, Decision):
        return entry_names(element.expression)
    return entry_names(element.logic) if isinstance(element, BusinessKnowledgeModel) else frozenset()
