"""Deployed processes: immutable versions, compiled once per process of the operating system."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from diaodu.engine.errors import Problem, ProcessNotExecutable
from diaodu.engine.graph import Graph, Node, Process
from diaodu.engine.model import WorkingTime
from diaodu.engine.parse import parse_trusted
from diaodu.engine.ports import Handlers
from diaodu.engine.times import cycle_of, due_at
from diaodu.feel import FeelError, to_python
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound

_COLUMNS = "id, key, version, name, digest, deployed_at"


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a process; ``digest`` is the SHA-256 of its source."""

    id: int
    key: str
    version: int
    name: str
    digest: bytes
    deployed_at: datetime


def store(tx: Tx, graph: Graph, bpmn: bytes, handlers: Handlers) -> Definition:
    """Store a process that was checked as its next version; the newest one is kept when the source is the same."""
    digest = hashlib.sha256(bpmn).digest()
    tx.run("lock table engine.definition in share row exclusive mode")
    newest = tx.row(
        f"select {_COLUMNS} from engine.definition where key = %s order by version desc limit 1", (graph.key,)
    )
    if newest is not None and newest[4] == digest:
        return Definition(*newest)
    version = 1 if newest is None else newest[2] + 1
    made = tx.row(
        "insert into engine.definition (key, version, name, bpmn, digest, deployed_at)"
        f" values (%s, %s, %s, %s, %s, %s) returning {_COLUMNS}",
        (graph.key, version, graph.name, bpmn, digest, tx.now),
    )
    assert made is not None
    _schedule(tx, graph, handlers)
    return Definition(*made)


def _schedule(tx: Tx, graph: Graph, handlers: Handlers) -> None:
    """From now on the timer start events of this version start the process, and no others."""
    tx.run("delete from engine.schedule where process = %s", (graph.key,))
    for index in graph.schedules:
        node = graph.nodes[index]
        first, left, every = _first(tx, node, handlers)
        tx.run(
            "insert into engine.schedule (process, node, every, remaining, due_at) values (%s, %s, %s, %s, %s)",
            (graph.key, node.id, every, left, first),
        )


def _first(tx: Tx, node: Node, handlers: Handlers) -> tuple[datetime, int, str | None]:
    timer = node.timer
    assert timer is not None
    try:
        value = timer.value if isinstance(timer.value, str) else to_python(timer.value.evaluate({}, now=tx.now))
        if timer.cycle:
            cycle = cycle_of(str(value), tx.now)
            return cycle.first, cycle.left, cycle.every
        if timer.calendar and handlers.calendar is not None:
            asked = WorkingTime(0, timer.calendar, tx.now, str(value))
            return handlers.calendar.due(tx, [asked])[0], 1, None
        return due_at(value, tx.now), 1, None
    except (ValueError, OverflowError, FeelError):
        raise ProcessNotExecutable(
            [Problem(node.id, "bad-timer", timer.value if isinstance(timer.value, str) else timer.value.text)]
        ) from None


@lru_cache(maxsize=512)
def compiled(bpmn: bytes, key: str) -> Graph:
    """The graph of a deployed process."""
    return parse_trusted(bpmn, key)


def definition_of(tx: Tx, key: str, version: int) -> Process:
    """A version of a process; NotFound."""
    row = tx.row("select id, version, bpmn, key from engine.definition where key = %s and version = %s", (key, version))
    if row is None:
        raise NotFound(entity="process version", id=f"{key}:{version}")
    return Process(row[0], row[1], compiled(bytes(row[2]), row[3]))


class Definitions:
    """The versions that one worker has loaded; a version never changes, so it stays."""

    def __init__(self) -> None:
        self._by_id: dict[int, Process] = {}

    def load(self, tx: Tx, ids: set[int]) -> dict[int, Process]:
        """The versions with these ids."""
        if missing := ids - self._by_id.keys():
            rows = tx.rows(
                "select id, version, bpmn, key from engine.definition where id = any(%s::int4[])", (list(missing),)
            )
            self._by_id |= {r[0]: Process(r[0], r[1], compiled(bytes(r[2]), r[3])) for r in rows}
        return self._by_id


class Deployed:
    """The deployed processes as a transaction sees them; which are the newest is read once."""

    def __init__(self, tx: Tx, definitions: Definitions) -> None:
        self._tx, self._definitions = tx, definitions

    def newest(self, key: str) -> Process | None:
        return self._newest().get(key)

    def version(self, key: str, version: int) -> Process | None:
        row = self._tx.row("select id from engine.definition where key = %s and version = %s", (key, version))
        return None if row is None else self._definitions.load(self._tx, {row[0]})[row[0]]

    def all_newest(self) -> Iterable[Process]:
        return self._newest().values()

    def _newest(self) -> dict[str, Process]:
        tx = self._tx
        if Deployed not in tx.memo:
            rows = tx.rows(
                "select distinct on (key) id, key, suspended_at is not null from engine.definition"
                " order by key, version desc"
            )
            loaded = self._definitions.load(tx, {r[0] for r in rows})
            tx.memo[Deployed] = {r[1]: replace(loaded[r[0]], suspended=True) if r[2] else loaded[r[0]] for r in rows}
        found: dict[str, Process] = tx.memo[Deployed]
        return found
