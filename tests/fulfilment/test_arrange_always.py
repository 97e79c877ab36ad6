"""Whatever the ledger and the desks: nothing is carried twice, nothing is begun early, nothing that can be is lost."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.catalog.example import release

from diaodu.fulfilment.arrange import Arrangement, Standing, arrange, lines_of
from diaodu.planning.model import Effect, Op, State
from diaodu.workforce.model import WorkOrder
from diaodu.workforce.queries import Desk

ORDER, MOST = 100, 7
KINDS = (("line.splice", "W3"), ("install.onu", "W4"), ("install.stb", "W4"))
SETTLED = (State.CONFIRMED, State.UNDONE)
_STATES = st.sampled_from((State.INTENT, State.INTENT, State.INTENT, *State))


@st.composite
def ledgers(draw: st.DrawFn) -> dict[int, Effect]:
    """Effects that need only earlier ones; none is settled before what it needs."""
    found: dict[int, Effect] = {}
    for i in range(1, draw(st.integers(1, MOST)) + 1):
        needs = tuple(sorted(draw(st.sets(st.sampled_from(range(1, i)), max_size=2)))) if i > 1 else ()
        kind, work = draw(st.sampled_from(KINDS))
        state = draw(_STATES) if all(found[n].state in SETTLED for n in needs) else State.INTENT
        more: dict[str, Any] = {"thing_id": i, "of_id": None, "ready": False, "reads_hash": None, "params": {}}
        found[i] = Effect(
            id=i, order_id=ORDER, revision=1, kind=kind, item_key=draw(st.sampled_from(("1.1", "1.2", "2"))), op=Op.DO,
            state=state, needs=needs, work=work, element=None, priority=5, undo=None, held=draw(st.booleans()), **more,
        )  # fmt: skip
    return found


def standing(effects: dict[int, Effect]) -> Standing:
    return Standing(release(), effects, {"1.1": "1", "1.2": "1", "2": "2"})


def carried_out(desks: list[Desk], a: Arrangement) -> list[Desk]:
    """The desks after an arrangement, as the driver of the stage makes it true."""
    after = []
    for d in desks:
        w = a.rewritten.get(d.work_order.id, d.work_order)
        if w.id not in a.withdrawn:
            resumed = ("claimed" if d.assignee else "offered") if w.id in a.resumed else d.state
            after.append(replace(d, work_order=w, state="suspended" if w.id in a.suspended else resumed))
    first = max((d.work_order.id for d in desks), default=1000) + 1
    new = [WorkOrder(first + n, ORDER, es[0].work, lines_of(es), 1, {}) for n, es in enumerate(a.offered)]
    return [*after, *(Desk(w, "offered", None) for w in new)]


def check(effects: dict[int, Effect], desks: list[Desk]) -> None:
    on_desks = [line.effect for d in desks for line in d.work_order.carried]
    assert len(on_desks) == len(set(on_desks))
    assert all(d.work_order.carried for d in desks)
    for i in on_desks:
        assert effects[i].state is State.INTENT
        assert all(effects[n].state in SETTLED for n in effects[i].needs)
    # and once more is nothing more
    again = arrange(standing(effects), desks)
    assert (again.rewritten, again.withdrawn, again.offered, again.resumed) == ({}, {}, [], set())
    can = {
        e.id
        for e in effects.values()
        if e.state is State.INTENT and not e.held and all(effects[n].state in SETTLED for n in e.needs)
    }
    assert not can or set(on_desks) & can or any(_waits_for_more(effects, effects[i]) for i in can)


def _waits_for_more(effects: dict[int, Effect], e: Effect) -> bool:
    """Something under way, not of people, still brings more of the same work."""
    return any(o.state in (State.SENT, State.UNKNOWN) for o in effects.values() if o.id != e.id)


@settings(max_examples=300, deadline=None)
@given(ledgers(), st.data())
def test_desks_follow_the_ledger(effects: dict[int, Effect], data: st.DataObject) -> None:
    desks: list[Desk] = []
    for _ in range(4):
        desks = carried_out(desks, arrange(standing(effects), desks))
        check(effects, desks)
        if desks:
            n = data.draw(st.integers(0, len(desks) - 1))
            if desks[n].state == "offered":
                desks[n] = replace(desks[n], state="claimed", assignee=7)
        changed = data.draw(st.sampled_from(sorted(effects)))
        effects = effects | {changed: _moved(effects, effects[changed], data)}


def _moved(effects: dict[int, Effect], e: Effect, data: st.DataObject) -> Effect:
    """What may happen to an effect: it goes on hold or on, lands when its turn has come, or is withdrawn."""
    if data.draw(st.booleans()) or e.state is not State.INTENT:
        return replace(e, held=not e.held)
    if all(effects[n].state in SETTLED for n in e.needs):
        return replace(e, state=data.draw(st.sampled_from((State.CONFIRMED, State.FAILED, State.WITHDRAWN))))
    return replace(e, state=State.WITHDRAWN)
