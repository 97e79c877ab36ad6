"""Proof of FEEL: random inputs are read, written, read again and evaluated; every input follows from its seed."""

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from random import Random
from typing import TypeVar

import yaml
from lxml import etree
from rich.console import Console

from diaodu.app.installation import example_operator
from diaodu.app.proof_record import FEEL, add_row, next_seed
from diaodu.app.proof_trees import NAMES, Trees
from diaodu.feel import Budget, Expression, FeelError, FeelSyntaxError, UnaryTests, ast
from diaodu.feel.parser import ParsedTests, parse_expression, parse_unary_tests
from diaodu.feel.printer import to_text
from diaodu.kernel.clock import wall_clock

INPUTS = 5_000  # of a seed
LIMIT = Budget(milliseconds=50)
# Of the minutes of a proof of everything.
FEEL_SHARE = 0.1
# Reading and writing, and the budget of both evaluations twice over, in seconds of the processor.
PATIENCE_S = 0.3
CONTEXT: Mapping[str, object] = {
    "a": 1,
    "b": [1, None, "x"],
    "客户": {"级别": "五星", "a": [{"b": 1}]},
    "订单项": [{"速率": 20}, {"速率": 5}],
    "order total": 7,
    "a-b": [3, 1, 2],
    "profit and loss": -1,
    "速率": 100,
    "x1": True,
}
WORDS = """
    1 2.5 "a" "五星" null true a b order 客户 item partial ( ) [ ] { } , . .. : + - * / ** < <= > >= = != and or not
    in between if then else for return some every satisfies instance of number list<number> function(x) sum( count(
    split( replace( matches( sort( string( @"2024-02-29" @"P1D" @"P1Y" @"10:00:00Z" date( duration( range( ? -
    substring( sublist( context( {a:1} [1,2] [1..3] ]1..3[ "(a" "a*" "$1" 1e6000 flatten( insert before( time( a-b
    profit and loss // /* */ @ ' " \\u 1e999999 external function context<a: -> union( modulo( exp( log( get value(
    string join( decimal( context put( week of year( overlaps( before( list replace( function(x,y) mode( index of(
"""
PIECES = WORDS.split()
_FEEL_TEXT = re.compile(r"[-+*/<>=\[({]|\b(and|or|if|for|not)\b")


Tree = TypeVar("Tree")
_PARTS = {kind: tuple(part.name for part in fields(kind) if part.name != "at") for kind in ast.Node.__subclasses__()}


@dataclass
class Found:
    """What came of inputs: for each kind of fault the inputs that showed it."""

    inputs: int = 0
    crashes: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """No input showed a fault."""
        return not (self.crashes or self.slow or self.changed)


def prove_feel(minutes: float, record: Path, console: Console, seed: int | None = None) -> bool:
    """Go on with the seed after the last recorded one until the time is over; adds a line to ``record``."""
    first = next_seed(record, FEEL) if seed is None else seed
    end = time.monotonic() + minutes * 60
    found, last = Found(), first - 1
    while last < first or time.monotonic() < end:
        last += 1
        examine_seed(last, INPUTS, found)
    for line in (*found.crashes, *found.slow, *found.changed):
        console.print(f"  {line}", highlight=False)
    console.print(f"FEEL: {found.inputs} inputs, seeds {first}..{last}, {'whole' if found.whole else 'faults'}")
    faults = len(found.crashes), len(found.slow), len(found.changed)
    add_row(record, FEEL, (f"{wall_clock():%Y-%m-%d %H:%M}", f"{first}..{last}", found.inputs, *faults))
    return found.whole


def examine_seed(seed: int, inputs: int, found: Found) -> None:
    """Examine that many inputs that follow from the seed."""
    rng = Random(seed)
    for number in range(inputs):
        kind = rng.choice(KINDS)
        text = f"nothing yet of {kind.__name__}"
        started = time.process_time()
        try:
            text = kind(rng)
            survive(text, found)
        except Exception as error:  # noqa: BLE001 - whatever is raised here is what is looked for
            found.crashes.append(f"seed {seed}, input {number}: {text!r}: {error!r}")
        # What is slow once may be the machine's doing.
        if time.process_time() - started > PATIENCE_S and _seconds(text) > PATIENCE_S:
            found.slow.append(f"seed {seed}, input {number}: {text!r}")
    found.inputs += inputs


