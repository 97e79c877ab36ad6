"""All findings about files that are to be deployed together, and their deployment in one step."""

from collections.abc import Collection, Sequence

from diaodu.engine.check import unknown_calls, warnings
from diaodu.engine.definition import Definition, deploy_all
from diaodu.engine.errors import Problem, ProcessNotExecutable
from diaodu.engine.graph import Graph
from diaodu.engine.parse import parse_all
from diaodu.engine.ports import Handlers
from diaodu.kernel.db import Tx


def examine(sources: Sequence[bytes], handlers: Handlers, deployed: Collection[str] = ()) -> list[list[Problem]]:
    """For each file everything that is wrong or doubtful about it; ``deployed`` are processes that it may call."""
    read = [_read(source, handlers) for source in sources]
    known = {*deployed, *(graph.key for found in read if isinstance(found, list) for graph in found)}
    return [
        list(found.problems)
        if isinstance(found, ProcessNotExecutable)
        else [problem for graph in found for problem in warnings(graph, handlers, known)]
        for found in read
    ]


def deploy_together(tx: Tx, sources: Sequence[bytes], handlers: Handlers) -> list[Definition]:
    """Deploy files that may call each other; ProcessNotExecutable with the problems of all of them."""
    read = [_read(source, handlers) for source in sources]
    problems = [p for found in read if isinstance(found, ProcessNotExecutable) for p in found.problems]
    graphs = [graph for found in read if isinstance(found, list) for graph in found]
    known = {row[0] for row in tx.rows("select distinct key from engine.definition")} | {g.key for g in graphs}
    problems += [problem for graph in graphs for problem in unknown_calls(graph, known)]
    if problems:
        raise ProcessNotExecutable(problems)
    return [made for source in sources for made in deploy_all(tx, source, handlers)]


def _read(source: bytes, handlers: Handlers) -> list[Graph] | ProcessNotExecutable:
    try:
        return parse_all(source, handlers)
    except ProcessNotExecutable as refusal:
        return refusal
