"""合并: orders that share a visit share one notice to the customer; the one that is done last speaks for all.

Orders lie in different partitions and no lock spans them. So each decides by itself, from what the others have
committed: while another of the visit is on its way, an order writes its notice down and lets it wait; the last one
finds the waiting notices, names their orders in its own, and when that has gone out the sender reports it to them too.
A notice waits at most a day beyond the others' limit: what leaves the visit, is cancelled, or is decided at the same
instant costs a second notice, or a late one, at worst, never a missing one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from diaodu.engine.ports import Call, Decision, ServiceHandler
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.ordering.model import FINAL
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Step
from diaodu.workforce import commands as workforce

NOTICE = "notice.completed"
GRACE = timedelta(days=1)
_ENDED = [str(s) for s in FINAL]


@dataclass(frozen=True)
class Shared:
    """What an order finds when it is about to speak: until when it waits, or whose waiting notices it speaks for."""

    until: datetime | None = None
    also: tuple[tuple[int, int], ...] = ()  # order and effect


class SharedNotice:
    """The service ``fulfilment.closing`` with notices that know of the visit; everything else is as it is."""

    def __init__(self, closing: ServiceHandler) -> None:
        self._closing = closing

    def load(self, tx: Tx, calls: Sequence[Call]) -> Any:
        """What the closing reads, and what the others of each visit have come to."""
        about = [c.root_id for c in calls if c.settings["effect"] == NOTICE]
        return self._closing.load(tx, calls), _found(tx, about) if about else {}

    def decide(self, call: Call, facts: Any) -> Decision:
        """The steps of the closing; a notice that speaks for others names them."""
        known, shared = facts
        decision = self._closing.decide(call, known)
        found: Shared | None = shared.get(call.root_id) if call.settings["effect"] == NOTICE else None
        if found is None or not found.also or not decision.writes:
            return decision
        first, *others = decision.writes
        return replace(decision, writes=[_speaking(first, found.also), *others])

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Any) -> None:
        """Write the steps down; those that wait for the others of the visit are not sent before their instant."""
        known, shared = facts
        self._closing.apply(tx, decided, known)
        waiting = {c.root_id: shared[c.root_id].until for c, _ in decided if c.root_id in shared}
        for order_id, until in waiting.items():
            if until is not None:
                mine = [e for e in effects.ledger(tx, [order_id])[order_id] if e.kind == NOTICE]
                ledger.send_after(tx, mine, until)


def _speaking(step: Step, also: Sequence[tuple[int, int]]) -> Step:
    named = "、".join(str(order) for order in sorted({order for order, _ in also}))
    text = (
        f"{step.params['text']} 同次上门的订单 {named} 也已办结。"
        if step.params.get("text")
        else step.params.get("text")
    )
    return replace(step, params={**step.params, "text": text, "also": [list(pair) for pair in also]})


def _found(tx: Tx, order_ids: Sequence[int]) -> Mapping[int, Shared]:
    others = workforce.visits.shared_with(tx, order_ids)
    standing = {i: _standing(tx, i) for i in sorted({o for of in others.values() for o in of})}
    return {i: _shared(of, standing) for i, of in others.items() if of}


def _shared(others: Mapping[int, datetime], standing: Mapping[int, tuple[bool, list[int]]]) -> Shared:
    """Wait while another is on its way; else speak for those that wait."""
    coming = [o for o in others if not standing[o][0] and not standing[o][1]]
    if coming:
        return Shared(until=max(others[o] for o in coming) + GRACE)
    return Shared(also=tuple((o, e) for o in sorted(others) for e in standing[o][1]))


def _standing(tx: Tx, order_id: int) -> tuple[bool, list[int]]:
    """Whether an order has ended without a word that waits, and which of its notices wait."""
    part = part_of(order_id)
    waiting = tx.rows(
        "select id, state from planning.v_effect where part = %s and order_id = %s and kind = %s",
        (part, order_id, NOTICE),
    )
    ended = tx.row(
        "select state = any(%s::text[]) from ordering.v_product_order where part = %s and id = %s",
        (_ENDED, part, order_id),
    )
    return bool(ended and ended[0]) or bool(waiting), [i for i, state in waiting if state == "intent"]
