"""The installation is claimed on a phone that goes offline; IPTV is dropped, all is cancelled, the dispatcher decides,
the phone reports, and a worker dies between each pair of events. In every order of these events nothing is lost.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from tests.flows.cancelling import agree_to_all, ask
from tests.flows.operator import House, add

from diaodu.app.invariants import check_all
from diaodu.app.wiring import handlers
from diaodu.engine.queries import TASK_STATES
from diaodu.engine.worker import Worker
from diaodu.fulfilment.story import fold
from diaodu.kernel import journal
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import Rejected
from diaodu.ordering.model import ItemDraft
from diaodu.ordering.revise import revise
from diaodu.planning.model import State
from diaodu.workforce.commands import recalls
from diaodu.workforce.model import RecallEvent, WorkOrder

DISPATCHER = Principal(1, "dispatcher")


class Death(BaseException):
    """The worker is gone."""


class Dying:
    """A database whose first transaction that writes history dies before its commit."""

    def __init__(self, db: Database) -> None:
        self._db, self.died = db, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    @contextmanager
    def transaction(self, **given: Any) -> Iterator[Tx]:
        with self._db.transaction(**given) as tx:
            yield tx
            if tx.journal.entries:
                self.died = True
                raise Death


def die(house: House) -> bool:
    """A worker takes the work and dies in it; another one takes over what it left unclean. Whether there was any."""
    with house.db.transaction() as tx:
        tx.run("update kernel.lease set owner = null, clean = true where starts_with(name, 'engine:')")
    db = Dying(house.db)
    with suppress(Death):
        Worker(db, handlers(), "dying").run_until_idle()  # type: ignore[arg-type]  # it is one, but for its last breath
    with house.db.transaction() as tx:
        # All leases of the dead one have run out, its own name among them: it is no more counted when work is shared.
        tx.run("update kernel.lease set until = %s", (tx.now - timedelta(hours=1),))
    house.worker = Worker(house.db, handlers(), "heir")
    return db.died


def decide(house: House, work: WorkOrder) -> None:
    """The technician did not answer in time; if anything was asked, the dispatcher takes the work back."""
    with house.db.transaction() as tx:
        tx.run("update workforce.recall set due_at = %s where ended_at is null", (tx.now,))
    with suppress(Rejected), house.db.transaction(actor="dispatcher") as tx:
        recalls.decide(tx, work.id, RecallEvent.WITHDRAW, DISPATCHER, minutes=5, note="offline")


def drop(house: House, order_id: int) -> None:
    """The customer does without IPTV; past the point of no return of the visit the clerk is refused."""
    parts = (ItemDraft("1.1", "add", "P1-BB"), ItemDraft("1.3", "add", "P1-TEL"))
    with suppress(Rejected), house.db.transaction(actor="clerk") as tx:
        journal.lock(tx, [order_id])
        revise(tx, order_id, (replace(add("P1", 601), children=parts),), made_by="clerk")


EVENTS: Mapping[str, Callable[[House, int, WorkOrder], object]] = {
    "drop": lambda house, order_id, _: drop(house, order_id),
    "cancel": lambda house, order_id, _: ask(house, order_id),
    "decide": lambda house, _, work: decide(house, work),
    "report": lambda house, _, work: house.report(work, "from the phone"),
}


@pytest.mark.parametrize("order", list(permutations(EVENTS)), ids="-".join)
def test_whatever_comes_first_nothing_is_lost_and_nothing_is_held(house: House, order: tuple[str, ...]) -> None:
    order_id = house.order("C601", add("P1", 601))
    house.run(technicians=False)
    house.report(house.claim("W3", order_id), "W3")
    house.run(technicians=False)
    phone = house.claim("W4", order_id)

    deaths = 0
    for event in order:
        EVENTS[event](house, order_id, phone)
        deaths += die(house)
        house.run(technicians=False)
        agree_to_all(house, order_id)
    house.run()

    assert deaths >= 2  # the others had nothing left to do
    assert house.items(order_id) == dict.fromkeys(("1", "1.1", "1.2", "1.3"), ("cancelled", None))
    assert house.resources(1) == house.resources(2) == []
    # what the phone reported is a fact whenever it came, and was taken back
    states = {e.kind: e.state for e in house.effects(order_id) if e.kind in ("install.onu", "install.stb")}
    assert states == {"install.onu": State.UNDONE, "install.stb": State.UNDONE}
    assert house.q("select 1 from engine.incident where resolved_at is null") == []
    assert house.q("select 1 from engine.human_task where state < 3") == []
    # and the history tells the same of whoever was at it
    story = fold(e for row in house.history(order_id) for e in row["entries"])
    tasks = house.q("select id, state from engine.human_task")
    assert story.states("task") == {i: TASK_STATES[state] for i, state in tasks}
    assert story.states("recall") == dict(house.q("select id, state from workforce.recall"))
    # the simulated systems serve all tests: what others wrote there is not this operator's
    found = [(c.name, v) for c in check_all(house.db) for v in c.violations if "there is no intent" not in v]
    assert found == []
