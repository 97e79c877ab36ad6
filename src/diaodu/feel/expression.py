"""The library's face: text compiled once, evaluated often."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from diaodu.feel import ast
from diaodu.feel.analysis import reads_of
from diaodu.feel.budget import DEFAULT_BUDGET, Budget
from diaodu.feel.builtins import BUILTINS
from diaodu.feel.compile import compile_tree
from diaodu.feel.errors import Diagnostic, FeelBudgetExceeded, syntax_error
from diaodu.feel.parser import ParsedTests, parse_expression, parse_unary_tests
from diaodu.feel.runtime import Frame, Run
from diaodu.feel.temporal import DateTime, from_python
from diaodu.feel.values import lift, satisfies

# The value that unary tests look at.
TESTED = "?"


class Expression:
    """A compiled expression; safe to use from several threads.

    `paths` are the dotted paths it may read from the context, each with all that lies below, and `names` their first
    segments. A name within a filter may be an entry of the item instead: such paths are also in `maybe`.
    """

    __slots__ = ("_run", "maybe", "names", "paths", "text", "tree")

    def __init__(self, text: str, tree: ast.Node) -> None:
        self.text = text
        self.tree = tree
        self._run = compile_tree(tree)
        reads = reads_of(tree, BUILTINS)
        self.paths = frozenset(reads.paths)
        self.names = frozenset(path.partition(".")[0] for path in self.paths)
        self.maybe = frozenset(reads.maybe)

    def evaluate(
        self, context: Mapping[str, object], budget: Budget | None = None, now: datetime | None = None
    ) -> object:
        """The value; `now` is what now() and today() give. Raises FeelBudgetExceeded."""
        run = Run(self.text, budget or DEFAULT_BUDGET, None if now is None else _moment(now), None)
        try:
            return self._run(Frame(context, run, {}, None))
        except RecursionError:
            raise FeelBudgetExceeded("depth") from None

    def evaluate_with_diagnostics(
        self, context: Mapping[str, object], budget: Budget | None = None, now: datetime | None = None
    ) -> tuple[object, list[Diagnostic]]:
        """The value, and why parts of it are null, in the order of evaluation."""
        reasons: list[Diagnostic] = []
        run = Run(self.text, budget or DEFAULT_BUDGET, None if now is None else _moment(now), reasons)
        try:
            return self._run(Frame(context, run, {}, None)), reasons
        except RecursionError:
            raise FeelBudgetExceeded("depth") from None


class UnaryTests:
    """Compiled tests of one value, such as the cell of a decision table."""

    __slots__ = ("_accepts_all", "_negated", "_tests", "names", "paths", "text")

    def __init__(self, text: str, parsed: ParsedTests) -> None:
        self.text = text
        self._negated = parsed.negated
        trees = parsed.tests or ()
        self._accepts_all = parsed.tests is None
        self._tests = tuple((compile_tree(tree, TESTED), ast.mentions(tree, TESTED)) for tree in trees)
        reads = [reads_of(tree, BUILTINS) for tree in trees]
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
        if self._accepts_all:
            return True
        run = Run(self.text, budget or DEFAULT_BUDGET, None if now is None else _moment(now), None)
        value = lift(value)
        frame = Frame(context, run, {}, None).inner({TESTED: value})
        try:
            verdicts = [_verdict(value, test(frame), uses_value=uses_value) for test, uses_value in self._tests]
        except RecursionError:
            raise FeelBudgetExceeded("depth") from None
        verdict = True if True in verdicts else None if None in verdicts else False
        return (not verdict) if self._negated and verdict is not None else verdict


def _verdict(value: object, result: object, *, uses_value: bool) -> bool | None:
    """A test that names the value answers by itself; any other is what the value must equal or lie in."""
    if isinstance(result, bool) and (uses_value or not isinstance(value, bool)):
        return result
    return satisfies(value, result)


def _moment(now: datetime) -> DateTime:
    moment = from_python(now)
    assert isinstance(moment, DateTime)
    return moment


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
