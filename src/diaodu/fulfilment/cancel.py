"""撤单: items are taken back by an accepted revision that wants them no more; the plan undoes what was done.

Everything is decided under the order's lock, so that a cancellation and the last completion never both win. Past a
soft point of no return the customer is asked first; past a hard one the item stays and a 拆机 order is offered.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from diaodu.catalog.model import Policy, Tree
from diaodu.engine import commands as engine
from diaodu.engine.ports import Cancel, Inbound, Nudge, Signal
from diaodu.fulfilment.cancelled import closing_effect
from diaodu.fulfilment.decompose import tree_of
from diaodu.fulfilment.errors import NothingAwaited
from diaodu.fulfilment.orders import OrderFacts, load_orders, load_revisions, record_decisions
from diaodu.fulfilment.replan import replan
from diaodu.fulfilment.standing import is_closing, settle_items
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_of
from diaodu.ordering import cancel as tasks
from diaodu.ordering import commands as ordering
from diaodu.ordering import queries as revisions
from diaodu.ordering.cancel import CANCEL_TABLE, CancelEvent, CancelTask, Consent, Judged, Verdict, Why
from diaodu.ordering.model import ItemState, Line, Revision
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, Op, State

# How long the customer may think about the fee; silence is a no.
CONSENT = timedelta(days=3)
FEE = "fee.cancellation"


class Cancellations:
    """Takes the inbound jobs ``order.cancel``; body: ``task``, and ``expired`` when the customer's time is over."""

    def run(self, tx: Tx, jobs: Sequence[Inbound]) -> Sequence[Signal]:
        """Decide each request, in the order in which they came."""
        for job in jobs:
            task = tasks.task_of(tx, int(job.body["task"]))
            if task.state is not tasks.CancelState.ACKNOWLEDGED:
                continue
            if job.body.get("expired"):
                answer(tx, task.id, agreed=False, by="expired")
            elif task.consent is None:
                _decide(tx, task)
        return ()


@dataclass(frozen=True)
class Cut:
    """What an order would be without the items that are taken back."""

    order: OrderFacts  # in the revision that says so
    judged: tuple[Judged, ...]

    @property
    def fee(self) -> int:
        """In 分."""
        return sum(j.fee for j in self.judged)


def cut(tx: Tx, order_id: int, chosen: Collection[str]) -> Cut:
    """Judge a cancellation of a locked order, and find what would be left of it; nothing is written."""
    order = load_orders(tx, [order_id])[order_id]
    base = load_revisions(tx, {order_id: order.intake})[order_id] if order.intake is not None else order
    together = [key for key in base.groups() if base.release.offerings[base.lines()[key].offering].cancel_together]
    known = effects.ledger(tx, [order_id])[order_id]
    closing = [i.key for i in order.items] if order.accepted and is_closing(known, order.release) else _switched(known)
    judged = tasks.judge(order.items, chosen, together, closing=closing)
    gone = {j.key for j in judged.values() if j.verdict in (Verdict.CANCEL, Verdict.CONSENT)}
    whole = not any(line.wanted and line.key not in gone for line in base.revision.lines)
    if order.accepted and base is not order and not whole:
        # What is left of an amendment that nobody has decided yet cannot be said.
        stay = {k: replace(j, verdict=Verdict.DENIED, why=Why.IN_INTAKE) for k, j in judged.items() if k in gone}
        return Cut(order, tuple((judged | stay).values()))
    lines = tuple(replace(line, wanted=line.wanted and line.key not in gone) for line in base.revision.lines)
    fees = {k: replace(j, fee=_fee(base, lines, j)) for k, j in judged.items()}
    state = "accepted" if order.accepted or whole else "intake"
    tree = _tree(tx, base, lines) if state == "accepted" else None
    n = max(revisions.states_of_revisions(tx, [order_id])[order_id]) + 1
    r = base.revision
    cut_down = Revision(order_id, n, state, r.release_id, r.customer, r.ordered_at, lines, tree)
    after = replace(base, revision=cut_down, intake=None, accepted=n if state == "accepted" else 0)
    return Cut(after, tuple(fees.values()))


def _switched(known: Sequence[Effect]) -> list[str]:
    """The items whose installed product has lost what it stood on: there is no way back to what it was."""
    begun = (State.SENT, State.UNKNOWN, State.CONFIRMED)
    inherited = {e.id for e in known if e.op is Op.INHERITED}
    return [e.item_key for e in known if e.item_key and e.of_id in inherited and e.op is Op.UNDO and e.state in begun]


def _fee(order: OrderFacts, lines: Sequence[Line], judged: Judged) -> int:
    line = next((line for line in lines if line.key == judged.key), None)
    if line is None or judged.verdict is not Verdict.CONSENT:
        return 0
    return int(order.decide(Policy.CANCELLATION_FEE, line))


def _tree(tx: Tx, base: OrderFacts, lines: tuple[Line, ...]) -> Tree:
    """The tree of what is left: where a part of a group goes, the rest of it is broken down anew, its things kept."""
    left = replace(base, revision=replace(base.revision, lines=lines))
    return tree_of(left, lambda: tx.new_id(part_of(base.id)), [base.revision])


def _decide(tx: Tx, task: CancelTask) -> None:
    found = cut(tx, task.order_id, task.chosen)
    judged = replace(task, judged=found.judged)
    if not judged.taken_back:
        _end(tx, task, judged)
    elif any(j.verdict is Verdict.CONSENT for j in found.judged):
        _ask(tx, task, replace(judged, consent=Consent(found.fee, tx.now + CONSENT)))
    else:
        _take_back(tx, task, judged, found)


