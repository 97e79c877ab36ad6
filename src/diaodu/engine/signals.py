"""The jobs that hold signals: how a signal is written down, and read again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from diaodu.engine.instance import Job
from diaodu.engine.model import (
    AddInstance,
    Answer,
    Broadcast,
    BusinessError,
    Cancel,
    Done,
    Failed,
    Message,
    Migrate,
    Move,
    Nudge,
    RemoveInstance,
    Signal,
    Start,
)

Body = dict[str, Any]
Written = tuple[str, str, Body]


def signal_of(job: Job) -> Signal | None:
    """The signal that a job holds; None when it holds none."""
    read = _READ.get(job.kind)
    found = None if read is None else read(job.root_id, job.name, job.body)
    # Its job may have waited: for a worker, or for its suspended instance.
    return replace(found, sent_at=found.sent_at or job.created_at) if isinstance(found, Message) else found


def body_of(signal: Signal) -> Written:
    """The kind, name and body of the job that holds a signal."""
    return _WRITE[type(signal)](signal)


def _read_message(root: int, name: str, body: Body) -> Message:
    ttl, sent = body.get("ttl"), body.get("sent")
    return Message(
        root,
        name,
        body["key"],
        body["vars"],
        None if ttl is None else timedelta(seconds=ttl),
        None if sent is None else datetime.fromisoformat(sent),
    )


def _write_message(sent: Message) -> Written:
    ttl = {} if sent.ttl is None else {"ttl": sent.ttl.total_seconds()}
    begun = {} if sent.sent_at is None else {"sent": sent.sent_at.isoformat()}
    return "message", sent.name, {"key": sent.key, "vars": dict(sent.vars), **ttl, **begun}


def _write_start(asked: Start) -> Written:
    node = {"node": asked.node} if asked.node else {}
    return "start", asked.process, {"key": asked.business_key, "vars": dict(asked.vars), **node}


def _write_broadcast(thrown: Broadcast) -> Written:
    only = {} if thrown.instance_id is None else {"instance": thrown.instance_id}
    return "signal", thrown.name, {"vars": dict(thrown.vars), "beyond": thrown.beyond, **only}


def _write_cancel(asked: Cancel) -> Written:
    one = {"instance": asked.instance_id, "by": asked.by, "reason": asked.reason}
    return "cancel", asked.process, {} if asked.instance_id is None else one


def _read_answer(root: int, _name: str, body: Body) -> Answer:
    made: type[Done | BusinessError | Failed] = _OUTCOMES[body["said"]]
    return Answer(root, body["task"], made(**body["with"]))


def _write_answer(said: Answer) -> Written:
    named = next(name for name, made in _OUTCOMES.items() if isinstance(said.outcome, made))
    return "answer", str(said.task_id), {"task": said.task_id, "said": named, "with": dict(vars(said.outcome))}


def _whole(signal: Signal) -> Written:
    return type(signal).__name__.lower(), "", {n: v for n, v in vars(signal).items() if n != "root_id"}


_OUTCOMES: Mapping[str, type[Done | BusinessError | Failed]] = {"done": Done, "error": BusinessError, "failed": Failed}
_READ: Mapping[str, Callable[[int, str, Body], Signal]] = {
    "start": lambda root, name, b: Start(root, name, b["key"], b["vars"], b.get("node", "")),
    "message": _read_message,
    "signal": lambda root, name, b: Broadcast(root, name, b["vars"], b["beyond"], b.get("instance")),
    "nudge": lambda root, _name, _body: Nudge(root),
    "cancel": lambda root, name, b: Cancel(root, name, b.get("instance"), b.get("by", ""), b.get("reason", "")),
    "add": lambda root, _name, b: AddInstance(root, b["token"], b["item"]),
    "remove": lambda root, _name, b: RemoveInstance(root, b["token"]),
    "move": lambda root, _name, b: Move(root, **b),
    "migrate": lambda root, _name, b: Migrate(root, **b),
    "answer": _read_answer,
}
_WRITE: Mapping[type[Signal], Callable[[Any], Written]] = {
    Start: _write_start,
    Message: _write_message,
    Broadcast: _write_broadcast,
    Nudge: lambda _: ("nudge", "", {}),
    Cancel: _write_cancel,
    AddInstance: lambda s: ("add", "", {"token": s.token_id, "item": s.item}),
    RemoveInstance: lambda s: ("remove", "", {"token": s.token_id}),
    Move: _whole,
    Migrate: _whole,
    Answer: _write_answer,
}
