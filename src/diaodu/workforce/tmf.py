"""TMF697: work orders on the caller's worklists, claimed and reported by PATCH."""

from typing import Any

from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.tmf.document import (
    Document,
    characteristic_array,
    characteristics,
    choice,
    inner,
    instant,
    objects,
    present,
    reference,
    text,
)
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.query import Column, parse_id, parse_time
from diaodu.tmf.resource import Condition, Patch, Resource, Row
from diaodu.workforce import commands
from diaodu.workforce.model import EffectOutcome

BASE = "/tmf-api/workOrderManagement/v4"
APPOINTMENTS = "/tmf-api/appointment/v4"
VISITS = "/diaodu-api/workforce/v1/visit"
SCOPE = "workforce"
_ORDERS = "/tmf-api/productOrderingManagement/v4/productOrder"
_ENDED = ("completed", "failed")
_REPORT_ID_MAX = 100

# The state of a work order is a function of its human task. A suspended one waits for the customer when the reason
# says so, else for us; a done one failed when all that it carried failed.
_STATES = {
    "acknowledged": "v.task_state = 0",
    "inProgress": "v.task_state = 1",
    "pending": "v.task_state = 2 and v.reason is not distinct from 'customer'",
    "held": "v.task_state = 2 and v.reason is distinct from 'customer'",
    "completed": "v.task_state = 3",
    "cancelled": "v.task_state = 4",
}
_SOURCE = """(
  select w.part, w.id, w.order_id, w.kind, w.lines, w.place, w.created_at, t.name, t.pool, t.priority, t.reason,
         t.state as task_state, t.assignee, t.due_at, t.claimed_at, t.ended_at,
         w.visit_id, w.appointment_id, w.start_at, w.end_at, r.due_at as recall_due_at, r.effects as recalled,
         (select jsonb_object_agg(e.id, jsonb_build_object('state', e.state, 'result', e.result))
            from planning.v_effect e, jsonb_array_elements(w.lines) l
           where e.part = w.part and e.id = (l->>'effect')::int8) as effects
    from workforce.work_order w join engine.v_human_task t on t.part = w.part and t.id = w.id
    left join workforce.recall r on r.part = w.part and r.task_id = w.id and r.ended_at is null
)"""


def state_of(task_state: int, reason: str | None) -> str:
    """The TM Forum state of a work order, from its task's state and reason."""
    if task_state == 2:
        return "pending" if reason == "customer" else "held"
    return {0: "acknowledged", 1: "inProgress", 3: "completed", 4: "cancelled"}[task_state]


def item_state(effect_state: str | None, order_state: str) -> str:
    """The state of one item: what became of its effect, else that of the work order."""
    known = {"confirmed": "completed", "failed": "failed", "withdrawn": "cancelled", "undone": "cancelled"}
    return known.get(effect_state or "", "inProgress" if order_state == "completed" else order_state)


def to_resource(row: Row, base: str) -> Document:
    """A work order's JSON; each item is one effect, with its form data in ``work.workCharacteristic``."""
    state = state_of(row["task_state"], row["reason"])
    place = row["place"] or {}
    return present(
        {
            "id": str(row["id"]),
            "href": f"{base}{BASE}/workOrder/{row['id']}",
            "@type": "WorkOrder",
            "category": row["kind"],
            "description": row["name"],
            "priority": str(row["priority"]),
            "state": state,
            "orderDate": instant(row["created_at"]),
            "startDate": instant(row["claimed_at"]),
            "expectedCompletionDate": instant(row["due_at"]),
            "completionDate": instant(row["ended_at"]) if state == "completed" else None,
            "cancellationDate": instant(row["ended_at"]) if state == "cancelled" else None,
            "cancellationReason": row["reason"] if state == "cancelled" else None,
            "requestedStartDate": instant(row["start_at"]),
            "requestedCompletionDate": instant(row["end_at"]),
            "appointment": _appointment(row["appointment_id"], base),
            "note": _recall_note(row),
            "relatedEntity": _visit(row["visit_id"], base),
            "order": [{"id": str(row["order_id"]), "href": f"{base}{_ORDERS}/{row['order_id']}"}],
            "place": (place and present({"id": _text(place.get("id")), "name": _text(place.get("name"))})) or None,
            "relatedParty": _assignee(row["assignee"]),
            "workOrderItem": [_item(line, (row["effects"] or {}), state) for line in row["lines"]],
        }
    )


