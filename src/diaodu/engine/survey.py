"""What a migration would do: the mapping checked, one instance or all running ones examined; nothing changes."""

from collections.abc import Collection, Mapping

from diaodu.engine import store
from diaodu.engine.definition import Definitions, definition_of
from diaodu.engine.errors import BadMapping
from diaodu.engine.graph import Graph
from diaodu.engine.instance import ALIVE, Instance
from diaodu.engine.versions import Report, compatible, examine, past
from diaodu.kernel.db import Tx


def survey(
    tx: Tx,
    process: str,
    old: int,
    version: int,
    mapping: Mapping[str, str],
    *,
    leave: Mapping[str, str],
    miss: Collection[str],
    after: int = 0,
    limit: int = 500,
) -> list[tuple[int, int, Report]]:
    """What a migration would do to each running instance of a version: its id, its root, the report; by id.

    Nothing is locked and nothing changes. NotFound, BadMapping.
    """
    new = definition_of(tx, process, version).graph
    check_mapping(definition_of(tx, process, old).graph, new, mapping)
    rows = tx.rows(
        f"select {store.INSTANCE} from engine.instance where id > %s and state = any(%s::int2[]) and definition_id ="
        " (select id from engine.definition where key = %s and version = %s) order by id limit %s",
        (after, list(ALIVE), process, old, limit),
    )
    return [
        (i.id, i.root_id, examined(i, new, mapping, recompute=False, leave=leave, miss=miss))
        for i in store.instances(tx, rows, Definitions())
    ]


def check_mapping(old: Graph, new: Graph, mapping: Mapping[str, str]) -> None:
    """Pass when a mapping leads from elements of one version to like ones of the other; BadMapping."""
    problems = [f"{a} -> {b}" for a, b in mapping.items() if a not in old.by_id or b not in new.by_id]
    problems += [
        f"{a} -> {b}"
        for a, b in mapping.items()
        if a in old.by_id and b in new.by_id and not compatible(old.nodes[old.by_id[a]], new.nodes[new.by_id[b]])
    ]
    if problems:
        raise BadMapping(problems="; ".join(problems))


def examined(
    instance: Instance,
    new: Graph,
    mapping: Mapping[str, str],
    *,
    recompute: bool,
    leave: Mapping[str, str],
    miss: Collection[str],
) -> Report:
    """What becomes of one instance."""
    report = examine(instance, new, mapping, recompute=recompute, leave=leave)
    report.findings += [f for f in past(instance, new, mapping) if f.node not in miss]
    return report
