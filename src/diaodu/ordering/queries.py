"""Reads of orders; set-wise, for orders of one partition."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from diaodu.catalog.model import Tree
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import IdMaker, part_of
from diaodu.ordering.model import Action, Item, ItemState, Line, Revision

# An accepted revision never changes: a worker keeps the latest ones, by database (one IdMaker for each). At some
# 30 KB each these are about 120 MB.
KEPT = 4_000
_kept: WeakKeyDictionary[IdMaker, OrderedDict[tuple[int, int], Revision]] = WeakKeyDictionary()


def items_of(tx: Tx, order_ids: Sequence[int]) -> dict[int, list[Item]]:
    """The items of each order, in the order in which they were captured."""
    if not order_ids:
        return {}
    rows = tx.rows(
        "select id, order_id, item_key, parent_key, action, offering, product_id, state, reason, ponr"
        " from ordering.order_item where part = %s and order_id = any(%s::int8[]) order by id",
        (part_of(order_ids[0]), list(order_ids)),
    )
    found: dict[int, list[Item]] = {i: [] for i in order_ids}
    for r in rows:
        item_id, order_id, key, parent, action, offering, product, state, *rest = r
        item = Item(item_id, order_id, key, parent, Action(action), offering, product, ItemState(state), *rest)
        found[order_id].append(item)
    return found


def items(tx: Tx, order_ids: Iterable[int]) -> dict[int, list[Item]]:
    """The items of locked orders, read once per transaction; commands keep them true."""
    cache: dict[int, list[Item]] = tx.memo.setdefault("ordering.items", {})
    wanted = list(order_ids)
    cache.update(items_of(tx, [i for i in wanted if i not in cache]))
    return {i: cache[i] for i in wanted}


def states_of_revisions(tx: Tx, order_ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """The state of each revision of locked orders by its number, oldest first; read once per transaction."""
    cache: dict[int, dict[int, str]] = tx.memo.setdefault("ordering.revision_states", {})
    wanted = list(order_ids)
    missing = [i for i in wanted if i not in cache]
    if missing:
        cache.update({i: {} for i in missing})
        for order, n, state in tx.rows(
            "select order_id, n, state from ordering.revision where part = %s and order_id = any(%s::int8[])"
            " order by order_id, n",
            (part_of(missing[0]), missing),
        ):
            cache[order][n] = state
    return {i: cache[i] for i in wanted}


def to_be_of(states: Mapping[int, str]) -> int | None:
    """Which revision an order shall become: the newest accepted one; before that the newest that counts."""
    for counts in (("accepted",), ("intake", "rejected")):
        if found := [n for n, state in states.items() if state in counts]:
            return max(found)
    return None


def intake_of(states: Mapping[int, str]) -> int | None:
    """The revision that is in intake; there is at most one."""
    return next((n for n, state in states.items() if state == "intake"), None)


def to_be(tx: Tx, order_ids: Iterable[int]) -> dict[int, Revision]:
    """The revision that each locked order shall become; none for what is no order."""
    states = states_of_revisions(tx, order_ids)
    named = {order: n for order, found in states.items() if (n := to_be_of(found)) is not None}
    found = revisions(tx, named.items())
    return {order: found[order, n] for order, n in named.items()}


def revisions(tx: Tx, named: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Revision]:
    """Revisions of locked orders by (order, number), read once per transaction; commands keep them true."""
    cache: dict[tuple[int, int], Revision] = tx.memo.setdefault("ordering.revisions", {})
    wanted = list(named)
    missing = [key for key in wanted if key not in cache]
    if missing:
        kept = _kept.setdefault(tx.ids, OrderedDict())
        found = {key: kept[key] for key in missing if key in kept}
        found |= _read(tx, [key for key in missing if key not in found])
        for revision in found.values():
            _keep(kept, revision)
        cache |= found
    return {key: cache[key] for key in wanted if key in cache}


def revision(tx: Tx, order_id: int, n: int) -> Revision | None:
    """One revision of an order."""
    return _read(tx, [(order_id, n)]).get((order_id, n))


def _read(tx: Tx, named: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Revision]:
    if not named:
        return {}
    rows = tx.rows(
        "select r.order_id, r.n, r.state, r.release_id, r.document, r.tree, r.design, r.problems"
        " from unnest(%s::int8[], %s::int4[]) u(order_id, n)"
        " join ordering.revision r on r.part = %s and r.order_id = u.order_id and r.n = u.n",
        ([order for order, _ in named], [n for _, n in named], part_of(named[0][0])),
    )
    return {(r[0], r[1]): _revision(r) for r in rows}


def _keep(kept: "OrderedDict[tuple[int, int], Revision]", revision: Revision) -> None:
    if revision.state == "accepted":
        kept[revision.order_id, revision.n] = revision
        kept.move_to_end((revision.order_id, revision.n))
        if len(kept) > KEPT:
            kept.popitem(last=False)


def _revision(row: tuple[Any, ...]) -> Revision:
    order_id, n, state, release_id, document, nodes, design, problems = row
    lines = tuple(Line(**(line | {"action": Action(line["action"])})) for line in document["lines"])
    tree = Tree.parse(nodes) if nodes is not None else None
    customer, ordered_at = document["customer"], document["ordered_at"]
    return Revision(order_id, n, state, release_id, customer, ordered_at, lines, tree, design or {}, problems)


def revision_document(revision: Revision) -> dict[str, Any]:
    """What a revision asks for, as plain JSON."""
    lines = [vars(line) for line in revision.lines]
    return {"n": revision.n, "customer": revision.customer, "ordered_at": revision.ordered_at, "lines": lines}
