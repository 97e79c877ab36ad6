"""How a built-in function is declared and called: signatures with typed parameters, several per name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from diaodu.feel.errors import Refused
from diaodu.feel.runtime import Run
from diaodu.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from diaodu.feel.values import Function, Range, kind_of

TYPES: dict[str, tuple[type, ...]] = {
    "any": (object,),
    "number": (Decimal,),
    "string": (str,),
    "boolean": (bool,),
    "list": (list,),
    "context": (dict,),
    "date": (Date,),
    "time": (Time,),
    "date and time": (DateTime,),
    "days": (DaysDuration,),
    "months": (MonthsDuration,),
    "range": (Range,),
    "function": (Function,),
    "null": (type(None),),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    types: tuple[type, ...]
    optional: bool
    nullable: bool

    def takes(self, value: object) -> tuple[bool, object]:
        """Whether the value fits, and the value as it is passed on: a list of one may stand for its item."""
        if isinstance(value, self.types) or (value is None and self.nullable):
            return True, value
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], self.types):
            return True, value[0]
        # A single value stands for the list of it.
        if self.types == (list,) and value is not None:
            return True, [value]
        return False, None


@dataclass(frozen=True, slots=True)
class Signature:
    parameters: tuple[Parameter, ...]
    variadic: bool
    wants_run: bool
    body: Callable[..., object]

    def bind(self, arguments: Sequence[object]) -> list[object] | None:
        """The arguments to call the body with, or None when they do not fit."""
        if self.variadic:
            return self._bind_variadic(arguments)
        if len(arguments) > len(self.parameters):
            return None
        bound: list[object] = []
        for index, parameter in enumerate(self.parameters):
            if index >= len(arguments):
                if not parameter.optional:
                    return None
                continue
            fits, value = parameter.takes(arguments[index])
            if not fits:
                return None
            bound.append(value)
        return bound

    def _bind_variadic(self, arguments: Sequence[object]) -> list[object] | None:
        head = len(self.parameters) - 1
        if len(arguments) <= head:
            return None
        bound: list[object] = []
        for parameter, argument in zip(self.parameters[:-1], arguments, strict=False):
            fits, value = parameter.takes(argument)
            if not fits:
                return None
            bound.append(value)
        bound.append(list(arguments[head:]))
        return bound

    def in_order(self, named: Mapping[str, object]) -> list[object] | None:
        """Named arguments in the order of the parameters; an optional one left out before the last one is null."""
        names = [parameter.name for parameter in self.parameters]
        required = {parameter.name for parameter in self.parameters if not parameter.optional}
        if not required <= named.keys() <= set(names):
            return None
        last = max((names.index(name) for name in named), default=-1)
        return [named.get(name) for name in names[: last + 1]]


@dataclass(frozen=True, slots=True)
class Builtin:
    name: str
    signatures: tuple[Signature, ...]

    def by_position(self, run: object, arguments: Sequence[object]) -> object:
        for signature in self.signatures:
            bound = signature.bind(arguments)
            if bound is not None:
                return signature.body(run, *bound) if signature.wants_run else signature.body(*bound)
        raise self._refusal(map(kind_of, arguments))

    def by_name(self, run: object, named: Mapping[str, object]) -> object:
        for signature in self.signatures:
            ordered = signature.in_order(named)
            bound = None if ordered is None else signature.bind(ordered)
            if bound is not None:
                return signature.body(run, *bound) if signature.wants_run else signature.body(*bound)
        raise self._refusal(f"{name}: {kind_of(argument)}" for name, argument in named.items())

    def _refusal(self, arguments: Iterable[str]) -> Refused:
        return Refused("arguments", name=self.name, types=", ".join(arguments))


_signatures: dict[str, list[Signature]] = {}
Body = TypeVar("Body", bound=Callable[..., object])


def builtin(*declarations: str) -> Callable[[Body], Body]:
    """Declare a built-in by texts such as `substring(string: string, start position: number, length?: number)`.

    `?` marks an optional parameter, `|null` one that may be null, `*` the last one that takes all further arguments,
    a `run` parameter of the body the evaluation. The body raises Refused where the result is null for a reason.
    """

    def declare(body: Body) -> Body:
        wants_run = body.__code__.co_varnames[:1] == ("run",)
        for declaration in declarations:
            name, _, rest = declaration.partition("(")
            parts = [part for part in rest[:-1].split(", ") if part]
            signature = Signature(
                tuple(_parameter(part) for part in parts), any(p[0] == "*" for p in parts), wants_run, body
            )
            _signatures.setdefault(name, []).append(signature)
        return body

    return declare


def _parameter(text: str) -> Parameter:
    name, _, kinds = text.partition(": ")
    names = kinds.split("|")
    types = tuple(kind for name in names if name != "null" for kind in TYPES[name])
    return Parameter(name.strip("*?"), types, name.endswith("?"), "null" in names or "any" in names)


def declared() -> dict[str, Function]:
    """All functions declared so far, by name."""
    return {name: _function(Builtin(name, tuple(found))) for name, found in _signatures.items()}


def _function(declared_as: Builtin) -> Function:
    arity = max(len(signature.parameters) for signature in declared_as.signatures)
    return Function(declared_as.name, declared_as.by_position, declared_as.by_name, arity)


def call(run: Run, function: Function, arguments: Sequence[object]) -> object:
    """Call a function value that was passed to a built-in."""
    run.meter.step()
    return function.by_position(run, arguments)
