"""Regular expressions of XPath, which FEEL uses, in the notation of `regex`.

What XPath does not have (look-around, word borders, possessive repetition) is refused rather than given a meaning.
"""

from __future__ import annotations

from diaodu.feel.errors import Refused

# XPath's \w leaves out the underscore and keeps marks and symbols; \i and \c are the characters of XML names.
_WORD = r"\p{P}\p{Z}\p{C}"
_CLASSES = {
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "s": r"[ \t\n\r]",
    "S": r"[^ \t\n\r]",
    "w": f"[^{_WORD}]",
    "W": f"[{_WORD}]",
    "i": r"[\p{L}_:]",
    "I": r"[^\p{L}_:]",
    "c": r"[\p{L}\p{Nd}\p{M}\-._:\u00b7]",
    "C": r"[^\p{L}\p{Nd}\p{M}\-._:\u00b7]",
}
_PLAIN_ESCAPES = frozenset("nrt\\|.?*+(){}$-[]^")
# Signs that mean an operation on sets within brackets here, and themselves in XPath.
_SET_SIGNS = frozenset("&~|")


def translated(pattern: str, flags: str) -> str:
    """The pattern for `regex` in its version 1; raises Refused when XPath would not take it."""
    notation = _Translation(_without_gaps(pattern) if "x" in flags else pattern, flags).whole()
    # `regex` would take "ss" for "ß" where case does not matter; XPath compares character by character.
    return f"(?-f:{notation})" if "i" in flags else notation


def _without_gaps(pattern: str) -> str:
    """The pattern without the white space that stands outside of brackets."""
    kept: list[str] = []
    depth = 0
    escaped = False
    for sign in pattern:
        if sign in " \t\n\r" and depth == 0:
            continue
        kept.append(sign)
        if not escaped:
            depth += (sign == "[") - (sign == "]")
        escaped = sign == "\\" and not escaped
    return "".join(kept)


class _Translation:
    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.flags = flags
        # Inside a group a reference to it is not known yet; XPath refuses it.
        self.closed_groups = 0

    def whole(self) -> str:
        parts: list[str] = []
        while self.at < len(self.pattern):
            parts.append(self._one(self.pattern[self.at]))
        return "".join(parts)

    def _one(self, sign: str) -> str:
        if sign == "\\":
            return self._escape()
        if sign == "[":
            self.at += 1
            return self._set()
        self.at += 1
        if sign == "(" and self._ahead("?") and not self._ahead("?:"):
            raise self._refused()
        if sign in "*+?}" and self._ahead("+"):
            raise self._refused()
        if sign == ")":
            self.closed_groups += 1
        if sign == "." and "s" not in self.flags:
            return r"[^\n\r]"
        if sign == "$" and "m" not in self.flags:
            return r"\Z"
        if sign == "^" and "m" in self.flags:
            # Behind a line feed that ends the text no further line begins.
            return r"(?:\A|(?<=\n)(?!\Z))"
        return sign

    def _escape(self, *, in_set: bool = False) -> str:
        sign = self.pattern[self.at + 1 : self.at + 2]
        self.at += 2
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign and sign in _PLAIN_ESCAPES:
            return "\\" + sign
        if sign and sign in "pP":
            return self._property(sign)
        if sign.isdecimal() and sign != "0" and not in_set:
            return self._reference(sign)
        raise self._refused()

    def _reference(self, digit: str) -> str:
        if int(digit) > self.closed_groups:
            raise self._refused()
        return f"(?:\\{digit})"

    def _property(self, sign: str) -> str:
        end = self.pattern.find("}", self.at)
        if not self._ahead("{") or end < 0:
            raise self._refused()
        name = self.pattern[self.at + 1 : end]
        self.at = end + 1
        # A block of characters is named `IsGreek` in XPath and `InGreek` here.
        return f"\\{sign}{{{'In' + name[2:] if name.startswith('Is') else name}}}"

    def _set(self) -> str:
        """What stands in brackets, from behind the opening one to behind the closing one."""
        parts = ["["]
        if self._ahead("^"):
            parts.append("^")
            self.at += 1
        start = self.at
        while not self._ahead("]") or self.at == start:
            if self.at >= len(self.pattern) or self._ahead("]"):
                raise self._refused()
            if self._ahead("-["):
                self.at += 2
                parts.append("--" + self._set())
            else:
                parts.append(self._of_set(self.pattern[self.at]))
        self.at += 1
        return "".join(parts) + "]"

    def _of_set(self, sign: str) -> str:
        if sign == "\\":
            return self._escape(in_set=True)
        if sign == "[":
            raise self._refused()
        self.at += 1
        at_edge = sign == "-" and (self._ahead("]") or self.pattern[self.at - 2] in "[^")
        return "\\" + sign if sign in _SET_SIGNS or at_edge else sign

    def _ahead(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def _refused(self) -> Refused:
        return Refused("invalid-value", value=self.pattern, name="pattern")
