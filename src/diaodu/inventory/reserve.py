"""Deciding reservations, in rank order over what is free: all lines of a request or none. Pure.

A request that cannot be served keeps in memory what it would have taken, until the batch ends: so a later request
does not take the port for which an earlier one has rank, although nothing is held in the database.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from diaodu.inventory.errors import (
    AddressNotCovered,
    AddressUnknown,
    ProductClaimed,
    ProductTerminated,
    ProductUnknown,
    WantUnknown,
)
from diaodu.inventory.model import POOLS, Address, Connectivity, FreePort, Product, ProductState
from diaodu.inventory.ports import Designer, Shortfall
from diaodu.inventory.requests import Line, Request
from diaodu.kernel.errors import Rejected

# Waits for a change of the tree itself: a new box, a better path.
TREE_KEY = "tree"
BOX_PREFIX = "box:"
# Waits until somebody resumes it: put on the waiting list by hand.
PARKED_PREFIX = "parked:"
_ENDED = (ProductState.TERMINATED, ProductState.CANCELLED)


@dataclass(frozen=True, order=True, slots=True)
class Stock:
    """A free item of a pool; the least rate that suffices is taken first, then the lowest id."""

    wan_mbps: int
    id: int
    code: str = field(compare=False)
    attrs: Mapping[str, Any] = field(compare=False)


@dataclass
class Supply:
    """What is free, read under the area's lock; deciding takes from it."""

    net: Connectivity
    addresses: Mapping[int, Address]
    ports: dict[int, list[FreePort]] = field(default_factory=dict)
    stock: dict[str, list[Stock]] = field(default_factory=dict)
    products: Mapping[int, Product] = field(default_factory=dict)
    users: Mapping[int, dict[int, list[int]]] = field(default_factory=dict)
    claimed: dict[int, int] = field(default_factory=dict)  # in this batch: product -> order


@dataclass(frozen=True)
class Outcome:
    """What is written and answered; ``takes`` are (resource, thing), ``waits`` the keys of an open request."""

    answer: Mapping[str, Any]
    takes: Sequence[tuple[int, int]] = ()
    claims: Sequence[int] = ()
    waits: Sequence[str] = ()


def box_key(box_id: int) -> str:
    """The key under which requests wait for a port of a box."""
    return f"{BOX_PREFIX}{box_id}"


def pool_key(line: Line) -> str:
    """The key under which requests wait for a pool; who needs a rate does not wait for what is slower."""
    return f"{line.want}:{line.wan_mbps}" if line.wan_mbps else line.want


def keys_of(request: Request, addresses: Mapping[int, Address], net: Connectivity, designer: Designer) -> set[str]:
    """The boxes and pools that a reservation competes for."""
    keys: set[str] = set()
    for line in request.lines():
        if line.want in POOLS:
            keys.add(pool_key(line))
        elif (address := addresses.get(line.address or 0)) and address.box_id is not None:
            keys |= {box_key(b) for b in designer.candidates(net, address.box_id)}
    return keys


def decide(request: Request, supply: Supply, designer: Designer) -> Outcome:
    """Serve a reservation from the supply, let it wait, or refuse it."""
    lines, claims = request.lines(), request.claims()
    try:
        _check_claims(request, claims, supply)
        for line in lines:
            _check_line(line, supply)
    except Rejected as refusal:
        return refused(refusal)
    if request.body.get("parked"):
        missing: list[dict[str, Any]] = [{"effect": x.effect, "want": x.want, "why": "parked"} for x in lines]
        return Outcome(_waiting(missing), waits=[f"{PARKED_PREFIX}{request.id}"])
    takes: list[tuple[int, int]] = []
    answers: dict[str, Any] = {str(raw["effect"]): {} for raw in request.body["lines"]}
    missing = []
    for line in lines:
        got = _access(line, supply, designer) if line.want == "access" else _from_stock(line, supply)
        if isinstance(got, Shortfall):
            missing.append({"effect": line.effect, "want": line.want, "why": got.why, **got.detail})
        else:
            takes += [(r["id"], line.thing) for r in got["resources"]]
            answers[str(line.effect)] = {"thing": line.thing, **got}
    if missing:
        return Outcome(_waiting(missing), waits=_waits(request, {m["effect"] for m in missing}, supply, designer))
    supply.claimed |= dict.fromkeys(claims, request.order_id)
    told = {"lines": answers, "claims": {str(c): _as_is(c, supply) for c in claims}}
    status = {"status": "soft", "until": request.body["until"]} if request.until else {"status": "served"}
    return Outcome({**status, **told}, takes, claims)


