"""What technicians, dispatchers and construction do: claim, report, send back, answer, repair, build."""

from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

from diaodu.app.proof_change.world import World, one_of
from diaodu.app.small_operator import CITY_AREA, RURAL_AREA, ports
from diaodu.app.technicians import report_of
from diaodu.catalog import queries as catalog
from diaodu.fulfilment import fallout_commands as fallout
from diaodu.fulfilment import returns
from diaodu.fulfilment.fallout_model import Evidence
from diaodu.inventory import commands as inventory
from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.organization import queries as organization
from diaodu.workforce import commands as workforce
from diaodu.workforce import queries as work_orders
from diaodu.workforce.model import ANSWERS, DECISIONS, EffectOutcome, WorkReport

DISPATCHER = Principal(3, "dispatcher")
_OFFERED = "select id, pool from engine.human_task where state = 0 order by id"
_CLAIMED = "select id, assignee from engine.human_task where state in (1, 2) and assignee is not null order by id"
_FAILED = "select id from fulfilment.fallout where state in ('open', 'claimed', 'waiting') order by id"
_numbers = count(1)


def claim(world: World, rng: Random) -> None:
    """Somebody takes work from the worklist."""
    if (found := one_of(rng, world.rows(_OFFERED))) is None:
        return
    task, pool = found
    with world.db.transaction(actor="technician") as tx:
        person = rng.choice(organization.people_of(tx, pool)).id
        workforce.claim_many(tx, list(work_orders.work_orders(tx, [task]).values()), person)


def report(world: World, rng: Random) -> None:
    """Somebody reports what is on the desk: done, or that some of it cannot be done."""
    if (found := one_of(rng, world.rows(_CLAIMED))) is not None:
        with world.db.transaction(actor="technician") as tx:
            workforce.report_many(tx, [_report(tx, found[0], rng, failing=0.2)], found[1])


def write_down(world: World, rng: Random) -> None:
    """A report is made where there is no network."""
    if (found := one_of(rng, world.rows(_CLAIMED))) is not None:
        with world.db.transaction(actor="technician") as tx:
            made = _report(tx, found[0], rng, failing=0.1)
        if made.outcomes:
            world.pocket.append((made, found[1]))


def hand_in(world: World, rng: Random) -> None:
    """The phone is back in the network; now and then it sends a report twice."""
    if world.pocket:
        made, person = rng.choice(world.pocket)
        if rng.random() < 0.7:
            world.pocket.remove((made, person))
        with world.db.transaction(actor="technician") as tx:
            workforce.report_many(tx, [made], person)


def _report(tx: Tx, task: int, rng: Random, *, failing: float) -> WorkReport:
    made = report_of(tx, work_orders.work_orders(tx, [task])[task])
    outcomes = tuple(
        EffectOutcome(o.effect_id, ok=False, reason="cannot") if rng.random() < failing else o for o in made.outcomes
    )
    return WorkReport(task, f"report-{next(_numbers)}", outcomes)


def send_back(world: World, rng: Random) -> None:
    """退单 with one of the reasons that fit the work."""
    if (found := one_of(rng, world.rows(_CLAIMED))) is None:
        return
    task, person = found
    with world.db.transaction(actor="technician") as tx:
        work = work_orders.work_orders(tx, [task])[task]
        fitting = [r.id for r in catalog.get_release(tx, work.release_id).returns.values() if work.kind in r.work]
        said = returns.Return(rng.choice(fitting), "note", ("photo",))
        returns.return_work(tx, task, said, Principal(4, "technician", person_id=person))


def clear(world: World, rng: Random) -> None:
    """The counter has cleared what was returned to it."""
    if (order_id := one_of(rng, world.orders())) is not None:
        with world.db.transaction(actor="counter") as tx:
            returns.clear(tx, order_id, by="counter")


def answer_recall(world: World, rng: Random) -> None:
    """The technician says how far the work is, or the dispatcher decides."""
    asked = world.rows("select task_id from workforce.recall where ended_at is null order by id")
    if (found := one_of(rng, asked)) is None:
        return
    task = found[0]
    holder = world.rows("select assignee from engine.human_task where id = %s", task)[0][0]
    with world.db.transaction(actor="technician") as tx:
        if rng.random() < 0.6:
            workforce.recalls.answer(tx, task, rng.choice(ANSWERS), Principal(4, "technician", person_id=holder))
        else:
            said = rng.choice(DECISIONS)
            workforce.recalls.decide(tx, task, said, DISPATCHER, minutes=30, note="decided")


def repair(world: World, rng: Random) -> None:
    """A dispatcher has what failed done again, now or later, or says that it was done by hand."""
    if (found := one_of(rng, world.rows(_FAILED))) is None:
        return
    record, how = found[0], rng.random()
    with world.db.transaction(actor="dispatcher") as tx:
        if how < 0.6:
            fallout.retry(tx, record, "dispatcher")
        elif how < 0.8:
            fallout.wait(tx, record, "dispatcher", tx.now + timedelta(hours=1), "later")
        else:
            fallout.done_by_hand(tx, record, "dispatcher", Evidence("seen"), {})


def build(world: World, rng: Random) -> None:
    """Construction adds a port."""
    area, box = rng.choice(((CITY_AREA, 10), (RURAL_AREA, 80)))
    with world.db.transaction(actor="construction") as tx:
        rows: list[tuple[Any, ...]] = tx.rows("select count(*) from inventory.resource where spec = 'box_port'"
                                              " and area = %s", (area,))  # fmt: skip
        if rows[0][0] < 8:
            inventory.add_resources(tx, area, ports(box, int(rows[0][0]) + 1))
