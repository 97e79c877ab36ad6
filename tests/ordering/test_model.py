"""The life of an item and the state of an order, each a total table; the view of the database says the same."""

from itertools import chain, combinations

from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.ordering import commands, queries
from diaodu.ordering.model import FINAL, ITEM_TABLE, ItemState, leads, order_state

S = ItemState
MIXES = list(chain.from_iterable(combinations(ItemState, n) for n in range(1, len(ItemState) + 1)))
_ITEM = (
    "insert into ordering.order_item (part, id, order_id, item_key, action, offering, product_id, state)"
    " select 0, i * 256, o * 256, i::text, 'add', 'P2', i, s from unnest(%s::int8[], %s::int8[], %s::text[]) u(i, o, s)"
)


def furnish(tx: Tx, orders: list[tuple[ItemState, ...]]) -> list[int]:
    """Orders whose items are in the states given; their ids."""
    ids = [256 * n for n in range(1, len(orders) + 1)]
    journal.create(tx, ids, "productOrder")
    tx.run(
        "insert into ordering.product_order (part, id, source, content_hash, priority, ordered_at, extra)"
        " select 0, u, 't', '', 4, %s, '{}' from unnest(%s::int8[]) u",
        (tx.now, ids),
    )
    items = [(n, state) for n, states in enumerate(orders, 1) for state in states]
    tx.run(_ITEM, (list(range(1, len(items) + 1)), [n for n, _ in items], [s for _, s in items]))
    return ids


def test_every_state_of_an_item_says_what_may_follow() -> None:
    assert ITEM_TABLE.final == FINAL
    assert all(s not in after.values() for s, after in ITEM_TABLE.moves.items())


def test_every_pair_of_states_moves_or_stays(tx: Tx) -> None:
    ids = furnish(tx, [(state,) * len(ItemState) for state in ItemState])
    items = queries.items(tx, ids)
    moves = [(i, to) for order in ids for i, to in zip(items[order], ItemState, strict=True)]

    commands.move_items(tx, [commands.Move(i, to) for i, to in moves])

    stored = dict(tx.rows("select id, state from ordering.order_item"))
    assert stored == {i.id: to if leads(i.state, to) else i.state for i, to in moves}
    told = [e for order in ids for e in tx.journal.entries.get(order, [])]
    assert len(told) == sum(len(set(after.values())) for after in ITEM_TABLE.moves.values()) == 33
    done = tx.rows("select distinct completed_at is not null from ordering.order_item where state = 'completed'"
                   " and id <> all(%s)", ([i.id for i, _ in moves if i.state is S.COMPLETED],))  # fmt: skip
    assert done == [(True,)]


def test_a_state_that_stays_takes_a_new_reason_until_the_end(tx: Tx) -> None:
    order = furnish(tx, [(S.HELD, S.COMPLETED)])[0]
    held, completed = queries.items(tx, [order])[order]

    commands.move_items(tx, [commands.Move(held, S.HELD, "no-resource"), commands.Move(completed, S.COMPLETED, "x")])

    rows = tx.rows("select state, reason from ordering.order_item order by id")
    assert rows == [("held", "no-resource"), ("completed", None)]


def test_the_state_of_an_order_follows_from_its_items() -> None:
    expected: dict[str, list[tuple[ItemState, ...]]] = {
        "acknowledged": [(S.ACKNOWLEDGED,)],
        "inProgress": [
            (S.CLOSING,), (S.IN_PROGRESS, S.HELD), (S.CLOSING, S.COMPLETED), (S.ACKNOWLEDGED, S.PENDING),
            (S.PENDING, S.COMPLETED), (S.HELD, S.FAILED),
        ],
        "held": [(S.HELD,), (S.HELD, S.PENDING)],
        "pending": [(S.PENDING,)],
        "completed": [(S.COMPLETED,), (S.COMPLETED, S.CANCELLED), (S.COMPLETED, S.REJECTED, S.CANCELLED)],
        "failed": [(S.FAILED,), (S.FAILED, S.CANCELLED)],
        "partial": [(S.COMPLETED, S.FAILED), (S.COMPLETED, S.FAILED, S.CANCELLED)],
        "cancelled": [(S.CANCELLED,), (S.CANCELLED, S.REJECTED)],
        "rejected": [(S.REJECTED,)],
    }  # fmt: skip
    for state, mixes in expected.items():
        assert [order_state(m) for m in mixes] == [state] * len(mixes)


def test_the_view_derives_the_same_state_from_every_mix_of_items(tx: Tx) -> None:
    ids = furnish(tx, MIXES)
    shown = dict(tx.rows("select id, state from ordering.v_product_order"))
    assert len(MIXES) == 2047
    assert {i: shown[i] for i in ids} == {i: order_state(m) for i, m in zip(ids, MIXES, strict=True)}
