"""FEEL in cells: what people write, and what they mean by it.

In a column of strings a text is the string (五星), several are parted by 、 or a comma, 非(五星) excludes. Quotes make
it FEEL as typed, and so does ``FEEL:`` before it. What might be either is refused. Numbers, dates, times and booleans
are cells of that kind where the FEEL text is their plain literal. ``to_cell`` tries the friendliest form first and
takes the first that ``to_feel`` reads back exactly, so that nothing is ever changed on the way.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from diaodu.dmn.model import ItemDefinition
from diaodu.rules.excel.problems import Misread

Value: TypeAlias = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta

MARK = "FEEL:"
# What a cell keeps of a number.
DIGITS = 15
DASHES = frozenset("-－—–−")
# Before that day, Excel's calendar has a 29th of February 1900.
FIRST_DAY = dt.date(1900, 3, 1)

_MARKED = re.compile(r"feel\s*[:：]\s*", re.IGNORECASE)
_LITERAL = r'"(?:[^"\\]|\\.)*"'
_LITERALS = re.compile(rf"{_LITERAL}(?:\s*,\s*{_LITERAL})*", re.DOTALL)
_NOT = re.compile(r"(?:非|不是|not)\s*[(（](.*)[)）]", re.DOTALL)
_SEPARATOR = re.compile(r"[、，,;；]")
_AMBIGUOUS = re.compile(
    r"[()\[\]{}<>=?＜＞＝≥≤≠]|\s[-+*/]\s|[^\W\d_]\.[^\W\d_]|^@|^(?:if|for|some|every|function|not)\b|^(?:true|false)$"
)
_FULL_WIDTH = str.maketrans(
    "，、；;（）［］｛｝＜＞＝＋－＊／．：！？０１２３４５６７８９", ",,,,()[]{}<>=+-*/.:!?0123456789"
) | {
    ord("≥"): ">=",
    ord("≤"): "<=",
    ord("≠"): "!=",
    0x3000: " ",
}
_PIECES = re.compile(rf"(?P<kept>{_LITERAL}|//[^\n]*|/\*.*?\*/)|(?P<quoted>“[^”]*”)", re.DOTALL)
_NO_NUMBER = re.compile(r"[-+]?[¥￥$€]?\s*(?:\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|[\d.]+)\s*[%％元]?")
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_TEMPORAL = re.compile(r'(date|time|date and time)\("([0-9T:-]+)"\)', re.ASCII)
_UNESCAPED = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_ALIASES = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
}
_SIMPLE = frozenset({"string", "number", "boolean", "date", "time", *_ALIASES.values()})
_TRUTHS = {"是": "true", "否": "false", "true": "true", "false": "false"}


@dataclass(frozen=True)
class Cell:
    """What a cell of a column holds: a FEEL type where it is one of the simple ones, tests or one expression."""

    type: str | None
    tests: bool


def simple_type(name: str | None, items: Iterable[ItemDefinition]) -> str | None:
    """The simple FEEL type below the name; None for structures, lists and what is not known."""
    known = {item.name: item for item in items}
    for _ in range(len(known) + 1):
        if name is None:
            return None
        item = known.get(name)
        if item is None:
            plain = name.removeprefix("feel:")
            plain = _ALIASES.get(plain, plain)
            return plain if plain in _SIMPLE else None
        if item.is_collection or item.components or item.is_function:
            return None
        name = item.type_ref
    return None


def to_cell(text: str, cell: Cell) -> Value:
    """The friendliest value that is read back as ``text``; a blank test is a dash."""
    text = text.strip()
    if not text:
        return "-" if cell.tests else MARK
    for candidate in _forms(text, cell):
        try:
            if to_feel(candidate, cell) == text:
                return candidate
        except Misread:
            continue
    return f"{MARK} {text}"


def to_feel(value: Value, cell: Cell) -> str:
    """The FEEL text that the value of a cell means; raises Misread."""
    if not isinstance(value, str):
        return _literal(value, cell.type)
    text = value.strip()
    marked = _MARKED.match(text)
    if marked:
        return text[marked.end() :]
    if cell.tests and text and len(text) <= 2 and set(text) <= DASHES:
        return "-"
    if cell.type == "string":
        return _string_tests(text) if cell.tests else _string(text)
    if cell.type == "boolean" and text.casefold() in _TRUTHS:
        return _TRUTHS[text.casefold()]
    if cell.type == "number" and _NO_NUMBER.fullmatch(text) and not re.fullmatch(r"[-+]?[\d.]+", text):
        raise Misread("number-form", text)
    return half_width(text)


def half_width(text: str) -> str:
    """FEEL with the full-width signs of Chinese typing made plain, texts and comments left as they are."""
    made, end = [], 0
    for piece in _PIECES.finditer(text):
        made.append(text[end : piece.start()].translate(_FULL_WIDTH))
        quoted = piece["quoted"]
        made.append(piece.group() if quoted is None else '"' + quoted[1:-1].replace('"', '\\"') + '"')
        end = piece.end()
    made.append(text[end:].translate(_FULL_WIDTH))
    return re.sub(r"^(?:非|不是)(?=\s*\()", "not", "".join(made))


def _string_tests(text: str) -> str:
    if '"' in text or "“" in text or text == "null":
        return half_width(text)
    negated = _NOT.fullmatch(text)
    pieces = [piece.strip() for piece in _SEPARATOR.split(negated[1] if negated else text)]
    pieces = [piece for piece in pieces if piece]
    if not pieces or any(_AMBIGUOUS.search(piece) or set(piece) <= DASHES for piece in pieces):
        raise Misread("ambiguous", text)
    several = ", ".join(map(_quoted, pieces))
    return f"not({several})" if negated else several


def _string(text: str) -> str:
    if text == "null":
        return text
    if '"' in text or re.fullmatch(r"“[^“”]*”", text):
        return half_width(text)
    if _AMBIGUOUS.search(text) or set(text) <= DASHES:
        raise Misread("ambiguous", text)
    return _quoted(text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return f'"{escaped}"'


def _literal(value: Value, wanted: str | None) -> str:
    kind, text = _native(value, wanted)
    if wanted not in (None, kind):
        raise Misread("wrong-kind", kind, wanted or "")
    return text


def _native(value: Value, wanted: str | None) -> tuple[str, str]:
    """The FEEL type and text of a value that is no text."""
    if isinstance(value, bool):
        return "boolean", str(value).lower()
    if isinstance(value, int | float):
        return "number", number_text(value)
    if isinstance(value, dt.datetime):
        if wanted == "date" and value.time() == dt.time():
            return "date", f'date("{value.date().isoformat()}")'
        return "date and time", f'date and time("{value.isoformat()}")'
    if isinstance(value, dt.date):
        if wanted == "date and time":
            return wanted, f'date and time("{value.isoformat()}T00:00:00")'
        return "date", f'date("{value.isoformat()}")'
    if isinstance(value, dt.time):
        return "time", f'time("{value.isoformat()}")'
    return "duration", str(value)


def number_text(value: float) -> str:
    """The digits that the cell shows; raises Misread where it has lost some."""
    if abs(value) >= 10**DIGITS:
        raise Misread("digits")
    return format(Decimal(format(value, f".{DIGITS}g")), "f")


def _forms(text: str, cell: Cell) -> Iterator[Value]:
    """The ways to write a FEEL text, the friendliest first."""
    if _PLAIN_NUMBER.fullmatch(text) and len(text) <= DIGITS + 2:
        yield float(text) if "." in text else int(text)
    elif text in ("true", "false"):
        yield text == "true"
    temporal = _TEMPORAL.fullmatch(text)
    if temporal:
        yield from temporal_value(temporal[1], temporal[2])
    if cell.type == "string":
        yield from _bare(text, cell)
    yield text


def temporal_value(kind: str, text: str) -> Iterator[Value]:
    """The date, time or both as a cell keeps them, if it can."""
    try:
        if kind == "time":
            yield dt.time.fromisoformat(text)
            return
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        return
    if value.date() >= FIRST_DAY:
        yield value.date() if kind == "date" else value


def _bare(text: str, cell: Cell) -> Iterator[str]:
    negated = re.fullmatch(r"not\((.*)\)", text, re.DOTALL) if cell.tests else None
    inner = negated[1] if negated else text
    if _LITERALS.fullmatch(inner):
        words = [
            re.sub(r"\\(.)", lambda m: _UNESCAPED.get(m[1], m[0]), w[1:-1])
            for w in re.findall(_LITERAL, inner, re.DOTALL)
        ]
        if negated:
            yield f"非({'、'.join(words)})"
        elif cell.tests or len(words) == 1:
            yield "、".join(words)
