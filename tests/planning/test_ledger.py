"""The ledger of effects: what may happen to one, and what that opens for others."""

from dataclasses import replace
from typing import Any

from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx
from diaodu.planning import commands, queries
from diaodu.planning.model import EFFECT_TABLE, LANDED, TAKE_BACK, Effect, EffectEvent, Op, State, Step


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
    keys = frozenset((1, k, None) for k in after)
    return Step(Op.DO, 1, kind, "1", "W1", "olt:1", 3, None, {}, None, None, keys, "new")


def land(tx: Tx, made: Effect, state: State, **values: Any) -> list[Effect]:
    return commands.land(tx, [commands.Landing(made, state, **values)])


def test_every_pair_of_states_lands_or_stays(tx: Tx) -> None:
    order_id = order(tx)
    pairs = [(effect(tx, order_id, state=before), said) for before in State for said in State]
    commands.add(tx, [e for e, _ in pairs])

    changed = commands.land(tx, [commands.Landing(e, said) for e, said in pairs])

    after = {e.id: EFFECT_TABLE.moves[e.state].get(LANDED[said], e.state) for e, said in pairs}
    assert dict(tx.rows("select id, state from planning.effect")) == after
    moved = [e for e, said in pairs if LANDED[said] in EFFECT_TABLE.moves[e.state]]
    assert [e.id for e in changed] == [e.id for e in moved]
    told = [e for e in tx.journal.entries[order_id] if e["t"] == "effect.state"]
    assert [(e["id"], e["from"], e["to"]) for e in told] == [(e.id, e.state, after[e.id]) for e in moved]
    assert [e["to"] for e in told if e.get("late")] == ["confirmed"]


def test_the_table_of_effects_answers_every_pair() -> None:
    answers = {
        (s, e): EFFECT_TABLE.moves[s].get(e) or ("ignored" if (s, e) in EFFECT_TABLE.ignored else "refused")
        for s in State
        for e in EffectEvent
    }
    assert sorted((s, e) for (s, e), to in answers.items() if to == "refused") == [
        ("confirmed", "withdraw"), ("failed", "undo"), ("intent", "undo"), ("sent", "undo"), ("sent", "withdraw"),
        ("undone", "withdraw"), ("unknown", "undo"), ("unknown", "withdraw"), ("withdrawn", "undo"),
    ]  # fmt: skip
    assert EFFECT_TABLE.final == {State.UNDONE}
    assert answers[State.WITHDRAWN, EffectEvent.CONFIRM] is State.CONFIRMED


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
    made = commands.add_steps(tx, order_id=order_id, revision=2, steps=[replace(step("b"), needs=frozenset({sent.id}))])
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


def test_what_was_never_begun_is_withdrawn_and_what_a_sender_took_is_not(tx: Tx) -> None:
    order_id = order(tx)
    made = [effect(tx, order_id, state=s) for s in (State.INTENT, State.FAILED, State.INTENT)]
    commands.add(tx, made)
    tx.run("update planning.effect set state = 'sent' where id = %s", (made[2].id,))

    withdrawn, too_late = commands.withdraw(tx, made)

    assert [(e.id, e.state) for e in withdrawn] == [(e.id, "withdrawn") for e in made[:2]]
    assert [(e.id, e.state) for e in too_late] == [(made[2].id, "sent")]
    rows = tx.rows("select id, state, ended_at from planning.effect order by id")
    assert rows == [(made[0].id, "withdrawn", tx.now), (made[1].id, "withdrawn", tx.now), (made[2].id, "sent", None)]
    assert queries.ledger(tx, [order_id])[order_id] == [*withdrawn, *too_late]
    told = [(e["id"], e["from"]) for e in tx.journal.entries[order_id] if e["t"] == "effect.state"]
    assert told == [(made[0].id, "intent"), (made[1].id, "failed")]