def _waiting(missing: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"status": "waiting", "reason": "no-resource", "missing": missing}


def refused(refusal: Rejected) -> Outcome:
    """The outcome of a typed refusal."""
    told = {"code": refusal.code, "zh": refusal.message("zh"), "en": refusal.message("en")}
    return Outcome({"status": "refused", **told})


def _check_claims(request: Request, claims: Sequence[int], supply: Supply) -> None:
    for claim in claims:
        product = supply.products.get(claim)
        if product is None:
            raise ProductUnknown(product=claim)
        if product.state in _ENDED:
            raise ProductTerminated(product=claim)
        owner = supply.claimed.get(claim, product.claimed_by)
        if owner not in (None, request.order_id):
            raise ProductClaimed(product=claim, order=owner)


def _check_line(line: Line, supply: Supply) -> None:
    if line.want in POOLS:
        return
    if line.want != "access":
        raise WantUnknown(want=line.want)
    address = supply.addresses.get(line.address or 0)
    if address is None:
        raise AddressUnknown(address=line.address)
    if address.box_id not in supply.net.nodes:
        raise AddressNotCovered(address=address.full_name)


def _access(line: Line, supply: Supply, designer: Designer) -> dict[str, Any] | Shortfall:
    box_id = supply.addresses[line.address or 0].box_id
    assert box_id is not None
    design = designer.choose(supply.net, box_id, supply.ports)
    if isinstance(design, Shortfall):
        return design
    port = design.port
    supply.ports[port.box_id].remove(port)
    resources = [
        {"id": port.id, "spec": "box_port", "code": port.code},
        {"id": port.cvlan_id, "spec": "cvlan", "code": port.cvlan_code},
    ]
    return {"resources": resources, "loid": f"LD{line.thing}", **design.facts}


def _from_stock(line: Line, supply: Supply) -> dict[str, Any] | Shortfall:
    stock = supply.stock.get(line.want, [])
    item = next((s for s in stock if s.wan_mbps >= line.wan_mbps), None)
    if item is None:
        return Shortfall("none-free", {"wan_mbps": line.wan_mbps} if line.wan_mbps else {})
    stock.remove(item)
    return {
        "resources": [{"id": item.id, "spec": line.want, "code": item.code}],
        line.want: item.code,
        **item.attrs,
    }


def _waits(request: Request, missing: Collection[int], supply: Supply, designer: Designer) -> Sequence[str]:
    # Rank in its boxes always, in a pool only if it misses something there: pools are shared by everybody.
    keys = {k for k in keys_of(request, supply.addresses, supply.net, designer) if k.startswith(BOX_PREFIX)}
    for line in request.lines():
        if line.effect in missing:
            keys.add(TREE_KEY if line.want == "access" else pool_key(line))
    return sorted(keys)


def _as_is(product_id: int, supply: Supply) -> dict[str, Any]:
    product = supply.products[product_id]
    return {
        "offering": product.offering,
        "spec": product.spec,
        "name": product.name,
        "state": int(product.state),
        "customer_id": product.customer_id,
        "parent_id": product.parent_id,
        "place_id": product.place_id,
        "characteristics": product.characteristics,
        "realisations": product.realisations,
        "users": {str(thing): users for thing, users in supply.users.get(product_id, {}).items()},
    }
