"""What tokens take up and give back (timers, tasks, jobs that try again), and the values that a node evaluates."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from diaodu.engine.graph import Node, Value
from diaodu.engine.instance import FAILED, WITHDRAWN, Changes, HumanTask, Incident, Instance, Job, Token, Vars
from diaodu.engine.model import EXTERNAL, TaskSpec
from diaodu.engine.times import due_at
from diaodu.feel import DateTime, FeelError, to_python

# Values of these types are stored as they are; a text may have half a character, a float may be none.
_PLAIN = frozenset((bool, int, type(None)))


class NodeError(Exception):
    """A node that cannot be executed with the present variables and facts: an incident there, nothing else."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.text = code, message
        super().__init__(message)


@dataclass(slots=True)
class Board:
    """Writes down in ``changes`` what tokens take up and give back.

    ``facts`` gives the names that an expression may use beside the variables; asked only for those that these lack.
    """

    now: datetime
    new_id: Callable[[int], int]
    facts: Callable[[Instance], Mapping[str, Any]] | None = None
    changes: Changes = field(default_factory=Changes)

    def record(self, instance: Instance, what: str, **details: Any) -> None:
        """Add an entry to the history of the instance's root."""
        changes, root = self.changes, instance.root_id
        changes.passed.pop(root, None)
        changes.entries.append((root, {"t": what, "instance": instance.id, **details}))

    def leave(self, instance: Instance, node: Node) -> None:
        """Note in the history that a token has left a node: those that are left one after the other are one entry."""
        passed, root = self.changes.passed, instance.root_id
        last = passed.get(root)
        if last is not None and last[0] == instance.id:
            last[1].append(node.id)
            return
        nodes = [node.id]
        self.changes.entries.append((root, {"t": "node.done", "instance": instance.id, "nodes": nodes}))
        passed[root] = (instance.id, nodes)

    def arm(self, instance: Instance, token: Token, node: Node, due: datetime, body: Vars) -> None:
        """Set the timer of ``node`` for a token."""
        instance.changed = True
        job = self._job(instance, token, "timer", node.id, due, body=body)
        self.changes.jobs[job.id] = job
        token.timers.append([node.index, job.id])

    def offer(self, instance: Instance, token: Token, task_id: int, task: TaskSpec, *, planned: bool) -> None:
        """Put a human task on its worklist."""
        node = instance.node(token).id
        token.task, instance.changed = task_id, True
        self.changes.tasks[task_id] = HumanTask(
            task_id,
            instance.root_id,
            instance.id,
            token.id,
            node,
            task.name,
            planned,
            task.pool,
            task.priority,
            task.due_at,
        )
        self.record(instance, "task.offered", task=task_id, node=node, pool=task.pool, to="offered")

    def close(self, instance: Instance, token: Token, task_state: int, reason: str | None) -> None:
        """Take back everything that the token holds at its node."""
        instance.changed = True
        if token.timers or token.waits:
            self._forget(token)
        if token.job is not None:
            self.mend(token)
        if token.task is None:
            return
        if (new := self.changes.tasks.get(token.task)) is not None:
            new.state, new.reason = task_state, reason  # its row is written all the same: others point to it
        else:
            self.changes.closed[token.task] = (task_state, reason)
        if task_state == WITHDRAWN:
            self.record(instance, "task.withdrawn", task=token.task, reason=reason, to="withdrawn")
        elif token.key is None or instance.node(token).incoming:  # what a stage began, its report has told
            self.record(instance, "task.done", task=token.task, node=instance.node(token).id, to="done")
        token.task = None

    def _forget(self, token: Token) -> None:
        for _, job_id in token.timers:
            if job_id:  # else its instant is still asked for
                self.changes.cancel(job_id)
        for _, name, key in token.waits:
            if name == EXTERNAL:
                self.changes.errands.add(int(key))
        token.timers, token.waits = [], []

    def mend(self, token: Token) -> None:
        """The token goes on: the job that was to try again, and its incident, are over."""
        if token.job is not None:
            self.changes.cancel(token.job)
            self.changes.mended.add(token.job)
            token.job = None

    def postpone(
        self, instance: Instance, token: Token, state: int, attempts: int, due: datetime, *, what: str = "call"
    ) -> int:
        """Let a job do ``what`` at the token's node again at ``due``, or hold it for an incident; returns its id."""
        instance.changed = True
        if token.job is not None:
            self.changes.tries[token.job] = (state, attempts, due)
            return token.job
        job = self._job(instance, token, "retry", what, due, body={})
        job.state, job.attempts = state, attempts
        self.changes.jobs[job.id] = job
        token.job = job.id
        return job.id

    def fail(
        self,
        instance: Instance,
        token: Token,
        code: str,
        message: str,
        detail: Mapping[str, Any],
        *,
        what: str = "enter",
    ) -> None:
        """Open an incident at the token's node; when it is mended, ``what`` is done again."""
        node = instance.node(token)
        job_id = self.postpone(instance, token, FAILED, 0, self.now, what=what)
        incident = self.new_id(instance.root_id)
        self.changes.incidents.append(
            Incident(incident, instance.root_id, instance.id, node.id, job_id, code, message, dict(detail))
        )
        self.record(instance, "incident.opened", incident=incident, node=node.id, code=code)

    def context(self, instance: Instance, token: Token | None, names: Collection[str]) -> Mapping[str, Any]:
        """The variables that a token sees; where they do not give all the names, with the facts of the root."""
        seen = visible(instance, token)
        if self.facts is None or seen.keys() >= set(names):
            return seen
        return {**self.facts(instance), **seen}

    def value(self, instance: Instance, token: Token | None, value: Value) -> Any:
        """A constant, or the result of its expression for a token."""
        if isinstance(value, str):
            return value
        try:
            return value.evaluate(self.context(instance, token, value.names), now=self.now)
        except FeelError as error:
            raise NodeError("engine.expression-failed", str(error)) from error

    def number(self, instance: Instance, token: Token, value: Value) -> int:
        """A whole number."""
        found = self.value(instance, token, value)
        try:
            return int(found)
        except (TypeError, ValueError, OverflowError):
            raise NodeError("engine.no-number", f"{found!r} is not a number") from None

    def moment(self, instance: Instance, token: Token, value: Value) -> datetime:
        """An instant, from a date or a duration from now."""
        found = self.value(instance, token, value)
        try:
            return due_at(to_python(found) if isinstance(found, DateTime) else found, self.now)
        except (ValueError, OverflowError):
            raise NodeError("engine.no-moment", f"{found!r} is not a date or duration") from None

    def key(self, instance: Instance, token: Token, node: Node) -> str:
        """The correlation key of a message node: its expression, else the business key."""
        if node.key == "":
            return instance.business_key
        found = self.value(instance, token, node.key)
        if found is None:
            raise NodeError("engine.no-key", f"the message key of '{node.id}' is null")
        return str(found)

    def _job(self, instance: Instance, token: Token, kind: str, name: str, due: datetime, *, body: Vars) -> Job:
        job_id = self.new_id(instance.root_id)
        return Job(job_id, instance.root_id, instance.id, token.id, kind, name, None, body, 0, due, 0, self.now)


