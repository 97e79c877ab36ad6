"""What a step of each sort is made of."""

from collections.abc import Mapping, Sequence
from typing import Any

from diaodu.planning.model import AREA, RELEASE, TAKE_BACK, Effect, Op, SharedThings, Step, Wanted


def done(w: Wanted, before: Effect | None, reason: str) -> Step:
    """The doing of what is wanted; ``before`` is the fact whose place it takes."""
    return Step(
        op=Op.REDO if before else Op.DO,
        thing_id=w.thing_id,
        kind=w.kind,
        item_key=w.item_key,
        work=w.work,
        element=w.element,
        priority=w.priority,
        reads_hash=w.reads_hash,
        params=w.params,
        undo=w.undo,
        of_id=before.id if before else None,
        after=frozenset(),
        reason=reason,
    )


def undone(f: Effect, reason: str) -> Step:
    """The taking back of a fact."""
    assert f.undo is not None
    return Step(
        op=Op.UNDO,
        thing_id=f.thing_id,
        kind=f.undo["kind"],
        item_key=f.item_key,
        work=f.undo["work"],
        element=f.element,
        priority=f.priority,
        reads_hash=None,
        params={**f.params, **_about(f)},
        undo=None,
        of_id=f.id,
        after=frozenset(),
        reason=reason,
    )


def _about(f: Effect) -> dict[str, Any]:
    """What an undo must know of the fact: the key it was done under, its kind, and the resources that it holds."""
    about: dict[str, Any] = {"of": f.params.get("key", str(f.id)), "of_kind": f.kind}
    if f.result and "resources" in f.result:
        about["resources"] = [r["id"] for r in f.result["resources"]]
    return about


def released(thing: int, removed: Sequence[Effect], shared: SharedThings) -> Step:
    """The question to the inventory whether the users that leave were the last ones."""
    area = next((f.element for f in removed if (f.element or "").startswith(AREA)), None)
    return _question(
        RELEASE,
        removed[0],
        thing=thing,
        work="release",
        element=area,
        params={"thing": thing, "products": sorted(shared.users[thing])},
        reason="last user?",
    )


def taken_back(request: Sequence[Effect]) -> Step:
    """Have an area forget what it was asked for; what it has given meanwhile, it takes back."""
    first = min(request, key=lambda e: e.id)
    return _question(
        TAKE_BACK,
        first,
        thing=first.thing_id,
        work="withdraw",
        element=first.element,
        params={"request": first.id, "wishes": sorted(e.id for e in request)},
        reason="withdrawn wish",
    )


def _question(
    kind: str, about: Effect, *, thing: int, work: str, element: str | None, params: Mapping[str, Any], reason: str
) -> Step:
    return Step(
        op=Op.DO,
        thing_id=thing,
        kind=kind,
        item_key=about.item_key,
        work=work,
        element=element,
        priority=about.priority,
        reads_hash=None,
        params=params,
        undo=None,
        of_id=None,
        after=frozenset(),
        reason=reason,
    )
