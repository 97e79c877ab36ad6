"""What the diagrams of 业务受理 know of their order: names for conditions, and the release's decisions."""

from collections.abc import Mapping, Sequence
from typing import Any

from diaodu.catalog.model import plain
from diaodu.engine.ports import BusinessError, Question
from diaodu.feel import FeelError
from diaodu.fulfilment.orders import OrderFacts, line_names, load_orders, record_decisions
from diaodu.kernel.db import Tx


class OrderNames:
    """The engine's FactsProvider: the names about the first line of each order, and its release's decisions."""

    def facts(self, tx: Tx, root_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
        """For each order the names that a condition may use."""
        return {i: _names(order) for i, order in load_orders(tx, root_ids).items()}


class OrderDecisions:
    """The engine's DecisionService: an order is decided by the release that its revision was made under."""

    def decide(self, tx: Tx, questions: Sequence[Question]) -> Sequence[Any]:
        """Decide each question; inputs are the variables and names of the same name."""
        orders = load_orders(tx, [q.root_id for q in questions])
        answers = [_answer(orders.get(q.root_id), q) for q in questions]
        record_decisions(tx, orders.values())
        return answers


def _answer(order: OrderFacts | None, question: Question) -> Any:
    if order is None:
        return BusinessError("no-order", f"{question.root_id} is no order, so no release decides '{question.decision}'")
    decision = order.release.decisions.get(question.decision)
    if decision is None:
        known = ", ".join(order.release.decisions)
        return BusinessError("no-decision", f"release {order.release.id} has no '{question.decision}', only {known}")
    try:
        return plain(order.decided.ask(decision, {**_names(order), **question.vars}))
    except FeelError as error:
        return BusinessError("decision-failed", f"{question.decision}: {error}")


def _names(order: OrderFacts) -> dict[str, Any]:
    return line_names(order, order.revision.lines[0])