def visible(instance: Instance, token: Token | None) -> Mapping[str, Any]:
    """The variables that a token sees: its own, then those of the scopes around it, then the instance's."""
    if token is None:
        return instance.vars
    layers = [] if token.vars is None else [token.vars]
    if token.scope > 0:
        layers += [t.vars for t in instance.around(token) if t.vars is not None]
    if not layers:
        return instance.vars
    seen = dict(instance.vars)
    for layer in reversed(layers):
        seen.update(layer)
    return seen


def assign(instance: Instance, token: Token | None, variables: Mapping[str, Any]) -> None:
    """Set variables (plain JSON): each in the innermost scope around the token that has it, else in the instance."""
    instance.changed = True
    scopes = [t.vars for t in instance.around(token) if t.vars is not None] if token and token.scope > 0 else []
    if not scopes:
        instance.vars.update(variables)
        return
    for name, value in variables.items():
        next((s for s in scopes if name in s), instance.vars)[name] = value


def plain(variables: Any) -> Any:
    """Values in the form in which they are stored, so that a reload changes nothing."""
    if type(variables) is dict and _PLAIN.issuperset(map(type, variables.values())):
        return dict(variables)
    return orjson.loads(orjson.dumps(variables, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS))


def backoff(attempt: int, seed: int) -> timedelta:
    """The pause after a failed attempt: 2, 4, 8, 16 seconds, spread by half to either side."""
    return timedelta(seconds=2**attempt * (0.5 + (seed * 2654435761 % 1000) / 1000))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
