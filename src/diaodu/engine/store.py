"""The engine's tables: what a batch reads and, once at its end, writes; one set statement per table."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from diaodu.engine.definition import Definitions, Deployed
from diaodu.engine.game.world import Processes
from diaodu.engine.instance import DONE, OFFERED, Changes, Instance, Job
from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of

# One order's jobs in one batch; the rest follow in the next.
JOBS_EACH = 64

INSTANCE = "id, root_id, definition_id, business_key, tokens, vars, started_at, state, parent_id, parent_token"
_JOB = (
    "j.id, j.root_id, j.instance_id, j.token_id, j.kind, j.name, j.msg_key, j.body, j.state, j.due_at, j.attempts,"
    " j.created_at"
)
# The sum keeps the planner from walking the whole partition in the order of its ids.
_CLAIM = f"""
select {_JOB} from unnest(%s::int8[]) r(id) cross join lateral (
  select * from engine.job where part = %s and root_id = r.id and state = 0 and due_at <= %s order by id + 0 limit %s) j
 order by j.id
"""
_KEY = {"part": "int2", "id": "int8"}
_SUBSCRIBED = {"part": "int2", "instance_id": "int8", "name": "text"}
_JOB_COLUMNS = {
    **_KEY, "root_id": "int8", "instance_id": "int8", "token_id": "int8", "kind": "text", "name": "text",
    "msg_key": "text", "body": "jsonb", "state": "int2", "due_at": "timestamptz", "attempts": "int2",
    "created_at": "timestamptz",
}  # fmt: skip
_INSTANCE_COLUMNS = {
    **_KEY, "root_id": "int8", "definition_id": "int4", "business_key": "text", "state": "int2", "tokens": "jsonb",
    "vars": "jsonb", "started_at": "timestamptz", "ended_at": "timestamptz", "parent_id": "int8",
    "parent_token": "int8",
}  # fmt: skip
_TASK_COLUMNS = {
    **_KEY, "root_id": "int8", "instance_id": "int8", "token_id": "int8", "node": "text", "name": "text",
    "planned": "bool", "pool": "int4", "priority": "int2", "state": "int2", "reason": "text",
    "due_at": "timestamptz", "created_at": "timestamptz", "ended_at": "timestamptz",
}  # fmt: skip
_INCIDENT_COLUMNS = {
    **_KEY, "root_id": "int8", "instance_id": "int8", "node": "text", "job_id": "int8", "code": "text",
    "message": "text", "detail": "jsonb", "created_at": "timestamptz",
}  # fmt: skip
_TRIES = {"state": "int2", "attempts": "int2", "due_at": "timestamptz", "deaths": "int2"}
_MOVED = {"state": "int2", "tokens": "jsonb", "vars": "jsonb", "ended_at": "timestamptz"}
_CLOSED = {"state": "int2", "reason": "text", "ended_at": "timestamptz"}


class Store(Protocol):
    """What a batch needs of a database; ``now`` is the one instant that all of it shares."""

    now: datetime
    processes: Processes

    def new_id(self, root_id: int) -> int:
        """A new id in the partition of a root; later ones are larger."""

    def lock(self, roots: Sequence[int]) -> set[int]:
        """Lock the roots; returns those that exist."""

    def claim(self, roots: Sequence[int], each: int) -> list[Job]:
        """The ready, due jobs of locked roots in id order, at most ``each`` of a root."""

    def load(self, roots: Collection[int]) -> dict[int, list[Instance]]:
        """The active and suspended instances of locked roots, by root and in id order."""

    def write(self, jobs: Sequence[Job], instances: Sequence[Instance], changes: Changes) -> None:
        """Write what a batch did with the claimed ``jobs``, each row once.

        A claimed job stays as ``changes.tries`` says; else it is gone, or done if it has a message key.
        """


class Tables:
    """The store on PostgreSQL, within one transaction and partition."""

    def __init__(self, tx: Tx, part: int, definitions: Definitions) -> None:
        self.tx, self.part, self.definitions = tx, part, definitions
        self.now = tx.now
        self.processes: Processes = Deployed(tx, definitions)

    def new_id(self, root_id: int) -> int:
        return self.tx.ids.new(part_of(root_id))

    def lock(self, roots: Sequence[int]) -> set[int]:
        return journal.lock(self.tx, roots)

    def claim(self, roots: Sequence[int], each: int) -> list[Job]:
        return claim(self.tx, self.part, roots, each)

    def load(self, roots: Collection[int]) -> dict[int, list[Instance]]:
        return load(self.tx, self.part, roots, self.definitions)

    def write(self, jobs: Sequence[Job], instances: Sequence[Instance], changes: Changes) -> None:
        write(self.tx, self.part, jobs, instances, changes)


def candidates(tx: Tx, part: int, limit: int, until: datetime) -> list[int]:
    """The roots with work that is due and was written by ``until``, oldest first; read without a lock."""
    rows = tx.rows(
        "select root_id from engine.job where part = %s and state = 0 and due_at <= %s and created_at <= %s"
        " order by due_at, id limit %s",
        (part, tx.now, until, limit),
    )
    return list(dict.fromkeys(r[0] for r in rows))


def claim(tx: Tx, part: int, roots: Sequence[int], each: int) -> list[Job]:
    """The due jobs of locked roots, in id order, at most ``each`` of a root."""
    return [Job(*r) for r in tx.rows(_CLAIM, (list(roots), part, tx.now, each))]


def load(tx: Tx, part: int, roots: Iterable[int], definitions: Definitions) -> dict[int, list[Instance]]:
    """The active and suspended instances of locked roots, by root and in id order."""
    ids = list(roots)
    rows = tx.rows(
        f"select {INSTANCE} from engine.instance"
        " where part = %s and root_id = any(%s::int8[]) and state in (0, 3) order by id + 0",
        (part, ids),
    )
    found: dict[int, list[Instance]] = {root: [] for root in ids}
    for instance in instances(tx, rows, definitions):
        found[instance.root_id].append(instance)
    return found


def instances(tx: Tx, rows: Sequence[tuple[Any, ...]], definitions: Definitions) -> list[Instance]:
    """Instances of rows with the columns INSTANCE."""
    versions = definitions.load(tx, {r[2] for r in rows})
    found = []
    for key, root, definition, business_key, tokens, variables, started_at, state, *parent in rows:
        of = versions[definition]
        instance = Instance(key, root, definition, of.version, of.graph, business_key, variables, started_at, *parent)
        instance.state = state
        instance.load_tokens(tokens)
        found.append(instance)
    return found


def write(tx: Tx, part: int, jobs: Sequence[Job], instances: Iterable[Instance], changes: Changes) -> None:
    """Write what a batch did: each row once."""
    moved = list(instances)
    _write_instances(tx, part, moved)
    _write_signals(tx, part, moved, changes)
    _write_jobs(tx, part, jobs, changes)
    sets.insert(
        tx,
        "engine.human_task",
        _TASK_COLUMNS,
        [
            (part, t.id, t.root_id, t.instance_id, t.token_id, t.node, t.name, t.planned, t.pool, t.priority, t.state,
             t.reason, t.due_at, tx.now, None if t.state == OFFERED else tx.now)
            for t in changes.tasks.values()
        ],
    )  # fmt: skip
    closed = [(part, task, state, reason, tx.now) for task, (state, reason) in changes.closed.items()]
    # A task that its person has completed stays as it is.
    sets.update(tx, "engine.human_task", _KEY, _CLOSED, closed, where="t.state < 3", exact=False)
    sets.insert(
        tx,
        "engine.incident",
        _INCIDENT_COLUMNS,
        [
            (part, i.id, i.root_id, i.instance_id, i.node, i.job_id, i.code, i.message, i.detail, tx.now)
            for i in changes.incidents
        ],
    )
    if changes.mended:
        tx.run(
            "update engine.incident set resolved_at = %s where part = %s"
            " and job_id = any(%s::int8[]) and resolved_at is null",
            (tx.now, part, list(changes.mended)),
        )
    _write_rare(tx, part, changes)
    for root, entry in changes.entries:
        journal.record(tx, root, entry)


def _write_rare(tx: Tx, part: int, changes: Changes) -> None:
    """What a batch seldom does: migrated instances, and external work that nobody needs any more."""
    migrated = [(part, *pair) for pair in sorted(changes.migrated.items())]
    sets.update(tx, "engine.instance", _KEY, {"definition_id": "int4"}, migrated)
    renamed = [(part, task, *node) for task, node in sorted(changes.renamed.items())]
    sets.update(tx, "engine.human_task", _KEY, {"node": "text", "name": "text"}, renamed)
    sets.delete(tx, "engine.external_task", _KEY, [(part, task) for task in sorted(changes.errands)])


def _write_instances(tx: Tx, part: int, moved: list[Instance]) -> None:
    new = [
        (
            part,
            i.id,
            i.root_id,
            i.definition_id,
            i.business_key,
            i.state,
            i.dump_tokens(),
            i.vars,
            i.started_at,
            i.ended_at,
            i.parent_id,
            i.parent_token,
        )
        for i in moved
        if i.new
    ]
    sets.insert(tx, "engine.instance", _INSTANCE_COLUMNS, new)
    rows = [(part, i.id, i.state, i.dump_tokens(), i.vars, i.ended_at) for i in moved if i.changed and not i.new]
    sets.update(tx, "engine.instance", _KEY, _MOVED, rows, where="t.state in (0, 3)")


def _write_signals(tx: Tx, part: int, instances: list[Instance], changes: Changes) -> None:
    """Who waits for which signal, so that others find them, and what goes out to others."""
    gone, come = [], []
    for instance in instances:
        now = instance.signals()
        gone += [(part, instance.id, name) for name in instance.listened - now]
        come += [(part, instance.id, name, instance.root_id) for name in now - instance.listened]
    sets.delete(tx, "engine.subscription", _SUBSCRIBED, sorted(gone))
    sets.insert(tx, "engine.subscription", {**_SUBSCRIBED, "root_id": "int8"}, sorted(come))
    sets.insert(
        tx,
        "engine.broadcast",
        {**_KEY, "root_id": "int8", "name": "text", "vars": "jsonb", "created_at": "timestamptz"},
        [(part, made, root, name, variables, tx.now) for made, root, name, variables in changes.broadcasts],
    )


def _write_jobs(tx: Tx, part: int, jobs: Sequence[Job], changes: Changes) -> None:
    gone, kept = set(changes.cancelled), []
    for job in jobs:
        if job.id in gone:
            continue
        if job.id in changes.tries:
            kept.append((part, job.id, *changes.tries[job.id], 0))
        elif job.msg_key is not None:
            kept.append((part, job.id, DONE, job.attempts, job.due_at, 0))
        else:
            gone.add(job.id)
    sets.delete(tx, "engine.job", _KEY, [(part, i) for i in sorted(gone)])
    sets.update(tx, "engine.job", _KEY, _TRIES, kept)
    insert_jobs(tx, list(changes.jobs.values()))


def insert_jobs(tx: Tx, jobs: Sequence[Job], *, once: bool = False) -> int:
    """Insert jobs; with ``once`` those whose message key has entered its root before are left out."""
    rows = [
        (part_of(j.root_id), j.id, j.root_id, j.instance_id, j.token_id, j.kind, j.name, j.msg_key, j.body, j.state,
         j.due_at, j.attempts, j.created_at)
        for j in jobs
    ]  # fmt: skip
    conflict = "(part, root_id, msg_key) where msg_key is not null do nothing" if once else ""
    return sets.insert(tx, "engine.job", _JOB_COLUMNS, rows, on_conflict=conflict)


def mark_attempt(tx: Tx, part: int, job_id: int) -> int:
    """Note that a worker begins a job alone; returns how many began it before and now."""
    row = tx.row(
        "update engine.job set deaths = deaths + 1 where part = %s and id = %s returning deaths", (part, job_id)
    )
    return 0 if row is None else int(row[0])


def stored(tx: Tx, jobs: Sequence[Job]) -> set[int]:
    """Which of these new jobs have entered."""
    if not jobs:
        return set()
    rows: list[Any] = tx.rows(
        "select j.id from unnest(%s::int2[], %s::int8[]) u(part, id)"
        " join engine.job j on j.part = u.part and j.id = u.id",
        ([part_of(j.root_id) for j in jobs], [j.id for j in jobs]),
    )
    return {r[0] for r in rows}
