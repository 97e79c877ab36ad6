"""Regular expressions of XPath, which FEEL uses, in the notation of `regex`.

What XPath does not have (look-around, word borders, possessive repetition) is refused rather than given a meaning.
"""

from __future__ import annotations

import re

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
_CATEGORIES = frozenset(
    [
        "L",
        "Lu",
        "Ll",
        "Lt",
        "Lm",
        "Lo",
        "M",
        "Mn",
        "Mc",
        "Me",
        "N",
        "Nd",
        "Nl",
        "No",
        "P",
        "Pc",
        "Pd",
        "Ps",
        "Pe",
        "Pi",
        "Pf",
        "Po",
        "Z",
        "Zs",
        "Zl",
        "Zp",
        "S",
        "Sm",
        "Sc",
        "Sk",
        "So",
        "C",
        "Cc",
        "Cf",
        "Co",
        "Cn",
    ]
)
# The categories that `regex` widens where case does not matter; XPath never does.
_CASED = frozenset(("Lu", "Ll", "Lt"))
_QUANTIFIER = re.compile(r"(?:[?*+]|\{(\d{1,9})(?:,(\d{0,9}))?\})\??", re.ASCII)
# `regex` writes repetitions of groups out, one within another; so many signs of them are some megabytes.
MAX_WRITTEN_OUT = 10_000
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
        # The groups that are open, each with its number (0: it captures nothing), and how many have been opened.
        self.open_groups: list[int] = []
        self.groups = 0
        # How many signs each of them is when its repetitions are written out; the first is the whole.
        self.sizes = [0]

    def whole(self) -> str:
        parts: list[str] = []
        while self.at < len(self.pattern):
            sign = self.pattern[self.at]
            if sign in "(|":
                parts.append(self._opening() if sign == "(" else "|")
                self.at += 1
            else:
                parts.append(self._atom(sign) + self._quantifier(self.sizes.pop() if sign == ")" else 1))
        if self.open_groups:
            raise self._refused()
        return "".join(parts)

    def _opening(self) -> str:
        self.sizes.append(0)
        if self._ahead("(?:"):
            self.at += 2
            self.open_groups.append(0)
            return "(?:"
        self.groups += 1
        self.open_groups.append(self.groups)
        return "("

    def _atom(self, sign: str) -> str:
        if sign == "\\":
            return self._escape()
        self.at += 1
        if sign == "[":
            return self._set()
        if sign in "?*+{}]" or (sign == ")" and not self.open_groups):
            raise self._refused()
        if sign == ")":
            self.open_groups.pop()
        if sign == "." and "s" not in self.flags:
            return r"[^\n\r]"
        if sign == "$" and "m" not in self.flags:
            return r"\Z"
        if sign == "^" and "m" in self.flags:
            # Behind a line feed that ends the text no further line begins.
            return r"(?:\A|(?<=\n)(?!\Z))"
        return sign

    def _quantifier(self, size: int) -> str:
        """What repeats the atom of that size."""
        found = _QUANTIFIER.match(self.pattern, self.at)
        times = max(1, *(int(bound or 1) for bound in found.groups())) if found else 1
        self.sizes[-1] += size * times
        if self.sizes[-1] > MAX_WRITTEN_OUT:
            raise self._refused()
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def _escape(self, *, in_set: bool = False) -> str:
        sign = self.pattern[self.at + 1 : self.at + 2]
        self.at += 2
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign and sign in _PLAIN_ESCAPES:
            return "\\" + sign
        if sign and sign in "pP":
            return self._property(sign)
        if sign.isdecimal() and sign.isascii() and sign != "0" and not in_set:
            return self._reference(sign)
        raise self._refused()

    def _reference(self, digits: str) -> str:
        """A reference to a group: of several digits as many count as give a group that was opened before."""
        while (more := self.pattern[self.at : self.at + 1]) and more in "0123456789":
            if int(digits + more) > self.groups:
                break
            digits += more
            self.at += 1
        if int(digits) > self.groups or int(digits) in self.open_groups:
            raise self._refused()
        return f"(?:\\{digits})"

    def _property(self, sign: str) -> str:
        end = self.pattern.find("}", self.at)
        if not self._ahead("{") or end < 0:
            raise self._refused()
        name = self.pattern[self.at + 1 : end]
        self.at = end + 1
        if name in _CATEGORIES:
            found = f"\\{sign}{{{name}}}"
            return f"(?-i:{found})" if name in _CASED and "i" in self.flags else found
        if re.fullmatch(r"Is[A-Za-z0-9-]+", name) is None:
            raise self._refused()
        # A block of characters is named `IsGreek` in XPath and `InGreek` here.
        return f"\\{sign}{{In{name[2:]}}}"

    def _set(self) -> str:
        """What stands in brackets, from behind the opening one to behind the closing one."""
        negated = self._ahead("^")
        self.at += negated
        start, members, fixed, without = self.at, "", [], ""
        while not self._ahead("]") or self.at == start:
            if self.at >= len(self.pattern) or self._ahead("]") or without:
                raise self._refused()
            if self._ahead("-[") and self.at > start:
                self.at += 2
                without = f"(?!{self._set()})"
                continue
            member = self._of_set(self.pattern[self.at])
            if member.startswith("(?"):
                fixed.append(member)
            else:
                members += member
        self.at += 1
        # What keeps its case cannot stand in brackets.
        if not fixed:
            plain = f"[{'^' if negated else ''}{members}]"
            return f"(?:{without}{plain})" if without else plain
        among = "|".join([*fixed, f"[{members}]"] if members else fixed)
        return f"(?:{without}(?!{among})(?s:.))" if negated else f"(?:{without}(?:{among}))"

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
