"""分解: the lines of the revision become the tree of services and resources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from diaodu.catalog.model import Tree
from diaodu.decomposition.decompose import decompose
from diaodu.decomposition.model import OrderedProduct
from diaodu.engine.ports import Call, Decision, Done
from diaodu.fulfilment.orders import OrderFacts, line_names, load_intake, record_decisions
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import Action


class Decompose:
    """The service ``fulfilment.decompose``."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> tuple[Mapping[int, OrderFacts], Tx]:
        """The orders of the calls, and the source of new ids."""
        return load_intake(tx, calls), tx

    def decide(self, call: Call, facts: tuple[Mapping[int, OrderFacts], Tx]) -> Decision:
        """Break one revision down."""
        orders, tx = facts
        return Decision(Done(), tree_of(orders[call.root_id], lambda: tx.new_id(part_of(call.root_id))))

    def apply(
        self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: tuple[Mapping[int, OrderFacts], Tx]
    ) -> None:
        """Keep the tree with the revision."""
        orders = facts[0]
        ordering.save_revisions(
            tx, [replace(orders[call.root_id].revision, tree=decision.writes) for call, decision in decided]
        )
        for call, decision in decided:
            levels = [n.level for n in decision.writes]
            counts = {level: levels.count(level) for level in ("product", "service", "resource")}
            journal.record(tx, call.root_id, {"t": "order.decomposed", **counts})
        record_decisions(tx, orders.values())


def tree_of(facts: OrderFacts, new_id: Callable[[], int]) -> Tree:
    """The tree of what the customer shall have; a deleted product has no node."""
    products = [
        OrderedProduct(
            item_key=line.key,
            group=line.group,
            product_id=line.product_id,
            spec=line.spec,
            characteristics=line.characteristics,
            things=line.things,
            names=line_names(facts, line),
        )
        for line in facts.revision.lines
        if line.wanted and line.spec is not None and line.action is not Action.DELETE
    ]
    return decompose(products, facts.release, new_id)
