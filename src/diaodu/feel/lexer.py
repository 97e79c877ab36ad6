"""Text to tokens. Names are read word by word; the parser joins words to names."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from diaodu.feel.errors import syntax_error
from diaodu.feel.values import NUMBERS

# The letters of the standard without the full-width signs that lie among them: nobody means those as letters.
_LETTER = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u167f\u1681-\u180d\u180f-\u1fff"
    "\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3005-\u3007\u3021-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00\uff21-\uff3a\uff41-\uff5a"
    "\uff66-\uffef\U00010000-\U000effff"
)
_FULL_WIDTH = set("，。；：？！（）【】《》＜＞＝＋－＊／“”‘’、［］｛｝．０１２３４５６７８９")
_TOKEN = re.compile(
    rf"""(?P<space>[\s\u0085\u180e\u200b\u2060\ufeff]+|//[^\n\r]*|/\*.*?\*/)
    |(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>\?|[{_LETTER}][{_LETTER}0-9\uff10-\uff19\u00b7\u0300-\u036f\u203f-\u2040]*)
    |(?P<at>@\s*"(?:[^"\\]|\\.)*")
    |(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<sign>\.\.|\*\*|<=|>=|!=|->|/(?!\*)|[-+*=<>()\[\]{{}},.:;'])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
MAX_CHARACTERS = 100_000


class Token(NamedTuple):
    """`kind` is number, name, at, text, sign or end; `value` is the number or the text without escapes."""

    kind: str
    text: str
    at: int
    end: int
    value: Decimal | str | None = None


def tokens_of(text: str) -> list[Token]:
    """All tokens of `text`, closed by an `end` token; raises FeelSyntaxError."""
    if len(text) > MAX_CHARACTERS:
        raise syntax_error("too-long", text, 0)
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        kind, part = str(match.lastgroup), match.group()
        position = match.end()
        if kind == "number":
            found.append(Token(kind, part, match.start(), position, _number(text, part, match.start())))
        elif kind in ("text", "at"):
            value = _without_escapes(text, part[part.index('"') + 1 : -1], match.start())
            found.append(Token(kind, part, match.start(), position, value))
        elif kind != "space":
            found.append(Token(kind, part, match.start(), position))
    found.append(Token("end", "", len(text), len(text)))
    return found


def _number(text: str, part: str, position: int) -> Decimal:
    # A number that needs no rounding is kept as it is written.
    try:
        number = Decimal(part)
        NUMBERS.plus(number)
    except ArithmeticError:
        raise syntax_error("number-range", text, position, found=part[:20]) from None
    return number


def _unreadable(text: str, position: int) -> Exception:
    sign = text[position]
    if sign == '"' or (sign == "@" and '"' in text[position:]):
        return syntax_error("open-text", text, position)
    if sign == "/":
        return syntax_error("open-comment", text, position)
    code = "full-width" if sign in _FULL_WIDTH else "unexpected-character"
    return syntax_error(code, text, position, found=sign)


def _without_escapes(text: str, raw: str, position: int) -> str:
    if "\\" not in raw and raw.isprintable():
        return raw

    def one(match: re.Match[str]) -> str:
        short, long, simple = match.groups()
        if short or long:
            code = int(short or long, 16)
            if code > 0x10FFFF:
                raise syntax_error("bad-escape", text, position, found=match.group())
            return chr(code)
        # An unknown escape stays as written: patterns such as "\d" are commonly written with one backslash.
        return _SIMPLE_ESCAPES.get(simple, match.group())

    joined = _ESCAPE.sub(one, raw)
    # Two escapes of a surrogate pair are one character, and half a pair is none.
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
