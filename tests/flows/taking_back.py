"""The newest revision of an order without some of its lines, accepted: what amendments and cancellations come to."""

from collections.abc import Collection
from dataclasses import replace

from tests.flows.operator import House

from diaodu.catalog.model import Tree
from diaodu.engine import commands as engine
from diaodu.engine.ports import Nudge
from diaodu.fulfilment.orders import load_orders
from diaodu.fulfilment.replan import replan
from diaodu.fulfilment.standing import settle_items
from diaodu.kernel import journal
from diaodu.ordering import commands as ordering
from diaodu.ordering.commands import NewRevision
from diaodu.ordering.model import Line


def take_back(house: House, order_id: int, *keys: str) -> None:
    """A revision that wants the lines of these items no more (none named: no line), accepted at once."""
    with house.db.transaction(actor="counter") as tx:
        journal.lock(tx, [order_id])
        before = load_orders(tx, [order_id])[order_id].revision
        lines = tuple(
            replace(line, wanted=line.wanted and bool(keys) and line.key not in keys) for line in before.lines
        )
        made = replace(before, n=before.n + 1, state="accepted", lines=lines, tree=_without(before.tree, lines))
        ordering.add_revisions(tx, [NewRevision(made, "counter", b"")])
    with house.db.transaction(actor="counter") as tx:
        journal.lock(tx, [order_id])
        order = load_orders(tx, [order_id])[order_id]
        assert order.revision.n == made.n
        replan(tx, [order])
        settle_items(tx, [order])
        engine.signal(tx, [Nudge(order_id)])


def _without(tree: Tree | None, lines: Collection[Line]) -> Tree:
    gone = {line.key for line in lines if not line.wanted}
    kept = tuple(n for n in tree or () if n.item_key not in gone)
    return Tree(kept if any(line.wanted for line in lines) else ())
