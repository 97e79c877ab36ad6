"""追单: a new revision of an order that was submitted before; it carries all lines and has an intake of its own.

Until it is accepted the order goes on as it was. Who comes second is told who came first: nobody's change is lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.engine import commands as engine
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of
from diaodu.kernel.keys import content_hash
from diaodu.ordering import commands, errors, queries
from diaodu.ordering.model import FINAL, ItemDraft, ItemState, Line, OrderDraft, Revision, order_state

_S = ItemState
_COUNTS = ("intake", "accepted")
_GONE = FINAL | {_S.CANCELLING}
_FIXED = _GONE | {_S.CLOSING, _S.ASSESSING}


@dataclass(frozen=True)
class Revised:
    """The answer to an amendment: the number of its revision, and the state of that."""

    n: int
    state: str


@dataclass(frozen=True)
class Entry:
    """A revision in the list of all."""

    n: int
    state: str
    made_by: str
    base: int | None
    note: str | None
    created_at: datetime
    decided_at: datetime | None
    problems: Sequence[Mapping[str, Any]]
    digest: bytes = b""


@dataclass(frozen=True)
class _Sent:
    """An amendment as it came."""

    items: tuple[ItemDraft, ...]
    digest: bytes
    made_by: str
    base: int | None
    note: str | None


@dataclass(frozen=True)
class Difference:
    """The keys of the items in which one revision differs from another."""

    added: frozenset[str]
    changed: frozenset[str]
    removed: frozenset[str]
    described: frozenset[str]  # only in what nothing is planned from


def revise(
    tx: Tx,
    order_id: int,
    items: tuple[ItemDraft, ...],
    *,
    made_by: str,
    number: int | None = None,
    base: int | None = None,
    note: str | None = None,
) -> Revised:
    """Amend a locked order: ``items`` are all that it shall consist of.

    ``number`` is the sender's own count of revisions: one that is smaller than the newest is kept as ``stale`` and
    has no effect. ``base`` is the revision that its maker saw. The same content again has the same answer, and what
    differs in nothing makes no revision. RevisionTaken, OrderNotAmendable, ItemNotAmendable, ItemAmbiguous, and the
    refusals of a capture.
    """
    known = entries(tx, order_id)
    sent = _Sent(items, content_hash(items), made_by, base, note)
    if (answer := _answered(order_id, known, sent, number)) is not None:
        return answer
    if number is not None and number < known[-1].n:
        return _stale(tx, order_id, sent, number, known[-1].n)
    _check_base(order_id, known, sent)
    before = _before(tx, order_id)
    after = _checked(tx, order_id, sent, before, number or known[-1].n + 1)
    differs = difference(before.lines, after.lines)
    if after.lines == before.lines and before.state in _COUNTS and number is None:
        return Revised(before.n, before.state)
    _check_amendable(tx, order_id, differs)
    _enter(tx, before, after, sent, differs)
    return Revised(after.n, after.state)


def entries(tx: Tx, order_id: int) -> list[Entry]:
    """All revisions of an order, oldest first; NotFound."""
    rows = tx.rows(
        "select n, state, made_by, base, note, created_at, decided_at, problems, digest from ordering.revision"
        " where part = %s and order_id = %s order by n",
        (part_of(order_id), order_id),
    )
    if not rows:
        raise NotFound(entity="productOrder", id=order_id)
    return [Entry(*row) for row in rows]


def difference(before: Sequence[Line], after: Sequence[Line]) -> Difference:
    """In which items two revisions differ; pure."""
    old = {line.key: line for line in before}
    new = {line.key: line for line in after}
    both = [(old[key], line) for key, line in new.items() if key in old]
    return Difference(
        added=frozenset(new.keys() - old.keys()),
        changed=frozenset(
            a.key for b, a in both if a.wanted and (not b.wanted or (a != b and a != replace(b, extra=a.extra)))
        ),
        removed=frozenset(a.key for b, a in both if b.wanted and not a.wanted),
        described=frozenset(a.key for b, a in both if a != b and a == replace(b, extra=a.extra)),
    )


def _answered(order_id: int, known: Sequence[Entry], sent: _Sent, number: int | None) -> Revised | None:
    """The answer that was given before to the same content, or under the same number."""
    newest = known[-1]
    if number is None:
        same = newest.digest == sent.digest and newest.state in _COUNTS
        return Revised(newest.n, newest.state) if same else None
    taken = next((e for e in known if e.n == number), None)
    if taken is None:
        return None
    if taken.digest != sent.digest:
        raise _taken(order_id, taken)
    return Revised(taken.n, taken.state)


def _check_base(order_id: int, known: Sequence[Entry], sent: _Sent) -> None:
    """Who amends must have seen what is there; nobody's change is replaced unseen."""
    if sent.base is not None:
        if all(e.n != sent.base for e in known):
            raise NotFound(entity="revision", id=sent.base)
        since = [e for e in known if e.n > sent.base and e.state in _COUNTS]
    else:
        # What was captured is no change of anybody's.
        since = [e for e in known if e.n > 1 and e.state == "intake" and e.made_by != sent.made_by]
    if since:
        raise _taken(order_id, since[-1])


