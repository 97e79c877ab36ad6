"""What a revision wants to be true: the effects of every node of its tree; pure."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from diaodu.catalog.model import EffectKind, Node, Performer, Release, Tree, plain
from diaodu.fulfilment.orders import OrderFacts, line_names
from diaodu.kernel.sets import to_json
from diaodu.ordering.model import Action
from diaodu.planning.model import Effect, Op, State, Wanted, by_age

CLAIM = "claim.product"
# A product is let go of when nothing that was done to it is left to be taken back.
CLAIM_UNDO: Mapping[str, Any] = {"kind": "claim.release", "work": "unclaim", "after": [], "of": "", "last": True}
Design = Mapping[str, Mapping[str, Any]]  # group -> what the areas chose


def wanted_effects(facts: OrderFacts, design: Design, *, only: Performer | None = None) -> list[Wanted]:
    """The wanted effects in catalogue order; ``only`` limits them to one kind of performer."""
    tree = facts.revision.tree or Tree(())
    lines = facts.lines()
    found = []
    for node in tree:
        kinds = facts.release.effects_of.get(node.spec, ())
        if not kinds:
            continue
        names = line_names(facts, lines[node.item_key]) | {
            "节点": node.characteristics,
            "设计": design.get(node.group, {}),
        }
        found += [
            _wanted(kind, node, names)
            for kind in kinds
            if only is None or facts.release.work[kind.work].performer is only
        ]
    return found


def _wanted(kind: EffectKind, node: Node, names: Mapping[str, Any]) -> Wanted:
    reads = {name: plain(e.evaluate(names)) for name, e in kind.reads.items()}
    return Wanted(
        thing_id=node.thing_id,
        kind=kind.id,
        item_key=node.item_key,
        group=node.group,
        work=kind.work,
        element=str(kind.element.evaluate(names)) if kind.element else None,
        priority=kind.priority,
        reads_hash=hashlib.sha256(to_json(sorted(reads.items())).encode()).hexdigest()[:16],
        params={name: plain(e.evaluate(names)) for name, e in kind.params.items()},
        undo=undo_of(kind),
        after=kind.after,
        on_change=kind.on_change,
    )


def restored(facts: OrderFacts, known: Iterable[Effect]) -> list[Wanted]:
    """What products are to be again whose change or removal was taken back: all that they were when claimed."""
    lines = {line.key: line for line in facts.revision.lines if not line.wanted and line.action is not Action.ADD}
    return [
        Wanted(
            thing_id=e.thing_id,
            kind=e.kind,
            item_key=e.item_key or "",
            group=lines[e.item_key or ""].group,
            work=e.work,
            element=e.element,
            priority=e.priority,
            reads_hash=e.reads_hash,
            params={k: v for k, v in e.params.items() if k != "key"},
            undo=e.undo,
            after=tuple((e.undo or {}).get("after") or ()),
        )
        for e in known
        if e.op is Op.INHERITED and e.item_key in lines
    ]


def claims(facts: OrderFacts, known: Iterable[Effect]) -> list[Wanted]:
    """The claims on the products that the order changes; each is let go of when it is wanted no more."""
    lines = {line.key: line for line in facts.revision.lines if line.wanted and line.action is not Action.ADD}
    return [_claim(e, lines[e.item_key or ""].group) for e in _claimed(known) if e.item_key in lines]


def _claimed(known: Iterable[Effect]) -> Iterable[Effect]:
    dead = (State.WITHDRAWN, State.UNDONE)
    return (e for e in known if e.kind == CLAIM and e.op is not Op.UNDO and e.state not in dead)


def _claim(e: Effect, group: str) -> Wanted:
    return Wanted(
        e.thing_id, e.kind, e.item_key or "", group, e.work, e.element, e.priority, e.reads_hash, e.params, e.undo, ()
    )


def undo_of(kind: EffectKind) -> dict[str, Any]:
    """The snapshot that an effect keeps of how it is taken back; ``kind`` is None when it cannot be."""
    undo = kind.undo
    return {
        "kind": undo.kind if undo else None,
        "work": undo.work if undo else None,
        "after": list(kind.after),
        "of": kind.of,
    }


def design_of(effects: Iterable[Effect], facts: OrderFacts) -> dict[str, dict[str, Any]]:
    """What the areas chose, by group: the results of the confirmed reservations, the newest last."""
    groups = {line.key: line.group for line in facts.revision.lines}
    design: dict[str, dict[str, Any]] = {}
    for e in by_age(effects):
        if e.state is State.CONFIRMED and e.result and e.item_key in groups and is_reservation(e, facts.release):
            design.setdefault(groups[e.item_key], {}).update(e.result)
    return design


def is_reservation(effect: Effect, release: Release) -> bool:
    """Whether an effect holds resources of an area."""
    return effect.op is not Op.UNDO and effect.kind in release.effects and effect.work == "reserve"
