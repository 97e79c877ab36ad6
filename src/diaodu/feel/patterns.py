"""Regular expressions of XPath, as FEEL uses them, run by `regex` with a time limit."""

from __future__ import annotations

import re
from functools import lru_cache

import regex

from diaodu.feel.errors import FeelBudgetExceeded, Refused
from diaodu.feel.runtime import Run
from diaodu.feel.xpath import translated

_FLAGS = {"s": regex.DOTALL, "m": regex.MULTILINE, "i": regex.IGNORECASE}
# Compiling is outside of the time limit, so the pattern itself must be short.
MAX_PATTERN = 1000


@lru_cache(maxsize=256)
def _compiled(pattern: str, flags: str) -> regex.Pattern[str]:
    if len(pattern) > MAX_PATTERN:
        raise Refused("invalid-value", value=pattern[:20], name="pattern")
    if not set(flags) <= {*_FLAGS, "q", "x"}:
        raise Refused("invalid-value", value=flags, name="flags")
    mask = regex.VERSION1
    for flag in flags:
        mask |= _FLAGS.get(flag, 0)
    notation = regex.escape(pattern) if "q" in flags else translated(pattern, flags)
    try:
        return regex.compile(notation, mask)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise Refused("invalid-value", value=pattern, name="pattern") from error


def found_in(run: Run, text: str, pattern: str, flags: str) -> bool:
    """Whether the pattern matches somewhere in the text."""
    compiled = _compiled(pattern, flags)
    try:
        return compiled.search(text, timeout=run.meter.seconds_left()) is not None
    except TimeoutError:
        raise FeelBudgetExceeded("time") from None


def replaced(run: Run, text: str, pattern: str, replacement: str, flags: str) -> str:
    """The text with every match replaced; `$1` stands for a group, a backslash takes the meaning of what follows."""
    compiled = _compiled(pattern, flags)
    literal = "q" in flags
    if compiled.fullmatch("") is not None or not (literal or _REPLACEMENT.fullmatch(replacement)):
        raise Refused("invalid-value", value=replacement, name="replace")
    length = 0

    def one(match: regex.Match[str]) -> str:
        nonlocal length
        new = replacement if literal else _expanded(match, replacement)
        length += len(new)
        run.meter.fits(length)
        run.meter.step()
        return new

    try:
        return compiled.sub(one, text, timeout=run.meter.seconds_left())
    except TimeoutError:
        raise FeelBudgetExceeded("time") from None


def pieces(run: Run, text: str, delimiter: str) -> list[object]:
    """The parts of the text between matches of the delimiter."""
    compiled = _compiled(delimiter, "")
    found: list[object] = []
    start = 0
    try:
        for match in compiled.finditer(text, timeout=run.meter.seconds_left()):
            run.meter.step()
            if match.end() > match.start():
                found.append(text[start : match.start()])
                start = match.end()
    except TimeoutError:
        raise FeelBudgetExceeded("time") from None
    return [*found, text[start:]]


_REPLACEMENT = re.compile(r"(?:[^\\$]|\\[\\$]|\$\d)*")
_REFERENCE = re.compile(r"\\([\\$])|\$(\d+)")


def _expanded(match: regex.Match[str], replacement: str) -> str:
    def one(reference: re.Match[str]) -> str:
        escaped, number = reference.groups()
        if escaped is not None:
            return str(escaped)
        # Of `$12` the longest number that is a group counts; the digits behind it are text.
        groups = match.re.groups
        while len(number) > 1 and int(number) > groups:
            number = number[:-1]
        rest = reference.group()[1 + len(number) :]
        return ((match.group(int(number)) or "") if int(number) <= groups else "") + rest

    return _REFERENCE.sub(one, replacement)
