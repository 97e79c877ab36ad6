"""轨迹: the order as it stood at any instant, and why a step is there; read from its history and its revisions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.catalog.model import Node, Release
from diaodu.fulfilment.story import Entry, Story, fold
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.ordering import queries as ordering
from diaodu.ordering.model import ItemState as S
from diaodu.ordering.model import Revision, order_state
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect
from diaodu.workforce import queries as work_orders


@dataclass(frozen=True)
class Past:
    """An order at an instant: its state, and the state of each of its parts; None: it did not exist yet."""

    at: datetime
    state: str | None
    revision: int | None  # the newest one that had been accepted
    items: Mapping[str, Mapping[str, Any]]  # by item key
    effects: Sequence[Mapping[str, Any]]
    tasks: Sequence[Mapping[str, Any]]
    holds: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Because:
    """One reason, in both languages."""

    zh: str
    en: str


def history_of(tx: Tx, order_id: int) -> list[Mapping[str, Any]]:
    """The history rows of an order, oldest first; NotFound for what is no order."""
    rows = journal.read(tx, order_id)
    if not rows or not ordering.items_of(tx, [order_id])[order_id]:
        raise NotFound(entity="productOrder", id=order_id)
    return rows


def past(tx: Tx, order_id: int, at: datetime) -> Past:
    """The order as it stood at an instant; NotFound for what is no order."""
    rows = history_of(tx, order_id)
    story = fold(e for row in rows if row["at"] <= at for e in row["entries"])
    items = {thing["key"]: _only(thing, "state", "reason") for thing in story.things["item"].values() if "key" in thing}
    accepted = [n for n, state in story.revisions.items() if state == "accepted"]
    return Past(
        at=at,
        state=order_state(S(i["state"]) for i in items.values()) if items else None,
        revision=max(accepted, default=None),
        items=items,
        effects=_listed(story, "effect", "kind", "op", "state"),
        tasks=_listed(story, "task", "kind", "name", "state", "by", "reason"),
        holds=_listed(story, "hold", "cause", "item", "state", "reason"),
    )


def why(tx: Tx, order_id: int, thing: int) -> list[Because]:
    """Why an effect or a work order of an order is there, from the newest cause to the oldest; NotFound."""
    rows = history_of(tx, order_id)
    ledger = {e.id: e for e in effects.effects_of(tx, [order_id])[order_id]}
    if thing in ledger:
        return list(_why_effect(tx, ledger[thing], ledger, rows))
    for work_order in work_orders.work_orders_of(tx, [order_id])[order_id]:
        if work_order.id == thing:
            carried = [ledger[line.effect] for line in work_order.lines if line.effect in ledger]
            return [b for e in carried for b in _why_effect(tx, e, ledger, rows)]
    raise NotFound(entity="step", id=thing)


def _why_effect(
    tx: Tx, e: Effect, ledger: Mapping[int, Effect], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Because]:
    added, row = next((x, r) for r in rows for x in r["entries"] if x["t"] == "effect.added" and x["id"] == e.id)
    reason = _REASONS.get(added.get("reason", ""), ("", ""))
    yield Because(f"{e.kind}（{_OPS[e.op][0]}）{reason[0]}", f"{e.kind} ({_OPS[e.op][1]}) {reason[1]}".rstrip())
    if e.of_id is not None and e.of_id in ledger:
        of = ledger[e.of_id]
        yield Because(f"针对先前的 {of.kind}（{of.id}）", f"about the earlier {of.kind} ({of.id})")
    waits = [ledger[n] for n in e.needs if n in ledger]
    if waits:
        told = ", ".join(f"{w.kind} {w.state}" for w in waits)
        yield Because(f"须先完成：{told}", f"comes after: {told}")
    revision = ordering.revision(tx, e.order_id, e.revision)
    if revision is not None:
        release = catalog.get_release(tx, revision.release_id)
        yield from _why_node(revision, release, e)
        entered = _entered(rows, e.revision)
        yield Because(
            f"订单第 {e.revision} 版，目录版本 {release.id}，{entered} 提出",
            f"revision {e.revision} of the order, release {release.id}, made by {entered}",
        )
    yield Because(
        f"计划于 {row['at']:%Y-%m-%d %H:%M:%S} 由 {row['actor']}", f"planned at {row['at']} by {row['actor']}"
    )


def _why_node(revision: Revision, release: Release, e: Effect) -> Iterator[Because]:
    """The way up the tree: from the thing to the line that was ordered."""
    nodes = {n.thing_id: n for n in revision.tree or ()}
    at: Node | None = nodes.get(e.thing_id)
    while at is not None:
        by_rule = (
            (f"，规则 {at.rule}：{at.reason['zh']}", f", rule {at.rule}: {at.reason['en']}") if at.rule else ("", "")
        )
        yield Because(f"{at.spec}{by_rule[0]}", f"{at.spec}{by_rule[1]}")
        at = nodes.get(at.parent) if at.parent is not None else None
    line = next((x for x in revision.lines if x.key == e.item_key), None)
    if line is not None:
        name = release.offerings[line.offering].name
        yield Because(f"订单项 {line.key}：{line.action} {name['zh']}", f"item {line.key}: {line.action} {name['en']}")


def _entered(rows: Sequence[Mapping[str, Any]], n: int) -> str:
    for row in rows:
        for e in row["entries"]:
            if e["t"] in ("order.captured", "revision.entered") and e.get("n", 1) == n:
                return str(row["actor"])
    return "-"


def _listed(story: Story, noun: str, *names: str) -> list[Entry]:
    return [{"id": i, **_only(thing, *names)} for i, thing in sorted(story.things[noun].items())]


def _only(thing: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: thing[name] for name in names if thing.get(name) is not None}


_OPS = {
    "do": ("实施", "do"),
    "redo": ("重做", "do again"),
    "undo": ("撤除", "undo"),
    "inherited": ("已有", "was there"),
}
_REASONS = {
    "new": ("此前没有", "it was not there"),
    "changed": ("所依据的内容已变更", "what it reads has changed"),
    "removed": ("不再需要", "it is wanted no more"),
    "switched": ("已切换到新的", "the new one has taken over"),
    "late": ("迟到的回单", "a late report made it true"),
    "broken": ("其所依赖的须重做", "what it stands on is done anew"),
    "withdrawn wish": ("该资源申请已不需要", "the request is wanted no more"),
    "returned": ("现场退单", "the work was sent back"),
    "again": ("另行分配", "another one is asked for"),
    "faulty": ("资源不可用", "the resource is bad"),
    "claim": ("该产品须由本单独占", "one order at a time changes the product"),
    "closing": ("竣工归档", "completion asks for it"),
    "last user?": ("共用资源须先确认是否还有他人使用", "whether others use the shared thing is asked first"),
}
