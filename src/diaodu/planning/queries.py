"""Reads of the ledger."""

from collections.abc import Iterable, Sequence
from typing import Any

from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.planning.model import Effect, Op, State

_COLUMNS = (
    "id, order_id, revision, thing_id, kind, item_key, op, of_id, state, ready, needs, work, element, priority,"
    " reads_hash, params, undo, result, attempts"
)


def effects_of(tx: Tx, order_ids: Sequence[int]) -> dict[int, list[Effect]]:
    """The ledger of each order, in id order; orders of one partition."""
    if not order_ids:
        return {}
    rows = tx.rows(
        f"select {_COLUMNS} from planning.effect where part = %s and order_id = any(%s::int8[]) order by id",
        (part_of(order_ids[0]), list(order_ids)),
    )
    ledger: dict[int, list[Effect]] = {i: [] for i in order_ids}
    for effect in map(_effect, rows):
        ledger[effect.order_id].append(effect)
    return ledger


def ledger(tx: Tx, order_ids: Iterable[int]) -> dict[int, list[Effect]]:
    """The ledger of orders whose roots are locked, read once per transaction; commands keep it true."""
    cache: dict[int, list[Effect]] = tx.memo.setdefault("planning.ledger", {})
    wanted = list(order_ids)
    missing = [i for i in wanted if i not in cache]
    cache.update(effects_of(tx, missing))
    return {i: cache[i] for i in wanted}


def _effect(row: tuple[Any, ...]) -> Effect:
    values = list(row)
    values[6], values[8], values[10] = Op(row[6]), State(row[8]), tuple(row[10])
    return Effect(*values)
