"""Tokens to a syntax tree: recursive descent with binding strengths for the operators between two operands."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from diaodu.feel import ast
from diaodu.feel.cursor import Cursor
from diaodu.feel.lexer import Token
from diaodu.feel.temporal_text import temporal_of

OR, AND, COMPARISON, ADDITION, MULTIPLICATION, POWER = range(1, 7)
STRENGTH = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "between", "in"), COMPARISON),
    **dict.fromkeys(("+", "-"), ADDITION),
    **dict.fromkeys(("*", "/"), MULTIPLICATION),
    "**": POWER,
}
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
# A tree is walked by functions that call themselves; one that is no higher than its text is short needs no look.
MAX_HEIGHT = 250
CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class ParsedTests:
    """Unary tests; `tests` is None for the dash, which every value passes."""

    negated: bool
    tests: tuple[ast.Node, ...] | None


def parse_expression(text: str, names: Collection[str] = ()) -> ast.Node:
    """The tree of one expression; raises FeelSyntaxError."""
    parser = Parser(Cursor(text, names))
    tree = parser.whole(parser.expression)
    parser.check_height(tree)
    return tree


def parse_unary_tests(text: str, names: Collection[str] = ()) -> ParsedTests:
    """The trees of comma-separated tests, `not(...)` around them, or a dash; raises FeelSyntaxError."""
    parser = Parser(Cursor(text, names))
    parsed = parser.whole(parser.unary_tests)
    parser.check_height(*(parsed.tests or ()))
    return parsed


Result = TypeVar("Result")


class Parser:
    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        # Whether a `[` may close an open range such as `[1..10[` instead of beginning a filter.
        self._in_range_end = False
        self._starts: dict[str, Callable[[], ast.Node]] = {
            "if": self._if,
            "for": self._for,
            "some": self._quantified,
            "every": self._quantified,
            "function": self._function,
            "(": self._parenthesis,
            "[": self._bracket,
            "]": self._bracket,
            "{": self._context,
        }

    def whole(self, read: Callable[[], Result]) -> Result:
        try:
            result = read()
        except RecursionError:
            raise self.cursor.error("too-deep") from None
        if self.cursor.token.kind != "end":
            raise self.cursor.unexpected("end")
        return result

    def check_height(self, *trees: ast.Node) -> None:
        """Refuse trees that are too high, such as those of a sum of a thousand parts."""
        if len(self.cursor.tokens) > MAX_HEIGHT and any(ast.height(tree) > MAX_HEIGHT for tree in trees):
            raise self.cursor.error("too-deep")

    def unary_tests(self) -> ParsedTests:
        cursor = self.cursor
        if cursor.at("-") and cursor.tokens[cursor.index + 1].kind == "end":
            cursor.advance()
            return ParsedTests(negated=False, tests=None)
        if cursor.follows("not", "("):
            negated = cursor.attempt(self._negated_tests)
            if negated is not None:
                return ParsedTests(negated=True, tests=negated)
        return ParsedTests(negated=False, tests=self._tests())

    def _negated_tests(self) -> tuple[ast.Node, ...]:
        self.cursor.advance()
        self.cursor.expect("(")
        tests = self._tests()
        self.cursor.expect(")")
        if self.cursor.token.kind != "end":
            raise self.cursor.unexpected("end")
        return tests

    def _tests(self) -> tuple[ast.Node, ...]:
        tests = [self.expression()]
        while self.cursor.accept(","):
            tests.append(self.expression())
        return tuple(tests)

    def expression(self) -> ast.Node:
        self.cursor.deeper()
        outer, self._in_range_end = self._in_range_end, False
        try:
            return self._operation(OR)
        finally:
            self._in_range_end = outer
            self.cursor.shallower()

    def _operation(self, weakest: int, left: ast.Node | None = None) -> ast.Node:
        """Operands and the operators between them that bind at least so strongly; `left` has been read already."""
        cursor = self.cursor
        left = left or self._prefixed()
        while cursor.token.kind in ("sign", "name"):
            strength = STRENGTH.get(cursor.token.text)
            if strength is None or strength < weakest:
                break
            left = self._infix(left, strength)
        return left

    def _infix(self, left: ast.Node, strength: int) -> ast.Node:
        token = self.cursor.advance()
        operator = token.text
        if strength <= AND:
            operands = [left, self._operation(strength + 1)]
            while self.cursor.accept(operator):
                operands.append(self._operation(strength + 1))
            return ast.Junction(token.at, operator, tuple(operands))
        if operator == "between":
            low = self._operation(ADDITION)
            self.cursor.expect("and")
            return ast.Between(token.at, left, low, self._operation(ADDITION))
        if operator == "in":
            return ast.In(token.at, left, self._in_tests())
        right = self._operation(strength + 1)
        make = ast.Comparison if strength == COMPARISON else ast.Arithmetic
        return make(token.at, operator, left, right)

    def _in_tests(self) -> tuple[ast.Node, ...]:
        """Tests in parentheses, or one operand, which may begin with a parenthesis too."""
        cursor = self.cursor
        if not cursor.at("("):
            return (self._operation(ADDITION),)
        opening = cursor.advance()
        tests = [self.expression()]
        while cursor.accept(","):
            tests.append(self.expression())
        if len(tests) > 1:
            cursor.expect(")")
            return tuple(tests)
        return (self._operation(ADDITION, self._followed(self._closed(opening, tests[0]))),)

    def _prefixed(self) -> ast.Node:
        cursor = self.cursor
        if cursor.at("-"):
            token = cursor.advance()
            cursor.deeper()
            negated = ast.Negation(token.at, self._prefixed())
            cursor.shallower()
            return negated
        if cursor.at(*COMPARISONS):
            token = cursor.advance()
            return ast.Test(token.at, token.text, self._operation(ADDITION))
        return self._followed(self._primary())

    def _followed(self, node: ast.Node) -> ast.Node:
        """What stands directly behind a value: path, filter, arguments, `instance of`."""
        cursor = self.cursor
        while True:
            at = cursor.token.at
            if cursor.accept("."):
                node = ast.Path(at, node, cursor.name(may_be_keyword=True))
            elif cursor.at("["):
                condition = cursor.attempt(self._filter) if self._in_range_end else self._filter()
                if condition is None:
                    return node
                node = ast.Filter(at, node, condition)
            elif cursor.at("("):
                node = self._call(node)
            elif cursor.follows("instance", "of"):
                cursor.advance()
                cursor.advance()
                node = ast.InstanceOf(at, node, self._type())
            else:
                return node

    def _filter(self) -> ast.Node:
        self.cursor.expect("[")
        condition = self.expression()
        self.cursor.expect("]")
        return condition

    def _primary(self) -> ast.Node:
        cursor = self.cursor
        token = cursor.token
        if token.kind in ("number", "text"):
            cursor.advance()
            return ast.Literal(token.at, token.value)
        if token.kind == "at":
            value = temporal_of(str(token.value))
            if value is None:
                raise cursor.error("bad-literal", found=token.text)
            cursor.advance()
            return ast.Literal(token.at, value)
        start = self._starts.get(token.text)
        if start is not None:
            return start()
        if token.text in CONSTANTS:
            cursor.advance()
            return ast.Literal(token.at, CONSTANTS[token.text])
        if token.kind != "name":
            raise cursor.unexpected("expression")
        return ast.Name(token.at, cursor.name())

    def _if(self) -> ast.Node:
        at = self.cursor.advance().at
        condition = self.expression()
        self.cursor.expect("then")
        then = self.expression()
        self.cursor.expect("else")
        return ast.If(at, condition, then, self.expression())

    def _for(self) -> ast.Node:
        at = self.cursor.advance().at
        bindings = self._bindings()
        self.cursor.expect("return")
        return ast.For(at, bindings, self.expression())

    def _quantified(self) -> ast.Node:
        token = self.cursor.advance()
        bindings = self._bindings()
        self.cursor.expect("satisfies")
        return ast.Quantified(token.at, token.text == "every", bindings, self.expression())

    def _bindings(self) -> tuple[ast.Binding, ...]:
        bindings: list[ast.Binding] = []
        while not bindings or self.cursor.accept(","):
            at = self.cursor.token.at
            name = self.cursor.new_name("in")
            self.cursor.expect("in")
            source = self.expression()
            end = self.expression() if self.cursor.accept("..") else None
            bindings.append(ast.Binding(at, name, source, end))
        return tuple(bindings)

    def _function(self) -> ast.Node:
        cursor = self.cursor
        at = cursor.advance().at
        cursor.expect("(")
        parameters: list[tuple[str, ast.TypeRef | None]] = []
        while not cursor.at(")"):
            if parameters:
                cursor.expect(",")
            name = cursor.new_name(":", ",", ")")
            parameters.append((name, self._type() if cursor.accept(":") else None))
        cursor.expect(")")
        external = cursor.follows("external", "{")
        if external:
            cursor.advance()
        return ast.FunctionOf(at, tuple(parameters), self._context() if external else self.expression(), external)

    def _parenthesis(self) -> ast.Node:
        return self._closed(self.cursor.advance(), self.expression())

    def _closed(self, opening: Token, first: ast.Node) -> ast.Node:
        """What `first` is behind an opening parenthesis: the start of a range, or all of it."""
        if self.cursor.at(".."):
            return self._range(opening.at, first, start_included=False)
        self.cursor.expect(")")
        return first

    def _bracket(self) -> ast.Node:
        opening = self.cursor.advance()
        if opening.text == "[" and self.cursor.accept("]"):
            return ast.ListOf(opening.at, ())
        first = self.expression()
        if self.cursor.at("..") or opening.text == "]":
            return self._range(opening.at, first, start_included=opening.text == "[")
        items = [first]
        while self.cursor.accept(","):
            items.append(self.expression())
        self.cursor.expect("]")
        return ast.ListOf(opening.at, tuple(items))

    def _range(self, at: int, start: ast.Node, *, start_included: bool) -> ast.Node:
        self.cursor.expect("..")
        outer, self._in_range_end = self._in_range_end, True
        try:
            end = self._operation(ADDITION)
        finally:
            self._in_range_end = outer
        if not self.cursor.at("]", ")", "["):
            raise self.cursor.unexpected("] ) [")
        end_included = self.cursor.advance().text == "]"
        return ast.RangeOf(at, start, end, start_included, end_included)

    def _context(self) -> ast.Node:
        cursor = self.cursor
        at = cursor.advance().at
        entries: list[tuple[str, ast.Node]] = []
        while not cursor.at("}"):
            if entries:
                cursor.expect(",")
            key = cursor.key(":")
            cursor.expect(":")
            entries.append((key, self.expression()))
        cursor.expect("}")
        return ast.ContextOf(at, tuple(entries))

    def _call(self, function: ast.Node) -> ast.Node:
        cursor = self.cursor
        at = cursor.expect("(").at
        named = self._named_arguments_follow()
        arguments: list[tuple[str, ast.Node]] = []
        while not cursor.at(")"):
            if arguments:
                cursor.expect(",")
            name = ""
            if named:
                name = cursor.key(":")
                cursor.expect(":")
            arguments.append((name, self.expression()))
        cursor.expect(")")
        if named:
            return ast.NamedCall(at, function, tuple(arguments))
        return ast.Call(at, function, tuple(value for _, value in arguments))

    def _named_arguments_follow(self) -> bool:
        cursor, index = self.cursor, self.cursor.index
        if cursor.token.kind == "name":
            while cursor.within_name(index):
                index += 1
        elif cursor.token.kind == "text":
            index += 1
        return index > cursor.index and cursor.tokens[index].text == ":"

    def _type(self) -> ast.TypeRef:
        cursor = self.cursor
        self.cursor.deeper()
        name = "null" if cursor.accept("null") else "function" if cursor.accept("function") else cursor.name()
        while cursor.accept("."):
            name += "." + cursor.name()
        items: list[ast.TypeRef] = []
        entries: list[tuple[str, ast.TypeRef]] = []
        result = None
        if cursor.at("<"):
            cursor.advance()
            while not cursor.at(">"):
                if items or entries:
                    cursor.expect(",")
                if name == "context":
                    key = cursor.key(":")
                    cursor.expect(":")
                    entries.append((key, self._type()))
                else:
                    items.append(self._type())
            cursor.expect(">")
            result = self._type() if name == "function" and cursor.accept("->") else None
        cursor.shallower()
        return ast.TypeRef(name, tuple(items), tuple(entries), result)
