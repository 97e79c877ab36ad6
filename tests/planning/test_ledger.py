"""The ledger of effects: what may happen to one, and what that opens for others."""

from typing import Any

from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.planning import commands, queries
from diaodu.planning.model import TRANSITIONS, Effect, Op, State, Step


def order(tx: Tx) -> int:
    order_id = tx.new_id(0)
    journal.create(tx, [order_id], "productOrder")
    return order_id


def effect(tx: Tx, order_id: int, **values: Any) -> Effect:
    given: dict[str, Any] = {
        "id": tx.new_id(0), "order_id": order_id, "revision": 1, "thing_id": tx.new_id(0), "kind": "olt.port",
        "item_key": "1", "op": Op.DO, "of_id": None, "state": State.INTENT, "ready": True, "needs": (), "work": "W1",
        "element": "olt:1", "priority": 3, "reads_hash": None, "params": {}, "undo": None,
    }  # fmt: skip
    return Effect(**given | values)


def step(kind: str, *after: str) -> Step:
    keys = frozenset((1, k) for k in after)
    return Step(Op.DO, 1, kind, "1", "W1", "olt:1", 3, None, {}, None, None, keys, "new")


def land(tx: Tx, made: Effect, state: State, **values: Any) -> list[Effect]:
    return commands.land(tx, [commands.Landing(made, state, **values)])


def test_every_pair_of_states_lands_or_stays(tx: Tx) -> None:
    assert set(TRANSITIONS) == set(State)
    order_id = order(tx)
    pairs = [(effect(tx, order_id, state=before), after) for before in State for after in State]
    commands.add(tx, [e for e, _ in pairs])

    changed = commands.land(tx, [commands.Landing(e, after) for e, after in pairs])

    stored = dict(tx.rows("select id, state from planning.effect"))
    assert stored == {e.id: after if after in TRANSITIONS[e.state] else e.state for e, after in pairs}
    assert len(changed) == sum(len(after) for after in TRANSITIONS.values()) == 18
    told = [e for e in tx.journal.entries[order_id] if e["t"] == "effect.state"]
    assert [(e["id"], e["from"], e["to"]) for e in told] == [
        (e.id, e.state, after) for e, after in pairs if after in TRANSITIONS[e.state]
    ]


def test_steps_become_ready_when_all_that_they_need_is_confirmed(tx: Tx) -> None:
    order_id = order(tx)
    steps = [step("a"), step("b"), step("c", "a", "b")]
    made = {e.kind: e for e in commands.add_steps(tx, order_id=order_id, revision=1, steps=steps)}
    commands.add(tx, list(made.values()))
    assert {k: e.ready for k, e in made.items()} == {"a": True, "b": True, "c": False}
    assert set(made["c"].needs) == {made["a"].id, made["b"].id}

    land(tx, made["a"], State.CONFIRMED)
    assert _ready(tx, made["c"]) is False
    land(tx, made["b"], State.FAILED)
    assert _ready(tx, made["c"]) is False
    failed = next(e for e in queries.ledger(tx, [order_id])[order_id] if e.kind == "b")
    land(tx, failed, State.CONFIRMED)
    assert _ready(tx, made["c"]) is True


def test_a_step_may_need_what_the_ledger_holds_already(tx: Tx) -> None:
    order_id = order(tx)
    sent = effect(tx, order_id, thing_id=1, kind="a", state=State.SENT)
    commands.add(tx, [sent])
    made = commands.add_steps(tx, order_id=order_id, revision=2, steps=[step("b", "a")])
    commands.add(tx, made)
    assert (made[0].needs, made[0].ready) == ((sent.id,), False)

    land(tx, sent, State.CONFIRMED)

    assert _ready(tx, made[0]) is True


def test_a_confirmed_undo_makes_its_fact_undone(tx: Tx) -> None:
    order_id = order(tx)
    fact = effect(tx, order_id, state=State.CONFIRMED)
    undo = effect(tx, order_id, kind="olt.port.remove", op=Op.UNDO, of_id=fact.id)
    commands.add(tx, [fact, undo])

    changed = land(tx, undo, State.CONFIRMED)

    assert {e.id: e.state for e in changed} == {undo.id: State.CONFIRMED, fact.id: State.UNDONE}
    rows = tx.rows("select id, state, ended_at from planning.effect order by id")
    assert rows == [(fact.id, "undone", tx.now), (undo.id, "confirmed", tx.now)]


def test_a_landing_keeps_the_result_and_the_attempts_unless_told_others(tx: Tx) -> None:
    made = effect(tx, order(tx), state=State.SENT, result={"a": 1}, attempts=2)
    commands.add(tx, [made])
    unknown = land(tx, made, State.UNKNOWN)[0]
    assert (unknown.result, unknown.attempts) == ({"a": 1}, 2)

    failed = land(tx, unknown, State.FAILED, result={"cause": "x"}, attempts=5, due_at=tx.now)[0]

    assert (failed.result, failed.attempts) == ({"cause": "x"}, 5)
    assert tx.rows("select result, attempts, due_at from planning.effect") == [({"cause": "x"}, 5, tx.now)]


def test_what_is_read_again_is_what_was_written(tx: Tx) -> None:
    order_id = order(tx)
    made = effect(tx, order_id, params={"速率": 200}, undo={"kind": "x", "work": "W1", "after": ["a"]})
    done = effect(tx, order_id, state=State.CONFIRMED, needs=(made.id,), reads_hash="h", ready=False)
    commands.add(tx, [made, done])
    assert queries.effects_of(tx, [order_id]) == {order_id: [made, done]}


def _ready(tx: Tx, e: Effect) -> bool:
    return bool(tx.rows("select ready from planning.effect where id = %s", (e.id,))[0][0])
