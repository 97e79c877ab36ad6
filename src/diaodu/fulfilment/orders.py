"""The facts of the orders of a batch, read once under their locks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from diaodu.catalog import policies
from diaodu.catalog import queries as catalog
from diaodu.catalog.model import Policy, Release
from diaodu.engine.ports import Call
from diaodu.fulfilment.decided import Decided
from diaodu.fulfilment.names import ACTIONS, address_names, customer_names, offering_names
from diaodu.kernel.db import Tx
from diaodu.ordering import queries as ordering
from diaodu.ordering.model import Item, Line, Revision


@dataclass(frozen=True)
class OrderFacts:
    """An order in one revision, with the release that the revision was made under.

    ``intake`` is the number of the revision that is in intake, if one is: its effects are not the to-be's business.
    ``accepted`` is the number of the newest accepted one, 0 before the first: what was asked for later is the intake's.
    """

    id: int
    revision: Revision
    release: Release
    items: tuple[Item, ...]
    intake: int | None = None
    accepted: int = 0

    def lines(self) -> Mapping[str, Line]:
        """The lines of the revision by item key; with those that it takes back."""
        return self._lines

    @cached_property
    def _lines(self) -> Mapping[str, Line]:
        return {line.key: line for line in self.revision.lines}

    def groups(self) -> list[str]:
        """The keys of the top-level items."""
        return [line.key for line in self.revision.lines if line.parent is None]

    @cached_property
    def decided(self) -> Decided:
        """The decisions of the release, and what this batch has asked them for this order."""
        return Decided(self.release)

    @cached_property
    def names(self) -> Mapping[str, Any]:
        """The names of an expression that are the same for all lines."""
        return {
            **self.decided.functions,
            "客户": customer_names(self.revision.customer),
            "订单": {"编号": str(self.id), "版本": self.revision.n, "受理时间": self.revision.ordered_at},
        }

    def decide(self, policy: Policy, line: Line, further: Mapping[str, Any] | None = None) -> Any:
        """What the operator's policy says about one line, as plain JSON; what does not fit goes to the history."""
        value, fits = policies.decide(self.release, policy, {**line_names(self, line), **(further or {})})
        if not fits:
            self.decided.unfit(policy, line.key)
        return value


def load_orders(tx: Tx, order_ids: Iterable[int]) -> dict[int, OrderFacts]:
    """The facts of each locked order in its to-be: the newest accepted revision, or, before the first one is
    accepted, the newest. A root that is no order has none.
    """
    ids = list(dict.fromkeys(order_ids))
    return _facts(tx, ids, ordering.to_be(tx, ids))


def load_intake(tx: Tx, calls: Sequence[Call]) -> dict[int, OrderFacts]:
    """The facts of each locked order in the revision that its intake instance is about (its variable ``revision``)."""
    return load_revisions(tx, {c.root_id: int(c.vars["revision"]) for c in calls})


def load_revisions(tx: Tx, named: Mapping[int, int]) -> dict[int, OrderFacts]:
    """The facts of each locked order in one of its revisions."""
    found = ordering.revisions(tx, named.items())
    return _facts(tx, list(named), {order: revision for (order, _), revision in found.items()})


def _facts(tx: Tx, ids: Sequence[int], revisions: Mapping[int, Revision]) -> dict[int, OrderFacts]:
    items = ordering.items(tx, ids)
    states = ordering.states_of_revisions(tx, ids)
    return {
        i: OrderFacts(
            i,
            revisions[i],
            catalog.get_release(tx, revisions[i].release_id),
            tuple(items[i]),
            ordering.intake_of(states[i]),
            max((n for n, state in states[i].items() if state == "accepted"), default=0),
        )
        for i in ids
        if i in revisions
    }


def line_names(facts: OrderFacts, line: Line) -> dict[str, Any]:
    """The names that an expression about one line may use."""
    return {
        **facts.names,
        "订单项": line.characteristics,
        "动作": ACTIONS[line.action],
        "销售品": offering_names(facts.release.offerings[line.offering]),
        "产品": line.installed,
        "地址": address_names(line.address),
    }


def record_decisions(tx: Tx, orders: Iterable[OrderFacts]) -> None:
    """Add what the tables decided in this batch to the history of each order."""
    for order in orders:
        order.decided.record(tx, order.id)
