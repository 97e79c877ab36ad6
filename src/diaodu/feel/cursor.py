"""The token stream with the names that are known at each place, for names of several words."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
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
# Names of the language in which a keyword stands.
LANGUAGE_NAMES = ("date and time", "days and time duration", "years and months duration")
MAX_DEPTH = 100
# Reading an open range looks ahead; text that makes it look ahead again and again is refused.
MAX_READS_PER_TOKEN = 60


def words_of(name: str) -> Words:
    return tuple(token.text for token in tokens_of(name)[:-1])


class Cursor:
    """Where the parser stands in the text."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.index = 0
        self.token = self.tokens[0]
        self._reads_left = MAX_READS_PER_TOKEN * len(self.tokens) + 1000
        self._depth = 0
        # Names of several words by their first, longest first.
        self._known: dict[str, list[tuple[Words, str]]] = {}
        for name in (*names, *LANGUAGE_NAMES):
            self.declare(name)

    def declare(self, name: str) -> None:
        """Make a name of several words known from here on."""
        words = words_of(name)
        if len(words) > 1:
            same_start = self._known.setdefault(words[0], [])
            if (words, name) not in same_start:
                same_start.append((words, name))
                same_start.sort(key=lambda known: -len(known[0]))

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

    def name(self) -> str:
        """A name: the longest known one, or else all words up to the next sign or keyword."""
        if self.token.kind != "name" or self.token.text in KEYWORDS:
            raise self.unexpected("name")
        known, start = self._longest_known(), self.index
        if known is not None:
            self.move_to(self.index + len(known[0]) - 1)
            self.advance()
            if not self._at_word():
                return known[1]
            self.move_to(start)
        self.advance()
        while self._at_word():
            self.advance()
        return self.source(start)

    def key(self, *ends: str) -> str:
        """Everything up to one of the signs `ends`, as one name."""
        start = self.index
        if self.token.kind == "text":
            quoted = str(self.advance().value)
            with suppress(FeelSyntaxError):
                # What is not made of words and signs of the language can be read by `get value` only.
                self.declare(quoted)
            return quoted
        if self.token.kind != "name":
            raise self.unexpected("name")
        while not self.at(*ends):
            if self.token.kind not in ("name", "number") and not self.at("+", "-", "*", "/", ".", "'", "**"):
                raise self.unexpected(" ".join(ends))
            self.advance()
        name = self.source(start)
        self.declare(name)
        return name

    def source(self, start: int) -> str:
        """The text from token `start` to here with every gap one space wide."""
        text = self.text[self.tokens[start].at : self.tokens[self.index - 1].end]
        return " ".join(text.split())

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
