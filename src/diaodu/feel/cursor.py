"""The token stream with the names that are known at each place, for names of several words."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from diaodu.feel.errors import FeelSyntaxError, syntax_error
from diaodu.feel.lexer import Token, tokens_of

Result = TypeVar("Result")
Words = tuple[str, ...]

# Words that end a name which nobody declared.
KEYWORDS = frozenset(
    (
        *("and", "or", "in", "between", "instance"),
        *("if", "then", "else", "for", "return", "some", "every", "satisfies", "function"),
        *("true", "false", "null"),
    )
)
# The signs that the standard allows within names.
NAME_SIGNS = ("+", "-", "*", "/", ".", "'", "**")
# Names of the language in which a keyword stands.
LANGUAGE_NAMES = ("date and time", "days and time duration", "years and months duration")
MAX_DEPTH = 100
# Reading an open range looks ahead; text that makes it look ahead again and again is refused.
MAX_READS_PER_TOKEN = 60


def words_of(name: str) -> Words:
    return tuple(token.text for token in tokens_of(name)[:-1])


def _may_be_in_name(token: Token) -> bool:
    return token.kind in ("name", "number") or (token.kind == "sign" and token.text in NAME_SIGNS)


@lru_cache(maxsize=4096)
def _several_words(name: str) -> tuple[Words, bool]:
    """The words of a name of several, and whether all its signs are NAME_SIGNS; no words for any other name."""
    try:
        tokens = tokens_of(name)[:-1]
    except FeelSyntaxError:
        # What is not made of words and signs of the language can be read by `get value` only.
        return (), False
    if len(tokens) < 2 or tokens[0].text in KEYWORDS:
        return (), False
    return tuple(token.text for token in tokens), all(map(_may_be_in_name, tokens))


# Names of several words by their first, longest first.
Known = dict[str, tuple[tuple[Words, str], ...]]


@lru_cache(maxsize=256)
def _index(names: Words) -> Known:
    """The names that are given and those of the language; the given ones may hold any sign."""
    known: Known = {}
    for name in (*names, *LANGUAGE_NAMES):
        words, _ = _several_words(name)
        if words:
            _add(known, words, name)
    return known


def _add(known: Known, words: Words, name: str) -> None:
    same_start = known.get(words[0], ())
    if (words, name) not in same_start:
        known[words[0]] = tuple(sorted((*same_start, (words, name)), key=lambda one: -len(one[0])))


class Cursor:
    """Where the parser stands in the text."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.index = 0
        self.token = self.tokens[0]
        self._reads_left = MAX_READS_PER_TOKEN * len(self.tokens) + 1000
        self._depth = 0
        self._known = dict(_index(tuple(names)))

    def declare(self, name: str) -> None:
        """Make a name of several words known from here on.

        What begins with a keyword is no name, nor what holds other signs than NAME_SIGNS.
        """
        words, is_plain = _several_words(name)
        if is_plain:
            _add(self._known, words, name)

    def move_to(self, index: int) -> None:
        self.index = index
        self.token = self.tokens[index]

    def advance(self) -> Token:
        token = self.token
        self._reads_left -= 1
        if self._reads_left < 0:
            raise self.error("too-complex")
        if token.kind != "end":
            self.move_to(self.index + 1)
        return token

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these signs or keywords."""
        return self.token.text in texts and self.token.kind in ("sign", "name")

    def accept(self, text: str) -> bool:
        if self.at(text):
            self.advance()
            return True
        return False

    def expect(self, text: str) -> Token:
        if not self.at(text):
            raise self.unexpected(text)
        return self.advance()

    def follows(self, *texts: str) -> bool:
        """Whether the tokens from here on are these signs or words."""
        ahead = self.tokens[self.index : self.index + len(texts)]
        return tuple(token.text for token in ahead) == texts

    def error(self, code: str, **values: object) -> FeelSyntaxError:
        return syntax_error(code, self.text, self.token.at, **values)

    def unexpected(self, expected: str) -> FeelSyntaxError:
        return self.error("unexpected", found=self.token.text or "end", expected=expected)

    def name(self, *, may_be_keyword: bool = False) -> str:
        """A name: the longest known one, or else all words up to the next sign or keyword."""
        if self.token.kind != "name" or (self.token.text in KEYWORDS and not may_be_keyword):
            raise self.unexpected("name")
        known, start = self._longest_known(), self.index
        if known is not None:
            self.move_to(self.index + len(known[0]) - 1)
            self.advance()
            if not self._at_word():
                return known[1]
            self.move_to(start)
        if self.advance().text != "?":
            while self._at_word():
                self.advance()
        return self.source(start)

    def new_name(self, *ends: str) -> str:
        """The name of a parameter or of a loop, known from here on: a known one, or all up to one of the `ends`."""
        if self.token.text in KEYWORDS:
            raise self.unexpected("name")
        known, start = self._longest_known(), self.index
        if known is not None:
            self.move_to(start + len(known[0]))
            if self.at(*ends):
                return known[1]
            self.move_to(start)
        return self._name_up_to(ends)

    def key(self, *ends: str) -> str:
        """Everything up to one of the signs `ends`, as one name; or a text, which may hold any sign."""
        if self.token.kind != "text":
            return self._name_up_to(ends)
        quoted = str(self.advance().value)
        self.declare(quoted)
        return quoted

    def within_name(self, index: int) -> bool:
        """Whether the token at `index` may stand within a name."""
        return _may_be_in_name(self.tokens[index])

    def _name_up_to(self, ends: Words) -> str:
        start = self.index
        if self.token.kind != "name":
            raise self.unexpected("name")
        while self.index == start or not self.at(*ends):
            if not self.within_name(self.index):
                raise self.unexpected(" ".join(ends))
            self.advance()
        name = self.source(start)
        self.declare(name)
        return name

    def source(self, start: int) -> str:
        """The tokens from `start` to here with every gap, or comment, one space wide."""
        tokens = self.tokens[start : self.index]
        gaps = (" " if token.at > before.end else "" for before, token in pairwise(tokens))
        return tokens[0].text + "".join(gap + token.text for gap, token in zip(gaps, tokens[1:], strict=True))

    def attempt(self, read: Callable[[], Result]) -> Result | None:
        """What `read` reads, or None and no move when the text does not fit."""
        start, depth = self.index, self._depth
        try:
            return read()
        except FeelSyntaxError as error:
            if error.code == "too-complex":
                raise
            self.move_to(start)
            self._depth = depth
            return None

    def deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.error("too-deep")

    def shallower(self) -> None:
        self._depth -= 1

    def _at_word(self) -> bool:
        return self.token.kind == "name" and self.token.text not in KEYWORDS and self.token.text != "?"

    def _longest_known(self) -> tuple[Words, str] | None:
        for words, name in self._known.get(self.token.text, ()):
            if self.follows(*words):
                return words, name
        return None