def _item(line: Document, effects: Document, state: str) -> Document:
    effect = effects.get(str(line["effect"]), {})
    found = item_state("withdrawn" if line.get("dropped") else effect.get("state"), state)
    result = effect.get("result")
    facts = dict(line["params"]) | (result if isinstance(result, dict) else {})
    work = {"name": line["kind"], "workType": line["kind"], "workCharacteristic": characteristic_array(facts)}
    return {"id": str(line["effect"]), "action": "add", "description": line["kind"], "state": found, "work": work}


def _appointment(appointment_id: int | None, base: str) -> Document | None:
    href = f"{base}{APPOINTMENTS}/appointment/{appointment_id}"
    return (appointment_id and {"id": str(appointment_id), "href": href}) or None


def _visit(visit_id: int | None, base: str) -> list[Document] | None:
    href = f"{base}{VISITS}/{visit_id}"
    return (visit_id and [{"id": str(visit_id), "href": href, "role": "visit", "@referredType": "Visit"}]) or None


def _recall_note(row: Row) -> list[Document] | None:
    """待撤回, for whoever is at it: what is asked for back, and until when the answer is due."""
    if row["recall_due_at"] is None:
        return None
    text = f"待撤回 / to be recalled: {', '.join(map(str, row['recalled']))}; {instant(row['recall_due_at'])}"
    return [{"id": "recall", "author": "diaodu", "text": text}]


def _assignee(person_id: int | None) -> list[Document] | None:
    return (person_id and [{"id": str(person_id), "role": "technician", "@referredType": "Individual"}]) or None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def visible(principal: Principal) -> Condition:
    """Work on the principal's worklists, and what its person holds."""
    if principal.pools is None:
        return "true", []
    return "v.pool = any(%s::int4[]) or v.assignee = %s", [sorted(principal.pools), principal.person_id]


def _change(tx: Tx, principal: Principal, work_order_id: int, document: Document) -> None:
    if choice(document, "state", ("inProgress", "completed")) == "inProgress":
        if others := sorted(document.keys() - {"state"}):
            raise BadAttribute(path=others[0], expected="nothing beside the state in a claim", value="it")
        commands.claim(tx, work_order_id, principal)
        return
    report_id = text(document, "reportId", required=True) or ""
    if len(report_id) > _REPORT_ID_MAX:
        raise BadAttribute(path="reportId", expected=f"at most {_REPORT_ID_MAX} characters", value=report_id)
    entries = objects(document, "workOrderItem", least=1)
    outcomes = [_outcome(entry, f"workOrderItem[{n}].") for n, entry in enumerate(entries)]
    commands.report(tx, work_order_id=work_order_id, report_id=report_id, outcomes=outcomes, principal=principal)


def _outcome(entry: Document, path: str) -> EffectOutcome:
    effect_id = reference(entry, "id", path)
    if effect_id is None:
        raise BadAttribute(path=f"{path}id", expected="the id of an item of this work order", value="nothing")
    data = characteristics(objects(entry, "characteristic", path), f"{path}characteristic")
    ok = choice(entry, "state", _ENDED, path) == "completed"
    return EffectOutcome(effect_id, ok, data, text(inner(entry, "note", path), "text", f"{path}note."))


WORK_ORDER = Resource(
    base=BASE,
    name="workOrder",
    source=_SOURCE,
    output=(
        "id", "order_id", "kind", "lines", "place", "created_at", "name", "priority", "reason", "task_state",
        "assignee", "due_at", "claimed_at", "ended_at", "effects", "visit_id", "appointment_id", "start_at", "end_at",
        "recall_due_at", "recalled",
    ),
    columns={
        "id": Column("v.id", parse_id),
        "state": Column(conditions=_STATES, indexed=True),
        "expectedCompletionDate": Column("v.due_at", parse_time, indexed=True),
        "category": Column("v.kind"),
        "priority": Column("v.priority::text"),
        "order.id": Column("v.order_id", parse_id),
        "orderDate": Column("v.created_at", parse_time),
        "relatedParty.id": Column("v.assignee", parse_id),
    },
    order="v.due_at, v.id",
    order_indexed=False,
    to_resource=to_resource,
    scope=SCOPE,
    visible=visible,
    patch=Patch(frozenset({"state", "workOrderItem", "reportId"}), _change),
)  # fmt: skip
