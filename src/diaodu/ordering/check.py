"""From a draft to the lines of a revision: everything about an item that the catalogue and the address decide.

Pure: what the lines refer to (addresses, installed products, the lines that the order had before) is given.
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
_EMPTY = (None, "")


class Before:
    """The lines that an order has already, found by product id, else by item id."""

    def __init__(self, lines: Sequence[Line] = ()) -> None:
        self._by_product = {line.product_id: line for line in lines}
        self._by_key = {line.key: line for line in lines}
        self._parts: dict[str | None, list[Line]] = {}
        for line in lines:
            self._parts.setdefault(line.parent, []).append(line)

    def of(self, item: ItemDraft) -> Line | None:
        """The line that an item is about; ItemAmbiguous when its ids name two, or one of another kind."""
        product = int(item.product_id) if item.product_id and item.product_id.isdigit() else None
        named, keyed = self._by_product.get(product or 0), self._by_key.get(item.key)
        line = named or keyed
        if line is None:
            return None
        other = item.action != line.action or item.offering_id not in (None, line.offering)
        elsewhere = product not in (None, line.product_id) and item.action != Action.ADD
        if other or elsewhere or (named and keyed and named is not keyed):
            raise errors.ItemAmbiguous(item=item.key, known=line.key, action=line.action, offering=line.offering)
        return line

    def parts(self, line: Line) -> list[ItemDraft]:
        """The members of a 套餐 as they are, for one that is sent without them."""
        return [
            ItemDraft(part.key, part.action, part.offering, str(part.product_id), extra=part.extra)
            for part in self._parts.get(line.key, ())
            if part.wanted
        ]

    def parent(self, line: Line) -> Line | None:
        """The 套餐 that a line is in."""
        return self._by_key[line.parent] if line.parent is not None else None


@dataclass(frozen=True)
class _Facts:
    release: Release
    address_of: Callable[[ItemDraft], Mapping[str, Any] | None]
    installed: Installed
    inside: Mapping[str, Sequence[int]]  # product id as text -> the products in it
    new_id: Callable[[], int]
    before: Before


def check_lines(
    draft: OrderDraft,
    release: Release,
    *,
    address_of: Callable[[ItemDraft], Mapping[str, Any] | None],
    installed: Installed,
    new_id: Callable[[], int],
    before: Sequence[Line] = (),
) -> tuple[Line, ...]:
    """The checked lines, bundles before their members; the first fault is refused with a typed error.

    A 套餐 item without children stands for all its members; a delete of a 套餐 for all its installed products.
    ``before`` are the lines of an order that is amended: what is one of them keeps its ids and its values.
    """
    if not draft.items:
        raise errors.OrderEmpty
    inside: dict[str, list[int]] = {}
    for product, known in installed.items():
        inside.setdefault(str(known["parent"]), []).append(product)
    facts = _Facts(release, address_of, installed, inside, new_id, Before(before))
    lines: list[Line] = []
    for item in draft.items:
        lines += _lines(item, None, facts)
    seen: set[str] = set()
    for line in lines:
        if line.key in seen:
            raise errors.ItemKeyRepeated(item=line.key)
        seen.add(line.key)
    return tuple(lines)


def _lines(item: ItemDraft, parent: Line | None, facts: _Facts) -> list[Line]:
    known = facts.before.of(item)
    existing = _existing(item, known, facts.installed)
    offering = _offering(item, known, existing, facts.release)
    if item.quantity != 1:
        raise errors.QuantityNotPossible(item=item.key, quantity=item.quantity)
    key = known.key if known else item.key
    line = Line(
        key=key,
        parent=parent.key if parent else None,
        group=parent.group if parent else key,
        action=Action(item.action),
        offering=offering.id,
        spec=offering.product,
        product_id=_product_id(item, known, facts),
        characteristics=_characteristics(item, offering, known, existing, facts.release),
        address=_address(item, known, existing, parent, facts),
        installed=existing["characteristics"] if existing else {},
        things=existing["things"] if existing else {},
        held=existing["held"] if existing else {},
        extra=item.extra,
    )
    members = _members(item, offering, known, facts)
    return [line] + [sub for m in members for sub in _lines(m, line, facts)]


def _product_id(item: ItemDraft, known: Line | None, facts: _Facts) -> int:
    if known:
        return known.product_id
    # A new product's id is ours to make, whatever was sent.
    return facts.new_id() if item.action == Action.ADD else int(item.product_id or "")


def _address(
    item: ItemDraft,
    known: Line | None,
    existing: Mapping[str, Any] | None,
    parent: Line | None,
    facts: _Facts,
) -> Mapping[str, Any]:
    """The address that was sent, else that of before; a part moves with its 套餐 unless it stood elsewhere."""
    # What is taken away is taken away where it stands.
    sent = existing["address"] if existing and item.action == Action.DELETE else facts.address_of(item)
    if sent is None and known and parent:
        around = facts.before.parent(known)
        sent = parent.address if around and around.address == known.address else known.address
    address: Mapping[str, Any] | None = (
        sent
        or (known.address if known else None)
        or (existing["address"] if existing else None)
        or (parent.address if parent else None)
    )
    if address is None:
        raise errors.AddressMissing(item=item.key)
    return address


def _existing(item: ItemDraft, known: Line | None, installed: Installed) -> Mapping[str, Any] | None:
    if item.action == Action.ADD:
        return None
    product = known.product_id if known else int(item.product_id or 0) if (item.product_id or "").isdigit() else None
    found = installed.get(product) if product is not None else None
    if found is None and known:
        # While an order is at it a product may be out of sight; the order knows it as it was.
        found = {"offering": known.offering, "parent": None, "characteristics": known.installed} | {
            "things": known.things, "held": known.held, "address": known.address,
        }  # fmt: skip
    if found is None:
        raise errors.ProductMissing(item=item.key, action=item.action)
    return found


def _offering(item: ItemDraft, known: Line | None, existing: Mapping[str, Any] | None, release: Release) -> Offering:
    name = item.offering_id or (known.offering if known else existing["offering"] if existing else "")
    offering = release.offerings.get(name)
    if offering is None:
        raise UnknownOffering(offering=name, offered=", ".join(sorted(release.offerings)))
    if item.action not in offering.actions:
        possible = ", ".join(offering.actions)
        raise errors.ActionNotOffered(item=item.key, action=item.action, offering=name, possible=possible)
    return offering


def _members(item: ItemDraft, offering: Offering, known: Line | None, facts: _Facts) -> Sequence[ItemDraft]:
    if not offering.members:
        return ()
    if known and not item.children:
        return facts.before.parts(known)
    if item.action != Action.ADD:
        return [
            ItemDraft(key=f"{item.key}.{n}", action=item.action, offering_id=None, product_id=str(product))
            for n, product in enumerate(sorted(facts.inside.get(item.product_id or "", ())), 1)
        ]
    if not item.children:
        return [
            ItemDraft(key=f"{item.key}.{n}", action=item.action, offering_id=member)
            for n, member in enumerate(offering.members, 1)
        ]
    _check_members(item, offering, known)
    return item.children


def _check_members(item: ItemDraft, offering: Offering, known: Line | None) -> None:
    """A 套餐 is ordered with all its members; an amendment may drop some."""
    given = [c.offering_id or "" for c in item.children]
    whole = sorted(given) == sorted(offering.members)
    part = len(set(given)) == len(given) and set(given) <= set(offering.members)
    if not (whole or (known and part)):
        raise errors.BundleMismatch(
            item=item.key, offering=offering.id, members=", ".join(offering.members), given=", ".join(given)
        )


def _characteristics(
    item: ItemDraft,
    offering: Offering,
    known: Line | None,
    existing: Mapping[str, Any] | None,
    release: Release,
) -> dict[str, Any]:
    if offering.product is None:
        return {**(known.characteristics if known else {}), **item.characteristics}
    defined = release.specifications[offering.product].characteristics
    values = dict(known.characteristics if known else existing["characteristics"] if existing else {})
    changed = _marked(item) if known else frozenset()
    for name, value in item.characteristics.items():
        if name not in defined:
            raise errors.CharacteristicUnknown(
                item=item.key, offering=offering.id, name=name, known=", ".join(defined) or "-"
            )
        if known and value in _EMPTY:
            # What was found out since survives an empty field, unless the customer is said to have emptied it.
            values.pop(name, None) if name in changed else None
        else:
            values[name] = _value(item, defined[name], value)
    for c in defined.values():
        if values.get(c.name) is None and c.default is not None:
            values[c.name] = c.default
        if values.get(c.name) is None and c.required:
            raise errors.CharacteristicMissing(item=item.key, name=c.name, possible=_possible(c))
    return values


def _marked(item: ItemDraft) -> frozenset[str]:
    """The characteristics that an amendment marks as changed by the customer."""
    product = item.extra.get("product")
    entries = product.get("productCharacteristic") if isinstance(product, Mapping) else None
    return frozenset(str(e.get("name")) for e in entries or () if isinstance(e, Mapping) and e.get("changed") is True)


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