def test_an_intent_waits_for_other_things_unless_it_was_sent(tx: Tx) -> None:
    order_id = order(tx)
    done, later, moved, taken = (
        effect(tx, order_id, state=State(s)) for s in ("confirmed", "intent", "intent", "intent")
    )
    commands.add(tx, [done, later, moved, taken])
    tx.run("update planning.effect set state = 'sent' where id = %s", (taken.id,))

    too_late = commands.wait_for(tx, [(moved, [later.id, done.id]), (taken, [later.id])])

    assert [e.id for e in too_late] == [taken.id]
    rows = tx.rows("select id, state, ready, needs from planning.effect where id = any(%s)", ([moved.id, taken.id],))
    assert sorted(rows) == [
        (moved.id, "intent", False, [done.id, later.id]), (taken.id, "sent", True, []),
    ]  # fmt: skip
    land(tx, later, State.CONFIRMED)
    assert _ready(tx, moved) is True


def test_what_is_on_hold_is_not_ready_until_it_goes_on(tx: Tx) -> None:
    order_id = order(tx)
    first, other, sent, asked = (
        effect(tx, order_id), effect(tx, order_id, item_key="2"), effect(tx, order_id, state=State.SENT),
        effect(tx, order_id, element="area:1"),
    )  # fmt: skip
    then = effect(tx, order_id, ready=False, needs=(first.id,))
    commands.add(tx, [first, other, sent, asked, then])

    commands.hold(tx, order_id, ["1"])

    held = tx.rows("select id, ready from planning.effect where held order by id")
    assert held == [(first.id, False), (sent.id, False), (then.id, False)]
    land(tx, queries.ledger(tx, [order_id])[order_id][0], State.CONFIRMED)
    returned = next(e for e in queries.ledger(tx, [order_id])[order_id] if e.id == sent.id)
    land(tx, returned, State.INTENT)
    assert [_ready(tx, e) for e in (sent, then)] == [False, False]
    new = commands.add_steps(tx, order_id=order_id, revision=1, steps=[step("a")], held_items=["1"])
    assert [(e.held, e.ready) for e in new] == [(True, False)]

    commands.go_on(tx, order_id, [""])

    assert tx.rows("select count(*) from planning.effect where held") == [(0,)]
    assert [_ready(tx, e) for e in (sent, then)] == [True, True]
    told = [e["t"] for e in tx.journal.entries[order_id] if e["t"] in ("effect.held", "effect.released")]
    assert told == ["effect.held"] * 3 + ["effect.released"] * 3


def test_wishes_that_an_area_has_forgotten_are_withdrawn_and_what_it_gave_is_gone(tx: Tx) -> None:
    order_id = order(tx)
    wishes = [
        effect(tx, order_id, state=State(s), element="area:1") for s in ("intent", "sent", "confirmed", "confirmed")
    ]
    forget = effect(tx, order_id, kind=TAKE_BACK, params={"request": 1, "wishes": [w.id for w in wishes[:3]]})
    commands.add(tx, [*wishes, forget])

    changed = land(tx, forget, State.CONFIRMED)

    assert [(e.id, e.state) for e in changed[1:]] == [
        (wishes[0].id, "withdrawn"), (wishes[1].id, "withdrawn"), (wishes[2].id, "undone"),
    ]  # fmt: skip
    stored = dict(tx.rows("select id, state from planning.effect"))
    assert [stored[w.id] for w in wishes] == ["withdrawn", "withdrawn", "undone", "confirmed"]


def test_what_another_worker_changed_is_seen(db: Database) -> None:
    with db.transaction() as tx:
        order_id = order(tx)
        made = effect(tx, order_id)
        commands.add(tx, [made])
    with db.transaction() as tx:
        changed = "held = true, ready = false, needs = '{5}'"
        tx.run(f"update planning.effect set {changed} where part = 0 and order_id = %s", (order_id,))
    with db.transaction() as tx:
        known = queries.ledger(tx, [order_id])[order_id][0]
    assert (known.held, known.ready, known.needs) == (True, False, (5,))


def _ready(tx: Tx, e: Effect) -> bool:
    return bool(tx.rows("select ready from planning.effect where id = %s", (e.id,))[0][0])
