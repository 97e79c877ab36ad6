"""Small decision tables for tests, and their evaluation without a model around."""

from collections.abc import Mapping, Sequence
from typing import Any

from diaodu.dmn.explain import FiredTable
from diaodu.dmn.model import DecisionTable, HitPolicy, Input, LiteralExpression, Output, Rule
from diaodu.dmn.table import compile_table
from diaodu.dmn.table_tree import TableFault, TableOf, parse_table
from diaodu.feel.compile import LANGUAGE
from diaodu.feel.errors import Diagnostic, Source
from diaodu.feel.parser import parse_expression
from diaodu.feel.runtime import Frame, Run
from diaodu.feel.scope import Closure, Scope
from diaodu.feel.values import lift


def table(rows: Sequence[str], hit_policy: HitPolicy = HitPolicy.UNIQUE, **options: Any) -> DecisionTable:
    """A table of rows such as `<10 | "a" -> 1 | 2`, whose inputs are x, y, z and whose outputs p, q, r.

    `inputs` and `outputs` may be given; `values` and `ranked` are the allowed values of the first input and output.
    """
    sides = [[part.split("|") for part in row.split("->")] for row in rows]
    kinds = options.pop("types", ())
    values, ranked = options.pop("values", None), options.pop("ranked", None)
    inputs = tuple(
        Input(
            expression=LiteralExpression(text=name, type_ref=kinds[n] if n < len(kinds) else None),
            values=values if n == 0 else None,
        )
        for n, name in enumerate("xyzuvw"[: len(sides[0][0])])
    )
    outputs = tuple(
        Output(name=name, values=ranked if n == 0 else None) for n, name in enumerate("pqr"[: len(sides[0][1])])
    )
    rules = tuple(
        Rule(inputs=tuple(cell.strip() for cell in when), outputs=tuple(cell.strip() for cell in then))
        for when, then in sides
    )
    return DecisionTable(
        inputs=options.pop("inputs", inputs),
        outputs=options.pop("outputs", outputs),
        rules=rules,
        hit_policy=hit_policy,
        **options,
    )


def tree(decision_table: DecisionTable, names: Sequence[str] = ()) -> tuple[TableOf, list[TableFault]]:
    faults: list[TableFault] = []
    return parse_table(decision_table, names, lambda text, _type: parse_expression(text, names), faults), faults


def compiled(decision_table: DecisionTable, names: Sequence[str] = ()) -> Closure:
    node, faults = tree(decision_table, names)
    assert faults == []
    return compile_table(node, Scope(LANGUAGE, Source("", "d")))


def evaluate(
    decision_table: DecisionTable, *, explains: bool = False, **inputs: object
) -> tuple[object, FiredTable, list[Diagnostic]]:
    """The value, the record of the table, and why the value is null."""
    return run_of(compiled(decision_table), inputs, explains=explains)


def run_of(
    closure: Closure, inputs: Mapping[str, object], *, explains: bool = False
) -> tuple[object, FiredTable, list[Diagnostic]]:
    reasons: list[Diagnostic] = []
    run = Run.start(reasons=reasons)
    run.explains = explains
    value = closure(Frame({name: lift(given) for name, given in inputs.items()}, run, {}, None))
    (record,) = run.records
    assert isinstance(record, FiredTable)
    return value, record, reasons