def _seconds(text: str) -> float:
    """How long the processor works on an input."""
    started = time.process_time()
    with suppress(Exception):
        survive(text, Found())
    return time.process_time() - started


def survive(text: str, found: Found) -> None:
    """Read and evaluate the text as an expression and as a cell; what can be read must be written and read again."""
    tree, tests = _read(parse_expression, text), _read(parse_unary_tests, text)
    # What reads as an expression reads as a cell in the same way.
    parsed = tree or tests
    if parsed is not None:
        again = to_text(parsed, NAMES)
        if placeless(_read(parse_expression if tree else parse_unary_tests, again)) != placeless(parsed):
            found.changed.append(f"{text!r}: {again!r}")
    if tree is not None:
        with suppress(FeelError):
            Expression(text, tree).evaluate_with_diagnostics(CONTEXT, LIMIT)
    if tests is not None:
        with suppress(FeelError):
            UnaryTests(text, tests).evaluate(1, CONTEXT, LIMIT)


def _read(read: Callable[[str, Collection[str]], Tree], text: str) -> Tree | None:
    with suppress(FeelSyntaxError):
        return read(text, NAMES)
    return None


def placeless(value: object) -> object:
    """A tree, or tests, as if all of it stood at the beginning of the text."""
    if isinstance(value, ast.Node):
        parts = [placeless(getattr(value, name)) for name in _PARTS[type(value)]]
        return type(value)(0, *parts)
    if isinstance(value, ParsedTests):
        return value.negated, placeless(value.tests)
    return tuple(map(placeless, value)) if isinstance(value, tuple) else value


def pieces(rng: Random) -> str:
    """Words and signs of the language in any order."""
    return " ".join(rng.choices(PIECES, k=rng.randint(0, 14)))


def any_text(rng: Random) -> str:
    """Characters of any kind."""
    kinds = ("\x00", "\x7f"), (" ", "~"), ("\x80", "\u0fff"), ("\u3000", "\u9fff"), ("\uff00", "\uffef"), ("🀀", "🫿")
    ranges = (rng.choice(kinds) for _ in range(rng.randint(0, 40)))
    return "".join(chr(rng.randint(ord(low), ord(high))) for low, high in ranges)


def mutated(rng: Random) -> str:
    """A real expression with one to four faults."""
    text = rng.choice(real_expressions())
    for _ in range(rng.randint(1, 4)):
        at, length = rng.randint(0, len(text)), rng.randint(0, 6)
        other = rng.choice((rng.choice(PIECES), rng.choice(real_expressions()), "", text[at : at + length] * 2))
        text = text[:at] + other + text[at + length :]
    return text


def trees(rng: Random) -> str:
    """The text of a syntax tree; that it reads as this very tree is looked at here."""
    tree = Trees(rng, rng.randint(1, 40)).expression()
    text = to_text(tree, NAMES)
    if placeless(parse_expression(text, NAMES)) != tree:
        raise AssertionError(f"{tree} is not what {text!r} reads as")
    return text


def tests(rng: Random) -> str:
    """The text of unary tests, likewise."""
    parsed = Trees(rng, rng.randint(1, 40)).tests()
    text = to_text(parsed, NAMES)
    if placeless(parse_unary_tests(text, NAMES)) != placeless(parsed):
        raise AssertionError(f"{parsed} is not what {text!r} reads as")
    return text


@cache
def real_expressions() -> tuple[str, ...]:
    """The expressions of the demonstration operator, as far as they tell themselves apart from plain words."""
    root = example_operator()
    found: list[str] = []
    for path in sorted(root.rglob("*.yaml")):
        found += _texts_of(yaml.safe_load(path.read_text(encoding="utf-8")))
    for path in sorted([*root.rglob("*.dmn"), *root.rglob("*.bpmn")]):
        found += [text for text in etree.parse(str(path)).getroot().itertext() if isinstance(text, str)]
    return tuple(sorted({text.strip() for text in found if _FEEL_TEXT.search(text) and _is_feel(text)}))


def _texts_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts_of(part)


def _is_feel(text: str) -> bool:
    try:
        parse_unary_tests(text)
    except FeelSyntaxError:
        return False
    return True


Kind = Callable[[Random], str]
KINDS: tuple[Kind, ...] = (pieces, any_text, mutated, mutated, trees, trees, tests)
