"""The facts of the orders of a batch, read once under their locks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.catalog.model import Release
from diaodu.kernel.db import Tx
from diaodu.ordering import queries as ordering
from diaodu.ordering.model import Item, Line, Revision


@dataclass(frozen=True)
class OrderFacts:
    """An order in its newest revision, with the release that the revision was made under."""

    id: int
    revision: Revision
    release: Release
    items: tuple[Item, ...]

    def lines(self) -> Mapping[str, Line]:
        """The lines of the revision by item key."""
        return {line.key: line for line in self.revision.lines}

    def groups(self) -> list[str]:
        """The keys of the top-level items."""
        return [line.key for line in self.revision.lines if line.parent is None]


def load_orders(tx: Tx, order_ids: Iterable[int]) -> dict[int, OrderFacts]:
    """The facts of each locked order."""
    ids = list(dict.fromkeys(order_ids))
    revisions = ordering.latest_revisions(tx, ids)
    items = ordering.items(tx, ids)
    return {
        i: OrderFacts(i, revisions[i], catalog.get_release(tx, revisions[i].release_id), tuple(items[i])) for i in ids
    }


def line_names(facts: OrderFacts, line: Line) -> dict[str, Any]:
    """The names that a rule about one line may use."""
    return {
        "订单项": line.characteristics,
        "产品": line.installed,
        "客户": facts.revision.customer,
        "地址": line.address,
    }
