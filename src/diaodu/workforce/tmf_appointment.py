"""TMF646: appointments with customers for the visits of an order; ``validFor`` is the window."""

from datetime import datetime
from typing import Any

from diaodu.kernel import journal
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of
from diaodu.tmf import hub
from diaodu.tmf.document import Document, choice, inner, instant, merge, moment, objects, present, reference
from diaodu.tmf.errors import BadAttribute
from diaodu.tmf.query import Column, parse_id, parse_time
from diaodu.tmf.resource import Create, Patch, Resource, Row, read_one
from diaodu.workforce import appointments
from diaodu.workforce.model import Appointment, AppointmentState
from diaodu.workforce.tmf import APPOINTMENTS as BASE
from diaodu.workforce.tmf import SCOPE

API = "appointment"
EVENTS = ("AppointmentCreateEvent", "AppointmentAttributeValueChangeEvent", "AppointmentStateChangeEvent")
_ORDERS = "/tmf-api/productOrderingManagement/v4/productOrder"
_ORDER = "ProductOrder"
_STATES = tuple(str(s) for s in AppointmentState)
_OURS = {"id", "href", "creationDate", "lastUpdate", "status", "validFor"}
# What the official file lets a client change.
_PATCHABLE = frozenset(
    {
        "category", "description", "externalId", "attachment", "calendarEvent", "contactMedium", "note", "relatedParty",
        "relatedPlace", "status", "validFor",
    }
)  # fmt: skip


def to_resource(row: Row, base: str) -> Document:
    """An appointment's JSON; the order that it is about stands first in ``relatedEntity``."""
    order = {
        "id": str(row["order_id"]),
        "href": f"{base}{_ORDERS}/{row['order_id']}",
        "role": "order",
        "@referredType": _ORDER,
    }
    others = [e for e in objects(row["extra"], "relatedEntity") if e.get("@referredType") != _ORDER]
    return present(
        {
            "@type": "Appointment",
            **row["extra"],
            "id": str(row["id"]),
            "href": f"{base}{BASE}/appointment/{row['id']}",
            "creationDate": instant(row["created_at"]),
            "lastUpdate": instant(row["changed_at"]),
            "status": row["status"],
            "validFor": {"startDateTime": instant(row["start_at"]), "endDateTime": instant(row["end_at"])},
            "relatedEntity": [order, *others],
        }
    )


def _identify(tx: Tx, principal: Principal, document: Document, key: str | None) -> tuple[int, Appointment]:
    del principal, key
    order_id = _order(document)
    if not journal.lock(tx, [order_id]):
        raise NotFound(entity="productOrder", id=order_id)
    window = _window(document)
    if window is None:
        raise BadAttribute(path="validFor", expected="startDateTime and endDateTime", value="nothing")
    extra = {k: v for k, v in document.items() if k not in _OURS}
    made = Appointment(tx.new_id(part_of(order_id)), order_id, AppointmentState.INITIALIZED, *window, extra)
    return made.id, made


def _order(document: Document) -> int:
    entities = enumerate(objects(document, "relatedEntity"))
    found = [reference(e, "id", f"relatedEntity[{n}].") for n, e in entities if e.get("@referredType") == _ORDER]
    if len(found) != 1 or found[0] is None:
        raise BadAttribute(path="relatedEntity", expected="the product order, @referredType ProductOrder", value="none")
    return found[0]


def _window(document: Document) -> tuple[datetime, datetime] | None:
    if "validFor" not in document:
        return None
    period = inner(document, "validFor")
    start, end = moment(period, "startDateTime"), moment(period, "endDateTime")
    if start is None or end is None:
        raise BadAttribute(path="validFor", expected="startDateTime and endDateTime", value="one of them")
    return start, end


def _capture(tx: Tx, principal: Principal, appointment_id: int, made: Appointment) -> bool:
    del principal, appointment_id
    appointments.make(tx, made)
    _tell(tx, EVENTS[0], made)
    return True


def _change(tx: Tx, principal: Principal, appointment_id: int, patch: Document) -> None:
    del principal
    before = appointments.get(tx, appointment_id)
    status = AppointmentState(choice(patch, "status", _STATES)) if "status" in patch else None
    extra = merge(before.extra, {k: v for k, v in patch.items() if k not in _OURS})
    appointments.change(tx, appointment_id, window=_window(patch), status=status, extra=extra)
    after = appointments.get(tx, appointment_id)
    if after != before:
        _tell(tx, EVENTS[2] if after.status is not before.status else EVENTS[1], after)


def _tell(tx: Tx, event_type: str, about: Appointment) -> None:
    def render() -> Document:
        row = read_one(tx, APPOINTMENT, about.id)
        assert row is not None
        return to_resource(row, "")

    hub.publish(tx, api=API, event_type=event_type, entity="appointment", root_id=about.order_id, render=render)


_COLUMNS: dict[str, Any] = {
    "id": Column("v.id", parse_id),
    "status": Column("v.status"),
    "creationDate": Column("v.created_at", parse_time),
    "validFor.startDateTime": Column("v.start_at", parse_time),
    "validFor.endDateTime": Column("v.end_at", parse_time),
    "relatedEntity.id": Column("v.order_id", parse_id),
}
APPOINTMENT = Resource(
    base=BASE,
    name="appointment",
    source="workforce.appointment",
    output=("id", "order_id", "status", "start_at", "end_at", "extra", "created_at", "changed_at"),
    columns=_COLUMNS,
    order="v.start_at, v.id",
    order_indexed=False,
    to_resource=to_resource,
    scope=SCOPE,
    create=Create(_identify, _capture),
    patch=Patch(_PATCHABLE, _change),
)
