"""What dispatchers do to an order in flight."""

from diaodu.engine import commands as engine
from diaodu.fulfilment.errors import NotFailed
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.planning import queries as effects
from diaodu.planning.model import State


def retry_effect(tx: Tx, effect_id: int, by: str) -> None:
    """Have a failed effect done again: sent again under its key, or offered again as a work order.

    NotFound, NotFailed. The order goes on when the effect lands.
    """
    effect = effects.find_effect(tx, effect_id)
    if effect is None:
        raise NotFound(entity="effect", id=effect_id)
    journal.lock(tx, [effect.order_id])
    known = effects.ledger(tx, [effect.order_id])[effect.order_id]
    effect = next(e for e in known if e.id == effect_id)
    if effect.state is not State.FAILED:
        raise NotFailed(id=effect_id, state=effect.state)
    outcome = {"effect": effect_id, "state": State.INTENT, "attempts": 0}
    body = {"source": "repair", "by": by, "outcomes": [outcome]}
    engine.enqueue(tx, [engine.Enqueue(effect.order_id, "effect.report", body, f"retry:{tx.new_id(0)}")])
