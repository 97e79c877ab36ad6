"""The library's face: text compiled once, evaluated often."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from diaodu.feel import ast
from diaodu.feel.analysis import reads_of
from diaodu.feel.budget import Budget
from diaodu.feel.builtins import BUILTINS
from diaodu.feel.compile import scope_of
from diaodu.feel.errors import Diagnostic, FeelBudgetExceeded, Source, syntax_error
from diaodu.feel.parser import ParsedTests, parse_expression, parse_unary_tests
from diaodu.feel.runtime import Frame, Run
from diaodu.feel.unary import TESTED, compile_tests
from diaodu.feel.values import lift


class Expression:
    """A compiled expression; safe to use from several threads.

    `paths` are the dotted paths it may read from the context, each with all that lies below, and `names` their first
    segments. A name within a filter may be an entry of the item instead: such paths are also in `maybe`.
    """

    __slots__ = ("_closure", "maybe", "names", "paths", "text", "tree")

    def __init__(self, text: str, tree: ast.Node) -> None:
        self.text = text
        self.tree = tree
        self._closure = scope_of(Source(text)).compile(tree)
        reads = reads_of(tree, BUILTINS)
        self.paths = frozenset(reads.paths)
        self.names = frozenset(path.partition(".")[0] for path in self.paths)
        self.maybe = frozenset(reads.maybe)

    def evaluate(
        self, context: Mapping[str, object], budget: Budget | None = None, now: datetime | None = None
    ) -> object:
        """The value; `now` is what now() and today() give. Raises FeelBudgetExceeded."""
        return self.evaluate_within(Run.start(budget, now), context)

    def evaluate_with_diagnostics(
        self, context: Mapping[str, object], budget: Budget | None = None, now: datetime | None = None
    ) -> tuple[object, list[Diagnostic]]:
        """The value, and why parts of it are null, in the order of evaluation."""
        reasons: list[Diagnostic] = []
        return self.evaluate_within(Run.start(budget, now, reasons), context), reasons

    def evaluate_within(self, run: Run, context: Mapping[str, object]) -> object:
        """The value as part of a larger evaluation, which pays for it. Raises FeelBudgetExceeded."""
        try:
            return self._closure(Frame(context, run, {}, None))
        except RecursionError:
            raise FeelBudgetExceeded("depth") from None


class UnaryTests:
    """Compiled tests of one value, such as the cell of a decision table."""

    __slots__ = ("_decide", "names", "paths", "text")

    def __init__(self, text: str, parsed: ParsedTests) -> None:
        self.text = text
        self._decide = compile_tests(parsed, scope_of(Source(text)))
        reads = [reads_of(tree, BUILTINS) for tree in parsed.tests or ()]
        self.paths = frozenset(path for read in reads for path in read.paths if path.partition(".")[0] != TESTED)
        self.names = frozenset(path.partition(".")[0] for path in self.paths)

    def evaluate(
        self,
        value: object,
        context: Mapping[str, object],
        budget: Budget | None = None,
        now: datetime | None = None,
    ) -> bool | None:
        """Whether the value passes any of the tests; None when that cannot be said. Raises FeelBudgetExceeded."""
        return self.evaluate_within(Run.start(budget, now), value, context)

    def evaluate_within(self, run: Run, value: object, context: Mapping[str, object]) -> bool | None:
        """The same as part of a larger evaluation, which pays for it."""
        try:
            return self._decide(Frame(context, run, {}, None), lift(value))
        except RecursionError:
            raise FeelBudgetExceeded("depth") from None


def compile_expression(text: str, names: Collection[str] = ()) -> Expression:
    """Compile one expression; `names` are known names of several words. Raises FeelSyntaxError."""
    try:
        return Expression(text, parse_expression(text, names))
    except RecursionError:
        raise syntax_error("too-deep", text, 0) from None


def compile_unary_tests(text: str, names: Collection[str] = ()) -> UnaryTests:
    """Compile the tests of a cell: comma-separated, `not(...)`, or `-`. Raises FeelSyntaxError."""
    try:
        return UnaryTests(text, parse_unary_tests(text, names))
    except RecursionError:
        raise syntax_error("too-deep", text, 0) from None
