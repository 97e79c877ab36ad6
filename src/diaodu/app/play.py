"""A process that is only played: in a throw-away database, with a clock that jumps, until it ends or stands still."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from diaodu.app.players import Given, Results, players
from diaodu.engine import commands, queries, store
from diaodu.engine.board import visible
from diaodu.engine.definition import Definitions
from diaodu.engine.errors import Problem, ProcessNotExecutable, UnknownProcess
from diaodu.engine.examine import deploy_together, examine
from diaodu.engine.failure import Runner
from diaodu.engine.graph import Graph, Kind
from diaodu.engine.instance import Instance
from diaodu.engine.model import Broadcast, Message, Signal, Start, told
from diaodu.engine.parse import parse_all
from diaodu.kernel import journal, postgres
from diaodu.kernel.db import Database
from diaodu.migrations import migrate

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)  # when every play begins, a Monday
BUSINESS_KEY = "play"
# Nothing of it has to survive; fast is all that counts.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
_NUMBERED = ("instance", "task", "incident")
Line = dict[str, Any]


@dataclass(frozen=True)
class Play:
    """What is played: the process that starts, the seed of all choices, how many of them, and the variables."""

    process: str | None = None
    seed: int = 0
    max_steps: int = 1000
    variables: Mapping[str, Any] = field(default_factory=dict)
    results: Results = field(default_factory=dict)


class Refused(Exception):
    """Files that cannot be deployed, with the findings of each."""

    def __init__(self, findings: Sequence[Sequence[Problem]]) -> None:
        self.findings = findings
        super().__init__()


def play(sources: Sequence[bytes], wanted: Play, dsn: str | None = None) -> Iterator[Line]:
    """Play a process: one line for each event of its history, and at the end one that tells where it stands.

    ``dsn`` is a migrated database, without one a scratch one is made. Raises Refused before that, and UnknownProcess.
    """
    rng, given = Random(wanted.seed), Given(wanted.results)
    findings = examine(sources, players(rng, given, ()))
    if any(not problem.warning for problems in findings for problem in problems):
        raise Refused(findings)
    graphs = [graph for source in sources for graph in parse_all(source, players(rng, given, ()))]
    first = wanted.process or graphs[0].key
    if first not in {graph.key for graph in graphs}:
        raise UnknownProcess(process=first)
    with _database(dsn) as place:
        game = _Game(place, rng, given, graphs)
        try:
            game.deploy(sources, findings)
            steps = game.run(first, wanted)
            yield from game.history()
            yield game.end(steps)
        finally:
            game.db.close()


@contextmanager
def _database(dsn: str | None) -> Iterator[str]:
    if dsn is not None:
        yield dsn
        return
    with postgres.scratch(settings=SETTINGS) as server:
        migrate(server.dsn, parts=1)
        yield server.dsn


@dataclass(frozen=True)
class _Move:
    """Something that may happen next: a signal to the engine, or the clock jumps to ``at``."""

    signal: Signal | None = None
    at: datetime | None = None


class _Game:
    def __init__(self, dsn: str, rng: Random, given: Given, graphs: Sequence[Graph]) -> None:
        self.at, self.rng, self.given = NOON, rng, given
        self.db = Database(dsn, clock=lambda: self.at, pool_max=2)
        self.handlers = players(rng, given, graphs)
        self.runner = Runner(self.db, self.handlers, "play")
        self.definitions = Definitions()
        with self.db.transaction() as tx:
            self.root = tx.new_id(0)
            journal.create(tx, [self.root], "play")

    def deploy(self, sources: Sequence[bytes], findings: Sequence[Sequence[Problem]]) -> None:
        """Deploy all files together; what only the database can tell is a finding too."""
        try:
            with self.db.transaction() as tx:
                deploy_together(tx, sources, self.handlers)
        except ProcessNotExecutable as refusal:
            raise Refused([[*refusal.problems, *findings[0]], *findings[1:]]) from None

    def run(self, process: str, wanted: Play) -> int:
        """Start the process and make moves until it has ended or none is left; the number of moves."""
        self._signal(Start(self.root, process, BUSINESS_KEY, dict(wanted.variables)))
        for step in range(wanted.max_steps):
            moves = self._moves()
            if not moves or self._state() != "active":
                return step
            move = self.rng.choice(moves)
            if move.at is not None:
                self.at = max(self.at, move.at)
                self._work()
            elif move.signal is not None:
                self._signal(move.signal)
        return wanted.max_steps

    def history(self) -> Iterator[Line]:
        """What happened, in order; ids are numbered in the order in which they come up."""
        numbers: dict[str, dict[Any, int]] = {kind: {} for kind in _NUMBERED}
        with self.db.transaction() as tx:
            rows = journal.read(tx, self.root)
        for row in rows:
            for entry in told(row["entries"]):
                line = {"event": entry["t"], "at": row["at"].astimezone(UTC).isoformat()}
                for name, value in entry.items():
                    if name in numbers:
                        line[name] = numbers[name].setdefault(value, len(numbers[name]) + 1)
                    elif name != "t":
                        line["element" if name == "node" else name] = value
                yield line

    def end(self, steps: int) -> Line:
        """Where the process stands."""
        with self.db.transaction() as tx:
            found = queries.incidents(tx, 1000, self.root)
            instances = queries.instances_of(tx, self.root)
            variables = queries.get_instance(tx, instances[0]).vars if instances else {}
        waiting = [i.node(t).id for i in self._instances() for t in i.tokens.values() if _stands(i, t.id)]
        incidents = [{"element": i.node, "code": i.code, "message": i.message} for i in found]
        last: Line = {"state": self._state(), "waiting": sorted(waiting), "steps": steps}
        return {**last, "incidents": incidents, "variables": variables}

    def _state(self) -> str:
        with self.db.transaction() as tx:
            instances = queries.instances_of(tx, self.root)
            return queries.get_instance(tx, instances[0]).state if instances else "not-started"

    def _instances(self) -> list[Instance]:
        with self.db.transaction() as tx:
            return store.load(tx, 0, [self.root], self.definitions)[self.root]

    def _moves(self) -> list[_Move]:
        moves = [
            _Move(_signal_for(self.root, name, key, self._given(instance, token_id, node)))
            for instance in self._instances()
            for token_id, token in instance.tokens.items()
            for node, name, key in token.waits
        ]
        with self.db.transaction() as tx:
            due = tx.row(
                "select min(due_at) from engine.job where part = 0 and root_id = %s and state = 0", (self.root,)
            )
        return [*moves, _Move(at=due[0])] if due is not None and due[0] is not None else moves

    def _given(self, instance: Instance, token_id: int, node: int) -> Mapping[str, Any]:
        token = instance.tokens[token_id]
        return self.given.at(instance.graph.nodes[node].id, visible(instance, token), self.at)

    def _signal(self, signal: Signal) -> None:
        with self.db.transaction() as tx:
            commands.signal(tx, [signal])
        self._work()

    def _work(self) -> None:
        while roots := self.runner.oldest(0, 100):
            self.runner.run(0, roots)


def _signal_for(root: int, name: str, key: str | None, variables: Mapping[str, Any]) -> Signal:
    if key is None:
        return Broadcast(root, name, variables, beyond=False)
    return Message(root, name, key, variables)


def _stands(instance: Instance, token_id: int) -> bool:
    """Whether a token is one that no other stands inside, and not the process itself."""
    token = instance.tokens[token_id]
    if instance.node(token).kind is Kind.PROCESS:
        return False
    return not (token_id and instance.inside(token_id))
