"""An order's history as people read it: one line for each thing that happened, in Chinese and English."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from diaodu.catalog import queries as catalog
from diaodu.catalog.model import Release
from diaodu.fulfilment.timeline_words import WORDS
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.kernel.ids import part_of

Entry = Mapping[str, Any]

_STATES = {
    "acknowledged": "已受理", "pending": "待客户", "held": "挂起", "inProgress": "处理中", "closing": "归档中",
    "completed": "已竣工", "failed": "失败", "cancelled": "已撤单", "intent": "待发", "sent": "已发",
    "confirmed": "已确认", "unknown": "未知", "undone": "已撤除", "withdrawn": "已收回", "rejected": "未受理",
    "assessingCancellation": "撤单待确认", "pendingCancellation": "撤单中",
}  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """One line of the timeline."""

    at: datetime
    actor: str
    zh: str
    en: str


@dataclass(frozen=True)
class _Names:
    release: Release
    effects: Mapping[int, Entry]  # effect.added by effect id

    def work(self, effect: int, language: str) -> str:
        """The kind of work and of effect, for people: 网管:OLT 端口 (olt.port)."""
        added = self.effects.get(effect)
        if added is None:
            return str(effect)
        known = self.release.effects.get(added["kind"]) or self.release.closing.get(added["kind"])
        name = self.release.work[known.work].name[language] if known else ""
        return f"{name} ({added['kind']})" if name else str(added["kind"])


def timeline(tx: Tx, order_id: int) -> list[Moment]:
    """The moments of an order, oldest first; NotFound."""
    rows = journal.read(tx, order_id)
    found = tx.row(
        "select release_id from ordering.revision where part = %s and order_id = %s order by n desc limit 1",
        (part_of(order_id), order_id),
    )
    if not rows or found is None:
        raise NotFound(entity="productOrder", id=order_id)
    added = {e["id"]: e for row in rows for e in row["entries"] if e["t"] == "effect.added"}
    names = _Names(catalog.get_release(tx, found[0]), added)
    return [Moment(row["at"], row["actor"], zh, en) for row in rows for zh, en in _lines(row["entries"], names)]


def _lines(entries: Sequence[Entry], names: _Names) -> Iterator[tuple[str, str]]:
    planned = [e for e in entries if e["t"] == "effect.added" and e["op"] != "inherited"]
    if planned:
        kinds = ", ".join(e["kind"] for e in planned)
        yield f"计划 {len(planned)} 项:{kinds}", f"planned {len(planned)}: {kinds}"
    for entry in entries:
        if describe := DESCRIBED.get(entry["t"]):
            yield describe(entry, names)
        elif words := WORDS.get(entry["t"]):
            zh, en = (text.format_map(_Values(entry)).rstrip() for text in words)
            yield zh, en


class _Values(dict[str, Any]):
    """An entry's own values; what it lacks is a dash."""

    def __missing__(self, key: str) -> str:
        return "-"


def _captured(e: Entry, _: _Names) -> tuple[str, str]:
    return f"受理,来源 {e['source']},外部单号 {e['external_id'] or '-'}", f"captured from {e['source']}"


def _passed(e: Entry, _: _Names) -> tuple[str, str]:
    if not e["added"]:
        return "审核通过", "audit passed"
    zh = ";".join(f"{a['message']['zh']},{a['mend']['zh']} {a['set']}" for a in e["added"])
    en = "; ".join(f"{a['message']['en']}: {a['mend']['en']} {a['set']}" for a in e["added"])
    return f"审核通过,补充:{zh}", f"audit passed, added: {en}"


def _refused(e: Entry, _: _Names) -> tuple[str, str]:
    found = e["problems"]
    zh = [f"规则 {p['rule']} 字段 {p['field']}={p['value']}：{p['message']['zh']}，{p['mend']['zh']}" for p in found]
    en = [f"rule {p['rule']} field {p['field']}={p['value']}: {p['message']['en']}; {p['mend']['en']}" for p in found]
    return f"审核退回：{'；'.join(zh)}", f"audit refused: {'; '.join(en)}"


def _decomposed(e: Entry, _: _Names) -> tuple[str, str]:
    return (
        f"分解:产品 {e['product']},服务 {e['service']},资源 {e['resource']}",
        f"decomposed: {e['product']} products, {e['service']} services, {e['resource']} resources",
    )


def _effect(e: Entry, names: _Names) -> tuple[str, str]:
    return (
        f"{names.work(e['id'], 'zh')} {_STATES[e['to']]}",
        f"{names.work(e['id'], 'en')} {e['to']}",
    )


def _item(e: Entry, _: _Names) -> tuple[str, str]:
    reason = f"({e['reason']})" if e.get("reason") else ""
    return f"订单项 {e['key']} {_STATES[e['to']]}{reason}", f"item {e['key']} {e['to']} {reason}".rstrip()


def _offered(e: Entry, names: _Names) -> tuple[str, str]:
    name, count = names.release.work[e["kind"]].name, len(e["effects"])
    return f"派单 {e['kind']} {name['zh']}（{count} 项）", f"work order {e['kind']} {name['en']}, {count} effects"


def _claimed(e: Entry, _: _Names) -> tuple[str, str]:
    return f"工单 {e['task']} 由 {e['by']} 领取", f"work order {e['task']} claimed by {e['by']}"


def _incident(e: Entry, _: _Names) -> tuple[str, str]:
    return f"异常:{e['node']} {e['code']}", f"incident at {e['node']}: {e['code']}"


def _decided(e: Entry, _: _Names) -> tuple[str, str]:
    made = [(d["key"], d["n"], orjson.dumps(d["output"]).decode()) for d in e["decisions"]]
    zh = "，".join(f"{key}（第 {n} 版）= {output}" for key, n, output in made)
    return f"规则：{zh}", "decided: " + ", ".join(f"{key} (version {n}) = {output}" for key, n, output in made)


def _unfit(e: Entry, _: _Names) -> tuple[str, str]:
    policy, item = e["policy"], e["item"]
    return (
        f"策略 {policy} 对订单项 {item} 没有给出可用的结果，按目录中的值处理",
        f"policy {policy} gave nothing that fits for item {item}: the catalogue's own value holds",
    )


DESCRIBED: Mapping[str, Callable[[Entry, _Names], tuple[str, str]]] = {
    "order.captured": _captured,
    "audit.passed": _passed,
    "audit.refused": _refused,
    "order.decomposed": _decomposed,
    "effect.state": _effect,
    "item.state": _item,
    "work.offered": _offered,
    "task.claimed": _claimed,
    "incident.opened": _incident,
    "decisions.made": _decided,
    "policy.unfit": _unfit,
}
