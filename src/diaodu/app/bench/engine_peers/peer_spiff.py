# ruff: noqa: INP001 - no package of ours: it runs where only the peer is installed
"""SpiffWorkflow made durable: the workflow as JSON is saved to PostgreSQL and committed after every step."""

import io
from itertools import pairwise
from typing import Any

import psycopg
from SpiffWorkflow import TaskState  # type: ignore[import-not-found]  # lives in the throw-away environment
from SpiffWorkflow.bpmn import BpmnWorkflow  # type: ignore[import-not-found]  # lives in the throw-away environment
from SpiffWorkflow.bpmn.parser import BpmnParser  # type: ignore[import-not-found]  # lives in the throw-away environment
from SpiffWorkflow.bpmn.serializer import DEFAULT_CONFIG, BpmnWorkflowSerializer  # type: ignore[import-not-found]  # lives in the throw-away environment
from SpiffWorkflow.bpmn.specs.defaults import ManualTask, ServiceTask  # type: ignore[import-not-found]  # lives in the throw-away environment

from .turns import VARS, arguments, take_turns

_EXPRESSION = 'xsi:type="tFormalExpression"'


def source() -> bytes:
    """The work item as SpiffWorkflow reads it."""
    chain = ["start", *(f"s{n}" for n in range(1, 9)), "gateway"]
    flows = "".join(_flow(a, b) for a, b in pairwise(chain))
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><process id="p" isExecutable="true">'
        '<startEvent id="start"/>'
        + "".join(f'<serviceTask id="s{n}" name="s{n}"/>' for n in range(1, 9))
        + '<exclusiveGateway id="gateway" default="gateway_small"/><userTask id="check" name="check"/>'
        '<boundaryEvent id="late" attachedToRef="check" cancelActivity="true"><timerEventDefinition>'
        f'<timeDuration {_EXPRESSION}>"P1D"</timeDuration></timerEventDefinition></boundaryEvent>'
        '<endEvent id="done"/><endEvent id="small"/><endEvent id="overdue"/>'
        + flows
        + '<sequenceFlow id="gateway_check" sourceRef="gateway" targetRef="check">'
        f"<conditionExpression {_EXPRESSION}>amount &gt; 100</conditionExpression></sequenceFlow>"
        + _flow("gateway", "small")
        + _flow("check", "done")
        + _flow("late", "overdue")
        + "</process></definitions>"
    ).encode()


def _flow(source_id: str, target: str) -> str:
    return f'<sequenceFlow id="{source_id}_{target}" sourceRef="{source_id}" targetRef="{target}"/>'


class Durable:
    """Runs instances one after the other."""

    def __init__(self, dsn: str) -> None:
        parser = BpmnParser()
        parser.add_bpmn_io(io.BytesIO(source()))
        self._spec = parser.get_spec("p")
        config = BpmnWorkflowSerializer.configure({**DEFAULT_CONFIG, ServiceTask: DEFAULT_CONFIG[ManualTask]})
        self._serializer = BpmnWorkflowSerializer(config)
        self._conn = psycopg.connect(dsn)
        self._conn.execute("create table if not exists spiff (id bigserial primary key, body text)")
        self._conn.commit()

    def run_all(self, instances: int) -> None:
        """So many instances."""
        for _ in range(instances):
            self.run()

    def run(self) -> None:
        """One instance from start to end."""
        row = self._conn.execute("insert into spiff (body) values ('') returning id").fetchone()
        assert row is not None
        self._conn.commit()
        workflow = BpmnWorkflow(self._spec)
        first = True
        while not workflow.is_completed():
            ready = workflow.get_tasks(state=TaskState.READY)
            if not ready:
                workflow.refresh_waiting_tasks()
                continue
            task = ready[0]
            if first:
                task.data.update(VARS)
                first = False
            self._step(task)
            self._conn.execute(
                "update spiff set body = %s where id = %s", (self._serializer.serialize_json(workflow), row[0])
            )
            self._conn.commit()

    def _step(self, task: Any) -> None:
        task.data[f"r_{task.task_spec.name}"] = len(task.data)
        task.run()
        if task.state == TaskState.STARTED:  # services are completed by their caller
            task.complete()


def main() -> None:
    """Warm up, then run."""
    dsn, instances = arguments()
    durable = Durable(dsn)
    durable.run()
    take_turns(lambda: durable.run_all(instances))


if __name__ == "__main__":
    main()
