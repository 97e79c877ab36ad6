"""The end of an episode: everybody does what is theirs to do, until every order has come to its end."""

from datetime import timedelta
from random import Random

from diaodu.app.proof_change import staff
from diaodu.app.proof_change.world import CLERKS, World
from diaodu.app.technicians import report_of
from diaodu.fulfilment import cancel, hold, park, preaccept, returns
from diaodu.fulfilment import fallout_commands as fallout
from diaodu.kernel.errors import Rejected
from diaodu.ordering.holds import Cause
from diaodu.ordering.model import FINAL
from diaodu.ordering.tmf_cancel import CANCEL_PRODUCT_ORDER
from diaodu.workforce import commands as workforce
from diaodu.workforce import queries as work_orders
from diaodu.workforce.model import RecallEvent

ROUNDS = 24
_OPEN = """
select order_id, item_key, state, reason from ordering.order_item where state <> all(%s::text[]) order by order_id, id
"""
_UNSETTLED = """
select order_id, id, kind, op, state from planning.effect where state in ('intent', 'sent', 'unknown', 'failed')
 order by order_id, id
"""


def lead_to_the_end(world: World, rng: Random) -> list[str]:
    """Heal, answer, resume, report, repair, build; what is still open after that, nobody can end."""
    world.site.misbehave("*", {})
    world.crew.replace()
    for n in range(ROUNDS):
        for at in (_hand_in, _say, _resume, _unpark, _desks, _recalls, _repair):
            at(world)
        world.everybody()
        if not (left := _left(world)):
            return []
        world.site.pass_time(timedelta(hours=6))
        world.crew.replace()
        if n == ROUNDS // 3:  # what waits for resources gets some
            for _ in range(4):
                staff.build(world, rng)
        if n == ROUNDS // 2:  # what was sent back by the audit is given up
            _give_up(world)
    return left


def _left(world: World) -> list[str]:
    items = world.rows(_OPEN, [str(s) for s in FINAL])
    effects = world.rows(_UNSETTLED)
    return [f"end: order {o}: item {k} is {s} ({why})" for o, k, s, why in items] + [
        f"end: order {o}: effect {i} {kind} ({op}) is {s}" for o, i, kind, op, s in effects
    ]


def _hand_in(world: World) -> None:
    for made, person in world.pocket:
        with world.db.transaction(actor="technician") as tx:
            workforce.report_many(tx, [made], person)
    world.pocket.clear()


def _say(world: World) -> None:
    for (task,) in world.rows("select id from ordering.cancel_task where state = 'acknowledged' and fee is not null"):
        with world.db.transaction(actor="customer") as tx:
            cancel.answer(tx, task, agreed=True, by="customer")


def _resume(world: World) -> None:
    for order, cause in world.rows("select distinct order_id, cause from ordering.hold where ended_at is null"):
        try:
            with world.db.transaction(actor="counter") as tx:
                if cause in (Cause.CUSTOMER, Cause.SUSPENDED):
                    hold.resume(tx, order, Cause(cause))
                elif cause == Cause.RETURNED:
                    returns.clear(tx, order, by="counter")
                elif cause == Cause.PRE:
                    preaccept.accept(tx, order)
        except Rejected:
            pass


def _unpark(world: World) -> None:
    for order in world.orders():
        try:
            with world.db.transaction(actor="dispatcher") as tx:
                park.unpark(tx, order, by="dispatcher")
        except Rejected:
            pass


def _desks(world: World) -> None:
    for task, person in world.rows(
        "select id, assignee from engine.human_task where state = 1 and assignee is not null order by id"
    ):
        with world.db.transaction(actor="technician") as tx:
            work = work_orders.work_orders(tx, [task])[task]
            if work.carried:
                workforce.report_many(tx, [report_of(tx, work)], person)


def _recalls(world: World) -> None:
    for (task,) in world.rows("select task_id from workforce.recall where ended_at is null order by id"):
        try:
            with world.db.transaction(actor="dispatcher") as tx:
                said = RecallEvent.WITHDRAW
                workforce.recalls.decide(tx, task, said, staff.DISPATCHER, minutes=30, note="decided")
        except Rejected:
            pass


def _repair(world: World) -> None:
    for record, by in world.rows("select id, assignee from fulfilment.fallout where state in ('open', 'claimed')"):
        try:
            with world.db.transaction(actor="dispatcher") as tx:
                fallout.retry(tx, record, by or "dispatcher")
        except Rejected:
            pass


def _give_up(world: World) -> None:
    create = CANCEL_PRODUCT_ORDER.create
    assert create is not None
    clerk = CLERKS[0]
    for (order,) in world.rows("select distinct order_id from ordering.order_item where state in ('pending', 'held')"):
        with world.db.transaction(actor=clerk.name) as tx:
            task_id, task = create.identify(tx, clerk, {"productOrder": {"id": str(order)}}, None)
        with world.db.transaction(actor=clerk.name) as tx:
            create.capture(tx, clerk, task_id, task)
