"""Small diagrams, recording handlers and a clock that the tests turn."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from diaodu.engine import commands, queries
from diaodu.engine.model import told
from diaodu.engine.ports import (
    Advance,
    Call,
    Decision,
    Done,
    Handlers,
    Inbound,
    Outcome,
    Scope,
    ServiceHandler,
    Signal,
    Start,
)
from diaodu.engine.worker import Worker
from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_FLOW = re.compile(r"(\w+) -> (\w+)(?: if (.*))?")


def flows(text: str) -> str:
    """Sequence flows, one a line: ``a -> b`` or ``a -> b if x > 1``; their ids are ``a_b``."""
    found = []
    for line in filter(None, (part.strip() for part in text.splitlines())):
        match = _FLOW.fullmatch(line)
        assert match, line
        source, target, condition = match.groups()
        inner = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
        found.append(
            f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'
        )
    return "".join(found)


def bpmn(body: str, arrows: str = "", key: str = "p", extra: str = "", attributes: str = "") -> bytes:
    """A file with one process."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:diaodu="https://diaodu.dev/bpmn"'
        ' xmlns:other="urn:other" targetNamespace="t">'
        '<message id="m_paid" name="paid"/><message id="m_stop" name="stop"/>'
        '<error id="e_bad" errorCode="BAD"/><error id="e_other" errorCode="OTHER"/>'
        '<signal id="s_go" name="go"/><escalation id="x_late" escalationCode="LATE"/>'
        f'{extra}<process id={quoteattr(key)} isExecutable="true" {attributes}>{body}{flows(arrows)}</process>'
        "</definitions>"
    ).encode()


@dataclass
class Service:
    """A service that remembers what it applied; ``answer`` decides each call."""

    answer: Callable[[Call], Outcome] = lambda _: Done()
    applied: list[tuple[str, str]] = field(default_factory=list)  # (business key or key, node)
    batches: list[int] = field(default_factory=list)

    def load(self, _tx: Tx, calls: Sequence[Call]) -> Any:
        self.batches.append(len(calls))
        return None

    def decide(self, call: Call, _facts: Any) -> Decision:
        return Decision(self.answer(call), call.node)

    def apply(self, _tx: Tx, decided: Sequence[tuple[Call, Decision]], _facts: Any) -> None:
        self.applied += [(str(c.vars.get("n", c.key)), c.node) for c, d in decided if isinstance(d.outcome, Done)]


@dataclass
class Reports:
    """An inbound handler that answers with the signals that ``answer`` makes of each report."""

    answer: Callable[[Inbound], Sequence[Signal]] = lambda _: ()
    seen: list[Inbound] = field(default_factory=list)

    def run(self, _tx: Tx, jobs: Sequence[Inbound]) -> Sequence[Signal]:
        self.seen += jobs
        return [signal for job in jobs for signal in self.answer(job)]


@dataclass
class Driver:
    """A driver that asks ``answer`` for each scope."""

    answer: Callable[[Scope], Advance]
    calls: list[list[Scope]] = field(default_factory=list)

    def advance(self, _tx: Tx, scopes: Sequence[Scope]) -> Mapping[int, Advance]:
        self.calls.append(list(scopes))
        return {s.token_id: self.answer(s) for s in scopes}


class Bench:
    """An engine on a database with a clock that stands until a test moves it."""

    def __init__(self, db: Database, handlers: Handlers | None = None) -> None:
        self.db, self.at = db, NOW
        db.clock = lambda: self.at
        self.handlers = handlers or Handlers({}, {})

    def deploy(self, *sources: bytes) -> None:
        with self.db.transaction() as tx:
            commands.deploy_together(tx, sources, self.handlers)

    def root(self, part: int = 1) -> int:
        with self.db.transaction() as tx:
            made = tx.new_id(part)
            journal.create(tx, [made], "order")
        return made

    def signal(self, *signals: Signal) -> None:
        with self.db.transaction() as tx:
            commands.signal(tx, signals)

    def work(self) -> int:
        return Worker(self.db, self.handlers, "test").run_until_idle()

    def start(self, key: str = "k", process: str = "p", **variables: Any) -> int:
        """Start an instance on a new root and let it run; answers with the root."""
        root = self.root()
        self.signal(Start(root, process, key, variables))
        self.work()
        return root

    def later(self, **span: float) -> None:
        self.at += timedelta(**span)

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        with self.db.transaction() as tx:
            return tx.rows(sql, params)

    def instance(self, root: int) -> queries.InstanceView:
        with self.db.transaction() as tx:
            (made,) = queries.instances_of(tx, root)
            return queries.get_instance(tx, made)

    def state(self, root: int) -> str:
        return self.instance(root).state

    def at_nodes(self, root: int) -> list[str]:
        """Where the tokens stand, sorted."""
        with self.db.transaction() as tx:
            return sorted(t.node for i in queries.instances_of(tx, root) for t in queries.tokens(tx, i))

    def tasks(self, root: int) -> list[queries.Task]:
        with self.db.transaction() as tx:
            return queries.tasks_of_root(tx, root)

    def incidents(self) -> list[queries.IncidentView]:
        with self.db.transaction() as tx:
            return queries.incidents(tx, 100)

    def history(self, root: int) -> list[str]:
        """What happened, in order: ``noun.verb node``."""
        with self.db.transaction() as tx:
            entries = [e for row in journal.read(tx, root) for e in told(row["entries"])]
        return [f"{e['t']} {e.get('node', '')}".strip() for e in entries]

    def done(self, root: int) -> list[str]:
        """The nodes that were left, in order."""
        return [e.removeprefix("node.done ") for e in self.history(root) if e.startswith("node.done")]

    def jobs(self) -> list[tuple[Any, ...]]:
        return self.rows("select kind, name, state from engine.job order by id")


def services(**named: ServiceHandler) -> Handlers:
    """Handlers with these services only."""
    return Handlers(named, {})


def claim(tx: Tx, root: int, task: int, person: int) -> bool:
    """Claim a task under the lock of its root; whether it was on offer."""
    journal.lock(tx, [root])
    return commands.claim_tasks(tx, [task], person) == {task}