def _ask(tx: Tx, before: CancelTask, task: CancelTask) -> None:
    """The customer is asked; meanwhile the work goes on, and its points of no return are looked at again."""
    assert task.consent is not None
    tasks.change_task(tx, before, task, fee=task.consent.amount, until=task.consent.until.isoformat())
    items = revisions.items(tx, [task.order_id])[task.order_id]
    ordering.move_items(
        tx, [ordering.Move(i, ItemState.ASSESSING, "consent") for i in items if i.key in task.taken_back]
    )
    body = {"task": task.id, "expired": True}
    job = engine.Enqueue(task.order_id, "order.cancel", body, f"consent:{task.id}", due_at=task.consent.until)
    engine.enqueue(tx, [job])
    tasks.tell(tx, task, "CancelProductOrderInformationRequiredEvent")


def answer(tx: Tx, task_id: int, *, agreed: bool, by: str) -> CancelTask:
    """What the customer said of the fee; the same again changes nothing. NothingAwaited, NotFound."""
    journal.lock(tx, [tasks.task_of(tx, task_id).order_id])
    task = tasks.task_of(tx, task_id)
    if task.consent is not None and task.consent.agreed is agreed:
        return task
    if task.consent is None or task.state is not tasks.CancelState.ACKNOWLEDGED:
        raise NothingAwaited(id=task_id)
    said = replace(task, consent=replace(task.consent, agreed=agreed, by=by))
    order = load_orders(tx, [task.order_id])[task.order_id]
    asked = {i.id for i in order.items if i.state is ItemState.ASSESSING and i.key in task.taken_back}
    if not agreed:
        _end(tx, task, said, by=by)
    else:
        found = cut(tx, task.order_id, task.chosen)  # facts may have landed since
        again = replace(said, judged=found.judged)
        if again.taken_back:
            _take_back(tx, task, again, found)
        else:
            _end(tx, task, again, by=by)
    settle_items(tx, [order], assessed=asked)
    return tasks.task_of(tx, task_id)


def _end(tx: Tx, before: CancelTask, task: CancelTask, **more: object) -> None:
    """Nothing is cancelled: the order is what it was."""
    state = CANCEL_TABLE.take(task.state, CancelEvent.DENY, entity="cancelProductOrder", key=task.id)
    tasks.change_task(tx, before, replace(task, state=state, ended_at=tx.now), **more)
    tasks.tell(tx, task, "CancelProductOrderStateChangeEvent")


def _take_back(tx: Tx, before: CancelTask, task: CancelTask, found: Cut) -> None:
    """Enter the revision that wants the items no more, and have what was done for them undone."""
    order, r = found.order, found.order.revision
    state = CANCEL_TABLE.take(task.state, CancelEvent.BEGIN, entity="cancelProductOrder", key=task.id)
    tasks.change_task(tx, before, replace(task, state=state, revision=r.n), revision=r.n)
    items = revisions.items(tx, [task.order_id])[task.order_id]
    # Assessed and found possible: others see both, as TM Forum's life cycle has it.
    ordering.move_items(tx, [ordering.Move(i, ItemState.ASSESSING) for i in items if i.key in task.taken_back])
    ordering.move_items(
        tx,
        [
            ordering.Move(i, ItemState.CANCELLING)
            for i in revisions.items(tx, [task.order_id])[task.order_id]
            if i.key in task.taken_back
        ],
    )
    signals = _enter(tx, task, r)
    if r.state == "accepted":
        replan(tx, [order])
        if task.consent is not None and found.fee:
            ledger.add(tx, [_bill(tx, order, task, found)])
        signals.append(Nudge(order.id))
    settle_items(tx, [order])
    record_decisions(tx, [order])
    engine.signal(tx, signals)
    tasks.tell(tx, task, "CancelProductOrderStateChangeEvent")


def _enter(tx: Tx, task: CancelTask, r: Revision) -> list[Signal]:
    """Write the revision down in the place of the one in intake; it is decided already, or its intake begins."""
    signals: list[Signal] = []
    states = revisions.states_of_revisions(tx, [r.order_id])[r.order_id]
    if (standing := revisions.intake_of(states)) is not None:
        replaced = load_revisions(tx, {r.order_id: standing})[r.order_id]
        ordering.decide_revisions(tx, [(replaced.revision, "replaced")])
        if r.state == "accepted":  # else the new intake takes the place of the old one
            signals.append(Cancel(r.order_id, replaced.release.processes["intake"], reason="cancelled"))
    entered = replace(r, state="intake")
    ordering.add_revisions(tx, [ordering.NewRevision(entered, task.made_by, b"", base=max(states))])
    entry = {"t": "revision.entered", "n": r.n, "by": task.made_by, "removed": sorted(task.taken_back)}
    journal.record(tx, r.order_id, entry | {"cancel": task.id})
    if r.state == "accepted":
        ordering.decide_revisions(tx, [(entered, "accepted")])
    else:
        body = {"revision": r.n}
        engine.enqueue(tx, [engine.Enqueue(r.order_id, "order.acknowledged", body, f"revision:{r.n}")])
    return signals


def _bill(tx: Tx, order: OrderFacts, task: CancelTask, found: Cut) -> Effect:
    first = order.lines()[next(j.key for j in found.judged if j.fee)]
    params = {
        "subject": f"{order.id}.{task.id}",
        "offering": first.offering,
        "account": order.revision.customer["account"],
        "effective_date": tx.now.date().isoformat(),
        "amount": found.fee,
        "items": {j.key: j.fee for j in found.judged if j.fee},
    }
    return closing_effect(tx, order, FEE, first, params)
