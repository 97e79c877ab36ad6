"""Reading what a batch of reservations competes for, and the earlier requests that have rank there."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from diaodu.inventory import queries
from diaodu.inventory.model import Address, Connectivity
from diaodu.inventory.ports import Designer
from diaodu.inventory.requests import Rank, Request
from diaodu.inventory.reserve import BOX_PREFIX, PARKED_PREFIX, TREE_KEY, Stock, Supply, keys_of
from diaodu.kernel.db import Tx

# Waiting requests tried in one transaction; more are tried page after page, before any later request.
WAITING_PAGE = 500
# The pool whose items differ by what they can carry.
RATED_POOL = "router"
FIRST_RANK: Rank = (-(2**15), datetime.min.replace(tzinfo=UTC), 0)
_COLUMNS = "id, order_id, revision, kind, class, asked_at, body"
_LIVE = """
select distinct 'box:' || up_id from inventory.resource
 where area = %(area)s and spec = 'box_port' and state = 0 and up_id = any(%(boxes)s::int8[])
union all
select w.key from unnest(%(keys)s::text[], %(specs)s::text[], %(rates)s::int4[]) as w(key, spec, rate)
 where exists (select from inventory.resource r where r.area = %(area)s and r.spec = w.spec and r.state = 0
                  and (w.rate = 0 or (r.attrs->>'wan_mbps')::int4 >= w.rate))
"""
_STOCK = """
select w.spec, r.id, r.code, r.attrs
  from unnest(%(specs)s::text[], %(rates)s::int4[], %(depths)s::int4[]) as w(spec, rate, depth)
 cross join lateral (
   (select id, code, attrs from inventory.resource
     where w.rate = 0 and area = %(area)s and spec = w.spec and state = 0 order by up_id, id limit w.depth)
   union all
   (select id, code, attrs from inventory.resource
     where w.rate > 0 and area = %(area)s and spec = w.spec and state = 0 and (attrs->>'wan_mbps')::int4 >= w.rate
     order by (attrs->>'wan_mbps')::int4, id limit w.depth)) r
"""


def woken_keys(tx: Tx, area: int) -> set[str]:
    """The boxes and pools that open requests wait for."""
    found = tx.rows("select distinct unnest(waits) from inventory.request where area = %s and state = 0", (area,))
    return {r[0] for r in found if not _is_called(r[0])}


def _is_called(key: str) -> bool:
    """Whether a key is no resource that may be free: who waits for it is called by an event."""
    return key == TREE_KEY or key.startswith(PARKED_PREFIX)


def gather(
    tx: Tx,
    area: int,
    net: Connectivity,
    designer: Designer,
    *,
    fresh: Sequence[Request],
    woken: Collection[str],
    after: Rank,
) -> tuple[Supply, list[Request]]:
    """The supply for ``fresh``, and the waiting requests ranked beyond ``after`` that compete for it."""
    supply = Supply(net, _addresses(tx, fresh, {}))
    keys = set(woken).union(*(keys_of(r, supply.addresses, net, designer) for r in fresh))
    waiting: list[Request] = []
    theirs: set[str] = set()
    while live := _live(tx, area, keys | _rated(tx, area, keys)):
        waiting = _waiting(tx, area, live, after)
        supply.addresses = _addresses(tx, waiting, supply.addresses)
        theirs = set().union(*(keys_of(r, supply.addresses, net, designer) for r in waiting))
        # The chain is followed through pools only: through boxes it would run over the whole area.
        more = {k for k in theirs - keys if not k.startswith(BOX_PREFIX)}
        if not more:
            break
        keys |= more
    everyone = [*waiting, *fresh]
    boxes = _boxes(keys | theirs)
    supply.ports = queries.free_ports(tx, area, boxes) if boxes else {}
    supply.stock = _stock(tx, area, everyone)
    if claims := {c for r in everyone for c in r.claims()}:
        supply.products = queries.products_named(tx, area, claims)
        supply.users = queries.things_used(tx, area, claims)
    return supply, waiting


def _addresses(tx: Tx, requests: Iterable[Request], known: Mapping[int, Address]) -> dict[int, Address]:
    wanted = {line.address for r in requests for line in r.lines() if line.address is not None}
    new = wanted - known.keys()
    return {**known, **queries.addresses(tx, new)} if new else dict(known)


def _boxes(keys: Iterable[str]) -> list[int]:
    return [int(k.removeprefix(BOX_PREFIX)) for k in keys if k.startswith(BOX_PREFIX)]


def _rated(tx: Tx, area: int, keys: Collection[str]) -> set[str]:
    # One item of a rated pool meets every lower rate: whoever waits for any rate of it has rank before a new request.
    if not any(k.startswith(RATED_POOL) for k in keys):
        return set()
    return {k for k in woken_keys(tx, area) if k.startswith(RATED_POOL)}


def _live(tx: Tx, area: int, keys: Collection[str]) -> list[str]:
    pools = [k for k in keys if not k.startswith(BOX_PREFIX) and not _is_called(k)]
    specs, _, rates = zip(*(k.partition(":") for k in pools), strict=True) if pools else ((), (), ())
    asked = {"boxes": _boxes(keys), "keys": pools, "specs": list(specs), "rates": [int(r or 0) for r in rates]}
    found = [r[0] for r in tx.rows(_LIVE, {"area": area, **asked})] if keys else []
    return found + [k for k in keys if _is_called(k)]


def _waiting(tx: Tx, area: int, keys: Sequence[str], after: Rank) -> list[Request]:
    found = tx.rows(
        f"select {_COLUMNS} from inventory.request where area = %s and state = 0 and waits && %s::text[]"
        " and (class, asked_at, id) > (%s, %s, %s) order by class, asked_at, id limit %s",
        (area, list(keys), *after, WAITING_PAGE),
    )
    return [Request(*r) for r in found]


def _stock(tx: Tx, area: int, requests: Iterable[Request]) -> dict[str, list[Stock]]:
    depths: dict[tuple[str, int], int] = {}
    for line in (line for r in requests for line in r.lines() if line.want != "access"):
        key = (line.want, line.wan_mbps)
        depths[key] = depths.get(key, 0) + 1
    if not depths:
        return {}
    # Each rate may be met by what a higher one would take too: read deep enough for all of them together.
    deep = {spec: sum(n for (s, _), n in depths.items() if s == spec) for spec, _ in depths}
    specs, rates = zip(*depths, strict=True)
    wanted = {"area": area, "specs": list(specs), "rates": list(rates), "depths": [deep[s] for s in specs]}
    found: dict[str, dict[int, Stock]] = {}
    for spec, item, code, attrs in tx.rows(_STOCK, wanted):
        found.setdefault(spec, {})[item] = Stock(int(attrs.get("wan_mbps", 0)), item, code, attrs)
    return {spec: sorted(items.values()) for spec, items in found.items()}
