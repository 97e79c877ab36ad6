"""What can be found wrong in a table or a model before it is ever evaluated, all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from diaodu.dmn.assemble import assemble
from diaodu.dmn.boxed import Reader
from diaodu.dmn.check_columns import ColumnCheck, unknown_names
from diaodu.dmn.check_rules import rule_findings
from diaodu.dmn.errors import Problem, problem, text_problem
from diaodu.dmn.findings import Finding, finding
from diaodu.dmn.graph import DecisionNode, FunctionNode, ServiceNode
from diaodu.dmn.kinds import Kinds
from diaodu.dmn.link import Linker, Unit
from diaodu.dmn.model import BusinessKnowledgeModel, Decision, DecisionTable, Definitions, ItemDefinition
from diaodu.dmn.table_tree import TableFault, TableOf, fault_message, parse_table
from diaodu.feel import ast
from diaodu.feel.boundary import Quoted
from diaodu.feel.parser import parse_expression

Names = frozenset[str]


def check_table(
    table: DecisionTable,
    names: Collection[str] | None = None,
    *,
    element: str = "",
    items: Sequence[ItemDefinition] = (),
) -> list[Finding]:
    """Everything wrong or doubtful in a table, by rule and column.

    `names` are known to its expressions, None when nobody knows which are; `items` are the types of the model.
    """
    faults: list[TableFault] = []
    return _table(table, names, element=element or table.id or "", items=items, words=names or (), faults=faults)


def check_model(definitions: Definitions, imported: Mapping[str, Definitions] | None = None) -> list[Finding]:
    """Everything wrong or doubtful in a model: its graph, its types, its texts and its tables."""
    linker = Linker(definitions, imported or {})
    if not linker.problems:
        assemble(linker)
    if linker.problems:
        return [_of_problem(each) for each in dict.fromkeys(linker.problems)]
    found: list[Finding] = []
    told: set[Problem] = set()
    for key in linker.root.nodes:
        found += _element(linker.root, key, told)
    return [_of_problem(each) for each in dict.fromkeys(linker.faults) if each not in told] + found


def _of_problem(each: Problem) -> Finding:
    return finding("model", each.element, en=each.message_en, zh=each.message_zh)


def _element(unit: Unit, key: str, told: set[Problem]) -> Iterator[Finding]:
    """The findings of one decision or knowledge model; adds to `told` the problems that they tell with their place."""
    node, element = unit.nodes[key], unit.elements[key]
    if not isinstance(node, (DecisionNode, FunctionNode)) or isinstance(node, ServiceNode):
        return
    reader, known = Reader(node.id, unit.types, []), frozenset(node.needs.known)
    if isinstance(element, Decision):
        tree = reader.read(element.expression, known)
    elif isinstance(element, BusinessKnowledgeModel) and element.logic is not None:
        tree = reader.function(element.logic, known)
    else:
        return
    words = known | frozenset(_bound_in(tree))
    for text, names in _texts(tree, frozenset(node.needs.names())):
        if isinstance(text, TableOf):
            faults: list[TableFault] = []
            items = unit.definitions.item_definitions
            yield from _table(text.table, names, element=node.id, items=items, words=words, faults=faults)
            told.update(_problem(text.table.id or node.id, fault) for fault in faults)
        elif names is not None:
            for name in unknown_names((text.tree,), names):
                yield finding("unknown-name", text.source.element or node.id, name=name)


def _problem(element: str, fault: TableFault) -> Problem:
    """The problem that the compilation of the model tells of the same fault."""
    if fault.error is None:
        return problem("rule-width", element, fault.rule)
    return text_problem(element, fault.text, fault.error)


def _table(
    table: DecisionTable,
    names: Collection[str] | None,
    *,
    element: str,
    items: Sequence[ItemDefinition],
    words: Collection[str],
    faults: list[TableFault],
) -> list[Finding]:
    """The findings of a table in which `words` are names to the parser, and `names` all that stand for something."""
    node = parse_table(table, words, lambda text, _type: parse_expression(text, words), faults)
    check = ColumnCheck(node, element, Kinds(items))
    found = [_of_fault(element, fault, len(table.inputs)) for fault in faults]
    found += check.outputs()
    if names is not None:
        found += check.names(frozenset(names))
    for column in range(len(table.inputs)):
        found += check.cells(column)
    for column in range(len(table.outputs)):
        found += check.results(column)
    parted = check.parted()
    if parted is not None:
        found.append(finding("unchecked-column", element, None, parted + 1))
    elif not faults:
        found += rule_findings(node, check.domains, element)
    return found


def _of_fault(element: str, fault: TableFault, inputs: int) -> Finding:
    column = fault.column if fault.part in ("input", "input values", "cell") else inputs + fault.column
    en, zh = fault_message(fault)
    return finding("text", element, fault.rule, column, en=en, zh=zh)


def _texts(node: ast.Node, names: Names | None) -> Iterator[tuple[TableOf | Quoted, Names | None]]:
    """The tables and single texts in a tree with the names that stand for something there; None within filters."""
    if isinstance(node, TableOf):
        yield node, names
        return
    if isinstance(node, Quoted):
        if not isinstance(node.tree, TableOf):
            yield node, names
            return
        yield from _texts(node.tree, names)
    elif isinstance(node, ast.Filter):
        yield from _texts(node.source, names)
        # What is named may be an entry of the items, which only the evaluation knows.
        yield from _texts(node.condition, None)
    else:
        inner = None if names is None else names | frozenset(_bound_by(node))
        for child in ast.children(node):
            yield from _texts(child, inner)


def _bound_by(node: ast.Node) -> Iterator[str]:
    """The names that a node gives to what stands within it."""
    if isinstance(node, ast.ContextOf):
        yield from (name for name, _ in node.entries)
    elif isinstance(node, ast.FunctionOf):
        yield from (name for name, _ in node.parameters)
    elif isinstance(node, (ast.For, ast.Quantified)):
        yield from (binding.name for binding in node.bindings)
        yield "partial"


def _bound_in(node: ast.Node) -> Iterator[str]:
    yield from _bound_by(node)
    for child in ast.children(node):
        yield from _bound_in(child)
