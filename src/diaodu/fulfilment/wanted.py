"""What a revision wants to be true: the effects of every node of its tree; pure."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from diaodu.catalog.model import EffectKind, Node, Performer, Release, Tree, plain
from diaodu.fulfilment.orders import OrderFacts, line_names
from diaodu.kernel.sets import to_json
from diaodu.planning.model import Effect, Op, State, Wanted, by_age

CLAIM = "claim.product"
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
