"""The string functions; positions count characters from 1."""

from __future__ import annotations

from decimal import Decimal

from diaodu.feel.arithmetic import whole
from diaodu.feel.builtins.registry import builtin
from diaodu.feel.errors import Refused
from diaodu.feel.patterns import found_in, pieces, replaced
from diaodu.feel.runtime import Run
from diaodu.feel.values import in_steps, kind_of


@builtin("substring(string: string, start position: number, length?: number|null)")
def substring(string: str, start: Decimal, length: Decimal | None = None) -> str:
    position = whole(start)
    if position == 0 or abs(position) > max(len(string), 1):
        raise Refused("invalid-value", value=position, name="start position")
    if length is not None and length < 1:
        raise Refused("invalid-value", value=length, name="length")
    first = position - 1 if position > 0 else len(string) + position
    return string[first:] if length is None else string[first : first + whole(length)]


@builtin("string length(string: string)")
def string_length(string: str) -> Decimal:
    return Decimal(len(string))


@builtin("upper case(string: string)")
def upper_case(string: str) -> str:
    return string.upper()


@builtin("lower case(string: string)")
def lower_case(string: str) -> str:
    return string.lower()


@builtin("substring before(string: string, match: string)")
def substring_before(string: str, match: str) -> str:
    before, found, _ = string.partition(match) if match else ("", "", "")
    return before if found else ""


@builtin("substring after(string: string, match: string)")
def substring_after(string: str, match: str) -> str:
    return string.partition(match)[2] if match else string


@builtin("contains(string: string, match: string)")
def contains(string: str, match: str) -> bool:
    return match in string


@builtin("starts with(string: string, match: string)")
def starts_with(string: str, match: str) -> bool:
    return string.startswith(match)


@builtin("ends with(string: string, match: string)")
def ends_with(string: str, match: str) -> bool:
    return string.endswith(match)


@builtin("matches(input: string, pattern: string, flags?: string|null)")
def matches(run: Run, text: str, pattern: str, flags: str | None = None) -> bool:
    return found_in(run, text, pattern, flags or "")


@builtin("replace(input: string, pattern: string, replacement: string, flags?: string|null)")
def replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    return replaced(run, text, pattern, replacement, flags or "")


@builtin("split(string: string, delimiter: string)")
def split(run: Run, string: str, delimiter: str) -> list[object]:
    return pieces(run, string, delimiter)


@builtin("string join(list: list, delimiter?: string|null)")
def string_join(run: Run, items: list[object], delimiter: str | None = None) -> str:
    texts: list[str] = []
    length = 0
    for item in in_steps(items, run.meter.step):
        if isinstance(item, str):
            texts.append(item)
            length += len(item)
        elif item is not None:
            raise Refused("invalid-value", value=kind_of(item), name="string join")
    between = delimiter or ""
    # Reckoned before it is made: many long texts may be one and the same in the list.
    run.meter.size(length + len(between) * len(texts))
    return between.join(texts)
