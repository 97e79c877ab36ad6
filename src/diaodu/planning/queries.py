"""Reads of the ledger."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from diaodu.kernel.db import Tx
from diaodu.kernel.ids import IdMaker, part_of
from diaodu.planning.model import Effect, Op, State

_COLUMNS = (
    "id, order_id, revision, thing_id, kind, item_key, op, of_id, state, ready, needs, work, element, priority,"
    " reads_hash, params, undo, result, attempts, held"
)

# The ledgers that a worker knew last, by database (one IdMaker for each): order -> effect id -> effect. At some
# 40 KB an order these are about 160 MB.
KEPT = 4_000
_kept: WeakKeyDictionary[IdMaker, OrderedDict[int, dict[int, Effect]]] = WeakKeyDictionary()


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
    if missing:
        cache.update(_read(tx, missing))
        # As this transaction leaves it, it is true once the transaction is.
        tx.committed.append(lambda: _keep(tx.ids, {i: cache[i] for i in missing}))
    return {i: cache[i] for i in wanted}


def _keep(database: IdMaker, ledgers: Mapping[int, Sequence[Effect]]) -> None:
    kept = _kept.setdefault(database, OrderedDict())
    for order, effects in ledgers.items():
        kept[order] = {e.id: e for e in effects}
        kept.move_to_end(order)
    while len(kept) > KEPT:
        kept.popitem(last=False)


def _read(tx: Tx, order_ids: list[int]) -> dict[int, list[Effect]]:
    """A worker meets the same orders again and again: what it knows of an effect is not read a second time.

    Only a landing changes more of an effect than what it waits for and that it is ready, held or sent; and a landing
    changes its state.
    """
    kept, part = _kept.setdefault(tx.ids, OrderedDict()), part_of(order_ids[0])
    standing = tx.rows(
        "select order_id, id, state, ready, held, attempts, case when state in ('intent', 'failed') then needs end"
        "  from planning.effect where part = %s and order_id = any(%s::int8[]) order by id",
        (part, order_ids),
    )
    found: dict[int, dict[int, Effect]] = {order: {} for order in order_ids}
    unread: list[tuple[int, int]] = []
    for order, i, state, ready, held, attempts, waits in standing:
        known = kept.get(order, {}).get(i)
        if known is None or (state != State.SENT and (state, attempts) != (known.state, known.attempts)):
            unread.append((order, i))
        else:
            needs = known.needs if waits is None else tuple(waits)
            now = (state, ready, held, attempts, needs)
            if (known.state, known.ready, known.held, known.attempts, known.needs) != now:
                known = replace(known, state=State(state), ready=ready, held=held, attempts=attempts, needs=needs)
        found[order][i] = known  # type: ignore[assignment]  # what is unread is read below
    for effect in _whole(tx, part, unread):
        found[effect.order_id][effect.id] = effect
    return {order: list(effects.values()) for order, effects in found.items()}


def _whole(tx: Tx, part: int, named: Sequence[tuple[int, int]]) -> list[Effect]:
    if not named:
        return []
    columns = ", ".join(f"e.{c.strip()}" for c in _COLUMNS.split(","))
    rows = tx.rows(
        f"select {columns} from unnest(%s::int8[], %s::int8[]) as u(order_id, id)"
        " join planning.effect e on e.part = %s and e.order_id = u.order_id and e.id = u.id",
        ([order for order, _ in named], [i for _, i in named], part),
    )
    return [_effect(r) for r in rows]


def _effect(row: tuple[Any, ...]) -> Effect:
    values = list(row)
    values[6], values[8], values[10] = Op(row[6]), State(row[8]), tuple(row[10])
    return Effect(*values)
