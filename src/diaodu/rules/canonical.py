"""A model as far as it means something: two that decide alike and read alike are equal here."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from diaodu.dmn.model import Definitions, Rule

Part = TypeVar("Part")
_REFERENCES = frozenset(
    {
        "required_inputs",
        "required_decisions",
        "required_knowledge",
        "output_decisions",
        "encapsulated_decisions",
        "input_decisions",
        "input_data",
    }
)


def canonical(definitions: Definitions) -> Definitions:
    """The model without ids and source: references are by name, texts trimmed, a blank test is a dash."""
    names = {f"#{element.id}": f"#{element.name}" for element in definitions.elements()}
    return without_ids(replace(definitions, source=None), names)


def without_ids(part: Part, names: Mapping[str, str]) -> Part:
    """A part of a model in the same way; ``names`` are the references by name."""
    made: Any = _canonical(part, names)
    return made  # type: ignore[no-any-return]  # the same class as before


def _canonical(part: Any, names: Mapping[str, str]) -> Any:
    if isinstance(part, tuple):
        return tuple(_canonical(item, names) for item in part)
    if type(part) is str:
        return part.replace("\r\n", "\n").strip()
    if not is_dataclass(part) or isinstance(part, type):
        return part
    changes = {}
    for field in fields(part):
        value = _canonical(getattr(part, field.name), names)
        if field.name in _REFERENCES:
            value = tuple(names.get(item, item) for item in value)
        elif field.name == "id":
            # Where an id is demanded, the name does as well.
            value = getattr(part, "name", None) if field.type == "str" or field.type is str else None
        elif value == "" and field.default is None:
            value = None
        changes[field.name] = value
    if isinstance(part, Rule):
        changes["inputs"] = tuple(test or "-" for test in changes["inputs"])
    return type(part)(**changes)
