"""The model of bare tables: what people mean who fill in a sheet and nothing else.

Each table is a decision of its name; the names that its input expressions read are other decisions or else input data.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from diaodu.dmn.model import Decision, DecisionTable, Definitions, InformationItem, InputData
from diaodu.feel import FeelSyntaxError, compile_expression
from diaodu.rules.excel.tables import NamedTable

NAMESPACE = "urn:diaodu:rules"


def with_bare_tables(definitions: Definitions, tables: Sequence[NamedTable]) -> Definitions:
    """The model with a decision more for each table, and the input data that they need and it lacks."""
    taken = {element.id for element in definitions.elements()}
    ids = _free_ids("decision", taken)
    decided = {d.name: d.id for d in definitions.decisions} | {t.name: next(ids) for t in tables}
    given = {item.name: item.id for item in definitions.input_data}
    found: dict[str, str | None] = {}
    for table in tables:
        for name, type_ref in _read_names(table.table, (*decided, *given, *found)):
            if name not in decided and name not in given:
                found[name] = found.get(name) or type_ref
    ids = _free_ids("input", taken)
    more = tuple(
        InputData(id=next(ids), name=name, variable=InformationItem(name=name, type_ref=type_ref))
        for name, type_ref in found.items()
    )
    given |= {item.name: item.id for item in more}
    return replace(
        definitions,
        decisions=definitions.decisions + tuple(_decision(table, decided, given) for table in tables),
        input_data=definitions.input_data + more,
    )


def _free_ids(stem: str, taken: set[str]) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        if f"{stem}-{number}" not in taken:
            yield f"{stem}-{number}"


def _decision(table: NamedTable, decided: dict[str, str], given: dict[str, str]) -> Decision:
    names = dict.fromkeys(name for name, _ in _read_names(table.table, (*decided, *given)))
    return Decision(
        id=decided[table.name],
        name=table.name,
        variable=InformationItem(name=table.name, type_ref=table.result_type),
        expression=table.table,
        required_inputs=tuple(f"#{given[name]}" for name in names if name not in decided),
        required_decisions=tuple(f"#{decided[name]}" for name in names if name in decided and name != table.name),
        description=table.description,
    )


def _read_names(table: DecisionTable, known: Iterable[str]) -> list[tuple[str, str | None]]:
    """The names that the input expressions begin with, with their type where the expression is just the name."""
    found = []
    for column in table.inputs:
        text = column.expression.text
        try:
            names = compile_expression(text, tuple(known)).names
        except FeelSyntaxError:
            continue  # the checks of the model tell
        found += [(name, column.expression.type_ref if name == text else None) for name in sorted(names)]
    return found
