"""Regular expressions of XPath, as FEEL uses them, run by `regex` with a time limit."""

from __future__ import annotations

import re
from functools import lru_cache

import regex

from diaodu.feel.errors import FeelBudgetExceeded, Refused
from diaodu.feel.runtime import Run

_FLAGS = {"s": regex.DOTALL, "m": regex.MULTILINE, "i": regex.IGNORECASE, "x": regex.VERBOSE}
# Longer patterns and larger repetitions cost more to compile than the time budget allows.
MAX_PATTERN = 1000
_LARGE_REPETITION = re.compile(r"\{\s*\d*\s*,?\s*\d{4,}")
# `[a-z-[aeiou]]` of XPath is `[a-z--[aeiou]]` here; \i and \c are the characters of XML names.
_SUBTRACTION = re.compile(r"(?<!\\)-\[")
_XML_NAMES = {r"\i": "[A-Za-z_:]", r"\c": r"[-\w.:]", r"\I": "[^A-Za-z_:]", r"\C": r"[^-\w.:]"}
_ESCAPED = re.compile(r"\\[icIC\\]")


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> regex.Pattern[str]:
    if len(pattern) > MAX_PATTERN or _LARGE_REPETITION.search(pattern) or pattern.count("{") > 20:
        raise Refused("invalid-value", value="pattern", name="pattern")
    if not set(flags) <= {*_FLAGS, "q"}:
        raise Refused("invalid-value", value=flags, name="flags")
    mask = regex.VERSION1
    for flag in flags:
        mask |= _FLAGS.get(flag, 0)
    if "q" in flags:
        pattern = regex.escape(pattern)
    else:
        pattern = _SUBTRACTION.sub("--[", pattern)
        pattern = _ESCAPED.sub(lambda found: _XML_NAMES.get(found[0], found[0]), pattern)
    try:
        return regex.compile(pattern, mask)
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
    limit = run.meter.budget.items

    def one(match: regex.Match[str]) -> str:
        run.meter.step()
        return replacement if literal else _expanded(match, replacement)

    try:
        result = compiled.sub(one, text, timeout=run.meter.seconds_left())
    except TimeoutError:
        raise FeelBudgetExceeded("time") from None
    if len(result) > limit:
        raise FeelBudgetExceeded("items")
    return result


def pieces(run: Run, text: str, delimiter: str) -> list[object]:
    """The parts of the text between matches of the delimiter."""
    compiled = _compiled(delimiter, "")
    found: list[object] = []
    start = 0
    try:
        for match in compiled.finditer(text, timeout=run.meter.seconds_left()):
            if match.end() > match.start():
                found.append(text[start : match.start()])
                start = match.end()
    except TimeoutError:
        raise FeelBudgetExceeded("time") from None
    return [*found, text[start:]]


_REFERENCE = re.compile(r"\\([\\$])|\$(\d+)|\\(.)|\$")


def _expanded(match: regex.Match[str], replacement: str) -> str:
    def one(reference: re.Match[str]) -> str:
        escaped, number, other = reference.groups()
        if escaped is not None:
            return escaped
        if number is None:
            return other or "$"
        # Of `$12` the longest number that is a group counts; the digits behind it are text.
        groups = match.re.groups
        while len(number) > 1 and int(number) > groups:
            number = number[:-1]
        rest = reference.group()[1 + len(number) :]
        return ((match.group(int(number)) or "") if int(number) <= groups else "") + rest

    return _REFERENCE.sub(one, replacement)
