"""People do the tasks that diagrams draw themselves: see them, claim one, complete it with variables."""

from typing import Any

from pydantic import Field

from diaodu.engine import commands, queries
from diaodu.engine.errors import TaskNotOpen, TaskPlanned
from diaodu.kernel import journal
from diaodu.kernel.errors import NotAllowed
from diaodu.process.errors import PersonNeeded
from diaodu.tmf.operation import Ask, Body, Route

READ, WRITE = "task:read", "task:write"
PAGE = 100


class Completion(Body):
    variables: dict[str, Any] = Field(default_factory=dict)
    report_id: str | None = Field(default=None, min_length=1, max_length=200)


def _find(ask: Ask) -> Any:
    person, pools = _person(ask), sorted(ask.principal.pools or ())
    own, offered = queries.tasks_of(ask.tx, person, PAGE), queries.tasks_offered(ask.tx, pools, PAGE)
    return [task for task in [*own, *offered] if not task.planned]


def _claim(ask: Ask) -> None:
    person, task = _person(ask), queries.get_task(ask.tx, ask.id())
    if ask.principal.pools is None or task.pool not in ask.principal.pools:
        raise NotAllowed(action="claim", right=f"pool {task.pool}")
    if task.planned:
        raise TaskPlanned(id=task.id)
    journal.lock(ask.tx, [task.root_id])
    if not commands.claim_tasks(ask.tx, [task.id], person):
        raise TaskNotOpen(id=task.id, state=queries.get_task(ask.tx, task.id).state)


def _complete(ask: Ask) -> None:
    body: Completion = ask.body
    commands.complete_drawn(ask.tx, ask.id(), _person(ask), body.variables, body.report_id)


def _person(ask: Ask) -> int:
    if ask.principal.person_id is None:
        raise PersonNeeded(name=ask.principal.name)
    return ask.principal.person_id


ROUTES = (
    Route(
        "GET", "/task", READ, "findTasks",
        "The tasks of diagrams that the caller holds, then those on the caller's worklists, most urgent first", _find,
    ),
    Route("POST", "/task/{id}/claim", WRITE, "claimTask", "Take a task from a worklist", _claim, status=204),
    Route(
        "POST", "/task/{id}/complete", WRITE, "completeTask",
        "A claimed task is done; the same reportId once more changes nothing", _complete, Completion, 204,
    ),
)  # fmt: skip
