"""Whatever is typed, the answer is a value, a syntax error or a spent budget, and it comes soon."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from diaodu.feel import Budget, FeelError, compile_expression, compile_unary_tests

WORDS = """
    1 2.5 "a" "五星" null true a b order 客户 item partial ( ) [ ] { } , . .. : + - * / ** < <= > >= = != and or not
    in between if then else for return some every satisfies instance of number list<number> function(x) sum( count(
    split( replace( matches( sort( string( @"2024-02-29" @"P1D" @"P1Y" @"10:00:00Z" date( duration( range( ? -
    substring( sublist( context( {a:1} [1,2] [1..3] ]1..3[
    "(a" "a*" "$1" 1e6000 flatten( insert before( time(
"""
PIECES = st.sampled_from(WORDS.split())
CONTEXT = {"a": 1, "b": [1, None, "x"], "客户": {"级别": "五星"}, "order": {"a": [{"b": 1}]}}
LIMIT = Budget(milliseconds=50)


def survives(text: str) -> None:
    with suppress(FeelError):
        compile_expression(text).evaluate_with_diagnostics(CONTEXT, LIMIT)
    with suppress(FeelError):
        compile_unary_tests(text).evaluate(1, CONTEXT, LIMIT)


@settings(max_examples=400, deadline=1000)
@given(st.lists(PIECES, max_size=14))
def test_pieces_of_the_language(pieces: list[str]) -> None:
    survives(" ".join(pieces))


@settings(max_examples=200, deadline=1000)
@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    survives(text)
