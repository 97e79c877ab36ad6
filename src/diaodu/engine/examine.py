"""All findings about files that are to be deployed together, and their deployment in one step."""

from collections import Counter
from collections.abc import Collection, Sequence

from diaodu.engine.check import unknown_calls, warnings
from diaodu.engine.definition import Definition, store
from diaodu.engine.errors import Problem, ProcessNotExecutable
from diaodu.engine.graph import Graph
from diaodu.engine.parse import parse, parse_all
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


def deploy(tx: Tx, bpmn: bytes, handlers: Handlers) -> Definition:
    """Check and store the one process of a file; the newest version is kept when the source is the same.

    Raises ProcessNotExecutable with every problem that was found.
    """
    graph = parse(bpmn, handlers)
    if problems := unknown_calls(graph, deployed_keys(tx)):
        raise ProcessNotExecutable(problems)
    return store(tx, graph, bpmn, handlers)


def deploy_all(tx: Tx, bpmn: bytes, handlers: Handlers) -> list[Definition]:
    """The same for a file with several processes."""
    return deploy_together(tx, [bpmn], handlers)


def deploy_together(tx: Tx, sources: Sequence[bytes], handlers: Handlers) -> list[Definition]:
    """Deploy files that may call each other; ProcessNotExecutable with the problems of all of them."""
    read = [(source, _read(source, handlers)) for source in sources]
    problems = [p for _, found in read if isinstance(found, ProcessNotExecutable) for p in found.problems]
    graphs = [(graph, source) for source, found in read if isinstance(found, list) for graph in found]
    times = Counter(graph.key for graph, _ in graphs)
    # Which of them would be the newest, nobody could say.
    problems += [Problem(key, "double-id") for key, count in times.items() if count > 1]
    known = {*deployed_keys(tx), *times}
    problems += [problem for graph, _ in graphs for problem in unknown_calls(graph, known)]
    if problems:
        raise ProcessNotExecutable(problems)
    return [store(tx, graph, source, handlers) for graph, source in graphs]


def deployed_keys(tx: Tx) -> set[str]:
    """The processes of which any version is deployed."""
    return {row[0] for row in tx.rows("select distinct key from engine.definition")}


def _read(source: bytes, handlers: Handlers) -> list[Graph] | ProcessNotExecutable:
    try:
        return parse_all(source, handlers)
    except ProcessNotExecutable as refusal:
        return refusal
