"""Random syntax trees of FEEL: every kind of node, with the names, texts and values that are hard to read and write."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import TypeVar

from diaodu.feel import ast
from diaodu.feel.parser import ParsedTests
from diaodu.feel.temporal_text import temporal_of

# Known to whoever reads the text, and in part also as words of their own.
NAMES = (
    *(
        "a",
        "b",
        "客户",
        "订单项",
        "order total",
        "first name",
        "客户 级别",
        "item",
        "partial",
        "x1",
        "time zone",
        "order",
    ),
    *(
        "a-b",
        "a+b",
        "profit and loss",
        "b.c",
        "a*b",
        "share in group",
        "a - b / c",
        "客户-级别",
        "driver's age",
        "a and b",
    ),
    *("x instance of y", "b then", "a or b", "b**2"),
)
FREE = ("a", "b", "客户", "订单项", "x1", "item", "partial", "速率", "date", "order", "名 称", "sum", "count", "string")
KEYS = (*FREE, *NAMES, "if", "", 'a"b', "1st", "价格（元）", "a/*b", "p//q", "in", "a:b", "?", "two\nlines")
TEXTS = ("", "a", "五星", 'a"b', "\\", "\\d+", "line\nfeed", "\t", "🐎", "//", "/*", "\u0000", "'", "\u2028", "${x}")
NUMBERS = ("0", "1", "2", "3", "10", "2.50", ".5", "1e3", "1E-7", "12345678901234567890", "0.1", "1e6000", "100")
MOMENTS = (
    *("2024-02-29", "-0044-03-15", "10:00:00Z", "10:00:00.5+08:00", "23:59:59@Asia/Shanghai", "12:00:00"),
    *(
        "2024-02-29T10:00:00",
        "2024-03-31T02:30:00@Europe/Paris",
        "9999-12-31T23:59:59Z",
        "2021-01-01T00:00:00-05:30:15",
    ),
    *("P1D", "PT1H30M", "-P2DT0.000000001S", "P1Y2M", "-P3M", "PT0S", "P0Y"),
)
TYPES = (
    "number",
    "string",
    "boolean",
    "date",
    "time",
    "date and time",
    "days and time duration",
    "Any",
    "list",
    "range",
)
FUNCTIONS = (
    "sum",
    "count",
    "date",
    "string",
    "not",
    "date and time",
    "list contains",
    "f",
    "sort",
    "years and months duration",
)
LITERALS: tuple[object, ...] = (
    *(None, True, False),
    *map(Decimal, NUMBERS),
    *map(temporal_of, MOMENTS),
    *TEXTS,
)
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


Made = TypeVar("Made")


class Trees:
    """Trees that the parser can produce when it knows NAMES, made in the order of their text, of about `size` nodes."""

    def __init__(self, rng: Random, size: int = 25) -> None:
        self._rng = rng
        self._left = size
        # A name that a loop or a function makes is known from there on.
        self._names = [*FREE, *NAMES]
        self._leaves: tuple[Callable[[], ast.Node], ...] = (self._literal, self._name)
        self._nodes: tuple[Callable[[], ast.Node], ...] = (
            *(self._literal, self._name, self._path, self._filter, self._negation, self._arithmetic, self._comparison),
            *(self._junction, self._between, self._test, self._in, self._range, self._if, self._for, self._quantified),
            *(self._instance_of, self._list, self._context, self._function, self._call, self._named_call),
            *(self._name, self._arithmetic, self._path),
        )

    def expression(self) -> ast.Node:
        """Any tree."""
        self._left -= 1
        return self._rng.choice(self._nodes if self._left > 0 else self._leaves)()

    def tests(self) -> ParsedTests:
        """Unary tests, now and then the dash."""
        if self._rng.random() < 0.05:
            return ParsedTests(negated=False, tests=None)
        return ParsedTests(self._rng.random() < 0.3, self._some(self.expression, 1, 3))

    def _some(self, make: Callable[[], Made], least: int, most: int) -> tuple[Made, ...]:
        return tuple(make() for _ in range(self._rng.randint(least, most)))

    def _literal(self) -> ast.Node:
        return ast.Literal(0, self._rng.choice(LITERALS))

    def _name(self) -> ast.Node:
        return ast.Name(0, self._rng.choice((*self._names, "?")))

    def _path(self) -> ast.Node:
        return ast.Path(0, self.expression(), self._rng.choice((*self._names, "in", "return", "null")))

    def _filter(self) -> ast.Node:
        return ast.Filter(0, self.expression(), self.expression())

    def _negation(self) -> ast.Node:
        return ast.Negation(0, self.expression())

    def _arithmetic(self) -> ast.Node:
        return ast.Arithmetic(0, self._rng.choice(("+", "-", "*", "/", "**")), self.expression(), self.expression())

    def _comparison(self) -> ast.Node:
        return ast.Comparison(0, self._rng.choice(COMPARISONS), self.expression(), self.expression())

    def _junction(self) -> ast.Node:
        return ast.Junction(0, self._rng.choice(("and", "or")), self._some(self.expression, 2, 3))

    def _between(self) -> ast.Node:
        return ast.Between(0, self.expression(), self.expression(), self.expression())

    def _test(self) -> ast.Node:
        return ast.Test(0, self._rng.choice(COMPARISONS), self.expression())

    def _in(self) -> ast.Node:
        return ast.In(0, self.expression(), self._some(self.expression, 1, 3))

    def _range(self) -> ast.Node:
        start, end = self.expression(), self.expression()
        return ast.RangeOf(0, start, end, self._rng.random() < 0.5, self._rng.random() < 0.5)

    def _if(self) -> ast.Node:
        return ast.If(0, self.expression(), self.expression(), self.expression())

    def _for(self) -> ast.Node:
        return ast.For(0, self._some(self._binding, 1, 2), self.expression())

    def _quantified(self) -> ast.Node:
        return ast.Quantified(0, self._rng.random() < 0.5, self._some(self._binding, 1, 2), self.expression())

    def _binding(self) -> ast.Binding:
        name = self._new_name()
        return ast.Binding(0, name, self.expression(), self.expression() if self._rng.random() < 0.3 else None)

    def _new_name(self) -> str:
        name = self._rng.choice((*FREE, *NAMES, "i-j", "新/旧", "n + 1", "i return j"))
        self._names.append(name)
        return name

    def _instance_of(self) -> ast.Node:
        return ast.InstanceOf(0, self.expression(), self._type())

    def _type(self) -> ast.TypeRef:
        self._left -= 1
        kind = self._rng.randrange(8) if self._left > 0 else 7
        if kind == 0:
            return ast.TypeRef(self._rng.choice(("list", "range")), (self._type(),))
        if kind == 1:
            return ast.TypeRef("context", (), self._some(lambda: (self._rng.choice(KEYS), self._type()), 1, 2))
        if kind == 2:
            return ast.TypeRef("function", self._some(self._type, 0, 2), (), self._type())
        return ast.TypeRef(self._rng.choice((*TYPES, "tItem", "inc.t客户", "t Item", "null", "function", "context")))

    def _list(self) -> ast.Node:
        return ast.ListOf(0, self._some(self.expression, 0, 3))

    def _context(self) -> ast.ContextOf:
        return ast.ContextOf(0, self._some(self._entry, 0, 3))

    def _entry(self) -> tuple[str, ast.Node]:
        return self._rng.choice(KEYS), self.expression()

    def _function(self) -> ast.Node:
        parameters = self._some(self._parameter, 0, 2)
        external = self._rng.random() < 0.1
        return ast.FunctionOf(0, parameters, self._context() if external else self.expression(), external)

    def _parameter(self) -> tuple[str, ast.TypeRef | None]:
        return self._new_name(), self._type() if self._rng.random() < 0.5 else None

    def _call(self) -> ast.Node:
        return ast.Call(0, self._callee(), self._some(self.expression, 0, 3))

    def _named_call(self) -> ast.Node:
        return ast.NamedCall(0, self._callee(), self._some(self._entry, 1, 3))

    def _callee(self) -> ast.Node:
        return ast.Name(0, self._rng.choice(FUNCTIONS)) if self._rng.random() < 0.7 else self.expression()
