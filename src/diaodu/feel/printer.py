"""A syntax tree to its text: reading the text gives the tree again, and no parenthesis is there in vain.

Names may hold signs and keywords (`profit and loss`), and the longest known name wins. Where an operand and what
follows it would read as one known name, the operand stands in parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from diaodu.feel import ast
from diaodu.feel.cursor import KEYWORDS, LANGUAGE_NAMES, NAME_SIGNS, Cursor, words_of
from diaodu.feel.errors import FeelSyntaxError
from diaodu.feel.parser import ADDITION, COMPARISON, OR, POWER, STRENGTH, ParsedTests

# Binds more than any operator: a minus sign with its operand, and what nothing can be put into.
PREFIX, WHOLE = POWER + 1, POWER + 2
# As loose as the text in a parenthesis; `if`, `for` and the like take all that follows.
LOOSE = OR - 1
_SIGNS = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HIDDEN = re.compile(r'[\\"\x00-\x1f\x7f-\x9f]')
# Longer than any name that anybody gives.
_NAME_REACH = 1000


def to_text(tree: ast.Node | ParsedTests, names: Collection[str] = ()) -> str:
    """The text of an expression or of unary tests, to be read with the same `names`."""
    if not isinstance(tree, ParsedTests):
        return _Printer(names, (tree,)).text(tree)
    if tree.tests is None:
        return "-"
    printer = _Printer(names, tree.tests)
    tests = ", ".join(map(printer.text, tree.tests))
    if tree.negated:
        return f"not({tests})"
    # A lone call of the function `not` is no negation of the cell.
    is_call = len(tree.tests) == 1 and isinstance(tree.tests[0], ast.Call)
    return f"({tests})" if is_call and tests.startswith("not(") else tests


def quoted(value: str) -> str:
    """The literal of a text."""
    return '"' + _HIDDEN.sub(lambda sign: _SIGNS.get(sign[0]) or f"\\u{ord(sign[0]):04x}", value) + '"'


class _Printer:
    def __init__(self, names: Collection[str], trees: Collection[ast.Node]) -> None:
        known = {*names, *LANGUAGE_NAMES, *(name for tree in trees for name in _declared(tree))}
        # How the text before an operator may end and how the operator goes on, for each way to cut a name in two.
        self._cuts = [cut for name in known for cut in _cuts(name)]
        self._writers: dict[type[ast.Node], Callable[[Any], tuple[str, int]]] = {
            ast.Literal: lambda node: (_literal(node.value), WHOLE),
            ast.Name: lambda node: (node.name, WHOLE),
            ast.Path: self._path,
            ast.Filter: lambda node: (f"{self.text(node.source, WHOLE)}[{self.text(node.condition)}]", WHOLE),
            ast.Negation: lambda node: ("-" + self.text(node.operand, PREFIX), PREFIX),
            ast.Arithmetic: self._binary,
            ast.Comparison: self._binary,
            ast.Junction: self._junction,
            ast.Between: self._between,
            ast.Test: lambda node: (f"{node.operator} {self.text(node.operand, ADDITION)}", LOOSE),
            ast.In: self._in,
            ast.RangeOf: self._range,
            ast.If: self._if,
            ast.InstanceOf: self._instance_of,
            ast.ListOf: lambda node: (f"[{self._all(node.items)}]", WHOLE),
            ast.For: self._for,
            ast.Quantified: self._quantified,
            ast.ContextOf: lambda node: ("{" + self._entries(node.entries) + "}", WHOLE),
            ast.FunctionOf: self._function,
            ast.Call: lambda node: (f"{self.text(node.function, WHOLE)}({self._all(node.arguments)})", WHOLE),
            ast.NamedCall: lambda node: (
                f"{self.text(node.function, WHOLE)}({self._entries(node.arguments)})",
                WHOLE,
            ),
        }

    def text(self, node: ast.Node, weakest: int = LOOSE) -> str:
        """The text of a node, in parentheses when it binds weaker than it must here."""
        text, strength = self._writers[type(node)](node)
        return text if strength >= weakest else f"({text})"

    def _joined(self, left: str, right: str) -> str:
        """Both in a row, the left one in parentheses where the two would read as a name."""
        end = left[-_NAME_REACH:]
        if any(after.match(right) and before.search(end) for before, after in self._cuts):
            left = f"({left})"
        return left + right

    def _path(self, node: ast.Path) -> tuple[str, int]:
        return self._joined(self.text(node.source, WHOLE), f".{node.name}"), WHOLE

    def _binary(self, node: ast.Arithmetic | ast.Comparison) -> tuple[str, int]:
        strength = STRENGTH[node.operator]
        right = f" {node.operator} {self.text(node.right, strength + 1)}"
        # Behind a type, `<` would open the types of its parts.
        is_type = node.operator == "<" and isinstance(node.left, ast.InstanceOf)
        return self._joined(self.text(node.left, WHOLE if is_type else strength), right), strength

    def _junction(self, node: ast.Junction) -> tuple[str, int]:
        strength = STRENGTH[node.operator]
        text = self.text(node.operands[-1], strength + 1)
        for operand in reversed(node.operands[:-1]):
            text = self._joined(self.text(operand, strength + 1), f" {node.operator} {text}")
        return text, strength

    def _between(self, node: ast.Between) -> tuple[str, int]:
        ends = self._joined(self.text(node.low, ADDITION), f" and {self.text(node.high, ADDITION)}")
        return self._joined(self.text(node.value, COMPARISON), f" between {ends}"), COMPARISON

    def _in(self, node: ast.In) -> tuple[str, int]:
        return self._joined(self.text(node.value, COMPARISON), f" in {self._in_tests(node.tests)}"), COMPARISON

    def _in_tests(self, tests: tuple[ast.Node, ...]) -> str:
        if len(tests) > 1:
            return f"({self._all(tests)})"
        return self.text(tests[0], LOOSE if isinstance(tests[0], ast.Test) else ADDITION)

    def _range(self, node: ast.RangeOf) -> tuple[str, int]:
        opening, closing = "[" if node.start_included else "(", "]" if node.end_included else ")"
        return f"{opening}{self.text(node.start)}..{self.text(node.end, ADDITION)}{closing}", WHOLE

    def _if(self, node: ast.If) -> tuple[str, int]:
        then = self._joined(self.text(node.then), f" else {self.text(node.otherwise)}")
        return "if " + self._joined(self.text(node.condition), f" then {then}"), LOOSE

    def _instance_of(self, node: ast.InstanceOf) -> tuple[str, int]:
        return self._joined(self.text(node.value, WHOLE), f" instance of {self._type(node.type)}"), COMPARISON

    def _for(self, node: ast.For) -> tuple[str, int]:
        return "for " + self._bindings(node.bindings, f" return {self.text(node.body)}"), LOOSE

    def _quantified(self, node: ast.Quantified) -> tuple[str, int]:
        word = "every" if node.every else "some"
        return f"{word} " + self._bindings(node.bindings, f" satisfies {self.text(node.condition)}"), LOOSE

    def _bindings(self, bindings: tuple[ast.Binding, ...], rest: str) -> str:
        for number, binding in reversed(list(enumerate(bindings))):
            source = self.text(binding.source)
            if binding.end is None:
                domain = self._joined(source, rest)
            else:
                domain = f"{source}..{self._joined(self.text(binding.end), rest)}"
            rest = f"{', ' if number else ''}{self._bound(binding, source, domain)}"
        return rest

    def _bound(self, binding: ast.Binding, source: str, domain: str) -> str:
        """`name in domain`; a source that would read as more of the name stands in parentheses."""
        text = f"{binding.name} in {domain}"
        if self._joined(binding.name, f" in {domain}") == text or not domain.startswith(source):
            return text
        return f"{binding.name} in ({source}){domain[len(source) :]}"

    def _function(self, node: ast.FunctionOf) -> tuple[str, int]:
        parameters = ", ".join(
            name if wanted is None else f"{name}: {self._type(wanted)}" for name, wanted in node.parameters
        )
        return f"function({parameters}) {'external ' if node.external else ''}{self.text(node.body)}", LOOSE

    def _all(self, nodes: tuple[ast.Node, ...]) -> str:
        return ", ".join(map(self.text, nodes))

    def _entries(self, entries: tuple[tuple[str, ast.Node], ...]) -> str:
        return ", ".join(f"{_key(name)}: {self.text(value)}" for name, value in entries)

    def _type(self, ref: ast.TypeRef) -> str:
        parts = [self._type(part) for part in ref.items]
        parts += [f"{_key(name)}: {self._type(part)}" for name, part in ref.entries]
        text = f"{ref.name}<{', '.join(parts)}>" if parts or ref.result is not None else ref.name
        return text if ref.result is None else f"{text}->{self._type(ref.result)}"


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else f'@"{value}"'


def _key(name: str) -> str:
    """A name before a colon, quoted where it would not be read as it is."""
    try:
        return name if Cursor(f"{name}:", ()).key(":") == name else quoted(name)
    except FeelSyntaxError:
        return quoted(name)


@lru_cache(maxsize=2048)
def _cuts(name: str) -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    """Every way in which a sign or keyword may cut a name in two: how the one part ends, how the other begins."""
    try:
        words = words_of(name)
    except FeelSyntaxError:
        return ()
    parts = [re.escape(word) for word in words]
    close = r"(?:\b|$)" if words and words[-1].isalnum() else ""
    gap = r"\s*"
    return tuple(
        (re.compile(rf"(?:^|\W){gap.join(parts[:at])}$"), re.compile(rf"{gap}{gap.join(parts[at:])}{close}"))
        for at in range(1, len(words))
        if words[at] in KEYWORDS or words[at] in NAME_SIGNS
    )


def _declared(tree: ast.Node) -> Iterator[str]:
    """All names that the text of the tree makes known."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        waiting.extend(ast.children(node))
        match node:
            case ast.Binding():
                yield node.name
            case ast.ContextOf(entries=named) | ast.NamedCall(arguments=named):
                yield from (name for name, _ in named)
            case ast.InstanceOf():
                yield from _entry_names(node.type)
            case ast.FunctionOf():
                for name, wanted in node.parameters:
                    yield name
                    yield from () if wanted is None else _entry_names(wanted)


def _entry_names(ref: ast.TypeRef) -> Iterator[str]:
    """The names of the entries of context types."""
    yield from (name for name, _ in ref.entries)
    for part in (*ref.items, *(part for _, part in ref.entries), *((ref.result,) if ref.result else ())):
        yield from _entry_names(part)
