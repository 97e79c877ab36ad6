"""分解: the lines of the revision become the tree of services and resources.

Top-level items that are what they were in an earlier revision keep their part of its tree; of those that changed, what
is made by the same item in the same role stays the same thing, so that what was done to it is still known of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from diaodu.catalog.model import Node, Tree
from diaodu.decomposition.decompose import decompose
from diaodu.decomposition.model import OrderedProduct
from diaodu.engine.ports import Call, Decision, Done
from diaodu.fulfilment.intake import replaced
from diaodu.fulfilment.orders import OrderFacts, line_names, load_intake, record_decisions
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.ordering import commands as ordering
from diaodu.ordering import queries as revisions
from diaodu.ordering.model import Action, Line, Revision

Facts = tuple[Mapping[int, OrderFacts], Mapping[int, Sequence[Revision]], Tx]
_BEFORE = ("accepted", "replaced", "rejected")


class Decompose:
    """The service ``fulfilment.decompose``."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Facts:
        """The revisions that the calls are about, those before them, and the source of new ids."""
        orders = load_intake(tx, calls)
        return orders, _before(tx, orders), tx

    def decide(self, call: Call, facts: Facts) -> Decision:
        """Break one revision down."""
        orders, before, tx = facts
        order = orders[call.root_id]
        if waits := replaced(order):
            return waits
        return Decision(Done(), tree_of(order, lambda: tx.new_id(part_of(order.id)), before[order.id]))

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Facts) -> None:
        """Keep the tree with the revision."""
        orders = facts[0]
        made = [(call, decision) for call, decision in decided if decision.writes is not None]
        ordering.save_revisions(
            tx, [replace(orders[call.root_id].revision, tree=decision.writes) for call, decision in made]
        )
        for call, decision in made:
            levels = [n.level for n in decision.writes]
            counts = {level: levels.count(level) for level in ("product", "service", "resource")}
            journal.record(tx, call.root_id, {"t": "order.decomposed", **counts})
        record_decisions(tx, orders.values())


def _before(tx: Tx, orders: Mapping[int, OrderFacts]) -> dict[int, list[Revision]]:
    """The revisions that each order takes its things from: the accepted one, and the newest that had a tree."""
    states = revisions.states_of_revisions(tx, orders)
    left = {
        i: [n for n, state in states[i].items() if state in _BEFORE and n < order.revision.n]
        for i, order in orders.items()
    }
    found: dict[int, list[Revision]] = {i: [] for i in orders}
    accepted = [(i, order.accepted) for i, order in orders.items() if order.accepted]
    for revision in revisions.revisions(tx, accepted).values():
        found[revision.order_id].append(revision)
    # Most often the last one has it: one that was replaced early has none.
    while newest := [(i, ns.pop()) for i, ns in left.items() if ns]:
        for (i, n), revision in revisions.revisions(tx, newest).items():
            if n == orders[i].accepted or revision.tree is not None:
                left[i].clear()
                found[i] += [revision] if n != orders[i].accepted else []
    return found


def tree_of(facts: OrderFacts, new_id: Callable[[], int], before: Sequence[Revision] = ()) -> Tree:
    """The tree of what the customer shall have; a deleted product has no node.

    ``before`` are earlier revisions of the order, what counts most first.
    """
    copied = _copied(facts, before)
    things = _things_before(before)
    products = [
        OrderedProduct(
            item_key=line.key,
            group=line.group,
            product_id=line.product_id,
            spec=line.spec,
            characteristics=line.characteristics,
            things=line.things,
            names=line_names(facts, line),
            before=things.get(line.product_id, {}),
        )
        for line in facts.revision.lines
        if line.wanted and line.spec is not None and line.action is not Action.DELETE and line.group not in copied
    ]
    made = decompose(products, facts.release, new_id)
    return Tree((*(n for nodes in copied.values() for n in nodes), *made)) if copied else made


def _copied(facts: OrderFacts, before: Sequence[Revision]) -> dict[str, list[Node]]:
    """The nodes of the top-level items in which nothing differs from an earlier revision, by the keys of those."""
    found: dict[str, list[Node]] = {}
    now = _by_group(facts.revision)
    for revision in before:
        if revision.tree is None or (revision.release_id, revision.customer) != (
            facts.revision.release_id, facts.revision.customer,
        ):  # fmt: skip
            continue
        was = _by_group(revision)
        same = {g for g, lines in now.items() if g not in found and lines == was.get(g)}
        found |= {g: [] for g in same}
        for node in revision.tree:
            if node.group in same:
                found[node.group].append(node)
    return found


def _by_group(revision: Revision) -> dict[str, list[Line]]:
    """The wanted lines of each top-level item, as far as anything is made of them."""
    found: dict[str, list[Line]] = {}
    for line in revision.lines:
        if line.wanted:
            found.setdefault(line.group, []).append(replace(line, extra={}, held={}))
    return found


def _things_before(before: Sequence[Revision]) -> dict[int, dict[tuple[str, str], int]]:
    """What was made for each product, by specification and role."""
    found: dict[int, dict[tuple[str, str], int]] = {}
    for revision in before:
        products = {line.key: line.product_id for line in revision.lines}
        for node in revision.tree or ():
            for product in node.users or (products[node.item_key],):
                found.setdefault(product, {}).setdefault((node.spec, node.role), node.thing_id)
    return found
