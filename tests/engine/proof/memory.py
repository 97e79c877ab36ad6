"""The engine's store in memory: the same contract as the one on PostgreSQL, cheap to copy."""

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from diaodu.engine.game import Processes
from diaodu.engine.graph import Process
from diaodu.engine.instance import ALIVE, DONE, READY, Changes, HumanTask, Incident, Instance, Job
from diaodu.engine.parse import parse_all
from diaodu.engine.ports import Handlers
from diaodu.kernel.errors import Conflict

PART = 1
TASK_DONE = 3


@dataclass(frozen=True)
class Row:
    """An instance as it is stored."""

    id: int
    root_id: int
    definition_id: int
    business_key: str
    state: int
    tokens: bytes
    vars: bytes
    started_at: datetime
    ended_at: datetime | None
    parent_id: int | None
    parent_token: int | None


class Versions:
    """The deployed processes."""

    def __init__(self) -> None:
        self.by_key: dict[str, list[Process]] = {}
        self.by_id: dict[int, Process] = {}

    def deploy(self, bpmn: bytes, handlers: Handlers) -> None:
        for graph in parse_all(bpmn, handlers):
            versions = self.by_key.setdefault(graph.key, [])
            made = Process(len(self.by_id) + 1, len(versions) + 1, graph)
            versions.append(made)
            self.by_id[made.id] = made

    def newest(self, key: str) -> Process | None:
        return self.by_key[key][-1] if key in self.by_key else None

    def version(self, key: str, version: int) -> Process | None:
        return next((p for p in self.by_key.get(key, ()) if p.version == version), None)

    def all_newest(self) -> Collection[Process]:
        return [versions[-1] for versions in self.by_key.values()]


@dataclass
class Memory:
    """All tables of one partition; rows are never changed in place, so that ``branch`` may share them."""

    now: datetime
    versions: Versions = field(default_factory=Versions)
    roots: frozenset[int] = frozenset()
    jobs: dict[int, Job] = field(default_factory=dict)
    instances: dict[int, Row] = field(default_factory=dict)
    tasks: dict[int, HumanTask] = field(default_factory=dict)
    incidents: dict[int, tuple[Incident, bool]] = field(default_factory=dict)  # and whether it is open
    subscriptions: frozenset[tuple[int, str]] = frozenset()
    broadcasts: tuple[tuple[int, int, str], ...] = ()
    history: tuple[tuple[int, dict[str, Any]], ...] = ()
    made: int = 1 << 33
    processes: Processes = field(init=False)

    def __post_init__(self) -> None:
        self.processes = self.versions

    def branch(self) -> "Memory":
        """A copy that goes its own way."""
        return replace(
            self,
            jobs=dict(self.jobs),
            instances=dict(self.instances),
            tasks=dict(self.tasks),
            incidents=dict(self.incidents),
        )

    def new_id(self, root_id: int) -> int:
        self.made += 1
        return self.made << 8 | root_id & 255

    def root(self) -> int:
        made = self.new_id(PART)
        self.roots |= {made}
        return made

    def lock(self, roots: Sequence[int]) -> set[int]:
        return set(self.roots & set(roots))

    def insert(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if job.id in self.jobs:
                raise Conflict(f"job {job.id} is there already")
            self.jobs[job.id] = replace(job, body=_json(job.body))

    def claim(self, roots: Sequence[int], each: int) -> list[Job]:
        found = []
        for root in roots:
            due = [j for j in self.jobs.values() if j.root_id == root and j.state == READY and j.due_at <= self.now]
            found += sorted(due, key=lambda j: j.id)[:each]
        return sorted((copy(j) for j in found), key=lambda j: j.id)

    def load(self, roots: Collection[int]) -> dict[int, list[Instance]]:
        found: dict[int, list[Instance]] = {root: [] for root in roots}
        for row in sorted(self.instances.values(), key=lambda r: r.id):
            if row.root_id in found and row.state in ALIVE:
                of = self.versions.by_id[row.definition_id]
                head = (row.id, row.root_id, of.id, of.version, of.graph, row.business_key)
                variables = orjson.loads(row.vars)
                instance = Instance(*head, variables, row.started_at, row.parent_id, row.parent_token)
                instance.state = row.state
                instance.load_tokens(orjson.loads(row.tokens))
                found[row.root_id].append(instance)
        return found

    def write(self, jobs: Sequence[Job], instances: Sequence[Instance], changes: Changes) -> None:
        for instance in instances:
            self._instance(instance)
        self._jobs(jobs, changes)
        for task in changes.tasks.values():
            self.tasks[task.id] = copy(task)
        for task_id, (state, reason) in changes.closed.items():
            if self.tasks[task_id].state < TASK_DONE:
                self.tasks[task_id] = replace(self.tasks[task_id], state=state, reason=reason)
        for incident in changes.incidents:
            self.incidents[incident.id] = (incident, True)
        for key, (incident, is_open) in list(self.incidents.items()):
            self.incidents[key] = (incident, is_open and incident.job_id not in changes.mended)
        for instance_id, definition in changes.migrated.items():
            self.instances[instance_id] = replace(self.instances[instance_id], definition_id=definition)
        for task_id, (node, name) in changes.renamed.items():
            self.tasks[task_id] = replace(self.tasks[task_id], node=node, name=name)
        self.broadcasts += tuple((made, root, name) for made, root, name, _ in changes.broadcasts)
        self.history += tuple((root, _json(entry)) for root, entry in changes.entries)

    def _instance(self, i: Instance) -> None:
        if not i.new and not i.changed:
            return
        if i.new is (i.id in self.instances) or (not i.new and self.instances[i.id].state not in ALIVE):
            raise Conflict(f"instance {i.id}")
        tokens, variables = orjson.dumps(i.dump_tokens()), orjson.dumps(i.vars)
        if i.new:
            head = (i.id, i.root_id, i.definition_id, i.business_key, i.state, tokens, variables)
            self.instances[i.id] = Row(*head, i.started_at, i.ended_at, i.parent_id, i.parent_token)
        else:
            self.instances[i.id] = replace(
                self.instances[i.id], state=i.state, tokens=tokens, vars=variables, ended_at=i.ended_at
            )
        now = i.signals()
        self.subscriptions -= {(i.id, name) for name in i.listened - now}
        self.subscriptions |= {(i.id, name) for name in now}

    def _jobs(self, claimed: Sequence[Job], changes: Changes) -> None:
        gone = set(changes.cancelled)
        for job in claimed:
            if job.id in gone:
                continue
            if job.id in changes.tries:
                state, attempts, due_at = changes.tries[job.id]
                self.jobs[job.id] = replace(self.jobs[job.id], state=state, attempts=attempts, due_at=due_at)
            elif job.msg_key is not None:
                self.jobs[job.id] = replace(self.jobs[job.id], state=DONE)
            else:
                gone.add(job.id)
        for job_id in gone:
            if self.jobs.pop(job_id, None) is None:
                raise Conflict(f"job {job_id} is not there")
        self.insert(list(changes.jobs.values()))


def _json(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, default=str))
