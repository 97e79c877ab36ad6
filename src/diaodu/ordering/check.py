"""From a draft to the lines of a revision: everything about an item that the catalogue and the address decide.

Pure: what the lines refer to (addresses, installed products) is given.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from diaodu.catalog.errors import UnknownOffering
from diaodu.catalog.model import Characteristic, Offering, Release
from diaodu.ordering import errors
from diaodu.ordering.model import Action, ItemDraft, Line, OrderDraft

Installed = Mapping[int, Mapping[str, Any]]  # product id -> offering, parent, characteristics, things, held, address
_TYPES: Mapping[str, tuple[type, ...]] = {
    "number": (int, float, Decimal),
    "string": (str,),
    "boolean": (bool,),
}


@dataclass(frozen=True)
class _Facts:
    release: Release
    address_of: Callable[[ItemDraft], Mapping[str, Any] | None]
    installed: Installed
    new_id: Callable[[], int]


def check_lines(
    draft: OrderDraft,
    release: Release,
    *,
    address_of: Callable[[ItemDraft], Mapping[str, Any] | None],
    installed: Installed,
    new_id: Callable[[], int],
) -> tuple[Line, ...]:
    """The checked lines, bundles before their members; the first fault is refused with a typed error.

    A 套餐 item without children stands for all its members; a delete of a 套餐 for all its installed products.
    """
    if not draft.items:
        raise errors.OrderEmpty
    facts = _Facts(release, address_of, installed, new_id)
    lines: list[Line] = []
    for item in draft.items:
        lines += _lines(item, None, item.key, facts)
    seen: set[str] = set()
    for line in lines:
        if line.key in seen:
            raise errors.ItemKeyRepeated(item=line.key)
        seen.add(line.key)
    return tuple(lines)


def _lines(item: ItemDraft, parent: Line | None, group: str, facts: _Facts) -> list[Line]:
    existing = _existing(item, facts.installed)
    offering = _offering(item, existing, facts.release)
    if item.quantity != 1:
        raise errors.QuantityNotPossible(item=item.key, quantity=item.quantity)
    address = facts.address_of(item) or (existing and existing["address"]) or (parent.address if parent else None)
    if address is None:
        raise errors.AddressMissing(item=item.key)
    line = Line(
        key=item.key,
        parent=parent.key if parent else None,
        group=group,
        action=Action(item.action),
        offering=offering.id,
        spec=offering.product,
        product_id=int(item.product_id) if item.product_id else facts.new_id(),
        characteristics=_characteristics(item, offering, existing, facts.release),
        address=address,
        installed=existing["characteristics"] if existing else {},
        things=existing["things"] if existing else {},
        held=existing["held"] if existing else {},
        extra=item.extra,
    )
    members = _members(item, offering, facts.installed)
    return [line] + [sub for m in members for sub in _lines(m, line, group, facts)]


def _existing(item: ItemDraft, installed: Installed) -> Mapping[str, Any] | None:
    if item.action == Action.ADD:
        return None
    known = installed.get(int(item.product_id)) if item.product_id and item.product_id.isdigit() else None
    if known is None:
        raise errors.ProductMissing(item=item.key, action=item.action)
    return known


def _offering(item: ItemDraft, existing: Mapping[str, Any] | None, release: Release) -> Offering:
    name = item.offering_id or (existing["offering"] if existing else "")
    offering = release.offerings.get(name)
    if offering is None:
        raise UnknownOffering(offering=name, offered=", ".join(sorted(release.offerings)))
    if item.action not in offering.actions:
        possible = ", ".join(offering.actions)
        raise errors.ActionNotOffered(item=item.key, action=item.action, offering=name, possible=possible)
    return offering


def _members(item: ItemDraft, offering: Offering, installed: Installed) -> Sequence[ItemDraft]:
    if not offering.members:
        return ()
    if item.action != Action.ADD:
        inside = [p for p, facts in installed.items() if str(facts["parent"]) == item.product_id]
        return [
            ItemDraft(key=f"{item.key}.{n}", action=item.action, offering_id=None, product_id=str(product))
            for n, product in enumerate(sorted(inside), 1)
        ]
    if not item.children:
        return [
            ItemDraft(key=f"{item.key}.{n}", action=item.action, offering_id=member)
            for n, member in enumerate(offering.members, 1)
        ]
    given = [c.offering_id or "" for c in item.children]
    if sorted(given) != sorted(offering.members):
        raise errors.BundleMismatch(
            item=item.key, offering=offering.id, members=", ".join(offering.members), given=", ".join(given)
        )
    return item.children


def _characteristics(
    item: ItemDraft, offering: Offering, existing: Mapping[str, Any] | None, release: Release
) -> dict[str, Any]:
    if offering.product is None:
        return dict(item.characteristics)
    known = release.specifications[offering.product].characteristics
    values = dict(existing["characteristics"]) if existing else {}
    for name, value in item.characteristics.items():
        if name not in known:
            raise errors.CharacteristicUnknown(
                item=item.key, offering=offering.id, name=name, known=", ".join(known) or "-"
            )
        values[name] = _value(item, known[name], value)
    for c in known.values():
        if values.get(c.name) is None and c.default is not None:
            values[c.name] = c.default
        if values.get(c.name) is None and c.required:
            raise errors.CharacteristicMissing(item=item.key, name=c.name, possible=_possible(c))
    return values


def _value(item: ItemDraft, c: Characteristic, value: Any) -> Any:
    if c.type == "number" and isinstance(value, str) and value.replace(".", "", 1).isdigit():
        value = float(value) if "." in value else int(value)
    fits = isinstance(value, _TYPES.get(c.type, (object,))) and (c.type == "boolean" or not isinstance(value, bool))
    if not fits or (c.allowed and value not in c.allowed):
        raise errors.CharacteristicImpossible(item=item.key, name=c.name, value=value, possible=_possible(c))
    return value


def _possible(c: Characteristic) -> str:
    unit = f" {c.unit}" if c.unit else ""
    return ", ".join(f"{a}{unit}" for a in c.allowed) or c.type
