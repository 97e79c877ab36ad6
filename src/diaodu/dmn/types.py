"""Item definitions as types of FEEL: structures, collections, functions, and the values that they allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from diaodu.dmn.errors import Problem, problem, text_problem
from diaodu.dmn.model import Definitions, ItemDefinition
from diaodu.feel.builtins import BUILTINS
from diaodu.feel.compile import RULES, scope_of
from diaodu.feel.errors import FeelSyntaxError, Source
from diaodu.feel.parser import parse_unary_tests
from diaodu.feel.runtime import Frame, Run
from diaodu.feel.scope import Language
from diaodu.feel.types import ANY, Constraint, Type, language_type
from diaodu.feel.unary import compile_tests

UNFINISHED = ""


class Types:
    """The types of one model; `imported` leads by the names of its imports to the types of others.

    What is wrong is added to `problems` when it refuses the model, to `faults` when only a text cannot be used.
    """

    def __init__(self, definitions: Definitions, problems: list[Problem], faults: list[Problem]) -> None:
        self.imported: list[tuple[str, Types]] = []
        self._problems = problems
        self._faults = faults
        self._items = {item.name: item for item in definitions.item_definitions}
        self._known: dict[str, Type | None] = {}
        self._entries: dict[str, frozenset[str]] = {}
        # Types of another type language are not known here and are no fault.
        self._lenient = definitions.type_language is not None
        self._language = Language(RULES, BUILTINS, self.named)

    def resolve_all(self) -> None:
        for name in self._items:
            self.named(name)

    def named(self, name: str) -> Type | None:
        """The type of that name, own or `import.name`; None when there is none."""
        if name not in self._known:
            # Set first: models may import each other.
            self._known[name] = None
            item = self._items.get(name)
            if item is not None:
                return self._define(item, name)
            self._known[name] = language_type(name) or self._elsewhere(name)
        return self._known[name]

    def declared(self, name: str, element: str) -> Type:
        """The type that an element is declared to have; an unknown one is a problem of the model."""
        found = self.named(name)
        if found is not None:
            return found
        if not self._lenient:
            self._problems.append(problem("unknown-type", element, name))
        self._known[name] = ANY
        return ANY

    def entry_names(self, name: str | None) -> frozenset[str]:
        """The names of all entries at any depth of values of that type."""
        if name is None:
            return frozenset()
        if name not in self._entries:
            found: set[str] = set()
            self._gather(name, found, set())
            self._entries[name] = frozenset(found)
        return self._entries[name]

    def _gather(self, name: str | None, found: set[str], seen: set[tuple[Types, str]]) -> None:
        """Add the names of entries to `found`; `seen` are types already looked at, which may contain each other."""
        if name is None or (self, name) in seen:
            return
        seen.add((self, name))
        item = self._items.get(name)
        if item is not None:
            self._gather_item(item, found, seen)
            return
        for other, own in self._imports_of(name):
            other._gather(own, found, seen)  # noqa: SLF001 - another of this class

    def _gather_item(self, item: ItemDefinition, found: set[str], seen: set[tuple[Types, str]]) -> None:
        self._gather(item.type_ref, found, seen)
        self._gather(item.result, found, seen)
        for part in item.components:
            found.add(part.name)
            self._gather_item(part, found, seen)

    def _elsewhere(self, name: str) -> Type | None:
        for other, own in self._imports_of(name):
            found = other.named(own)
            if found is not None:
                return found
        return None

    def _imports_of(self, name: str) -> Iterator[tuple[Types, str]]:
        """The imports to which a name may refer, each with the name as it is there; an import may have no name."""
        for prefix, other in self.imported:
            if not prefix:
                yield other, name
            elif name.startswith(prefix + "."):
                yield other, name[len(prefix) + 1 :]

    def _define(self, item: ItemDefinition, name: str) -> Type:
        made = self._known[name] = Type(UNFINISHED, name)
        self._complete(made, item)
        return made

    def _complete(self, made: Type, item: ItemDefinition) -> None:
        if item.is_collection:
            made.item = self._item_type(item, made.name)
            made.kind = "list"
            made.constraint = self._constraint(item.type_constraint, item)
            return
        if item.components:
            made.kind = "context"
            made.entries = tuple((part.name, self._component(part, made.name)) for part in item.components)
        elif item.is_function:
            made.kind = "function"
            made.parameters = tuple(
                ANY if part.type_ref is None else self._reference(part.type_ref, item) for part in item.parameters
            )
            made.result = None if item.result is None else self._reference(item.result, item)
        else:
            self._alias(made, item)
        made.constraint = _both(made.constraint, self._constraint(item.allowed_values, item))
        made.constraint = _both(made.constraint, self._constraint(item.type_constraint, item))

    def _item_type(self, item: ItemDefinition, name: str) -> Type:
        if item.allowed_values is None and item.type_ref is not None:
            return self._reference(item.type_ref, item)
        made = Type(UNFINISHED, f"{name} item")
        single = ItemDefinition(
            name=item.name,
            type_ref=item.type_ref,
            allowed_values=item.allowed_values,
            components=item.components,
            is_function=item.is_function,
            parameters=item.parameters,
            result=item.result,
            id=item.id,
        )
        self._complete(made, single)
        return made

    def _component(self, part: ItemDefinition, within: str) -> Type:
        plain = not (part.is_collection or part.components or part.is_function)
        if plain and part.type_ref is not None and part.allowed_values is None and part.type_constraint is None:
            return self._reference(part.type_ref, part)
        made = Type(UNFINISHED, f"{within}.{part.name}")
        self._complete(made, part)
        return made

    def _alias(self, made: Type, item: ItemDefinition) -> None:
        other = ANY if item.type_ref is None else self._reference(item.type_ref, item)
        if other.kind == UNFINISHED:
            self._problems.append(problem("type-cycle", item.id or item.name, item.name))
            other = ANY
        made.kind, made.item, made.entries = other.kind, other.item, other.entries
        made.parameters, made.result, made.constraint = other.parameters, other.result, other.constraint

    def _reference(self, name: str, item: ItemDefinition) -> Type:
        return self.declared(name, item.id or item.name)

    def _constraint(self, text: str | None, item: ItemDefinition) -> Constraint | None:
        if text is None or not text.strip():
            return None
        names: set[str] = set()
        self._gather_item(item, names, set())
        source = Source(text, item.id or item.name)
        try:
            verdict = compile_tests(parse_unary_tests(text, names), scope_of(source, self._language))
        except FeelSyntaxError as error:
            self._faults.append(text_problem(source.element, text, error))
            return None

        def allows(run: Run, value: object) -> bool:
            return verdict(Frame(NO_CONTEXT, run, {}, None), value) is True

        return allows


NO_CONTEXT: Mapping[str, object] = {}


def _both(first: Constraint | None, second: Constraint | None) -> Constraint | None:
    if first is None or second is None:
        return first or second

    def allows(run: Any, value: object) -> bool:
        return first(run, value) and second(run, value)

    return allows
