"""Expressions (表达式): FEEL, the language of DMN 1.5, compiled to closures; imports nothing of the product."""

from diaodu.feel.budget import Budget
from diaodu.feel.errors import Diagnostic, FeelBudgetExceeded, FeelError, FeelSyntaxError
from diaodu.feel.expression import Expression, UnaryTests, compile_expression, compile_unary_tests
from diaodu.feel.runtime import Run
from diaodu.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from diaodu.feel.values import Function, Range, to_python

__all__ = [
    "Budget",
    "Date",
    "DateTime",
    "DaysDuration",
    "Diagnostic",
    "Expression",
    "FeelBudgetExceeded",
    "FeelError",
    "FeelSyntaxError",
    "Function",
    "MonthsDuration",
    "Range",
    "Run",
    "Time",
    "UnaryTests",
    "compile_expression",
    "compile_unary_tests",
    "to_python",
]
