"""TMF645 and TMF679: whether a service or a product could be had at an address, and when.

Kept is the answer alone, for as long as it is valid.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.catalog.model import Release
from diaodu.fulfilment.errors import ServiceUnknown
from diaodu.fulfilment.feasibility import Verdict, qualify
from diaodu.inventory.commands import Trials
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_for, part_of
from diaodu.kernel.keys import content_hash, id_for
from diaodu.kernel.sets import to_json
from diaodu.ordering.model import Action, ItemDraft
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
from diaodu.tmf.resource import Create, Resource, Row

SCOPE = "fulfilment"
SERVICES, OFFERINGS = "/tmf-api/serviceQualificationManagement/v4", "/tmf-api/productOfferingQualification/v4"
# Stock and queues change: an older answer is a guess.
VALID = timedelta(minutes=30)
ITEMS_MAX = 20
KEY_MAX = 200
_SERVICE_RESULT = {"qualified": "qualified", "alternate": "alternate", "unqualified": "unqualified"}
_COLOURS = {"qualified": "green", "alternate": "yellow", "unqualified": "red"}


@dataclass(frozen=True)
class _Kind:
    """One of the two resources: where its items stand and how they are read and answered."""

    name: str
    base: str
    items: str  # the attribute with the items
    date: str  # the attribute with the date of the answer
    words: Mapping[str, str]  # what the whole result is called
    item_of: Callable[[Tx, Document, str], ItemDraft]
    answer_of: Callable[[Document, Verdict, Document], Document]
    expires_items: bool


def qualifications(trials: Trials) -> tuple[Resource, Resource]:
    """The resources of TMF645 and TMF679; ``trials`` try reservations out."""
    return _resource(_SERVICE, trials), _resource(_OFFERING, trials)


def _resource(kind: _Kind, trials: Trials) -> Resource:
    def identify(tx: Tx, principal: Principal, document: Document, key: str | None) -> tuple[int, Document]:
        _items(tx, kind, document)
        if key is None:
            return tx.new_id(part_for(str(tx.new_id(0)), tx.parts)), document
        # Another question under the same key is another question.
        known = f"{key[:KEY_MAX]}:{content_hash(document).hex()}"
        return id_for(tx, kind.name, source=principal.name, key=known), document

    def capture(tx: Tx, principal: Principal, entity_id: int, document: Document) -> bool:
        part = part_of(entity_id)
        tx.run("delete from fulfilment.qualification where part = %s and expires_at <= %s", (part, tx.now))
        if tx.row("select 1 from fulfilment.qualification where part = %s and id = %s", (part, entity_id)):
            return False
        told = _answer(tx, kind, trials, document)
        _keep(tx, kind, entity_id, told, principal.name)
        return True

    return Resource(
        base=kind.base,
        name=kind.name,
        source=f"(select * from fulfilment.qualification where kind = '{kind.name}' and expires_at > now())",
        output=("id", "document", "expires_at"),
        columns={
            "id": Column("v.id", parse_id),
            "externalId": Column("v.external_id"),
            "qualificationResult": Column("v.result"),
            "expirationDate": Column("v.expires_at", parse_time),
        },
        order="v.created_at desc, v.id desc",
        order_indexed=False,
        to_resource=lambda row, base: _shown(row, base, kind),
        scope=SCOPE,
        create=Create(identify, capture),
    )


def _shown(row: Row, base: str, kind: _Kind) -> Document:
    return {**row["document"], "id": str(row["id"]), "href": f"{base}{kind.base}/{kind.name}/{row['id']}"}


def _items(tx: Tx, kind: _Kind, document: Document) -> list[tuple[Document, ItemDraft]]:
    entries = objects(document, kind.items, least=1, most=ITEMS_MAX)
    named = [{"id": str(n)} | e for n, e in enumerate(entries, 1)]
    found = [(e, kind.item_of(tx, e, f"{kind.items}[{n}].")) for n, e in enumerate(named)]
    keys = [item.key for _, item in found]
    for n, key in enumerate(keys):
        if key in keys[:n]:
            raise BadAttribute(path=f"{kind.items}[{n}].id", expected="an id that no other item has", value=key[:100])
    return found


def _answer(tx: Tx, kind: _Kind, trials: Trials, document: Document) -> Document:
    """The question, answered."""
    items = _items(tx, kind, document)
    verdicts = qualify(tx, trials, [item for _, item in items], _customer(document))
    result = _worst([v.result for v in verdicts])
    until = instant(tx.now + VALID)
    answered = [_item(kind, document, entry, v, until) for (entry, _), v in zip(items, verdicts, strict=True)]
    return document | {
        "@type": kind.name[0].upper() + kind.name[1:],
        "state": "done",
        "qualificationResult": kind.words[result],
        kind.date: instant(tx.now),
        "effectiveQualificationDate": instant(tx.now),
        "expirationDate": until,
        kind.items: answered,
    }


def _keep(tx: Tx, kind: _Kind, entity_id: int, told: Document, by: str) -> None:
    row = (
        part_of(entity_id), entity_id, kind.name, text(told, "externalId"), told["qualificationResult"], to_json(told),
        by, tx.now, tx.now + VALID,
    )  # fmt: skip
    tx.run(
        "insert into fulfilment.qualification"
        " (part, id, kind, external_id, result, document, made_by, created_at, expires_at)"
        " values (%s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s)",
        row,
    )


def _customer(document: Document) -> str | None:
    parties = objects(document, "relatedParty")
    named = next((p for p in parties if str(p.get("role", "")).lower() == "customer"), None)
    return text(named, "id", "relatedParty.", required=True) if named else None


def _worst(results: Sequence[str]) -> str:
    return next(r for r in ("unqualified", "alternate", "qualified") if r in results)


def _item(kind: _Kind, document: Document, entry: Document, v: Verdict, expires: str | None) -> Document:
    found = kind.answer_of(entry, v, document)
    if v.reasons and document.get("provideUnavailabilityReason", True):
        found["eligibilityUnavailabilityReason"] = [{"code": r.code, "label": r.zh, "labelEn": r.en} for r in v.reasons]
    if v.ahead:
        found["ordersAhead"] = v.ahead
    if kind.expires_items:
        found["expirationDate"] = expires
    return present(entry | {"id": v.item.key, "state": "done"} | found)


def _draft(
    key: str, path: str, *, offering: str | None, about: Document, names: str, action: str = Action.ADD
) -> ItemDraft:
    places = objects(about, "place", path)
    named = None if action == Action.ADD else reference(about, "id", path)
    return ItemDraft(
        key=key,
        action=action,
        offering_id=offering,
        product_id=None if named is None else str(named),
        characteristics=characteristics(objects(about, names, path), f"{path}{names}"),
        place=present({"id": text(places[0], "id", path), "name": text(places[0], "name", path)}) if places else None,
    )


def _offering_item(tx: Tx, entry: Document, path: str) -> ItemDraft:
    del tx
    action = choice(entry, "action", tuple(a.value for a in Action), path) if "action" in entry else Action.ADD.value
    product = inner(entry, "product", path)
    offering = text(inner(entry, "productOffering", path), "id", f"{path}productOffering.", required=True)
    key = text(entry, "id", path, required=True) or ""
    return _draft(
        key, f"{path}product.", offering=offering, about=product, names="productCharacteristic", action=action
    )


def _service_item(tx: Tx, entry: Document, path: str) -> ItemDraft:
    service = inner(entry, "service", path)
    specification = text(
        inner(service, "serviceSpecification", f"{path}service."), "id", f"{path}service.serviceSpecification.",
        required=True,
    )  # fmt: skip
    offering = _offering_with(catalog.current_release(tx), specification or "")
    key = text(entry, "id", path, required=True) or ""
    return _draft(key, f"{path}service.", offering=offering, about=service, names="serviceCharacteristic")


def _offering_with(release: Release, service: str) -> str:
    """The plainest offering that is realised by a service; ServiceUnknown."""
    wanted = service if service.startswith("service/") else f"service/{service}"
    for offering in sorted(release.offerings.values(), key=lambda o: o.id):
        if offering.product and Action.ADD in offering.actions and wanted in _below(release, offering.product):
            return offering.id
    raise ServiceUnknown(service=service[:100])


def _below(release: Release, spec: str) -> set[str]:
    found, left = set[str](), [spec]
    while left:
        for rule in release.rules.get(left.pop(), ()):
            if rule.yields not in found:
                found.add(rule.yields)
                left.append(rule.yields)
    return found


def _offering_answer(entry: Document, v: Verdict, document: Document) -> Document:
    offering = entry.get("productOffering")
    proposals = [
        present(
            {
                "id": str(n),
                "alternateActivationDate": instant(v.date),
                "alternateProductOffering": offering,
                "alternateProduct": a and {"productCharacteristic": characteristic_array(a)},
            }
        )
        for n, a in enumerate(_proposed(v, document), 1)
    ]
    return {
        "qualificationItemResult": v.result,
        "expectedActivationDate": instant(v.date),
        "alternateProductOfferingProposal": proposals or None,
    }


def _service_answer(entry: Document, v: Verdict, document: Document) -> Document:
    specification = inner(entry, "service").get("serviceSpecification")
    proposals = [
        present(
            {
                "id": str(n),
                "alternateServiceAvailabilityDate": instant(v.date),
                "alternateService": present(
                    {
                        "serviceSpecification": specification,
                        "serviceCharacteristic": characteristic_array(a) if a else None,
                    }
                ),
            }
        )
        for n, a in enumerate(_proposed(v, document), 1)
    ]
    return {
        "qualificationResult": v.result,
        "expectedActivationDate": instant(v.date),
        "alternateServiceProposal": proposals or None,
    }


def _proposed(v: Verdict, document: Document) -> list[Mapping[str, Any]]:
    """What is free instead; and the same thing later, where those who wait are served."""
    if v.result != "alternate" or not document.get("provideAlternative", True):
        return []
    return [*v.alternatives, *([{}] if v.date else [])]


_SERVICE = _Kind(
    "checkServiceQualification", SERVICES, "serviceQualificationItem", "checkServiceQualificationDate",
    _SERVICE_RESULT, _service_item, _service_answer, expires_items=True,
)  # fmt: skip
_OFFERING = _Kind(
    "productOfferingQualification", OFFERINGS, "productOfferingQualificationItem", "productOfferingQualificationDate",
    _COLOURS, _offering_item, _offering_answer, expires_items=False,
)  # fmt: skip
