"""What a person does to single instances: suspend, resume, cancel, skip, move, change variables, mend incidents.

The rights are checked by the caller. Each command locks the root; what moves tokens is handed to the worker as a job,
which looks again. All of it goes into the history with who did it and why.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from diaodu.engine import store
from diaodu.engine.board import plain
from diaodu.engine.definition import Definition, Definitions, definition_of
from diaodu.engine.errors import (
    CallerSuspended,
    DefinitionSuspended,
    HoldsToken,
    IncidentNotOpen,
    InstanceNotIn,
    NoPlace,
    NotMovable,
    ReasonNeeded,
    TokenGone,
    UnknownProcess,
)
from diaodu.engine.game import interventions
from diaodu.engine.instance import ACTIVE, ALIVE, DONE, FAILED, KEPT, READY, SUSPENDED, Instance, Job
from diaodu.engine.model import Cancel, Migrate, Move, Nudge, Signal
from diaodu.engine.signals import body_of
from diaodu.engine.survey import check_mapping, examined
from diaodu.engine.versions import Report
from diaodu.kernel import journal, sets
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of

_KEY = {"part": "int2", "id": "int8"}
STATES = {0: "active", 1: "ended", 2: "cancelled", 3: "suspended"}
_NOTHING: Mapping[str, str] = {}
_WHY = {
    "scope": ("it stands for a whole scope", "它代表整个作用域"),
    "stage": ("a plan-driven stage is run by its plan", "计划驱动阶段由计划决定"),
    "effects": ("its work writes effects", "该节点会写入效果"),
    "gateway": ("a gateway needs to know which way", "网关必须指明走向"),
    "turn": ("it is one of several instances", "它是多实例之一"),
    "unknown": ("there is no such element", "没有这个元素"),
    "elsewhere": ("it lies in another scope", "它位于另一作用域"),
    "no-place": ("no token enters there", "令牌不能进入该处"),
    "join": ("a join waits for its flows; choose what follows it", "汇聚网关等待其各流入，请选择其后的节点"),
}


def suspend(tx: Tx, instance_id: int, by: str, reason: str) -> None:
    """From now on the instance and those it calls take no step; what comes for them is kept. InstanceNotIn."""
    _said(reason)
    instance = _locked(tx, instance_id)
    _need(instance, (ACTIVE,))
    _set_state(tx, _tree(tx, instance), SUSPENDED)
    journal.record(tx, instance.root_id, _entry("instance.suspended", instance, by, reason))


def resume(tx: Tx, instance_id: int, by: str, reason: str) -> None:
    """Let a suspended instance and those it calls go on, with all that was kept. InstanceNotIn, CallerSuspended."""
    _said(reason)
    instance = _locked(tx, instance_id)
    _need(instance, (SUSPENDED,))
    of_root = _of_root(tx, instance.root_id)
    caller = next((i for i in of_root if i.id == instance.parent_id), None)
    if caller is not None and caller.state == SUSPENDED:
        raise CallerSuspended(id=instance_id, caller=caller.id)
    _set_state(tx, _tree(tx, instance), ACTIVE)
    tx.run(
        "update engine.job set state = %s where part = %s and root_id = %s and state = %s",
        (READY, part_of(instance_id), instance.root_id, KEPT),
    )
    journal.record(tx, instance.root_id, _entry("instance.resumed", instance, by, reason))
    _hand_over(tx, Nudge(instance.root_id))


def cancel(tx: Tx, instance_id: int, by: str, reason: str) -> None:
    """End an active or suspended instance and those it calls, withdrawing their tasks and timers. InstanceNotIn."""
    _said(reason)
    instance = _locked(tx, instance_id)
    _need(instance, ALIVE)
    _hand_over(tx, Cancel(instance.root_id, instance.graph.key, instance_id, by, reason))


def skip(
    tx: Tx, instance_id: int, token_id: int, *, by: str, reason: str, effects: frozenset[str] = frozenset()
) -> None:
    """Let a token leave its node undone; ``effects`` are the service types that may not be passed over.

    InstanceNotIn, TokenGone, NotMovable.
    """
    _move(tx, instance_id, Move(0, instance_id, token_id, "", "", by, reason), effects)


def jump(
    tx: Tx,
    instance_id: int,
    token_id: int,
    target: str,
    *,
    by: str,
    reason: str,
    effects: frozenset[str] = frozenset(),
) -> None:
    """Let a token go on at another node of its scope; otherwise as ``skip``."""
    _move(tx, instance_id, Move(0, instance_id, token_id, "", target, by, reason), effects)


def _move(tx: Tx, instance_id: int, asked: Move, effects: frozenset[str]) -> None:
    _said(asked.reason)
    instance = _locked(tx, instance_id)
    _need(instance, (ACTIVE,))
    token = instance.tokens.get(asked.token_id)
    if token is None:
        raise TokenGone(id=asked.token_id, instance=instance_id)
    node, target = instance.node(token), asked.target
    why = interventions.obstacle(instance, token, target)
    if any(interventions.writes(instance.graph, n, effects) for n in (node.id, target)):
        why = why or "effects"
    if why:
        raise NotMovable(node=node.id, target=target, why=why, why_en=_WHY[why][0], why_zh=_WHY[why][1])
    _hand_over(tx, replace(asked, root_id=instance.root_id, node=node.id))


def set_variables(
    tx: Tx, instance_id: int, variables: Mapping[str, Any], *, by: str, reason: str, remove: Sequence[str] = ()
) -> None:
    """Set and remove variables of an instance; the values before and after go into the history. InstanceNotIn."""
    _said(reason)
    instance = _locked(tx, instance_id)
    _need(instance, ALIVE)
    new = plain(dict(variables))
    names = [*new, *(n for n in remove if n in instance.vars and n not in new)]
    before = {n: instance.vars[n] for n in names if n in instance.vars}
    changed = {n: v for n, v in instance.vars.items() if n not in names} | new
    sets.update(tx, "engine.instance", _KEY, {"vars": "jsonb"}, [(part_of(instance_id), instance_id, changed)])
    details = {"before": before, "after": new}
    journal.record(tx, instance.root_id, _entry("variables.set", instance, by, reason) | details)


def migrate(
    tx: Tx,
    instance_id: int,
    version: int,
    mapping: Mapping[str, str],
    by: str,
    *,
    recompute: bool = False,
    leave: Mapping[str, str] = _NOTHING,
    miss: Collection[str] = (),
    effects: frozenset[str] = frozenset(),
) -> Report:
    """Let an instance go on in another version of its process, as a whole or not at all; answers what becomes of it.

    ``leave`` are elements at which its tokens leave their work undone first, each with a note; ``miss`` elements that
    the version inserts and the instance may have behind it; ``effects`` as for ``skip``. InstanceNotIn, BadMapping,
    NoPlace, NotMovable. What only shows when the new events are opened (a time that cannot be computed) is recorded as
    ``migration.refused``, and nothing has changed then either.
    """
    report, instance = dry_run(tx, instance_id, version, mapping, recompute=recompute, leave=leave, miss=miss)
    _need(instance, (ACTIVE,))
    if report.problems:
        problems = "; ".join(f"{p.node}: {p.detail}" for p in report.problems)
        raise NoPlace(id=instance_id, version=version, problems=problems)
    for token in [t for t in instance.tokens.values() if instance.node(t).id in leave]:
        skip(tx, instance_id, token.id, by=by, reason=leave[instance.node(token).id], effects=effects)
    _hand_over(tx, Migrate(instance.root_id, instance_id, version, dict(mapping), recompute, by))
    return report


def dry_run(
    tx: Tx,
    instance_id: int,
    version: int,
    mapping: Mapping[str, str],
    *,
    recompute: bool = False,
    leave: Mapping[str, str] = _NOTHING,
    miss: Collection[str] = (),
) -> tuple[Report, Instance]:
    """What a migration would do to an instance. NotFound, BadMapping."""
    instance = _locked(tx, instance_id)
    new = definition_of(tx, instance.graph.key, version).graph
    check_mapping(instance.graph, new, mapping)
    return examined(instance, new, mapping, recompute=recompute, leave=leave, miss=miss), instance


def retry_incident(tx: Tx, incident_id: int, actor: str) -> None:
    """Let the job behind an incident run again, with all its attempts; IncidentNotOpen when it was resolved."""
    part = part_of(incident_id)
    found = tx.row("select root_id, job_id from engine.incident where part = %s and id = %s", (part, incident_id))
    if found is None:
        raise NotFound(entity="incident", id=incident_id)
    root, job = found
    locked = journal.lock(tx, [root])
    resolved = tx.run(
        "update engine.incident set resolved_at = %s where part = %s and id = %s and resolved_at is null",
        (tx.now, part, incident_id),
    )
    if not resolved:
        raise IncidentNotOpen(id=incident_id)
    # The job may have gone with its token.
    tx.run(
        "update engine.job set state = %s, attempts = 0, deaths = 0, due_at = %s"
        " where part = %s and id = %s and state = %s",
        (READY, tx.now, part, job, FAILED),
    )
    if locked:
        journal.record(tx, root, {"t": "incident.retried", "incident": incident_id, "by": actor})


def resolve_incident(tx: Tx, incident_id: int, by: str, reason: str) -> None:
    """Close an incident that holds no token; its report or start is dropped. IncidentNotOpen, HoldsToken."""
    _said(reason)
    part = part_of(incident_id)
    row = tx.row(
        "select i.root_id, i.node, j.id, j.token_id, j.msg_key from engine.incident i"
        " left join engine.job j on j.part = i.part and j.id = i.job_id where i.part = %s and i.id = %s",
        (part, incident_id),
    )
    if row is None:
        raise NotFound(entity="incident", id=incident_id)
    root, node, job, token, msg_key = row
    locked = journal.lock(tx, [root])
    if token is not None:
        raise HoldsToken(id=incident_id, node=node)
    resolved = tx.run(
        "update engine.incident set resolved_at = %s where part = %s and id = %s and resolved_at is null",
        (tx.now, part, incident_id),
    )
    if not resolved:
        raise IncidentNotOpen(id=incident_id)
    if job is not None and msg_key is None:
        tx.run("delete from engine.job where part = %s and id = %s and state = %s", (part, job, FAILED))
    elif job is not None:
        # What has entered once stays known.
        tx.run("update engine.job set state = %s where part = %s and id = %s and state = %s", (DONE, part, job, FAILED))
    if locked:
        entry = {"t": "incident.resolved", "incident": incident_id, "node": node, "by": by, "reason": reason}
        journal.record(tx, root, entry)


def startable(tx: Tx, process: str) -> None:
    """Pass when the newest version of a process may be started; UnknownProcess, DefinitionSuspended."""
    row = tx.row("select suspended_at from engine.definition where key = %s order by version desc limit 1", (process,))
    if row is None:
        raise UnknownProcess(process=process)
    if row[0] is not None:
        raise DefinitionSuspended(process=process)


def suspend_definition(tx: Tx, process: str, by: str, version: int | None = None) -> list[Definition]:
    """From now on a version (or all) starts no instances: what would start one waits. Answers with them. NotFound."""
    return _hold(tx, process, version, (tx.now, by))


def resume_definition(tx: Tx, process: str, version: int | None = None) -> list[Definition]:
    """A version (or all) starts instances again; what has waited comes within a minute. NotFound."""
    return _hold(tx, process, version, (None, None))


def _hold(tx: Tx, process: str, version: int | None, mark: tuple[Any, Any]) -> list[Definition]:
    found = tx.rows(
        "update engine.definition set suspended_at = %s, suspended_by = %s"
        " where key = %s and (%s::int4 is null or version = %s)"
        " returning id, key, version, name, digest, deployed_at",
        (*mark, process, version, version),
    )
    if not found:
        raise NotFound(entity="process", id=process)
    return sorted((Definition(*r) for r in found), key=lambda d: d.version)


# What all of them do --------------------------------------------------------------------------------------------


def _said(reason: str) -> None:
    if not reason.strip():
        raise ReasonNeeded


def _locked(tx: Tx, instance_id: int) -> Instance:
    """An instance in whatever state, its root locked; NotFound."""
    part = part_of(instance_id)
    row = tx.row("select root_id from engine.instance where part = %s and id = %s", (part, instance_id))
    if row is None:
        raise NotFound(entity="instance", id=instance_id)
    journal.lock(tx, [row[0]])
    return next(i for i in _of_root(tx, row[0]) if i.id == instance_id)


def _of_root(tx: Tx, root: int) -> list[Instance]:
    """All instances of a locked root."""
    rows = tx.rows(
        f"select {store.INSTANCE} from engine.instance where part = %s and root_id = %s order by id",
        (part_of(root), root),
    )
    return store.instances(tx, rows, Definitions())


def _tree(tx: Tx, top: Instance) -> list[Instance]:
    """An instance and all that it calls, directly or not."""
    found, of_root = [top], [i for i in _of_root(tx, top.root_id) if i.state in ALIVE]
    for instance in found:
        found += [i for i in of_root if i.parent_id == instance.id]
    return found


def _need(instance: Instance, states: Sequence[int]) -> None:
    if instance.state not in states:
        needed = " / ".join(STATES[s] for s in states)
        raise InstanceNotIn(id=instance.id, state=STATES[instance.state], needed=needed)


def _set_state(tx: Tx, instances: Sequence[Instance], state: int) -> None:
    rows = [(part_of(i.id), i.id, state) for i in instances]
    sets.update(tx, "engine.instance", _KEY, {"state": "int2"}, rows)


def _hand_over(tx: Tx, signal: Signal) -> None:
    kind, name, body = body_of(signal)
    root = signal.root_id
    job = Job(tx.new_id(part_of(root)), root, None, None, kind, name, None, body, READY, tx.now, 0, tx.now)
    store.insert_jobs(tx, [job])


def _entry(what: str, instance: Instance, by: str, reason: str) -> dict[str, Any]:
    return {"t": what, "instance": instance.id, "by": by, "reason": reason}


def tokens_at(tx: Tx, instance_id: int, node: str) -> list[int]:
    """The tokens that stand at an element; NotFound."""
    instance = _locked(tx, instance_id)
    return [t.id for t in instance.tokens.values() if instance.node(t).id == node]


def incidents_of(tx: Tx, instance_id: int) -> list[int]:
    """The open incidents of an instance."""
    rows = tx.rows(
        "select id from engine.incident where part = %s and instance_id = %s and resolved_at is null order by id",
        (part_of(instance_id), instance_id),
    )
    return [r[0] for r in rows]
