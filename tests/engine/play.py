"""The token game without a database: every stimulus meets an instance that was just read from its stored form."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import orjson
from tests.engine.kit import NOW, Driver, Service

from diaodu.engine.board import Board, visible
from diaodu.engine.game import TASK, Game, World
from diaodu.engine.graph import Process
from diaodu.engine.instance import ACTIVE, Changes, Instance, Job, Token
from diaodu.engine.model import Advance, Done, Message, Outcome, Signal, Start, told
from diaodu.engine.parse import parse
from diaodu.engine.ports import Handlers

ROOT = 1
STATES = ("active", "ended", "cancelled")


class Everything(dict[str, Any]):
    """Every service type is bound."""

    def __contains__(self, _key: object) -> bool:
        return True


class Unasked:
    """Ports that deployment looks for; the play itself answers."""

    def due(self, _tx: Any, _timers: Any) -> Any:
        raise NotImplementedError

    def decide(self, _tx: Any, _questions: Any) -> Any:
        raise NotImplementedError


ALL = Handlers(
    Everything(check=Service()),
    {},
    driver=Driver(lambda _: Advance()),
    decisions=Unasked(),
    calendar=Unasked(),
    lenient=True,
)


@dataclass
class Deployed:
    """Sources in versions."""

    versions: dict[str, list[Process]] = field(default_factory=dict)
    ids: Iterable[int] = field(default_factory=lambda: count(1))

    def deploy(self, source: bytes) -> None:
        graph = parse(source, ALL)
        known = self.versions.setdefault(graph.key, [])
        known.append(Process(next(iter(self.ids)), len(known) + 1, graph))

    def newest(self, key: str) -> Process | None:
        return self.versions[key][-1] if key in self.versions else None

    def version(self, key: str, version: int) -> Process | None:
        return next((p for p in self.versions.get(key, ()) if p.version == version), None)

    def all_newest(self) -> Iterable[Process]:
        return [known[-1] for known in self.versions.values()]


class Play:
    """One root; ``answers`` says what services and decisions answer, by type; the others are done at once."""

    def __init__(self, *sources: bytes, **answers: Callable[[Mapping[str, Any]], Outcome | None]) -> None:
        self.deployed, self.answers = Deployed(), answers
        for source in sources:
            self.deployed.deploy(source)
        self.now, self.ids = NOW, count(100)
        self.instances: list[Instance] = []
        self.jobs: dict[int, Job] = {}
        self.tasks: dict[int, str] = {}  # open ones: id -> node
        self.closed: dict[str, int] = {}  # node -> how many were completed or withdrawn
        self.history: list[dict[str, Any]] = []
        self.incidents: list[tuple[str, str]] = []
        self.broadcasts: list[tuple[str, Mapping[str, Any]]] = []
        self.calendar = timedelta(hours=100)

    # Acting ------------------------------------------------------------------------------------------------------

    def start(self, process: str = "p", key: str = "k", node: str = "", **variables: Any) -> "Play":
        self.take(Start(ROOT, process, key, variables, node))
        return self

    def take(self, *stimuli: Signal | Job) -> None:
        for stimulus in stimuli:
            world = World(self.deployed, {ROOT: [_reloaded(i) for i in self.instances if i.state == ACTIVE]})
            board = Board(self.now, lambda _: next(self.ids))
            game = Game(board, world)
            game.take(stimulus)
            self._settle(game)
            ended = [i for i in self.instances if i.state != ACTIVE]
            self.instances = sorted([*ended, *world.all()], key=lambda i: i.id)
            self._write(board.changes, stimulus.id if isinstance(stimulus, Job) else 0)

    def send(self, name: str, key: str = "k", ttl: timedelta | None = None, **variables: Any) -> None:
        self.take(Message(ROOT, name, key, variables, ttl))

    def complete(self, node: str, **variables: Any) -> None:
        """Complete the oldest open task of a node."""
        task = min(t for t, n in self.tasks.items() if n == node)
        self.send(TASK, str(task), **variables)

    def later(self, **span: float) -> None:
        """Let time pass; what is due on the way comes one after the other."""
        until = self.now + timedelta(**span)
        while due := sorted((j.due_at, j.id) for j in self.jobs.values() if j.state == 0 and j.due_at <= until):
            self.now = max(self.now, due[0][0])
            self.take(self.jobs[due[0][1]])
        self.now = until

    def retry(self) -> None:
        """Mend all incidents."""
        self.incidents.clear()
        for job in [j for j in self.jobs.values() if j.state == 2]:
            self.take(job)

    # Seeing ------------------------------------------------------------------------------------------------------

    @property
    def at(self) -> list[str]:
        """Where the tokens of all active instances stand, sorted."""
        nodes = [i.node(t).id for i in self.instances if i.state == ACTIVE for t in i.tokens.values() if t.id]
        return sorted(nodes)

    @property
    def done(self) -> list[str]:
        """The nodes that were left, in order."""
        return [e["node"] for e in self.history if e["t"] == "node.done"]

    @property
    def told(self) -> list[str]:
        """What else happened, in order."""
        return [e["t"] for e in self.history if e["t"] != "node.done"]

    @property
    def states(self) -> list[str]:
        return [STATES[i.state] for i in self.instances]

    @property
    def vars(self) -> Mapping[str, Any]:
        return self.instances[0].vars

    def seen(self, node: str) -> list[Mapping[str, Any]]:
        """The variables that the tokens at a node see."""
        return [visible(i, t) for i, t in self.tokens(node)]

    def tokens(self, node: str) -> list[tuple[Instance, Token]]:
        active = [i for i in self.instances if i.state == ACTIVE]
        return [(i, t) for i in active for t in i.tokens.values() if i.node(t).id == node]

    @property
    def empty(self) -> bool:
        """Whether all instances have ended and nothing is left behind."""
        tokens = any(i.tokens or i.early for i in self.instances)
        active = any(i.state == ACTIVE for i in self.instances)
        return not (tokens or active or self.jobs or self.tasks or self.incidents)

    # How ---------------------------------------------------------------------------------------------------------

    def _settle(self, game: Game) -> None:
        game.settle()
        while game.dues or game.calls or game.stages:
            dues, game.dues = game.dues, []
            for due in dues:
                game.armed(due, due.timer.start + self.calendar)
            calls, game.calls = game.calls, {}
            for asked in calls.values():
                node = asked.instance.node(asked.token)
                answer = self.answers.get(node.type)
                outcome = Done() if answer is None else answer(visible(asked.instance, asked.token))
                if outcome is not None:
                    game.answer(asked, outcome)
            game.stages.clear()
            game.settle()

    def _write(self, changes: Changes, claimed: int) -> None:
        # As the tables do: what was claimed is gone unless it is tried again, and every key must be there.
        gone = set(changes.cancelled)
        if claimed in changes.tries:
            job = self.jobs[claimed]
            job.state, job.attempts, job.due_at = changes.tries[claimed]
        elif claimed:
            gone.add(claimed)
        for job_id in gone:
            del self.jobs[job_id]
        for job_id, (state, attempts, due) in changes.tries.items():
            job = self.jobs[job_id]
            job.state, job.attempts, job.due_at = state, attempts, due
        self.jobs |= changes.jobs
        for task in changes.tasks.values():
            self.tasks[task.id] = task.node
        for task_id in [*changes.closed, *(t.id for t in changes.tasks.values() if t.state)]:
            node = self.tasks.pop(task_id)
            self.closed[node] = self.closed.get(node, 0) + 1
        self.incidents += [(i.node, i.code) for i in changes.incidents]
        self.broadcasts += [(name, variables) for _, _, name, variables in changes.broadcasts]
        self.history += [dict(entry) for entry in told(entry for _, entry in changes.entries)]


def _reloaded(stored: Instance) -> Instance:
    document = orjson.loads(orjson.dumps([stored.dump_tokens(), stored.vars]))
    instance = Instance(
        stored.id,
        stored.root_id,
        stored.definition_id,
        stored.version,
        stored.graph,
        stored.business_key,
        document[1],
        stored.started_at,
        stored.parent_id,
        stored.parent_token,
    )
    instance.load_tokens(document[0])
    return instance


def due_in(play: Play) -> list[float]:
    """Seconds until each timer is due."""
    return sorted((j.due_at - play.now).total_seconds() for j in play.jobs.values() if j.kind == "timer")
