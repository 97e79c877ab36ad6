"""The work item of the engine's benchmark: eight service steps, a gateway, and a person with a time limit.

Start, eight services, exclusive gateway, user task with a boundary timer of a day, end: eleven nodes done. Each service
writes a variable; the services do their work inside the worker.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from diaodu.engine import commands, queries
from diaodu.engine.ports import Call, Decision, Done, Handlers, Message, Start, Wait
from diaodu.kernel import journal
from diaodu.kernel.db import Tx

PROCESS = "bench"
STEPS = 8
BATCH = 100
_STEP = "step"
# What a small order carries: 0.6 KB of JSON.
_VARS: Mapping[str, Any] = {
    "amount": 250,
    "customer": "C-4711",
    "externalId": "ORD-2026-000123",
    "items": [
        {
            "id": n,
            "action": "add",
            "state": "acknowledged",
            "product": {"id": f"P{n}", "name": "Fibre 1000"},
            "characteristic": {"speed": 1000, "sla": "gold", "address": f"Hangzhou, Wensan Road 38, room {n}"},
        }
        for n in range(3)
    ],
}


class Together:
    """Services that answer at once: the engine takes all eight steps of its batch in one transaction."""

    def load(self, _tx: Tx, _calls: Sequence[Call]) -> None:
        """Nothing is needed."""

    def decide(self, call: Call, _facts: None) -> Decision:
        """Each step adds a variable."""
        return Decision(Done(_result(call)))

    def apply(self, _tx: Tx, _decided: Sequence[tuple[Call, Decision]], _facts: None) -> None:
        """Nothing beside the variable."""


class Apart:
    """Services whose answer comes as a job: each step waits for it and is a transaction of its own."""

    def load(self, _tx: Tx, _calls: Sequence[Call]) -> None:
        """Nothing is needed."""

    def decide(self, call: Call, _facts: None) -> Decision:
        """The token waits for the message that ``apply`` sends."""
        return Decision(Wait(_STEP, call.node), _result(call))

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], _facts: None) -> None:
        """One job for each step."""
        commands.signal(tx, [Message(c.root_id, _STEP, c.node, d.writes) for c, d in decided])


MODES: Mapping[str, Handlers] = {
    "together": Handlers({_STEP: Together()}, {}),
    "apart": Handlers({_STEP: Apart()}, {}),
}


def source() -> bytes:
    """The process as BPMN."""
    nodes = [f'<serviceTask id="s{n}" diaodu:type="{_STEP}"/>' for n in range(1, STEPS + 1)]
    chain = ["start", *(f"s{n}" for n in range(1, STEPS + 1)), "gateway"]
    flows = [_flow(a, b) for a, b in pairwise(chain)]
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:diaodu="https://diaodu.dev/bpmn"'
        f' targetNamespace="bench"><process id="{PROCESS}" isExecutable="true"><startEvent id="start"/>'
        + "".join(nodes)
        + '<exclusiveGateway id="gateway" default="gateway_small"/>'
        '<userTask id="check" name="Check" diaodu:pool="=pool"/>'
        '<boundaryEvent id="late" attachedToRef="check"><timerEventDefinition><timeDuration>P1D</timeDuration>'
        '</timerEventDefinition></boundaryEvent><endEvent id="done"/><endEvent id="small"/><endEvent id="overdue"/>'
        + "".join(flows)
        + '<sequenceFlow id="gateway_check" sourceRef="gateway" targetRef="check">'
        "<conditionExpression>amount &gt; 100</conditionExpression></sequenceFlow>"
        + _flow("gateway", "small")
        + _flow("check", "done")
        + _flow("late", "overdue")
        + "</process></definitions>"
    ).encode()


def start(tx: Tx, part: int, count: int, *, pool: int | None = None) -> list[int]:
    """Make roots in a partition and start the process on each; their tasks go to the pool, else to that with the
    partition's number.

    Returns the roots.
    """
    roots = [tx.new_id(part) for _ in range(count)]
    journal.create(tx, roots, "order")
    variables = {**_VARS, "pool": part if pool is None else pool}
    commands.signal(tx, [Start(root, PROCESS, f"K-{root}", variables) for root in roots])
    return roots


def complete(tx: Tx, part: int, limit: int, *, made_by: datetime | None = None, sent: Collection[int] = ()) -> set[int]:
    """Tell the engine set-wise that the first tasks of a partition's worklist are done.

    Only those that were made by ``made_by`` and are not ``sent`` already. Returns the ids of all that are under way.
    """
    tasks = [t for t in queries.tasks_offered(tx, [part], limit) if made_by is None or t.created_at <= made_by]
    commands.signal(tx, [Message(t.root_id, "task", str(t.id), {"result": "ok"}) for t in tasks if t.id not in sent])
    return {t.id for t in tasks}


def _flow(source_id: str, target: str) -> str:
    return f'<sequenceFlow id="{source_id}_{target}" sourceRef="{source_id}" targetRef="{target}"/>'


def _result(call: Call) -> dict[str, Any]:
    return {f"r_{call.node}": len(call.vars)}
