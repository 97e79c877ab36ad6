"""咨询: could this be had, here and now, and when; decided as an order would be, and nothing is reserved for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.catalog.model import Performer
from diaodu.fulfilment.decompose import tree_of
from diaodu.fulfilment.forecast import forecast
from diaodu.fulfilment.orders import OrderFacts
from diaodu.fulfilment.validate import audit
from diaodu.fulfilment.wanted import wanted_effects
from diaodu.inventory.commands import Trial, Trials
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import Rejected
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import Action, ItemDraft, OrderDraft, Revision
from diaodu.planning.model import AREA, Wanted


@dataclass(frozen=True)
class Reason:
    """Why something cannot be had as it is asked for, in both languages."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class Verdict:
    """What is found about one item: ``result`` is qualified, alternate or unqualified.

    ``date`` is when it would be done; ``ahead`` how many orders wait before it; ``alternatives`` what is free instead.
    """

    item: ItemDraft
    result: str
    reasons: Sequence[Reason] = ()
    alternatives: Sequence[Mapping[str, Any]] = ()
    date: datetime | None = None
    ahead: int = 0


@dataclass(frozen=True)
class _Asked:
    """An item that the catalogue and the rules allow, with what it wants of the areas."""

    item: ItemDraft
    order: OrderFacts
    wanted: Sequence[Wanted]
    lines: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)  # area -> bodies


def qualify(tx: Tx, trials: Trials, items: Sequence[ItemDraft], customer: str | None) -> list[Verdict]:
    """A verdict about each item; several items do not count the same resource twice."""
    verdicts: dict[str, Verdict] = {}
    asked: list[_Asked] = []
    for item in items:
        found = _asked(tx, item, customer)
        if isinstance(found, Verdict):
            verdicts[item.key] = found
        else:
            asked.append(found)
    for a in asked:
        verdicts[a.item.key] = _verdict(tx, trials, a, [b for b in asked if b is not a and b.item.key in verdicts])
    return [verdicts[item.key] for item in items]


def _asked(tx: Tx, item: ItemDraft, customer: str | None) -> _Asked | Verdict:
    release = catalog.current_release(tx)
    draft = OrderDraft(None, "", customer, (item,))
    try:
        known, lines = ordering.tried_lines(tx, draft, release)
    except Rejected as refusal:
        reason = Reason(refusal.code, refusal.message("zh"), refusal.message("en"))
        return Verdict(item, "unqualified", [reason])
    revision = Revision(0, 1, "intake", release.id, known, tx.now.isoformat(), lines, None)
    audited = audit(OrderFacts(0, revision, release, ()))
    if audited.problems:
        reasons = [
            Reason(p["rule"], f"{p['message']['zh']}；{p['mend']['zh']}", f"{p['message']['en']}; {p['mend']['en']}")
            for p in audited.problems
        ]
        return Verdict(item, "unqualified", reasons)
    order = OrderFacts(0, audited.revision, release, ())
    tree = tree_of(order, lambda: tx.new_id(0))
    order = OrderFacts(0, replace(audited.revision, tree=tree), release, ())
    return _Asked(item, order, wanted_effects(order, {}), _lines(order))


def _lines(order: OrderFacts) -> dict[int, list[dict[str, Any]]]:
    """What the design would ask of each area."""
    lines = order.lines()
    found: dict[int, list[dict[str, Any]]] = {}
    for w in wanted_effects(order, {}, only=Performer.AREA):
        if lines[w.item_key].held.get(w.kind) != w.reads_hash and w.element:
            found.setdefault(int(w.element.removeprefix(AREA)), []).append({"thing": w.thing_id, **w.params})
    for line in order.revision.lines:
        if line.action is not Action.ADD:
            body = {"thing": line.product_id, "want": "claim", "claims": [line.product_id]}
            found.setdefault(int(line.address["area"]), []).append(body)
    return found


def _verdict(tx: Tx, trials: Trials, asked: _Asked, before: Sequence[_Asked]) -> Verdict:
    """Try the item out behind those that were asked for in the same breath."""
    tried = {
        area: trials(tx, area, lines, behind=[b.lines[area] for b in before if area in b.lines])
        for area, lines in asked.lines.items()
    }
    work = forecast(tx, asked.order, asked.wanted)
    refusals = [t.answer for t in tried.values() if t.answer["status"] == "refused"]
    if refusals:
        return Verdict(asked.item, "unqualified", [Reason(r["code"], r["zh"], r["en"]) for r in refusals])
    short = [t for t in tried.values() if t.answer["status"] == "waiting"]
    if not short:
        return Verdict(asked.item, "qualified", date=work.after(tx.now))
    reasons = [_missing(m) for t in short for m in t.answer["missing"]]
    offered = [a for t in short for a in t.alternatives]
    days = _days(short)
    date = None if days is None else work.after(tx.now + timedelta(days=days))
    result = "alternate" if offered or date else "unqualified"
    return Verdict(asked.item, result, reasons, offered, date, max(t.ahead for t in short))


def _days(short: Sequence[Trial]) -> float | None:
    """How long one would wait; None where nobody who waited was served lately."""
    if any(t.per_day == 0 for t in short):
        return None
    return max((t.ahead + 1) / t.per_day for t in short)


def _missing(missing: Mapping[str, Any]) -> Reason:
    want, why = missing["want"], missing["why"]
    zh, en = _WHY.get(why, ("暂无可用资源", "is not free"))
    name_zh, name_en = _WANT.get(want, (want, want))
    return Reason(f"{want}.{why}", f"{name_zh}:{zh}", f"{name_en} {en}")


_WHY = {
    "no-free-port": ("分光器无空闲端口", "has no free port within reach"),
    "optical-budget": ("光功率预算不足", "would get too little light"),
    "split-limit": ("分光比超限", "has too many users on its line already"),
    "none-free": ("暂无库存", "is not in stock"),
}
_WANT = {
    "access": ("光纤接入", "fibre access"),
    "number": ("号码", "phone number"),
    "ip": ("公网 IP", "public IP address"),
    "onu": ("光猫", "ONU"),
    "stb": ("机顶盒", "set-top box"),
    "router": ("路由器", "router"),
}