def _taken(order_id: int, winner: Entry) -> errors.RevisionTaken:
    at = winner.created_at.isoformat(timespec="seconds")
    return errors.RevisionTaken(id=order_id, n=winner.n, by=winner.made_by or "?", at=at, state=winner.state)


def _before(tx: Tx, order_id: int) -> Revision:
    """The revision that an amendment changes: the one in intake, else what the order shall become."""
    states = queries.states_of_revisions(tx, [order_id])[order_id]
    n = queries.intake_of(states) or queries.to_be_of(states)
    assert n is not None
    return queries.revisions(tx, [(order_id, n)])[order_id, n]


def _checked(tx: Tx, order_id: int, sent: _Sent, before: Revision, n: int) -> Revision:
    release = catalog.current_release(tx)
    draft = OrderDraft(None, "", str(before.customer["id"]), sent.items)
    customer, lines = commands.checked_lines(tx, [(order_id, draft)], release, before.lines)[0]
    kept = {line.key for line in lines}
    gone = [replace(line, wanted=False) for line in before.lines if line.key not in kept]
    return Revision(order_id, n, "intake", release.id, customer, before.ordered_at, (*lines, *gone))


def _check_amendable(tx: Tx, order_id: int, differs: Difference) -> None:
    items = {i.key: i for i in queries.items(tx, [order_id])[order_id]}
    states = [i.state for i in items.values()]
    # An order is closed as a whole: what is added now would not be built any more.
    if _S.CLOSING in states or all(state in _GONE for state in states):
        raise errors.OrderNotAmendable(id=order_id, state=order_state(states))
    for key in sorted(differs.changed | differs.removed):
        item = items[key]
        # Past a soft point the customer's consent and a fee come first: that is a cancellation.
        fixed = item.ponr == "hard" or (item.ponr == "soft" and key in differs.removed)
        if fixed or item.state in _FIXED:
            raise errors.ItemNotAmendable(item=key, state=item.state, ponr=item.ponr)


def _enter(tx: Tx, before: Revision, after: Revision, sent: _Sent, differs: Difference) -> None:
    """Write a revision down in the place of the one in intake, with the items that it adds; its intake begins."""
    order_id = after.order_id
    if before.state == "intake":
        commands.decide_revisions(tx, [(before, "replaced")])
    commands.add_revisions(tx, [commands.NewRevision(after, sent.made_by, sent.digest, sent.base, sent.note)])
    changes = {name: sorted(keys) for name, keys in vars(differs).items() if keys}
    journal.record(tx, order_id, {"t": "revision.entered", "n": after.n, **_origin(sent), **changes})
    commands.add_items(tx, [(order_id, line) for line in after.lines if line.key in differs.added])
    if before.state != "accepted":  # the first intake begins again
        items = queries.items(tx, [order_id])[order_id]
        waiting = [i for i in items if i.state is _S.PENDING and i.key not in differs.removed]
        commands.move_items(tx, [commands.Move(i, _S.ACKNOWLEDGED) for i in waiting])
        commands.tell(tx, order_id, "ProductOrderAttributeValueChangeEvent")
    engine.enqueue(tx, [engine.Enqueue(order_id, "order.acknowledged", {"revision": after.n}, f"revision:{after.n}")])


def _stale(tx: Tx, order_id: int, sent: _Sent, n: int, newest: int) -> Revised:
    """Keep what came after a newer one as it was sent; it changes nothing."""
    before = queries.to_be(tx, [order_id])[order_id]
    stale = Revision(order_id, n, "stale", before.release_id, before.customer, before.ordered_at, ())
    commands.add_revisions(tx, [commands.NewRevision(stale, sent.made_by, sent.digest, sent.base, sent.note)])
    items = [asdict(item) for item in sent.items]
    journal.record(tx, order_id, {"t": "revision.stale", "n": n, "newest": newest, **_origin(sent), "items": items})
    return Revised(n, "stale")


def _origin(sent: _Sent) -> dict[str, Any]:
    given = {"by": sent.made_by, "base": sent.base, "note": sent.note}
    return {name: value for name, value in given.items() if value is not None}
